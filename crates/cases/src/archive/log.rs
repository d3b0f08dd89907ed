//! The desk's log as it is exported: its lines, and a last line with the service's signature of where it ends.

use serde::{Deserialize, Serialize};
use zegel_directory::{KeysError, SignedStatement, SignerLink, Signers, Statement};

use super::manifest::Key;
use crate::{LogEntry, LogError, LogHead, safe::is_domain, verify_log};

/// The version that this build writes and reads.
const VERSION: u32 = 1;

/// The last line. `head` is signed as it stands.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Last {
    head: String,
    signers: Vec<Key>,
    signer: u32,
    #[serde(with = "hex")]
    signature: Vec<u8>,
}

/// Where the log ends.
#[derive(Serialize, Deserialize)]
struct Head {
    version: u32,
    domain: String,
    made_ms: u64,
    seq: u64,
    #[serde(with = "hex")]
    hash: [u8; 32],
}

/// An exported log that is whole, and signed.
#[derive(Clone, Debug)]
pub struct CheckedLog {
    /// Whose.
    pub domain: String,
    /// When it was exported, milliseconds since 1970.
    pub made_ms: u64,
    /// The directory's keys, oldest first.
    pub signers: Signers,
    /// What its lines say.
    pub entries: Vec<LogEntry>,
    /// Where it ends.
    pub head: LogHead,
}

/// Why an exported log is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExportError {
    /// No last line with a signature.
    #[error("the last line, with the service's signature, is missing or cannot be read: {0}")]
    Last(String),
    /// Made by a newer Zegel.
    #[error("the log has version {0}, which is not known to this build; update it")]
    Version(u32),
    /// Lines were changed.
    #[error("{0}")]
    Log(#[from] LogError),
    /// The listed keys do not follow from each other.
    #[error("{0}")]
    Keys(#[from] KeysError),
    /// No listed key signed it.
    #[error("its end is not signed by the keys it lists: it was changed, or is not of that service")]
    Signature,
    /// The signature is for another end.
    #[error("it ends elsewhere than the service signed: lines were put in or taken out at its end")]
    End,
}

/// Why an exported log does not continue an older one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Apart {
    /// Another domain, or another first key.
    #[error("the two logs are of different services")]
    Service,
    /// The service signed the older with keys that the newer's do not go on from.
    #[error("the newer log's keys do not go on from the older's")]
    Keys,
    /// The newer one has fewer lines.
    #[error("the newer log ends before the older one, with line {0}")]
    Shorter(u64),
    /// A line that the older one has is not in the newer one.
    #[error("what was in the older log up to line {0} is not in the newer one")]
    Rewritten(u64),
}

/// A log as it is exported. `head` is where `lines`, all there are, end; `sign` signs that as
/// [`Statement::Log`]; times are milliseconds since 1970.
pub fn export_log(
    domain: &str,
    signers: &[SignerLink],
    lines: &[String],
    head: &LogHead,
    made_ms: u64,
    sign: impl Fn(&[u8]) -> SignedStatement,
) -> String {
    let head = Head { version: VERSION, domain: domain.to_owned(), made_ms, seq: head.seq, hash: head.hash };
    let head = json(&head);
    let SignedStatement { signer, signature } = sign(head.as_bytes());
    let last = Last { head, signers: signers.iter().map(Into::into).collect(), signer, signature };
    let last = json(&last);
    lines.iter().chain([&last]).flat_map(|line| [line.as_str(), "\n"]).collect()
}

/// Verifies an exported log.
///
/// # Errors
/// If it is not what the service with the keys it lists signed.
pub fn check_log(text: &str) -> Result<CheckedLog, ExportError> {
    let form = |error: serde_json::Error| ExportError::Last(error.to_string());
    let mut lines: Vec<&str> = text.lines().collect();
    let last = lines.pop().ok_or_else(|| ExportError::Last("the file is empty".into()))?;
    let last: Last = serde_json::from_str(last).map_err(form)?;
    let head: Head = serde_json::from_str(&last.head).map_err(form)?;
    if head.version != VERSION {
        return Err(ExportError::Version(head.version));
    }
    if !is_domain(&head.domain) {
        return Err(ExportError::Last("its domain cannot be one".into()));
    }
    let links: Vec<SignerLink> = last.signers.into_iter().map(Into::into).collect();
    let signers = Signers::verify(&head.domain, &links)?;
    let signed = SignedStatement { signer: last.signer, signature: last.signature };
    if !signers.stated(&head.domain, Statement::Log, last.head.as_bytes(), &signed) {
        return Err(ExportError::Signature);
    }
    let (entries, end) = verify_log(LogHead::default(), lines)?;
    if (end.seq, end.hash) != (head.seq, head.hash) {
        return Err(ExportError::End);
    }
    if let Some(unnamed) = entries.iter().position(|entry| !entry.who.has_form()) {
        let why = "it names somebody by what cannot be a name".into();
        return Err(LogError::Form { line: unnamed + 1, why }.into());
    }
    Ok(CheckedLog { domain: head.domain, made_ms: head.made_ms, signers, entries, head: end })
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("strings and numbers are JSON")
}

impl CheckedLog {
    /// Whether it holds all of `older` and goes on from there.
    ///
    /// # Errors
    /// All but [`Apart::Service`] show that the service signed two logs that contradict each other.
    pub fn continues(&self, older: &Self) -> Result<(), Apart> {
        if self.domain != older.domain || self.signers.first() != older.signers.first() {
            return Err(Apart::Service);
        }
        if !self.signers.continues(&older.signers) {
            return Err(Apart::Keys);
        }
        let LogHead { seq, hash } = older.head;
        if self.head.seq < seq {
            return Err(Apart::Shorter(self.head.seq));
        }
        match usize::try_from(seq).ok().and_then(|next| self.entries.get(next)) {
            Some(next) if next.prev == hex::encode(hash) => Ok(()),
            None if self.head == older.head => Ok(()),
            _ => Err(Apart::Rewritten(seq)),
        }
    }
}
