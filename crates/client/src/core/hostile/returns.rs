//! Being brought back into a conversation that was left, by whoever would like to be seen there again.

use openmls::prelude::KeyPackage;
use zegel_proto::{
    Address, GroupId, address_tag,
    v1::{self, client_frame::Body as Call},
};
use zegel_safety::Policy;

use super::{
    forge::{Forged, packed},
    world::{ALICE, BOB, CAROL, MALLORY, World},
};
use crate::{
    core::{facts::Facts, make::read_key_package},
    db::{ConversationState, ItemKind},
};

impl World {
    /// The small calls that a device has for the service, which takes them.
    pub fn take_calls(&mut self, who: usize) -> Vec<Call> {
        let mut calls = Vec::new();
        while let Some((id, call)) = self.at(who).db.next_call().expect("the database") {
            self.at(who).db.call_done(id).expect("the database");
            calls.push(call);
        }
        calls
    }

    /// A key package of somebody's that many may use at once.
    fn last_resort(&mut self, who: usize) -> (KeyPackage, Address) {
        let core = self.core(who);
        let stocked = core.step(|core| core.key_package(true)).expect("keys");
        let package = read_key_package(&core.crypto, &stocked.key_package).expect("a key package");
        (package, Address::from_slice(&stocked.address).expect("an address"))
    }

    pub fn leaves(&mut self, who: usize, group: &GroupId) {
        let chat = self.chat(who, group);
        self.core(who).want_leave(&chat).expect("wanted");
        self.flush(who);
        self.core(who).finish_leaving(&chat).expect("left");
        assert_eq!(self.state(who, group), ConversationState::Over);
    }

    pub fn blocks(&mut self, who: usize, whom: usize) {
        let contact = self.at(who).db.contact(&self.account(whom)).expect("the database").expect("a contact");
        self.core(who).block(&contact).expect("blocked");
    }

    /// Somebody brings Bob into a group of this id, which they made, through his last resort.
    fn brings_bob(&mut self, by: usize, group: GroupId, name: &str) -> Address {
        let (package, address) = self.last_resort(BOB);
        let facts = Facts::group(name, self.account(by));
        let letter = Forged::new(self, by, group, &facts).age(5).invite(by, &packed(&package), &address);
        let context = self.context(by, &group, &letter.submit.message);
        let origin = v1::Stamped { context: context.to_bytes().to_vec().into(), stamp: vec![9; 32].into() };
        let mut introduction = self.introduction(BOB, &letter, &origin).expect("a Welcome for Bob");
        introduction.facts = Some(v1::SenderFacts { declined_lately: true, ..Default::default() });
        self.hand(BOB, v1::entry::Body::Introduction(introduction));
        address
    }
}

fn ends(calls: &[Call], address: &Address, group: &GroupId) -> bool {
    calls.iter().any(|call| {
        matches!(call, Call::EndBinding(end) if end.address == address.to_field()
            && end.tag == address_tag(address, group).as_slice())
    })
}

/// Alice founds a group with Bob, whom she finds only through his last resort.
fn group_by_last_resort(world: &mut World) -> (GroupId, Address) {
    let (package, address) = world.last_resort(BOB);
    let (account, device) = (world.account(BOB), world.at(BOB).me.device);
    let packages = [v1::DeviceKeyPackage {
        account: account.to_field(),
        device: device.to_field(),
        key_package: packed(&package).into(),
    }];
    world.core(ALICE).found_group("club", &[account], &packages).expect("founded");
    let group = world.at(ALICE).db.conversations().expect("a list").pop().expect("a group").group;
    world.flush(ALICE);
    (group, address)
}

#[test]
fn an_address_of_many_serves_no_conversation_that_is_done_with_it() {
    type End = fn(&mut World, &GroupId);
    let accepts: End = |world, group| {
        let request = world.chat(BOB, group);
        world.core(BOB).accept(&request).expect("accepted");
    };
    let ways: [(&str, End); 3] = [
        ("it has another", |world, _| world.flush(BOB)),
        ("left", |world, group| {
            // Before it has another.
            let chat = world.chat(BOB, group);
            let core = world.core(BOB);
            core.step(|core| core.end_conversation(&chat, ConversationState::Over)).expect("ended");
        }),
        ("removed", |world, group| {
            let remove = vec![world.leaf_of(ALICE, group, BOB)];
            let shape = crate::core::make::Shape { remove, ..Default::default() };
            let letter = world.commit(ALICE, group, shape);
            world.deliver(&letter);
        }),
    ];
    for (what, end) in ways {
        let mut world = World::new();
        let (group, address) = group_by_last_resort(&mut world);
        accepts(&mut world, &group);
        assert!(world.chat(BOB, &group).last_resort, "{what}");
        assert!(!ends(&world.take_calls(BOB), &address, &group), "{what}: in use");
        end(&mut world, &group);
        let calls = world.take_calls(BOB);
        assert!(ends(&calls, &address, &group), "{what}");
        let kept = calls.iter().all(|call| match call {
            Call::DeleteAddresses(delete) => !delete.addresses.contains(&address.to_field()),
            _ => true,
        });
        assert!(kept, "{what}: it serves others");
    }
    // A request that is declined is named, and ended.
    let mut world = World::new();
    let (group, address) = group_by_last_resort(&mut world);
    let request = world.chat(BOB, &group);
    world.core(BOB).decline(&request).expect("declined");
    let (calls, alice) = (world.take_calls(BOB), world.account(ALICE));
    assert!(ends(&calls, &address, &group));
    assert!(
        calls.iter().any(|call| matches!(call, Call::DeleteAddresses(it) if it.declined == alice.to_field()))
    );
}

/// A group of Alice's that Bob left.
fn left() -> (World, GroupId) {
    let mut world = World::new();
    let group = world.group("club", &[BOB]);
    world.flush(BOB);
    world.leaves(BOB, &group);
    world.take_calls(BOB);
    (world, group)
}

#[test]
fn who_brings_us_back_is_asked_about_and_no_other() {
    let (mut world, group) = left();
    let address = world.brings_bob(MALLORY, group, "club again");
    let request = world.chat(BOB, &group);
    let mallory = world.account(MALLORY);
    assert_eq!((request.state, request.introducer), (ConversationState::Request, Some(mallory)));
    assert_eq!((request.address, request.last_resort), (address, true));
    assert!(request.intro.declined, "what is known is known of them");
    assert!(world.shows(BOB, "mallory added you to the group club again."));
    assert!(world.shows(BOB, "declined or blocked them"));
    assert_eq!(world.at(BOB).requests_of("mallory").expect("requests").len(), 1);
    assert!(world.at(BOB).requests_of("alice").expect("requests").is_empty());
    // Accepted, the shared address is replaced.
    world.core(BOB).accept(&request).expect("accepted");
    world.letters(BOB);
    let bound = world.take_calls(BOB).iter().any(|call| matches!(call, Call::BindAddress(_)));
    assert!(bound, "a fresh address is on its way");
}

#[test]
fn nobody_who_is_blocked_brings_us_back() {
    let (mut world, group) = left();
    world.blocks(BOB, MALLORY);
    world.take_calls(BOB);
    let address = world.brings_bob(MALLORY, group, "you cannot hide");
    assert_eq!(world.state(BOB, &group), ConversationState::Over);
    assert!(!world.shows(BOB, "hide") && !world.shows(BOB, "mallory"));
    assert_eq!(world.chat(BOB, &group).name, "club");
    assert!(ends(&world.take_calls(BOB), &address, &group));
    // Who is not blocked still may.
    world.brings_bob(CAROL, group, "club");
    assert_eq!(world.state(BOB, &group), ConversationState::Request);
}

#[test]
fn a_group_of_ones_own_that_was_left_has_a_request_with_a_name() {
    let mut world = World::new();
    let group = world.group("club", &[BOB, CAROL]);
    // Bob founds one himself.
    let carol = world.account(CAROL);
    let packages = world.packages(&[carol]);
    world.core(BOB).found_group("mine", &[carol], &packages).expect("founded");
    let mine = world.at(BOB).db.conversations().expect("a list").pop().expect("a group").group;
    world.flush(BOB);
    world.leaves(BOB, &mine);
    world.brings_bob(MALLORY, mine, "mine");
    assert_eq!(world.at(BOB).requests_of("mallory").expect("requests").len(), 1);
    assert_eq!(world.state(BOB, &group), ConversationState::Open);
}

#[test]
fn what_a_minor_accepts_is_what_they_were_shown() {
    let mut world = World::new();
    world.core(BOB).set_own_band(v1::AgeBand::Teen).expect("a band");
    let group = world.unaccepted_group("club", &[BOB]);
    let request = world.chat(BOB, &group);
    let shown = world.core(BOB).unconnected_in(&request).expect("names");
    assert_eq!(shown, ["alice"]);
    // While they read the question, somebody else is brought in.
    let (chat, mallory) = (world.chat(ALICE, &group), world.account(MALLORY));
    world.core(ALICE).want_add(&chat, &[mallory]).expect("wanted");
    world.flush(ALICE);
    let refused = world.core(BOB).accept_shown(&[(request.id, &shown)]).expect_err("it grew").to_string();
    assert!(refused.contains("mallory came into club meanwhile"), "{refused}");
    assert_eq!(world.state(BOB, &group), ConversationState::Request);
    let shown = world.core(BOB).unconnected_in(&request).expect("names");
    world.core(BOB).accept_shown(&[(request.id, &shown)]).expect("accepted");
    assert_eq!(world.state(BOB, &group), ConversationState::Open);
}

#[test]
fn who_is_nowhere_else_with_us_is_named_first() {
    let mut world = World::new();
    world.core(BOB).set_own_band(v1::AgeBand::Teen).expect("a band");
    world.group("chess", &[BOB, CAROL]);
    let group = world.unaccepted_group("club", &[BOB, CAROL, MALLORY]);
    let request = world.chat(BOB, &group);
    assert_eq!(world.core(BOB).unconnected_in(&request).expect("names"), ["mallory", "alice", "carol"]);
}

#[test]
fn a_service_calls_no_rule_what_it_likes() {
    let mut world = World::new();
    let shipped = Policy::shipped();
    let core = world.core(BOB);
    core.take_policy(&shipped.to_toml(), &shipped.hash()).expect("taken");
    let toml = shipped.to_toml().replace("A stranger cannot send anything", "A stranger can send anything");
    let theirs = Policy::read(&toml).expect("it is read");
    assert_ne!(theirs, shipped);
    core.take_policy(&toml, &theirs.hash()).expect("taken");
    let told = world.lines(BOB, ItemKind::Notice).pop().expect("a line");
    let (ours, own) =
        told.split_once(" (The service's own words, which this app does not go by: ").expect("both");
    assert!(
        ours.contains("A stranger cannot send anything") && own.contains("A stranger can send anything"),
        "{told}"
    );
}

#[test]
fn a_blocked_admin_puts_no_words_on_screen() {
    let mut world = World::new();
    let group = world.group("club", &[BOB]);
    let rename = |world: &mut World, name: &str| {
        let chat = world.chat(ALICE, &group);
        world.core(ALICE).want_rename(&chat, name).expect("wanted");
        world.flush(ALICE);
    };
    rename(&mut world, "chess");
    assert!(world.shows(BOB, "alice named the group chess."));
    world.blocks(BOB, ALICE);
    rename(&mut world, "I know where you live");
    assert!(!world.shows(BOB, "where you live"), "{:?}", world.lines(BOB, ItemKind::Notice));
    assert_eq!(world.chat(BOB, &group).name, "chess");
    assert!(world.shows(BOB, "it stays chess here"));
    assert_eq!(world.epoch(ALICE, &group), world.epoch(BOB, &group), "the change itself is taken");
}
