//! What lies in a mailbox, opened.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zegel_proto::{Message, v1::Entry};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(read) = Entry::decode(bytes) {
        let again = Entry::decode(read.encode_to_vec().as_slice());
        assert_eq!(again.ok(), Some(read), "what was understood is written as it was read");
    }
});
