//! What was disclosed, in words. An authority reads it as the service's own statement, so nothing that somebody wrote may
//! look like a line of the service's: what was written stands behind a mark, line by line, and no character of it moves
//! another.

use super::shortened;
use crate::{Finding, Report, Shown, date::utc, one_line};

/// The most characters of the messages that a report quotes; all of them are in the archive.
const MAX_QUOTED: usize = 100_000;
/// What every line that somebody wrote begins with.
const MARK: &str = "  > ";

/// What was disclosed, one message after the other.
pub(super) fn quoted(reports: &[Report]) -> String {
    let mut text = String::new();
    for (number, report) in (1..).zip(reports) {
        for shown in &report.run {
            let Some(finding) = finding(shown) else { continue };
            let who = [&shown.handle, &shown.sender].into_iter().find(|name| !name.is_empty());
            let who = one_line(who.map_or("unknown", String::as_str));
            let time = match shown.accepted_ms {
                0 => "no proven time".to_owned(),
                at_ms => utc(at_ms),
            };
            text += &format!("[report {number}, {time}, {who}, {finding}]\n");
            lines(&shown.text).for_each(|written| text += &format!("{MARK}{}\n", one_line(written)));
        }
    }
    match text.is_empty() {
        true => "No message was disclosed.".into(),
        false => shortened(&text, MAX_QUOTED),
    }
}

/// In words; none where nothing was said.
fn finding(shown: &Shown) -> Option<String> {
    Some(match &shown.finding {
        Finding::Proven => "proven".into(),
        Finding::Change => return None,
        Finding::Withheld => "withheld by the person who reported".into(),
        Finding::Unproven(why) => format!("not proven: {}", one_line(why)),
    })
}

/// The lines of a text, by all that some program takes for the end of one.
fn lines(text: &str) -> impl Iterator<Item = &str> {
    let ends = ['\n', '\r', '\u{b}', '\u{c}', '\u{85}', '\u{2028}', '\u{2029}'];
    text.split("\r\n").flat_map(move |part| part.split(ends)).filter(|written| !written.is_empty())
}
