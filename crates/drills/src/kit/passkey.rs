//! A passkey in software: what a browser and a security key do together.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ciborium::Value as Cbor;
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::drill::Verdict;

/// Somebody is there, and was recognised.
const HERE: u8 = 0x05;
/// A key was made.
const MADE: u8 = 0x40;

/// See the module; it holds one key, for one origin.
pub struct Passkey {
    origin: String,
    counter: u32,
    id: [u8; 32],
    handle: String,
    secret: SigningKey,
}

impl Passkey {
    /// A new one.
    pub fn new(origin: &str) -> Verdict<Self> {
        let (mut secret, mut id) = ([0; 32], [0; 32]);
        getrandom::fill(&mut secret)?;
        getrandom::fill(&mut id)?;
        let secret = SigningKey::from_slice(&secret)?;
        Ok(Self { origin: origin.into(), counter: 0, id, handle: String::new(), secret })
    }

    /// Answers what a page asks to make one.
    pub fn made(&mut self, options: &Value) -> Verdict<Value> {
        self.handle = text(&options["user"]["id"])?.into();
        let point = self.secret.verifying_key().to_encoded_point(false);
        let coordinate = |bytes: Option<&p256::FieldBytes>| bytes.map(|bytes| Cbor::Bytes(bytes.to_vec()));
        let public = Cbor::Map(vec![
            (1.into(), 2.into()),
            (3.into(), (-7).into()),
            ((-1).into(), 1.into()),
            ((-2).into(), coordinate(point.x()).ok_or("a key without a point")?),
            ((-3).into(), coordinate(point.y()).ok_or("a key without a point")?),
        ]);
        let mut data = self.data(&options["rp"]["id"], HERE | MADE)?;
        data.extend([0; 16]);
        data.extend([0, 32]);
        data.extend(self.id);
        ciborium::into_writer(&public, &mut data)?;
        let object = Cbor::Map(vec![
            (Cbor::Text("fmt".into()), Cbor::Text("none".into())),
            (Cbor::Text("attStmt".into()), Cbor::Map(Vec::new())),
            (Cbor::Text("authData".into()), Cbor::Bytes(data)),
        ]);
        let mut attestation = Vec::new();
        ciborium::into_writer(&object, &mut attestation)?;
        let said = BASE64.encode(self.said("webauthn.create", options));
        let attestation = BASE64.encode(attestation);
        Ok(self.credential(json!({ "attestationObject": attestation, "clientDataJSON": said })))
    }

    /// Answers what a page asks to use it.
    pub fn used(&mut self, options: &Value) -> Verdict<Value> {
        let data = self.data(&options["rpId"], HERE)?;
        let said = self.said("webauthn.get", options);
        let signature: Signature = self.secret.sign(&[data.as_slice(), &Sha256::digest(&said)].concat());
        Ok(self.credential(json!({
            "authenticatorData": BASE64.encode(data),
            "clientDataJSON": BASE64.encode(said),
            "signature": BASE64.encode(signature.to_der()),
            "userHandle": self.handle,
        })))
    }

    fn credential(&self, response: Value) -> Value {
        let id = BASE64.encode(self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "extensions": {}, "response": response })
    }

    fn data(&mut self, host: &Value, flags: u8) -> Verdict<Vec<u8>> {
        self.counter += 1;
        let mut data = Sha256::digest(text(host)?).to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        Ok(data)
    }

    fn said(&self, kind: &str, options: &Value) -> Vec<u8> {
        let challenge = &options["challenge"];
        let said =
            json!({ "type": kind, "challenge": challenge, "origin": self.origin, "crossOrigin": false });
        said.to_string().into_bytes()
    }
}

fn text(value: &Value) -> Verdict<&str> {
    Ok(value.as_str().ok_or("the page asks for a passkey in another way")?)
}
