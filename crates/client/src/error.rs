//! Every way an operation can fail, with what to do about it.

use zegel_proto::Code;

/// What went wrong. The text reads `while …: …; try …`.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The profile folder cannot be used.
    #[error("while opening the profile: {why}; try {fix}")]
    Profile {
        /// What is wrong.
        why: String,
        /// What to do.
        fix: &'static str,
    },
    /// Another process has the profile.
    #[error(
        "while opening the profile: {home} is in use by another process of yours; try again when that has ended"
    )]
    InUse {
        /// The folder.
        home: String,
    },
    /// The local database failed; nothing was changed.
    #[error("while using the local database: {0}; try again, or make room on the disk")]
    Database(#[from] rusqlite::Error),
    /// MLS refused; nothing was changed.
    #[error("while {doing}: {why}; try `sync` first")]
    Mls {
        /// The step.
        doing: &'static str,
        /// What openmls said.
        why: String,
    },
    /// The server said no.
    #[error("while {doing}: the server refused: {message}")]
    Refused {
        /// The call.
        doing: &'static str,
        /// Stable code.
        code: Code,
        /// What it said, including what to try.
        message: String,
        /// Code [`Code::StaleEpoch`]: where the conversation is.
        head_epoch: u64,
        /// Code [`Code::RateLimited`]: milliseconds to wait.
        retry_after_ms: u64,
    },
    /// No connection, or it broke.
    #[error("while talking to the server: {0}; try again when it can be reached")]
    Offline(String),
    /// The server broke the contract.
    #[error(
        "while {doing}: the server's answer makes no sense ({why}); try again, and tell the operator if it stays so"
    )]
    Protocol {
        /// The call.
        doing: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// The service's list of someone's devices does not continue the one we know: it, or who holds it, lies.
    #[error(
        "while reading {handle}'s devices: the service rewrote their history; try to reach them in another way"
    )]
    Rewritten {
        /// Whose.
        handle: String,
    },
    /// What the service said about somebody is neither proven nor promised by its directory, or cannot be true. It was
    /// not taken, and an alarm was kept.
    #[error("while looking up {handle}: {why}; try `alarms` to see what to do")]
    Unproven {
        /// Whose handle, or what stands for it.
        handle: String,
        /// What is wrong.
        why: String,
    },
    /// The service's directory was caught contradicting itself: nothing new is taken from it.
    #[error(
        "while {doing}: the service's directory is no longer believed; try `alarms --all` to see why and what to do: nobody new can be written to before `directory trust-anew`"
    )]
    Distrusted {
        /// The operation.
        doing: &'static str,
    },
    /// The request cannot be done as things are.
    #[error("while {doing}: {why}; try {fix}")]
    Usage {
        /// The operation.
        doing: &'static str,
        /// Why not.
        why: String,
        /// What to do.
        fix: String,
    },
    /// It took too long; it goes on when there is a connection.
    #[error("while {doing}: no answer within {seconds} s; it is kept and goes out later; try `sync`")]
    Timeout {
        /// The operation.
        doing: &'static str,
        /// How long was waited, seconds.
        seconds: u64,
    },
}

/// Shorthand.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    pub(crate) fn mls(doing: &'static str) -> impl Fn(&dyn std::fmt::Display) -> Error {
        move |why| Error::Mls { doing, why: why.to_string() }
    }
    pub(crate) fn usage(doing: &'static str, why: impl Into<String>, fix: impl Into<String>) -> Error {
        Error::Usage { doing, why: why.into(), fix: fix.into() }
    }
    pub(crate) fn protocol(doing: &'static str, why: impl std::fmt::Display) -> Error {
        Error::Protocol { doing, why: why.to_string() }
    }
    /// Whether trying the same again later can help.
    pub fn is_passing(&self) -> bool {
        match self {
            Error::Offline(_) | Error::Timeout { .. } => true,
            Error::Refused { code, .. } => {
                matches!(
                    code,
                    Code::RateLimited | Code::Internal | Code::StorageFull | Code::GoingAway | Code::Replaced
                )
            }
            _ => false,
        }
    }
}
