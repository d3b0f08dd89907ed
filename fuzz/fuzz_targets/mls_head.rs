//! The cleartext head of an MLS message: all of MLS that the server reads.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zegel_proto::{HeadError, read_mls_head};

fuzz_target!(|bytes: &[u8]| {
    if read_mls_head(bytes).is_ok() {
        // There is one way to write a head: cut short or made longer, the same message is refused.
        let longer = [bytes, &[0]].concat();
        assert_eq!(read_mls_head(&longer), Err(HeadError::Length));
        assert!(read_mls_head(&bytes[..bytes.len() - 1]).is_err());
    }
});
