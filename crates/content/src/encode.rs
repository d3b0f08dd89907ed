//! From a message to bytes: the same message always gives the same bytes.

use ciborium::Value;

use crate::content::Content;
use crate::error::ContentError;
use crate::extensions;
use crate::fields::to_cbor;
use crate::id::MessageId;
use crate::limits::{MAX_DEPTH, check_part, check_size};
use crate::part::{Body, External, Part, Semantics};

pub(crate) const NULL: u8 = 0;
pub(crate) const SINGLE: u8 = 1;
pub(crate) const EXTERNAL: u8 = 2;
pub(crate) const MULTI: u8 = 3;

impl Content {
    /// The bytes to tag, encrypt and send.
    pub fn encode(&self) -> Result<Vec<u8>, ContentError> {
        check_part(&self.part, MAX_DEPTH)?;
        let expires = self.expires.map(|at| Value::Array(vec![at.relative.into(), at.time.into()]));
        let bytes = to_cbor(&Value::Array(vec![
            bytes(&self.salt),
            reference(self.replaces),
            bytes(&self.topic),
            expires.unwrap_or(Value::Null),
            reference(self.in_reply_to),
            extensions::encode(self),
            Value::Array(part(&self.part)),
        ]))?;
        check_size(bytes.len())?;
        Ok(bytes)
    }
}

fn part(part: &Part) -> Vec<Value> {
    let mut fields = vec![u8::from(part.disposition).into(), part.language.as_str().into()];
    match &part.body {
        Body::Null => fields.push(NULL.into()),
        Body::Single { content_type, content } => {
            fields.extend([SINGLE.into(), content_type.as_str().into(), bytes(content)]);
        }
        Body::External(file) => {
            fields.push(EXTERNAL.into());
            fields.extend(external(file));
        }
        Body::Multi { semantics, parts } => {
            let parts = parts.iter().map(|nested| Value::Array(self::part(nested))).collect();
            fields.extend([MULTI.into(), number(*semantics).into(), Value::Array(parts)]);
        }
    }
    fields
}

fn external(file: &External) -> [Value; 12] {
    [
        file.content_type.as_str().into(),
        file.url.as_str().into(),
        file.expires.into(),
        file.size.into(),
        file.enc_alg.into(),
        bytes(&file.key),
        bytes(&file.nonce),
        bytes(&file.aad),
        file.hash_alg.into(),
        bytes(&file.content_hash),
        file.description.as_str().into(),
        file.filename.as_str().into(),
    ]
}

fn number(semantics: Semantics) -> u8 {
    match semantics {
        Semantics::ChooseOne => 0,
        Semantics::SingleUnit => 1,
        Semantics::ProcessAll => 2,
    }
}

fn reference(id: Option<MessageId>) -> Value {
    id.map_or(Value::Null, |id| bytes(&id.0))
}

fn bytes(bytes: &[u8]) -> Value {
    Value::Bytes(bytes.to_vec())
}
