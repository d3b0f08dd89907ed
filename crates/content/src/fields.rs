//! Reading the fields of a CBOR array one after the other, each of one exact type.

use ciborium::Value;

use crate::error::ContentError;

/// The fields of an array that have not been read yet.
pub(crate) struct Fields(std::vec::IntoIter<Value>);

impl Fields {
    pub fn of(value: Value, name: &'static str) -> Result<Self, ContentError> {
        to_array(value, name).map(|array| Self(array.into_iter()))
    }

    pub fn next(&mut self, name: &'static str) -> Result<Value, ContentError> {
        self.0.next().ok_or(ContentError::Field(name))
    }

    /// The next field, unless it is null.
    pub fn optional(&mut self, name: &'static str) -> Result<Option<Value>, ContentError> {
        self.next(name).map(|value| if value.is_null() { None } else { Some(value) })
    }

    pub fn boolean(&mut self, name: &'static str) -> Result<bool, ContentError> {
        self.next(name)?.as_bool().ok_or(ContentError::Field(name))
    }

    pub fn uint<T: TryFrom<u64>>(&mut self, name: &'static str) -> Result<T, ContentError> {
        to_uint(self.next(name)?, name)
    }

    pub fn text(&mut self, name: &'static str) -> Result<String, ContentError> {
        to_text(self.next(name)?, name)
    }

    pub fn bytes(&mut self, name: &'static str) -> Result<Vec<u8>, ContentError> {
        self.next(name)?.into_bytes().map_err(|_| ContentError::Field(name))
    }

    pub fn fixed<const N: usize>(&mut self, name: &'static str) -> Result<[u8; N], ContentError> {
        to_fixed(self.next(name)?, name)
    }

    /// Refuses fields that nobody read.
    pub fn end(mut self, name: &'static str) -> Result<(), ContentError> {
        self.0.next().map_or(Ok(()), |_| Err(ContentError::Field(name)))
    }
}

pub(crate) fn to_array(value: Value, name: &'static str) -> Result<Vec<Value>, ContentError> {
    value.into_array().map_err(|_| ContentError::Field(name))
}

pub(crate) fn to_text(value: Value, name: &'static str) -> Result<String, ContentError> {
    value.into_text().map_err(|_| ContentError::Field(name))
}

pub(crate) fn to_uint<T: TryFrom<u64>>(value: Value, name: &'static str) -> Result<T, ContentError> {
    let number = value.as_integer().and_then(|number| u64::try_from(number).ok());
    number.and_then(|number| T::try_from(number).ok()).ok_or(ContentError::Field(name))
}

pub(crate) fn to_fixed<const N: usize>(value: Value, name: &'static str) -> Result<[u8; N], ContentError> {
    let bytes = value.into_bytes().map_err(|_| ContentError::Field(name))?;
    bytes.try_into().map_err(|_| ContentError::Field(name))
}

/// Encodes with definite lengths and shortest numbers; the order of map keys is the caller's.
pub(crate) fn to_cbor(value: &Value) -> Result<Vec<u8>, ContentError> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).map_err(|_| ContentError::Malformed)?;
    Ok(bytes)
}
