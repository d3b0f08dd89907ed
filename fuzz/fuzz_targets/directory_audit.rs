//! The proof that an epoch only added, behind its number and the trees before and after.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zegel_directory::verify_append_only;

fuzz_target!(|bytes: &[u8]| {
    let Some((epoch, rest)) = bytes.split_first_chunk() else { return };
    let Some((before, rest)) = rest.split_first_chunk() else { return };
    let Some((after, proof)) = rest.split_first_chunk() else { return };
    let _ = verify_append_only(u64::from_be_bytes(*epoch), before, after, proof);
});
