//! The proof of a history, behind the root, the label and the length that it is for.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zegel_directory::{Label, Root, verify_history};

fuzz_target!(|bytes: &[u8]| {
    let Some((root, rest)) = bytes.split_at_checked(149) else { return };
    let Some((label, rest)) = rest.split_first_chunk() else { return };
    let Some((asked, proof)) = rest.split_first() else { return };
    let Ok(root) = Root::from_bytes(root) else { return };
    let asked = asked.checked_sub(1).map(usize::from);
    if let Ok(found) = verify_history(&root, &Label(*label), asked, proof) {
        assert!(!found.is_empty() && asked.is_none_or(|most| found.len() <= most));
        assert!(found.windows(2).all(|pair| pair[0].version == pair[1].version + 1));
        assert!(found.windows(2).all(|pair| pair[0].epoch > pair[1].epoch));
    }
});
