//! What a drill is, and how it ends.

use std::{fmt, future::Future, pin::Pin};

use crate::kit::Stage;

/// Who attacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Attacker {
    /// Runs the service, has its keys, and may change its program.
    Operator,
    /// Makes the operator do it.
    State,
    /// Deals with reports, and wants to do more than they may.
    Desk,
    /// Has the service's disk and can write to it.
    Thief,
    /// Is in the conversation.
    Member,
    /// Was in the conversation, or had a device that was revoked.
    ExMember,
    /// Knows names, and perhaps more than they should.
    Stranger,
    /// Sits between the people and the service, below TLS.
    Network,
}

impl Attacker {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 8] = [
        Self::Operator,
        Self::State,
        Self::Desk,
        Self::Thief,
        Self::Member,
        Self::ExMember,
        Self::Stranger,
        Self::Network,
    ];

    /// As a heading.
    pub fn title(self) -> &'static str {
        match self {
            Self::Operator => "The operator, with all keys and a changed server",
            Self::State => "A state with an order",
            Self::Desk => "Somebody at the desk",
            Self::Thief => "Who has the disk",
            Self::Member => "A member",
            Self::ExMember => "An ex-member, or a revoked device",
            Self::Stranger => "A stranger",
            Self::Network => "The network, even below TLS",
        }
    }

    /// In a table.
    pub fn name(self) -> &'static str {
        match self {
            Self::Operator => "operator",
            Self::State => "state",
            Self::Desk => "desk",
            Self::Thief => "thief",
            Self::Member => "member",
            Self::ExMember => "ex-member",
            Self::Stranger => "stranger",
            Self::Network => "network",
        }
    }
}

/// How a drill ended when the attack was caught: what was seen, for the table.
pub type Caught = String;

/// How a drill ends otherwise.
pub enum Failure {
    /// Nobody noticed, or something leaked: what exactly.
    Succeeded(String),
    /// The attack could not be carried out, so that nothing is shown.
    NotRun(String),
}

/// See [`Caught`] and [`Failure`].
pub type Verdict<T = Caught> = Result<T, Failure>;

impl<E: fmt::Display> From<E> for Failure {
    fn from(error: E) -> Self {
        Self::NotRun(error.to_string())
    }
}

/// The attack must have happened: `done` is the proof of it.
pub fn carried_out(done: bool, what: impl Into<String>) -> Verdict<()> {
    if done { Ok(()) } else { Err(Failure::NotRun(format!("it did not come to this: {}", what.into()))) }
}

/// The defence must hold; if not, `harm` says what the attacker got.
pub fn held(defended: bool, harm: impl Into<String>) -> Verdict<()> {
    if defended { Ok(()) } else { Err(Failure::Succeeded(harm.into())) }
}

/// A drill under way.
pub type Run<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// An attack with its expected defence.
pub struct Drill {
    /// Short, in lower case with dashes.
    pub name: &'static str,
    /// Who attacks.
    pub attacker: Attacker,
    /// What they try.
    pub attempt: &'static str,
    /// What catches it.
    pub defence: &'static str,
    /// How soon.
    pub caught: &'static str,
    /// Tries it.
    pub run: for<'a> fn(&'a Stage) -> Run<'a>,
}

/// An attack that is not caught.
pub struct NotCaught {
    /// Short, like a drill's name.
    pub name: &'static str,
    /// Who attacks.
    pub attacker: &'static str,
    /// What they can do.
    pub attempt: &'static str,
    /// Why nothing catches it, and what is left.
    pub why: &'static str,
}
