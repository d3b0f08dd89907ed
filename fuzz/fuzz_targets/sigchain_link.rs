//! The body of one link of a sigchain.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zegel_identity::SignedLink;

fuzz_target!(|bytes: &[u8]| {
    let _ = SignedLink { body: bytes.to_vec(), signature: Vec::new() }.link();
});
