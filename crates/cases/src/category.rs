//! What a report is about.

use serde::{Deserialize, Serialize};
use zegel_proto::v1::ReportCategory;

/// How soon somebody has to look. Ordered: the most urgent is the least.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Urgency {
    /// Somebody may be in danger.
    Danger,
    /// Somebody suffers.
    Harm,
    /// A nuisance, to many.
    Nuisance,
}

macro_rules! categories {
    ($($name:ident $word:literal $urgency:ident $line:literal;)*) => {
        /// What a report is about.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(rename_all = "kebab-case")]
        pub enum Category { $(#[doc = $line] $name),* }

        impl Category {
            /// All, in the order they are offered.
            pub const ALL: &[Self] = &[$(Self::$name),*];

            /// Its name in commands and files.
            pub fn word(self) -> &'static str {
                match self { $(Self::$name => $word),* }
            }
            /// What it means, in one plain line.
            pub fn line(self) -> &'static str {
                match self { $(Self::$name => $line),* }
            }
            /// How soon somebody has to look.
            pub fn urgency(self) -> Urgency {
                match self { $(Self::$name => Urgency::$urgency),* }
            }
        }

        impl From<Category> for ReportCategory {
            fn from(category: Category) -> Self {
                match category { $(Category::$name => Self::$name),* }
            }
        }
        impl From<ReportCategory> for Category {
            fn from(category: ReportCategory) -> Self {
                match category { $(ReportCategory::$name => Self::$name),* }
            }
        }
    };
}

categories! {
    ChildAbuse "child-abuse" Danger "Sexual images or videos of a child, or sexual abuse of one";
    Grooming "grooming" Danger "Someone tries to win a child's trust for sex or for pictures";
    SexualExtortion "sexual-extortion" Danger "Someone threatens to spread intimate pictures, or demands more of them";
    Terrorism "terrorism" Danger "Calls for attacks, praises or prepares them";
    Threats "threats" Danger "Threatens to hurt or kill someone";
    SelfHarm "self-harm" Danger "Someone speaks of hurting or killing themself, or urges another to";
    Harassment "harassment" Harm "Insults, stalks or humiliates someone, or attacks people for what they are";
    Fraud "fraud" Harm "Tries to get money, accounts or identities by deceit";
    Election "election" Harm "Lies about how, when or where to vote, or keeps people from voting";
    Spam "spam" Nuisance "Sends to many people what they did not ask for";
    Other "other" Harm "Something else that breaks the rules";
}

impl Category {
    /// By its word.
    pub fn from_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|category| category.word() == word)
    }
}
