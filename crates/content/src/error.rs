//! Why a content was refused.

use crate::limits::{MAX_CONTENT, MAX_DEPTH, MAX_TEXT};

/// Why a content could not be encoded or decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ContentError {
    /// The whole is over [`MAX_CONTENT`].
    #[error("the content is {got} bytes, and {MAX_CONTENT} is the most")]
    TooLarge {
        /// Its length in bytes.
        got: usize,
    },
    /// The bytes are not CBOR, end early, or are nested too deep to be read.
    #[error("the content is not well-formed CBOR")]
    Malformed,
    /// Something follows after the content.
    #[error("{extra} bytes follow after the content")]
    Trailing {
        /// How many bytes.
        extra: usize,
    },
    /// The CBOR is not deterministic: a number or length is not in its shortest form, a length is indefinite,
    /// or map keys are unsorted or repeated.
    #[error("the content is not deterministic CBOR")]
    NotDeterministic,
    /// A field has the wrong type, length or range, or is absent.
    #[error("the content's field {0} is absent or has the wrong shape")]
    Field(&'static str),
    /// A text is over [`MAX_TEXT`].
    #[error("the text is {got} bytes, and {MAX_TEXT} is the most")]
    TextTooLong {
        /// Its length in bytes.
        got: usize,
    },
    /// A text is not UTF-8.
    #[error("the text is not UTF-8")]
    NotUtf8,
    /// Parts are nested over [`MAX_DEPTH`].
    #[error("the parts are nested over {MAX_DEPTH} deep")]
    TooDeep,
}
