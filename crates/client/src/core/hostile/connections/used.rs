//! Tokens that are passed on, and who comes with one.

use super::*;

#[test]
fn a_friend_who_passes_a_token_on_is_named_and_it_works_once() {
    let mut world = World::new();
    world.core(ALICE).set_own_band(v1::AgeBand::Child).expect("a band");
    world.befriend(ALICE, BOB);
    world.befriend(BOB, MALLORY);
    world.core(BOB).vouch("alice", "mallory").expect("vouched");
    let before = world.held(BOB, ALICE);
    world.flush(BOB);
    assert_eq!(world.held(MALLORY, ALICE), 1);
    assert!(world.shows(MALLORY, "bob vouches for you: you can write to alice"));
    let letter = world.introduction_to(MALLORY, ALICE);
    let token = token_in(&letter);
    assert_eq!(token.len(), 16, "it is shown by itself");
    world.deliver(&letter);
    let request = world.chat(ALICE, &letter.group);
    assert_eq!((request.state, request.intro.via), (ConversationState::Request, Some(world.account(BOB))));
    assert!(world.shows(ALICE, "bob passed a ticket to you on to them"));
    assert_eq!(world.held(MALLORY, ALICE), 0, "it is used up");
    assert_eq!(world.held(BOB, ALICE), before);
    // No other takes its place: as many as one friend may hold, so many may one friend pass on in their time.
    assert_eq!(world.calls(ALICE).len(), 0);
    world.core(ALICE).renew_tokens().expect("renewed");
    assert_eq!(world.calls(ALICE).len(), 0);

    // The same token again, and one that nobody was given: nobody stands for them.
    for stale in [token, vec![7; 16], vec![7; 3]] {
        let mut again = world.introduction_to(MALLORY, ALICE);
        again.submit.welcome.as_mut().expect("a Welcome").newcomers[0].token = stale.into();
        world.deliver(&again);
        let request = world.chat(ALICE, &again.group);
        assert_eq!((request.state, request.intro.via), (ConversationState::Request, None));
    }
}

#[test]
fn a_token_of_somebody_elses_accepts_nobody() {
    let mut world = World::new();
    world.befriend(ALICE, BOB);
    let stolen =
        world.at(BOB).db.token_of(&world.account(ALICE), true, 0).expect("the database").expect("one");
    // Mallory shows it to somebody whose it is not, and then to its owner.
    for (owner, via) in [(CAROL, None), (ALICE, Some(world.account(BOB)))] {
        let mut letter = world.introduction_to(MALLORY, owner);
        letter.submit.welcome.as_mut().expect("a Welcome").newcomers[0].token = stolen.token.to_field();
        world.deliver(&letter);
        let request = world.chat(owner, &letter.group);
        assert_eq!((request.state, request.intro.via), (ConversationState::Request, via));
    }
    // Whom one blocked vouches for nobody.
    world.at(BOB).db.drop_token(&world.account(ALICE), &stolen.token).expect("dropped");
    let more = world.at(BOB).db.token_of(&world.account(ALICE), true, 0).expect("the database").expect("one");
    let bob = world.at(ALICE).db.contact_by_handle("bob").expect("the database").expect("bob");
    world.core(ALICE).block(&bob).expect("blocked");
    let mut letter = world.introduction_to(MALLORY, ALICE);
    letter.submit.welcome.as_mut().expect("a Welcome").newcomers[0].token = more.token.to_field();
    world.deliver(&letter);
    assert_eq!(world.state(ALICE, &letter.group), ConversationState::Declined);
}

#[test]
fn a_friend_who_comes_with_a_token_gets_another_when_it_is_time() {
    let mut world = World::new();
    world.befriend(ALICE, BOB);
    let held = world.held(ALICE, BOB);
    let bob = world.account(BOB);
    let packages = world.packages(&[bob]);
    world.core(ALICE).found_group("club", &[bob], &packages).expect("founded");
    let letter = world.letters(ALICE).pop().expect("a letter");
    assert_eq!(token_in(&letter).len(), 16);
    assert!(world.at(ALICE).db.token_of(&bob, false, 0).expect("the database").is_some(), "others are left");
    world.deliver(&letter);
    assert_eq!(world.held(ALICE, BOB), held - 1);
    assert_eq!(world.state(BOB, &letter.group), ConversationState::Open);
    // Neither when it was used nor soon after: she would learn from it that his device was there, and let her come.
    for _ in 0..5 {
        world.core(BOB).renew_tokens().expect("renewed");
        assert!(world.calls(BOB).is_empty());
        wait(3_600_000 / 60);
    }
    wait(2 * DAY_MS);
    world.core(BOB).renew_tokens().expect("renewed");
    assert_eq!(world.calls(BOB).len(), 1);
    world.flush(BOB);
    assert_eq!((world.held(ALICE, BOB), world.given(BOB, ALICE)), (held, held));
    // Once a day at most, however many she uses.
    let token = world.at(ALICE).db.token_of(&bob, true, 0).expect("the database").expect("one");
    world
        .core(BOB)
        .step(|core| core.shown_token(&token.token.0, &core.db.given_to(&token.token.0)?.expect("hers")))
        .expect("shown");
    world.core(BOB).renew_tokens().expect("renewed");
    assert!(world.calls(BOB).is_empty());
}

#[test]
fn what_somebody_passed_on_never_takes_the_place_of_what_its_owner_gave() {
    let mut world = World::new();
    let with_bob = world.befriend(ALICE, BOB);
    world.befriend(ALICE, CAROL);
    let (bob, carol, mallory) = (world.account(BOB), world.account(CAROL), world.account(MALLORY));
    let today = world.at(ALICE).today();
    let poison = |of: zegel_proto::AccountId| Tokens { of: of.0, last_day: today, tokens: vec![[0; 16]] };
    world.say_tokens(BOB, &with_bob, &poison(carol));
    let held = world.held(ALICE, CAROL);
    let mut left = held;
    while left > 1 {
        let letter = {
            let packages = world.packages(&[carol]);
            world.core(ALICE).found_group("club", &[carol], &packages).expect("founded");
            world.letters(ALICE).pop().expect("a letter")
        };
        assert_ne!(token_in(&letter), [0; 16], "hers come first");
        world.deliver(&letter);
        left -= 1;
        assert_eq!(world.held(ALICE, CAROL), left);
    }
    // We talk to her: better none than one that may be good for nothing.
    assert!(!world.at(ALICE).holds_token_of(&carol).expect("known"));
    // To whom we do not, we come with what we have, and what is said of it does not matter.
    assert!(!world.at(ALICE).holds_token_of(&mallory).expect("known"));
    world.say_tokens(BOB, &with_bob, &poison(mallory));
    assert!(world.at(ALICE).holds_token_of(&mallory).expect("known"));
    assert_eq!(world.held(ALICE, BOB), world.at(BOB).policy().tokens.numbers.per_friend, "{bob:?}");
}

#[test]
fn what_a_blocked_friend_holds_or_passed_on_is_taken_back() {
    let mut world = World::new();
    let group = world.direct(ALICE, BOB);
    let left = world.calls(ALICE);
    world.flush(ALICE);
    assert_eq!(world.held(BOB, ALICE) as usize, left.len());
    world.blocks(ALICE, BOB);
    let mut back: Vec<[u8; 32]> = Vec::new();
    for call in world.take_calls(ALICE) {
        if let v1::client_frame::Body::DropTokens(drop) = call {
            back.extend(
                drop.token_hashes.iter().map(|hash| <[u8; 32]>::try_from(hash.as_ref()).expect("a hash")),
            );
        }
    }
    let (mut left, mut back) = (left, back);
    left.sort_unstable();
    back.sort_unstable();
    assert_eq!(left, back);
    assert_eq!(world.given(ALICE, BOB), 0, "should they come back they get others");
    assert_eq!(world.state(ALICE, &group), ConversationState::Over);
}

#[test]
fn who_comes_with_a_token_of_its_last_day_is_known_as_long_as_the_mail_is_kept() {
    let mut world = World::new();
    world.befriend(ALICE, BOB);
    let alice = world.account(ALICE);
    let today = world.at(ALICE).today();
    let mut letters = Vec::new();
    for (days, named) in [(0, true), (28, true), (29, false)] {
        let held = world.at(BOB).db.token_of(&alice, true, 0).expect("the database").expect("one");
        world.at(BOB).db.drop_token(&alice, &held.token).expect("dropped");
        let mut letter = world.introduction_to(MALLORY, ALICE);
        letter.submit.welcome.as_mut().expect("a Welcome").newcomers[0].token = held.token.to_field();
        letters.push((held.last_day + days, named, letter));
    }
    for (day, named, letter) in letters {
        let now = world.at(ALICE).today();
        wait(DAY_MS * u64::from(day - now));
        world.core(ALICE).renew_tokens().expect("renewed");
        world.deliver(&letter);
        let via = world.chat(ALICE, &letter.group).intro.via;
        assert_eq!(via, named.then_some(world.account(BOB)), "{} days later", day - today);
    }
}

#[test]
fn refused_bytes_have_used_no_token() {
    let mut world = World::new();
    world.befriend(ALICE, BOB);
    let group = world.group("club", &[CAROL]);
    let (bob, held) = (world.account(BOB), world.held(ALICE, BOB));
    let chat = world.chat(ALICE, &group);
    let [row] = world.core(ALICE).want_add(&chat, &[bob]).expect("wanted")[..] else { panic!("one row") };
    let shown = |world: &mut World| token_in(&world.letters(ALICE).pop().expect("a letter"));
    let first = shown(&mut world);
    let other = world.at(ALICE).db.token_of(&bob, false, 0).expect("the database").expect("another");
    assert_ne!(other.token.0, first.as_slice(), "what is on its way is not shown twice");
    world.core(ALICE).note_refused(row, None).expect("noted");
    assert_eq!(world.held(ALICE, BOB), held);
    assert_eq!(shown(&mut world), first, "it is shown again");
    let letter = world.letters(ALICE).pop().expect("a letter");
    world.deliver(&letter);
    assert_eq!(world.held(ALICE, BOB), held - 1);
}
