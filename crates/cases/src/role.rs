//! Who may do what at the desk.

use serde::{Deserialize, Serialize};

use crate::StaffId;

/// What a person at the desk is there for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// Looks into cases and decides them.
    Moderator,
    /// Also bans, and lets evidence out.
    Senior,
    /// Sees what was done by whom, and no case's content.
    Auditor,
}

/// Something that not everybody may do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See the queue and what is in a case.
    SeeCases,
    /// Claim and decide cases, by any measure but a ban.
    Decide,
    /// Ban for good.
    Ban,
    /// Decide appeals against what someone else decided.
    DecideAppeals,
    /// Ask that a case's evidence be exported.
    AskExport,
    /// Let it be exported, when someone else asked; then either may fetch or send it.
    AllowExport,
    /// See, fetch and verify the log.
    SeeLog,
}

impl Permission {
    /// All.
    pub const ALL: [Self; 7] = [
        Self::SeeCases,
        Self::Decide,
        Self::Ban,
        Self::DecideAppeals,
        Self::AskExport,
        Self::AllowExport,
        Self::SeeLog,
    ];
}

impl Role {
    /// All.
    pub const ALL: [Self; 3] = [Self::Moderator, Self::Senior, Self::Auditor];

    /// Whether it may.
    pub fn may(self, what: Permission) -> bool {
        use Permission::*;
        match self {
            Self::Moderator => matches!(what, SeeCases | Decide | DecideAppeals | AskExport),
            Self::Senior => matches!(what, SeeCases | Decide | Ban | DecideAppeals | AskExport | AllowExport),
            Self::Auditor => what == SeeLog,
        }
    }

    /// Its name in commands and pages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Moderator => "moderator",
            Self::Senior => "senior",
            Self::Auditor => "auditor",
        }
    }

    /// By its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.word() == word)
    }
}

/// A person at the desk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Staff {
    /// Name.
    pub id: StaffId,
    /// What they are there for.
    pub role: Role,
}
