//! Sealing of rows: AES-256-GCM with a random nonce in front, under keys derived so that the disk alone, and
//! for most rows even disk and key file together, do not open them.

use aes_gcm::{
    Aes256Gcm, Nonce, Tag,
    aead::{AeadInPlace as _, KeyInit as _},
};
use hkdf::Hkdf;
use rand::RngCore as _;
use sha2::{Digest as _, Sha256};
use zegel_proto::{AccountId, BlobName, DeviceId, Message as _, SubmissionId, v1};
use zeroize::Zeroizing;

const NONCE: usize = 12;
const TAG: usize = 16;

/// A sealing key.
pub(super) struct SealKey(Aes256Gcm);

impl SealKey {
    pub(super) fn new(key: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(key.into()))
    }

    fn derived(secret: &[u8], salt: &[u8], info: &str) -> Self {
        Self::new(&derive(secret, salt, info))
    }

    /// For the row of an address: who does not know the address cannot open it, whatever else they hold.
    pub(super) fn of_address(storage: &[u8; 32], address: &[u8; 16]) -> Self {
        Self::derived(storage, address, "zegel address")
    }

    /// For key packages.
    pub(super) fn of_key_packages(storage: &[u8; 32]) -> Self {
        Self::derived(storage, b"", "zegel key packages")
    }

    /// For the keys that devices' hour keys are sealed to.
    pub(super) fn of_queue_keys(storage: &[u8; 32]) -> Self {
        Self::derived(storage, b"", "zegel queue keys")
    }

    /// For whose an account is.
    pub(super) fn of_persons(storage: &[u8; 32]) -> Self {
        Self::derived(storage, b"", "zegel persons")
    }

    /// For cases, their reports and what people are told about them.
    pub(super) fn of_cases(storage: &[u8; 32]) -> Self {
        Self::derived(storage, b"", "zegel cases")
    }

    /// Nonce, ciphertext and tag.
    pub(super) fn seal(&self, aad: &[u8], plain: &[u8]) -> Vec<u8> {
        let mut sealed = Vec::with_capacity(NONCE + plain.len() + TAG);
        sealed.resize(NONCE, 0);
        rand::rng().fill_bytes(&mut sealed);
        sealed.extend_from_slice(plain);
        let (nonce, body) = sealed.split_at_mut(NONCE);
        let tag = self
            .0
            .encrypt_in_place_detached(Nonce::from_slice(nonce), aad, body)
            .expect("nothing here is as long as AES-GCM's limit of 64 GB");
        sealed.extend_from_slice(&tag);
        sealed
    }

    /// What was sealed, if it was with this key and `aad`.
    pub(super) fn open(&self, aad: &[u8], sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, rest) = sealed.split_at_checked(NONCE)?;
        let (body, tag) = rest.split_at_checked(rest.len().checked_sub(TAG)?)?;
        let mut plain = Zeroizing::new(body.to_vec());
        let (nonce, tag) = (Nonce::from_slice(nonce), Tag::from_slice(tag));
        self.0.decrypt_in_place_detached(nonce, aad, &mut plain, tag).ok()?;
        Some(plain)
    }
}

fn derive(secret: &[u8], salt: &[u8], info: &str) -> Zeroizing<[u8; 32]> {
    expand(&Hkdf::new(Some(salt), secret), info)
}

fn expand(secret: &Hkdf<Sha256>, info: &str) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    secret.expand(info.as_bytes(), key.as_mut()).expect("32 bytes are within HKDF's limit");
    key
}

/// Who stands in for whom an address names no longer ([`crate::store::Tx::device_near`]): drawn by the address, so that a
/// second try meets the same, and so that nobody can choose it.
pub(super) fn stand_in(storage: &[u8; 32], address_hash: &[u8; 32]) -> DeviceId {
    let drawn = derive(storage, address_hash, "zegel stand-in");
    let mut device = DeviceId([0; DeviceId::LEN]);
    device.0.copy_from_slice(&drawn[..DeviceId::LEN]);
    device
}

/// SHA-256.
pub(super) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// The remembered answer to a submission. Where it lies and how it opens follow from the submission's random
/// id alone, so that a row names nobody.
pub(super) struct AnswerKey {
    /// The row.
    pub(super) row: [u8; 32],
    key: SealKey,
    content: [u8; 32],
}

impl AnswerKey {
    /// `content` is the hash of all that was submitted, by whom.
    pub(super) fn new(id: &SubmissionId, content: [u8; 32]) -> Self {
        let secret = Hkdf::<Sha256>::new(Some(b""), &id.0);
        let row = *expand(&secret, "zegel answer row");
        Self { row, key: SealKey::new(&expand(&secret, "zegel answer")), content }
    }

    pub(super) fn seal(&self, answer: &v1::Submitted) -> Vec<u8> {
        self.key.seal(&self.row, &[&self.content[..], &answer.encode_to_vec()].concat())
    }

    /// The answer, if it was given to this very content.
    pub(super) fn open(&self, sealed: &[u8]) -> Option<v1::Submitted> {
        let plain = self.key.open(&self.row, sealed)?;
        let answer = plain.strip_prefix(&self.content)?;
        v1::Submitted::decode(answer).ok()
    }
}

/// A contact code or connection token: the device leaves only its hash; the row is the hash of that, so that
/// disk and key file together do not tell whose it is.
pub(super) struct TokenKey {
    /// The row.
    pub(super) row: [u8; 32],
    key: SealKey,
}

impl TokenKey {
    /// From [`zegel_proto::token_hash`] of the token.
    pub(super) fn new(storage: &[u8; 32], token_hash: &[u8; 32]) -> Self {
        let row = *derive(token_hash, b"", "zegel token row");
        Self { row, key: SealKey::derived(storage, token_hash, "zegel token") }
    }

    pub(super) fn seal(&self, owner: &AccountId, last_day: u32) -> Vec<u8> {
        self.key.seal(&self.row, &[&owner.0[..], &last_day.to_be_bytes()].concat())
    }

    /// The owner, and the last day that it is good.
    pub(super) fn open(&self, sealed: &[u8]) -> Option<(AccountId, u32)> {
        let plain = self.key.open(&self.row, sealed)?;
        let (owner, last_day) = plain.split_first_chunk()?;
        Some((AccountId(*owner), u32::from_be_bytes(last_day.try_into().ok()?)))
    }
}

/// A key package with the day it came, bound to its device.
pub(super) fn seal_key_package(key: &SealKey, device: &DeviceId, day: u32, package: &[u8]) -> Vec<u8> {
    key.seal(&device.0, &[&day.to_be_bytes()[..], package].concat())
}

/// Opens [`seal_key_package`].
pub(super) fn open_key_package(
    key: &SealKey,
    device: &DeviceId,
    sealed: &[u8],
) -> Option<(u32, bytes::Bytes)> {
    let plain = key.open(&device.0, sealed)?;
    let (day, package) = plain.split_first_chunk()?;
    Some((u32::from_be_bytes(*day), bytes::Bytes::copy_from_slice(package)))
}

/// A payload that is stored once for many.
pub(super) struct Payload {
    pub(super) name: BlobName,
    pub(super) sealed: bytes::Bytes,
    /// What the entries say about it.
    pub(super) reference: v1::Shared,
}

impl Payload {
    /// Seals under a fresh key and name.
    pub(super) fn new(plain: &[u8]) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        getrandom::fill(key.as_mut()).expect("the operating system gives random bytes");
        let name = BlobName::random();
        let reference =
            v1::Shared { name: name.to_field(), key: bytes::Bytes::copy_from_slice(key.as_ref()) };
        Self { name, sealed: SealKey::new(&key).seal(b"", plain).into(), reference }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_and_place_open() {
        let storage = [7; 32];
        let key = SealKey::of_address(&storage, &[1; 16]);
        let sealed = key.seal(b"place", b"value");
        assert_eq!(key.open(b"place", &sealed).as_deref().map(Vec::as_slice), Some(&b"value"[..]));
        assert!(key.open(b"other", &sealed).is_none());
        assert!(SealKey::of_address(&storage, &[2; 16]).open(b"place", &sealed).is_none());
        assert!(SealKey::of_address(&[8; 32], &[1; 16]).open(b"place", &sealed).is_none());
        for cut in 0..sealed.len() {
            assert!(key.open(b"place", &sealed[..cut]).is_none());
        }
    }

    #[test]
    fn an_answer_opens_for_its_content_only() {
        let id = SubmissionId([3; 16]);
        let answer = v1::Submitted { stamps: vec![v1::Stamped::default()] };
        let sealed = AnswerKey::new(&id, [1; 32]).seal(&answer);
        assert_eq!(AnswerKey::new(&id, [1; 32]).open(&sealed), Some(answer));
        assert_eq!(AnswerKey::new(&id, [2; 32]).open(&sealed), None);
    }

    #[test]
    fn tokens_and_key_packages() {
        let token = TokenKey::new(&[7; 32], &[1; 32]);
        let sealed = token.seal(&AccountId([5; 16]), 77);
        assert_eq!(token.open(&sealed), Some((AccountId([5; 16]), 77)));
        assert_eq!(TokenKey::new(&[7; 32], &[2; 32]).open(&sealed), None);
        let key = SealKey::of_key_packages(&[7; 32]);
        let device = DeviceId([9; 16]);
        let sealed = seal_key_package(&key, &device, 12, b"package");
        assert_eq!(
            open_key_package(&key, &device, &sealed),
            Some((12, bytes::Bytes::from_static(b"package")))
        );
        assert_eq!(open_key_package(&key, &DeviceId([8; 16]), &sealed), None);
    }

    #[test]
    fn only_the_key_file_tells_who_stands_in() {
        let drawn = [([7; 32], [1; 32]), ([8; 32], [1; 32]), ([7; 32], [2; 32]), ([7; 32], [1; 32])]
            .map(|(storage, address)| stand_in(&storage, &address));
        assert!(drawn[0] != drawn[1] && drawn[0] != drawn[2] && drawn[0] == drawn[3]);
    }
}
