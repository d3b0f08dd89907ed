//! The form that decides a case, and what becomes of it.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    extract::State,
    http::StatusCode,
    response::{IntoResponse as _, Redirect, Response},
};
use zegel_cases::{Act, Case, Category, Finding, Measure, Report, Staff, Subject, WhyNot};
use zegel_proto::AccountId;

use super::{
    case::{handle, show},
    words,
};
use crate::{
    Desk, Office, OfficeError,
    answer::Trouble,
    form::Form,
    seat::{Numbered, Posted},
    text::Text,
};

/// How many days the form offers first.
const DAYS: u32 = 7;
/// The most days, if no earlier decision says fewer.
const MOST_DAYS: u32 = 365;
/// What an appeal's form says for: as it was decided first, days and all.
const KEEP: &str = "keep";

/// What somebody filled in.
pub(super) struct Draft {
    measure: String,
    days: String,
    ground: String,
    against: String,
    pub explanation: String,
    /// How many reports there were when its page was loaded; 0, which is never right, if the form does not say.
    seen: u32,
}

impl Draft {
    /// As the form is shown first.
    pub(super) fn new(case: &Case) -> Self {
        let ground = case.decision.as_ref().map_or(case.category, |first| first.ground).word().to_owned();
        let (measure, against, explanation) = Default::default();
        let days = case.decision.as_ref().and_then(|first| days(first.measure)).unwrap_or(DAYS).to_string();
        Self { measure, days, ground, against, explanation, seen: case.reports }
    }

    fn read(form: &Form) -> Self {
        let get = |name| form.get(name).to_owned();
        // Browsers send line ends as two characters; people count one.
        let explanation = form.get("explanation").replace("\r\n", "\n");
        Self {
            measure: get("measure"),
            days: get("days"),
            ground: get("ground"),
            against: get("against"),
            explanation,
            seen: form.get("seen").parse().unwrap_or(0),
        }
    }
}

/// A choice among some.
pub(super) struct Choice {
    pub word: String,
    pub label: Text,
    pub chosen: bool,
}

/// The form, for whoever may decide now.
pub(super) struct DecideForm {
    pub appealed: bool,
    pub measures: Vec<Choice>,
    /// `None` if none of these has an end.
    pub days: Option<String>,
    /// The most days that may be chosen.
    pub most: u32,
    pub grounds: Vec<Choice>,
    /// In a case about a group: whom the service knows to have sent something that was disclosed.
    pub people: Option<Vec<Choice>>,
    pub explanation: String,
    /// How many reports the page is about.
    pub seen: u32,
}

impl DecideForm {
    /// `None` if this person may not decide, or has to claim the case first.
    pub(super) fn of(
        case: &Case,
        reports: &[Report],
        staff: &Staff,
        draft: &Draft,
        now_ms: u64,
    ) -> Option<Self> {
        let may = |measure| {
            // The ban that stands may be left as it is, so what is tried is what was decided.
            let against = whom(case, reports, "").unwrap_or(AccountId([0; AccountId::LEN]));
            let (ground, explanation, seen) = (case.category, "why".into(), case.reports);
            let act = Act::Decide { measure, against, ground, explanation, seen };
            case.clone().act(staff, act, now_ms).is_ok()
        };
        let offered: Vec<_> = offers(case).into_iter().filter(|(_, measure, _)| may(*measure)).collect();
        let measures: Vec<_> = offered
            .iter()
            .map(|(word, _, label)| Choice {
                word: (*word).into(),
                label: Text(label.clone()),
                chosen: *word == draft.measure,
            })
            .collect();
        let lasts = offered.iter().any(|(word, measure, _)| *word != KEEP && days(*measure).is_some());
        let first = case.decision.as_ref().and_then(|first| days(first.measure));
        let grounds = Category::ALL.iter().map(|ground| Choice {
            word: ground.word().into(),
            label: Text(format!("{}: {}", ground.word(), ground.line())),
            chosen: ground.word() == draft.ground,
        });
        let asks_whom = matches!(case.subject, Subject::Room(_)) && case.decision.is_none();
        let people = asks_whom.then(|| {
            let people = senders(reports).into_iter().map(|(id, (name, messages))| Choice {
                chosen: id == draft.against,
                word: id,
                label: Text(format!("{}, {}", name.0, words::count(messages, "proven message"))),
            });
            people.collect()
        });
        let appealed = case.appeal.is_some();
        let form = Self {
            appealed,
            measures,
            days: lasts.then(|| draft.days.clone()),
            most: first.unwrap_or(MOST_DAYS),
            grounds: grounds.collect(),
            people,
            explanation: draft.explanation.clone(),
            seen: case.reports,
        };
        (!form.measures.is_empty()).then_some(form)
    }
}

/// What may be chosen, by its word in the form, with an example of it and what the page says. Of an appeal: what was
/// decided, and what is not that; what is harsher, the case itself refuses.
fn offers(case: &Case) -> Vec<(&'static str, Measure, String)> {
    let days = 1;
    let (restrict, suspend) = (Measure::RestrictFirstContact { days }, Measure::Suspend { days });
    let Some(first) = case.decision.as_ref().map(|first| first.measure) else {
        let all = [
            (Measure::Dismiss, "Dismiss: no rule was broken, or it cannot be told"),
            (Measure::Warn, "Warn"),
            (restrict, "Restrict first contact: they cannot write to strangers"),
            (suspend, "Suspend: they cannot connect"),
            (Measure::Ban, "Ban: they cannot connect any more"),
        ];
        return all.map(|(measure, label)| (measure.word(), measure, label.into())).into();
    };
    let keep = format!("Keep the decision: {}", words::measure(first).to_lowercase());
    let fewer = |measure: Measure| if first.word() == measure.word() { ", for fewer days" } else { "" };
    let milder = [
        (Measure::Dismiss, "Lift it: no rule was broken, or it cannot be told".to_owned()),
        (Measure::Warn, "Warn".into()),
        (restrict, format!("Restrict first contact{}: they cannot write to strangers", fewer(restrict))),
        (suspend, format!("Suspend{}: they cannot connect", fewer(suspend))),
    ];
    let milder = milder.into_iter().filter(|(measure, _)| *measure != first);
    let milder = milder.map(|(measure, label)| (measure.word(), measure, label));
    [(KEEP, first, keep)].into_iter().chain(milder).collect()
}

/// How many days it lasts, if it ends by itself.
fn days(measure: Measure) -> Option<u32> {
    match measure {
        Measure::RestrictFirstContact { days } | Measure::Suspend { days } => Some(days),
        Measure::Dismiss | Measure::Warn | Measure::Ban => None,
    }
}

/// Decides a case, or shows it again with what was filled in and why that is no decision.
pub(crate) async fn decide<O: Office>(
    State(desk): State<Arc<Desk<O>>>,
    Numbered(number): Numbered,
    Posted { seat, form }: Posted,
) -> Result<Response, Trouble> {
    let at_case = |error: OfficeError| Trouble::from(error).at(number);
    let draft = Draft::read(&form);
    // The page that they were on: of a group, only who is on it can be named.
    let whole = desk.office.whole_at(&seat.staff, number, form.page()).await.map_err(at_case)?;
    let again =
        |status, why: &str, whole| Ok(show(&desk, &seat, whole, Draft::read(&form), Some((status, why))));
    let act = match read(&whole.line.case, &whole.reports, &draft) {
        Ok(act) => act,
        Err(why) => return again(StatusCode::UNPROCESSABLE_ENTITY, &why, whole),
    };
    match desk.office.act(&seat.staff, number, act).await {
        Ok(_) => Ok(Redirect::to(&format!("/desk/case/{number}")).into_response()),
        Err(OfficeError::WhyNot(why)) => {
            let status = Trouble::from(OfficeError::WhyNot(why.clone())).status;
            again(status, &why.to_string(), whole)
        }
        Err(other) => Err(at_case(other)),
    }
}

/// What was filled in as a decision, or what is missing.
fn read(case: &Case, reports: &[Report], draft: &Draft) -> Result<Act, String> {
    let measure = measure(case, draft)?;
    let ground = Category::from_word(&draft.ground).ok_or("choose which rule was broken")?;
    let against = match whom(case, reports, &draft.against) {
        Some(against) => against,
        // Where nothing was proven there is nobody to name, and nothing to be done but to dismiss it.
        None if measure == Measure::Dismiss => AccountId([0; AccountId::LEN]),
        None => return Err("choose whom the decision is about".into()),
    };
    Ok(Act::Decide { measure, against, ground, explanation: draft.explanation.clone(), seen: draft.seen })
}

fn measure(case: &Case, draft: &Draft) -> Result<Measure, String> {
    if let (KEEP, Some(first)) = (draft.measure.as_str(), &case.decision) {
        return Ok(first.measure);
    }
    let given = draft.days.trim().parse();
    let measure = Measure::from_word(&draft.measure, given.clone().unwrap_or(0)).ok_or("choose a measure")?;
    if days(measure).is_some() {
        given.map_err(|_| WhyNot::Days.to_string())?;
    }
    Ok(measure)
}

/// Whom a decision is about: of a group, only who is proven to have sent something.
fn whom(case: &Case, reports: &[Report], chosen: &str) -> Option<AccountId> {
    match (&case.subject, &case.decision) {
        (_, Some(first)) => Some(first.against),
        (Subject::Account(account), None) => Some(*account),
        (Subject::Room(_), None) => {
            senders(reports).get(chosen)?;
            AccountId::from_slice(&hex::decode(chosen).ok()?).ok()
        }
    }
}

/// Who is proven to have sent something, by account, with their handle and the number of messages.
fn senders(reports: &[Report]) -> BTreeMap<String, (Text, u64)> {
    let run = reports.iter().flat_map(|report| &report.run);
    let mut senders = BTreeMap::new();
    for shown in run.filter(|shown| shown.finding == Finding::Proven && !shown.sender.is_empty()) {
        senders.entry(shown.sender.clone()).or_insert_with(|| (handle(&shown.handle), 0)).1 += 1;
    }
    senders
}
