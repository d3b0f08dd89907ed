//! What a decision does: to the account, to those who are told, to the log.

mod desk_help;
mod service_help;

use desk_help::*;
use zegel_cases::{Act, Case, CaseNumber, LogHead, Measure, State, Subject, WhyNot, archive, verify_log};
use zegel_desk::{Office as _, OfficeError};
use zegel_proto::v1::{self, client_frame as ask, statement::Kind};
use zegel_server::{
    hub::Note,
    store::{AccountState, StoreResult},
};

fn today() -> u32 {
    (now() / DAY_MS) as u32
}

fn kinds(statements: &[v1::Statement]) -> Vec<Kind> {
    statements.iter().map(v1::Statement::kind).collect()
}

#[tokio::test]
async fn each_measure_takes_effect() {
    let floor = Floor::new().await;
    for (measure, state, until_day, ends) in [
        (Measure::Dismiss, AccountState::Active, 0, false),
        (Measure::Warn, AccountState::Active, 0, false),
        (Measure::RestrictFirstContact { days: 30 }, AccountState::Restricted, today() + 30, false),
        (Measure::Suspend { days: 7 }, AccountState::Suspended, today() + 7, true),
        (Measure::Ban, AccountState::Banned, 0, true),
    ] {
        let mut ear = floor.world.hub.connect(floor.bob.device);
        let told_before = told(&floor.bob).await.len();
        let number = floor.case(|_| ()).await;
        let case = floor.decides(&sia(), number, measure).await.expect("decided");
        assert!(matches!(case.state(now()), State::Decided | State::Closed));
        assert_eq!(floor.row(number).await.state, case.state(now()));
        let account = floor.account().await;
        assert_eq!((account.state, account.until_day), (state, until_day), "{measure:?}");
        let mut ended = false;
        while let Some(note) = ear.try_next() {
            ended |= matches!(note, Note::Ended);
        }
        assert_eq!(ended, ends, "{measure:?}");
        let bobs = told(&floor.bob).await.split_off(told_before);
        if measure == Measure::Dismiss {
            assert!(bobs.is_empty());
            continue;
        }
        assert_eq!(kinds(&bobs), [Kind::Decision]);
        assert_eq!((&bobs[0].case_number, bobs[0].measure.as_str()), (&number.to_string(), measure.word()));
        // What the person is told is what holds: the account is free from this moment on.
        if until_day > 0 {
            assert_eq!(bobs[0].until_ms, u64::from(until_day + 1) * DAY_MS);
        }
    }
}

#[tokio::test]
async fn a_lighter_measure_lifts_no_heavier_one() {
    let floor = Floor::new().await;
    let number = floor.case(|_| ()).await;
    floor.decides(&sia(), number, Measure::Suspend { days: 30 }).await.expect("decided");
    for measure in [Measure::Warn, Measure::Dismiss, Measure::Suspend { days: 3 }] {
        let number = floor.case(|_| ()).await;
        floor.decides(&ada(), number, measure).await.expect("decided");
        let account = floor.account().await;
        assert_eq!((account.state, account.until_day), (AccountState::Suspended, today() + 30));
    }
    let number = floor.case(|_| ()).await;
    floor.decides(&sia(), number, Measure::Ban).await.expect("decided");
    assert_eq!(floor.account().await.state, AccountState::Banned);
}

#[tokio::test]
async fn whoever_reported_is_told_once_and_never_who_else_did() {
    let mut floor = Floor::new().await;
    // Alice reported twice.
    let number = floor.case(|_| ()).await;
    floor.decides(&ada(), number, Measure::Warn).await.expect("decided");
    assert_eq!(kinds(&told(&floor.alice).await), [Kind::ReportOutcome]);
    floor.appeals(number).await;
    floor.decides(&ben(), number, Measure::Dismiss).await.expect("decided");
    assert_eq!(kinds(&told(&floor.alice).await), [Kind::ReportOutcome]);
    let bobs = told(&floor.bob).await;
    assert_eq!(kinds(&bobs), [Kind::Decision, Kind::AppealTaken, Kind::AppealDecision]);
    assert!(bobs.iter().all(|statement| !statement.text.contains(&floor.alice.handle)));
}

#[tokio::test]
async fn an_appeal_is_decided_by_someone_else_and_may_undo() {
    let mut floor = Floor::new().await;
    let number = floor.case(|_| ()).await;
    floor.decides(&sia(), number, Measure::Ban).await.expect("decided");
    floor.appeals(number).await;
    let same = floor.decides(&sia(), number, Measure::Dismiss).await;
    assert!(matches!(same, Err(OfficeError::WhyNot(WhyNot::SamePerson(_)))));
    assert_eq!(floor.account().await.state, AccountState::Banned);
    // A moderator may leave a ban as it is, or make it less.
    floor.decides(&ada(), number, Measure::Suspend { days: 5 }).await.expect("decided");
    let account = floor.account().await;
    assert_eq!((account.state, account.until_day), (AccountState::Suspended, today() + 5));
    let again = floor.decides(&ben(), number, Measure::Dismiss).await;
    assert!(matches!(again, Err(OfficeError::WhyNot(WhyNot::NothingWaits))));
}

#[tokio::test]
async fn an_upheld_appeal_changes_nothing_and_a_lifted_one_frees() {
    let mut floor = Floor::new().await;
    let first = floor.case(|_| ()).await;
    floor.decides(&ada(), first, Measure::Suspend { days: 30 }).await.expect("decided");
    let second = floor.case(|_| ()).await;
    floor.decides(&ada(), second, Measure::Suspend { days: 10 }).await.expect("decided");
    floor.appeals(second).await;
    floor.decides(&ben(), second, Measure::Suspend { days: 10 }).await.expect("upheld");
    let suspended = |days| (AccountState::Suspended, today() + days);
    let state = async |floor: &Floor| {
        let account = floor.account().await;
        (account.state, account.until_day)
    };
    assert_eq!(state(&floor).await, suspended(30));
    // What another case asked for holds on when the heavier one is lifted.
    floor.appeals(first).await;
    floor.decides(&ben(), first, Measure::Dismiss).await.expect("lifted");
    assert_eq!(state(&floor).await, suspended(10));
    let third = floor.case(|_| ()).await;
    floor.decides(&ada(), third, Measure::Suspend { days: 20 }).await.expect("decided");
    floor.appeals(third).await;
    floor.decides(&ben(), third, Measure::Warn).await.expect("lifted");
    assert_eq!(state(&floor).await, suspended(10));
}

#[tokio::test]
async fn an_appeal_lifts_no_operators_suspension() {
    let mut floor = Floor::new().await;
    let bob = floor.bob.account;
    for held_first in [true, false] {
        let hold = async |floor: &Floor, held| {
            floor.world.write(move |tx| tx.set_account_held(&bob, held)).await;
        };
        hold(&floor, held_first).await;
        let number = floor.case(|_| ()).await;
        floor.decides(&sia(), number, Measure::Ban).await.expect("decided");
        assert_eq!(floor.account().await.state_on(today()), AccountState::Banned);
        hold(&floor, true).await;
        floor.appeals(number).await;
        floor.decides(&ben(), number, Measure::Dismiss).await.expect("lifted");
        let account = floor.account().await;
        assert_eq!(
            (account.state, account.state_on(today())),
            (AccountState::Active, AccountState::Suspended)
        );
        hold(&floor, false).await;
        assert_eq!(floor.account().await.state_on(today()), AccountState::Active);
    }
}

#[tokio::test]
async fn what_was_decided_in_a_group_holds_on_when_another_measure_is_lifted() {
    let mut floor = Floor::new().await;
    let group = floor.crowd_in(|case| case.subject = Subject::Room([5; 32]), 1).await;
    floor.decides(&ada(), group, Measure::Suspend { days: 10 }).await.expect("decided");
    let number = floor.case(|_| ()).await;
    floor.decides(&sia(), number, Measure::Ban).await.expect("decided");
    floor.appeals(number).await;
    floor.decides(&ben(), number, Measure::Dismiss).await.expect("lifted");
    let account = floor.account().await;
    assert_eq!((account.state, account.until_day), (AccountState::Suspended, today() + 10));
    floor.appeals(group).await;
    floor.decides(&ben(), group, Measure::Dismiss).await.expect("lifted");
    assert_eq!(floor.account().await.state, AccountState::Active);
}

#[tokio::test]
async fn a_ban_outlives_its_case() {
    let mut floor = Floor::new().await;
    let bob = floor.bob.account;
    floor.world.write(move |tx| tx.set_account_state(&bob, AccountState::Banned, 0)).await;
    let number = floor.case(|_| ()).await;
    floor.decides(&ada(), number, Measure::Suspend { days: 3 }).await.expect("decided");
    floor.appeals(number).await;
    floor.decides(&ben(), number, Measure::Dismiss).await.expect("lifted");
    assert_eq!(floor.account().await.state, AccountState::Banned);
}

#[tokio::test]
async fn an_upheld_appeal_does_not_begin_a_measure_anew() {
    let floor = Floor::new().await;
    let week = Measure::Suspend { days: 7 };
    for (ago, holds) in [(9, (AccountState::Active, 0)), (3, (AccountState::Suspended, today() + 4))] {
        let decided = |case: &mut Case| {
            appealed(case, &sia(), week);
            case.decision.as_mut().expect("decided").at_ms = now() - ago * DAY_MS;
        };
        let number = floor.case(decided).await;
        floor.decides(&ben(), number, week).await.expect("upheld");
        let account = floor.account().await;
        assert_eq!((account.state, account.until_day), holds, "{ago} days ago");
    }
}

#[tokio::test]
async fn in_a_case_about_a_group_a_measure_is_against_a_sender() {
    let floor = Floor::new().await;
    let group = |case: &mut Case| case.subject = Subject::Room([5; 32]);
    let number = floor.case(group).await;
    let answer = floor.decides(&ada(), number, Measure::Suspend { days: 3 }).await;
    assert!(matches!(answer, Err(OfficeError::WhyNot(WhyNot::Person))), "{answer:?}");
    assert_eq!(floor.account().await.state, AccountState::Active);
    floor.desk.act(&ada(), number, floor.decision(Measure::Dismiss)).await.expect("decided");
    // The same with a message of Bob's in a report.
    let number = floor.crowd_in(group, 1).await;
    floor.decides(&ada(), number, Measure::Suspend { days: 3 }).await.expect("decided");
    assert_eq!(floor.account().await.state, AccountState::Suspended);
}

#[tokio::test]
async fn of_two_at_once_one_wins() {
    let floor = Floor::new().await;
    let number = floor.case(|_| ()).await;
    let (a, b) = (ada(), ben());
    let both = tokio::join!(floor.desk.act(&a, number, Act::Claim), floor.desk.act(&b, number, Act::Claim));
    let why = both.1.expect_err("one is first");
    assert!(both.0.is_ok() && matches!(why, OfficeError::WhyNot(WhyNot::Claimed(by)) if by == a.id));
    // The same person in two windows.
    let decide = |measure| floor.desk.act(&a, number, floor.decision(measure));
    let both = tokio::join!(decide(Measure::Warn), decide(Measure::Suspend { days: 3 }));
    assert!(both.0.is_ok() && matches!(both.1, Err(OfficeError::WhyNot(WhyNot::NothingWaits))));
    assert_eq!(floor.account().await.state, AccountState::Active);
    assert_eq!(kinds(&told(&floor.bob).await), [Kind::Decision]);
    let released = floor.desk.act(&b, number, Act::Release).await;
    assert!(matches!(released, Err(OfficeError::WhyNot(WhyNot::NothingWaits))));
}

#[tokio::test]
async fn evidence_needs_two_people_and_ends_after_a_week() {
    let floor = Floor::new().await;
    let number = floor.case(|_| ()).await;
    let nothing = |answer: &Result<Vec<u8>, OfficeError>| {
        matches!(answer, Err(OfficeError::WhyNot(WhyNot::NothingWaits)))
    };
    assert!(nothing(&floor.desk.evidence(&sia(), number).await));
    floor.desk.act(&sia(), number, Act::AskExport).await.expect("asked");
    assert!(nothing(&floor.desk.evidence(&sia(), number).await));
    let alone = floor.desk.act(&sia(), number, Act::AllowExport).await;
    assert!(matches!(alone, Err(OfficeError::WhyNot(WhyNot::SamePerson(_)))));
    floor.desk.act(&sol(), number, Act::AllowExport).await.expect("allowed");
    let third = floor.desk.evidence(&ada(), number).await;
    assert!(matches!(third, Err(OfficeError::WhyNot(WhyNot::OnlyThey(..)))), "{third:?}");
    let bytes = floor.desk.evidence(&sia(), number).await.expect("exported");
    let checked = archive::check(&bytes).expect("it verifies");
    assert_eq!(checked.case.number, number);
    let acts: Vec<_> = floor.log().await.into_iter().map(|entry| (entry.act, entry.detail)).collect();
    let last = acts.last().expect("a line");
    assert!(last.0 == "exported" && last.1.starts_with("sha256 "), "{acts:?}");
    let old = floor.case(|case| case.export = allowed(7 * DAY_MS + 1)).await;
    assert!(nothing(&floor.desk.evidence(&sia(), old).await));
    let young = floor.case(|case| case.export = allowed(7 * DAY_MS - 60_000)).await;
    floor.desk.evidence(&sia(), young).await.expect("exported");
    let more = |case: &mut Case| (case.export, case.reports) = (allowed(0), 3);
    let outgrown = floor.desk.evidence(&sia(), floor.case(more).await).await;
    assert!(matches!(outgrown, Err(OfficeError::WhyNot(WhyNot::Outgrown))), "{outgrown:?}");
}

#[tokio::test]
async fn every_act_is_in_the_log_and_the_log_names_nobody_outside() {
    let mut floor = Floor::new().await;
    let number = floor.case(|_| ()).await;
    floor.desk.whole(&ada(), number).await.expect("seen");
    floor.decides(&ada(), number, Measure::Suspend { days: 3 }).await.expect("decided");
    floor.appeals(number).await;
    floor.desk.act(&ben(), number, Act::Claim).await.expect("claimed");
    floor.desk.act(&sia(), number, Act::Release).await.expect("released");
    floor.decides(&ben(), number, Measure::Warn).await.expect("decided");
    floor.desk.act(&ben(), number, Act::AskExport).await.expect("asked");
    floor.desk.act(&sia(), number, Act::AllowExport).await.expect("allowed");
    floor.desk.evidence(&ben(), number).await.expect("exported");
    let lines: Vec<String> = floor.world.read(|tx| -> StoreResult<_> { tx.log_lines(1, 1000) }).await;
    let (entries, head) = verify_log(LogHead::default(), lines.iter().map(String::as_str)).expect("a chain");
    assert_eq!(floor.desk.log(&aud()).await.expect("the log").1, head);
    let acts: Vec<_> = entries.iter().map(|entry| (entry.who.0.as_str(), entry.act.as_str())).collect();
    assert_eq!(
        acts,
        [
            ("ada", "see"),
            ("ada", "claim"),
            ("ada", "decide"),
            ("person", "appeal"),
            ("ben", "claim"),
            ("sia", "release"),
            ("ben", "claim"),
            ("ben", "decide"),
            ("ben", "ask-export"),
            ("sia", "allow-export"),
            ("ben", "export"),
            ("ben", "exported"),
        ]
    );
    // An account's state is not sealed: the log does not tell whose it could be.
    assert_eq!(entries[2].detail, "");
    assert_eq!(entries[5].detail, "of ben");
    assert_eq!(entries[7].detail, "on appeal");
    assert!(entries.iter().all(|entry| entry.case == Some(number)));
    let log = lines.concat();
    let ids = [floor.bob.account.to_hex(), floor.alice.account.to_hex()];
    for secret in [floor.bob.handle.as_str(), &floor.alice.handle, &ids[0], &ids[1], NOTE, "joke", "pictures"]
    {
        assert!(!log.contains(secret), "{secret}");
    }
}

#[tokio::test]
async fn a_case_that_is_not_there_is_said_to_be_so() {
    let floor = Floor::new().await;
    let number = CaseNumber::new(5);
    assert!(matches!(floor.desk.whole(&ada(), number).await, Err(OfficeError::NotFound)));
    assert!(matches!(floor.desk.act(&ada(), number, Act::Claim).await, Err(OfficeError::NotFound)));
    assert!(matches!(floor.desk.evidence(&ada(), number).await, Err(OfficeError::NotFound)));
    assert!(floor.log().await.is_empty());
}

#[tokio::test]
async fn somebody_who_is_gone_is_decided_about_all_the_same() {
    let mut floor = Floor::new().await;
    let number = floor.case(|_| ()).await;
    let delete = v1::DeleteAccount { handle: floor.bob.handle.clone() };
    floor.bob.call(ask::Body::DeleteAccount(delete)).await.expect("deleted");
    floor.decides(&sia(), number, Measure::Ban).await.expect("decided");
    assert_eq!(kinds(&told(&floor.alice).await), [Kind::ReportOutcome]);
}
