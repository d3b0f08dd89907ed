//! The numbers of each rule in the policy file. What a rule says in words stands beside them there.

use serde::{Deserialize, Serialize};

use zegel_proto::v1::AgeBand;

use crate::{Language, Policy, Signal};

/// A rule that says what holds, and has no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Always {}

/// How long a contact code is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Codes {
    /// Days, whoever made it: a shorter life of a minor's would tell their age to whoever has one.
    pub days: u32,
}

/// Connection tokens, which friends hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tokens {
    /// How many one friend holds at most.
    pub per_friend: u32,
    /// Days that one is good.
    pub days: u32,
}

/// How many strangers somebody may introduce themself to in a day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strangers {
    /// From an account younger than `new_days`, or without an age.
    pub new_a_day: u32,
    /// From others.
    pub a_day: u32,
    /// How long an account is new.
    pub new_days: u32,
}

impl Strangers {
    /// How many it may be from an account of this age in days and of this band.
    pub fn most(&self, age_days: u32, band: AgeBand) -> u32 {
        match age_days < self.new_days || band == AgeBand::Unknown {
            true => self.new_a_day,
            false => self.a_day,
        }
    }
}

/// What receivers are told about a sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notices {
    /// An account younger than this is called new.
    pub new_days: u32,
    /// How far it is looked back.
    pub days: u32,
    /// People who declined or blocked.
    pub declined_people: u32,
    /// People who reported with proof.
    pub reported_people: u32,
    /// Minors that the sender came to.
    pub minors: u32,
}

/// What follows when a watched number is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Then {
    /// First contact is restricted; a person at the desk looks at it if there is an appeal.
    Restrict,
    /// A person at the desk looks at it.
    Desk,
}

/// A number of people that is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Watched {
    /// So many different people ...
    pub people: u32,
    /// ... within so many days.
    pub days: u32,
    /// What follows.
    pub then: Then,
    /// How long that lasts, in days; for a restriction.
    pub for_days: u32,
}

/// Up to which age a guardian's link lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Until {
    /// It ends when the account is a teen's.
    Teen,
    /// It ends when the account is an adult's.
    Adult,
}

/// Guardians.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Guardians {
    /// The band at which the link ends by itself.
    pub until: Until,
}

/// When a minor's client keeps quiet, by the device's own clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QuietHours {
    /// From this hour, 0 to 23 ...
    pub from_hour: u32,
    /// ... to this one.
    pub to_hour: u32,
}

impl QuietHours {
    /// Whether it is quiet in this hour, 0 to 23.
    pub fn holds(&self, hour: u32) -> bool {
        match self.from_hour <= self.to_hour {
            true => (self.from_hour..self.to_hour).contains(&hour),
            false => hour >= self.from_hour || hour < self.to_hour,
        }
    }
}

/// A rule that watches signals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WatchedRule {
    /// Many declined or blocked an account.
    Unwanted,
    /// An account tried many minors.
    ManyMinors,
}

impl WatchedRule {
    /// Its name in the file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unwanted => "unwanted",
            Self::ManyMinors => "many-minors",
        }
    }
}

impl Policy {
    /// What a rule that watches signals says, with its numbers.
    pub fn says(&self, rule: WatchedRule, language: Language) -> String {
        match rule {
            WatchedRule::Unwanted => self.unwanted.sentence(language),
            WatchedRule::ManyMinors => self.many_minors.sentence(language),
        }
    }

    /// The rules that watch signals, each with the signals it counts: of minors only those that nothing came through to.
    /// Whom a code or token admitted was asked.
    pub fn watched(&self) -> [(WatchedRule, &'static [Signal], Watched); 2] {
        [
            (WatchedRule::Unwanted, &[Signal::Declined, Signal::Blocked], self.unwanted.numbers),
            (WatchedRule::ManyMinors, &[Signal::MinorTried], self.many_minors.numbers),
        ]
    }
}
