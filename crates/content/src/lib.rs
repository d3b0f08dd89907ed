//! What people say: messages as MIMI content (draft-ietf-mimi-content) in deterministic CBOR, validated.
//!
//! *Invariant:* no I/O, and no cryptography beyond the hash in a message's id. Bytes from strangers are
//! refused with a typed error, never with a panic, and before they can use up memory or stack.
//!
//! The franking tag and the message id are taken over the bytes *as received*. Extensions that this version
//! does not know are ignored when reading, so encoding a decoded [`Content`] again need not give them back:
//! hash what came, not what was understood.

mod content;
mod decode;
mod encode;
mod error;
mod extensions;
mod facts;
mod fields;
mod guardian;
mod id;
mod letters;
mod limits;
mod part;
mod shown;
mod tokens;

pub use content::{Content, Expires, LastSeen, SeenRoot, SeenSigner};
pub use error::ContentError;
pub use facts::{Fact, Facts};
pub use guardian::{Asked, Contacts, GUARDIAN_TYPE, Guardian, Older, is_plain_name};
pub use id::{MessageId, MessageIdError, message_id};
pub use letters::{is_active, is_unseen};
pub use limits::{
    MAX_CONTENT, MAX_DEPTH, MAX_GUARDIAN, MAX_NAME, MAX_NAMES, MAX_SIGNERS, MAX_TEXT, MAX_TOKENS,
};
pub use part::{Body, Disposition, External, Part, Semantics};
pub use shown::{EVENT_TYPE, Event, Shown, TEXT_TYPE};
pub use tokens::{TOKENS_TYPE, Tokens};
