//! A child, their guardian, and those who would like to be one of the two.

mod ages;
mod links;
mod questions;

use sha2::{Digest, Sha256};
use zegel_content::{Asked, Contacts, Fact, Facts, GUARDIAN_TYPE, Guardian, Older};
use zegel_proto::{
    AccountId, GroupId,
    v1::{self, AgeBand, client_frame::Body as Call},
};
use zegel_safety::{Policy, Until};

use super::world::{ALICE, BOB, CAROL, MALLORY, World, wait};
use crate::db::{ConversationState, Intent, ItemKind, LinkState, With};

/// The guardian, and the child.
const MUM: usize = ALICE;
const KID: usize = BOB;

impl World {
    fn set_band(&mut self, who: usize, band: AgeBand) {
        self.core(who).step(|core| core.set_own_band(band)).expect("a band");
    }

    /// Somebody's software says this to somebody, whatever their own rules are.
    fn claims(&mut self, who: usize, to: usize, said: &Guardian) {
        let account = self.account(to);
        let told = self.core(who).step(|core| core.tell(&account, said)).expect("said");
        assert!(told.is_some(), "they have a chat");
        self.flush(who);
    }

    fn links(&mut self, who: usize, to: usize) -> LinkState {
        let account = self.account(to);
        let (state, _) = self.core(who).link(&account).expect("linked");
        self.flush(who);
        state
    }

    fn link_state(&self, who: usize, to: usize) -> Option<LinkState> {
        let link = self.at(who).db.link_with(&self.account(to)).expect("the database");
        link.map(|link| link.state)
    }

    /// The next call that a device has for the service about guardians and age; the service does it.
    fn errand(&mut self, who: usize) -> Option<Call> {
        let (id, call) = self.at(who).errand().expect("errands")?;
        self.core(who).errand_ended(id, None).expect("ended");
        self.flush(who);
        Some(call)
    }

    /// The secret that this guardian holds for this child.
    fn secret(&self, who: usize, child: usize) -> [u8; 32] {
        let link = self.at(who).db.link_with(&self.account(child)).expect("the database");
        let With::Child(kept) = link.expect("a link").with else { panic!("a child") };
        kept.secret.expect("a secret")
    }

    fn guardian_of(&self, who: usize) -> String {
        self.at(who).guardian().expect("the database")
    }

    fn introduces(&mut self, from: usize, to: usize) -> GroupId {
        let peer = self.account(to);
        let packages = self.packages(&[peer]);
        self.core(from).found_direct(&peer, &packages, Some("hello"), None).expect("founded");
        let group = self.at(from).db.conversations().expect("a list").pop().expect("a chat").group;
        self.flush(from);
        group
    }

    fn accepts(&mut self, who: usize, group: &GroupId) -> Option<String> {
        let request = self.chat(who, group);
        let asked = self.core(who).accept(&request).expect("answered");
        self.flush(who);
        asked
    }

    /// What waits for a guardian, by name.
    fn waiting(&self, who: usize) -> Vec<(&'static str, String)> {
        let waiting = self.at(who).waiting().expect("the database");
        waiting.iter().map(|it| (it.kind().word(), it.name().to_owned())).collect()
    }

    fn answers(&mut self, who: usize, child: usize, name: &str, allow: bool) {
        let account = self.account(child);
        self.core(who).answer_child(&account, name, allow).expect("answered");
        self.flush(who);
        self.flush(child);
    }

    fn notices(&self, who: usize, text: &str) -> usize {
        self.lines(who, ItemKind::Notice).iter().filter(|line| line.contains(text)).count()
    }

    fn told(&self, who: usize, child: usize) -> Vec<String> {
        let told = self.at(who).told_by(&self.account(child)).expect("the database");
        told.map(|told| [told.people, told.groups].concat()).unwrap_or_default()
    }
}

fn hash(secret: &[u8; 32]) -> Vec<u8> {
    Sha256::digest(secret).to_vec()
}

/// A mother and her child, not linked yet.
fn family() -> World {
    let mut world = World::new();
    world.set_band(KID, AgeBand::Child);
    world.direct(MUM, KID);
    world
}

fn linked() -> World {
    let mut world = family();
    link(&mut world, MUM, KID);
    world
}

fn link(world: &mut World, guardian: usize, child: usize) {
    assert_eq!(world.links(child, guardian), LinkState::WeAsk);
    assert_eq!(world.links(guardian, child), LinkState::Keyed);
    assert!(matches!(world.errand(child), Some(Call::SetGuardian(_))));
    assert_eq!(world.link_state(guardian, child), Some(LinkState::Linked));
    assert_eq!(world.link_state(child, guardian), Some(LinkState::Linked));
}
