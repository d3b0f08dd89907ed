//! How a command fails, and how that is said.

use std::{
    fmt::{self, Display},
    io,
};

use serde_json::json;
use zegel_client::{Code, Error};

use crate::safe;

/// Why a command did not succeed.
#[derive(Debug)]
pub enum Fail {
    /// The client says why.
    Client(Error),
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

    fn kind(&self) -> &'static str {
        match self {
            Self::Client(Error::Profile { .. } | Error::InUse { .. }) => "profile",
            Self::Client(Error::Database(_)) => "database",
            Self::Client(Error::Mls { .. }) => "mls",
            Self::Client(Error::Refused { .. }) => "refused",
            Self::Client(Error::Offline(_)) => "offline",
            Self::Client(Error::Protocol { .. }) => "protocol",
            Self::Client(Error::Usage { .. }) => "usage",
            Self::Client(Error::Timeout { .. }) => "timeout",
            Self::Client(Error::Rewritten { .. }) => "rewritten",
            Self::Client(Error::Unproven { .. }) => "unproven",
            Self::Client(Error::Distrusted { .. }) => "distrusted",
            Self::Own { .. } | Self::Pipe => "local",
            Self::CommandLine(_) => "command line",
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
            Self::Client(error) => {
                write!(f, "{error}")?;
                match error {
                    Error::Refused { doing, code, .. } => write!(f, "; try {}", advice(doing, *code)),
                    _ => Ok(()),
                }
            }
            Self::Own { doing, why, fix } => write!(f, "while {doing}: {why}; try {fix}"),
            Self::CommandLine(text) => f.write_str(text),
            Self::Pipe => f.write_str("while writing the output: nobody reads it; try again"),
        }
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
        // The service says which commands.
        Code::Suspended => "these",
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
        if let Fail::Client(Error::Refused { code, retry_after_ms, .. }) = fail {
            object["code"] = json!(*code as u32);
            object["retry_after_ms"] = json!(retry_after_ms);
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
