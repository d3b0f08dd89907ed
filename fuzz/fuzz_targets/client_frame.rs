//! What a client sends to a server.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zegel_proto::{Message, v1::ClientFrame};

fuzz_target!(|bytes: &[u8]| {
    if let Ok(read) = ClientFrame::decode(bytes) {
        let again = ClientFrame::decode(read.encode_to_vec().as_slice());
        assert_eq!(again.ok(), Some(read), "what was understood is written as it was read");
    }
});
