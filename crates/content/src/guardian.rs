//! What a child's and a guardian's software tell each other: names, and facts about who comes; never what is said elsewhere.

use ciborium::Value;

use crate::error::ContentError;
use crate::facts::Facts;
use crate::fields::{Fields, to_array, to_cbor, to_fixed, to_text};
use crate::letters::is_active;
use crate::limits::{MAX_GUARDIAN, MAX_NAME, MAX_NAMES};

/// The media type of [`Guardian`].
pub const GUARDIAN_TYPE: &str = "application/vnd.zegel.guardian";

/// What a child's and a guardian's software tell each other, in the direct chat of the two. It can hold a secret, so it has
/// no `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub enum Guardian {
    /// The sender wants to be linked with the receiver.
    Link {
        /// As the child; else as the guardian.
        as_child: bool,
    },
    /// Guardian to child: SHA-256 of the secret that the child's device leaves at the service.
    Key {
        /// The hash.
        hash: [u8; 32],
    },
    /// Child to guardian: the service has the hash. Also of the next one, after an [`Guardian::Answer`] gave a secret away.
    Linked,
    /// Child to guardian: may I?
    Ask {
        /// Random; the answer names it.
        id: [u8; 16],
        /// What.
        what: Asked,
        /// What the child is told about who comes.
        facts: Facts,
    },
    /// Guardian to child.
    Answer {
        /// Of the [`Guardian::Ask`].
        id: [u8; 16],
        /// Whether they may.
        allow: bool,
        /// Shows the service that the guardian allows another age band.
        secret: Option<[u8; 32]>,
        /// SHA-256 of the secret that takes its place.
        next: Option<[u8; 32]>,
    },
    /// Child to guardian: with whom the child is in contact.
    Contacts(Contacts),
    /// The link is over.
    End {
        /// Guardian to child: with it the service forgets that there was a guardian.
        secret: Option<[u8; 32]>,
    },
}

/// What a child asks.
#[derive(Clone, PartialEq, Eq)]
pub enum Asked {
    /// To be in contact with somebody.
    Contact {
        /// Who.
        handle: String,
    },
    /// To be in a group.
    Group {
        /// Its name.
        name: String,
        /// Handles of its members, at most [`MAX_NAMES`].
        people: Vec<String>,
    },
    /// To have an older age band.
    Age {
        /// Which.
        band: Older,
    },
}

/// An age band that one can become.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Older {
    /// 13 to 17.
    Teen,
    /// 18 or older.
    Adult,
}

/// With whom somebody is in contact.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Contacts {
    /// Handles, at most [`MAX_NAMES`].
    pub people: Vec<String>,
    /// Names, at most [`MAX_NAMES`].
    pub groups: Vec<String>,
    /// How many more people and groups there are, that did not fit.
    pub more: u32,
}

const LINK: u8 = 0;
const KEY: u8 = 1;
const LINKED: u8 = 2;
const ASK: u8 = 3;
const ANSWER: u8 = 4;
const CONTACTS: u8 = 5;
const END: u8 = 6;

const CONTACT: u8 = 0;
const GROUP: u8 = 1;
const AGE: u8 = 2;

const TEEN: u8 = 2;
const ADULT: u8 = 3;

impl Guardian {
    /// The body of the part.
    ///
    /// # Errors
    /// If a name or list is too long, or a name is empty or holds control characters.
    pub fn encode(&self) -> Result<Vec<u8>, ContentError> {
        if let Self::Contacts(Contacts { people, groups, .. }) = self {
            check_names(people, "people")?;
            check_names(groups, "groups")?;
        }
        let fields = match self {
            Self::Link { as_child } => vec![LINK.into(), (*as_child).into()],
            Self::Key { hash } => vec![KEY.into(), bytes(hash)],
            Self::Linked => vec![LINKED.into()],
            Self::Ask { id, what, facts } => {
                vec![ASK.into(), bytes(id), what.to_value()?, facts.to_value()?]
            }
            Self::Answer { id, allow, secret, next } => {
                vec![ANSWER.into(), bytes(id), (*allow).into(), optional(secret), optional(next)]
            }
            Self::Contacts(Contacts { people, groups, more }) => {
                vec![CONTACTS.into(), texts(people), texts(groups), (*more).into()]
            }
            Self::End { secret } => vec![END.into(), optional(secret)],
        };
        let written = to_cbor(&Value::Array(fields))?;
        check_size(written.len())?;
        Ok(written)
    }

    /// Reads the body of a part. Strict: there is exactly one way to write it.
    ///
    /// # Errors
    /// If it is anything else, or over its bounds.
    pub fn decode(bytes: &[u8]) -> Result<Self, ContentError> {
        let mut fields = Fields::of(from_cbor(bytes)?, "guardian")?;
        let read = match fields.uint("kind")? {
            LINK => Self::Link { as_child: fields.boolean("as_child")? },
            KEY => Self::Key { hash: fields.fixed("hash")? },
            LINKED => Self::Linked,
            ASK => Self::Ask {
                id: fields.fixed("id")?,
                what: Asked::of_value(fields.next("what")?)?,
                facts: Facts::of_value(fields.next("facts")?)?,
            },
            ANSWER => Self::Answer {
                id: fields.fixed("id")?,
                allow: fields.boolean("allow")?,
                secret: read_optional(&mut fields, "secret")?,
                next: read_optional(&mut fields, "next")?,
            },
            CONTACTS => Self::Contacts(Contacts {
                people: read_texts(&mut fields, "people")?,
                groups: read_texts(&mut fields, "groups")?,
                more: fields.uint("more")?,
            }),
            END => Self::End { secret: read_optional(&mut fields, "secret")? },
            _ => return Err(ContentError::Field("kind")),
        };
        fields.end("guardian")?;
        match read.encode()? == bytes {
            true => Ok(read),
            false => Err(ContentError::NotDeterministic),
        }
    }

    /// Its name, to print.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Link { .. } => "link",
            Self::Key { .. } => "key",
            Self::Linked => "linked",
            Self::Ask { .. } => "ask",
            Self::Answer { .. } => "answer",
            Self::Contacts(_) => "contacts",
            Self::End { .. } => "end",
        }
    }
}

impl Asked {
    /// The question alone, in the form that it has within [`Guardian::Ask`].
    ///
    /// # Errors
    /// As [`Guardian::encode`].
    pub fn encode(&self) -> Result<Vec<u8>, ContentError> {
        let written = to_cbor(&self.to_value()?)?;
        check_size(written.len())?;
        Ok(written)
    }

    /// Reads what [`Self::encode`] wrote, as strictly as [`Guardian::decode`].
    ///
    /// # Errors
    /// As [`Guardian::decode`].
    pub fn decode(bytes: &[u8]) -> Result<Self, ContentError> {
        let read = Self::of_value(from_cbor(bytes)?)?;
        match read.encode()? == bytes {
            true => Ok(read),
            false => Err(ContentError::NotDeterministic),
        }
    }

    fn to_value(&self) -> Result<Value, ContentError> {
        let fields = match self {
            Self::Contact { handle } => {
                check_name(handle, "handle")?;
                vec![CONTACT.into(), handle.as_str().into()]
            }
            Self::Group { name, people } => {
                check_name(name, "name")?;
                check_names(people, "people")?;
                vec![GROUP.into(), name.as_str().into(), texts(people)]
            }
            Self::Age { band: Older::Teen } => vec![AGE.into(), TEEN.into()],
            Self::Age { band: Older::Adult } => vec![AGE.into(), ADULT.into()],
        };
        Ok(Value::Array(fields))
    }

    fn of_value(value: Value) -> Result<Self, ContentError> {
        let mut fields = Fields::of(value, "what")?;
        let what = match fields.uint("what")? {
            CONTACT => Self::Contact { handle: fields.text("handle")? },
            GROUP => Self::Group { name: fields.text("name")?, people: read_texts(&mut fields, "people")? },
            AGE => match fields.uint("band")? {
                TEEN => Self::Age { band: Older::Teen },
                ADULT => Self::Age { band: Older::Adult },
                _ => return Err(ContentError::Field("band")),
            },
            _ => return Err(ContentError::Field("what")),
        };
        fields.end("what")?;
        Ok(what)
    }
}

/// Whether a name may stand in a [`Guardian`]: what would be shown as nothing, or would change what stands beside it, may
/// not.
pub fn is_plain_name(name: &str) -> bool {
    !name.trim().is_empty() && name.len() <= MAX_NAME && !name.chars().any(is_active)
}

fn check_size(got: usize) -> Result<(), ContentError> {
    if got > MAX_GUARDIAN { Err(ContentError::TooLarge { got }) } else { Ok(()) }
}

pub(crate) fn check_name(name: &str, field: &'static str) -> Result<(), ContentError> {
    if is_plain_name(name) { Ok(()) } else { Err(ContentError::Field(field)) }
}

fn check_names(names: &[String], field: &'static str) -> Result<(), ContentError> {
    match names.len() <= MAX_NAMES {
        true => names.iter().try_for_each(|name| check_name(name, field)),
        false => Err(ContentError::Field(field)),
    }
}

pub(crate) fn from_cbor(bytes: &[u8]) -> Result<Value, ContentError> {
    check_size(bytes.len())?;
    let mut rest = bytes;
    let value = ciborium::de::from_reader_with_recursion_limit(&mut rest, 6);
    let value = value.map_err(|_| ContentError::Malformed)?;
    match rest.len() {
        0 => Ok(value),
        extra => Err(ContentError::Trailing { extra }),
    }
}

fn texts(names: &[String]) -> Value {
    Value::Array(names.iter().map(|name| name.as_str().into()).collect())
}

fn read_texts(fields: &mut Fields, name: &'static str) -> Result<Vec<String>, ContentError> {
    to_array(fields.next(name)?, name)?.into_iter().map(|text| to_text(text, name)).collect()
}

fn optional(secret: &Option<[u8; 32]>) -> Value {
    secret.as_ref().map_or(Value::Null, |secret| bytes(secret))
}

fn read_optional(fields: &mut Fields, name: &'static str) -> Result<Option<[u8; 32]>, ContentError> {
    fields.optional(name)?.map(|value| to_fixed(value, name)).transpose()
}

fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}
