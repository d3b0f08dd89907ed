//! What is done about a case.

use serde::{Deserialize, Serialize};

use crate::case::DAY_MS;

/// What is done about a case.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Measure {
    /// Nothing: no rule was broken, or it cannot be told.
    Dismiss,
    /// The person is told that they broke a rule.
    Warn,
    /// For so many days they cannot introduce themself to strangers.
    RestrictFirstContact {
        /// How long.
        days: u32,
    },
    /// For so many days they cannot connect.
    Suspend {
        /// How long.
        days: u32,
    },
    /// They cannot connect any more.
    Ban,
}

impl Measure {
    /// Its name in files and forms.
    pub fn word(self) -> &'static str {
        match self {
            Self::Dismiss => "dismiss",
            Self::Warn => "warn",
            Self::RestrictFirstContact { .. } => "restrict-first-contact",
            Self::Suspend { .. } => "suspend",
            Self::Ban => "ban",
        }
    }

    /// By its word; `days` where the measure has an end.
    pub fn from_word(word: &str, days: u32) -> Option<Self> {
        Some(match word {
            "dismiss" => Self::Dismiss,
            "warn" => Self::Warn,
            "restrict-first-contact" => Self::RestrictFirstContact { days },
            "suspend" => Self::Suspend { days },
            "ban" => Self::Ban,
            _ => return None,
        })
    }

    /// Whether it takes more from a person than the other, in kind or in days.
    pub(crate) fn harsher_than(self, other: Self) -> bool {
        let kind = |measure| match measure {
            Self::Dismiss => 0,
            Self::Warn => 1,
            Self::RestrictFirstContact { .. } => 2,
            Self::Suspend { .. } => 3,
            Self::Ban => 4,
        };
        let days = |measure: Self| if measure == Self::Ban { u32::MAX } else { measure.days().unwrap_or(0) };
        kind(self) > kind(other) || days(self) > days(other)
    }

    /// How many days it lasts, if it ends by itself.
    pub(crate) fn days(self) -> Option<u32> {
        match self {
            Self::RestrictFirstContact { days } | Self::Suspend { days } => Some(days),
            _ => None,
        }
    }

    /// Until when it holds, milliseconds since 1970; 0 if it has no end or does not last. It ends with a day (UTC),
    /// because accounts are held by days: at least as long as was decided, and at most a day longer.
    pub fn until_ms(self, from_ms: u64) -> u64 {
        self.days().map_or(0, |days| (from_ms / DAY_MS + u64::from(days) + 1).saturating_mul(DAY_MS))
    }
}
