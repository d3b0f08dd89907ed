//! The sender's commitment to what was said. It travels in the clear beside the ciphertext and tells nothing
//! to who does not have the salt, which is inside.

use subtle::ConstantTimeEq;

use crate::hash::hmac_sha256;

/// The tag of a commit, which says nothing that could be reported.
pub const ZERO_TAG: [u8; 32] = [0; 32];

/// Commits to a content. HMAC pads short keys with zeros, so a salt is exactly 16 bytes.
pub fn franking_tag(salt: &[u8; 16], application_data: &[u8]) -> [u8; 32] {
    hmac_sha256(salt, application_data)
}

/// Whether a tag commits to this content, in constant time.
pub fn verify_tag(salt: &[u8; 16], application_data: &[u8], tag: &[u8; 32]) -> bool {
    franking_tag(salt, application_data).ct_eq(tag).into()
}
