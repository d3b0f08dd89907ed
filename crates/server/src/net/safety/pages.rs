//! The pages, filled.

use askama::Template;
use zegel_cases::utc;
use zegel_safety::{
    HelpLine, Language, Policy, RuleText, Until, Verified, emergencies, help_checked, help_countries,
    help_lines,
};

use super::words::{Said, country_name, number, said, title, value};
use crate::service::Kept;

/// A day has so many milliseconds.
const DAY_MS: u64 = 86_400_000;

/// What surrounds every page.
pub(super) struct Frame<'a> {
    /// The service's domain.
    pub domain: &'a str,
    /// Which page this is.
    pub here: &'static str,
    /// What it is in.
    pub language: Language,
}

impl Frame<'_> {
    fn said(&self) -> &'static Said {
        said(self.language)
    }

    /// Whom to call in danger: the number, and where.
    fn emergencies(&self) -> Vec<(&'static str, &'static str)> {
        emergencies().iter().map(|it| (&*it.phone, it.place.in_language(self.language))).collect()
    }

    /// So many days, in words.
    fn days(&self, days: &u32) -> String {
        self.language.days(*days)
    }
}

/// A rule on the page.
struct RuleView {
    name: String,
    title: String,
    says: String,
    source: String,
    /// What it says as it ships, if the operator changed it.
    shipped: Option<String>,
}

/// A change of the rules.
struct ChangeView {
    day: String,
    rules: Vec<ChangedView>,
    /// The beginning of the rules' hash.
    hash: String,
}

/// A rule that changed.
struct ChangedView {
    title: String,
    /// What each number of it became, and what it was.
    numbers: Vec<NumberView>,
}

/// A number that changed.
struct NumberView {
    name: String,
    now: String,
    then: String,
}

/// The rules, and how they changed.
#[derive(Template)]
#[template(path = "safety/rules.html")]
pub(super) struct RulesPage<'a> {
    frame: Frame<'a>,
    rules: Vec<RuleView>,
    changes: Vec<ChangeView>,
    hash: String,
}

impl<'a> RulesPage<'a> {
    /// For these rules.
    pub(super) fn new(frame: Frame<'a>, policy: &Policy, kept: &[Kept]) -> Self {
        let language = frame.language;
        let shipped = Policy::shipped();
        let changed = shipped.changed(policy);
        let rule = |(rule, shipped): (RuleText, RuleText)| RuleView {
            title: title(&rule.name, language).to_owned(),
            shipped: changed.contains(&rule.name).then_some(shipped.says),
            name: rule.name,
            says: rule.says,
            source: rule.source,
        };
        let change = |(place, newer): (usize, &Kept)| ChangeView {
            day: date(newer.change.day),
            rules: rules_changed(newer, kept.get(place + 1), language),
            hash: hex::encode(newer.change.hash.get(..8).unwrap_or_default()),
        };
        Self {
            rules: policy.rules(language).into_iter().zip(shipped.rules(language)).map(rule).collect(),
            changes: kept.iter().enumerate().map(change).collect(),
            hash: hex::encode(policy.hash()),
            frame,
        }
    }
}

/// What newer rules changed of older ones; numbers only where this release can read both.
fn rules_changed(newer: &Kept, older: Option<&Kept>, language: Language) -> Vec<ChangedView> {
    let rules = |kept: &Kept| kept.policy.as_ref().map(|policy| policy.rules(language)).unwrap_or_default();
    let (now, then) = (rules(newer), older.map(rules).unwrap_or_default());
    let numbers = |rule: &str| {
        let of = |all: &[RuleText]| all.iter().position(|text| text.name == rule);
        let (Some(now), Some(then)) = (of(&now).map(|at| &now[at]), of(&then).map(|at| &then[at])) else {
            return Vec::new();
        };
        let view = |(name, then, now): (&str, &str, &str)| NumberView {
            name: number(name, language).to_owned(),
            now: value(now, language).to_owned(),
            then: value(then, language).to_owned(),
        };
        now.changed_numbers(then).map(view).collect()
    };
    let changed = newer.change.rules.iter();
    changed
        .map(|rule| ChangedView { title: title(rule, language).to_owned(), numbers: numbers(rule) })
        .collect()
}

/// What stands at `/`.
#[derive(Template)]
#[template(path = "safety/welcome.html")]
pub(super) struct WelcomePage<'a> {
    pub frame: Frame<'a>,
    /// Where browsers open the desk.
    pub desk: &'a str,
}

/// `YYYY-MM-DD`.
fn date(day: u32) -> String {
    utc(u64::from(day) * DAY_MS).chars().take(10).collect()
}

/// For young people.
#[derive(Template)]
#[template(path = "safety/young.html")]
pub(super) struct YoungPage<'a> {
    pub frame: Frame<'a>,
    pub policy: &'a Policy,
}

/// For guardians.
#[derive(Template)]
#[template(path = "safety/guardians.html")]
pub(super) struct GuardiansPage<'a> {
    pub frame: Frame<'a>,
    pub policy: &'a Policy,
}

/// A help line on the page.
struct LineView {
    line: &'static HelpLine,
    what: &'static str,
    hours: &'static str,
    /// Read at the helpline's own place.
    own: bool,
}

/// The help lines of a country.
struct CountryView {
    two: &'static str,
    name: &'static str,
    lines: Vec<LineView>,
}

/// Help lines: those of the reader's country first. All of them are on the page, so that nobody has to say where they are.
#[derive(Template)]
#[template(path = "safety/help.html")]
pub(super) struct HelpPage<'a> {
    frame: Frame<'a>,
    countries: Vec<CountryView>,
    checked: &'static str,
}

impl<'a> HelpPage<'a> {
    /// `own` is where the reader may be.
    pub(super) fn new(frame: Frame<'a>, own: Option<String>) -> Self {
        let language = frame.language;
        let everywhere = help_lines("*").len();
        let view = |line: &'static HelpLine| LineView {
            what: line.what.in_language(language),
            hours: line.hours.in_language(language),
            own: line.verified == Verified::Page,
            line,
        };
        let country = |two: &'static str| {
            let lines = help_lines(two);
            // A country's list ends in what is there for everybody, which this page shows once.
            let own = if two == "*" { lines.len() } else { lines.len() - everywhere };
            let lines = lines.into_iter().take(own).map(view).collect();
            CountryView {
                two: if two == "*" { "all" } else { two },
                name: country_name(two, language),
                lines,
            }
        };
        let mut order = help_countries();
        order.sort_by_key(|two| Some(*two) != own.as_deref());
        order.extend(["eu", "*"]);
        Self { countries: order.into_iter().map(country).collect(), checked: help_checked(), frame }
    }
}
