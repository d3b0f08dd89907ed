//! What a safety rule may do by itself, what only people may, and what the person is told of it.

mod scene;

use proptest::prelude::*;
use scene::{ALICE, DAY, DOMAIN, MALLORY, NOW, case, decide, report, staff};
use zegel_cases::{Act, Case, Category, Measure, RULES, Role, Ruled, State, Subject, WhyNot, statement};
use zegel_proto::v1::{Statement, statement::Kind};

const SAYS: &str = "If 8 people or more decline or block you within 7 days, you wait.";

fn ruled(rule: &str) -> Ruled {
    Ruled { rule: rule.into(), says: SAYS.into(), least: 8, days: 7, counted: 11, at_ms: NOW }
}

/// A case that nobody reported.
fn empty() -> Case {
    Case { category: Category::Spam, reports: 0, disclosed: 0, proven: 0, ..case() }
}

/// The rule restricted first contact for so many days.
fn restricted(days: u32) -> Case {
    let mut case = empty();
    case.restrict_by_rule(ruled("unwanted"), days, "Als 8 of meer mensen je weigeren.".into())
        .expect("it may");
    case
}

fn told(case: &Case, kind: Kind, language: &str) -> Statement {
    statement(case, kind, &MALLORY, language, NOW)
}

#[test]
fn a_rule_restricts_first_contact_for_days_and_nothing_else() {
    let case = restricted(7);
    let decision = case.decision.clone().expect("it decided");
    assert_eq!(decision.measure, Measure::RestrictFirstContact { days: 7 });
    assert_eq!((decision.against, &*decision.by.0, decision.by_rule()), (MALLORY, RULES, true));
    assert_eq!((case.state(NOW), case.rule), (State::Decided, Some(ruled("unwanted"))));

    let tries = |mut case: Case, days, says: &str| {
        let before = case.clone();
        let done = case.restrict_by_rule(ruled("unwanted"), days, says.into());
        assert!(done.is_ok() || case == before, "what is refused changes nothing");
        done
    };
    // Not what people reported, not what was decided, and not without an end or a reason.
    assert_eq!(tries(scene::case(), 7, SAYS), Err(WhyNot::NothingWaits));
    let mut decided = empty();
    decide(&mut decided, &staff("ada", Role::Senior), Measure::Dismiss, Category::Spam, NOW);
    assert_eq!(tries(decided, 7, SAYS), Err(WhyNot::NothingWaits));
    assert_eq!(tries(restricted(7), 7, SAYS), Err(WhyNot::NothingWaits));
    assert_eq!(tries(Case { subject: Subject::Room([7; 32]), ..empty() }, 7, SAYS), Err(WhyNot::Person));
    for days in [0, 366] {
        assert_eq!(tries(empty(), days, SAYS), Err(WhyNot::Days));
    }
    for says in ["", " \n", &"x".repeat(2001)] {
        assert_eq!(tries(empty(), 7, says), Err(WhyNot::Words(2000)));
    }
}

#[test]
fn any_person_at_the_desk_may_decide_the_appeal_and_none_makes_it_worse() {
    for (measure, may) in [
        (Measure::Dismiss, Ok(())),
        (Measure::Warn, Ok(())),
        (Measure::RestrictFirstContact { days: 7 }, Ok(())),
        (Measure::RestrictFirstContact { days: 8 }, Err(WhyNot::Harsher)),
        (Measure::Suspend { days: 1 }, Err(WhyNot::Harsher)),
        (Measure::Ban, Err(WhyNot::Harsher)),
    ] {
        let (mut case, ada) = (restricted(7), staff("ada", Role::Senior));
        assert_eq!(case.act(&ada, Act::Claim, NOW), Err(WhyNot::NothingWaits), "nobody appealed yet");
        assert_eq!(case.appeal(&ALICE, "no", NOW), Err(WhyNot::Person));
        case.appeal(&MALLORY, "I am the new teacher", NOW + DAY).expect("it may be appealed");
        assert_eq!(case.state(NOW + DAY), State::Appealed);
        case.act(&ada, Act::Claim, NOW + DAY).expect("it waits for a person");
        let (against, ground, explanation) = (MALLORY, Category::Spam, "because".into());
        let act = Act::Decide { measure, against, ground, explanation, seen: 0 };
        assert_eq!(case.act(&ada, act, NOW + DAY), may, "{measure:?}");
    }
}

#[test]
fn a_rule_that_asks_for_a_look_joins_what_people_reported() {
    let (mut joined, mut own) = (case(), empty());
    for case in [&mut joined, &mut own] {
        case.bring(ruled("many-minors"));
        // Of two the first is named.
        case.bring(ruled("another"));
        assert_eq!((case.rule.as_ref(), case.state(NOW)), (Some(&ruled("many-minors")), State::Open));
        decide(case, &staff("ada", Role::Moderator), Measure::Warn, Category::Grooming, NOW);
    }
    assert_eq!((joined.reports, own.reports), (1, 0));
}

#[test]
fn a_rule_rests_while_people_look_and_while_its_measure_holds_and_for_its_days() {
    let rests = |case: &Case, days: u64| case.rests("unwanted", NOW + days * DAY);
    let (mut open, long, short) = (empty(), restricted(20), restricted(2));
    open.bring(ruled("unwanted"));
    assert!(rests(&open, 300), "it waits for a person");
    assert!(!open.rests("many-minors", NOW));
    assert!(!rests(&case(), 0), "no rule brought it");
    // In force until the end of the last day; never twice on the same days.
    assert!(rests(&long, 20) && !rests(&long, 22));
    assert!(rests(&short, 6) && !rests(&short, 7));
    let mut lifted = restricted(2);
    lifted.appeal(&MALLORY, "no", NOW + 10 * DAY).expect("it may be appealed");
    assert!(rests(&lifted, 100), "it waits for a person");
    decide(&mut lifted, &staff("ada", Role::Senior), Measure::Dismiss, Category::Spam, NOW + 12 * DAY);
    assert!(
        rests(&lifted, 18) && !rests(&lifted, 19),
        "what a person decided stands for the days it looks back"
    );
    decide(&mut open, &staff("ada", Role::Senior), Measure::Dismiss, Category::Spam, NOW + 30 * DAY);
    assert!(rests(&open, 36) && !rests(&open, 37));
}

#[test]
fn the_person_is_told_that_a_rule_decided_and_how_to_reach_a_person() {
    let case = restricted(7);
    let statement = told(&case, Kind::Decision, "en");
    for part in [
        "For 7 days, until 30 November 2026",
        "A rule of this service decided this, not a person",
        "  > Als 8 of meer mensen je weigeren.\n",
        "at least 8 different people, within 7 days",
        "does not keep who they were",
        "nobody has looked at it yet",
        "a person will decide",
        &format!("zegel appeal {} \"", case.number),
        "court",
    ] {
        assert!(statement.text.contains(part), "{part:?} is not in\n{}", statement.text);
    }
    assert_eq!((&*statement.measure, statement.appeal_until_ms > NOW), ("restrict-first-contact", true));
    let dutch = told(&case, Kind::Decision, "nl").text;
    for part in ["heeft dit besloten, geen mens", "minstens 8 verschillende mensen", "een mens beslist"] {
        assert!(dutch.contains(part), "{part:?} is not in\n{dutch}");
    }
    // The number that it began at is a secret; nobody reported, and no person's words are there.
    for text in [&statement.text, &dutch] {
        for word in
            ["11", "reported", "gemeld", "In their words", "geen computer", "safety-rules", "{", "\n\n\n"]
        {
            assert!(!text.contains(word), "{word:?} is in\n{text}");
        }
    }
}

#[test]
fn an_appeal_against_a_rule_is_answered_by_a_person() {
    let mut case = restricted(7);
    case.appeal(&MALLORY, "I am the new teacher", NOW + DAY).expect("it may be appealed");
    assert!(told(&case, Kind::AppealTaken, "en").text.contains("now a person will look at it"));
    assert!(told(&case, Kind::AppealTaken, "nl").text.contains("nu kijkt er een mens naar"));
    decide(&mut case, &staff("ada", Role::Moderator), Measure::Dismiss, Category::Spam, NOW + 2 * DAY);
    for (language, parts) in [
        ("en", ["now a person looked at your case", "taken back", "A person decided this, not a machine"]),
        ("nl", ["nu heeft een mens naar je zaak gekeken", "ingetrokken", "Een mens heeft dit besloten"]),
    ] {
        let text = told(&case, Kind::AppealDecision, language).text;
        for part in parts {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        assert!(!text.contains("Someone else than the person") && !text.contains("Iemand anders dan wie"));
        assert!(!text.contains("reported you") && !text.contains("bij ons gemeld"), "{text}");
    }
}

#[test]
fn what_a_rule_counted_is_not_told_when_a_person_decides() {
    for (mut case, reported) in [(empty(), false), (case(), true)] {
        case.bring(ruled("many-minors"));
        decide(&mut case, &staff("ada", Role::Moderator), Measure::Warn, Category::Grooming, NOW);
        let english = told(&case, Kind::Decision, "en").text;
        let dutch = told(&case, Kind::Decision, "nl").text;
        assert!(english.contains("counts people and reads nothing, brought this case"), "{english}");
        assert!(dutch.contains("mensen telt en niets leest, bracht deze zaak"), "{dutch}");
        assert_eq!(english.contains("reported 3 of"), reported);
        assert_eq!(dutch.contains("heeft er 3 bij ons gemeld"), reported);
        for text in [&english, &dutch] {
            assert!(!text.contains("11") && !text.contains("decline or block") && !text.contains("minor"));
            assert!(text.contains("zegel appeal"));
        }
    }
}

#[test]
fn a_rules_case_is_sealed_and_read_as_any_other() {
    let case = restricted(7);
    let json = serde_json::to_string(&case).expect("JSON");
    assert_eq!(serde_json::from_str::<Case>(&json).expect("a case"), case);
    // One that was kept before there were rules.
    let old = serde_json::to_string(&scene::case()).expect("JSON").replace(",\"rule\":null", "");
    assert_eq!(serde_json::from_str::<Case>(&old).expect("a case"), scene::case());
}

proptest! {
    /// Whatever is asked of it, a rule never does more than restrict first contact, and never where people reported.
    #[test]
    fn a_rule_never_does_more(days: u32, reports in 0..3_u32, says in ".{0,40}", group: bool, decided: bool) {
        let mut case = Case { reports, ..empty() };
        if group {
            case.subject = Subject::Room([7; 32]);
        }
        if decided {
            decide(&mut case, &staff("ada", Role::Senior), Measure::Ban, Category::Spam, NOW);
        }
        let before = case.clone();
        match case.restrict_by_rule(ruled("unwanted"), days, says) {
            Err(_) => prop_assert_eq!(case, before),
            Ok(()) => {
                prop_assert!(reports == 0 && !group && !decided);
                let decision = case.decision.expect("it decided");
                prop_assert_eq!(decision.measure, Measure::RestrictFirstContact { days });
                prop_assert!((1..=365).contains(&days));
            }
        }
    }
}

#[cfg(feature = "archive")]
mod archived {
    use super::*;
    use zegel_cases::archive::{ArchiveError, build, check};
    use zegel_directory::Statement;

    fn packed(case: &Case) -> Vec<u8> {
        let key = scene::service(DOMAIN, 1);
        let sign = scene::sign(&key, DOMAIN, Statement::Evidence);
        let reports = vec![report(); case.reports as usize];
        build(DOMAIN, key.links(), case, &reports, &scene::custody(case.number), NOW, sign).expect("built")
    }

    #[test]
    fn its_evidence_is_built_and_checks() {
        let mut joined = case();
        joined.bring(ruled("many-minors"));
        for case in [restricted(7), joined] {
            let checked = check(&packed(&case)).expect("it is whole");
            assert_eq!((&checked.case, checked.reports.len()), (&case, case.reports as usize));
        }
    }

    #[test]
    fn a_rule_has_a_name_that_a_terminal_can_show() {
        for name in ["", "a\x1b[2J", "Unwanted", "un wanted", &"a".repeat(41)] {
            let mut case = restricted(7);
            case.rule = Some(ruled(name));
            assert!(matches!(check(&packed(&case)), Err(ArchiveError::Stated(_))), "{name:?}");
        }
    }
}

#[cfg(feature = "ncmec")]
#[test]
fn what_a_rule_counted_is_nothing_to_file() {
    use zegel_cases::ncmec::{Filer, NcmecError, report as filed, takes};
    let filer = Filer { name: "Ada".into(), email: "ada@example.org".into() };
    let mut case = Case { category: Category::Grooming, ..empty() };
    case.bring(ruled("many-minors"));
    assert!(!takes(&case));
    assert_eq!(filed(DOMAIN, &case, &[], &filer), Err(NcmecError::NoReport));
    // What somebody reported is.
    case.join(Category::Grooming, 1, 1);
    assert!(takes(&case) && filed(DOMAIN, &case, &[report()], &filer).is_ok());
}
