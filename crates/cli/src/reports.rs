//! `report`, `reports`, `decisions`, `appeal`.

use std::collections::HashSet;

use serde_json::json;
use zegel_client::{Client, Disclosure, Draft, Named, Reported, Statement};

use crate::{
    args::Report,
    ask, contacts,
    fail::Fail,
    lines::readable,
    out::{Look, Out},
    time,
};

/// Shows what a report would disclose, asks, and sends it.
pub async fn report(report: Report, client: &Client, out: &mut Out) -> Result<(), Fail> {
    // A program that reads objects shows nobody the question.
    ask::can_confirm("reporting", report.yes, !out.is_json())?;
    let draft = client.prepare_report(&report.about, report.last).await?;
    if report.block && draft.about.is_empty() {
        let why = "a report about a group as a whole says nothing about whom to block";
        return Err(Fail::own("reporting", why, "`block HANDLE`"));
    }
    if !report.yes {
        show_draft(out, &draft)?;
        out.flush()?;
        ask::report(&draft.to, false)?;
    }
    let was_guardian = !draft.about.is_empty() && client.whoami().guardian == draft.about;
    let sent = client.report(&draft, report.reason, &report.note).await;
    // Whatever the service answers.
    let blocked = if report.block { client.block(&draft.about).await } else { Ok(()) };
    let reported = match (sent, &blocked) {
        (Ok(reported), _) => reported,
        (Err(error), Ok(())) if report.block => {
            return Err(Fail::OnlyBlocked { error, blocked: draft.about });
        }
        // That a report was refused is not hidden by what else went wrong.
        (Err(error), _) => return Err(error.into()),
    };
    blocked?;
    if out.is_json() {
        let mut object = readable(serde_json::to_value(&reported).unwrap_or_default());
        object["disclosed"] = readable(serde_json::to_value(&draft.messages).unwrap_or_default());
        object["withheld"] = draft.withheld.into();
        object["elsewhere"] = draft.elsewhere.into();
        object["to"] = draft.to.as_str().into();
        object["blocked"] = report.block.into();
        return out.object(&object);
    }
    // A command that fails prints nothing but why.
    if report.yes {
        show_draft(out, &draft)?;
    }
    show_answer(out, &draft, &reported)?;
    if !report.block {
        return Ok(());
    }
    contacts::blocked(out, &draft.about, was_guardian, &client.shared_groups(&draft.about)?)
}

fn show_draft(out: &mut Out, draft: &Draft) -> Result<(), Fail> {
    let what = match (draft.about.as_str(), draft.group.as_str()) {
        ("", group) => format!("the group {group}"),
        (person, "") => person.to_owned(),
        (person, group) => format!("{person}, in the group {group}"),
    };
    out.line(&[(Look::Plain, "A report about "), (Look::Name, &what)])?;
    out.plain(&format!(
        "The service at {} gets it. It may have to pass it on to authorities, with your handle. Whoever is reported is \
         not told who reported them.",
        draft.to
    ))?;
    match draft.elsewhere {
        0 => {}
        1 => out.plain(&elsewhere("another conversation", &draft.about))?,
        many => out.plain(&elsewhere(&format!("{many} other conversations"), &draft.about))?,
    }
    match draft.messages.len() {
        0 => out.plain("No message is disclosed.")?,
        1 => out.plain("This message is disclosed, with its sender and its times:")?,
        many => out.plain(&format!("These {many} messages are disclosed, with their senders and times:"))?,
    }
    for (number, message) in draft.messages.iter().enumerate() {
        show_named(out, &message.named_before)?;
        show_missing(out, message.missing_before)?;
        let when = time::local(message.accepted_at).unwrap_or_default();
        let start = format!("{:>4}  {when}  ", number + 1);
        let mut rows = message.text.split('\n').map(|row| row.strip_suffix('\r').unwrap_or(row));
        let from = format!("{}: ", message.from);
        let first = rows.next().unwrap_or_default();
        out.line(&[(Look::Quiet, &start), (Look::Name, &from), (Look::Plain, first)])?;
        // The bar keeps a further row from looking like a message of its own.
        rows.try_for_each(|row| out.line(&[(Look::Quiet, "      | "), (Look::Plain, row)]))?;
        show_rest(out, message)?;
    }
    Ok(())
}

fn elsewhere(places: &str, about: &str) -> String {
    format!(
        "{about} wrote in {places} too: nothing of that is disclosed. `read --json` shows ids of messages; a report by \
         ids is about those."
    )
}

/// What a message holds beside the text that is shown.
fn show_rest(out: &mut Out, message: &Disclosure) -> Result<(), Fail> {
    match message.whole {
        true => Ok(()),
        false => {
            let rest = format!(
                "      -- this is not all of it: the whole message is disclosed, {} bytes",
                message.bytes
            );
            out.line(&[(Look::Alarm, &rest)])
        }
    }
}

/// The places between two messages that are named; those of one sender that follow each other in one line.
fn show_named(out: &mut Out, named: &[Named]) -> Result<(), Fail> {
    for run in named.chunk_by(|one, next| (&one.from, one.said) == (&next.from, next.said)) {
        if let (Some(first), Some(last)) = (run.first(), run.last()) {
            show_run(out, first, last, run.len())?;
        }
    }
    Ok(())
}

fn show_run(out: &mut Out, first: &Named, last: &Named, count: usize) -> Result<(), Fail> {
    let time = |named: &Named| time::local(named.accepted_at).unwrap_or_default();
    let what = match (first.said, count) {
        // Both look alike to the service, and to whoever reads the report there.
        (true, 1) => {
            "1 message, or what their device tells by itself (such as that they accepted),".to_owned()
        }
        (true, many) => {
            format!("{many} messages, or what their device tells by itself (such as that they accepted),")
        }
        (false, 1) => "1 change of members or keys".to_owned(),
        (false, many) => format!("{many} changes of members or keys"),
    };
    let when = match count {
        1 => time(first),
        _ => format!("{} to {}", time(first), time(last)),
    };
    let from = if first.from.is_empty() { "someone unknown here" } else { &first.from };
    let line = format!("      -- {what} by {from}, {when}: who and when is disclosed, not what");
    out.line(&[(Look::Quiet, &line)])
}

fn show_missing(out: &mut Out, count: u64) -> Result<(), Fail> {
    match count {
        0 => Ok(()),
        many => out.line(&[(Look::Quiet, &format!("      -- {many} in between: not shown and not named"))]),
    }
}

fn show_answer(out: &mut Out, draft: &Draft, reported: &Reported) -> Result<(), Fail> {
    out.line(&[
        (Look::Plain, "The service took it as case "),
        (Look::Name, &reported.case),
        (Look::Plain, "."),
    ])?;
    if reported.messages > 0 {
        out.plain(&format!("{} of {} messages are proven.", reported.proven, reported.messages))?;
    }
    for (number, why) in reported.findings.iter().enumerate().filter(|(_, why)| !why.is_empty()) {
        let from = draft.messages.get(number).map_or("", |message| message.from.as_str());
        out.line(&[(Look::Alarm, &format!("{:>4}  of {from} is not proven: {why}", number + 1))])?;
    }
    out.plain("`zegel reports` shows what becomes of it.")
}

/// How the reports of this account stand.
pub async fn reports(client: &Client, out: &mut Out) -> Result<(), Fail> {
    let reports = client.reports().await?;
    if reports.is_empty() && !out.is_json() {
        return out.plain("You have reported nothing.");
    }
    for report in reports {
        if out.is_json() {
            out.object(&readable(serde_json::to_value(&report).unwrap_or_default()))?;
            continue;
        }
        let state = match (report.state, report.outcome) {
            (_, Some("action")) => "decided: something was done",
            (_, Some(_)) => "decided: nothing was done",
            ("in-review", None) => "somebody looks at it",
            ("decided", None) => "decided",
            _ => "waits for somebody",
        };
        let when = time::local(report.reported_at).unwrap_or_default();
        let about = if report.about.is_empty() { "made on another device" } else { &report.about };
        let rest = format!(
            "  {about}, {}; {} of {} messages proven; {when}",
            report.category, report.proven, report.messages
        );
        out.line(&[
            (Look::Name, &report.case),
            (Look::Plain, "  "),
            (Look::Plain, state),
            (Look::Quiet, &rest),
        ])?;
    }
    Ok(())
}

/// What the service decided about this account, and told it of its reports.
pub async fn decisions(client: &Client, out: &mut Out) -> Result<(), Fail> {
    let statements = client.statements().await?;
    if statements.is_empty() && !out.is_json() {
        return out.plain("The service decided nothing about you.");
    }
    let open = can_be_appealed(&statements, time::now());
    for (statement, open) in statements.iter().zip(open) {
        match out.is_json() {
            true => out.object(&readable(serde_json::to_value(statement).unwrap_or_default()))?,
            false => show_statement(out, statement, open)?,
        }
    }
    Ok(())
}

/// For each statement, newest first, whether an appeal against it would be taken now: what was appealed or decided since
/// is settled by a newer statement of the case.
fn can_be_appealed(statements: &[Statement], now_ms: u64) -> Vec<bool> {
    let mut seen = HashSet::new();
    let newest = statements.iter().map(|it| (it, seen.insert(it.case.as_str())));
    newest.map(|(it, newest)| newest && now_ms <= it.appeal_until).collect()
}

fn show_statement(out: &mut Out, statement: &Statement, open: bool) -> Result<(), Fail> {
    let about = match statement.about {
        "decision" => "a decision about you",
        "appeal-decision" => "the decision on your appeal",
        "appeal-taken" => "your appeal",
        _ => "your report",
    };
    let when = time::local(statement.made_at).unwrap_or_default();
    out.line(&[
        (Look::Name, &statement.case),
        (Look::Plain, &format!("  {about}")),
        (Look::Quiet, &format!("  {when}, signed by the service")),
    ])?;
    statement.text.lines().try_for_each(|row| out.plain(&format!("    {row}")))?;
    match time::local(statement.appeal_until).filter(|_| open) {
        Some(until) => {
            let type_this = format!("    until {until}: zegel appeal {} TEXT", statement.case);
            out.line(&[(Look::Quiet, &type_this)])
        }
        None => Ok(()),
    }
}

/// Asks for another look.
pub async fn appeal(case: &str, text: &str, client: &Client, out: &mut Out) -> Result<(), Fail> {
    client.appeal(case, text).await?;
    out.either(
        &json!({"done": "appeal", "name": case}),
        "The service took your appeal. Somebody else looks at the case; you are told what they decide.",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement(case: &str, about: &'static str, appeal_until: u64) -> Statement {
        Statement {
            case: case.into(),
            about,
            text: "A decision about your account.".into(),
            measure: "warn".into(),
            until: 0,
            appeal_until,
            made_at: 1,
            language: "en".into(),
        }
    }

    #[test]
    fn only_what_is_open_can_be_appealed() {
        let statements = [
            statement("one", "appeal-taken", 0),
            statement("two", "decision", 10),
            statement("one", "decision", 10),
            statement("three", "decision", 5),
            statement("four", "report-outcome", 0),
        ];
        assert_eq!(can_be_appealed(&statements, 6), [false, true, false, false, false]);
    }
}
