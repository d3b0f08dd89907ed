//! Tokens that friends give each other, and renew.

use super::*;

#[test]
fn friends_hold_each_others_tokens_whatever_their_age() {
    for band in [v1::AgeBand::Adult, v1::AgeBand::Child] {
        let mut world = World::new();
        world.core(ALICE).set_own_band(band).expect("a band");
        let per_friend = world.at(ALICE).policy().tokens.numbers.per_friend;
        world.direct(ALICE, BOB);
        for (owner, friend) in [(ALICE, BOB), (BOB, ALICE)] {
            // They are sent once the service knows them.
            world.flush(owner);
            assert_eq!((world.given(owner, friend), world.held(friend, owner)), (per_friend, 0));
            let left = world.calls(owner);
            assert_eq!(left.len(), per_friend as usize);
            world.flush(owner);
            assert_eq!(world.held(friend, owner), per_friend);
            let held = world.at(friend).db.token_of(&world.account(owner), true, 0).expect("the database");
            assert!(
                left.contains(&token_hash(&held.expect("a token").token.0)),
                "what they hold is what was left"
            );
        }
        let silent =
            |who| world.items(who).iter().all(|item| matches!(item.kind, ItemKind::Text | ItemKind::Notice));
        assert!(silent(ALICE) && silent(BOB));
        let said = world.lines(BOB, ItemKind::Text).len() + world.lines(ALICE, ItemKind::Text).len();
        assert_eq!(said, 2, "giving tokens shows nothing");
    }
}

#[test]
fn a_crash_neither_loses_nor_doubles_tokens() {
    let mut world = World::new();
    world.direct(ALICE, BOB);
    let per_friend = world.at(ALICE).policy().tokens.numbers.per_friend;
    for _ in 0..3 {
        world.restart(BOB);
        world.flush(BOB);
        assert_eq!(world.held(ALICE, BOB), 0, "the service does not know them yet");
    }
    assert_eq!(world.calls(BOB).len(), per_friend as usize);
    world.restart(BOB);
    world.core(BOB).renew_tokens().expect("renewed");
    world.flush(BOB);
    world.restart(BOB);
    world.core(BOB).renew_tokens().expect("renewed");
    assert!(world.calls(BOB).is_empty(), "nothing is given twice");
    assert_eq!(world.held(ALICE, BOB), per_friend);
}

#[test]
fn the_time_of_fresh_tokens_is_drawn_and_differs() {
    let mut world = World::new();
    world.befriend(ALICE, BOB);
    let bob = world.account(BOB);
    let tomorrow = (u64::from(world.at(ALICE).today()) + 1) * DAY_MS;
    let key = format!("turn of {}", bob.to_hex());
    let mut drawn = std::collections::HashSet::new();
    for _ in 0..16 {
        world.core(ALICE).step(|core| core.set_turn(&bob)).expect("drawn");
        let turn = world.at(ALICE).db.meta(&key).expect("the database").expect("a turn");
        let turn = u64::from_be_bytes(turn.try_into().expect("a time"));
        assert!((tomorrow..tomorrow + DAY_MS).contains(&turn));
        assert!(!world.at(ALICE).is_their_turn(&bob).expect("known"));
        drawn.insert(turn / 60_000);
    }
    assert!(drawn.len() > 8, "{drawn:?}");
}

#[test]
fn nobody_claims_tokens_of_a_third_person_or_floods_us() {
    let mut world = World::new();
    let chat = world.befriend(ALICE, BOB);
    world.befriend(ALICE, CAROL);
    let (alice, bob, carol) = (world.account(ALICE), world.account(BOB), world.account(CAROL));
    let last_day = world.at(ALICE).today() + 9;
    let carols = world.at(ALICE).db.token_of(&carol, true, 0).expect("the database").expect("one").token;
    let tokens = |of: [u8; 16], tokens: Vec<[u8; 16]>| Tokens { of, last_day, tokens };
    // Bob calls Carol's token his own: Carol's stays hers.
    let (of_bob, of_carol) = (world.held(ALICE, BOB), world.held(ALICE, CAROL));
    world.say_tokens(BOB, &chat, &tokens(bob.0, vec![carols.0]));
    assert_eq!((world.held(ALICE, BOB), world.held(ALICE, CAROL)), (of_bob + 1, of_carol));
    let still = world.at(ALICE).db.token_of(&carol, true, 0).expect("the database").expect("one").token;
    assert_eq!(still.0, carols.0);
    // He passes on what he says is Carol's: it is no token from her, and is not passed on.
    world.say_tokens(BOB, &chat, &tokens(carol.0, vec![[3; 16]]));
    assert_eq!(world.held(ALICE, CAROL), of_carol + 1);
    for _ in 0..of_carol {
        let own = world.at(ALICE).db.token_of(&carol, true, 0).expect("the database").expect("hers");
        world.at(ALICE).db.drop_token(&carol, &own.token).expect("dropped");
    }
    assert!(world.at(ALICE).db.token_of(&carol, true, 0).expect("the database").is_none());
    assert!(world.core(ALICE).vouch("carol", "bob").is_err());
    // Our own, over ones, and ones that are good for ever.
    world.say_tokens(BOB, &chat, &tokens(alice.0, vec![[4; 16]]));
    assert_eq!(world.held(ALICE, ALICE), 0);
    world.say_tokens(BOB, &chat, &Tokens { last_day: 1, ..tokens([9; 16], vec![[5; 16]]) });
    world.say_tokens(BOB, &chat, &Tokens { last_day: u32::MAX, ..tokens([8; 16], vec![[6; 16]]) });
    let count = |world: &World, sql: &str| -> u32 {
        world.at(ALICE).db.conn().query_row(sql, [], |row| row.get(0)).expect("a count")
    };
    assert_eq!(
        count(&world, "SELECT count(*) FROM friend_token WHERE owner = x'09090909090909090909090909090909'"),
        0
    );
    assert_eq!(count(&world, "SELECT max(last_day) FROM friend_token"), world.at(ALICE).today() + 366);
    // Ten thousand, of himself and of people he invents.
    let core_chat = world.chat(ALICE, &chat);
    let core = world.core(ALICE);
    core.step(|core| {
        for number in 0..625_u32 {
            let some: Vec<[u8; 16]> = (0..16).map(|_| Token::random().0).collect();
            let of = if number % 2 == 0 { bob.0 } else { Token::random().0 };
            core.take_tokens(&core_chat, &bob, &Tokens { of, last_day, tokens: some })?;
        }
        Ok(())
    })
    .expect("taken");
    assert_eq!(world.held(ALICE, BOB), 32);
    assert!(count(&world, "SELECT count(*) FROM friend_token") <= 32 + 64 + of_carol);
    world.assert_talk(&chat, &[ALICE, BOB]);
}

#[test]
fn tokens_count_only_in_a_chat_of_two_that_is_wanted() {
    let mut world = World::new();
    let group = world.group("club", &[BOB]);
    let last_day = world.at(ALICE).today() + 9;
    let bobs = Tokens { of: world.account(BOB).0, last_day, tokens: vec![[1; 16]] };
    world.say_tokens(BOB, &group, &bobs);
    assert_eq!(world.held(ALICE, BOB), 0);
    assert!(
        world.lines(ALICE, ItemKind::Unsupported).is_empty()
            && world.lines(ALICE, ItemKind::Hidden).is_empty()
    );
    // Of who waits for our answer, their own are kept; what they say is somebody else's is not.
    let letter = world.introduction_to(MALLORY, ALICE);
    world.deliver(&letter);
    let request = world.chat(ALICE, &letter.group);
    let (mallory, carol) = (world.account(MALLORY), world.account(CAROL));
    for (of, from) in [(mallory, mallory), (carol, mallory), (carol, carol)] {
        let tokens = Tokens { of: of.0, last_day, tokens: vec![[2; 16]] };
        world.core(ALICE).step(|core| core.take_tokens(&request, &from, &tokens)).expect("taken");
    }
    assert_eq!((world.held(ALICE, MALLORY), world.held(ALICE, CAROL)), (1, 0));
    // Of who was blocked, what they passed on goes; and nothing of theirs is taken.
    world.core(ALICE).accept(&request).expect("accepted");
    let say = |world: &mut World, of: zegel_proto::AccountId, token: u8| {
        let tokens = Tokens { of: of.0, last_day, tokens: vec![[token; 16]] };
        world.core(ALICE).step(|core| core.take_tokens(&request, &mallory, &tokens)).expect("taken");
        (world.held(ALICE, MALLORY), world.held(ALICE, CAROL))
    };
    assert_eq!(say(&mut world, carol, 3), (1, 1));
    let contact = world.at(ALICE).db.contact(&mallory).expect("the database").expect("mallory");
    world.core(ALICE).block(&contact).expect("blocked");
    assert_eq!((world.held(ALICE, MALLORY), world.held(ALICE, CAROL)), (1, 0));
    assert_eq!(say(&mut world, mallory, 4), (1, 0));
    assert_eq!(say(&mut world, carol, 5), (1, 0));
}

#[test]
fn tokens_are_renewed_before_they_end_and_forgotten_after() {
    let mut world = World::new();
    let chat = world.befriend(ALICE, BOB);
    let numbers = world.at(ALICE).policy().tokens.numbers;
    world.core(ALICE).renew_tokens().expect("renewed");
    assert!(world.calls(ALICE).is_empty(), "they are fresh");
    wait(DAY_MS * u64::from(numbers.days - 10));
    world.core(ALICE).renew_tokens().expect("renewed");
    assert_eq!(world.calls(ALICE).len(), numbers.per_friend as usize);
    world.flush(ALICE);
    world.core(ALICE).renew_tokens().expect("renewed");
    assert!(world.calls(ALICE).is_empty(), "once");
    assert_eq!(world.held(BOB, ALICE), 2 * numbers.per_friend);
    wait(DAY_MS * 11);
    world.core(BOB).renew_tokens().expect("renewed");
    assert_eq!(world.held(BOB, ALICE), numbers.per_friend);
    world.assert_talk(&chat, &[ALICE, BOB]);
}

/// A service that wants no more tokens now.
struct Full;

impl Link for Full {
    async fn call(
        &self,
        doing: &'static str,
        body: v1::client_frame::Body,
    ) -> Result<v1::server_frame::Body> {
        match body {
            v1::client_frame::Body::PutToken(_) => refusal(doing, Code::RateLimited),
            _ => Ok(v1::server_frame::Body::Done(v1::Done::default())),
        }
    }
}

#[test]
fn too_many_tokens_keep_no_block_back() {
    let mut world = World::new();
    world.direct(ALICE, BOB);
    world.stop(BOB);
    let core = super::super::world::open(&world.folder.path().join("bob"));
    core.db.retry_calls().expect("the database");
    let alice = core.db.contact_by_handle("alice").expect("the database").expect("alice");
    let shared = Shared::new(core);
    shared.core().block(&alice).expect("blocked");
    world.runtime.block_on(send_calls(&shared, &Full)).expect("sent");
    let mut core = shared.core();
    assert!(core.db.next_call().expect("the database").is_none(), "the block went out");
    assert!(core.settled().expect("settled"), "and nobody waits for tokens");
    core.db.retry_calls().expect("the database");
    let (_, body) = core.db.next_call().expect("the database").expect("the tokens");
    assert!(matches!(body, v1::client_frame::Body::PutToken(_)), "they are tried again");
}

#[test]
fn what_holds_tokens_waits_in_the_outbox_and_keeps_nothing_back() {
    let mut world = World::new();
    let chat = world.direct(ALICE, BOB);
    world.assert_talk(&chat, &[ALICE, BOB]);
    let waiting = world.at(ALICE).db.outbox().expect("the database");
    assert!(matches!(waiting[..], [ref row] if matches!(row.intent, Intent::Tokens { .. })
        && row.state == OutboxState::Wanted));
    let submit = v1::Submit::decode(waiting[0].submit.as_slice()).expect("none yet");
    assert!(submit.message.is_empty());
}

#[test]
fn what_the_service_wants_later_is_kept_and_waited_for_by_nobody() {
    let mut world = World::new();
    world.direct(ALICE, CAROL);
    world.calls(ALICE);
    world.flush(ALICE);
    let bob = world.account(BOB);
    let packages = world.packages(&[bob]);
    let [row] = world.core(ALICE).found_group("club", &[bob], &packages).expect("founded")[..] else {
        panic!("one row")
    };
    world.calls(ALICE);
    let group = world.at(ALICE).db.conversations().expect("a list").pop().expect("a group");
    world.core(ALICE).say(&group, "behind it").expect("said");
    assert!(!world.core(ALICE).settled().expect("known"));
    world.core(ALICE).note_put_off(row, u64::MAX).expect("noted");
    world.restart(ALICE);
    assert!(world.letters(ALICE).is_empty(), "what follows stays behind it");
    assert!(world.core(ALICE).settled().expect("known"), "nobody waits for it");
    wait(DAY_MS);
    world.flush(ALICE);
    assert_eq!(world.state(BOB, &group.group), ConversationState::Request);
    let request = world.chat(BOB, &group.group);
    world.core(BOB).accept(&request).expect("accepted");
    assert!(world.shows(BOB, "behind it"));
}
