//! The extensions map: the two that MIMI defines, and our own.

use ciborium::Value;

use crate::content::{Content, LastSeen, SeenRoot, SeenSigner};
use crate::error::ContentError;
use crate::fields::{Fields, to_array, to_cbor, to_fixed, to_text, to_uint};
use crate::limits::MAX_SIGNERS;

const SENDER_URI: u64 = 1;
const ROOM_URI: u64 = 2;
const LAST_SEEN: u64 = 0xF001;
const FORWARD_COUNT: u64 = 0xF002;
const SENT_MS: u64 = 0xF003;
const SEEN_ROOT: u64 = 0xF004;

/// What the extensions say.
#[derive(Default)]
pub(crate) struct Extensions {
    pub sender_uri: Option<String>,
    pub room_uri: Option<String>,
    pub last_seen: Option<LastSeen>,
    pub forward_count: u32,
    pub sent_ms: u64,
    pub seen_root: Option<SeenRoot>,
}

/// In ascending order of the keys, as deterministic CBOR wants.
pub(crate) fn encode(content: &Content) -> Value {
    let mut map: Vec<(u64, Value)> =
        vec![(SENDER_URI, content.sender_uri.as_str().into()), (ROOM_URI, content.room_uri.as_str().into())];
    if let Some(LastSeen { server_seq, stamp_hash }) = content.last_seen {
        map.push((LAST_SEEN, Value::Array(vec![server_seq.into(), Value::Bytes(stamp_hash.into())])));
    }
    if content.forward_count != 0 {
        map.push((FORWARD_COUNT, content.forward_count.into()));
    }
    if content.sent_ms != 0 {
        map.push((SENT_MS, content.sent_ms.into()));
    }
    if let Some(SeenRoot { epoch, hash, signer, signature, signers }) = &content.seen_root {
        let root = vec![
            (*epoch).into(),
            Value::Bytes(hash.to_vec()),
            (*signer).into(),
            Value::Bytes(signature.to_vec()),
            Value::Array(signers.iter().map(signer_fields).collect()),
        ];
        map.push((SEEN_ROOT, Value::Array(root)));
    }
    Value::Map(map.into_iter().map(|(key, value)| (key.into(), value)).collect())
}

fn signer_fields(signer: &SeenSigner) -> Value {
    let endorsement = signer.endorsement.map_or_else(Vec::new, Vec::from);
    Value::Array(vec![Value::Bytes(signer.key.to_vec()), Value::Bytes(endorsement)])
}

pub(crate) fn decode(map: Vec<(Value, Value)>) -> Result<Extensions, ContentError> {
    check_order(&map)?;
    let mut extensions = Extensions::default();
    for (key, value) in map {
        let key = match key {
            Value::Integer(key) => u64::try_from(key).ok(),
            Value::Text(_) => None,
            _ => return Err(ContentError::Field("extensions")),
        };
        match key {
            Some(SENDER_URI) => extensions.sender_uri = Some(to_text(value, "sender_uri")?),
            Some(ROOM_URI) => extensions.room_uri = Some(to_text(value, "room_uri")?),
            Some(LAST_SEEN) => extensions.last_seen = Some(last_seen(value)?),
            Some(FORWARD_COUNT) => extensions.forward_count = to_uint(value, "forward_count")?,
            Some(SENT_MS) => extensions.sent_ms = to_uint(value, "sent_ms")?,
            Some(SEEN_ROOT) => extensions.seen_root = Some(seen_root(value)?),
            _ => {}
        }
    }
    Ok(extensions)
}

fn last_seen(value: Value) -> Result<LastSeen, ContentError> {
    let mut fields = Fields::of(value, "last_seen")?;
    let last_seen =
        LastSeen { server_seq: fields.uint("last_seen")?, stamp_hash: fields.fixed("last_seen")? };
    fields.end("last_seen")?;
    Ok(last_seen)
}

fn seen_root(value: Value) -> Result<SeenRoot, ContentError> {
    let name = "seen_root";
    let mut fields = Fields::of(value, name)?;
    let seen = SeenRoot {
        epoch: fields.uint(name)?,
        hash: fields.fixed(name)?,
        signer: fields.uint(name)?,
        signature: fields.fixed(name)?,
        signers: to_array(fields.next(name)?, name)?
            .into_iter()
            .map(|signer| seen_signer(signer, name))
            .collect::<Result<_, _>>()?,
    };
    fields.end(name)?;
    if (1..=MAX_SIGNERS).contains(&seen.signers.len()) { Ok(seen) } else { Err(ContentError::Field(name)) }
}

fn seen_signer(value: Value, name: &'static str) -> Result<SeenSigner, ContentError> {
    let mut fields = Fields::of(value, name)?;
    let key = fields.fixed(name)?;
    let endorsement = match fields.next(name)? {
        Value::Bytes(none) if none.is_empty() => None,
        signature => Some(to_fixed(signature, name)?),
    };
    fields.end(name)?;
    Ok(SeenSigner { key, endorsement })
}

/// Keys ascend by their encoded bytes, so none comes twice.
fn check_order(map: &[(Value, Value)]) -> Result<(), ContentError> {
    let keys = map.iter().map(|(key, _)| to_cbor(key)).collect::<Result<Vec<_>, _>>()?;
    if keys.is_sorted_by(|a, b| a < b) { Ok(()) } else { Err(ContentError::NotDeterministic) }
}
