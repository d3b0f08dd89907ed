//! What the command line has for the youngest: ages, guardians, rules and help.

use clap::{Subcommand, ValueEnum};
use zegel_client::AgeBand;

/// What a person says about their age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Age {
    /// Up to 12 years
    Child,
    /// 13 to 17 years
    Teen,
    /// 18 years and more
    Adult,
}

impl Age {
    /// What was typed. Whoever types a number reads which years each word is for.
    pub fn read(word: &str) -> Result<Self, String> {
        let say = |_| "say child (up to 12 years), teen (13 to 17 years) or adult (18 years and more)".into();
        Self::from_str(word, true).map_err(say)
    }
}

impl From<Age> for AgeBand {
    fn from(age: Age) -> Self {
        match age {
            Age::Child => Self::Child,
            Age::Teen => Self::Teen,
            Age::Adult => Self::Adult,
        }
    }
}

/// Rules and help. Neither asks anybody anything about you, and nothing is written down.
#[derive(Subcommand)]
pub enum Safety {
    /// Who helps, by phone or chat: without an account, and without the net
    Help {
        /// A country: its two letters, such as nl, or its name; by default that of this device
        #[arg(long, value_name = "COUNTRY")]
        country: Option<String>,
    },
    /// Every rule with its numbers and where it is from
    Rules,
}

/// A child and a guardian.
#[derive(Subcommand)]
pub enum Guardian {
    /// Links you with somebody, once they type it too: one of you a child, the other an adult
    ///
    /// The guardian allows new contacts and groups, and sees whom the child is in contact with and what the child is told
    /// about who comes, never what is said. The child sees at all times who the guardian is.
    Link {
        /// With whom; you have a chat with them already
        handle: String,
        /// Does not ask again
        #[arg(long)]
        yes: bool,
    },
    /// Ends it
    Unlink {
        /// With whom
        handle: String,
    },
    /// Shows what a child asks you
    Requests,
    /// Allows what a child asked
    Allow {
        /// The child
        child: String,
        /// Whom, which group, or which age
        name: String,
    },
    /// Refuses what a child asked
    Refuse {
        /// The child
        child: String,
        /// Whom, which group, or which age
        name: String,
    },
    /// Shows whom a child is in contact with
    Contacts {
        /// The child
        child: String,
    },
}
