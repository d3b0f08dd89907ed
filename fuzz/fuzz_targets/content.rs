//! What a person said, as another device reads it.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zegel_content::Content;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(read) = Content::decode(bytes) {
        let _ = read.body();
        let written = read.encode().expect("what was read can be written");
        assert!(Content::decode(&written).is_ok_and(|again| again == read), "and means the same");
    }
});
