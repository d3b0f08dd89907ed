//! Ways out of what was promised, and out of telling us about ourselves.

use zegel_directory::{CLOCK_SLACK_MS, PATIENCE_MS, PROMISE_EPOCHS};
use zegel_proto::{
    Code,
    v1::{self, client_frame::Body as Call, server_frame::Body as Answer},
};

use super::{
    entries::{added, ghost, is_unproven, refusals_until_alarm, town},
    office::{Office, Person, refusal},
    registry::entry,
    world::{clock, wait},
};
use crate::{
    Error,
    core::directory::PROMISE_CHECK_MS,
    db::ItemKind,
    flow::{check_due, check_own, fetch_fresh, fetch_packages, know, know_account},
};

fn no_accounts(call: &Call) -> Option<crate::Result<Answer>> {
    matches!(call, Call::FetchAccount(_)).then(|| refusal("looking up", Code::NotFound))
}

#[tokio::test]
async fn a_promise_for_a_day_that_never_comes_is_refused() {
    let (office, alice, _) = town().await;
    let carol = Person::registers("carol", &office).await;
    let promise = office.accounts.lock().expect("no panic")[&carol.account].promise.clone();
    let honest = promise.expect("promised").promise;
    let newest = office.registry.lock().await.newest().root.epoch;
    let far = [
        zegel_directory::Promise { by_epoch: newest + PROMISE_EPOCHS + 1, ..honest.clone() },
        zegel_directory::Promise { by_epoch: u64::MAX, ..honest.clone() },
        zegel_directory::Promise { made_ms: clock() + CLOCK_SLACK_MS + 1, ..honest.clone() },
        zegel_directory::Promise { made_ms: u64::MAX, ..honest.clone() },
    ];
    for far in far {
        let signed = far.sign(super::registry::DOMAIN, &office.registry.lock().await.key);
        office.change(carol.account, |carol| carol.promise = Some(signed));
        assert!(is_unproven(alice.knows("carol", &office).await));
        assert!(alice.shared.core().db.contact(&carol.account).expect("the database").is_none());
    }
    // The same again is one alarm.
    assert_eq!(alice.alarms(), ["unproven"]);
    let alarm = alice.shared.core().db.alarms(false).expect("alarms").remove(0);
    assert_eq!(alarm.repeats, 3);

    let near = zegel_directory::Promise {
        by_epoch: newest + PROMISE_EPOCHS,
        made_ms: clock() + CLOCK_SLACK_MS,
        ..honest
    };
    let signed = near.sign(super::registry::DOMAIN, &office.registry.lock().await.key);
    office.change(carol.account, |carol| carol.promise = Some(signed));
    alice.knows("carol", &office).await.expect("within reason");
}

#[tokio::test]
async fn a_directory_and_a_clock_that_stand_still_are_an_alarm_by_our_own_clock() {
    let (office, alice, _) = town().await;
    let carol = Person::registers("carol", &office).await;
    alice.knows("carol", &office).await.expect("promised");
    let server_ms = alice.shared.core().server_ms();
    let stand_still = || {
        alice.shared.core().note_server(&v1::Authenticated { server_ms, ..Default::default() });
    };
    let age = |ms: u64| {
        wait(ms);
        stand_still();
    };
    age(PATIENCE_MS / 2);
    // A newer promise does not begin anew, whatever its time.
    let again = office.registry.lock().await.promise(entry(&office.links(carol.account)));
    office.change(carol.account, |carol| carol.promise = Some(again));
    alice.knows("carol", &office).await.expect("promised again");
    age(PATIENCE_MS / 2);
    check_due(&alice.shared, &office).await.expect("mail goes on");
    assert_eq!((alice.trust("carol"), alice.alarms()), ("promised", vec![]));
    age(1);
    let refused = alice.knows("carol", &office).await;
    assert!(matches!(refused, Err(Error::Distrusted { .. })), "{refused:?}");
    assert_eq!(alice.alarms(), ["broken"]);
}

#[tokio::test]
async fn a_promised_ghost_cannot_be_made_to_have_never_been() {
    let (office, alice, bob) = town().await;
    alice.knows("bob", &office).await.expect("honest");
    // Somebody whom she knows, and somebody who only introduced themself.
    let stranger = Person::registers("stranger", &office).await;
    know_account(&alice.shared, &office, &stranger.account).await.expect("promised");
    let ghost = added(&bob, &office.links(bob.account));
    office.append(bob.account, ghost).await;
    alice.knows("bob", &office).await.expect("promised");

    office.answers(Some(no_accounts));
    wait(PROMISE_CHECK_MS);
    check_due(&alice.shared, &office).await.expect("not due yet");
    assert_eq!(alice.alarms(), [""; 0]);
    wait(PATIENCE_MS + 1);
    check_due(&alice.shared, &office).await.expect("mail goes on");
    let about = |person: &Person| {
        let alarms = person.shared.core().db.alarms(false).expect("alarms");
        let mut about: Vec<_> = alarms.into_iter().map(|alarm| (alarm.kind, alarm.about)).collect();
        about.sort();
        about
    };
    let unproven = |who: &str| ("unproven".to_owned(), who.to_owned());
    assert_eq!(about(&alice), [unproven("bob"), unproven("stranger")]);
}

#[tokio::test]
async fn a_kept_promise_about_somebody_who_is_forgotten_is_no_alarm() {
    let (office, alice, _) = town().await;
    let carol = Person::registers("carol", &office).await;
    alice.knows("carol", &office).await.expect("promised");
    office.publish().await;
    let (label, now) = entry(&office.links(carol.account));
    office.registry.lock().await.publish(&[(label, now.tombstone())]).await;
    office.answers(Some(no_accounts));
    wait(400 * 86_400_000);
    check_due(&alice.shared, &office).await.expect("honest");
    assert_eq!((alice.trust("carol"), alice.alarms()), ("unknown", vec![]));
}

#[tokio::test]
async fn a_member_who_names_us_does_not_slip_a_device_past_us() {
    let (office, alice, _) = town().await;
    let thief = added(&alice, &office.links(alice.account));
    office.append(alice.account, thief).await;
    // As for a Welcome or a commit with a leaf of ours that our list does not have.
    let read = know(&alice.shared, &office, &[alice.account]).await.expect("promised");
    assert_eq!((read, alice.alarms()), (vec![alice.account], vec!["device".to_owned()]));

    // Versions that nobody looked at in between are looked at too.
    let (office, alice, _) = town().await;
    let (label, honest) = entry(&office.links(alice.account));
    let mut registry = office.registry.lock().await;
    registry.publish(&[(label, ghost(&alice))]).await;
    registry.publish(&[(label, honest)]).await;
    drop(registry);
    assert_eq!(know(&alice.shared, &office, &[alice.account]).await.expect("an alarm is kept"), []);
    assert_eq!(alice.alarms(), ["own"]);
}

#[tokio::test]
async fn nobody_is_added_whose_devices_are_not_shown_now() {
    let (office, alice, bob) = town().await;
    let carol = Person::registers("carol", &office).await;
    office.publish().await;
    for who in ["bob", "carol"] {
        alice.knows(who, &office).await.expect("honest");
    }
    // Bob's old device was revoked; the service hides that, and offers its key package.
    office.accounts.lock().expect("no panic").remove(&bob.account);
    office.answers(Some(|call| match call {
        Call::FetchKeyPackages(_) => Some(Ok(Answer::KeyPackages(v1::KeyPackagesAnswer::default()))),
        _ => None,
    }));
    let people = [bob.account, carol.account];
    let refused = fetch_packages(&alice.shared, &office, &people).await.expect_err("bob is not shown");
    assert!(refused.to_string().contains("which devices belong to bob now"), "{refused}");
    let (read, _) = fetch_fresh(&alice.shared, &office, &people).await.expect("carol is shown");
    assert_eq!(read, [carol.account]);

    let package = |person: &Person| {
        let stocked = person.shared.core().step(|core| core.key_package(false)).expect("keys");
        v1::DeviceKeyPackage {
            account: person.account.to_field(),
            device: person.shared.core().me.device.to_field(),
            key_package: stocked.key_package,
        }
    };
    let dave = Person::registers("dave", &office).await;
    alice.knows("dave", &office).await.expect("promised");
    let founded = alice.shared.core().found_group("club", &[dave.account], &[package(&dave)]);
    founded.expect("founded");
    let mut core = alice.shared.core();
    let club = core.db.conversations().expect("a list").pop().expect("the group");
    let row = core.want_add(&club, &people).expect("wanted").pop().expect("a row");
    // Under whatever name the key package comes.
    let disguised = v1::DeviceKeyPackage { account: carol.account.to_field(), ..package(&bob) };
    let founding = core.db.outbox_of(club.id).expect("an outbox").remove(0).id;
    core.db.outbox_done(founding).expect("sent");
    let made = core.make_add(row, &read, &[disguised]).expect("made");
    assert!(made.is_none(), "nobody is left");
    let notices = core.db.items(None, 0, false).expect("items");
    let said =
        |item: &crate::db::Item| item.kind == ItemKind::Notice && item.text.contains("bob was not added");
    assert!(notices.iter().any(said), "{notices:?}");
}

#[tokio::test]
async fn whatever_is_no_answer_about_ourselves_is_a_refusal() {
    type Odd = super::office::Odd;
    let odd: [(&str, Odd); 4] = [
        ("busy", |call| matches!(call, Call::FetchAccount(_)).then(|| refusal("asking", Code::GoingAway))),
        ("another kind", |call| {
            matches!(call, Call::FetchAccount(_)).then(|| Ok(Answer::Done(v1::Done::default())))
        }),
        ("nonsense", |call| {
            matches!(call, Call::FetchAccount(_)).then(|| Err(Error::protocol("asking", "it is garbled")))
        }),
        ("silence", |call| {
            let silence = || Err(Error::Timeout { doing: "asking", seconds: 30 });
            matches!(call, Call::FetchAccount(_)).then(silence)
        }),
    ];
    for (what, odd) in odd {
        let (office, alice, _) = town().await;
        office.answers(Some(odd));
        assert_eq!(refusals_until_alarm(&alice, &office).await, 5, "{what}");
        assert_eq!(alice.alarms(), ["own"], "{what}");
    }

    // Who asks often within a moment has not been refused for long.
    let (office, alice, _) = town().await;
    office.answers(Some(odd[0].1));
    for _ in 0..20 {
        assert!(check_own(&alice.shared, &office).await.is_err());
    }
    wait(PATIENCE_MS);
    assert!(check_own(&alice.shared, &office).await.is_err());
    assert_eq!(alice.alarms(), [""; 0]);
}

#[tokio::test]
async fn a_bad_moment_is_no_alarm() {
    let (office, alice, _) = town().await;
    for _ in 0..8 {
        office.answers(Some(|call| {
            matches!(call, Call::FetchAccount(_)).then(|| refusal("asking", Code::GoingAway))
        }));
        assert!(check_own(&alice.shared, &office).await.is_err());
        office.answers(None);
        wait(86_400_000);
        check_own(&alice.shared, &office).await.expect("honest");
    }
    // Others can use up our calls.
    office.answers(Some(|call| {
        matches!(call, Call::FetchAccount(_)).then(|| refusal("asking", Code::RateLimited))
    }));
    assert_eq!(refusals_until_alarm(&alice, &office).await, 0);
    assert_eq!(alice.alarms(), [""; 0]);
}

#[tokio::test]
async fn only_what_was_shown_is_acknowledged() {
    let (office, alice, bob) = town().await;
    for who in ["bob", "alice"] {
        office.accounts.lock().expect("no panic").retain(|_, account| account.handle != who);
    }
    assert!(check_own(&alice.shared, &office).await.is_err());
    let shown = alice.shared.core().db.alarms(false).expect("alarms");
    assert_eq!(shown.len(), 1);
    // One more comes while she reads.
    let links = bob.shared.core().db.links(&bob.account).expect("links");
    let links = [links.clone(), vec![added(&bob, &links)]].concat();
    let unproven = super::office::Account { handle: "bob".into(), links, promise: None };
    office.accounts.lock().expect("no panic").insert(bob.account, unproven);
    assert!(is_unproven(alice.knows("bob", &office).await));
    let seen = alice.shared.core().step(|core| core.db.alarms_seen(shown[0].id)).expect("written");
    assert_eq!((seen, alice.alarms()), (1, vec!["unproven".to_owned()]));
}

#[tokio::test]
async fn evidence_has_an_end() {
    use crate::core::directory::{Exhibits, evidence};
    let office = Office::new().await;
    let alice = Person::registers("alice", &office).await;
    office.publish().await;
    alice.checks(&office).await.expect("honest");
    let mut core = alice.shared.core();
    let view = core.view().expect("the database").expect("a view").clone();
    let answer = vec![7; 4 << 20];
    let kept = evidence(Some(&view), Exhibits { answer: &answer, ..Exhibits::default() });
    assert!((250 << 10..=256 << 10).contains(&kept.len()), "{}", kept.len());
    let json: serde_json::Value = serde_json::from_slice(&kept).expect("whole JSON");
    assert_eq!(json["answer_bytes"], 4 << 20);
    assert!(json["ours"].is_object());
}
