//! Conversations: founded, continued, stamped in one chain, delivered once.

mod service_help;

use service_help::*;
use zegel_franking::{Chain, Context, Link, verify_stamp};
use zegel_proto::{Address, Code, room_of, v1, v1::client_frame as ask, v1::entry::Body};
use zegel_server::{hub::Note, store::Head};

fn context(stamped: &v1::Stamped) -> Context {
    Context::from_bytes(&stamped.context).expect("a context")
}

/// Alice and Bob in a conversation that Bob accepted: both know each other's addresses.
async fn friends(world: &World) -> (Person, Person, Group, Address, Address) {
    let (mut alice, mut bob) = (world.adult("alice").await, world.adult("bob").await);
    let to_bob = bob.publish(1).await[0];
    let mut group = Group::new();
    let to_alice = alice.bind(&group.id).await;
    alice.submit(group.founds(&[to_bob], "hi")).await.expect("founded");
    bob.accept(&to_bob, &group.id).await.expect("accepted");
    bob.ack_all().await;
    alice.ack_all().await;
    (alice, bob, group, to_alice, to_bob)
}

#[tokio::test]
async fn a_founding_submission_makes_one_chain_for_everybody() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.adult("alice").await, world.adult("bob").await);
    let to_bob = bob.publish(1).await[0];
    let mut group = Group::new();
    let founding = group.founds(&[to_bob], "hi");
    let answer = alice.submit(founding.clone()).await.expect("founded");

    let [commit, first] = &answer.stamps[..] else { panic!("two stamps") };
    let keys = world.keys();
    for (stamped, tag) in [(commit, [0; 32]), (first, tag_of("hi"))] {
        let context = context(stamped);
        assert_eq!(context.sender_account, alice.account.0);
        assert_eq!(context.sender_device, alice.device.0);
        assert_eq!(context.room, room_of(&group.id).0);
        assert_eq!(context.franking_tag, tag);
        let key = keys.franking().get(context.key_id).expect("the key");
        let stamp: [u8; 32] = stamped.stamp.as_ref().try_into().expect("32 bytes");
        assert!(verify_stamp(key, &context, &stamp));
    }
    assert!(context(commit).server_seq < 1 << 48);
    assert_eq!((context(commit).epoch, context(first).epoch), (0, 1));
    assert_eq!(Chain::origin(&context(commit)).check(&context(first)), Link::Next);

    // Bob gets the introduction, with the origin of the chain, and then the message.
    let [Body::Introduction(introduction), Body::Message(message)] = &bob.bodies().await[..] else {
        panic!()
    };
    assert_eq!(introduction.origin.as_ref(), Some(commit));
    assert_eq!(introduction.welcome, "welcome");
    assert_eq!(introduction.address, to_bob.to_field());
    let facts = introduction.facts.as_ref().expect("facts");
    assert_eq!((facts.handle.as_str(), facts.age()), ("alice", v1::AccountAge::NewToday));
    assert_eq!((message.stamped.as_ref(), &message.message), (Some(first), &founding.first));
    // Alice gets the same stamps as her own mail.
    let [Body::Confirmation(confirmation)] = &alice.bodies().await[..] else { panic!() };
    assert_eq!(confirmation.submission_id, founding.submission_id);
    assert_eq!(confirmation.stamps, answer.stamps);
}

#[tokio::test]
async fn messages_and_commits_share_one_chain() {
    let world = World::new().await;
    let (mut alice, mut bob, mut group, to_alice, to_bob) = friends(&world).await;
    let one = alice.submit(group.says("one", &[to_bob])).await.expect("sent");
    let two = bob.submit(group.says("two", &[to_alice])).await.expect("sent");
    let three = alice.submit(group.commits(&[to_bob])).await.expect("committed");
    let four = bob.submit(group.says("four", &[to_alice])).await.expect("sent in the new epoch");

    let mut chain = Chain::origin(&context(&one.stamps[0]));
    for next in [&two, &three, &four] {
        assert_eq!(chain.check(&context(&next.stamps[0])), Link::Next);
    }
    let seen: Vec<_> = bob.bodies().await;
    assert!(matches!(
        &seen[..],
        [Body::Message(_), Body::Confirmation(_), Body::Message(_), Body::Confirmation(_)]
    ));
    let mail = bob.mail().await;
    assert!(mail.windows(2).all(|two| two[0].0 + 1 == two[1].0), "no number is missing");
}

#[tokio::test]
async fn the_same_submission_is_delivered_once() {
    let mut world = World::new().await;
    let (mut alice, bob, group, _, to_bob) = friends(&world).await;
    let submit = group.says("once", &[to_bob]);
    let answer = alice.submit(submit.clone()).await.expect("sent");
    assert_eq!(alice.submit(submit.clone()).await, Ok(answer.clone()));
    world.restart(Default::default()).await;
    alice.service = world.service.clone();
    assert_eq!(alice.submit(submit.clone()).await, Ok(answer));
    assert_eq!(bob.bodies().await.len(), 1);
    assert_eq!(alice.bodies().await.len(), 1);

    let other = v1::Submit { addresses: Vec::new(), ..submit.clone() };
    alice.refused(Code::BadRequest, ask::Body::Submit(other)).await;
    let mut other = group.says("other", &[to_bob]);
    other.submission_id = submit.submission_id;
    alice.refused(Code::BadRequest, ask::Body::Submit(other)).await;
    assert_eq!(bob.bodies().await.len(), 1);
}

/// A client takes a confirmation and clears its outbox in one transaction before it acknowledges, and keeps its
/// calls in order, so it never sends again what it acknowledged. Only a sender that breaks this is delivered
/// twice, and that harms no one but its own conversation.
#[tokio::test]
async fn a_remembered_answer_ends_with_the_acknowledgement() {
    let mut world = World::new().await;
    let (mut alice, bob, group, _, to_bob) = friends(&world).await;
    let db = rusqlite::Connection::open(world.dir.path().join("data").join("zegel.db")).expect("the store");
    let rows =
        || db.query_row("SELECT count(*) FROM answer", [], |row| row.get::<_, i64>(0)).expect("a count");
    assert_eq!(rows(), 0, "what founded the conversation was acknowledged");
    let submits = ["one", "two"].map(|text| group.says(text, &[to_bob]));
    let mut answers = Vec::new();
    for submit in &submits {
        answers.push(alice.submit(submit.clone()).await.expect("sent"));
    }
    assert_eq!(rows(), 2);
    for (submit, answer) in submits.iter().zip(&answers) {
        assert_eq!(alice.submit(submit.clone()).await.as_ref(), Ok(answer), "not acknowledged yet");
    }
    let first = alice.mail().await[0].0;
    assert_eq!(alice.call(ask::Body::Ack(v1::Ack { seq: first })).await, Ok(None));
    assert_eq!(rows(), 1);
    assert_eq!(alice.submit(submits[1].clone()).await.as_ref(), Ok(&answers[1]), "the other one stays");
    let again = alice.submit(submits[0].clone()).await.expect("taken as a new one");
    assert_ne!(again, answers[0]);
    assert_eq!(bob.bodies().await.len(), 3);

    // A new process does not know which answers end with what: they stay until their hours are over.
    world.restart(Default::default()).await;
    alice.service = world.service.clone();
    alice.ack_all().await;
    assert_eq!(alice.submit(submits[1].clone()).await.as_ref(), Ok(&answers[1]));
    assert_eq!(bob.bodies().await.len(), 3);
}

#[tokio::test]
async fn another_persons_id_gives_nothing_away() {
    let world = World::new().await;
    let (mut alice, mut bob, group, _, to_bob) = friends(&world).await;
    let submit = group.says("mine", &[to_bob]);
    alice.submit(submit.clone()).await.expect("sent");
    bob.refused(Code::BadRequest, ask::Body::Submit(submit)).await;
}

#[tokio::test]
async fn a_conversation_never_forks() {
    let world = World::new().await;
    let (mut alice, mut bob, mut group, to_alice, to_bob) = friends(&world).await;
    let late = group.says("late", &[to_alice]);
    let rival = Group { id: group.id, epoch: group.epoch }.commits(&[to_alice]);
    alice.submit(group.commits(&[to_bob])).await.expect("committed");
    for stale in [late, rival] {
        let error = bob.refused(Code::StaleEpoch, ask::Body::Submit(stale)).await;
        assert_eq!(error.head_epoch, group.epoch);
    }
    // Founding it again is no way around.
    let again = Group { id: group.id, epoch: 0 }.commits(&[]);
    assert_eq!(bob.refused(Code::StaleEpoch, ask::Body::Submit(again)).await.head_epoch, group.epoch);
    assert!(matches!(bob.bodies().await[..], [Body::Message(_)]), "the commit alone");
}

#[tokio::test]
async fn who_is_no_member_cannot_send_or_advance() {
    let world = World::new().await;
    let (alice, bob, mut group, _, to_bob) = friends(&world).await;
    let mut mallory = world.adult("mallory").await;
    let epoch = group.epoch;
    for mut submit in [group.says("x", &[to_bob]), group.commits(&[to_bob])] {
        submit.token = token_of(&group.id, epoch + 1).into();
        mallory.refused(Code::NotMember, ask::Body::Submit(submit)).await;
    }
    // A conversation of her own does not reach an address of this one, and she is not told.
    let mut own = Group::new();
    mallory.submit(own.commits(&[to_bob])).await.expect("founded");
    mallory.submit(own.says("x", &[to_bob])).await.expect("taken");
    assert!(bob.bodies().await.is_empty() && alice.bodies().await.is_empty());
    // Nor does adding that address: it has its conversation.
    mallory.submit(own.adds(&[to_bob], &[])).await.expect("taken");
    assert!(bob.bodies().await.is_empty());
    // Each of the three is written all the same: she could measure the difference.
    assert_eq!(world.entries(SINK).await, 3);
}

#[tokio::test]
async fn unknown_conversations_and_tombstones_are_refused() {
    let world = World::new().await;
    let mut alice = world.adult("alice").await;
    let mut group = Group::new();
    group.epoch = 3;
    alice.refused(Code::UnknownConversation, ask::Body::Submit(group.says("x", &[]))).await;
    alice.refused(Code::UnknownConversation, ask::Body::Submit(group.commits(&[]))).await;
    group.epoch = 0;
    alice.refused(Code::UnknownConversation, ask::Body::Submit(group.says("x", &[]))).await;
    let room = room_of(&group.id);
    world.write(move |tx| tx.put_head(&room, &Head::Tombstone)).await;
    alice.refused(Code::UnknownConversation, ask::Body::Submit(group.commits(&[]))).await;
}

#[tokio::test]
async fn malformed_submissions_are_refused_before_anything_is_written() {
    let world = World::new().await;
    let (mut alice, bob, mut group, _, to_bob) = friends(&world).await;
    let says = group.says("x", &[to_bob]);
    let epoch = group.epoch;
    let commits = group.commits(&[to_bob]);
    let bad = [
        v1::Submit { next_token_hash: Default::default(), ..commits.clone() },
        v1::Submit { next_token_hash: vec![1; 31].into(), ..commits.clone() },
        v1::Submit { next_token_hash: vec![1; 32].into(), ..says.clone() },
        v1::Submit { epoch: epoch + 1, ..says.clone() },
        v1::Submit { group_id: vec![1; 32].into(), ..says.clone() },
        v1::Submit { first: application(&group.id, 1, "y"), ..commits.clone() },
        v1::Submit { message: private_message(&group.id, epoch, 2, &[0], b"proposal"), ..says.clone() },
        v1::Submit { message: private_message(&group.id, epoch, 1, &[0], b"no tag"), ..says.clone() },
        v1::Submit { message: Default::default(), ..says.clone() },
        v1::Submit { welcome: Some(Default::default()), ..commits.clone() },
        v1::Submit { welcome: Some(Default::default()), ..says.clone() },
    ];
    for submit in bad {
        alice.refused(Code::BadMessage, ask::Body::Submit(submit)).await;
    }
    for submit in [
        v1::Submit { submission_id: vec![1; 15].into(), ..says.clone() },
        v1::Submit { addresses: vec![vec![1; 17].into()], ..says.clone() },
        v1::Submit { addresses: vec![to_bob.to_field(); 4097], ..says.clone() },
    ] {
        alice.refused(Code::BadRequest, ask::Body::Submit(submit)).await;
    }
    assert!(bob.bodies().await.is_empty() && alice.bodies().await.is_empty());
    alice.submit(says).await.expect("the head did not move");
}

#[tokio::test]
async fn what_goes_to_many_is_stored_once() {
    let world = World::new().await;
    let (mut alice, mut bob, group, _, _) = friends(&world).await;
    let mut addresses = Vec::new();
    for _ in 0..32 {
        addresses.push(bob.bind(&group.id).await);
    }
    let mut ear = world.hub.connect(bob.device);
    let submit = group.says("to many", &addresses);
    alice.submit(submit.clone()).await.expect("sent");
    let bodies = bob.bodies().await;
    assert_eq!(bodies.len(), 32);
    let Body::Message(message) = &bodies[0] else { panic!() };
    assert!(message.message.is_empty());
    let shared = message.shared.clone().expect("shared");
    assert!(bodies.iter().all(|body| matches!(body, Body::Message(m) if m.shared.as_ref() == Some(&shared))));

    let Some(Note::Entry(push)) = ear.try_next() else { panic!() };
    let (name, sealed) = push.payload.expect("pushed along");
    assert_eq!(name, shared.name);
    assert_eq!(open_gcm(&shared.key, b"", &sealed), submit.message);
    let get = v1::GetBlob { name: shared.name, offset: 0 };
    match bob.call(ask::Body::GetBlob(get)).await {
        Ok(Some(v1::server_frame::Body::BlobPart(part))) => {
            assert_eq!((part.data, part.total), (sealed.clone(), sealed.len() as u64));
        }
        other => panic!("{other:?}"),
    }
    // A large one too, however few it goes to.
    let large = "x".repeat(70_000);
    alice.submit(group.says(&large, &addresses[..1])).await.expect("sent");
    assert!(matches!(bob.bodies().await.last(), Some(Body::Message(m)) if m.shared.is_some()));
}

#[tokio::test]
async fn connected_devices_are_pushed_what_is_stored() {
    let world = World::new().await;
    let (mut alice, bob, group, _, to_bob) = friends(&world).await;
    let mut ear = world.hub.connect(bob.device);
    for text in ["one", "two", "three"] {
        alice.submit(group.says(text, &[to_bob])).await.expect("sent");
    }
    let waiting = world.service.waiting(&bob.device, 0, 10).await.expect("read");
    for stored in waiting.entries {
        let Some(Note::Entry(push)) = ear.try_next() else { panic!("pushed before the answer") };
        assert_eq!((push.seq, push.hour_key, push.sealed), (stored.seq, stored.hour_key, stored.sealed));
    }
    assert!(ear.try_next().is_none());
}

#[tokio::test]
async fn the_store_names_no_conversation_and_no_address() {
    let world = World::new().await;
    let (mut alice, _bob, group, _, to_bob) = friends(&world).await;
    let submit = group.says("needle in the store", &[to_bob]);
    alice.submit(submit.clone()).await.expect("sent");
    world.store.settle().expect("settled");
    let mut disk = Vec::new();
    for file in std::fs::read_dir(world.dir.path().join("data")).expect("the folder") {
        let path = file.expect("a file").path();
        if path.is_file() {
            disk.extend(std::fs::read(path).expect("its bytes"));
        }
    }
    let holds = |needle: &[u8]| disk.windows(needle.len()).any(|window| window == needle);
    assert!(holds(b"alice"), "the control: what is stored in the clear is found");
    for needle in [&to_bob.0[..], &group.id.0, &submit.submission_id, &submit.token, &submit.message] {
        assert!(!holds(needle));
    }
}

#[tokio::test]
async fn an_address_of_a_revoked_device_is_buried() {
    let world = World::new().await;
    let (mut alice, mut bob, group, _, _) = friends(&world).await;
    let mut phone = bob.sibling(&world).await;
    let to_phone = phone.bind(&group.id).await;
    alice.submit(group.says("x", &[to_phone])).await.expect("sent");
    assert_eq!(phone.bodies().await.len(), 1);
    let mut ear = world.hub.connect(phone.device);
    let revoke = bob.signs(bob.head(), zegel_identity::Action::RevokeDevice(phone.device));
    bob.append(revoke).await.expect("revoked");
    assert!(matches!(ear.try_next(), Some(Note::Ended)));
    alice.submit(group.says("y", &[to_phone])).await.expect("sent, to nobody");
    assert!(phone.bodies().await.is_empty());
    phone.refused(Code::AuthFailed, ask::Body::Submit(group.says("z", &[]))).await;
    let hash = zegel_proto::address_hash(&to_phone);
    let cut = zegel_server::store::Cut { dead_day: u32::MAX, ..Default::default() };
    world.write(move |tx| tx.sweep(&cut, 10)).await;
    assert_eq!(world.read(move |tx| tx.address(&hash)).await, None);
}

#[tokio::test]
async fn acknowledging_deletes_and_never_beyond_the_end() {
    let world = World::new().await;
    let (mut alice, mut bob, group, _, to_bob) = friends(&world).await;
    for text in ["one", "two", "three"] {
        alice.submit(group.says(text, &[to_bob])).await.expect("sent");
    }
    let last = bob.mail().await[2].0;
    bob.refused(Code::BadRequest, ask::Body::Ack(v1::Ack { seq: last + 1 })).await;
    bob.refused(Code::BadRequest, ask::Body::Ack(v1::Ack { seq: u64::MAX })).await;
    assert_eq!(bob.call(ask::Body::Ack(v1::Ack { seq: last - 1 })).await, Ok(None));
    assert_eq!(bob.mail().await.iter().map(|m| m.0).collect::<Vec<_>>(), [last]);
    assert_eq!(bob.call(ask::Body::Ack(v1::Ack { seq: 0 })).await, Ok(None), "an old one does no harm");
    bob.session = world.session().await;
    let answer = bob.connect().await.expect("connected");
    assert_eq!((answer.first_seq, answer.next_seq), (last, last + 1));
}
