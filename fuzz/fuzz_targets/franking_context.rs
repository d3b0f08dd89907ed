//! What a server vouches for with a stamp.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zegel_franking::Context;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(read) = Context::from_bytes(bytes) {
        assert_eq!(read.to_bytes(), bytes, "there is one way to write a context");
    }
});
