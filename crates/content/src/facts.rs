//! What a child is told about whoever comes to them, passed on to their guardian.

use ciborium::Value;

use crate::error::ContentError;
use crate::fields::{to_array, to_cbor, to_text, to_uint};
use crate::guardian::{check_name, from_cbor};

/// A fact about somebody new, as the child's device knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fact {
    /// A friend of the child's, by handle, passed a ticket on to them.
    Via(String),
    /// They had a contact code of the child's.
    ByCode,
    /// Their account is young.
    NewAccount,
    /// Nobody whom the child knows vouches for them, and they share no group.
    NobodyInCommon,
    /// Many declined or blocked them lately.
    DeclinedByMany,
    /// Many reported them lately, with proof.
    ReportedByMany,
    /// They came to many minors lately.
    ManyMinors,
}

/// What is known of whoever comes, each kind of fact once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    of: String,
    known: Vec<Fact>,
}

impl Facts {
    /// About whom, by handle, and what. Of what is there twice the first counts.
    pub fn new(of: impl Into<String>, known: impl IntoIterator<Item = Fact>) -> Self {
        let mut known: Vec<Fact> = known.into_iter().collect();
        known.sort_by_key(Fact::code);
        known.dedup_by_key(|fact| fact.code());
        let of = if known.is_empty() { String::new() } else { of.into() };
        Self { of, known }
    }

    /// About whom, by handle; empty if nothing is known.
    pub fn of(&self) -> &str {
        &self.of
    }

    /// Each.
    pub fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.known.iter()
    }

    /// These, and what others know beside it. About one person.
    pub fn with(self, others: Self) -> Self {
        let of = if self.of.is_empty() { others.of } else { self.of };
        Self::new(of, self.known.into_iter().chain(others.known))
    }

    /// Whether something is known here that is not known there, or of somebody else.
    pub fn say_more_than(&self, others: &Self) -> bool {
        !self.known.is_empty() && self.of != others.of
            || self.known.iter().any(|fact| !others.known.contains(fact))
    }

    /// Alone, in the form that they have within [`crate::Guardian::Ask`].
    ///
    /// # Errors
    /// If a name is too long, empty or holds control characters.
    pub fn encode(&self) -> Result<Vec<u8>, ContentError> {
        to_cbor(&self.to_value()?)
    }

    /// Reads what [`Self::encode`] wrote. Strict: there is exactly one way to write it.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, ContentError> {
        let read = Self::of_value(from_cbor(bytes)?)?;
        match read.encode()? == bytes {
            true => Ok(read),
            false => Err(ContentError::NotDeterministic),
        }
    }

    /// Whom, and behind it what is known; nothing at all if that is nothing.
    pub(crate) fn to_value(&self) -> Result<Value, ContentError> {
        let one = |fact: &Fact| match fact {
            Fact::Via(friend) => check_name(friend, FACTS).map(|()| friend.as_str().into()),
            plain => Ok(plain.code().into()),
        };
        let mut values = Vec::new();
        if !self.known.is_empty() {
            check_name(&self.of, FACTS)?;
            values.push(self.of.as_str().into());
        }
        for fact in &self.known {
            values.push(one(fact)?);
        }
        Ok(Value::Array(values))
    }

    pub(crate) fn of_value(value: Value) -> Result<Self, ContentError> {
        let read = |value: Value| match value.is_text() {
            true => to_text(value, FACTS).map(Fact::Via),
            false => Fact::of_code(to_uint(value, FACTS)?),
        };
        let mut values = to_array(value, FACTS)?.into_iter();
        let of = values.next().map(|of| to_text(of, FACTS)).transpose()?;
        let known: Vec<Fact> = values.map(read).collect::<Result<_, _>>()?;
        if known.is_empty() != of.is_none() {
            return Err(ContentError::Field(FACTS));
        }
        match known.is_sorted_by(|one, next| one.code() < next.code()) {
            true => Ok(Self { of: of.unwrap_or_default(), known }),
            false => Err(ContentError::NotDeterministic),
        }
    }
}

const FACTS: &str = "facts";

impl Fact {
    fn code(&self) -> u8 {
        match self {
            Self::Via(_) => 0,
            Self::ByCode => 1,
            Self::NewAccount => 2,
            Self::NobodyInCommon => 3,
            Self::DeclinedByMany => 4,
            Self::ReportedByMany => 5,
            Self::ManyMinors => 6,
        }
    }

    /// A name is written as itself.
    fn of_code(code: u8) -> Result<Self, ContentError> {
        Ok(match code {
            1 => Self::ByCode,
            2 => Self::NewAccount,
            3 => Self::NobodyInCommon,
            4 => Self::DeclinedByMany,
            5 => Self::ReportedByMany,
            6 => Self::ManyMinors,
            _ => return Err(ContentError::Field(FACTS)),
        })
    }
}
