//! The real program and its sockets: opening, refusing, delivering, ending.

mod process;

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use futures_util::SinkExt;
use process::{Client, Group, Person, Place, Server, WIDE, code_of, raw};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::{Bytes, Message};
use zegel_proto::{
    Code, MAX_FRAME, Message as _,
    v1::{self, client_frame as ask, server_frame as tell},
};

async fn start_with(people: &[&Person]) -> (Place, Server) {
    let place = Place::new();
    let server = place.start();
    for person in people {
        person.register(&server).await;
    }
    (place, server)
}

#[tokio::test]
async fn says_that_it_is_ready_healthy_and_counts() {
    let alice = Person::new("alice");
    let (_place, server) = start_with(&[&alice]).await;
    assert_eq!(server.scheme, "http");
    assert_eq!(server.get("/healthz"), (200, "ok\n".into()));
    let (_client, _) = alice.connect(&server).await;
    let (status, metrics) = server.get("/metrics");
    assert_eq!(status, 200);
    for line in ["zegel_connections 1", "zegel_devices_connected 1", "zegel_accounts 1"] {
        assert!(metrics.lines().any(|l| l == line), "{line} in\n{metrics}");
    }
    assert!(metrics.contains("zegel_calls_total{call=\"register\"} 1"), "{metrics}");
    assert!(!metrics.contains("alice") && !metrics.contains("127.0.0.1"), "{metrics}");
    assert_eq!(server.get("/v1/socket").0, 426);
    assert_eq!(server.get("/nothing").0, 404);
    server.stop();
}

#[tokio::test]
async fn goes_on_after_a_restart() {
    let alice = Person::new("alice");
    let (place, server) = start_with(&[&alice]).await;
    let (mut client, before) = alice.connect(&server).await;
    Group::found(&mut client).await;
    server.signal("-TERM");
    assert_eq!(client.ending().await, Code::GoingAway);
    assert_eq!(server.wait().code(), Some(0));

    let server = place.start();
    let (mut client, after) = alice.connect(&server).await;
    assert_eq!((after.first_seq, after.next_seq), (before.next_seq, before.next_seq + 1));
    assert_eq!(client.numbers(1).await, [before.next_seq]);
    server.signal("-INT");
    assert_eq!(server.wait().code(), Some(0));
}

#[tokio::test]
async fn stopping_answers_what_was_asked() {
    let alice = Person::new("alice");
    let (_place, server) = start_with(&[&alice]).await;
    let (mut client, _) = alice.connect(&server).await;
    let group = Group::found(&mut client).await;
    let mut asked = 0;
    for _ in 0..50 {
        client.send(group.submit(&[], 1000)).await;
        asked += 1;
    }
    // The first answer shows that the calls are on their way in.
    let mut answered = 0;
    while let Some((call, body)) = client.frame().await {
        match body {
            tell::Body::Submitted(_) if call != 0 => answered += 1,
            tell::Body::Deliver(_) => {}
            tell::Body::Error(error) => assert_eq!(Code::from_wire(error.code), Code::GoingAway),
            other => panic!("{other:?}"),
        }
        if answered == 1 {
            server.signal("-TERM");
        }
    }
    assert!(answered >= 1 && answered <= asked);
    assert_eq!(server.wait().code(), Some(0));
}

#[tokio::test]
async fn what_is_no_frame_ends_the_connection_with_a_code() {
    let place = Place::new();
    let server = place.start();

    let mut client = Client::on(raw(&server).await);
    client.send_frame(vec![0xff; 100]).await;
    assert_eq!(client.ending().await, Code::BadRequest);

    let mut client = Client::on(raw(&server).await);
    client.send_message(Message::Text("hello".into())).await;
    assert_eq!(client.ending().await, Code::BadRequest);

    // A stranger may send 64 KiB.
    let mut client = Client::on(raw(&server).await);
    client.send_frame(vec![0; (64 << 10) + 1]).await;
    assert_eq!(client.ending().await, Code::TooLarge);

    let mut client = Client::on(raw(&server).await);
    client.send_frame(vec![0; 8 << 20]).await;
    assert_eq!(client.ending().await, Code::TooLarge);

    // A call that this server does not know leaves the connection as it was.
    let (mut client, _) = Client::greeted(&server).await;
    client.send_frame(v1::ClientFrame { call: 7, body: None }.encode_to_vec()).await;
    assert_eq!(
        client.frame().await.map(|(call, body)| (call, code_of(&body))),
        Some((7, Some(Code::BadRequest)))
    );
    let person = Person::new("still-here");
    assert!(matches!(client.call(person.registration("")).await, tell::Body::Promised(_)));
    server.stop();
}

#[tokio::test]
async fn a_device_may_send_the_largest_frame_and_no_more() {
    let alice = Person::new("alice");
    let (_place, server) = start_with(&[&alice]).await;
    let (mut client, _) = alice.connect(&server).await;
    let group = Group::found(&mut client).await;
    let large = client.call(group.submit(&[], MAX_FRAME - 1000)).await;
    assert!(matches!(large, tell::Body::Submitted(_)), "{:?}", code_of(&large));
    client.send_frame(vec![0; MAX_FRAME + 1]).await;
    assert_eq!(client.ending().await, Code::TooLarge);
    server.stop();
}

#[tokio::test]
async fn versions_order_and_authentication_are_kept() {
    let alice = Person::new("alice");
    let (_place, server) = start_with(&[&alice]).await;

    let mut client = Client::on(raw(&server).await);
    let hello = v1::Hello { versions: vec![2, 77], ..Default::default() };
    let answer = client.call(ask::Body::Hello(hello)).await;
    assert_eq!(code_of(&answer), Some(Code::Version));

    let (mut client, hello) = Client::greeted(&server).await;
    let answer = client.call(ask::Body::FetchHolding(v1::FetchHolding {})).await;
    assert_eq!(code_of(&answer), Some(Code::NotAuthenticated));
    let group = Group::found_nowhere();
    let answer = client.call(group.submit(&[], 10)).await;
    assert_eq!(code_of(&answer), Some(Code::NotAuthenticated));
    // A wrong proof is refused, and a right one still taken.
    let answer = client.call(Person::new("mallory").proof(&hello)).await;
    assert_eq!(code_of(&answer), Some(Code::AuthFailed));
    let (mut client, _) = alice.authenticate(client, hello.clone()).await;
    let answer = client.call(alice.proof(&hello)).await;
    assert_eq!(code_of(&answer), Some(Code::BadRequest));
    server.stop();
}

#[tokio::test]
async fn who_does_not_authenticate_is_put_out() {
    let place = Place::new();
    place.configure(&format!("{WIDE}authenticate_seconds = 1\n"));
    let server = place.start();
    let asked = Instant::now();
    let (mut client, _) = Client::greeted(&server).await;
    assert_eq!(client.ending().await, Code::NotAuthenticated);
    assert!(asked.elapsed() < Duration::from_secs(5));
    server.stop();
}

#[tokio::test]
async fn the_newer_connection_of_a_device_takes_over() {
    let alice = Person::new("alice");
    let (_place, server) = start_with(&[&alice]).await;
    let (mut older, _) = alice.connect(&server).await;
    let (mut newer, at) = alice.connect(&server).await;
    assert_eq!(older.ending().await, Code::Replaced);
    Group::found(&mut newer).await;
    assert_eq!(newer.numbers(1).await, [at.next_seq]);
    server.stop();
}

#[tokio::test]
async fn calls_sent_together_are_stored_in_their_order() {
    let alice = Person::new("alice");
    let (_place, server) = start_with(&[&alice]).await;
    let (mut client, at) = alice.connect(&server).await;
    let group = Group::found(&mut client).await;
    let mut calls = Vec::new();
    for _ in 0..200 {
        calls.push(client.send(group.submit(&[], 500)).await);
    }
    let (mut stamps, mut numbers) = (Vec::new(), client.kept_numbers());
    while stamps.len() < calls.len() || numbers.len() < 1 + calls.len() {
        match client.frame().await.expect("answers and deliveries") {
            (0, tell::Body::Deliver(deliver)) => numbers.extend(deliver.entries.iter().map(|e| e.seq)),
            (call, tell::Body::Submitted(answer)) => stamps.push((call, answer.stamps[0].context.clone())),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(numbers, (at.next_seq..=at.next_seq + 200).collect::<Vec<_>>());
    stamps.sort_by_key(|(call, _)| *call);
    let places: Vec<u64> = stamps.iter().map(|(_, context)| process::place_in(context)).collect();
    assert!(places.windows(2).all(|pair| pair[1] == pair[0] + 1), "{places:?}");
    server.stop();
}

#[tokio::test]
async fn hour_keys_come_once_and_everything_comes_again_until_acknowledged() {
    let alice = Person::new("alice");
    let (_place, server) = start_with(&[&alice]).await;
    let (mut client, at) = alice.connect(&server).await;
    let group = Group::found(&mut client).await;
    let mut keys = 0;
    let mut entries = Vec::new();
    for _ in 0..3 {
        client.call(group.submit(&[], 100)).await;
    }
    while entries.len() < 4 {
        let deliver = client.delivered().await;
        keys += deliver.hour_keys.len();
        entries.extend(deliver.entries.into_iter().map(|e| (e.seq, e.hour_key)));
    }
    // An hour may have turned meanwhile.
    assert!((1..=2).contains(&keys), "{keys}");
    client.close().await;

    let (mut client, again) = alice.connect(&server).await;
    assert_eq!(again.first_seq, at.next_seq);
    assert_eq!(client.numbers(4).await, (at.next_seq..at.next_seq + 4).collect::<Vec<_>>());
    client.send(ask::Body::Ack(v1::Ack { seq: at.next_seq + 2 })).await;
    client.call(ask::Body::FetchHolding(v1::FetchHolding {})).await;
    client.close().await;
    let (mut client, last) = alice.connect(&server).await;
    assert_eq!(last.first_seq, at.next_seq + 3);
    assert_eq!(client.numbers(1).await, [at.next_seq + 3]);
    server.stop();
}

/// (That it costs the server little is the hub's to bound, and tested there.)
#[tokio::test]
async fn a_slow_reader_holds_nobody_up_and_misses_nothing() {
    const MESSAGES: usize = 600;
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let (_place, server) = start_with(&[&alice, &bob]).await;
    let (mut sender, _) = alice.connect(&server).await;
    let (mut reader, at) = bob.connect(&server).await;
    let group = Group::found(&mut sender).await;
    let address = group.address_of(&mut reader).await;
    // 60 kB each: more than sockets and hub hold for Bob, who does not read.
    for _ in 0..MESSAGES / 50 {
        let mut calls = HashSet::new();
        for _ in 0..50 {
            calls.insert(sender.send(group.submit(&[address], 60_000)).await);
        }
        while !calls.is_empty() {
            match sender.frame().await.expect("answers") {
                (0, _) => {}
                (call, tell::Body::Submitted(_)) => assert!(calls.remove(&call)),
                (_, other) => panic!("{other:?}"),
            }
        }
    }
    let numbers = reader.numbers(MESSAGES).await;
    assert_eq!(numbers, (at.next_seq..at.next_seq + MESSAGES as u64).collect::<Vec<_>>());
    // And live again afterwards.
    sender.call(group.submit(&[address], 100)).await;
    assert_eq!(reader.numbers(1).await, [at.next_seq + MESSAGES as u64]);
    server.stop();
}

#[tokio::test]
async fn a_ping_is_answered_and_half_a_frame_waits() {
    let place = Place::new();
    let server = place.start();
    let mut socket = raw(&server).await;
    socket.send(Message::Ping(Bytes::from_static(b"there?"))).await.expect("sent");
    use futures_util::StreamExt;
    let pong = socket.next().await.expect("an answer").expect("a frame");
    assert_eq!(pong, Message::Pong(Bytes::from_static(b"there?")));
    sleep(Duration::from_millis(50)).await;
    socket.close(None).await.expect("closed");
    server.stop();
}
