//! The facts component of a group context: what a hostile member may put there.
#![no_main]

#[path = "../../crates/client/src/core/facts.rs"]
#[allow(dead_code, reason = "only the reader is hunted")]
mod facts;

use facts::{Facts, MAX_NAME};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Some(facts) = Facts::from_bytes(bytes) {
        assert!(facts.name.len() <= MAX_NAME && !facts.admins.is_empty());
        assert_eq!(Facts::from_bytes(&facts.to_bytes()), Some(facts));
    }
});
