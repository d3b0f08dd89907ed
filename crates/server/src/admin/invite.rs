//! Invites: leave to register, as a code that is passed on by hand.

use zegel_proto::{token_hash, v1::AgeBand};

use crate::store::{self, Invite, Store, StoreResult};

/// Letters and digits that are not taken for one another.
const LETTERS: &[u8; 32] = b"abcdefghjkmnpqrstuvwxyz123456789";
/// 20 letters of 32 kinds: 100 random bits.
const LENGTH: usize = 20;

/// Makes an invite and returns its code.
pub async fn make(
    store: &dyn Store,
    age_band: Option<AgeBand>,
    uses: u32,
    for_one: bool,
    expires_day: u32,
) -> StoreResult<String> {
    let code = new_code();
    let hash = token_hash(code.as_bytes());
    store::write(store, move |tx| tx.put_invite(&hash, &Invite { uses, age_band, for_one, expires_day }))
        .await?;
    Ok(code)
}

/// A code of its own kind for every use: what is kept of it is its hash.
pub(super) fn new_code() -> String {
    let mut random = [0; LENGTH];
    getrandom::fill(&mut random).expect("the operating system gives random bytes");
    let letters: Vec<char> = random.iter().map(|byte| LETTERS[usize::from(byte % 32)].into()).collect();
    letters.chunks(5).map(String::from_iter).collect::<Vec<_>>().join("-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_four_groups_and_never_the_same() {
        let code = new_code();
        assert_eq!(code.split('-').map(str::len).collect::<Vec<_>>(), [5, 5, 5, 5]);
        assert_ne!(code, new_code());
    }
}
