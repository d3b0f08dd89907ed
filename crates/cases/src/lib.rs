//! What a report becomes: a case, who may do what with it, the log of every act, the words for the people it concerns.
//!
//! *Invariant:* no I/O, no clock and no randomness; whatever changes a case goes through [`Case`], which refuses what
//! a role may not do and what needs a second person. No number of reports decides anything. A safety rule, which counts
//! who declined or blocked somebody, may restrict their first contact for days, and nothing else; an appeal is decided by
//! a person.

#[cfg(feature = "archive")]
pub mod archive;
mod case;
mod category;
mod date;
mod log;
mod measure;
#[cfg(feature = "ncmec")]
pub mod ncmec;
mod number;
mod report;
mod role;
mod rule;
mod safe;
mod spoken;
mod words;

pub use case::{Act, Appeal, Case, Claim, Decision, Export, RULING_DAYS, State, Subject, WhyNot};
pub use category::{Category, Urgency};
pub use date::utc;
pub use log::{LogEntry, LogError, LogHead, verify_log};
pub use measure::Measure;
pub use number::{CaseNumber, StaffId};
pub use report::{Finding, Report, Shown};
pub use role::{Permission, Role, Staff};
pub use rule::{RULES, Ruled};
pub use safe::one_line;
pub use spoken::in_words;
pub use words::{Language, statement};

/// Account ids in hexadecimal.
mod hex_id {
    use serde::{Deserialize as _, Deserializer, Serializer, de::Error as _};
    use zegel_proto::AccountId;

    pub fn serialize<S: Serializer>(id: &AccountId, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&id.to_hex())
    }
    pub fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<AccountId, D::Error> {
        let bytes = hex::decode(String::deserialize(from)?).map_err(D::Error::custom)?;
        AccountId::from_slice(&bytes).map_err(D::Error::custom)
    }
}

/// The most messages that a report discloses the content of.
pub const MAX_DISCLOSED: usize = 30;
/// The most links of a run, disclosed or withheld.
pub const MAX_RUN: usize = 256;
/// The most bytes of a reporter's note.
pub const MAX_NOTE: usize = 2000;
/// The most bytes of an appeal.
pub const MAX_APPEAL: usize = 4000;
