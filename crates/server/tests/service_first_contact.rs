//! First contact: what is delivered, what is silently dropped, and that the sender cannot tell.

mod service_help;

use service_help::*;
use zegel_proto::{
    Address, Code, DeviceId, Token,
    v1::{self, AgeBand, client_frame as ask, entry::Body},
};
use zegel_safety::Policy;
use zegel_server::{clock::Now, config::Config, store::AccountState};

#[tokio::test]
async fn a_stranger_reaches_an_adult_and_no_minor() {
    let world = World::new().await;
    let mut stranger = world.adult("stranger").await;
    for (handle, band, reached) in [
        ("anna", AgeBand::Adult, true),
        ("tess", AgeBand::Teen, false),
        ("cody", AgeBand::Child, false),
        ("uma", AgeBand::Unknown, false),
    ] {
        let mut receiver = world.person(handle, band).await;
        let to = receiver.publish(1).await[0];
        introduces(&mut stranger, to, None).await;
        assert_eq!(is_introduction(&receiver.bodies().await), reached, "{handle}");
    }
}

#[tokio::test]
async fn the_sender_cannot_tell_dropped_from_delivered() {
    let world = World::new().await;
    let mut stranger = world.adult("stranger").await;
    let (mut adult, mut child) = (world.adult("adele").await, world.person("cody", AgeBand::Child).await);
    let devices = [stranger.device, adult.device, child.device, SINK];
    let (mut answers, mut grown) = (Vec::new(), Vec::new());
    for to in [adult.publish(1).await[0], child.publish(1).await[0]] {
        let before = size_of(&world, devices).await;
        let (group, answer) = introduces(&mut stranger, to, None).await;
        // What is sent afterwards goes the same way, and writes the address's row either way.
        let row = row_of(&world, to).await;
        let second = stranger.submit(group.says("are you there?", &[to])).await.expect("sent");
        answers.push((prost_len(&answer), prost_len(&second)));
        grown.push(size_of(&world, devices).await - before);
        let written = row_of(&world, to).await;
        assert!(written != row && written.len() == row.len());
    }
    assert_eq!(answers[0], answers[1]);
    assert_eq!(grown[0], grown[1], "as many entries of the same sizes are written");
    assert_eq!(adult.bodies().await.len(), 3);
    assert!(child.bodies().await.is_empty());
    assert_eq!(world.entries(SINK).await, 3);
    // Nor from what the stranger's own device gets.
    assert_eq!(stranger.bodies().await.len(), 4);
}

fn prost_len(answer: &v1::Submitted) -> usize {
    zegel_proto::Message::encoded_len(answer)
}

/// The row of an address; sealed anew whenever it is written.
async fn row_of(world: &World, address: Address) -> Vec<u8> {
    let hash = zegel_proto::address_hash(&address);
    world.read(move |tx| tx.address(&hash)).await.expect("a row")
}

/// Bytes of all entries that wait in these mailboxes.
async fn size_of(world: &World, devices: [DeviceId; 4]) -> usize {
    let read = world.read(move |tx| {
        let mut size = 0;
        for device in devices {
            let entries = tx.entries(&device, 0, 10_000, 1 << 30)?;
            size += entries.iter().map(|(_, entry)| entry.sealed.len()).sum::<usize>();
        }
        Ok(size)
    });
    read.await
}

#[tokio::test]
async fn a_contact_code_lets_a_friend_reach_a_child_once() {
    let world = World::new().await;
    let (mut friend, mut child) = (world.adult("friend").await, world.person("cody", AgeBand::Child).await);
    let addresses = child.publish(3).await;
    let token = child.leave_token().await;
    introduces(&mut friend, addresses[0], Some(token)).await;
    let bodies = child.bodies().await;
    assert!(is_introduction(&bodies));
    assert!(matches!(&bodies[0], Body::Introduction(i) if i.token == token.to_field()));
    // Used up, and an invented one is worth nothing.
    introduces(&mut friend, addresses[1], Some(token)).await;
    introduces(&mut friend, addresses[2], Some(Token::random())).await;
    assert_eq!(child.bodies().await.len(), 2);
}

#[tokio::test]
async fn one_code_brings_all_devices_of_its_owner_and_nobody_elses() {
    let world = World::new().await;
    let (mut friend, mut child) = (world.adult("friend").await, world.person("cody", AgeBand::Child).await);
    let (mut tablet, mut other) = (child.sibling(&world).await, world.person("olga", AgeBand::Child).await);
    let to = [child.publish(1).await[0], tablet.publish(1).await[0], other.publish(1).await[0]];
    let token = child.leave_token().await;
    let mut submit = Group::new().founds(&to, "hello");
    let welcome = submit.welcome.as_mut().expect("a founding commit");
    welcome.newcomers.iter_mut().for_each(|newcomer| newcomer.token = token.to_field());
    friend.submit(submit).await.expect("answered as sent");
    assert!(is_introduction(&child.bodies().await) && is_introduction(&tablet.bodies().await));
    assert!(other.bodies().await.is_empty());
    // In another submission it is used up.
    let again = tablet.publish(1).await[0];
    introduces(&mut friend, again, Some(token)).await;
    assert_eq!(tablet.bodies().await.len(), 2);
}

#[tokio::test]
async fn a_code_of_somebody_else_does_not_help() {
    let world = World::new().await;
    let (mut stranger, mut adult, mut child) = (
        world.adult("stranger").await,
        world.adult("adele").await,
        world.person("cody", AgeBand::Child).await,
    );
    let to = child.publish(1).await[0];
    let token = adult.leave_token().await;
    introduces(&mut stranger, to, Some(token)).await;
    assert!(child.bodies().await.is_empty());
    // It is still good where it belongs, and gone then although it was not needed.
    let addresses = adult.publish(2).await;
    introduces(&mut stranger, addresses[0], Some(token)).await;
    introduces(&mut stranger, addresses[1], Some(token)).await;
    let bodies = adult.bodies().await;
    assert!(is_introduction(&bodies));
    assert!(matches!(&bodies[0], Body::Introduction(i) if i.token == token.to_field()));
}

#[tokio::test]
async fn a_code_that_is_not_good_reaches_nobody_of_any_age() {
    let world = World::new().await;
    let mut pest = world.adult("pest").await;
    let mut dropped = Vec::new();
    for band in [AgeBand::Adult, AgeBand::Teen, AgeBand::Child, AgeBand::Unknown] {
        let mut receiver = world.person(&format!("band{}", band as i32), band).await;
        let addresses = receiver.publish(3).await;
        let used = receiver.leave_token().await;
        introduces(&mut pest, addresses[0], Some(used)).await;
        receiver.ack_all().await;
        for (to, token) in [(addresses[1], used), (addresses[2], Token::random())] {
            introduces(&mut pest, to, Some(token)).await;
        }
        dropped.push(receiver.bodies().await.is_empty());
    }
    assert_eq!(dropped, [true; 4]);
}

#[tokio::test]
async fn a_token_does_not_tell_that_somebody_declined() {
    let world = World::new().await;
    let mut pest = world.adult("pest").await;
    let mut still_good = Vec::new();
    for (name, declines) in [("anna", true), ("brit", false)] {
        let mut receiver = world.adult(name).await;
        let addresses = receiver.publish(2).await;
        introduces(&mut pest, addresses[0], None).await;
        if declines {
            let (addresses, declined) = (vec![addresses[0].to_field()], pest.account.to_field());
            let delete = v1::DeleteAddresses { addresses, declined };
            receiver.call(ask::Body::DeleteAddresses(delete)).await.expect("declined");
        }
        // Shown at the address that was used, it is as good afterwards as before.
        let token = receiver.leave_tokens(1, true).await[0];
        introduces(&mut pest, addresses[0], Some(token)).await;
        introduces(&mut pest, addresses[1], Some(token)).await;
        let shown = |body: &Body| matches!(body, Body::Introduction(i) if i.token == token.to_field());
        still_good.push(receiver.bodies().await.iter().any(shown));
    }
    assert_eq!(still_good, [true, true]);
}

#[tokio::test]
async fn a_code_stays_whose_it_was_and_nobody_is_told() {
    let world = World::new().await;
    let [mut alice, mut bob, mut pest] =
        [world.adult("alice").await, world.adult("bob").await, world.adult("pest").await];
    let token = alice.leave_token().await;
    // Asked again after a lost answer, and by who guessed it: both look alike.
    for person in [&mut alice, &mut bob] {
        person.call(put_tokens(&[token], false)).await.expect("as if it were left");
    }
    let (his, hers) = (bob.publish(1).await[0], alice.publish(1).await[0]);
    for (to, shown) in [(his, false), (hers, true)] {
        introduces(&mut pest, to, Some(token)).await;
        let receiver = if to == his { &bob } else { &alice };
        assert_eq!(is_introduction(&receiver.bodies().await), shown);
    }
    for bad in [
        v1::PutToken { token_hashes: vec![vec![1; 31].into()], connection: false },
        v1::PutToken::default(),
        v1::PutToken { token_hashes: (0..33).map(|n| vec![n; 32].into()).collect(), connection: true },
    ] {
        bob.refused(Code::BadRequest, ask::Body::PutToken(bad)).await;
    }
}

#[tokio::test]
async fn codes_and_tokens_are_good_for_the_days_of_the_rules() {
    let world = World::new().await;
    let (mut adult, mut child) = (world.adult("adele").await, world.person("cody", AgeBand::Child).await);
    let mut unknown = world.person("uma", AgeBand::Unknown).await;
    adult.leave_tokens(1, false).await;
    // Neither codes nor connection tokens tell of anybody's age.
    for minor in [&mut child, &mut unknown] {
        minor.leave_tokens(1, false).await;
    }
    for person in [&mut adult, &mut child] {
        person.leave_tokens(2, true).await;
    }
    let (today, rules) = (Now::get().day(), Policy::shipped());
    let [code, token] = [rules.codes.numbers.days, rules.tokens.numbers.days].map(|n| today + n);
    let raw = rusqlite::Connection::open(world.dir.path().join("data/zegel.db")).expect("opened");
    let mut days = raw.prepare("SELECT day FROM token ORDER BY day").expect("SQL");
    let days: Vec<u32> = days.query_map([], |row| row.get(0)).expect("rows").flatten().collect();
    assert_eq!(days, [code, code, code, token, token, token, token]);
    // On its last day a code is there, and the day after it goes.
    raw.execute("UPDATE token SET day = ?1 WHERE day = ?2", [today, code]).expect("SQL");
    raw.execute(
        "UPDATE token SET day = ?1 WHERE hash IN (SELECT hash FROM token WHERE day = ?2 LIMIT 2)",
        [today - 1, today],
    )
    .expect("SQL");
    world.service.sweep_once().await;
    let left: u32 = raw.query_row("SELECT count(*) FROM token", [], |row| row.get(0)).expect("a count");
    assert_eq!(left, 5);
}

#[tokio::test]
async fn a_block_holds_even_against_a_code_and_can_be_lifted() {
    let world = World::new().await;
    let (mut pest, mut alice) = (world.adult("pest").await, world.adult("alice").await);
    let addresses = alice.publish(3).await;
    alice.block(pest.account, false).await;
    let token = alice.leave_token().await;
    introduces(&mut pest, addresses[0], Some(token)).await;
    assert!(alice.bodies().await.is_empty());
    alice.block(pest.account, true).await;
    introduces(&mut pest, addresses[1], None).await;
    assert!(is_introduction(&alice.bodies().await));
    // The address that was used while blocked stays dropped.
    let mut group = Group::new();
    pest.submit(group.founds(&[addresses[0]], "again")).await.expect("sent");
    assert_eq!(alice.bodies().await.len(), 2);
}

#[tokio::test]
async fn a_restricted_account_reaches_no_stranger() {
    let world = World::new().await;
    let (mut pest, mut alice) = (world.adult("pest").await, world.adult("alice").await);
    let id = pest.account;
    world.write(move |tx| tx.set_account_state(&id, AccountState::Restricted, 0)).await;
    let to = alice.publish(1).await[0];
    introduces(&mut pest, to, None).await;
    assert!(alice.bodies().await.is_empty());
    // But its own devices.
    let mut phone = pest.sibling(&world).await;
    let to_phone = phone.publish(1).await[0];
    introduces(&mut pest, to_phone, None).await;
    assert!(is_introduction(&phone.bodies().await));
}

#[tokio::test]
async fn an_address_bound_by_its_owner_needs_no_introduction() {
    let world = World::new().await;
    let (mut friend, mut child) = (world.adult("friend").await, world.person("cody", AgeBand::Child).await);
    let mut group = Group::new();
    let to = child.bind(&group.id).await;
    friend.submit(group.adds(&[to], &[])).await.expect("added");
    assert!(matches!(child.bodies().await[..], [Body::Introduction(_)]));
}

#[tokio::test]
async fn an_unaccepted_address_takes_only_so_much() {
    let mut config = Config::default();
    config.limits.unaccepted_entries = 3;
    let world = World::with(config).await;
    let (mut pest, mut alice) = (world.adult("pest").await, world.adult("alice").await);
    let to = alice.publish(1).await[0];
    let (group, _) = introduces(&mut pest, to, None).await;
    for n in 0..5 {
        pest.submit(group.says(&format!("{n}"), &[to])).await.expect("sent");
    }
    assert_eq!(alice.bodies().await.len(), 2 + 3);
    assert_eq!(world.entries(SINK).await, 2);
    // Who accepts after all gets what comes from then on.
    alice.accept(&to, &group.id).await.expect("accepted");
    for n in 0..5 {
        pest.submit(group.says(&format!("{n}"), &[to])).await.expect("sent");
    }
    assert_eq!(alice.bodies().await.len(), 2 + 3 + 5);
}

#[tokio::test]
async fn being_added_again_and_again_is_too_much_as_well() {
    let mut config = Config::default();
    config.limits.unaccepted_entries = 3;
    let world = World::with(config).await;
    let (mut pest, mut alice) = (world.adult("pest").await, world.adult("alice").await);
    let to = alice.publish(1).await[0];
    let (mut group, _) = introduces(&mut pest, to, None).await;
    for _ in 0..5 {
        pest.submit(group.adds(&[to], &[])).await.expect("sent");
    }
    assert_eq!((alice.bodies().await.len(), world.entries(SINK).await), (2 + 3, 2));
}

#[tokio::test]
async fn only_the_owners_account_deletes_and_accepts() {
    let world = World::new().await;
    let (mut pest, mut alice) = (world.adult("pest").await, world.adult("alice").await);
    let to = alice.publish(1).await[0];
    let (group, _) = introduces(&mut pest, to, None).await;
    let delete = || {
        ask::Body::DeleteAddresses(v1::DeleteAddresses {
            addresses: vec![to.to_field()],
            declined: Default::default(),
        })
    };
    pest.call(delete()).await.expect("no error, no effect");
    assert_eq!(pest.accept(&to, &group.id).await.map_err(|e| e.code), Err(Code::NotFound as u32));
    let steal = v1::BindAddress { address: to.to_field(), tag: vec![1; 32].into() };
    pest.refused(Code::BadRequest, ask::Body::BindAddress(steal)).await;
    pest.submit(group.says("x", &[to])).await.expect("sent");
    assert_eq!(alice.bodies().await.len(), 3);
    // A sibling may do both.
    let mut phone = alice.sibling(&world).await;
    phone.accept(&to, &group.id).await.expect("accepted");
    phone.call(delete()).await.expect("deleted");
    pest.submit(group.says("y", &[to])).await.expect("sent");
    assert_eq!(alice.bodies().await.len(), 3);
}

#[tokio::test]
async fn a_last_resort_serves_many_conversations() {
    let world = World::new().await;
    let (mut one, mut two, mut alice) =
        (world.adult("one").await, world.adult("two").await, world.adult("alice").await);
    let to = alice.publish_last_resort().await;
    let (first, _) = introduces(&mut one, to, None).await;
    let (second, _) = introduces(&mut two, to, None).await;
    one.submit(first.says("a", &[to])).await.expect("sent");
    two.submit(second.says("b", &[to])).await.expect("sent");
    assert_eq!(alice.bodies().await.len(), 6);
    // An ordinary one serves the first only.
    let once = alice.publish(1).await[0];
    introduces(&mut one, once, None).await;
    introduces(&mut two, once, None).await;
    assert_eq!(alice.bodies().await.len(), 8);
}

#[tokio::test]
async fn a_code_is_kept_where_there_was_no_room_for_who_showed_it() {
    let mut config = Config::default();
    let strangers = &mut config.safety.strangers.numbers;
    (strangers.new_a_day, strangers.a_day) = (200, 200);
    let world = World::with(config).await;
    let [mut pest, mut friend] = [world.adult("pest").await, world.adult("friend").await];
    // Full of what was accepted, and but for one stranger.
    for (accepted, comes) in [(64, false), (63, true)] {
        let mut alice = world.adult(&format!("alice{accepted}")).await;
        let to = alice.publish_last_resort().await;
        for n in 0..64 {
            let (group, _) = introduces(&mut pest, to, None).await;
            if n < accepted {
                alice.accept(&to, &group.id).await.expect("accepted");
            }
        }
        alice.ack_all().await;
        let code = alice.leave_token().await;
        introduces(&mut friend, to, Some(code)).await;
        assert_eq!(is_introduction(&alice.bodies().await), comes);
        let elsewhere = alice.publish(1).await[0];
        alice.ack_all().await;
        introduces(&mut friend, elsewhere, Some(code)).await;
        assert_eq!(is_introduction(&alice.bodies().await), !comes, "it is good once");
    }
}

#[tokio::test]
async fn codes_and_tokens_are_taken_back_by_their_owner_only() {
    let world = World::new().await;
    let [mut alice, mut bob, mut pest] =
        [world.adult("alice").await, world.adult("bob").await, world.adult("pest").await];
    let tokens = alice.leave_tokens(2, true).await;
    let hashes = |tokens: &[Token]| {
        let hash = |token: &Token| bytes::Bytes::copy_from_slice(&zegel_proto::token_hash(&token.0));
        ask::Body::DropTokens(v1::DropTokens { token_hashes: tokens.iter().map(hash).collect() })
    };
    let addresses = alice.publish(2).await;
    // Another's, and one that nobody left: all look alike.
    let answers = [
        bob.call(hashes(&tokens)).await.expect("no error, no effect"),
        bob.call(hashes(&[Token::random()])).await.expect("no error"),
        alice.call(hashes(&tokens[..1])).await.expect("taken back"),
        alice.call(hashes(&tokens[..1])).await.expect("again is no error"),
    ];
    assert!(answers.iter().all(|answer| answer == &answers[0]));
    for (to, token) in addresses.into_iter().zip(&tokens) {
        introduces(&mut pest, to, Some(*token)).await;
    }
    let bodies = alice.bodies().await;
    assert!(is_introduction(&bodies));
    assert!(matches!(&bodies[0], Body::Introduction(i) if i.token == tokens[1].to_field()));
    // What was used stays used, though a stranger takes it back and its owner leaves it once more.
    pest.call(hashes(&tokens[1..])).await.expect("no error, no effect");
    world.service.sweep_once().await;
    alice.call(put_tokens(&tokens[1..], true)).await.expect("no error, no effect");
    let to = alice.publish(1).await[0];
    introduces(&mut bob, to, Some(tokens[1])).await;
    assert_eq!(alice.bodies().await.len(), bodies.len());
    for bad in [vec![], vec![vec![1; 31].into()], (0..33).map(|n| vec![n; 32].into()).collect()] {
        alice.refused(Code::BadRequest, ask::Body::DropTokens(v1::DropTokens { token_hashes: bad })).await;
    }
}
