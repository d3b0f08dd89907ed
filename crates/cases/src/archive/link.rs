//! What anyone can compute again of a report: that each commitment is to the content shown, and that order, gaps, places
//! and times are those of the contexts. Only the stamps cannot be checked without the service's key.

use zegel_content::Content;
use zegel_franking::{Context, REPORTING_WINDOW_MS, ZERO_TAG, report::place, verify_tag};
use zegel_proto::{RoomId, room_uri, user_uri};

use super::{Wrong, manifest::name};
use crate::{Finding, Report, Shown, in_words, safe::is_handle};

/// What a handle is not.
const NO_HANDLE: &str = "has a handle that cannot be one";

/// Checks report `number` (from 1) of a service with this domain.
pub(super) fn check_report(domain: &str, number: usize, report: &Report) -> Result<(), Wrong> {
    if !is_handle(&report.handle) {
        return Err(Wrong::new(name::report(number), NO_HANDLE));
    }
    let mut past = None;
    for (nth, shown) in (1..).zip(&report.run) {
        let wrong = |why: String| Wrong::new(name::report(number), format!("message {nth} {why}"));
        if !is_handle(&shown.handle) {
            return Err(wrong(NO_HANDLE.into()));
        }
        check_text(shown).map_err(|why| wrong(why.into()))?;
        let stamped = !shown.sender.is_empty();
        let found = !matches!(shown.finding, Finding::Unproven(_));
        if !stamped && found {
            return Err(wrong("is found true, and has no sender".into()));
        }
        if !stamped && shown.gap != 0 {
            return Err(wrong("is counted from the message before it, and is not of this service".into()));
        }
        if stamped {
            let context = context(shown).map_err(&wrong)?;
            check_fields(report, shown, &context, found).map_err(|why| wrong(why.into()))?;
            let gap = place(&mut past, &context).ok();
            if gap.unwrap_or(0) != shown.gap {
                return Err(wrong("does not lie as far from the message before it as is stated".into()));
            }
            if found && gap.is_none() {
                return Err(wrong("is found true, and does not follow from the message before it".into()));
            }
            if found && (context.franking_tag == ZERO_TAG) != (shown.finding == Finding::Change) {
                return Err(wrong("is no message and called one, or the other way round".into()));
            }
            if shown.finding == Finding::Proven {
                check_proven(domain, report, shown, &context).map_err(|why| wrong(why.into()))?;
            }
        }
        if matches!(shown.finding, Finding::Withheld | Finding::Change) && !shown.content.is_empty() {
            return Err(wrong("is not disclosed, and yet has a content".into()));
        }
    }
    Ok(())
}

fn context(shown: &Shown) -> Result<Context, String> {
    let bytes = hex::decode(&shown.context).map_err(|error| format!("has no readable context: {error}"))?;
    Context::from_bytes(&bytes).map_err(|error| format!("has no readable context: {error}"))
}

/// What is stated beside a context is what the context says.
fn check_fields(report: &Report, shown: &Shown, context: &Context, found: bool) -> Result<(), &'static str> {
    if shown.sender != hex::encode(context.sender_account) {
        return Err("has another sender than its context");
    }
    // Of what is not found true, place and time may be left out.
    let same = |stated: u64, real: u64| stated == real || (stated == 0 && !found);
    if !same(shown.seq, context.server_seq) {
        return Err("has another place than its context");
    }
    if !same(shown.accepted_ms, context.accepted_ms) {
        return Err("has another time than its context");
    }
    if found && !report.room.is_empty() && report.room != hex::encode(context.room) {
        return Err("is of another conversation than the report");
    }
    Ok(())
}

fn check_proven(domain: &str, report: &Report, shown: &Shown, context: &Context) -> Result<(), &'static str> {
    let bytes = hex::decode(&shown.content).unwrap_or_default();
    let content = Content::decode(&bytes).map_err(|_| "is called proven, and has no readable content")?;
    if !verify_tag(&content.salt, &bytes, &context.franking_tag) {
        return Err("is called proven, and its sender did not commit to this content");
    }
    if !shown.handle.is_empty() && content.sender_uri != user_uri(domain, &shown.handle) {
        return Err("is called proven, and its content names another sender");
    }
    if content.room_uri != room_uri(domain, &RoomId(context.room)) {
        return Err("is called proven, and its content names another conversation");
    }
    if report.made_ms > context.accepted_ms.saturating_add(REPORTING_WINDOW_MS) {
        return Err("is called proven, and was too old to be reported");
    }
    Ok(())
}

/// The text beside a content is what the content says. Of what is not proven the text alone may be kept.
fn check_text(shown: &Shown) -> Result<(), &'static str> {
    if shown.content.is_empty() {
        let alone = shown.text.is_empty() || matches!(shown.finding, Finding::Unproven(_));
        return if alone { Ok(()) } else { Err("has a text and no content") };
    }
    let bytes = hex::decode(&shown.content).map_err(|_| "has a content that is not hexadecimal")?;
    match Content::decode(&bytes) {
        Ok(content) if in_words(&content) != shown.text => Err("has another text than its content"),
        _ => Ok(()),
    }
}
