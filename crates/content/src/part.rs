//! The body of a message: a part, or parts within parts.

use std::fmt;

/// One part of a message. It has no `Debug` that prints what people said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What the part is for.
    pub disposition: Disposition,
    /// The language of the part as a BCP 47 tag; empty if unknown.
    pub language: String,
    /// What it holds.
    pub body: Body,
}

/// What a part holds.
#[derive(Clone, PartialEq, Eq)]
pub enum Body {
    /// Nothing: what a deletion puts in a message's place.
    Null,
    /// Content within the message.
    Single {
        /// Its media type.
        content_type: String,
        /// Its bytes.
        content: Vec<u8>,
    },
    /// A file outside the message.
    External(Box<External>),
    /// Two or more parts.
    Multi {
        /// How the parts belong together.
        semantics: Semantics,
        /// The parts.
        parts: Vec<Part>,
    },
}

/// A file outside the message, with all that is needed to fetch, open and check it.
#[derive(Clone, PartialEq, Eq)]
pub struct External {
    /// The media type of the file.
    pub content_type: String,
    /// Where the sealed file is.
    pub url: String,
    /// Until when it is there, in seconds since 1970; 0 for ever.
    pub expires: u32,
    /// Its size in bytes.
    pub size: u64,
    /// The AEAD by IANA's number; 0 for none.
    pub enc_alg: u16,
    /// The AEAD's key.
    pub key: Vec<u8>,
    /// The AEAD's nonce.
    pub nonce: Vec<u8>,
    /// The AEAD's additional data.
    pub aad: Vec<u8>,
    /// The hash by IANA's number (1 is SHA-256); 0 for none.
    pub hash_alg: u8,
    /// The hash of the content.
    pub content_hash: Vec<u8>,
    /// What it shows, for who cannot see it.
    pub description: String,
    /// A name to save it under.
    pub filename: String,
}

/// What a part is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    /// Nothing is said about it.
    Unspecified,
    /// To be shown as a message.
    Render,
    /// A reaction to the message that it replies to.
    Reaction,
    /// A picture of a person or room.
    Profile,
    /// To be shown inside another part.
    Inline,
    /// An icon of the room.
    Icon,
    /// A file to open or save.
    Attachment,
    /// A description of a session to join.
    Session,
    /// A preview of something else.
    Preview,
    /// One that this version does not know (9 to 255).
    Other(u8),
}

/// How the parts of a [`Body::Multi`] belong together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Semantics {
    /// The receiver picks exactly one.
    ChooseOne,
    /// All parts together are one thing.
    SingleUnit,
    /// Each part stands by itself.
    ProcessAll,
}

impl From<u8> for Disposition {
    fn from(number: u8) -> Self {
        match number {
            0 => Self::Unspecified,
            1 => Self::Render,
            2 => Self::Reaction,
            3 => Self::Profile,
            4 => Self::Inline,
            5 => Self::Icon,
            6 => Self::Attachment,
            7 => Self::Session,
            8 => Self::Preview,
            other => Self::Other(other),
        }
    }
}

impl From<Disposition> for u8 {
    fn from(disposition: Disposition) -> Self {
        match disposition {
            Disposition::Unspecified => 0,
            Disposition::Render => 1,
            Disposition::Reaction => 2,
            Disposition::Profile => 3,
            Disposition::Inline => 4,
            Disposition::Icon => 5,
            Disposition::Attachment => 6,
            Disposition::Session => 7,
            Disposition::Preview => 8,
            Disposition::Other(other) => other,
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => write!(f, "Null"),
            Self::Single { content, .. } => write!(f, "Single({} bytes)", content.len()),
            Self::External(external) => external.fmt(f),
            Self::Multi { semantics, parts } => {
                f.debug_struct("Multi").field("semantics", semantics).field("parts", parts).finish()
            }
        }
    }
}

impl fmt::Debug for External {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "External({} bytes)", self.size)
    }
}
