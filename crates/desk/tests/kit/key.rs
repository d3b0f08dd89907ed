use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD as BASE64};
use ciborium::Value as Cbor;
use p256::ecdsa::{Signature, SigningKey, signature::Signer as _};
use rand::RngCore as _;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const MADE: u8 = 0x40;

/// An authenticator in software that holds one passkey.
#[derive(Clone)]
pub struct Key {
    /// Where its browser is.
    pub origin: String,
    /// Whether it asks its person for a fingerprint.
    pub verifies: bool,
    pub counter: u32,
    id: Vec<u8>,
    handle: Vec<u8>,
    secret: SigningKey,
}

impl Key {
    pub fn new(origin: &str) -> Self {
        let mut secret = [0; 32];
        rand::rng().fill_bytes(&mut secret);
        let secret = SigningKey::from_slice(&secret).expect("a scalar, but for one case in 2^128");
        Self { origin: origin.into(), verifies: true, counter: 0, id: Vec::new(), handle: Vec::new(), secret }
    }

    pub fn make(&mut self, options: &Value) -> Value {
        assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(options["authenticatorSelection"]["userVerification"], "required");
        self.handle = bytes(&options["user"]["id"]);
        self.id = vec![0; 32];
        rand::rng().fill_bytes(&mut self.id);
        let point = self.secret.verifying_key().to_encoded_point(false);
        let public = Cbor::Map(vec![
            (1.into(), 2.into()),
            (3.into(), (-7).into()),
            ((-1).into(), 1.into()),
            ((-2).into(), Cbor::Bytes(point.x().expect("a point").to_vec())),
            ((-3).into(), Cbor::Bytes(point.y().expect("a point").to_vec())),
        ]);
        let mut data = self.data(&options["rp"]["id"], MADE);
        data.extend([0; 16]);
        data.extend([0, 32]);
        data.extend(&self.id);
        data.extend(cbor(&public));
        let object = Cbor::Map(vec![
            (Cbor::Text("fmt".into()), Cbor::Text("none".into())),
            (Cbor::Text("attStmt".into()), Cbor::Map(Vec::new())),
            (Cbor::Text("authData".into()), Cbor::Bytes(data)),
        ]);
        let said = self.said("webauthn.create", options);
        self.credential(json!({ "attestationObject": BASE64.encode(cbor(&object)), "clientDataJSON": BASE64.encode(said) }))
    }

    pub fn use_it(&mut self, options: &Value) -> Value {
        assert_eq!(
            (&options["userVerification"], &options["allowCredentials"]),
            (&json!("required"), &json!([]))
        );
        let data = self.data(&options["rpId"], 0);
        let said = self.said("webauthn.get", options);
        let signed = [data.as_slice(), &Sha256::digest(&said)].concat();
        let signature: Signature = self.secret.sign(&signed);
        self.credential(json!({
            "authenticatorData": BASE64.encode(data),
            "clientDataJSON": BASE64.encode(said),
            "signature": BASE64.encode(signature.to_der()),
            "userHandle": BASE64.encode(&self.handle),
        }))
    }

    fn credential(&self, response: Value) -> Value {
        let id = BASE64.encode(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "extensions": {}, "response": response })
    }

    fn data(&mut self, rp_id: &Value, more: u8) -> Vec<u8> {
        self.counter += 1;
        let flags = PRESENT | more | if self.verifies { VERIFIED } else { 0 };
        let mut data = Sha256::digest(rp_id.as_str().expect("a host")).to_vec();
        data.push(flags);
        data.extend(self.counter.to_be_bytes());
        data
    }

    fn said(&self, kind: &str, options: &Value) -> Vec<u8> {
        let said = json!({ "type": kind, "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false });
        said.to_string().into_bytes()
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    BASE64.decode(value.as_str().expect("a text")).expect("base64")
}

fn cbor(value: &Cbor) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).expect("a vector takes all");
    bytes
}
