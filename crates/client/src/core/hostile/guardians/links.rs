//! A link of child and guardian: who begins it, whom it is between, and how it ends.

use super::*;

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
fn whoever_deletes_their_account_is_nobodys_guardian() {
    let mut world = linked();
    let (mum, kid) = (world.account(MUM), world.account(KID));
    world.core(KID).step(|core| core.part_from(&mum)).expect("noted");
    world.core(MUM).step(|core| core.part_from(&kid)).expect("noted");
    assert_eq!((world.guardian_of(KID), world.told(MUM, KID).len()), (String::new(), 0));
    assert_eq!(world.link_state(MUM, KID), Some(LinkState::Over));
}
