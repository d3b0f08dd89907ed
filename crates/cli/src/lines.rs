//! How lines of conversations are shown.

use serde_json::Value;
use unicode_width::UnicodeWidthStr;
use zegel_client::Line;

use crate::{
    fail::Fail,
    out::{Look, Out},
    safe, time,
};

/// Wider names of conversations do not push all others aside.
const WIDEST: usize = 24;
/// `2020-01-01T00:00:00+00:00`
const TIME: usize = 25;
/// Where the sender's clock differs from the service's by more, both are shown; milliseconds.
const CLOCKS_APART: u64 = 5 * 60 * 1000;

/// Shows lines, aligned with each other.
pub fn show(out: &mut Out, lines: &[Line]) -> Result<(), Fail> {
    if out.is_json() {
        return lines.iter().try_for_each(|line| out.object(&object(line)));
    }
    let names = lines.iter().map(|line| width(&line.conversation));
    let column = names.max().unwrap_or_default().min(WIDEST);
    lines.iter().try_for_each(|line| show_one(out, line, column))
}

fn show_one(out: &mut Out, line: &Line, column: usize) -> Result<(), Fail> {
    let at = if line.accepted_at == 0 { line.sent_at } else { line.accepted_at };
    let when = format!("{:TIME$}  ", time::local(at).unwrap_or_default());
    let fill = " ".repeat(column.saturating_sub(width(&line.conversation)) + 2);
    let start = [(Look::Quiet, when.as_str()), (Look::Plain, &line.conversation), (Look::Plain, &fill)];
    let margin = " ".repeat(TIME + 2 + column + 2);

    if line.kind == "service" {
        return show_statement(out, line, &when);
    }
    let Some(mark) = mark(line.kind) else {
        let sender = format!("{}: ", line.from);
        let after = aside(line).map(|aside| format!(" ({aside})")).unwrap_or_default();
        let mut rows = line.text.split('\n').map(|row| row.strip_suffix('\r').unwrap_or(row)).peekable();
        let mut next =
            || rows.next().map(|row| (row, if rows.peek().is_none() { after.as_str() } else { "" }));
        if let Some((row, after)) = next() {
            let said = [(Look::Name, sender.as_str()), (Look::Plain, row), (Look::Quiet, after)];
            out.line(&[&start[..], &said[..]].concat())?;
        }
        // The bar keeps a further row of a message from looking like a line of its own.
        while let Some((row, after)) = next() {
            out.line(&[
                (Look::Quiet, &margin),
                (Look::Quiet, "| "),
                (Look::Plain, row),
                (Look::Quiet, after),
            ])?;
        }
        return Ok(());
    };
    let look = if line.kind == "notice" { Look::Quiet } else { Look::Alarm };
    out.line(&[&start[..], &[(look, mark), (look, line.text.as_str())]].concat())
}

/// A statement of the service. Whatever people write, and whatever they call themselves and their groups, stands behind a
/// time or a bar; so no line of theirs begins with these signs.
fn show_statement(out: &mut Out, line: &Line, when: &str) -> Result<(), Fail> {
    out.line(&[
        (Look::Alarm, "== From the service itself; this is no chat  "),
        (Look::Quiet, when.trim_end()),
    ])?;
    line.text.lines().try_for_each(|row| out.line(&[(Look::Alarm, "== "), (Look::Plain, row)]))
}

/// What stands before a line that is no message.
fn mark(kind: &str) -> Option<&'static str> {
    match kind {
        "message" => None,
        "notice" => Some("-- "),
        "gap" => Some("!! gap: "),
        "hidden" => Some("!! hidden: "),
        _ => Some("!! not supported: "),
    }
}

/// What else there is to know about a message.
fn aside(line: &Line) -> Option<String> {
    match line.state {
        "pending" => return Some("waits to be sent".into()),
        "failed" => return Some("was not sent".into()),
        _ => {}
    }
    let apart = line.accepted_at != 0 && line.sent_at.abs_diff(line.accepted_at) > CLOCKS_APART;
    let sent = time::local(line.sent_at).filter(|_| apart)?;
    Some(format!("{}'s clock said {sent}", line.from))
}

/// How wide a name is once it is safe.
fn width(name: &str) -> usize {
    safe::line(name).width()
}

/// A line as JSON, its times readable.
pub fn object(line: &Line) -> Value {
    readable(serde_json::to_value(line).unwrap_or_default())
}

/// Names of fields that are times, in milliseconds since 1970.
const TIMES: [&str; 7] =
    ["sent_at", "accepted_at", "reported_at", "made_at", "until", "appeal_until", "at_ms"];

/// Turns the times in a value into RFC 3339, and those that are none into null.
pub fn readable(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let read = |(name, value): (String, Value)| match (name.as_str(), value.as_u64()) {
                (name, Some(ms)) if TIMES.contains(&name) => (name.to_owned(), time::utc(ms).into()),
                _ => (name, readable(value)),
            };
            Value::Object(fields.into_iter().map(read).collect())
        }
        Value::Array(items) => Value::Array(items.into_iter().map(readable).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn message() -> Line {
        Line {
            line: 7,
            kind: "message",
            id: "00ff".into(),
            conversation: "bob".into(),
            from: "bob".into(),
            text: "hi".into(),
            sent_at: 1_577_836_800_000,
            accepted_at: 1_577_836_800_900,
            seq: 9,
            state: "received",
            trust: "proven",
        }
    }

    #[test]
    fn times_in_json_are_readable_wherever_they_are() {
        let line = object(&Line { accepted_at: 0, ..message() });
        assert_eq!(line["sent_at"], json!("2020-01-01T00:00:00.000Z"));
        assert_eq!(line["accepted_at"], json!(null));
        assert_eq!(line["seq"], json!(9));
        let nested = readable(json!([{"line": {"sent_at": 1_577_836_800_000_u64}}]));
        assert_eq!(nested[0]["line"]["sent_at"], json!("2020-01-01T00:00:00.000Z"));
    }

    #[test]
    fn a_wrong_clock_is_told() {
        assert_eq!(aside(&message()), None);
        let wrong = Line { sent_at: 1_577_836_800_000 - 86_400_000, ..message() };
        assert!(aside(&wrong).is_some_and(|text| text.starts_with("bob's clock said 2019-12-3")));
        assert_eq!(aside(&Line { state: "pending", ..message() }).as_deref(), Some("waits to be sent"));
    }
}
