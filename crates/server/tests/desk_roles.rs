//! Who may do what at the desk, role by role and call by call.

mod desk_help;
mod service_help;

use desk_help::*;
use zegel_cases::{Act, CaseNumber, Category, LogHead, Measure, Permission, Role, Staff, State, WhyNot};
use zegel_desk::{Office as _, OfficeError};
use zegel_server::store::StaffRow;

/// Every call that a role can be too little for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Call {
    Queue,
    Whole,
    Claim,
    Release,
    Warn,
    Ban,
    DecideAppeal,
    LeaveBan,
    AskExport,
    AllowExport,
    Evidence,
    File,
    Log,
    LogVerified,
    LogExport,
}

impl Call {
    const ALL: [Self; 15] = [
        Self::Queue,
        Self::Whole,
        Self::Claim,
        Self::Release,
        Self::Warn,
        Self::Ban,
        Self::DecideAppeal,
        Self::LeaveBan,
        Self::AskExport,
        Self::AllowExport,
        Self::Evidence,
        Self::File,
        Self::Log,
        Self::LogVerified,
        Self::LogExport,
    ];

    fn needs(self) -> Permission {
        match self {
            Self::Queue | Self::Whole => Permission::SeeCases,
            Self::Claim | Self::Release | Self::Warn => Permission::Decide,
            Self::Ban => Permission::Ban,
            Self::DecideAppeal | Self::LeaveBan => Permission::DecideAppeals,
            Self::AskExport | Self::Evidence | Self::File => Permission::AskExport,
            Self::AllowExport => Permission::AllowExport,
            Self::Log | Self::LogVerified | Self::LogExport => Permission::SeeLog,
        }
    }

    /// A case in which nothing but the role can be in the way.
    async fn case(self, floor: &Floor, who: &Staff) -> CaseNumber {
        floor
            .case(|case| match self {
                Self::Release | Self::Warn | Self::Ban => case.claim = Some(claim(who, 0)),
                Self::DecideAppeal => {
                    appealed(case, &staff("old", Role::Senior), Measure::Warn);
                    case.claim = Some(claim(who, 0));
                }
                Self::LeaveBan => {
                    appealed(case, &staff("old", Role::Senior), Measure::Ban);
                    case.claim = Some(claim(who, 0));
                }
                Self::AllowExport => {
                    case.export = allowed(0);
                    case.export.as_mut().expect("asked").allowed = None;
                }
                Self::Evidence | Self::File => {
                    case.export = allowed(0);
                    case.export.as_mut().expect("asked").asked.by = who.id.clone();
                }
                _ => {}
            })
            .await
    }

    async fn make(self, floor: &Floor, who: &Staff, number: CaseNumber) -> Result<(), OfficeError> {
        let desk = &floor.desk;
        let act = match self {
            Self::Queue => return desk.queue(who, State::Open, None).await.map(drop),
            Self::Whole => return desk.whole(who, number).await.map(drop),
            Self::Evidence => return desk.evidence(who, number).await.map(drop),
            Self::File => {
                // Who may file is told that nothing is configured.
                return match desk.file(who, number).await {
                    Err(OfficeError::Filing(text)) if text.contains("[desk.filing]") => Ok(()),
                    other => other.map(|number| panic!("filed as {number}")),
                };
            }
            Self::Log => return desk.log(who).await.map(drop),
            Self::LogVerified => return desk.log_verified(who).await.map(|log| assert!(log.is_ok())),
            Self::LogExport => return desk.log_export(who).await.map(|log| drop(log.expect("whole"))),
            Self::Claim => Act::Claim,
            Self::Release => Act::Release,
            Self::Warn => floor.decision(Measure::Warn),
            Self::Ban | Self::LeaveBan => floor.decision(Measure::Ban),
            Self::DecideAppeal => floor.decision(Measure::Dismiss),
            Self::AskExport => Act::AskExport,
            Self::AllowExport => Act::AllowExport,
        };
        desk.act(who, number, act).await.map(drop)
    }
}

#[tokio::test]
async fn every_role_may_what_the_table_says_and_nothing_else() {
    for role in Role::ALL {
        let floor = Floor::new().await;
        let who = match role {
            Role::Moderator => ada(),
            Role::Senior => sol(),
            Role::Auditor => aud(),
        };
        for call in Call::ALL {
            let number = call.case(&floor, &who).await;
            let (row, account) = (floor.row(number).await, floor.account().await);
            let answer = call.make(&floor, &who, number).await;
            if role.may(call.needs()) {
                answer.unwrap_or_else(|error| panic!("{role:?} {call:?}: {error}"));
                continue;
            }
            assert!(
                matches!(answer, Err(OfficeError::WhyNot(WhyNot::Role))),
                "{role:?} {call:?}: {answer:?}"
            );
            assert_eq!((floor.row(number).await, floor.account().await), (row, account), "{role:?} {call:?}");
            let last = floor.log().await.pop().expect("a line");
            assert_eq!((last.act.as_str(), &last.who), ("refused", &who.id), "{call:?}");
            let about_a_case = !matches!(call, Call::Queue | Call::Log | Call::LogVerified | Call::LogExport);
            assert_eq!(last.case, about_a_case.then_some(number));
        }
    }
}

#[tokio::test]
async fn the_page_is_not_believed_who_somebody_is() {
    let floor = Floor::new().await;
    let number = floor.case(|_| ()).await;
    let role = |answer: Result<_, _>| matches!(answer, Err(OfficeError::WhyNot(WhyNot::Role)));
    // Another role than the row's, nobody at all, and somebody who was removed a moment ago.
    assert!(role(floor.desk.act(&staff("ada", Role::Senior), number, Act::Claim).await));
    assert!(role(floor.desk.act(&staff("eve", Role::Senior), number, Act::Claim).await));
    assert!(floor.desk.whole(&ada(), number).await.is_ok());
    floor
        .world
        .write(|tx| {
            let row = tx.staff("ada")?.expect("she is there");
            tx.put_staff(&StaffRow { removed: true, ..row })
        })
        .await;
    assert!(role(floor.desk.act(&ada(), number, Act::Claim).await));
    assert!(floor.desk.member(&ada().id).await.expect("read").is_none());
    assert!(floor.desk.member_by_handle(&[1; 16]).await.expect("read").is_none());
    assert!(floor.desk.member_by_handle(&[2; 16]).await.expect("read").is_some());
    // An auditor does not even learn which cases there are.
    let (there, not) =
        (floor.desk.whole(&aud(), number).await, floor.desk.whole(&aud(), CaseNumber::new(1)).await);
    assert_eq!(there.expect_err("refused").to_string(), not.expect_err("refused").to_string());
}

#[tokio::test]
async fn an_invitation_is_good_for_one_person_and_one_day() {
    let floor = Floor::new().await;
    let invite = |hours: i64, name: &'static str, code: &'static str| {
        let expires_ms = now().saturating_add_signed(hours * 3_600_000);
        let invite = zegel_server::store::DeskInvite { name: name.into(), role: "senior".into(), expires_ms };
        floor.world.write(move |tx| tx.put_desk_invite(&zegel_proto::token_hash(code.as_bytes()), &invite))
    };
    invite(24, "zoe", "abcde-fghjk").await;
    invite(-1, "yan", "late").await;
    invite(24, "ada", "taken").await;
    let desk = &floor.desk;
    let zoe = staff("zoe", Role::Senior);
    assert_eq!(desk.invited(" ABCDE-fghjk ").await.expect("read"), Some(zoe.clone()));
    for code in ["late", "taken", "other", ""] {
        assert_eq!(desk.invited(code).await.expect("read"), None, "{code}");
        assert!(!desk.enrol(code, [9; 16], "{}".into()).await.expect("written"), "{code}");
    }
    let key = |n| format!("{{\"key\":{n}}}");
    let both =
        tokio::join!(desk.enrol("abcde-fghjk", [7; 16], key(1)), desk.enrol("abcde-fghjk", [8; 16], key(2)));
    assert_eq!((both.0.expect("written"), both.1.expect("written")), (true, false));
    let member = desk.member(&zoe.id).await.expect("read").expect("she is there");
    assert_eq!((&member.staff, member.handle, &member.passkeys), (&zoe, [7; 16], &vec![key(1)]));
    assert_eq!(desk.invited("abcde-fghjk").await.expect("read"), None);
    desk.signed_in(&zoe.id, vec![key(3)]).await.expect("kept");
    assert_eq!(desk.member_by_handle(&[7; 16]).await.expect("read").expect("she").passkeys, [key(3)]);
    desk.signed_out(&zoe.id).await.expect("logged");
    let acts: Vec<_> = floor.log().await.into_iter().map(|entry| entry.act).collect();
    assert_eq!(acts, ["joined-desk", "sign-in", "sign-out"]);
}

#[tokio::test]
async fn the_whole_log_is_exported_signed_and_checked() {
    use zegel_cases::archive::check_log;
    let floor = Floor::new().await;
    let number = floor.case(|_| ()).await;
    floor.decides(&ada(), number, Measure::Dismiss).await.expect("decided");
    floor.desk.log(&aud()).await.expect("read");
    let verified = floor.desk.log_verified(&aud()).await.expect("read").expect("whole");
    let older = floor.desk.log_export(&aud()).await.expect("read").expect("whole");
    let older = check_log(&older).expect("it verifies");
    let acts: Vec<_> = older.entries.iter().map(|entry| entry.act.as_str()).collect();
    assert_eq!(acts, ["claim", "decide", "see-log", "verify-log", "export-log"], "who read it too");
    assert_eq!(verified.seq, 4);
    assert_eq!(older.entries[1].detail, "", "what was decided is sealed in the case");
    floor.desk.whole(&ada(), number).await.expect("seen");
    let text = floor.desk.log_export(&aud()).await.expect("read").expect("whole");
    let newer = check_log(&text).expect("it verifies");
    newer.continues(&older).expect("one log");
    assert!(check_log(&text.replacen("decide", "claim", 1)).is_err());
    // A service whose table was changed says so and signs nothing.
    floor
        .world
        .write(|tx| {
            let head = tx.log_head()?;
            let line = "{\"seq\":9}";
            tx.append_log(head.0 + 1, line, &LogHead::default().hash)
        })
        .await;
    let broken = floor.desk.log_verified(&aud()).await.expect("it is looked at").expect_err("it is broken");
    assert!(broken.contains("line "), "{broken}");
    let broken = floor.desk.log_export(&aud()).await.expect("it is looked at").expect_err("it is broken");
    assert!(broken.contains("line "), "{broken}");
}

#[tokio::test]
async fn the_queue_is_read_in_parts_the_most_urgent_first() {
    let floor = Floor::new().await;
    for n in 0..120 {
        let category = [Category::Spam, Category::Fraud, Category::Threats][n % 3];
        floor.case(|case| case.category = category).await;
    }
    let mut seen = Vec::new();
    let mut from: Option<String> = None;
    loop {
        let part = floor.desk.queue(&ada(), State::Open, from.as_deref()).await.expect("read");
        assert_eq!(part.total, 120);
        assert!(part.lines.len() <= 50);
        seen.extend(part.lines.into_iter().map(|line| (line.case.category.urgency(), line.case.number)));
        match part.next {
            Some(next) => from = Some(next),
            None => break,
        }
    }
    assert_eq!(seen.len(), 120);
    assert!(seen.windows(2).all(|pair| pair[0].0 <= pair[1].0));
    let different: std::collections::HashSet<_> = seen.iter().map(|(_, number)| number).collect();
    assert_eq!(different.len(), 120);
    let first = floor.desk.queue(&ada(), State::Open, Some("../../etc")).await.expect("read");
    assert_eq!(first.lines[0].case.number, seen[0].1);
    let whole = floor.desk.whole(&ada(), seen[0].1).await.expect("read");
    assert_eq!((whole.reports.len(), whole.others.len()), (2, 50));
    assert_eq!(whole.cluster.1, 1, "one young account");
}
