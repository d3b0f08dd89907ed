//! Who may not connect reads why, appeals, and does nothing else.

mod report_help;
mod service_help;

use report_help::*;
use service_help::*;
use zegel_cases::{Measure, Role};
use zegel_proto::{
    Code,
    v1::{self, client_frame as ask, server_frame as tell, statement::Kind},
};
use zegel_server::{clock::Now, store::AccountState};

/// A case about `abuser`, decided by ada.
async fn decided(world: &World, abuser: &mut Person, measure: Measure) -> (AtDesk, String) {
    let mut victim = world.adult("victim").await;
    let group = conversation(abuser).await;
    let said = says(abuser, &group, "I come tonight").await;
    let state = reports(&mut victim, about(&abuser.account, vec![said.disclosed()])).await.expect("taken");
    let ada = AtDesk::new(world, "ada", Role::Senior).await;
    ada.decides(&state.case_number, &abuser.account, measure).await.expect("decided");
    (ada, state.case_number)
}

/// The same device on another connection, there for an appeal.
async fn appealing(world: &World, person: &mut Person) {
    person.session = world.session().await;
    person.authenticate(true).await.expect("let in to appeal");
}

fn appeal(case: &str, text: &str) -> ask::Body {
    ask::Body::Appeal(v1::Appeal { case_number: case.into(), text: text.into() })
}

#[tokio::test]
async fn who_is_suspended_reads_appeals_and_does_nothing_else() {
    let world = World::new().await;
    let mut abuser = world.adult("abuser").await;
    let (_, case) = decided(&world, &mut abuser, Measure::Suspend { days: 30 }).await;
    abuser.session = world.session().await;
    let error = abuser.connect().await.expect_err("suspended");
    assert_eq!(Code::from_wire(error.code), Code::Suspended);
    assert!(error.message.contains("zegel decisions") && error.message.contains("zegel appeal"));

    appealing(&world, &mut abuser).await;
    let statements = told(&world, &mut abuser).await;
    assert_eq!((statements.len(), statements[0].kind()), (1, Kind::Decision));
    assert_eq!((&*statements[0].case_number, &*statements[0].measure), (&*case, "suspend"));

    let victim = abuser.account;
    for body in [
        ask::Body::Submit(Group::new().commits(&[])),
        ask::Body::FetchKeyPackages(v1::FetchKeyPackages { accounts: vec![victim.to_field()] }),
        ask::Body::PublishKeyPackages(v1::PublishKeyPackages::default()),
        ask::Body::Report(about(&victim, vec![])),
        ask::Body::BindAddress(v1::BindAddress::default()),
        ask::Body::PutBlob(v1::PutBlob::default()),
        ask::Body::GetBlob(v1::GetBlob::default()),
        ask::Body::Block(v1::Block::default()),
        ask::Body::PutToken(v1::PutToken::default()),
        ask::Body::AppendChain(v1::AppendChain::default()),
        ask::Body::RequestRejoin(v1::RequestRejoin::default()),
        ask::Body::Ack(v1::Ack::default()),
        ask::Body::Register(v1::Register::default()),
    ] {
        abuser.refused(Code::BadRequest, body).await;
    }
    let fetch = v1::FetchAccount { handle: "victim".into(), ..Default::default() };
    assert!(abuser.call(ask::Body::FetchAccount(fetch)).await.is_ok());
    assert!(abuser.call(ask::Body::FetchRoot(v1::FetchRoot::default())).await.is_ok());
    assert!(reported(&mut abuser).await.is_empty());

    abuser.refused(Code::NotFound, appeal("00000-00000", "but")).await;
    abuser.refused(Code::NotFound, appeal("no number", "but")).await;
    abuser.refused(Code::BadRequest, appeal(&case, " ")).await;
    abuser.refused(Code::BadRequest, appeal(&case, &"x".repeat(4001))).await;
    let typed = case.to_lowercase().replace('-', " ");
    assert_eq!(
        abuser.call(appeal(&typed, "it was a joke")).await,
        Ok(Some(tell::Body::Done(v1::Done::default())))
    );
    abuser.refused(Code::BadRequest, appeal(&case, "once more")).await;
    let statements = told(&world, &mut abuser).await;
    assert!(statements.iter().any(|statement| statement.kind() == Kind::AppealTaken));

    match abuser.call(ask::Body::FetchHolding(v1::FetchHolding {})).await {
        Ok(Some(tell::Body::Holding(holding))) => {
            let held: serde_json::Value = serde_json::from_str(&holding.json).expect("JSON");
            assert_eq!(held["account"]["state"], "suspended");
            let told = &held["reports_and_statements"];
            assert_eq!(told["statements"].as_array().map(Vec::len), Some(2), "{told}");
            assert_eq!(told["reports"].as_array().map(Vec::len), Some(0));
        }
        other => panic!("{other:?}"),
    }

    // Someone else lifts it.
    let bea = AtDesk::new(&world, "bea", Role::Moderator).await;
    bea.decides(&case, &abuser.account, Measure::Dismiss).await.expect("decided by someone else");
    abuser.session = world.session().await;
    abuser.connect().await.expect("lifted");
    let statements = told(&world, &mut abuser).await;
    assert!(statements.iter().any(|statement| statement.kind() == Kind::AppealDecision));
}

#[tokio::test]
async fn nobody_appeals_for_another_and_numbers_tell_nothing() {
    let world = World::new().await;
    let mut abuser = world.adult("abuser").await;
    let (_, case) = decided(&world, &mut abuser, Measure::Warn).await;
    let mut other = world.adult("other").await;
    let there = other.refused(Code::NotFound, appeal(&case, "let them be")).await;
    let not_there = other.refused(Code::NotFound, appeal("12345-67890", "let them be")).await;
    assert_eq!(there, not_there);
    // A warning can be appealed by who connects as ever.
    assert!(abuser.call(appeal(&case, "I did not")).await.is_ok());
}

#[tokio::test]
async fn what_has_an_end_ends_by_itself_and_a_ban_does_not() {
    let world = World::new().await;
    let mut abuser = world.adult("abuser").await;
    let (_, case) = decided(&world, &mut abuser, Measure::Ban).await;
    abuser.session = world.session().await;
    let error = abuser.connect().await.expect_err("banned");
    assert_eq!(Code::from_wire(error.code), Code::Suspended);
    appealing(&world, &mut abuser).await;
    assert!(abuser.call(appeal(&case, "for good?")).await.is_ok());

    let (id, today) = (abuser.account, Now::get().day());
    for (until_day, may) in [(today - 1, true), (today, false), (0, false)] {
        world.write(move |tx| tx.set_account_state(&id, AccountState::Suspended, until_day)).await;
        abuser.session = world.session().await;
        assert_eq!(abuser.connect().await.is_ok(), may, "{until_day} on {today}");
    }
    // Strangers are reached again as well.
    let mut stranger = world.adult("stranger").await;
    for (until_day, reached) in [(today, 0), (today - 1, 2)] {
        world.write(move |tx| tx.set_account_state(&id, AccountState::Restricted, until_day)).await;
        abuser.session = world.session().await;
        abuser.connect().await.expect("restricted people connect");
        let to = stranger.publish(1).await[0];
        let founds = Group::new().founds(&[to], "hello");
        abuser.submit(founds).await.expect("answered as sent");
        assert_eq!(stranger.bodies().await.len(), reached);
    }
}

#[tokio::test]
async fn a_revoked_device_does_not_stay_for_an_appeal() {
    let world = World::new().await;
    let mut abuser = world.adult("abuser").await;
    let mut sibling = abuser.sibling(&world).await;
    appealing(&world, &mut sibling).await;
    assert!(told(&world, &mut sibling).await.is_empty());
    let link = abuser.signs(abuser.head(), zegel_identity::Action::RevokeDevice(sibling.device));
    abuser.append(link).await.expect("revoked");
    sibling.refused(Code::AuthFailed, ask::Body::FetchStatements(v1::FetchStatements {})).await;
    sibling.session = world.session().await;
    assert!(sibling.authenticate(true).await.is_err());
}
