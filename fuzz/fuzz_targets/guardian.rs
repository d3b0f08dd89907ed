//! What a child's and a guardian's software tell each other, as the other's device reads it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zegel_content::Guardian;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(read) = Guardian::decode(bytes) {
        assert!(read.encode().is_ok_and(|written| written == bytes), "there is one way to write it");
    }
});
