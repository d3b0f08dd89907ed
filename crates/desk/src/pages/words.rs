//! Names of things, as the pages say them.

use zegel_cases::{Case, Measure, State, Urgency};

/// How soon somebody has to look.
pub(super) fn urgency(urgency: Urgency) -> (&'static str, &'static str) {
    match urgency {
        Urgency::Danger => ("danger", "Danger"),
        Urgency::Harm => ("harm", "Harm"),
        Urgency::Nuisance => ("nuisance", "Nuisance"),
    }
}

/// Where a case stands.
pub(super) fn state(state: State) -> &'static str {
    match state {
        State::Open => "Open",
        State::Appealed => "Appealed",
        State::Decided => "Decided",
        State::Closed => "Closed",
    }
}

/// What was done.
pub(super) fn measure(measure: Measure) -> String {
    match measure {
        Measure::Dismiss => "Dismissed".into(),
        Measure::Warn => "Warned".into(),
        Measure::RestrictFirstContact { days } => {
            format!("No first contact for {}", count(days.into(), "day"))
        }
        Measure::Suspend { days } => format!("Suspended for {}", count(days.into(), "day")),
        Measure::Ban => "Banned".into(),
    }
}

/// What was decided on an appeal.
pub(super) fn second_measure(measure: Measure) -> String {
    if measure == Measure::Dismiss { "Lifted".into() } else { self::measure(measure) }
}

/// What a case has come to so far; empty before a decision.
pub(super) fn standing(case: &Case) -> String {
    let second = case.appeal.as_ref().and_then(|appeal| appeal.decision.as_ref());
    match (&case.decision, second) {
        (_, Some(second)) => second_measure(second.measure),
        (Some(first), None) => measure(first.measure),
        (None, None) => String::new(),
    }
}

/// So many of something.
pub(super) fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}
