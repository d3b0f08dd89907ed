//! The server's stamp on a context. It is a MAC, so it convinces only who holds the key: a leaked report
//! proves nothing to the world.

use std::fmt;

use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop};

use crate::context::Context;
use crate::hash::hmac_sha256;

/// A key of the server's for stamps. Whoever holds it can forge them.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct StampKey([u8; 32]);

impl StampKey {
    /// From 32 random bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for StampKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StampKey(..)")
    }
}

/// Stamps a context. The key is the one that the context names by `key_id`; [`StampKeys`](crate::StampKeys)
/// knows which that is.
pub fn stamp(key: &StampKey, context: &Context) -> [u8; 32] {
    hmac_sha256(key.bytes(), &context.to_bytes())
}

/// Whether a stamp was made with this key on this context, in constant time.
pub fn verify_stamp(key: &StampKey, context: &Context, claimed: &[u8; 32]) -> bool {
    stamp(key, context).ct_eq(claimed).into()
}
