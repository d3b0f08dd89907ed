//! From a stranger's bytes to a message, or to a typed refusal.

use ciborium::Value;

use crate::content::{Content, Expires};
use crate::encode::{EXTERNAL, MULTI, NULL, SINGLE};
use crate::error::ContentError;
use crate::extensions;
use crate::fields::{Fields, to_array, to_cbor, to_fixed};
use crate::id::MessageId;
use crate::limits::{CBOR_DEPTH, MAX_DEPTH, check_part, check_size};
use crate::part::{Body, Disposition, External, Part, Semantics};

impl Content {
    /// Reads a message. Strict: there is exactly one way to write it, and anything else is refused.
    pub fn decode(bytes: &[u8]) -> Result<Self, ContentError> {
        let mut fields = Fields::of(read_cbor(bytes)?, "content")?;
        let salt = fields.fixed("salt")?;
        let replaces = reference(&mut fields, "replaces")?;
        let topic = fields.bytes("topic")?;
        let expires = fields.optional("expires")?.map(expires).transpose()?;
        let in_reply_to = reference(&mut fields, "in_reply_to")?;
        let map = fields.next("extensions")?.into_map().map_err(|_| ContentError::Field("extensions"))?;
        let said = extensions::decode(map)?;
        let part = part(fields.next("part")?)?;
        fields.end("content")?;
        check_part(&part, MAX_DEPTH)?;
        Ok(Self {
            salt,
            replaces,
            topic,
            expires,
            in_reply_to,
            sender_uri: said.sender_uri.ok_or(ContentError::Field("sender_uri"))?,
            room_uri: said.room_uri.ok_or(ContentError::Field("room_uri"))?,
            last_seen: said.last_seen,
            forward_count: said.forward_count,
            sent_ms: said.sent_ms,
            seen_root: said.seen_root,
            part,
        })
    }
}

/// Size, depth, trailing bytes and determinism, before any meaning is looked at.
fn read_cbor(bytes: &[u8]) -> Result<Value, ContentError> {
    check_size(bytes.len())?;
    let mut rest = bytes;
    let value: Value = ciborium::de::from_reader_with_recursion_limit(&mut rest, CBOR_DEPTH)
        .map_err(|_| ContentError::Malformed)?;
    if !rest.is_empty() {
        return Err(ContentError::Trailing { extra: rest.len() });
    }
    if to_cbor(&value)? != bytes {
        return Err(ContentError::NotDeterministic);
    }
    Ok(value)
}

fn reference(fields: &mut Fields, name: &'static str) -> Result<Option<MessageId>, ContentError> {
    fields.optional(name)?.map(|id| to_fixed(id, name).map(MessageId)).transpose()
}

fn expires(value: Value) -> Result<Expires, ContentError> {
    let mut fields = Fields::of(value, "expires")?;
    let expires = Expires { relative: fields.boolean("expires")?, time: fields.uint("expires")? };
    fields.end("expires")?;
    Ok(expires)
}

/// Recursion here goes no deeper than the parser's did.
fn part(value: Value) -> Result<Part, ContentError> {
    let mut fields = Fields::of(value, "part")?;
    let disposition = Disposition::from(fields.uint::<u8>("disposition")?);
    let language = fields.text("language")?;
    let body = match fields.uint("cardinality")? {
        NULL => Body::Null,
        SINGLE => {
            Body::Single { content_type: fields.text("content_type")?, content: fields.bytes("content")? }
        }
        EXTERNAL => Body::External(Box::new(external(&mut fields)?)),
        MULTI => multi(&mut fields)?,
        _ => return Err(ContentError::Field("cardinality")),
    };
    fields.end("part")?;
    Ok(Part { disposition, language, body })
}

fn external(fields: &mut Fields) -> Result<External, ContentError> {
    Ok(External {
        content_type: fields.text("content_type")?,
        url: fields.text("url")?,
        expires: fields.uint("expires")?,
        size: fields.uint("size")?,
        enc_alg: fields.uint("enc_alg")?,
        key: fields.bytes("key")?,
        nonce: fields.bytes("nonce")?,
        aad: fields.bytes("aad")?,
        hash_alg: fields.uint("hash_alg")?,
        content_hash: fields.bytes("content_hash")?,
        description: fields.text("description")?,
        filename: fields.text("filename")?,
    })
}

fn multi(fields: &mut Fields) -> Result<Body, ContentError> {
    let semantics = match fields.uint::<u8>("semantics")? {
        0 => Semantics::ChooseOne,
        1 => Semantics::SingleUnit,
        2 => Semantics::ProcessAll,
        _ => return Err(ContentError::Field("semantics")),
    };
    let parts = to_array(fields.next("parts")?, "parts")?;
    let parts = parts.into_iter().map(part).collect::<Result<_, _>>()?;
    Ok(Body::Multi { semantics, parts })
}
