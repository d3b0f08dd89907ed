//! Connection tokens, as a friend's software sends them.

use ciborium::Value;

use crate::error::ContentError;
use crate::fields::{Fields, to_array, to_cbor, to_fixed};
use crate::limits::MAX_TOKENS;

/// The media type of [`Tokens`].
pub const TOKENS_TYPE: &str = "application/vnd.zegel.tokens";

/// Words of somebody's: whoever shows one to the service reaches them as no stranger. Its owner gives it to a friend, and a
/// friend may pass it on to one person more.
#[derive(Clone, PartialEq, Eq)]
pub struct Tokens {
    /// Whose device made them.
    pub of: [u8; 16],
    /// The last day that they are good, in days since 1970.
    pub last_day: u32,
    /// Each is good once; from one to [`MAX_TOKENS`].
    pub tokens: Vec<[u8; 16]>,
}

impl Tokens {
    /// The body of the part.
    ///
    /// # Errors
    /// If there are none, or more than [`MAX_TOKENS`].
    pub fn encode(&self) -> Result<Vec<u8>, ContentError> {
        check(self.tokens.len())?;
        let tokens = self.tokens.iter().map(|token| Value::Bytes(token.to_vec())).collect();
        to_cbor(&Value::Array(vec![
            Value::Bytes(self.of.to_vec()),
            self.last_day.into(),
            Value::Array(tokens),
        ]))
    }

    /// Reads the body of a part. Strict: there is exactly one way to write it.
    ///
    /// # Errors
    /// If it is anything else.
    pub fn decode(bytes: &[u8]) -> Result<Self, ContentError> {
        // The longest is far below this; more is not even parsed.
        if bytes.len() > 64 * MAX_TOKENS {
            return Err(ContentError::TooLarge { got: bytes.len() });
        }
        let mut rest = bytes;
        let value: Value = ciborium::de::from_reader_with_recursion_limit(&mut rest, 4)
            .map_err(|_| ContentError::Malformed)?;
        if !rest.is_empty() {
            return Err(ContentError::Trailing { extra: rest.len() });
        }
        let mut fields = Fields::of(value, "tokens")?;
        let (of, last_day) = (fields.fixed("of")?, fields.uint("last_day")?);
        let tokens = to_array(fields.next("tokens")?, "tokens")?;
        fields.end("tokens")?;
        check(tokens.len())?;
        let tokens = tokens.into_iter().map(|token| to_fixed(token, "tokens")).collect::<Result<_, _>>()?;
        let read = Self { of, last_day, tokens };
        match read.encode()? == bytes {
            true => Ok(read),
            false => Err(ContentError::NotDeterministic),
        }
    }
}

fn check(count: usize) -> Result<(), ContentError> {
    match (1..=MAX_TOKENS).contains(&count) {
        true => Ok(()),
        false => Err(ContentError::Field("tokens")),
    }
}
