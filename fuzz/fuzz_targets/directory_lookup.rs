//! The proof of an entry, behind the root and the label that it is for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zegel_directory::{Label, Root, verify_lookup};

fuzz_target!(|bytes: &[u8]| {
    let Some((root, rest)) = bytes.split_at_checked(149) else { return };
    let Some((label, proof)) = rest.split_first_chunk() else { return };
    let Ok(root) = Root::from_bytes(root) else { return };
    if let Ok(found) = verify_lookup(&root, &Label(*label), proof) {
        assert!(found.version > 0 && found.version <= found.epoch && found.epoch <= root.epoch);
        assert!(verify_lookup(&root, &Label([0xff; 32]), proof).is_err());
    }
});
