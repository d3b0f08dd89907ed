//! How a value becomes bytes: a format byte, then the format.

use serde::{Serialize, de::DeserializeOwned};

use super::Kind;

/// postcard, the compact one: nearly everything.
const POSTCARD: u8 = 1;
/// CBOR, for types whose decoder must be told what comes next.
const CBOR: u8 = 2;

/// Why a value could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum CodecError {
    /// It does not fit the compact format.
    #[error("not in the stored format ({0}); restore the profile from a backup")]
    Postcard(#[from] postcard::Error),
    /// It could not be written as CBOR.
    #[error("cannot be stored as CBOR ({0})")]
    CborWrite(#[from] ciborium::ser::Error<std::io::Error>),
    /// It is not the CBOR it should be.
    #[error("not in the stored format ({0}); restore the profile from a backup")]
    CborRead(#[from] ciborium::de::Error<std::io::Error>),
    /// A newer release wrote it, or it is damaged.
    #[error("format {0:?} is unknown; open the profile with the release that wrote it, or a later one")]
    Format(Option<u8>),
    /// Something follows the value.
    #[error("bytes follow the value; restore the profile from a backup")]
    Longer,
}

/// Appends a format byte and the value.
pub(super) fn encode<V: Serialize + ?Sized>(
    kind: Kind,
    value: &V,
    out: &mut Vec<u8>,
) -> Result<(), CodecError> {
    // The join config's number of past epochs decodes as an untagged enum, which needs a format that
    // describes itself.
    if kind == Kind::JoinConfig {
        out.push(CBOR);
        return Ok(ciborium::into_writer(value, out)?);
    }
    out.push(POSTCARD);
    Ok(postcard::serialize_with_flavor(value, Append(out))?)
}

/// Reads what [`encode`] wrote.
pub(super) fn decode<V: DeserializeOwned>(bytes: &[u8]) -> Result<V, CodecError> {
    match bytes.split_first() {
        Some((&POSTCARD, body)) => match postcard::take_from_bytes(body)? {
            (value, []) => Ok(value),
            _ => Err(CodecError::Longer),
        },
        Some((&CBOR, mut body)) => {
            let value = ciborium::from_reader(&mut body)?;
            if body.is_empty() { Ok(value) } else { Err(CodecError::Longer) }
        }
        other => Err(CodecError::Format(other.map(|(format, _)| *format))),
    }
}

/// A key, in the compact format: what openmls looks a value up by.
pub(super) fn key<K: Serialize + ?Sized>(kind: Kind, key: &K) -> Result<Vec<u8>, super::StoreError> {
    let mut out = Vec::with_capacity(48);
    out.push(POSTCARD);
    match postcard::serialize_with_flavor(key, Append(&mut out)) {
        Ok(()) => Ok(out),
        Err(error) => Err(super::StoreError::Codec { kind, source: error.into() }),
    }
}

/// Lets postcard write to the end of a buffer that is kept.
struct Append<'a>(&'a mut Vec<u8>);

impl postcard::ser_flavors::Flavor for Append<'_> {
    type Output = ();

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.0.push(byte);
        Ok(())
    }
    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        self.0.extend_from_slice(bytes);
        Ok(())
    }
    fn finalize(self) -> postcard::Result<()> {
        Ok(())
    }
}
