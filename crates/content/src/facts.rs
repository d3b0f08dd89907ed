//! What a child is told about whoever comes to them, passed on to their guardian.

use ciborium::Value;

use crate::error::ContentError;
use crate::fields::{to_array, to_cbor, to_text, to_uint};
use crate::guardian::{check_name, from_cbor};

/// A fact about somebody new, as the child's device knows it. Their order here is the order in which they are written.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
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

/// The facts that are known, each kind once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts(Vec<Fact>);

impl Facts {
    /// In their order; of what is there twice the first counts.
    pub fn new(facts: impl IntoIterator<Item = Fact>) -> Self {
        let mut facts: Vec<Fact> = facts.into_iter().collect();
        facts.sort();
        facts.dedup_by_key(|fact| fact.code());
        Self(facts)
    }

    /// Each.
    pub fn iter(&self) -> impl Iterator<Item = &Fact> {
        self.0.iter()
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

    pub(crate) fn to_value(&self) -> Result<Value, ContentError> {
        let one = |fact: &Fact| match fact {
            Fact::Via(friend) => check_name(friend, FACTS).map(|()| friend.as_str().into()),
            plain => Ok(plain.code().into()),
        };
        Ok(Value::Array(self.0.iter().map(one).collect::<Result<_, _>>()?))
    }

    pub(crate) fn of_value(value: Value) -> Result<Self, ContentError> {
        let read = |value: Value| match value.is_text() {
            true => to_text(value, FACTS).map(Fact::Via),
            false => Fact::of_code(to_uint(value, FACTS)?),
        };
        let facts: Vec<Fact> = to_array(value, FACTS)?.into_iter().map(read).collect::<Result<_, _>>()?;
        match facts.is_sorted_by(|one, next| one.code() < next.code()) {
            true => Ok(Self(facts)),
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
