//! What a person is shown.

use serde::Serialize;

/// A line of a conversation: a message, a gap or a notice.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Local number; a later line has a higher one.
    pub line: i64,
    /// `message`, `gap`, `notice`, `hidden` or `unsupported`.
    pub kind: &'static str,
    /// MIMI message id in hexadecimal; empty for what is no message.
    pub id: String,
    /// The other person's handle, or the group's name; empty for what belongs to no conversation.
    pub conversation: String,
    /// The sender's handle; empty for what nobody said.
    pub from: String,
    /// What to show.
    pub text: String,
    /// The sender's clock, milliseconds since 1970; 0 for none.
    pub sent_at: u64,
    /// The service's clock, milliseconds since 1970; 0 before it accepted.
    pub accepted_at: u64,
    /// Place in the conversation; 0 before the service accepted.
    pub seq: u64,
    /// `received`, `pending`, `accepted` or `failed`.
    pub state: &'static str,
    /// How the sender's devices are known: `verified` (numbers compared by hand), `proven` by the key directory,
    /// `promised` by it, `unknown` (not asked yet), `ended` (the account is gone), or `own`; empty for what nobody said.
    pub trust: &'static str,
}
