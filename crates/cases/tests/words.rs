//! What people are told.

mod scene;

use scene::{ALICE, DAY, MALLORY, NOW, case, decide, staff};
use zegel_cases::{Case, Category, Measure, RULING_DAYS, Role, statement};
use zegel_proto::v1::{Statement, statement::Kind};

const MEASURES: [Measure; 5] = [
    Measure::Dismiss,
    Measure::Warn,
    Measure::RestrictFirstContact { days: 1 },
    Measure::Suspend { days: 7 },
    Measure::Ban,
];

fn decided(measure: Measure) -> Case {
    let mut case = case();
    decide(&mut case, &staff("ada-the-moderator", Role::Senior), measure, Category::Grooming, NOW);
    case
}

fn appealed(first: Measure, second: Measure) -> Case {
    let mut case = decided(first);
    case.appeal(&MALLORY, "it was not me", NOW + DAY).expect("it can be appealed");
    decide(&mut case, &staff("bob-the-moderator", Role::Senior), second, Category::Grooming, NOW + 2 * DAY);
    case
}

/// A measure ends with a day.
fn midnight(days: u64) -> u64 {
    (NOW / DAY + days + 1) * DAY
}

fn told(case: &Case, kind: Kind, language: &str) -> Statement {
    let to = if kind == Kind::ReportOutcome { ALICE } else { MALLORY };
    statement(case, kind, &to, language, NOW + 3 * DAY)
}

#[test]
fn a_decision_says_all_that_the_person_may_know() {
    let week = decided(Measure::Suspend { days: 7 });
    let statement = told(&week, Kind::Decision, "en-GB");
    let text = &statement.text;
    for part in [
        &*week.number.to_string(),
        "suspended for 7 days, until 30 November 2026",
        "win a child's trust",
        "reported 3 of",
        "For 2 of them",
        "A person decided this, not a machine",
        "  > You asked a child for pictures.\n  > That is never",
        "until 25 May 2027",
        &format!("zegel appeal {} \"", week.number),
        "suspended or banned",
        "out of court",
        "court",
    ] {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert_eq!(statement.account, MALLORY.to_field());
    assert_eq!((&*statement.language, &*statement.measure), ("en", "suspend"));
    assert_eq!(statement.appeal_until_ms, NOW + RULING_DAYS * DAY);
    assert_eq!((statement.until_ms, statement.made_ms), (midnight(7), NOW + 3 * DAY));
    let dutch = told(&week, Kind::Decision, "nl-BE");
    assert_eq!(dutch.language, "nl");
    for part in [
        "7 dagen geschorst, tot 30 november 2026",
        "tot 25 mei 2027",
        "zegel appeal",
        "geen computer",
        "rechter",
    ] {
        assert!(dutch.text.contains(part), "{part:?} is not in\n{}", dutch.text);
    }
    assert_eq!(told(&week, Kind::Decision, "tlh").language, "en");
}

#[test]
fn measures_without_an_end_have_none() {
    for measure in [Measure::Warn, Measure::Ban] {
        let statement = told(&decided(measure), Kind::Decision, "en");
        assert_eq!(statement.until_ms, 0);
        assert!(!statement.text.contains("1970"), "{}", statement.text);
        assert!(statement.text.contains("zegel appeal"));
    }
    let dismissed = told(&decided(Measure::Dismiss), Kind::Decision, "en");
    assert_eq!((dismissed.appeal_until_ms, &*dismissed.measure), (0, "dismiss"));
    assert!(!dismissed.text.contains("zegel appeal"));
    // It ends in 1 day, and not in 1 days.
    assert!(told(&decided(MEASURES[2]), Kind::Decision, "en").text.contains("For 1 day, until 24 November"));
}

#[test]
fn the_appeal_is_answered_with_what_holds_then() {
    let mut taken = decided(Measure::Ban);
    taken.appeal(&MALLORY, "it was not me", NOW + DAY).expect("it can be appealed");
    let statement = told(&taken, Kind::AppealTaken, "en");
    assert!(
        statement.text.contains("Someone else") && statement.text.contains("banned"),
        "{}",
        statement.text
    );
    assert_eq!((&*statement.measure, statement.appeal_until_ms), ("ban", 0));

    let week = Measure::Suspend { days: 7 };
    for (second, word, until, part) in [
        (week, "suspend", midnight(7), "the same decision"),
        (Measure::Dismiss, "dismiss", 0, "taken back"),
        (Measure::Suspend { days: 2 }, "suspend", midnight(4), "takes the place"),
        (Measure::Warn, "warn", 0, "takes the place"),
    ] {
        let statement = told(&appealed(week, second), Kind::AppealDecision, "en");
        assert!(statement.text.contains(part), "{}", statement.text);
        assert!(!statement.text.contains("zegel appeal"));
        assert!(statement.text.contains("court"));
        assert_eq!((&*statement.measure, statement.until_ms, statement.appeal_until_ms), (word, until, 0));
    }
}

#[test]
fn who_reported_learns_whether_something_was_done_and_no_more() {
    for measure in MEASURES {
        let acted = measure != Measure::Dismiss;
        for language in ["en", "nl"] {
            let statement = told(&decided(measure), Kind::ReportOutcome, language);
            let none = told(&decided(Measure::Ban), Kind::ReportOutcome, language);
            assert_eq!(statement.text == none.text, acted, "all measures look alike: {}", statement.text);
            assert_eq!((&*statement.measure, statement.until_ms, statement.appeal_until_ms), ("", 0, 0));
            assert!(statement.text.contains("zegel block"));
            assert!(!statement.text.contains("You asked"), "the words are for the other person");
        }
    }
    let lifted = told(&appealed(Measure::Ban, Measure::Dismiss), Kind::ReportOutcome, "en");
    assert_eq!(lifted.text, told(&decided(Measure::Dismiss), Kind::ReportOutcome, "en").text);
}

#[test]
fn nobody_is_named_and_nothing_is_left_out_in_either_language() {
    for measure in MEASURES {
        for ground in Category::ALL {
            for (disclosed, proven) in [(0, 0), (1, 0), (1, 1), (5, 0), (5, 2), (5, 5)] {
                for language in ["en", "nl"] {
                    let mut case = Case { disclosed, proven, ..case() };
                    decide(&mut case, &staff("ada-the-moderator", Role::Senior), measure, *ground, NOW);
                    let kinds =
                        [Kind::Decision, Kind::AppealTaken, Kind::ReportOutcome, Kind::AppealDecision];
                    for kind in kinds {
                        let text = told(&case, kind, language).text;
                        assert!(text.len() > 20 && text.ends_with('\n'), "{text}");
                        for word in ["ada-the", "alice", "{", "}", "\n\n\n", "  \n"] {
                            assert!(!text.contains(word), "{word:?} is in\n{text}");
                        }
                    }
                }
            }
        }
    }
    assert!(told(&case(), Kind::Decision, "en").text.contains("Nothing has been decided"));
}

#[test]
fn a_decision_on_an_appeal_is_told_in_dutch_too() {
    for (then, words) in [
        (Measure::Ban, "Het blijft zoals het was"),
        (Measure::Warn, "komt in de plaats van"),
        (Measure::Dismiss, "is ingetrokken"),
    ] {
        let english = told(&appealed(Measure::Ban, then), Kind::AppealDecision, "en");
        let dutch = told(&appealed(Measure::Ban, then), Kind::AppealDecision, "nl");
        assert!(dutch.text.contains(words), "{}", dutch.text);
        assert_ne!(dutch.text, english.text);
        assert_eq!((dutch.measure, dutch.until_ms), (english.measure, english.until_ms));
    }
}
