//! What a server sends to a client.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zegel_proto::{Message, v1::ServerFrame};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(read) = ServerFrame::decode(bytes) {
        let again = ServerFrame::decode(read.encode_to_vec().as_slice());
        assert_eq!(again.ok(), Some(read), "what was understood is written as it was read");
    }
});
