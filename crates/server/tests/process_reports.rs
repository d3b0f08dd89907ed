//! The real program: reports are proven across a rotation of its key, and whoever is suspended is told how to appeal.

mod process;

use std::time::Duration;

use process::{Client, Group, Person, Place, Server, code_of, key_in};
use zegel_content::Content;
use zegel_franking::{Context, REPORTING_WINDOW_MS, franking_tag, stamp};
use zegel_proto::{
    Code, SubmissionId, room_of, room_uri, user_uri,
    v1::{self, client_frame as ask, server_frame as tell},
};
use zegel_server::keys::KeyRing;

async fn says(client: &mut Client, group: &Group, sender: &str, text: &str) -> v1::Disclosed {
    let (sender, room) = (user_uri("localhost", sender), room_uri("localhost", &room_of(&group.id)));
    let content = Content::text(SubmissionId::random().0, sender, room, 1, text);
    let bytes = content.encode().expect("short");
    let submit = group.submit_tagged(&[], 100, franking_tag(&content.salt, &bytes));
    match client.call(submit).await {
        tell::Body::Submitted(answer) => {
            v1::Disclosed { stamped: Some(answer.stamps[0].clone()), content: bytes.into() }
        }
        other => panic!("{other:?}"),
    }
}

async fn report(client: &mut Client, about: &Person, run: Vec<v1::Disclosed>) -> v1::ReportState {
    let report = v1::Report {
        id: SubmissionId::random().to_field(),
        category: v1::ReportCategory::Threats.into(),
        about: about.account.to_field(),
        run,
        ..Default::default()
    };
    match client.call(ask::Body::Report(report)).await {
        tell::Body::Report(state) => state,
        other => panic!("{other:?}"),
    }
}

fn context_of(link: &v1::Disclosed) -> Context {
    Context::from_bytes(&link.stamped.as_ref().expect("a stamp").context).expect("a context")
}

async fn start_with(people: &[&Person]) -> (Place, Server) {
    let place = Place::new();
    let server = place.start();
    for person in people {
        person.register(&server).await;
    }
    (place, server)
}

#[tokio::test]
async fn a_report_is_proven_over_a_rotation_and_a_restart_and_not_past_its_time() {
    let (victim, abuser) = (Person::new("victim"), Person::new("abuser"));
    let (place, server) = start_with(&[&victim, &abuser]).await;
    let (mut speaking, _) = abuser.connect(&server).await;
    let group = Group::found(&mut speaking).await;
    let old = says(&mut speaking, &group, "abuser", "before").await;
    place.done(&["rotate-keys"]);
    let mut new = says(&mut speaking, &group, "abuser", "after").await;
    for _ in 0..50 {
        if context_of(&new).key_id != context_of(&old).key_id {
            break;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
        new = says(&mut speaking, &group, "abuser", "after").await;
    }
    assert_ne!(key_in(&context_of(&new).to_bytes()), context_of(&old).key_id);
    server.stop();

    let server = place.start();
    let (mut reporting, _) = victim.connect(&server).await;
    // Only the clock of its context tells this one from a message that was sent: the key is the real one.
    let mut late = context_of(&old);
    late.accepted_ms -= REPORTING_WINDOW_MS + 60_000;
    let keys = KeyRing::load(&place.keys(), &place.data()).expect("keys");
    let mac = stamp(keys.franking().get(late.key_id).expect("kept"), &late);
    let stamped = v1::Stamped { context: late.to_bytes().to_vec().into(), stamp: mac.to_vec().into() };
    let late = v1::Disclosed { stamped: Some(stamped), ..old.clone() };
    let state = report(&mut reporting, &abuser, vec![late]).await;
    assert_eq!((state.messages, state.proven), (1, 0));
    assert!(state.findings[0].contains("too old"), "{:?}", state.findings);

    let state = report(&mut reporting, &abuser, vec![old, new]).await;
    assert_eq!((state.messages, state.proven), (2, 2), "{:?}", state.findings);
    let (status, metrics) = server.get("/metrics");
    assert_eq!(status, 200);
    // When somebody reported is not to be read from a counter.
    assert!(!metrics.contains("call=\"report"), "{metrics}");
    server.stop();
}

#[tokio::test]
async fn an_appeal_takes_no_mail_and_no_other_connection() {
    let alice = Person::new("alice");
    let (place, server) = start_with(&[&alice]).await;
    let (mut usual, at) = alice.connect(&server).await;
    let (client, hello) = Client::greeted(&server).await;
    let mut appealing = client;
    let answer = appealing.call(alice.proof_for_appeal(&hello)).await;
    assert!(matches!(answer, tell::Body::Authenticated(_)), "{answer:?}");
    Group::found(&mut usual).await;
    assert_eq!(usual.numbers(1).await, [at.next_seq], "the other connection stays, with its mail");
    let fetch = || ask::Body::FetchStatements(v1::FetchStatements {});
    assert!(matches!(appealing.call(fetch()).await, tell::Body::Statements(_)));
    assert!(appealing.kept_numbers().is_empty(), "nothing is delivered");

    place.done(&["suspend", "alice"]);
    let told = loop {
        match usual.pushed().await.expect("a refusal before the end") {
            tell::Body::Error(error) => break error,
            tell::Body::Deliver(_) => {}
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(Code::from_wire(told.code), Code::Suspended);
    assert!(told.message.contains("zegel appeal"), "{}", told.message);
    // Who is there to appeal stays, and comes again.
    assert!(matches!(appealing.call(fetch()).await, tell::Body::Statements(_)));
    let (mut again, hello) = Client::greeted(&server).await;
    assert_eq!(code_of(&again.call(alice.proof(&hello)).await), Some(Code::Suspended));
    let answer = again.call(alice.proof_for_appeal(&hello)).await;
    assert!(matches!(answer, tell::Body::Authenticated(_)), "{answer:?}");
    let refused = again.call(Group::found_nowhere().submit(&[], 10)).await;
    assert_eq!(code_of(&refused), Some(Code::BadRequest));
    server.stop();
}
