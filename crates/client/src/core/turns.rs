//! When a friend is given connection tokens, and when they are taken back.
//!
//! A friend who used a token, and got another for it at once, would learn that our device is there and let them come. So
//! it is looked after at times that nothing they do has to do with.

use zegel_proto::{AccountId, token_hash, v1};

use super::{Core, tokens::DAY_MS};
use crate::{Result, db::Conversation};

/// The most hashes of one call.
const MOST_HASHES: usize = 32;

impl Core {
    /// A direct chat is in use now. Whoever never had tokens gets some at once, everybody else when it is their turn.
    pub(super) fn first_tokens(&mut self, conversation: &Conversation) -> Result<()> {
        let Some(friend) = conversation.peer else { return Ok(()) };
        if self.db.meta(&key(&friend))?.is_none() {
            self.set_turn(&friend)?;
            self.top_up(conversation)?;
        }
        Ok(())
    }

    /// Draws when a friend's tokens are looked at next: at some time of the next day.
    pub(super) fn set_turn(&self, friend: &AccountId) -> Result<()> {
        let mut drawn = [0; 8];
        getrandom::fill(&mut drawn).expect("the operating system gives random bytes");
        let tomorrow = u64::from(self.today().saturating_add(1)).saturating_mul(DAY_MS);
        let turn = tomorrow.saturating_add(u64::from_be_bytes(drawn) % DAY_MS);
        self.db.set_meta(&key(friend), &turn.to_be_bytes())
    }

    /// Whether it is a friend's turn. A time further off than ever drawn is from a clock that went wrong.
    pub(super) fn is_their_turn(&self, friend: &AccountId) -> Result<bool> {
        let now = self.server_ms();
        let turn = self.db.meta(&key(friend))?.and_then(|bytes| bytes.try_into().ok());
        let turn = turn.map_or(0, u64::from_be_bytes);
        Ok(turn <= now || turn > now.saturating_add(2 * DAY_MS))
    }

    /// Within a step: somebody is blocked. What they passed on is forgotten, and what we gave them is good no more.
    pub(super) fn take_back_tokens(&mut self, friend: &AccountId) -> Result<()> {
        self.db.drop_tokens_from(friend)?;
        // Should they come back, it is as if for the first time.
        self.db.drop_meta(&key(friend))?;
        for some in self.db.take_back_tokens(friend, self.today())?.chunks(MOST_HASHES) {
            let token_hashes = some.iter().map(|token| token_hash(&token.0).to_vec().into()).collect();
            self.db.add_call(v1::client_frame::Body::DropTokens(v1::DropTokens { token_hashes }))?;
        }
        Ok(())
    }
}

fn key(friend: &AccountId) -> String {
    format!("turn of {}", friend.to_hex())
}
