//! A report as the service keeps it: what was disclosed, and what the service found of each part.

use serde::{Deserialize, Serialize};
use zegel_proto::AccountId;

use crate::{Category, Subject, hex_id};

/// One report of one person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The reporter's account.
    #[serde(with = "hex_id")]
    pub reporter: AccountId,
    /// Their handle then.
    pub handle: String,
    /// What they say it is.
    pub category: Category,
    /// Their own words.
    pub note: String,
    /// When the service took it, milliseconds since 1970.
    pub made_ms: u64,
    /// The conversation, hexadecimal; empty when none was named.
    pub room: String,
    /// The run of messages, in order.
    pub run: Vec<Shown>,
    /// How many earlier reports of this person were decided, and how many of those led to a measure.
    pub earlier: (u32, u32),
    /// Whether the account was less than a week old.
    pub young: bool,
}

impl Report {
    /// How many messages were disclosed, and how many of them are proven.
    pub fn counts(&self) -> (u32, u32) {
        let shown = self.run.iter().filter(|shown| shown.is_disclosed());
        let proven = self.run.iter().filter(|shown| shown.finding == Finding::Proven);
        (shown.count() as u32, proven.count() as u32)
    }

    /// How many messages are proven, and sent by whom a case with this subject is about; of a group: by others than
    /// the reporter.
    pub fn against(&self, subject: &Subject) -> u32 {
        let reporter = self.reporter.to_hex();
        let meant = |sender: &str| match subject {
            Subject::Account(about) => sender == about.to_hex(),
            Subject::Room(_) => sender != reporter,
        };
        let proven = self.run.iter().filter(|shown| shown.finding == Finding::Proven);
        proven.filter(|shown| meant(&shown.sender)).count() as u32
    }
}

/// What the service found of one link of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Finding {
    /// An authenticated device of the sender's account committed to this content, at this place and time.
    Proven,
    /// The service carried a message here; the reporter did not disclose it.
    Withheld,
    /// Nothing was said here: the sender changed the conversation's keys or members.
    Change,
    /// Disclosed, but not proven: why, in one line.
    Unproven(String),
}

/// One link of a run. What is not proven may be invented, all of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// What the service found.
    pub finding: Finding,
    /// How many messages of the conversation lie between the link before and this one, neither shown nor named.
    pub gap: u64,
    /// Who sent it, as the stamp says: account id, hexadecimal; empty if the stamp is not the service's own.
    pub sender: String,
    /// Their handle when it was reported; empty if they are gone or unknown.
    pub handle: String,
    /// When the service accepted it, milliseconds since 1970; 0 if that is not proven.
    pub accepted_ms: u64,
    /// Its place in the conversation; 0 if that is not proven.
    pub seq: u64,
    /// The text, or what kind of message it is; empty when nothing was disclosed. Of what is not proven the service
    /// keeps the beginning, and nothing else that the reporter sent.
    pub text: String,
    /// The content's bytes, hexadecimal; empty when nothing was disclosed, or it is not proven.
    pub content: String,
    /// The stamp's context, hexadecimal; empty if the stamp is not the service's own.
    pub context: String,
    /// The stamp, hexadecimal; likewise.
    pub stamp: String,
}

impl Shown {
    /// Whether the reporter showed what it says.
    pub fn is_disclosed(&self) -> bool {
        match self.finding {
            Finding::Proven => true,
            Finding::Withheld | Finding::Change => false,
            Finding::Unproven(_) => !self.text.is_empty() || !self.content.is_empty(),
        }
    }
}
