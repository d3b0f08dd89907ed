//! How large a content may be. The same check guards both directions, so what we encode others can decode.

use crate::error::ContentError;
use crate::part::{Body, Part};
use crate::shown::is_text;

/// Most bytes of one encoded content.
pub const MAX_CONTENT: usize = 64 * 1024;

/// Most bytes of one text.
pub const MAX_TEXT: usize = 16 * 1024;

/// Most keys of the key directory that a message may name.
pub const MAX_SIGNERS: usize = 16;

/// Most connection tokens of one message.
pub const MAX_TOKENS: usize = 16;

/// Most bytes of what a child's and a guardian's software tell each other at once.
pub const MAX_GUARDIAN: usize = 48 * 1024;

/// Most bytes of a name in it.
pub const MAX_NAME: usize = 128;

/// Most names of a list in it.
pub const MAX_NAMES: usize = 1000;

/// Most levels of parts, the outermost included (section 6.3 of the draft).
pub const MAX_DEPTH: usize = 4;

/// How deep the CBOR parser may go: the content, two levels for each level of parts, and something to spare
/// for the values of unknown extensions.
pub(crate) const CBOR_DEPTH: usize = 16;

pub(crate) fn check_size(got: usize) -> Result<(), ContentError> {
    if got > MAX_CONTENT { Err(ContentError::TooLarge { got }) } else { Ok(()) }
}

/// `depth` counts the levels of parts that may still be entered.
pub(crate) fn check_part(part: &Part, depth: usize) -> Result<(), ContentError> {
    let depth = depth.checked_sub(1).ok_or(ContentError::TooDeep)?;
    match &part.body {
        Body::Single { content_type, content } if is_text(content_type) => {
            if content.len() > MAX_TEXT {
                return Err(ContentError::TextTooLong { got: content.len() });
            }
            std::str::from_utf8(content).map(|_| ()).map_err(|_| ContentError::NotUtf8)
        }
        Body::Multi { parts, .. } if parts.len() < 2 => Err(ContentError::Field("parts")),
        Body::Multi { parts, .. } => parts.iter().try_for_each(|part| check_part(part, depth)),
        Body::Null | Body::Single { .. } | Body::External(_) => Ok(()),
    }
}
