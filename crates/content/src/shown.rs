//! What a client can show of a message.

use std::fmt;

use crate::guardian::{GUARDIAN_TYPE, Guardian};
use crate::part::{Body, Part, Semantics};
use crate::tokens::{TOKENS_TYPE, Tokens};

/// The media type that texts are sent with.
pub const TEXT_TYPE: &str = "text/plain;charset=utf-8";

/// The media type of an [`Event`].
pub const EVENT_TYPE: &str = "application/vnd.zegel.event";

/// Something that happened, told by a member's software to the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// The sender leaves the conversation; a member commits the removal.
    Leave,
    /// The receiver of an introduction accepts it: the other side may write on.
    Accept,
}

impl Event {
    /// Its name, which is the body of the part.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Leave => "leave",
            Self::Accept => "accept",
        }
    }

    fn from_name(name: &[u8]) -> Option<Self> {
        [Self::Leave, Self::Accept].into_iter().find(|event| event.name().as_bytes() == name)
    }
}

/// What a client can show of a message. Its `Debug` does not print what people said.
#[derive(Clone, PartialEq, Eq)]
pub enum Shown<'a> {
    /// A text to show as it is; Markdown is shown as its source.
    Text(&'a str),
    /// Something that happened.
    Event(Event),
    /// Connection tokens, for the receiver's software.
    Tokens(Tokens),
    /// What a child's and a guardian's software tell each other.
    Guardian(Box<Guardian>),
    /// Something to show as "your app cannot show this yet".
    Unsupported {
        /// The media type; of several parts the first one's, and empty if there is none.
        content_type: &'a str,
    },
}

impl<'a> Shown<'a> {
    pub(crate) fn of(part: &'a Part) -> Self {
        match &part.body {
            Body::Null => Self::Unsupported { content_type: "" },
            Body::Single { content_type, content } => Self::of_single(content_type, content),
            Body::External(file) => Self::Unsupported { content_type: &file.content_type },
            Body::Multi { semantics, parts } => Self::of_parts(*semantics, parts),
        }
    }

    fn of_single(content_type: &'a str, content: &'a [u8]) -> Self {
        let unsupported = Self::Unsupported { content_type };
        if is_text(content_type) {
            std::str::from_utf8(content).map_or(unsupported, Self::Text)
        } else if content_type == EVENT_TYPE {
            Event::from_name(content).map_or(unsupported, Self::Event)
        } else if content_type == TOKENS_TYPE {
            Tokens::decode(content).map_or(unsupported, Self::Tokens)
        } else if content_type == GUARDIAN_TYPE {
            Guardian::decode(content).map_or(unsupported, |said| Self::Guardian(Box::new(said)))
        } else {
            unsupported
        }
    }

    /// Of parts to choose from, the first that can be shown; of parts that belong together never just one.
    fn of_parts(semantics: Semantics, parts: &'a [Part]) -> Self {
        let first_type = parts.first().map_or("", |part| match Self::of(part) {
            Self::Text(_) => TEXT_TYPE,
            Self::Event(_) => EVENT_TYPE,
            Self::Tokens(_) => TOKENS_TYPE,
            Self::Guardian(_) => GUARDIAN_TYPE,
            Self::Unsupported { content_type } => content_type,
        });
        let supported = |shown: &Self| !matches!(shown, Self::Unsupported { .. });
        let choice = match semantics {
            Semantics::ChooseOne => parts.iter().map(Self::of).find(supported),
            Semantics::SingleUnit | Semantics::ProcessAll => None,
        };
        choice.unwrap_or(Self::Unsupported { content_type: first_type })
    }
}

impl fmt::Debug for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Event(event) => write!(f, "Event({event:?})"),
            Self::Tokens(tokens) => write!(f, "Tokens({})", tokens.tokens.len()),
            Self::Guardian(said) => write!(f, "Guardian({})", said.kind()),
            Self::Unsupported { content_type } => write!(f, "Unsupported({content_type:?})"),
        }
    }
}

/// Whether a media type is plain or Markdown text in UTF-8.
pub(crate) fn is_text(content_type: &str) -> bool {
    let mut pieces = content_type.split(';').map(str::trim);
    let media_type = pieces.next().unwrap_or_default();
    let known = ["text/plain", "text/markdown"].iter().any(|known| media_type.eq_ignore_ascii_case(known));
    known
        && pieces.filter_map(|parameter| parameter.split_once('=')).all(|(name, value)| {
            let value = value.trim_matches('"');
            !name.eq_ignore_ascii_case("charset")
                || value.eq_ignore_ascii_case("utf-8")
                || value.eq_ignore_ascii_case("us-ascii")
        })
}
