//! The log of every act at the desk: each line holds the hash of the line before it, so that none can be changed or
//! taken out unseen by who kept a later hash.

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{CaseNumber, StaffId};

/// One act. Its line is its JSON; the fields' order is fixed by this declaration.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogEntry {
    /// Its place, from 1.
    pub seq: u64,
    /// When, milliseconds since 1970.
    pub at_ms: u64,
    /// Who; `operator` for commands on the server's machine, `service` for the service itself, `person` for an appeal.
    pub who: StaffId,
    /// What: a word such as `claim`, `decide`, `sign-in`.
    pub act: String,
    /// In which case.
    pub case: Option<CaseNumber>,
    /// What else belongs to it; never content, never a handle.
    pub detail: String,
    /// Hash of the line before it, hexadecimal; zeroes for the first.
    pub prev: String,
}

/// Where a log ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogHead {
    /// How many lines it has.
    pub seq: u64,
    /// SHA-256 of the last line, zeroes if there is none.
    pub hash: [u8; 32],
}

/// Where a log is not what was written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// Not a line of a log.
    #[error("line {line} of the log cannot be read: {why}")]
    Form {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        why: String,
    },
    /// A line was changed, taken out, put in or moved.
    #[error(
        "line {line} of the log does not follow from the line before it: a line was changed or taken out"
    )]
    Broken {
        /// Counted from 1.
        line: usize,
    },
}

impl LogHead {
    /// The line of the next entry, and where the log then ends. `entry`'s `seq` and `prev` are set here.
    pub fn append(&self, mut entry: LogEntry) -> (String, Self) {
        entry.seq = self.seq + 1;
        entry.prev = hex::encode(self.hash);
        let line = serde_json::to_string(&entry).expect("strings and numbers are JSON");
        let head = Self { seq: entry.seq, hash: Sha256::digest(&line).into() };
        (line, head)
    }

    fn follow(&mut self, number: usize, line: &str) -> Result<LogEntry, LogError> {
        let entry: LogEntry = serde_json::from_str(line)
            .map_err(|error| LogError::Form { line: number, why: error.to_string() })?;
        if self.append(entry.clone()).0 != line {
            return Err(LogError::Broken { line: number });
        }
        *self = Self { seq: entry.seq, hash: Sha256::digest(line).into() };
        Ok(entry)
    }
}

/// Verifies lines that follow `head`, and returns what they say and where they end.
pub fn verify_log<'a>(
    mut head: LogHead,
    lines: impl IntoIterator<Item = &'a str>,
) -> Result<(Vec<LogEntry>, LogHead), LogError> {
    let entries = lines.into_iter().enumerate().map(|(number, line)| head.follow(number + 1, line));
    let entries = entries.collect::<Result<_, _>>()?;
    Ok((entries, head))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(act: &str) -> LogEntry {
        let (who, act) = (StaffId("ada".into()), act.to_owned());
        LogEntry {
            seq: 0,
            at_ms: 5,
            who,
            act,
            case: Some(CaseNumber::new(7)),
            detail: String::new(),
            prev: String::new(),
        }
    }

    #[test]
    fn every_change_is_found() {
        let mut head = LogHead::default();
        let mut lines = Vec::new();
        for act in ["claim", "decide", "export"] {
            let (line, next) = head.append(entry(act));
            lines.push(line);
            head = next;
        }
        let verify = |lines: &[String]| verify_log(LogHead::default(), lines.iter().map(String::as_str));
        let (entries, end) = verify(&lines).expect("it is whole");
        assert_eq!((entries.len(), end), (3, head));
        assert_eq!(entries[1].act, "decide");
        let mut changed = lines.clone();
        changed[0] = changed[0].replace("claim", "read");
        assert_eq!(verify(&changed), Err(LogError::Broken { line: 2 }));
        let mut without = lines.clone();
        without.remove(1);
        assert_eq!(verify(&without), Err(LogError::Broken { line: 2 }));
        let mut spaced = lines.clone();
        spaced[1] = spaced[1].replace(':', ": ");
        assert_eq!(verify(&spaced), Err(LogError::Broken { line: 2 }));
        // Whoever takes the end away is caught by who kept the head.
        assert_ne!(verify(&lines[..2]).expect("a beginning is whole").1, head);
    }
}
