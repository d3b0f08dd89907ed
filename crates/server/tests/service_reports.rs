//! Reports: what is proven and what is not, which case they come to, and that no number of them does anything.

mod report_help;
mod service_help;

use report_help::*;
use service_help::*;
use zegel_cases::{Act, Category, Finding, LogHead, Measure, Role, State, verify_log};
use zegel_desk::Office as _;
use zegel_franking::REPORTING_WINDOW_MS;
use zegel_proto::{
    AccountId, Code, GroupId, RoomId, room_of, user_uri,
    v1::{self, client_frame as ask, entry::Body, report_state::Outcome, report_state::State as Stands},
};
use zegel_server::{
    clock::Now,
    config::Config,
    store::{AccountState, Cut},
};

async fn two() -> (World, Person, Person) {
    let world = World::new().await;
    let (victim, abuser) = (world.adult("victim").await, world.adult("abuser").await);
    (world, victim, abuser)
}

/// Why each disclosed message is not proven, of a report by a fresh person.
async fn findings(world: &World, of: &AccountId, run: Vec<v1::Disclosed>) -> Vec<String> {
    let mut person = world.adult(&format!("p{}", rand::random::<u32>())).await;
    reports(&mut person, about(of, run)).await.expect("taken").findings
}

#[tokio::test]
async fn a_message_is_reported_proven_decided_and_told() {
    let (world, mut victim, mut abuser) = two().await;
    let group = conversation(&mut abuser).await;
    let first = says(&mut abuser, &group, "I know where you live").await;
    let private = says(&mut victim, &group, "who are you").await;
    says(&mut abuser, &group, "not mentioned at all").await;
    let last = says(&mut abuser, &group, "I come tonight").await;
    let report = about(&abuser.account, vec![first.disclosed(), private.withheld(), last.disclosed()]);

    let state = reports(&mut victim, report.clone()).await.expect("taken");
    assert_eq!((state.messages, state.proven), (2, 2));
    assert_eq!(state.findings, ["", ""]);
    assert_eq!((state.state(), state.outcome()), (Stands::Received, Outcome::None));
    assert_eq!(state.id, report.id);
    // The answer was lost: it is the same report.
    assert_eq!(reports(&mut victim, report).await.expect("the same"), state);

    let ada = AtDesk::new(&world, "ada", Role::Moderator).await;
    let whole = ada.sees(&state.case_number).await;
    let case = &whole.line.case;
    assert_eq!((case.reports, case.disclosed, case.proven), (1, 2, 2));
    assert_eq!((&*case.handle, whole.line.state, whole.line.doubtful), ("abuser", State::Open, false));
    let run = &whole.reports[0].run;
    let seen: Vec<_> =
        run.iter().map(|shown| (&shown.finding, shown.gap, &*shown.handle, &*shown.text)).collect();
    let expected = [
        (&Finding::Proven, 0, "abuser", "I know where you live"),
        (&Finding::Withheld, 0, "victim", ""),
        (&Finding::Proven, 1, "abuser", "I come tonight"),
    ];
    assert_eq!(seen, expected);
    assert_eq!(run[1].content, "", "what was withheld is not there");
    assert_eq!(whole.reports[0].room, room_of(&group.id).to_hex());
    assert!(whole.reports[0].young);

    ada.act(&state.case_number, Act::Claim).await.expect("claimed");
    assert_eq!(reported(&mut victim).await[0].state(), Stands::InReview);
    abuser.ack_all().await;
    victim.ack_all().await;
    ada.decides(&state.case_number, &abuser.account, Measure::Warn).await.expect("decided");
    let after = reported(&mut victim).await;
    assert_eq!((after[0].state(), after[0].outcome()), (Stands::Decided, Outcome::Action));

    // Both are told, in their mailboxes as well, by signed statements of the service.
    for (person, kind) in
        [(&mut abuser, v1::statement::Kind::Decision), (&mut victim, v1::statement::Kind::ReportOutcome)]
    {
        let statement = told(&world, person).await.pop().expect("told");
        assert_eq!((statement.kind(), &statement.account[..]), (kind, person.account.as_ref()));
        assert_eq!(statement.case_number, state.case_number);
        let bodies = person.bodies().await;
        let in_mailbox = bodies
            .iter()
            .any(|body| matches!(body, Body::Statement(signed) if opened(&world, signed) == statement));
        assert!(in_mailbox, "{kind:?}");
    }
    // All of it is in the log.
    let lines = world.read(|tx| tx.log_lines(1, 100)).await;
    let (entries, _) = verify_log(LogHead::default(), lines.iter().map(String::as_str)).expect("whole");
    let acts: Vec<_> = entries.iter().map(|entry| (&*entry.who.0, &*entry.act)).collect();
    assert_eq!(acts[0], ("service", "open"));
    assert!(acts.contains(&("ada", "decide")), "{acts:?}");
    assert_eq!(entries[0].at_ms % 3_600_000, 0, "only the hour is told");
}

#[tokio::test]
async fn what_is_forged_spliced_moved_or_too_old_is_not_proven() {
    let (world, _, mut abuser) = two().await;
    let of = abuser.account;
    let group = conversation(&mut abuser).await;
    let (one, two) = (says(&mut abuser, &group, "one").await, says(&mut abuser, &group, "two").await);
    let other_group = conversation(&mut abuser).await;
    let elsewhere = says(&mut abuser, &other_group, "elsewhere").await;

    let forged = |change: fn(&mut v1::Disclosed)| {
        let mut link = one.disclosed();
        change(&mut link);
        link
    };
    let flip = |bytes: &bytes::Bytes| {
        let mut bytes = bytes.to_vec();
        bytes[5] ^= 1;
        bytes::Bytes::from(bytes)
    };
    let mut stamp = one.disclosed();
    stamp.stamped = Some(v1::Stamped { stamp: flip(&one.stamped.stamp), ..one.stamped.clone() });
    let mut context = one.disclosed();
    let mut moved = one.context();
    moved.accepted_ms += 1;
    context.stamped = Some(v1::Stamped { context: moved.to_bytes().to_vec().into(), ..one.stamped.clone() });
    let other_content = Said { content: two.content.clone(), ..one.clone() };
    let old = one.stamped_anew(&world, |context| context.accepted_ms -= REPORTING_WINDOW_MS + 60_000);
    let gone = one.stamped_anew(&world, |context| context.key_id = 99);
    let cases = [
        (vec![stamp], vec!["did not stamp"]),
        (vec![context], vec!["did not stamp"]),
        (vec![other_content.disclosed()], vec!["did not commit to this content"]),
        (vec![one.disclosed(), elsewhere.disclosed()], vec!["", "another conversation"]),
        (vec![two.disclosed(), one.disclosed()], vec!["", "does not come after"]),
        (vec![one.disclosed(), one.disclosed()], vec!["", "does not come after"]),
        (vec![old.disclosed()], vec!["too old"]),
        (vec![gone.disclosed()], vec!["unknown or no longer kept"]),
        (vec![forged(|link| link.stamped = None)], vec!["no readable context"]),
        (vec![forged(|link| link.content = b"\xff no cbor"[..].into())], vec!["no message"]),
        (vec![forged(|link| link.stamped.as_mut().expect("one").stamp.clear())], vec!["did not stamp"]),
        (
            vec![forged(|link| link.stamped.as_mut().expect("one").context.clear())],
            vec!["no readable context"],
        ),
    ];
    for (run, expected) in cases {
        let found = findings(&world, &of, run).await;
        assert_eq!(found.len(), expected.len(), "{found:?}");
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found.is_empty(), expected.is_empty(), "{found} / {expected}");
            assert!(found.contains(expected), "{found} / {expected}");
        }
    }
}

#[tokio::test]
async fn what_says_it_is_from_somebody_else_or_elsewhere_is_not_proven() {
    let (world, victim, mut abuser) = two().await;
    let group = conversation(&mut abuser).await;
    let mut as_victim = text("abuser", &group.id, "I did it");
    as_victim.sender_uri = user_uri("localhost", &victim.handle);
    let as_victim = says_content(&mut abuser, &group, &as_victim).await;
    let mut elsewhere = text("abuser", &group.id, "I did it");
    elsewhere.room_uri = zegel_proto::room_uri("localhost", &RoomId([7; 32]));
    let elsewhere = says_content(&mut abuser, &group, &elsewhere).await;
    let found = findings(&world, &abuser.account, vec![as_victim.disclosed(), elsewhere.disclosed()]).await;
    assert!(found[0].contains("another sender"), "{found:?}");
    assert!(found[1].contains("another conversation"), "{found:?}");

    // A report about one conversation takes no proof from another.
    let good = says(&mut abuser, &group, "true").await;
    let mut report = about(&abuser.account, vec![good.disclosed()]);
    report.room = RoomId([7; 32]).to_field();
    let mut reporter = world.adult("reporter").await;
    let state = reports(&mut reporter, report).await.expect("taken");
    assert_eq!((state.messages, state.proven), (1, 0));
    assert!(state.findings[0].contains("another conversation"));
}

#[tokio::test]
async fn a_replay_is_refused_and_a_second_victim_joins() {
    let (world, mut victim, mut abuser) = two().await;
    let group = conversation(&mut abuser).await;
    let one = says(&mut abuser, &group, "one").await;
    let first = reports(&mut victim, about(&abuser.account, vec![one.disclosed()])).await.expect("taken");
    let refused =
        reports(&mut victim, about(&abuser.account, vec![one.disclosed()])).await.expect_err("again");
    assert_eq!(Code::from_wire(refused.code), Code::BadRequest);
    assert!(refused.message.contains(&first.case_number), "{}", refused.message);

    // Along with another message it is proven still, and not counted again.
    let two = says(&mut abuser, &group, "two").await;
    let run = vec![one.disclosed(), two.disclosed()];
    let second = reports(&mut victim, about(&abuser.account, run)).await.expect("taken");
    assert_eq!((second.case_number == first.case_number, second.messages, second.proven), (true, 2, 2));
    let ada = AtDesk::new(&world, "ada", Role::Moderator).await;
    let case = ada.sees(&first.case_number).await.line.case;
    assert_eq!((case.reports, case.disclosed, case.proven), (2, 2, 2));

    let mut other = world.adult("other").await;
    let third = reports(&mut other, about(&abuser.account, vec![one.disclosed()])).await.expect("taken");
    assert_eq!((third.case_number == first.case_number, third.proven), (true, 1));
    assert_eq!(ada.sees(&first.case_number).await.line.case.reports, 3);
    assert_eq!(reported(&mut other).await.len(), 1, "everybody sees their own");
    assert_eq!(reported(&mut victim).await.len(), 2);

    // What was decided stays decided: what comes after it is a new case.
    ada.decides(&first.case_number, &abuser.account, Measure::Warn).await.expect("decided");
    let three = says(&mut abuser, &group, "three").await;
    let fourth = reports(&mut victim, about(&abuser.account, vec![three.disclosed()])).await.expect("taken");
    assert_ne!(fourth.case_number, first.case_number);
    let whole = ada.sees(&fourth.case_number).await;
    assert_eq!((whole.reports[0].earlier, whole.others.len()), ((2, 2), 1));
}

#[tokio::test]
async fn reports_work_over_a_rotation_of_the_key() {
    let (world, mut victim, mut abuser) = two().await;
    let group = conversation(&mut abuser).await;
    let before = says(&mut abuser, &group, "before").await;
    world.keys().rotate_franking(Now::get()).expect("rotated");
    world.service.reload(world.keys()).expect("reloaded");
    let after = says(&mut abuser, &group, "after").await;
    assert_ne!(before.context().key_id, after.context().key_id);
    let run = vec![before.disclosed(), after.disclosed()];
    let state = reports(&mut victim, about(&abuser.account, run)).await.expect("taken");
    assert_eq!((state.messages, state.proven), (2, 2));
}

#[tokio::test]
async fn what_is_no_report_is_refused_in_words() {
    let (world, mut victim, mut abuser) = two().await;
    let of = abuser.account;
    let group = conversation(&mut abuser).await;
    let one = says(&mut abuser, &group, "one").await;
    let good = about(&of, vec![one.disclosed()]);
    let none = bytes::Bytes::new;
    let many = |count, link: v1::Disclosed| v1::Report { run: vec![link; count], ..good.clone() };
    let large = v1::Disclosed { content: vec![1; 70_000].into(), ..one.disclosed() };
    for (report, code) in [
        (many(31, one.disclosed()), Code::TooLarge),
        (many(257, one.withheld()), Code::TooLarge),
        (many(1, large), Code::TooLarge),
        (v1::Report { note: "x".repeat(2001), ..good.clone() }, Code::TooLarge),
        (v1::Report { id: vec![1; 15].into(), ..good.clone() }, Code::BadRequest),
        (v1::Report { about: victim.account.to_field(), ..good.clone() }, Code::BadRequest),
        (v1::Report { about: none(), ..good.clone() }, Code::BadRequest),
        (v1::Report { about: vec![1; 5].into(), ..good.clone() }, Code::BadRequest),
        (v1::Report { room: vec![1; 5].into(), ..good.clone() }, Code::BadRequest),
        (v1::Report { about: AccountId::random().to_field(), ..good.clone() }, Code::NotFound),
        (
            v1::Report { about: none(), room: GroupId::random().0.to_vec().into(), ..good.clone() },
            Code::NotFound,
        ),
    ] {
        let error = reports(&mut victim, report).await.expect_err("refused");
        assert_eq!(Code::from_wire(error.code), code, "{error:?}");
    }
    assert!(reported(&mut victim).await.is_empty());
    // A category of the future is another; nothing need be disclosed; a group can be meant as a whole.
    let group_as_whole =
        v1::Report { about: none(), room: room_of(&group.id).to_field(), category: 999, run: vec![], ..good };
    let state = reports(&mut victim, group_as_whole).await.expect("taken");
    assert_eq!((state.category(), state.messages), (v1::ReportCategory::Other, 0));
    // Whoever is gone can be reported still.
    let handle = abuser.handle.clone();
    abuser.call(ask::Body::DeleteAccount(v1::DeleteAccount { handle })).await.expect("deleted");
    let state = reports(&mut victim, about(&of, vec![one.disclosed()])).await.expect("taken");
    assert_eq!(state.proven, 1);
    let ada = AtDesk::new(&world, "ada", Role::Moderator).await;
    assert_eq!(ada.sees(&state.case_number).await.line.case.handle, "abuser");
}

#[tokio::test]
async fn reports_have_a_rate() {
    let (_world, mut victim, abuser) = two().await;
    let again = about(&abuser.account, vec![]);
    reports(&mut victim, again.clone()).await.expect("taken");
    for _ in 1..10 {
        reports(&mut victim, about(&abuser.account, vec![])).await.expect("taken");
    }
    let error = reports(&mut victim, about(&abuser.account, vec![])).await.expect_err("too many");
    assert_eq!(Code::from_wire(error.code), Code::RateLimited);
    assert!(error.retry_after_ms > 0);
    // What was taken is answered.
    reports(&mut victim, again).await.expect("the same as before");
}

#[tokio::test]
async fn who_was_mostly_wrong_waits_behind_others_unless_it_is_proven() {
    let (world, mut liar, mut abuser) = two().await;
    grows_old(&world, &liar).await;
    let group = conversation(&mut abuser).await;
    let ada = AtDesk::new(&world, "ada", Role::Moderator).await;
    for _ in 0..3 {
        let taken = reports(&mut liar, about(&abuser.account, vec![])).await.expect("taken");
        assert!(!ada.sees(&taken.case_number).await.line.doubtful);
        ada.decides(&taken.case_number, &abuser.account, Measure::Dismiss).await.expect("decided");
    }
    let fourth = reports(&mut liar, about(&abuser.account, vec![])).await.expect("taken");
    let whole = ada.sees(&fourth.case_number).await;
    assert_eq!((whole.line.doubtful, whole.reports[0].earlier), (true, (3, 0)));
    // Their own words prove nothing about another.
    let own = says(&mut liar, &group, "help").await;
    reports(&mut liar, about(&abuser.account, vec![own.disclosed()])).await.expect("taken");
    let line = ada.sees(&fourth.case_number).await.line;
    assert_eq!((line.doubtful, line.case.disclosed, line.case.proven), (true, 0, 0));
    let real = says(&mut abuser, &group, "I will hurt you").await;
    reports(&mut liar, about(&abuser.account, vec![real.disclosed()])).await.expect("taken");
    let line = ada.sees(&fourth.case_number).await.line;
    assert_eq!((line.doubtful, line.case.disclosed, line.case.proven), (false, 1, 1));
}

/// The account is a month old.
async fn grows_old(world: &World, person: &Person) {
    let id = person.account;
    world
        .write(move |tx| {
            let mut account = tx.account(&id)?.expect("there");
            account.created_day -= 30;
            tx.put_account(&account, &account.handle)
        })
        .await;
}

#[tokio::test]
async fn without_proof_nobody_lifts_a_case_over_others() {
    let (world, mut victim, mut abuser) = two().await;
    let (mut old, mut young) = (world.adult("old").await, world.adult("young").await);
    grows_old(&world, &old).await;
    let group = conversation(&mut abuser).await;
    let real = says(&mut abuser, &group, "send me a picture").await;
    let report = |category: v1::ReportCategory, run| v1::Report {
        category: category.into(),
        ..about(&abuser.account, run)
    };
    let ada = AtDesk::new(&world, "ada", Role::Moderator).await;
    // Somebody new, without proof, waits behind others; somebody known does not.
    let case =
        reports(&mut young, report(v1::ReportCategory::Spam, vec![])).await.expect("taken").case_number;
    let line = ada.sees(&case).await.line;
    assert_eq!((line.doubtful, line.case.category), (true, Category::Spam));
    reports(&mut old, report(v1::ReportCategory::ChildAbuse, vec![])).await.expect("taken");
    let line = ada.sees(&case).await.line;
    assert_eq!((line.doubtful, line.case.category), (false, Category::Spam), "known, and no proof");
    let run = vec![real.disclosed()];
    reports(&mut victim, report(v1::ReportCategory::ChildAbuse, run)).await.expect("taken");
    let line = ada.sees(&case).await.line;
    assert_eq!((line.doubtful, line.case.category), (false, Category::ChildAbuse));
}

#[tokio::test]
async fn what_is_invented_takes_little_room() {
    let (world, mut victim, mut abuser) = two().await;
    let group = conversation(&mut abuser).await;
    let one = says(&mut abuser, &group, "one").await;
    let long = text("abuser", &group.id, &"é".repeat(5000)).encode().expect("a content");
    // The stamp is real and the content is not; neither is; and what is no message at all.
    let link = |content: &[u8]| v1::Disclosed { content: content.to_vec().into(), ..one.disclosed() };
    let mut forged = link(&long);
    forged.stamped = Some(v1::Stamped { context: vec![9; 300].into(), stamp: vec![9; 64].into() });
    let mut run = vec![link(&long), forged];
    run.resize(30, link(&[1; 60_000]));
    let state = reports(&mut victim, about(&abuser.account, run)).await.expect("taken");
    assert_eq!((state.messages, state.proven), (30, 0));
    assert!(
        state.findings[0].ends_with("only its first 1000 characters are kept"),
        "{:?}",
        state.findings[0]
    );

    let number: zegel_cases::CaseNumber = state.case_number.parse().expect("a number");
    let heads = world.read(move |tx| tx.reports_in(number.get())).await;
    assert!(heads[0].len < 64 << 10, "{} bytes", heads[0].len);
    let ada = AtDesk::new(&world, "ada", Role::Moderator).await;
    let report = ada.sees(&state.case_number).await.reports.remove(0);
    assert_eq!(report.counts(), (30, 0));
    assert_eq!(report.run[0].text, "é".repeat(1000));
    assert_eq!((report.run[1].text.chars().count(), &*report.run[2].text), (1000, "(no readable text)"));
    // The evidence says the same.
    let sia = AtDesk::new(&world, "sia", Role::Senior).await;
    ada.act(&state.case_number, Act::AskExport).await.expect("asked");
    sia.act(&state.case_number, Act::AllowExport).await.expect("allowed");
    let evidence = ada.desk.evidence(&ada.staff, number).await.expect("evidence");
    let checked = zegel_cases::archive::check(&evidence).expect("an archive");
    assert_eq!((checked.counts(), checked.reports[0].counts()), ((0, 0, 30), (30, 0)));
    assert!(evidence.len() < 64 << 10, "{} bytes", evidence.len());
}

#[tokio::test]
async fn a_change_of_the_group_is_called_one() {
    let (world, mut victim, mut abuser) = two().await;
    let mut group = Group::new();
    let founding = group.commits(&[]);
    let stamped = abuser.submit(founding).await.expect("founded").stamps[0].clone();
    let said = says(&mut abuser, &group, "one").await;
    let run = vec![v1::Disclosed { stamped: Some(stamped), ..Default::default() }, said.disclosed()];
    let state = reports(&mut victim, about(&abuser.account, run)).await.expect("taken");
    assert_eq!((state.messages, state.proven), (1, 1));
    let ada = AtDesk::new(&world, "ada", Role::Moderator).await;
    let report = ada.sees(&state.case_number).await.reports.remove(0);
    assert_eq!([&report.run[0].finding, &report.run[1].finding], [&Finding::Change, &Finding::Proven]);
}

#[tokio::test]
async fn who_is_gone_for_long_is_reported_by_their_stamps() {
    let (world, mut victim, mut abuser) = two().await;
    let group = conversation(&mut abuser).await;
    let one = says(&mut abuser, &group, "one").await;
    let (of, handle) = (abuser.account, abuser.handle.clone());
    abuser.call(ask::Body::DeleteAccount(v1::DeleteAccount { handle })).await.expect("deleted");
    world.service.publish_all().await;
    let cut = Cut { ended_day: u32::MAX, ..Cut::default() };
    world.write(move |tx| tx.sweep(&cut, 500).map(drop)).await;
    let error = reports(&mut victim, about(&of, vec![])).await.expect_err("nothing names them");
    assert_eq!(Code::from_wire(error.code), Code::NotFound);
    let state = reports(&mut victim, about(&of, vec![one.disclosed()])).await.expect("taken");
    assert_eq!((state.messages, state.proven), (1, 1));
    let ada = AtDesk::new(&world, "ada", Role::Moderator).await;
    assert_eq!(ada.sees(&state.case_number).await.line.case.handle, "");
}

#[tokio::test]
async fn no_number_of_reports_does_anything_to_an_account() {
    let mut config = Config::default();
    config.limits.register_per_address.burst = 1000;
    let world = World::with(config).await;
    let mut target = world.adult("target").await;
    let group = conversation(&mut target).await;
    let before = target.bodies().await.len();
    let mut case = String::new();
    for n in 0..200 {
        let mut person = world.adult(&format!("crowd{n}")).await;
        let mut report = about(&target.account, vec![]);
        report.category = v1::ReportCategory::ChildAbuse.into();
        case = reports(&mut person, report).await.expect("taken").case_number;
    }
    let id = target.account;
    let account = world.read(move |tx| tx.account(&id)).await.expect("there");
    assert_eq!((account.state, account.until_day), (AccountState::Active, 0));
    assert_eq!(target.bodies().await.len(), before, "nothing was said to it");
    assert!(told(&world, &mut target).await.is_empty());
    says(&mut target, &group, "still here").await;
    // The desk sees the cluster, as one case.
    let ada = AtDesk::new(&world, "ada", Role::Moderator).await;
    let whole = ada.sees(&case).await;
    assert_eq!((whole.line.case.reports, whole.line.case.proven, whole.cluster), (200, 0, (200, 200)));
    assert_eq!(ada.desk.queue(&ada.staff, State::Open, None).await.expect("a queue").total, 1);
}
