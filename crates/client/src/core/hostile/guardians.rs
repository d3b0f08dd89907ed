//! A child, their guardian, and those who would like to be one of the two.

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

#[test]
fn a_link_needs_both_and_a_proposal_alone_does_nothing() {
    let mut world = family();
    assert_eq!(world.links(MUM, KID), LinkState::WeAsk);
    assert_eq!(world.links(MUM, KID), LinkState::WeAsk);
    assert_eq!(world.notices(KID, "alice wants to be your guardian"), 1, "however often she asks");
    assert_eq!((world.guardian_of(KID).as_str(), world.errand(KID).is_none()), ("", true));
    assert!(world.letters(KID).is_empty(), "nothing is answered by itself");

    world.restart(KID);
    assert_eq!(world.links(KID, MUM), LinkState::WeAsk);
    // Her device answers by itself: she has asked already.
    world.flush(MUM);
    let Some((_, Call::SetGuardian(call))) = world.at(KID).errand().expect("errands") else {
        panic!("the service is told")
    };
    assert_eq!(call.hash.to_vec(), hash(&world.secret(MUM, KID)));
    assert!(call.secret.is_empty());
    assert_eq!(world.guardian_of(KID), "", "not before the service has it");
    assert_eq!(world.link_state(MUM, KID), Some(LinkState::Keyed));

    // The answer was lost: it is told again, and once.
    world.restart(KID);
    assert!(world.errand(KID).is_some());
    assert!(world.errand(KID).is_none());
    assert_eq!(world.guardian_of(KID), "alice");
    assert_eq!(world.link_state(MUM, KID), Some(LinkState::Linked));
    assert_eq!(world.links(KID, MUM), LinkState::Linked);
}

#[test]
fn roles_are_by_age_and_a_child_has_one_guardian() {
    let mut world = family();
    world.direct(CAROL, KID);
    link(&mut world, MUM, KID);
    assert_eq!(world.links(CAROL, KID), LinkState::WeAsk);
    let carol = world.account(CAROL);
    let refused = world.core(KID).link(&carol).expect_err("a child has one guardian");
    assert!(refused.to_string().contains("a child has one guardian"), "{refused}");
    // Whoever says that a child is their guardian's child, or an adult's guardian, says nothing.
    world.claims(CAROL, KID, &Guardian::Link { as_child: true });
    world.claims(CAROL, KID, &Guardian::Key { hash: [7; 32] });
    assert_eq!(world.link_state(KID, CAROL), Some(LinkState::TheyAsk));
    assert!(world.errand(KID).is_none());
    world.set_band(CAROL, AgeBand::Teen);
    let kid = world.account(KID);
    let refused = world.core(CAROL).link(&kid).expect_err("neither child nor adult");
    assert!(refused.to_string().contains("a child's and the other an adult's"), "{refused}");
}

#[test]
fn only_the_guardian_is_heard_and_only_between_the_two() {
    let mut world = family();
    world.direct(MALLORY, KID);
    let group = world.group("club", &[BOB, MALLORY]);
    link(&mut world, MUM, KID);
    let request = world.introduces(CAROL, KID);
    assert_eq!(world.accepts(KID, &request), Some("alice".into()));
    let id = world.at(KID).db.asks_of(&world.account(MUM)).expect("the database")[0].id;

    let allow = Guardian::Answer { id, allow: true, secret: Some([1; 32]), next: None };
    world.claims(MALLORY, KID, &allow);
    world.claims(MALLORY, KID, &Guardian::Key { hash: [1; 32] });
    world.claims(MALLORY, KID, &Guardian::End { secret: Some([1; 32]) });
    world.claims(MALLORY, KID, &Guardian::Linked);
    world.claims(
        MALLORY,
        KID,
        &Guardian::Ask { id, what: Asked::Age { band: Older::Teen }, facts: Facts::default() },
    );
    world.claims(MALLORY, KID, &Guardian::Contacts(Contacts::default()));
    // What the guardian says elsewhere is not said between the two.
    let club = world.chat(MUM, &group);
    let said = world.core(MUM).step(|core| {
        let content = core.silent_content(&club, GUARDIAN_TYPE, allow.encode().expect("fits"))?;
        core.db.add_intent(club.id, &Intent::App(content), 0, 0)
    });
    said.expect("said");
    world.flush(MUM);

    assert_eq!(world.state(KID, &request), ConversationState::Request);
    assert_eq!(world.guardian_of(KID), "alice");
    assert!(world.errand(KID).is_none() && world.waiting(KID).is_empty());
    assert_eq!(world.waiting(MUM), [("contact", "carol".to_owned())]);
    assert_eq!(world.told(KID, MALLORY), [""; 0]);
    // The same word from the guardian, where it belongs, is taken.
    world.claims(MUM, KID, &allow);
    assert_eq!(world.state(KID, &request), ConversationState::Open);
}

#[test]
fn a_new_contact_waits_for_the_guardian() {
    let mut world = linked();
    let request = world.introduces(CAROL, KID);
    for _ in 0..2 {
        assert_eq!(world.accepts(KID, &request), Some("alice".into()));
    }
    let chat = world.chat(KID, &request);
    assert_eq!(world.at(KID).waits_for(&chat).expect("the database"), "alice");
    assert_eq!(world.notices(MUM, "bob asks to be in contact with carol"), 1, "asked once");
    world.answers(MUM, KID, "carol", false);
    assert_eq!(world.state(KID, &request), ConversationState::Request);
    assert_eq!(world.notices(KID, "alice does not allow contact with carol"), 1);
    assert_eq!(world.at(KID).waits_for(&chat).expect("the database"), "");
    assert_eq!(world.told(MUM, KID), [""; 0]);

    // A no stands for a day, and is shown.
    assert_eq!(world.core(KID).refused_by(&chat).expect("the database"), "alice");
    let again = world.core(KID).accept(&chat).expect_err("she said no");
    assert!(again.to_string().contains("alice said no to that"), "{again}");
    assert!(world.waiting(MUM).is_empty());
    wait(86_400_000);

    // The child asks again, and this time it is allowed.
    assert_eq!(world.accepts(KID, &request), Some("alice".into()));
    world.restart(KID);
    world.restart(MUM);
    world.answers(MUM, KID, "contact:carol", true);
    assert_eq!(world.state(KID, &request), ConversationState::Open);
    world.assert_talk(&request, &[CAROL, KID]);
    assert_eq!(world.told(MUM, KID), ["carol"]);
    let bob = world.account(KID);
    let again = world.core(MUM).answer_child(&bob, "carol", true).expect_err("it is answered");
    assert!(again.to_string().contains("bob asks for no carol"), "{again}");

    // To write to somebody new it is asked too; then the child writes.
    let mallory = world.account(MALLORY);
    let asks = |world: &mut World, who: &AccountId| {
        let asked = world.core(KID).step(|core| core.ask_to_meet(who)).expect("asked");
        world.flush(KID);
        asked
    };
    assert_eq!(asks(&mut world, &mallory), Some("alice".into()));
    world.answers(MUM, KID, "mallory", true);
    assert_eq!(asks(&mut world, &mallory), None);
    assert_eq!(world.notices(KID, "contact with mallory: you can write now"), 1);
    assert_eq!(world.told(MUM, KID), ["carol"], "allowed is not yet in contact");
}

#[test]
fn an_answer_counts_once_and_for_its_own_question() {
    let mut world = linked();
    world.set_band(CAROL, AgeBand::Child);
    world.direct(MUM, CAROL);
    link(&mut world, MUM, CAROL);
    let mallory = world.account(MALLORY);
    for child in [KID, CAROL] {
        world.core(child).step(|core| core.ask_to_meet(&mallory)).expect("asked");
        world.flush(child);
    }
    let asked = |world: &World, child: usize| {
        world.at(child).db.asks_of(&world.account(MUM)).expect("the database").first().map(|ask| ask.id)
    };
    let (kids, carols) = (asked(&world, KID).expect("a question"), asked(&world, CAROL).expect("a question"));
    let answer = |id, allow| Guardian::Answer { id, allow, secret: None, next: None };
    for id in [carols, [9; 16]] {
        world.claims(MUM, KID, &answer(id, true));
    }
    assert!(!world.at(KID).db.is_allowed(&mallory).expect("the database"));
    world.claims(MUM, KID, &answer(kids, false));
    world.claims(MUM, KID, &answer(kids, true));
    assert!(!world.at(KID).db.is_allowed(&mallory).expect("the database"), "the first word counts");
    world.answers(MUM, CAROL, "mallory", true);
    assert!(world.at(CAROL).db.is_allowed(&mallory).expect("the database"));
}

#[test]
fn a_group_is_allowed_with_the_people_that_were_asked_about() {
    let mut world = World::new();
    world.set_band(KID, AgeBand::Child);
    world.direct(CAROL, KID);
    world.direct(CAROL, MUM);
    let carol_is_guardian = |world: &mut World| link(world, CAROL, KID);
    carol_is_guardian(&mut world);
    // Alice brings bob into a group with a name that would turn the text around.
    let group = world.unaccepted_group("chess\u{202e}club", &[BOB]);
    assert_eq!(world.state(KID, &group), ConversationState::Request);
    assert_eq!(world.accepts(KID, &group), Some("carol".into()));
    let name = "chess\u{fffd}club";
    assert_eq!(world.waiting(CAROL), [("group", name.to_owned())]);

    let mallory = world.account(MALLORY);
    let club = world.chat(ALICE, &group);
    world.core(ALICE).want_add(&club, &[mallory]).expect("added");
    world.flush(ALICE);
    world.answers(CAROL, KID, name, true);
    assert_eq!(world.state(KID, &group), ConversationState::Request, "others are in it now");
    assert_eq!(world.notices(KID, "Others are in the group"), 1);
    assert_eq!(world.waiting(CAROL), [("group", name.to_owned())], "it is asked again");
    let Asked::Group { people, .. } = &world.at(CAROL).waiting().expect("the database")[0].what else {
        panic!("a group")
    };
    assert_eq!(people, &["alice", "mallory"]);
    world.answers(CAROL, KID, name, true);
    assert_eq!(world.state(KID, &group), ConversationState::Open);
    assert_eq!(world.told(CAROL, KID), [name]);
}

#[test]
fn the_newest_chat_of_the_two_is_used() {
    let mut world = linked();
    let anew = world.introduces(MUM, KID);
    assert_eq!(world.state(KID, &anew), ConversationState::Open, "a guardian needs nobody's word");
    let carol = world.account(CAROL);
    world.core(KID).step(|core| core.ask_to_meet(&carol)).expect("asked");
    let letter = world.letters(KID).pop().expect("a letter");
    assert_eq!(letter.group, anew);
    world.flush(KID);
    world.answers(MUM, KID, "carol", true);
    assert!(world.at(KID).db.is_allowed(&carol).expect("the database"));
}

#[test]
fn a_changed_client_of_a_child_fills_nothing_and_shows_nothing_odd() {
    let mut world = linked();
    let ask = |number: u8, what| Guardian::Ask { id: [number; 16], what, facts: Facts::default() };
    world.claims(KID, MUM, &ask(1, Asked::Contact { handle: "Grandma (call me)".into() }));
    let people = vec!["not a handle".to_owned()];
    world.claims(KID, MUM, &ask(2, Asked::Group { name: "club".into(), people }));
    let facts = Facts::new([Fact::Via("your school, who knows them well".into())]);
    let what = Asked::Contact { handle: "carol".into() };
    world.claims(KID, MUM, &Guardian::Ask { id: [3; 16], what, facts });
    assert!(world.waiting(MUM).is_empty());
    // What cannot be shown is not even read.
    for handle in ["a\u{0}b", "a\u{1b}[2J", "", "\u{202e}ecila"] {
        assert!(ask(3, Asked::Contact { handle: handle.into() }).encode().is_err());
    }
    for number in 0..130u8 {
        world.claims(KID, MUM, &ask(number, Asked::Contact { handle: format!("kim{number}") }));
    }
    assert_eq!(world.waiting(MUM).len(), 100);
    // The same name asked again, under another id, is one question.
    world.claims(KID, MUM, &ask(200, Asked::Contact { handle: "kim7".into() }));
    assert_eq!(world.waiting(MUM).iter().filter(|(_, name)| name == "kim7").count(), 1);
    // A group that is called like a person is told apart.
    world.answers(MUM, KID, "kim8", false);
    world.claims(KID, MUM, &ask(201, Asked::Group { name: "kim9".into(), people: Vec::new() }));
    let kid = world.account(KID);
    let refused = world.core(MUM).answer_child(&kid, "kim9", true).expect_err("two of that name");
    assert!(refused.to_string().contains("`contact:kim9` or `group:kim9`"), "{refused}");
    world.answers(MUM, KID, "group:kim9", true);
    assert!(world.waiting(MUM).contains(&("contact", "kim9".into())));
    assert!(!world.waiting(MUM).contains(&("group", "kim9".into())));
    // A group whose name looks like another question is not taken for it.
    world.claims(KID, MUM, &ask(202, Asked::Group { name: "contact:kim9".into(), people: Vec::new() }));
    world.answers(MUM, KID, "contact:kim9", false);
    assert!(!world.waiting(MUM).contains(&("contact", "kim9".into())));
    assert!(world.waiting(MUM).contains(&("group", "contact:kim9".into())));
}

#[test]
fn a_child_who_blocks_the_guardian_is_free_of_them_on_both_screens() {
    let mut world = linked();
    let mum = world.account(MUM);
    let secret = world.secret(MUM, KID);
    let refused = world.core(KID).unlink(&mum).expect_err("that is the guardian's");
    assert!(refused.to_string().contains("`block alice`"), "{refused}");
    let request = world.introduces(CAROL, KID);
    assert_eq!(world.accepts(KID, &request), Some("alice".into()));

    world.core(KID).say_goodbye(&mum).expect("said");
    world.flush(KID);
    assert_eq!(world.link_state(MUM, KID), Some(LinkState::Over));
    assert!(world.waiting(MUM).is_empty());
    assert_eq!(world.notices(MUM, "You are no longer the guardian of bob"), 1);
    let contact = world.at(KID).db.contact(&mum).expect("the database").expect("a contact");
    world.core(KID).block(&contact).expect("blocked");
    assert_eq!(world.guardian_of(KID), "");
    assert_eq!(world.notices(KID, "alice is no longer your guardian"), 1);
    assert_eq!(world.accepts(KID, &request), None, "nobody is asked any more");

    // They make up: the service may still have the hash, so it is the same.
    world.core(KID).unblock(&contact).expect("unblocked");
    let chat = world.introduces(KID, MUM);
    if world.state(MUM, &chat) == ConversationState::Request {
        world.accepts(MUM, &chat);
    }
    world.flush(MUM);
    link(&mut world, MUM, KID);
    assert_eq!(world.secret(MUM, KID), secret);
}

#[test]
fn a_guardian_ends_it_and_the_service_forgets() {
    let mut world = linked();
    let (kid, secret) = (world.account(KID), world.secret(MUM, KID));
    world.core(MUM).unlink(&kid).expect("unlinked");
    world.flush(MUM);
    assert_eq!((world.guardian_of(KID), world.link_state(MUM, KID)), (String::new(), None));
    // Words of a former guardian that open nothing are not brought to the service.
    for _ in 0..3 {
        world.claims(MUM, KID, &Guardian::End { secret: Some([3; 32]) });
    }
    let Some(Call::SetGuardian(call)) = world.errand(KID) else { panic!("the service is told") };
    assert_eq!((call.hash.to_vec(), call.secret.to_vec()), (Vec::new(), secret.to_vec()));
    assert!(world.errand(KID).is_none());
    assert_eq!(world.link_state(KID, MUM), None);
    // Linked again later, as from the beginning.
    link(&mut world, MUM, KID);
}

#[test]
fn what_was_only_asked_is_taken_back() {
    let mut world = family();
    world.links(KID, MUM);
    let (mum, kid) = (world.account(MUM), world.account(KID));
    world.core(KID).unlink(&mum).expect("taken back");
    world.flush(KID);
    assert_eq!((world.link_state(KID, MUM), world.link_state(MUM, KID)), (None, None));
    world.links(KID, MUM);
    world.core(MUM).unlink(&kid).expect("turned down");
    world.flush(MUM);
    // That somebody turned it down is for them to say.
    assert_eq!((world.link_state(KID, MUM), world.link_state(MUM, KID)), (Some(LinkState::WeAsk), None));
    world.core(KID).unlink(&mum).expect("taken back");
    world.flush(KID);
    // A key that comes too late is none.
    world.claims(MUM, KID, &Guardian::Key { hash: [1; 32] });
    assert!(world.errand(KID).is_none());
}

#[test]
fn both_may_ask_at_once() {
    let mut world = family();
    let (mum, kid) = (world.account(MUM), world.account(KID));
    world.core(KID).link(&mum).expect("linked");
    world.core(MUM).link(&kid).expect("linked");
    let letters: Vec<_> = world.letters(KID).into_iter().chain(world.letters(MUM)).collect();
    letters.iter().for_each(|letter| world.deliver(letter));
    world.flush(MUM);
    world.flush(KID);
    assert!(world.errand(KID).is_some());
    assert_eq!(world.guardian_of(KID), "alice");
    assert_eq!(world.link_state(MUM, KID), Some(LinkState::Linked));
}

#[test]
fn the_service_may_refuse_a_guardian() {
    let mut world = family();
    world.links(KID, MUM);
    world.links(MUM, KID);
    let (id, _) = world.at(KID).errand().expect("errands").expect("one");
    world.core(KID).errand_ended(id, Some("the account has another one")).expect("ended");
    world.flush(KID);
    assert_eq!(world.guardian_of(KID), "");
    assert_eq!(
        world.notices(KID, "could not become your guardian: the service said: the account has another"),
        1
    );
    assert_eq!(world.link_state(MUM, KID), Some(LinkState::Over));
}

#[test]
fn a_block_before_the_service_knew_leaves_no_guardian_there() {
    let mut world = family();
    world.links(KID, MUM);
    world.links(MUM, KID);
    let mum = world.account(MUM);
    let contact = world.at(KID).db.contact(&mum).expect("the database").expect("a contact");
    assert!(world.at(KID).errand().expect("errands").is_some());
    world.core(KID).block(&contact).expect("blocked");
    assert!(world.errand(KID).is_none());
    assert_eq!((world.guardian_of(KID).as_str(), world.link_state(KID, MUM)), ("", Some(LinkState::Over)));
}

fn asks_for_teen(world: &mut World) -> [u8; 32] {
    assert_eq!(world.core(KID).ask_for_age(AgeBand::Teen).expect("asked"), Some("alice".into()));
    world.flush(KID);
    assert_eq!(world.waiting(MUM), [("age", "teen".to_owned())]);
    let secret = world.secret(MUM, KID);
    world.answers(MUM, KID, "teen", true);
    secret
}

#[test]
fn a_child_becomes_a_teen_by_the_guardian_and_the_link_ends() {
    let mut world = linked();
    let secret = asks_for_teen(&mut world);
    let (_, first) = world.at(KID).errand().expect("errands").expect("one");
    let Call::ChangeAge(call) = first else { panic!("another age") };
    assert_eq!((call.age_band(), call.guardian.to_vec()), (AgeBand::Teen, secret.to_vec()));
    // The answer was lost, and the next connection tells the age first.
    world.restart(KID);
    let told = v1::Authenticated { age_band: AgeBand::Teen.into(), guarded: false, ..Default::default() };
    world.core(KID).note_own_age(&told).expect("noted");
    world.flush(KID);
    assert_eq!(world.guardian_of(KID), "");
    assert!(matches!(world.errand(KID), Some(Call::ChangeAge(_))), "asked again, which changes nothing");
    assert!(world.errand(KID).is_none());
    assert_eq!(world.notices(KID, "your account's age is past that now"), 1);
    assert_eq!(world.notices(MUM, "You are no longer the guardian of bob"), 1);
    let carol = world.account(CAROL);
    assert_eq!(world.core(KID).step(|core| core.ask_to_meet(&carol)).expect("asked"), None);
    // A child again, and linked again: by a secret that the child's device has not seen.
    world.set_band(KID, AgeBand::Child);
    link(&mut world, MUM, KID);
    assert_ne!(world.secret(MUM, KID), secret);
}

#[test]
fn a_link_that_outlasts_the_step_gets_another_secret() {
    let mut world = linked();
    let mut policy = Policy::shipped();
    policy.guardians.numbers.until = Until::Adult;
    world.core(KID).take_policy(&policy.to_toml(), &policy.hash()).expect("taken");
    let secret = asks_for_teen(&mut world);
    assert!(matches!(world.errand(KID), Some(Call::ChangeAge(_))));
    assert_eq!(
        (world.guardian_of(KID).as_str(), world.at(KID).own_band().expect("a band")),
        ("alice", AgeBand::Teen)
    );
    let Some(Call::SetGuardian(call)) = world.errand(KID) else { panic!("another secret") };
    let next = world.secret(MUM, KID);
    assert_ne!(next, secret, "the child's device knows the first");
    assert_eq!((call.hash.to_vec(), call.secret.to_vec()), (hash(&next), secret.to_vec()));
    assert!(world.errand(KID).is_none());

    // The service may refuse an age, and says why.
    world.core(KID).ask_for_age(AgeBand::Adult).expect("asked");
    world.flush(KID);
    world.answers(MUM, KID, "adult", true);
    let (id, _) = world.at(KID).errand().expect("errands").expect("one");
    world.core(KID).errand_ended(id, Some("not now")).expect("ended");
    assert_eq!(world.notices(KID, "did not become: adult. The service said: not now"), 1);
    assert_eq!(world.guardian_of(KID), "alice");
}

#[test]
fn an_age_that_the_service_says_by_itself_ends_no_link_and_a_forgotten_one_is_told_again() {
    let mut world = linked();
    let tells = |world: &mut World, who: usize, age_band: AgeBand, guarded| {
        let told = v1::Authenticated { age_band: age_band.into(), guarded, ..Default::default() };
        world.core(who).note_own_age(&told).expect("noted");
        world.flush(who);
    };
    tells(&mut world, KID, AgeBand::Child, true);
    assert!(world.errand(KID).is_none());
    tells(&mut world, KID, AgeBand::Child, false);
    let Some(Call::SetGuardian(call)) = world.errand(KID) else { panic!("it is told again") };
    assert_eq!(call.hash.to_vec(), hash(&world.secret(MUM, KID)));
    assert_eq!(world.guardian_of(KID), "alice");

    // A service that calls the child an adult, or the mother a child, frees nobody of anybody.
    for (who, band) in
        [(KID, AgeBand::Adult), (KID, AgeBand::Teen), (MUM, AgeBand::Child), (MUM, AgeBand::Adult)]
    {
        for _ in 0..3 {
            tells(&mut world, who, band, true);
        }
        world.restart(who);
        assert_eq!(world.at(KID).own_band().expect("a band"), AgeBand::Child);
        assert!(world.at(KID).is_minor());
        assert_eq!(world.guardian_of(KID), "alice");
        assert_eq!(world.link_state(MUM, KID), Some(LinkState::Linked));
        assert!(world.errand(KID).is_none());
    }
    assert_eq!(world.notices(KID, "on protecting you as before"), 2, "each is told once");
    assert_eq!(world.notices(MUM, "keeps another age for this account now: child"), 1);
    assert!(!world.at(KID).is_doubted(AgeBand::Teen).expect("known"), "who looks after them is asked");
    tells(&mut world, KID, AgeBand::Child, true);

    // An act of the person's own counts, also if the answer to it was lost.
    world.core(KID).ask_for_band(Some(AgeBand::Teen)).expect("noted");
    tells(&mut world, KID, AgeBand::Teen, false);
    assert_eq!(
        (world.guardian_of(KID), world.at(KID).own_band().expect("a band")),
        (String::new(), AgeBand::Teen)
    );
    assert_eq!(world.link_state(MUM, KID), Some(LinkState::Over));
}

#[test]
fn a_proposal_that_nobody_agreed_to_tells_nothing_of_who_got_it() {
    type End = fn(&mut World);
    let ends: [End; 3] = [
        |world| {
            let mallory = world.account(MALLORY);
            world.core(KID).say_goodbye(&mallory).expect("nothing to say");
            world.blocks(KID, MALLORY);
        },
        |world| world.core(KID).step(|core| core.age_changed(AgeBand::Teen)).expect("changed"),
        |world| {
            let mallory = world.account(MALLORY);
            world.core(KID).unlink(&mallory).expect("turned down");
        },
    ];
    for (number, end) in ends.into_iter().enumerate() {
        let mut world = World::new();
        world.set_band(KID, AgeBand::Child);
        world.direct(MALLORY, KID);
        world.take_calls(KID);
        world.flush(KID);
        assert_eq!(world.links(MALLORY, KID), LinkState::WeAsk);
        assert_eq!(world.link_state(KID, MALLORY), Some(LinkState::TheyAsk));
        let before = world.items(MALLORY).len();
        end(&mut world);
        assert!(world.letters(KID).is_empty(), "way {number}: not a word, as from who never heard of it");
        assert_eq!(world.link_state(KID, MALLORY), None);
        assert_eq!(world.link_state(MALLORY, KID), Some(LinkState::WeAsk));
        assert_eq!(world.items(MALLORY).len(), before);
    }
}

#[test]
fn a_secret_that_was_shown_is_none_for_the_next_time() {
    let mut world = linked();
    let kid = world.account(KID);
    let first = world.secret(MUM, KID);
    world.core(MUM).unlink(&kid).expect("unlinked");
    world.flush(MUM);
    assert!(world.link_state(MUM, KID).is_none(), "nothing of it is kept");
    assert!(matches!(world.errand(KID), Some(Call::SetGuardian(call)) if call.hash.is_empty()));
    link(&mut world, MUM, KID);
    assert_ne!(world.secret(MUM, KID), first, "the child's device knows the first");
    // Blocking the child shows it too; without a chat in use it is not shown, and stays.
    let shown = world.secret(MUM, KID);
    world.core(MUM).say_goodbye(&kid).expect("said");
    world.blocks(MUM, KID);
    assert!(world.link_state(MUM, KID).is_none());
    let mut world = linked();
    let mum = world.account(MUM);
    let contact = world.at(KID).db.contact(&mum).expect("the database").expect("a contact");
    world.core(KID).say_goodbye(&mum).expect("said");
    world.flush(KID);
    world.core(KID).block(&contact).expect("blocked");
    assert_eq!(world.link_state(MUM, KID), Some(LinkState::Over));
    assert_ne!(world.secret(MUM, KID), shown, "the service still may have this one");
}

#[test]
fn the_guardian_is_asked_about_who_comes_into_an_allowed_group_later() {
    let mut world = World::new();
    world.set_band(KID, AgeBand::Child);
    world.direct(CAROL, KID);
    link(&mut world, CAROL, KID);
    let group = world.unaccepted_group("club", &[BOB]);
    world.accepts(KID, &group);
    world.answers(CAROL, KID, "club", true);
    assert_eq!(world.state(KID, &group), ConversationState::Open);
    let (mallory, club) = (world.account(MALLORY), world.chat(ALICE, &group));
    world.core(ALICE).want_add(&club, &[mallory]).expect("added");
    world.flush(ALICE);
    world.flush(KID);
    assert_eq!(world.state(KID, &group), ConversationState::Request);
    assert_eq!(world.told(CAROL, KID), [""; 0], "they see that the child is not in it now");
    assert_eq!(world.accepts(KID, &group), Some("carol".into()));
    let Asked::Group { people, .. } = &world.at(CAROL).waiting().expect("the database")[0].what else {
        panic!("a group")
    };
    assert_eq!(people, &["alice", "mallory"]);
    world.answers(CAROL, KID, "club", true);
    assert_eq!(world.state(KID, &group), ConversationState::Open);
}

#[test]
fn a_group_that_is_renamed_and_renamed_is_told_once() {
    let mut world = World::new();
    world.set_band(KID, AgeBand::Child);
    world.direct(CAROL, KID);
    link(&mut world, CAROL, KID);
    let group = world.unaccepted_group("club", &[BOB]);
    world.accepts(KID, &group);
    world.answers(CAROL, KID, "club", true);
    assert_eq!(world.told(CAROL, KID), ["club"]);
    for name in ["a", "b", "c"] {
        let chat = world.chat(ALICE, &group);
        world.core(ALICE).want_rename(&chat, name).expect("renamed");
        world.flush(ALICE);
        assert_eq!(world.chat(KID, &group).name, name);
        assert!(world.letters(KID).is_empty(), "{name}");
    }
    // With the next change of who or which, the name is told.
    world.leaves(KID, &group);
    world.flush(KID);
    assert_eq!(world.told(CAROL, KID), [""; 0]);
}

#[test]
fn whoever_deletes_their_account_is_nobodys_guardian() {
    let mut world = linked();
    let (mum, kid) = (world.account(MUM), world.account(KID));
    world.core(KID).step(|core| core.part_from(&mum)).expect("noted");
    world.core(MUM).step(|core| core.part_from(&kid)).expect("noted");
    assert_eq!((world.guardian_of(KID), world.told(MUM, KID).len()), (String::new(), 0));
    assert_eq!(world.link_state(MUM, KID), Some(LinkState::Over));
}

#[test]
fn a_step_that_fails_tells_the_guardian_nothing() {
    let mut world = linked();
    let carol = world.account(CAROL);
    let failed: crate::Result<()> = world.core(KID).step(|core| {
        core.ask_to_meet(&carol)?;
        core.db.set_accepted(&carol, true)?;
        Err(crate::Error::usage("failing", "on purpose", "nothing"))
    });
    assert!(failed.is_err() && world.letters(KID).is_empty());
    world.core(KID).step(|core| core.db.set_accepted(&carol, true)).expect("a contact");
    world.restart(KID);
    world.flush(KID);
    assert_eq!(world.told(MUM, KID), ["carol"]);
    assert!(world.core(KID).step(|_| Ok(())).is_ok() && world.letters(KID).is_empty(), "told once");
}
