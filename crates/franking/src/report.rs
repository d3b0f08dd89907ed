//! What a report proves. A reporter sends a run of stamped contexts from one conversation, and the contents of
//! those that they disclose; the service that made the stamps finds out which of it is true.

use crate::chain::{self, Chain};
use crate::context::{Context, ContextError};
use crate::keys::{REPORTING_WINDOW_MS, StampKeys};
use crate::stamp::verify_stamp;
use crate::tag::{ZERO_TAG, verify_tag};

/// One message of a run, as the reporter sent it: all of it may be invented.
#[derive(Clone, Copy)]
pub struct Claimed<'a> {
    /// The bytes of its [`Context`].
    pub context: &'a [u8],
    /// The stamp on them.
    pub stamp: &'a [u8],
    /// What was said; none: the reporter withholds it.
    pub content: Option<Opened<'a>>,
}

/// A content that the reporter discloses.
#[derive(Clone, Copy)]
pub struct Opened<'a> {
    /// The salt that it holds. That it holds this one is for the caller to see to: it opens contents, we do not.
    pub salt: &'a [u8; 16],
    /// Its bytes, as they were opened.
    pub bytes: &'a [u8],
}

/// What the service can say of one message of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The device that the context names committed to this content, at this place and time.
    Proven,
    /// Something was sent at this place and time; the reporter does not show what.
    Withheld,
    /// Nothing can be said for it.
    Unproven(Fault),
}

/// Why a message of a run is not proven.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It cannot be read.
    #[error("it has no readable context: {0}")]
    Context(#[from] ContextError),
    /// Forged, or altered since.
    #[error("this service did not stamp it so")]
    Stamp,
    /// The key is unknown or destroyed.
    #[error("the key of its stamp is unknown or no longer kept")]
    KeyGone,
    /// It was accepted longer ago than [`REPORTING_WINDOW_MS`].
    #[error("it is too old to be reported")]
    TooOld,
    /// The sender committed to another content.
    #[error("its sender did not commit to this content")]
    Content,
    /// A commit has no content, and one was disclosed.
    #[error("nothing was said at this place: it is a change of the group")]
    Nothing,
    /// Spliced in.
    #[error("it is from another conversation")]
    OtherRoom,
    /// Moved, or shown twice.
    #[error("it does not come after the message before it")]
    Place,
    /// Two messages claim one place, or one names another past than was shown.
    #[error("it belongs to another past of the conversation")]
    Fork,
}

/// What came of one message of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What the service vouches for; none unless the stamp is its own.
    pub context: Option<Context>,
    /// What can be said of it.
    pub verdict: Verdict,
    /// How many stamps of the conversation lie between this one and the last before it that has a place; 0 for
    /// the first, and for what has no place itself.
    pub gap: u64,
}

/// Checks the run of a report: one link for each message, in the same order. `now_ms` is in milliseconds since
/// 1970.
///
/// The first message with a stamp of ours says which conversation it is. What has a place in the run is in rising
/// order: a message from elsewhere, or one that comes too late, has none, and those after it are judged as if it
/// were not there. Any other fault of one message leaves the others as they are.
pub fn check_report(keys: &StampKeys, now_ms: u64, run: &[Claimed<'_>]) -> Vec<Link> {
    let mut past = None;
    let check = |claimed: &Claimed<'_>| match authentic(keys, claimed) {
        Err(fault) => Link { context: None, verdict: Verdict::Unproven(fault), gap: 0 },
        Ok(context) => {
            let place = place(&mut past, &context);
            let said = place.and_then(|_| said(now_ms, &context, claimed.content));
            let verdict = said.unwrap_or_else(Verdict::Unproven);
            Link { context: Some(context), verdict, gap: place.unwrap_or(0) }
        }
    };
    run.iter().map(check).collect()
}

/// The context, if its stamp is ours.
fn authentic(keys: &StampKeys, claimed: &Claimed<'_>) -> Result<Context, Fault> {
    let context = Context::from_bytes(claimed.context)?;
    let stamp = claimed.stamp.try_into().map_err(|_| Fault::Stamp)?;
    let key = keys.get(context.key_id).ok_or(Fault::KeyGone)?;
    if verify_stamp(key, &context, stamp) { Ok(context) } else { Err(Fault::Stamp) }
}

/// The conversation of a run, and how far it has come.
pub struct Past {
    room: [u8; 32],
    chain: Chain,
}

/// How many are missing before a context, if it has a place after what came before: `past` is none before the first.
///
/// # Errors
/// [`Fault::OtherRoom`], [`Fault::Fork`] or [`Fault::Place`]; then it counts for nothing.
pub fn place(past: &mut Option<Past>, context: &Context) -> Result<u64, Fault> {
    let Some(past) = past else {
        *past = Some(Past { room: context.room, chain: Chain::origin(context) });
        return Ok(0);
    };
    if past.room != context.room {
        return Err(Fault::OtherRoom);
    }
    let before = past.chain;
    match past.chain.check(context) {
        chain::Link::Next => Ok(0),
        chain::Link::Gap { missing } => Ok(missing),
        chain::Link::Fork => Err(Fault::Fork),
        // The number of the message before, and yet another message.
        chain::Link::Repeat
            if context.server_seq.checked_add(1) == Some(before.next_seq)
                && context.hash() != before.prev =>
        {
            Err(Fault::Fork)
        }
        chain::Link::Repeat => Err(Fault::Place),
    }
}

/// What can be said of a message in its place.
fn said(now_ms: u64, context: &Context, content: Option<Opened<'_>>) -> Result<Verdict, Fault> {
    if now_ms > context.accepted_ms.saturating_add(REPORTING_WINDOW_MS) {
        return Err(Fault::TooOld);
    }
    match content {
        None => Ok(Verdict::Withheld),
        Some(_) if context.franking_tag == ZERO_TAG => Err(Fault::Nothing),
        Some(opened) if verify_tag(opened.salt, opened.bytes, &context.franking_tag) => Ok(Verdict::Proven),
        Some(_) => Err(Fault::Content),
    }
}
