//! Names of cases, and of the people at the desk.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Digits and letters without those that are read as another (Crockford).
const LETTERS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const LENGTH: usize = 10;

/// A case's number: random, so that it does not tell how many cases there are. Written `K7Q2M-4XN9P`.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct CaseNumber(u64);

impl CaseNumber {
    /// From random bits; the upper 14 are not used.
    pub fn new(bits: u64) -> Self {
        Self(bits & ((1 << (5 * LENGTH)) - 1))
    }

    /// The number itself, below 2^50.
    pub fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for place in (0..LENGTH).rev() {
            let letter = LETTERS[(self.0 >> (5 * place)) as usize & 31];
            write!(f, "{}", char::from(letter))?;
            if place == LENGTH / 2 {
                f.write_str("-")?;
            }
        }
        Ok(())
    }
}

impl fmt::Debug for CaseNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<CaseNumber> for String {
    fn from(number: CaseNumber) -> Self {
        number.to_string()
    }
}

/// A text that is no case number.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no case number; one looks like K7Q2M-4XN9P")]
pub struct NoNumber(String);

impl FromStr for CaseNumber {
    type Err = NoNumber;
    /// Takes small letters, spaces and hyphens anywhere, and O, I and L for the digits they look like.
    fn from_str(text: &str) -> Result<Self, NoNumber> {
        let wrong = || NoNumber(text.chars().take(40).collect());
        let mut number = 0;
        let mut length = 0;
        for letter in text.bytes().filter(|letter| !matches!(letter, b'-' | b' ')) {
            let letter = match letter.to_ascii_uppercase() {
                b'O' => b'0',
                b'I' | b'L' => b'1',
                other => other,
            };
            let value = LETTERS.iter().position(|known| *known == letter).ok_or_else(wrong)?;
            length += 1;
            if length > LENGTH {
                return Err(wrong());
            }
            number = number << 5 | value as u64;
        }
        if length == LENGTH { Ok(Self(number)) } else { Err(wrong()) }
    }
}

impl TryFrom<String> for CaseNumber {
    type Error = NoNumber;
    fn try_from(text: String) -> Result<Self, NoNumber> {
        text.parse()
    }
}

/// A person at the desk: a name that the operator gave, as it stands in the log for ever. Never given twice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct StaffId(pub String);

impl fmt::Display for StaffId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written_or_said() {
        for bits in [0, 1, 0x1234_5678_9abc, u64::MAX] {
            let number = CaseNumber::new(bits);
            assert_eq!(number.to_string().parse(), Ok(number));
            assert_eq!(number.to_string().to_lowercase().replace('-', " ").parse(), Ok(number));
        }
        assert_eq!("0000o-0000l".parse(), Ok(CaseNumber::new(1)));
        for wrong in ["", "0000-0000", "00000-00000-0", "0000U-00000", "é"] {
            assert!(wrong.parse::<CaseNumber>().is_err(), "{wrong}");
        }
    }
}
