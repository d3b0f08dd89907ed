//! The safety rules as people ask for them, and how a change of them is told.

#![allow(missing_docs, reason = "tests")]

mod service_help;

use service_help::World;
use zegel_cases::{LogEntry, LogHead, verify_log};
use zegel_proto::{
    Code,
    v1::{self, AgeBand, client_frame as ask, server_frame as tell},
};
use zegel_safety::Policy;
use zegel_server::{config::Config, service::Session};

fn with(change: impl FnOnce(&mut Policy)) -> Config {
    let mut config = Config::default();
    change(&mut config.safety);
    config
}

async fn fetch(world: &World, session: &mut Session) -> v1::PolicyAnswer {
    let call = ask::Body::FetchPolicy(v1::FetchPolicy::default());
    match world.service.call(session, call).await {
        Some(tell::Body::Policy(answer)) => answer,
        other => panic!("no rules: {other:?}"),
    }
}

async fn hello(world: &World) -> Vec<u8> {
    let mut session = world.service.open([127, 0, 0, 1].into());
    let hello = v1::Hello { versions: vec![zegel_proto::VERSION], ..Default::default() };
    match world.service.call(&mut session, ask::Body::Hello(hello)).await {
        Some(tell::Body::Hello(answer)) => answer.policy.to_vec(),
        other => panic!("no greeting: {other:?}"),
    }
}

async fn log(world: &World) -> Vec<LogEntry> {
    let lines = world.read(|tx| tx.log_lines(1, 100)).await;
    verify_log(LogHead::default(), lines.iter().map(String::as_str)).expect("a chain").0
}

fn rules(answer: &v1::PolicyAnswer) -> Vec<Vec<&str>> {
    answer.changes.iter().map(|change| change.rules.iter().map(String::as_str).collect()).collect()
}

#[tokio::test]
async fn anyone_may_ask_for_the_rules() {
    let world = World::new().await;
    let mut stranger = world.session().await;
    let answer = fetch(&world, &mut stranger).await;
    let policy = Policy::read(&answer.toml).expect("sound");
    assert_eq!(policy, Policy::shipped());
    assert_eq!(hello(&world).await, policy.hash());
    assert_eq!(rules(&answer), [[""; 0]]);
    assert_eq!(answer.changes[0].hash, policy.hash().to_vec());
    assert!(log(&world).await.is_empty(), "the rules are those that ship");
    let mut alice = world.adult("alice").await;
    assert_eq!(fetch(&world, &mut alice.session).await, answer);
}

#[tokio::test]
async fn a_suspended_person_may_read_the_rules() {
    let world = World::new().await;
    let mut alice = world.adult("alice").await;
    let account = alice.account;
    world.write(move |tx| tx.set_account_held(&account, true)).await;
    alice.session = world.session().await;
    alice.authenticate(true).await.expect("for an appeal");
    assert!(Policy::read(&fetch(&world, &mut alice.session).await.toml).is_ok());
    let age = v1::ChangeAge { age_band: AgeBand::Teen.into(), ..Default::default() };
    alice.refused(Code::BadRequest, ask::Body::ChangeAge(age)).await;
}

#[tokio::test]
async fn a_change_is_noted_once_and_told_for_ever() {
    let mut world = World::new().await;
    let shipped = hello(&world).await;
    let other = || {
        with(|policy| {
            policy.strangers.numbers.a_day = 30;
            policy.codes.source = "as the school decided".into();
        })
    };
    world.restart(other()).await;
    world.restart(other()).await;
    let changed = hello(&world).await;
    assert_ne!(changed, shipped);
    let mut session = world.session().await;
    let answer = fetch(&world, &mut session).await;
    assert_eq!(rules(&answer), [vec!["codes", "strangers"], vec![]]);
    let hashes: Vec<_> = answer.changes.iter().map(|change| change.hash.to_vec()).collect();
    assert_eq!(hashes, [changed.clone(), shipped.clone()]);
    assert_eq!(Policy::read(&answer.toml).expect("sound").strangers.numbers.a_day, 30);

    // Back again is a change too.
    world.restart(Config::default()).await;
    let mut session = world.session().await;
    let answer = fetch(&world, &mut session).await;
    assert_eq!(rules(&answer), [vec!["codes", "strangers"], vec!["codes", "strangers"], vec![]]);
    let lines = log(&world).await;
    let said: Vec<_> = lines.iter().map(|line| (&*line.who.0, &*line.act, &*line.detail)).collect();
    assert_eq!(said, [("operator", "safety-rules", "codes, strangers"); 2]);
}

#[tokio::test]
async fn a_service_that_begins_with_rules_of_its_own_says_so() {
    let world = World::with(with(|policy| policy.tokens.numbers.per_friend = 2)).await;
    let lines = log(&world).await;
    assert_eq!(lines.len(), 1);
    assert_eq!((&*lines[0].act, &*lines[0].detail), ("safety-rules", "tokens"));
    let mut session = world.session().await;
    assert_eq!(rules(&fetch(&world, &mut session).await), [[""; 0]]);
}

#[tokio::test]
async fn rules_that_cannot_be_read_any_more_are_said_to_be_others_altogether() {
    let mut world = World::new().await;
    let row = zegel_server::store::PolicyRow { day: 1, hash: [1; 32], toml: "version = 0".into() };
    world.write(move |tx| tx.put_policy_change(&row)).await;
    world.restart(Config::default()).await;
    let mut session = world.session().await;
    let answer = fetch(&world, &mut session).await;
    let all = Policy::shipped().rule_names();
    assert_eq!(rules(&answer), [all.clone(), all, vec![]]);
}

#[tokio::test]
async fn asking_without_end_is_refused() {
    let mut config = Config::default();
    config.limits.audit_per_address = zegel_server::config::Rate { burst: 2, per_hour: 1 };
    let world = World::with(config).await;
    let mut session = world.session().await;
    for _ in 0..2 {
        fetch(&world, &mut session).await;
    }
    let call = ask::Body::FetchPolicy(v1::FetchPolicy::default());
    match world.service.call(&mut session, call).await {
        Some(tell::Body::Error(error)) => assert_eq!(Code::from_wire(error.code), Code::RateLimited),
        other => panic!("not refused: {other:?}"),
    }
}
