//! One case: what was disclosed and how far it is proven, what was decided, and what this person may do now.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{RawQuery, State},
    http::StatusCode,
    response::Response,
};
use zegel_cases::{
    Act, Case, Claim, Decision, Finding, Language, Report, Ruled, Shown, Staff, Subject, WhyNot,
};

use super::{
    decide::{DecideForm, Draft},
    queue::Row,
    words,
};
use crate::{
    Desk, Office, Whole,
    answer::{Frame, Trouble, page},
    form::Form,
    seat::{Numbered, Seat},
    text::{Text, time},
};

#[derive(Template)]
#[template(path = "case.html")]
struct CasePage<'a> {
    frame: Frame<'a>,
    csrf: &'a str,
    /// Why what was just tried was not done.
    notice: Option<&'a str>,
    /// What they had written then, if there is no form for it any more.
    unsent: Option<&'a str>,
    row: Row,
    meaning: &'static str,
    cluster: Option<String>,
    rule: Option<Rule>,
    reports: Vec<Reported>,
    pages: Pages,
    rulings: Vec<Ruling>,
    appeal: Option<(Text, String)>,
    others: Vec<Row>,
    /// Whether it is about a group.
    group: bool,
    /// What the service tells its person in.
    language: Option<&'static str>,
    claim: bool,
    /// The words of the button.
    release: Option<&'static str>,
    decide: Option<DecideForm>,
    export: Export,
}

/// The safety rule that brought the case.
struct Rule {
    name: Text,
    says: Text,
    counted: String,
    time: String,
    /// Whether it decided, too.
    decided: bool,
}

/// Which part of the reports is shown.
struct Pages {
    here: u32,
    last: u32,
    /// How many reports there are, if not all are here.
    of: Option<String>,
    before: Option<u32>,
    next: Option<u32>,
}

struct Reported {
    place: usize,
    reporter: Text,
    category: &'static str,
    meaning: &'static str,
    note: Option<Text>,
    made: String,
    accuracy: String,
    young: bool,
    room: String,
    counts: (u32, u32),
    run: Vec<Message>,
}

struct Message {
    place: usize,
    gap: Option<String>,
    badge: (&'static str, &'static str),
    why: Option<Text>,
    sender: Option<Text>,
    /// Class and words for the person reported and for the reporter.
    mark: Option<(&'static str, &'static str)>,
    time: Option<String>,
    /// Or why there is none.
    text: Result<Text, &'static str>,
}

struct Ruling {
    heading: &'static str,
    measure: String,
    until: Option<String>,
    ground: (&'static str, &'static str),
    against: Option<Text>,
    explanation: Text,
    /// `None` if a rule decided.
    by: Option<Text>,
    time: String,
}

/// Where the evidence stands, and what this person may do about it.
struct Export {
    asked: Option<(Text, String)>,
    allowed: Option<(Text, String)>,
    ask: bool,
    allow: bool,
    fetch: bool,
    /// Whether there is an authority that takes it, too.
    file: bool,
    /// Whether there are reports that were not there when it was allowed.
    outgrown: bool,
}

/// Shows a case.
pub(crate) async fn case<O: Office>(
    State(desk): State<Arc<Desk<O>>>,
    seat: Seat,
    Numbered(number): Numbered,
    RawQuery(query): RawQuery,
) -> Result<Response, Trouble> {
    let query = Form::read(query.unwrap_or_default().as_bytes());
    let whole = desk.office.whole_at(&seat.staff, number, query.page()).await?;
    let draft = Draft::new(&whole.line.case);
    Ok(show(&desk, &seat, whole, draft, None))
}

/// The page of a case. `refused`: why a decision was not taken just now.
pub(super) fn show<O: Office>(
    desk: &Desk<O>,
    seat: &Seat,
    whole: Whole,
    draft: Draft,
    refused: Option<(StatusCode, &str)>,
) -> Response {
    let (staff, now_ms) = (&seat.staff, desk.office.now_ms());
    let Whole { line, reports, page: here, pages: last, others, cluster, language, filing } = whole;
    let case = &line.case;
    let may = |act| case.clone().act(staff, act, now_ms).is_ok();
    let claimed = case.claimed_by(now_ms);
    let decide = DecideForm::of(case, &reports, staff, &draft, now_ms);
    let template = CasePage {
        frame: Frame { domain: desk.office.domain(), seat: Some(seat), here: "" },
        csrf: &seat.csrf,
        notice: refused.map(|(_, why)| why),
        unsent: (refused.is_some() && decide.is_none()).then_some(draft.explanation.as_str()),
        meaning: case.category.line(),
        cluster: (cluster.0 > 0).then(|| {
            let within = words::count(cluster.0.into(), "report");
            format!(
                "{within} within an hour, {} from accounts younger than a week; volume decides nothing",
                cluster.1
            )
        }),
        pages: Pages {
            here,
            last,
            of: (last > 1).then(|| words::count(case.reports.into(), "report")),
            before: (here > 1).then(|| here - 1),
            next: (here < last).then(|| here + 1),
        },
        rule: case.rule.as_ref().map(|ruled| Rule::of(ruled, case)),
        rulings: rulings(case, &reports),
        appeal: case.appeal.as_ref().map(|appeal| (Text(appeal.text.clone()), time(appeal.at_ms))),
        others: others.into_iter().map(|line| Row::of(line, now_ms)).collect(),
        group: matches!(case.subject, Subject::Room(_)),
        language: language.map(Language::name),
        claim: claimed.is_none() && may(Act::Claim),
        release: match claimed {
            Some(by) if may(Act::Release) => {
                Some(if *by == staff.id { "Release" } else { "End their claim" })
            }
            _ => None,
        },
        decide,
        export: Export::of(case, staff, filing, now_ms),
        reports: reports
            .iter()
            .enumerate()
            .map(|(place, report)| Reported::of(place + 1, report, case))
            .collect(),
        row: Row::of(line.clone(), now_ms),
    };
    page(refused.map_or(StatusCode::OK, |(status, _)| status), &template)
}

impl Rule {
    fn of(ruled: &Ruled, case: &Case) -> Self {
        Self {
            name: Text(ruled.rule.clone()),
            says: Text(ruled.says.clone()),
            counted: format!(
                "at least {} different people within {}; the rule says {} or more",
                ruled.counted,
                words::count(ruled.days.into(), "day"),
                ruled.least
            ),
            time: time(ruled.at_ms),
            decided: case.decision.as_ref().is_some_and(Decision::by_rule),
        }
    }
}

impl Reported {
    fn of(place: usize, report: &Report, case: &Case) -> Self {
        let (decided, right) = report.earlier;
        let accuracy = match decided {
            0 => "none of their earlier reports was decided yet".into(),
            _ => format!(
                "{right} of {} led to a measure",
                words::count(decided.into(), "decided earlier report")
            ),
        };
        let run = report.run.iter().enumerate();
        Self {
            place,
            reporter: handle(&report.handle),
            category: report.category.word(),
            meaning: report.category.line(),
            note: (!report.note.is_empty()).then(|| Text(report.note.clone())),
            made: time(report.made_ms),
            accuracy,
            young: report.young,
            room: report.room.chars().take(12).collect(),
            counts: report.counts(),
            run: run.map(|(place, shown)| Message::of(place + 1, shown, report, case)).collect(),
        }
    }
}

impl Message {
    fn of(place: usize, shown: &Shown, report: &Report, case: &Case) -> Self {
        let (badge, why) = match &shown.finding {
            Finding::Proven => (("proven", "proven"), None),
            Finding::Withheld => (("withheld", "withheld"), None),
            Finding::Change => (("change", "nothing said"), None),
            Finding::Unproven(why) => (("unproven", "not proven"), Some(Text(why.clone()))),
        };
        let reported = matches!(&case.subject, Subject::Account(id) if id.to_hex() == shown.sender);
        let mark = match () {
            () if shown.sender.is_empty() => None,
            () if shown.sender == report.reporter.to_hex() => Some(("reporter", "the reporter themself")),
            () if reported => Some(("reported", "the person reported")),
            () => None,
        };
        Self {
            place,
            gap: (shown.gap > 0).then(|| words::count(shown.gap, "message")),
            badge,
            why,
            sender: (!shown.sender.is_empty()).then(|| handle(&shown.handle)),
            mark,
            time: (shown.accepted_ms > 0).then(|| time(shown.accepted_ms)),
            text: match shown.finding {
                _ if shown.is_disclosed() => Ok(Text(shown.text.clone())),
                Finding::Change => Err("This is no message: the conversation's keys or members changed."),
                _ => Err(
                    "Named, not disclosed: a message, or what their device tells by itself (such as that they accepted).",
                ),
            },
        }
    }
}

impl Export {
    fn of(case: &Case, staff: &Staff, filing: bool, now_ms: u64) -> Self {
        let words = |claim: &Claim| (Text(claim.by.0.clone()), time(claim.at_ms));
        let may = |act| case.clone().act(staff, act, now_ms).is_ok();
        let waits = case.export.as_ref().is_some_and(|export| export.allowed.is_none());
        let may_fetch = case.may_fetch(staff, now_ms);
        Self {
            asked: case.export.as_ref().map(|export| words(&export.asked)),
            allowed: case.export.as_ref().and_then(|export| export.allowed.as_ref()).map(words),
            ask: !waits && may(Act::AskExport),
            allow: may(Act::AllowExport),
            fetch: may_fetch.is_ok(),
            file: filing && may_fetch.is_ok(),
            outgrown: may_fetch == Err(WhyNot::Outgrown),
        }
    }
}

fn rulings(case: &Case, reports: &[Report]) -> Vec<Ruling> {
    let until_ms = |decision: &Decision| decision.measure.until_ms(decision.at_ms);
    let first = case.decision.iter().map(|decision| {
        Ruling::of("Decision", words::measure(decision.measure), decision, until_ms(decision), case, reports)
    });
    let second = case.appeal.iter().filter_map(|appeal| appeal.decision.as_ref());
    let in_force_ms = case.in_force().map_or(0, |(_, until_ms)| until_ms);
    let second = second.map(|decision| {
        let measure = words::second_measure(decision.measure);
        Ruling::of("Decision on the appeal", measure, decision, in_force_ms, case, reports)
    });
    first.chain(second).collect()
}

impl Ruling {
    fn of(
        heading: &'static str,
        measure: String,
        decision: &Decision,
        until_ms: u64,
        case: &Case,
        reports: &[Report],
    ) -> Self {
        let group = matches!(case.subject, Subject::Room(_));
        let sender = decision.against.to_hex();
        let shown = reports.iter().flat_map(|report| &report.run).find(|shown| shown.sender == sender);
        Self {
            heading,
            measure,
            until: (until_ms > 0).then(|| time(until_ms)),
            ground: (decision.ground.word(), decision.ground.line()),
            against: shown.filter(|_| group).map(|shown| handle(&shown.handle)),
            explanation: Text(decision.explanation.clone()),
            by: (!decision.by_rule()).then(|| Text(decision.by.0.clone())),
            time: time(decision.at_ms),
        }
    }
}

/// A handle, or what to call somebody who has none any more.
pub(super) fn handle(handle: &str) -> Text {
    Text(if handle.is_empty() { "(account gone)".into() } else { handle.to_owned() })
}
