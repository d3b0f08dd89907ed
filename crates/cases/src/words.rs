//! What the service tells people about a case, in their language: who decided what, why, for how long, and how to
//! have it looked at again (EU DSA articles 16, 17 and 20). Nobody is told who reported them.

mod dutch;
mod english;

use zegel_proto::v1::{self, statement::Kind};

use crate::{Case, CaseNumber, Category, Decision, Measure, Ruled, case::appeal_until_ms};

/// A language that these texts are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English; also for whoever speaks none of the others.
    English,
    /// Dutch.
    Dutch,
}

impl Language {
    /// The one for a BCP 47 tag.
    pub fn of(tag: &str) -> Self {
        match tag.split('-').next() {
            Some(language) if language.eq_ignore_ascii_case("nl") => Self::Dutch,
            _ => Self::English,
        }
    }

    /// Its name, in English.
    pub fn name(self) -> &'static str {
        match self {
            Self::English => "English",
            Self::Dutch => "Dutch",
        }
    }

    fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Dutch => "nl",
        }
    }
}

/// What is told.
enum News<'a> {
    /// Of a decision against the person.
    Decided(Facts<'a>),
    /// That their appeal was taken; until it is decided this holds.
    AppealTaken(Held),
    /// What someone else decided then.
    AppealDecided(Facts<'a>, Change),
    /// What became of a report: whether something was done.
    Outcome { acted: bool },
    /// There is nothing to tell (yet).
    Nothing,
}

/// What an appeal changed.
enum Change {
    Upheld,
    Changed,
    Lifted,
}

/// A measure and its end in milliseconds since 1970, 0 if it has none.
struct Held {
    measure: Measure,
    until_ms: u64,
    /// Whether a rule decided first, and no person.
    rule_first: bool,
}

/// What a decision says, and rests on.
struct Facts<'a> {
    held: Held,
    ground: Category,
    explanation: &'a str,
    basis: Basis<'a>,
    /// Until when an appeal is taken, milliseconds since 1970; 0: none is.
    appeal_until_ms: u64,
}

/// What a decision rests on, and who decided.
enum Basis<'a> {
    /// A rule, on this number of people alone.
    Rule(&'a Ruled),
    /// A person, on what people reported, if any did, and on that a rule brought the case, if one did. On what number
    /// is not said then: that of a rule about minors would tell who is one.
    Person { reported: Option<Reported>, brought: bool },
}

/// What people showed of it.
struct Reported {
    disclosed: u32,
    proven: u32,
}

impl Facts<'_> {
    fn of<'a>(case: &'a Case, decision: &'a Decision, until_ms: u64, appeal_until_ms: u64) -> Facts<'a> {
        let reported = || Reported { disclosed: case.disclosed, proven: case.proven };
        let basis = match &case.rule {
            Some(ruled) if decision.by_rule() => Basis::Rule(ruled),
            // A case that no rule brought was reported, whatever is left of that.
            brought => Basis::Person {
                reported: (case.reports > 0 || brought.is_none()).then(reported),
                brought: brought.is_some(),
            },
        };
        Facts {
            held: Held::of(case, decision.measure, until_ms),
            ground: decision.ground,
            explanation: &decision.explanation,
            basis,
            appeal_until_ms,
        }
    }
}

impl Held {
    fn of(case: &Case, measure: Measure, until_ms: u64) -> Self {
        let rule_first = case.decision.as_ref().is_some_and(Decision::by_rule);
        Self { measure, until_ms, rule_first }
    }
}

fn news(case: &Case, kind: Kind) -> News<'_> {
    let Some(first) = &case.decision else { return News::Nothing };
    let first_until = first.measure.until_ms(first.at_ms);
    match kind {
        Kind::Decision => News::Decided(Facts::of(case, first, first_until, appeal_until_ms(first))),
        Kind::AppealTaken => News::AppealTaken(Held::of(case, first.measure, first_until)),
        Kind::ReportOutcome => {
            News::Outcome { acted: case.standing().is_some_and(|now| now.measure != Measure::Dismiss) }
        }
        Kind::AppealDecision => {
            let Some(second) = case.appeal.as_ref().and_then(|appeal| appeal.decision.as_ref()) else {
                return News::Nothing;
            };
            let change = match second.measure {
                same if same == first.measure => Change::Upheld,
                Measure::Dismiss => Change::Lifted,
                _ => Change::Changed,
            };
            let until_ms = case.in_force().map_or(0, |(_, until_ms)| until_ms);
            News::AppealDecided(Facts::of(case, second, until_ms, 0), change)
        }
    }
}

/// The statement for the person `to` about what became of a case. `kind` says which: of a decision against them, of
/// the decision on their appeal, that their appeal was taken, or of what became of their report. `language` is a BCP 47
/// tag; `now_ms` is in milliseconds since 1970.
pub fn statement(
    case: &Case,
    kind: Kind,
    to: &zegel_proto::AccountId,
    language: &str,
    now_ms: u64,
) -> v1::Statement {
    let language = Language::of(language);
    let news = news(case, kind);
    let (held, appeal_until_ms) = match &news {
        News::Decided(facts) | News::AppealDecided(facts, _) => (Some(&facts.held), facts.appeal_until_ms),
        News::AppealTaken(held) => (Some(held), 0),
        News::Outcome { .. } | News::Nothing => (None, 0),
    };
    v1::Statement {
        account: to.to_field(),
        case_number: case.number.to_string(),
        kind: kind.into(),
        text: match language {
            Language::English => english::text(case.number, &news),
            Language::Dutch => dutch::text(case.number, &news),
        },
        made_ms: now_ms,
        appeal_until_ms,
        measure: held.map_or_else(String::new, |held| held.measure.word().into()),
        until_ms: held.map_or(0, |held| held.until_ms),
        language: language.tag().into(),
    }
}

/// Words of a moderator or of the safety rules, so that they cannot be taken for the rest.
fn quoted(words: &str) -> String {
    words.trim().lines().map(|line| format!("  > {}\n", line.trim_end())).collect()
}

/// `22 November 2026`, UTC.
fn day(ms: u64, months: &[&str; 12]) -> String {
    let (year, month, day) = crate::date::civil(ms);
    format!("{day} {} {year}", months[month - 1])
}

fn appeal_command(number: CaseNumber, why: &str) -> String {
    format!("  zegel appeal {number} \"{why}\"\n")
}
