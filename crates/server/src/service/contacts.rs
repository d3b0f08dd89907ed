//! Blocks, contact codes and connection tokens.

use std::collections::BTreeSet;

use zegel_proto::{AccountId, v1};
use zegel_safety::{Signal, is_minor};

use super::{Service, Session, person::Person, refusal::Refusal, seal::TokenKey};
use crate::{clock::Now, store::write};

/// The most codes or tokens that are left at once.
const MAX_TOKENS: usize = 32;

impl Service {
    /// Introductions from whoever has this account are dropped from now on; whether it exists is not said.
    pub(super) async fn block(&self, session: &Session, call: v1::Block) -> Result<(), Refusal> {
        let (receiver, _) = session.member()?;
        let blocked = AccountId::from_slice(&call.account)?;
        self.limits.lookup(Some(receiver), session.peer, 1)?;
        let keys = self.keys();
        let by = write(&*self.store, move |tx| {
            let tags = Person::of(tx, &keys, &blocked)?.block_tags(&keys, &receiver, &blocked);
            let [_, of_person] = tags;
            match call.lift {
                false => tx.set_block(&of_person, true)?,
                true => tags.iter().try_for_each(|tag| tx.set_block(tag, false))?,
            }
            Person::of(tx, &keys, &receiver)
        });
        let by = by.await?;
        if !call.lift {
            self.watch.note(&blocked, [(by, Signal::Blocked)], Now::get());
        }
        Ok(())
    }

    /// A hash that is there already stays as it is, and whose it is is not said: who guesses another's takes nothing over
    /// and learns nothing, and who asks again after a lost answer has what they asked for.
    pub(super) async fn put_token(&self, session: &Session, call: v1::PutToken) -> Result<(), Refusal> {
        let (owner, _) = session.member()?;
        let hashes: BTreeSet<[u8; 32]> = call
            .token_hashes
            .iter()
            .map(|hash| hash.as_ref().try_into())
            .collect::<Result<_, _>>()
            .map_err(|_| Refusal::bad_request("each of `token_hashes` is 32 bytes"))?;
        if hashes.is_empty() || call.token_hashes.len() > MAX_TOKENS {
            let text = format!("leave one to {MAX_TOKENS} codes or tokens at once, and more in parts");
            return Err(Refusal::bad_request(text));
        }
        self.limits.tokens(owner, call.connection, hashes.len() as u32)?;
        let (keys, safety) = (self.keys(), self.safety.clone());
        let tokens: Vec<_> = hashes.iter().map(|hash| TokenKey::new(keys.storage(), hash)).collect();
        let today = Now::get().day();
        write(&*self.store, move |tx| {
            let Some(account) = tx.account(&owner)? else { return Ok(()) };
            let days = match (call.connection, is_minor(account.age_band)) {
                (true, _) => safety.tokens.numbers.days,
                (false, true) => safety.codes.numbers.minor_days,
                (false, false) => safety.codes.numbers.days,
            };
            let last_day = today.saturating_add(days);
            for token in &tokens {
                if tx.token(&token.row)?.is_none() {
                    tx.put_token(&token.row, last_day, &token.seal(&owner, last_day))?;
                }
            }
            Ok(())
        })
        .await?;
        Ok(())
    }
}
