//! How a command fails, and how that is said.

use std::{
    fmt::{self, Display},
    io,
};

use serde_json::json;
use zegel_client::{Code, Error};

use crate::safe;

/// Whoever is to wait longer than this is told why and until when, milliseconds.
const LONG_MS: u64 = 60_000;

/// Why a command did not succeed.
#[derive(Debug)]
pub enum Fail {
    /// The client says why.
    Client(Error),
    /// A report was not taken; whom it is about was blocked all the same.
    OnlyBlocked {
        /// Why it was not taken.
        error: Error,
        /// Their handle.
        blocked: String,
    },
    /// Something outside of the client.
    Own {
        /// The operation.
        doing: &'static str,
        /// What happened.
        why: String,
        /// What to try.
        fix: &'static str,
    },
    /// The command line, as clap explains it.
    CommandLine(String),
    /// Nobody reads what is written.
    Pipe,
}

impl Fail {
    pub fn own(doing: &'static str, why: impl Display, fix: &'static str) -> Self {
        Self::Own { doing, why: why.to_string(), fix }
    }

    /// What the client says, if it is the client that says why.
    fn error(&self) -> Option<&Error> {
        match self {
            Self::Client(error) | Self::OnlyBlocked { error, .. } => Some(error),
            Self::Own { .. } | Self::CommandLine(_) | Self::Pipe => None,
        }
    }

    fn kind(&self) -> &'static str {
        let Some(error) = self.error() else {
            return if matches!(self, Self::CommandLine(_)) { "command line" } else { "local" };
        };
        match error {
            Error::Profile { .. } | Error::InUse { .. } => "profile",
            Error::Database(_) => "database",
            Error::Mls { .. } => "mls",
            Error::Refused { .. } => "refused",
            Error::Offline(_) => "offline",
            Error::Protocol { .. } => "protocol",
            Error::Usage { .. } => "usage",
            Error::Timeout { .. } => "timeout",
            Error::Rewritten { .. } => "rewritten",
            Error::Unproven { .. } => "unproven",
            Error::Distrusted { .. } => "distrusted",
        }
    }
}

impl From<Error> for Fail {
    fn from(error: Error) -> Self {
        Self::Client(error)
    }
}

impl From<io::Error> for Fail {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Pipe,
            _ => Self::own("writing the output", error, "again with room on the disk"),
        }
    }
}

impl Display for Fail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Client(error) => explain(f, error),
            Self::OnlyBlocked { error, blocked } => {
                explain(f, error)?;
                write!(f, "; {blocked} is blocked all the same, and not told")
            }
            Self::Own { doing, why, fix } => write!(f, "while {doing}: {why}; try {fix}"),
            Self::CommandLine(text) => f.write_str(text),
            Self::Pipe => f.write_str("while writing the output: nobody reads it; try again"),
        }
    }
}

/// What the client says, and what to try where only the server knows why.
fn explain(f: &mut fmt::Formatter<'_>, error: &Error) -> fmt::Result {
    match error {
        Error::Refused { doing, code, message, retry_after_ms, .. } => {
            write!(f, "while {doing}: the server refused: ")?;
            // A rule about whole days: the service says which, and what else one can do.
            if let (Code::RateLimited, Some((why, advice))) = (code, message.rsplit_once("; "))
                && *retry_after_ms > LONG_MS
            {
                return write!(f, "{why}; try to {advice}");
            }
            write!(f, "{}; try {}", why(doing, *code, message), advice(doing, *code))
        }
        error => write!(f, "{error}"),
    }
}

/// What the server said, without its own advice where there is better: one piece of advice is enough.
fn why<'a>(doing: &str, code: Code, message: &'a str) -> &'a str {
    let ours =
        matches!(doing, "reporting" | "appealing") && matches!(code, Code::BadRequest | Code::NotFound);
    let plain = matches!(
        code,
        Code::RateLimited | Code::Internal | Code::StorageFull | Code::GoingAway | Code::Suspended
    );
    match message.split_once("; ") {
        Some((why, _)) if ours || plain => why,
        _ => message,
    }
}

/// What a person can do when the server refuses.
fn advice(doing: &str, code: Code) -> &'static str {
    match code {
        Code::BadRequest if doing == "reporting" => "`reports` to see what became of yours",
        Code::NotFound if doing == "reporting" => {
            "again with the ids of their messages, which prove to the service whom you mean, as `read --json` shows them; \
             the report is kept, and `export` has it and every message with its proof, for the operator or the police"
        }
        Code::BadRequest | Code::NotFound if doing == "appealing" => {
            "`decisions` to see what can be appealed, and until when"
        }
        Code::HandleTaken | Code::HandleForm | Code::NotFound => "another handle",
        Code::InviteNeeded => "--invite with a code from the operator",
        Code::RateLimited | Code::Internal | Code::StorageFull | Code::GoingAway => "again later",
        Code::Replaced => "again when no other program uses this profile",
        Code::Version => "a newer `zegel`",
        Code::AuthFailed | Code::NotAuthenticated => "asking the service's operator",
        Code::Suspended => {
            "`zegel decisions`, which shows why, and `zegel appeal`, which asks for another look"
        }
        Code::TooLarge => "something smaller",
        Code::StaleEpoch | Code::NotMember | Code::UnknownConversation => "`sync`, then again",
        Code::BadRequest | Code::BadMessage | Code::BadChain => {
            "a newer `zegel`, and tell the operator if it stays so"
        }
    }
}

/// Says on standard error why the command failed.
pub fn tell(fail: &Fail, json: bool) {
    if json {
        let mut object = json!({"error": fail.to_string(), "kind": fail.kind()});
        if let Some(Error::Refused { code, retry_after_ms, .. }) = fail.error() {
            object["code"] = json!(*code as u32);
            object["retry_after_ms"] = json!(retry_after_ms);
        }
        if let Fail::OnlyBlocked { blocked, .. } = fail {
            object["blocked"] = json!(blocked);
        }
        eprintln!("{}", safe::json(&object.to_string()));
    } else {
        eprintln!("zegel: {}", safe::line(&fail.to_string()));
    }
}

/// Says on standard error something that is good to know, and no failure.
pub fn note(text: &str, json: bool) {
    if json {
        eprintln!("{}", safe::json(&json!({"note": text}).to_string()));
    } else {
        eprintln!("zegel: note: {}", safe::line(text));
    }
}
