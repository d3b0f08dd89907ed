//! A whole sigchain, as a server hands it out.
#![no_main]

use libfuzzer_sys::fuzz_target;
use zegel_identity::{Chain, SignedLink};
use zegel_proto::{Message, v1::AccountAnswer};

fuzz_target!(|bytes: &[u8]| {
    let Ok(answer) = AccountAnswer::decode(bytes) else { return };
    let links: Vec<SignedLink> = answer.chain.into_iter().map(SignedLink::from).collect();
    if let Ok(chain) = Chain::verify(&links) {
        assert_eq!(chain.head().0, links.len() as u64);
        assert!(
            Chain::verify(&links[..links.len() - 1]).map_or(links.len() == 1, |shorter| shorter != chain)
        );
    }
});
