//! Blocks, contact codes and connection tokens.

use std::collections::BTreeSet;

use bytes::Bytes;
use zegel_proto::{AccountId, v1};
use zegel_safety::Signal;

use super::{
    Service, Session, hour_keys::NOBODY, person::Person, post::counted, refusal::Refusal, seal::TokenKey,
};
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
            let watch = self.watch.clone();
            // It counts only of whom they came to, and that is counted some moments after they came.
            self.office.runtime.spawn(async move {
                counted().await;
                watch.note(&blocked, [(by, Signal::Blocked)], Now::get());
            });
        }
        Ok(())
    }

    /// A hash that is there already stays as it is, and whose it is is not said: who guesses another's takes nothing over
    /// and learns nothing, and who asks again after a lost answer has what they asked for.
    pub(super) async fn put_token(&self, session: &Session, call: v1::PutToken) -> Result<(), Refusal> {
        let (owner, _) = session.member()?;
        let tokens = self.token_keys(&call.token_hashes)?;
        self.limits.tokens(owner, call.connection, tokens.len() as u32)?;
        // The same for everybody: how long a code is good would tell whoever has one of its maker's age.
        let days = match call.connection {
            true => self.safety.tokens.numbers.days,
            false => self.safety.codes.numbers.days,
        };
        let last_day = Now::get().day().saturating_add(days);
        write(&*self.store, move |tx| {
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

    /// Only their owner takes codes and tokens back. What is not there, or not the asker's, looks the same and stays.
    pub(super) async fn drop_tokens(&self, session: &Session, call: v1::DropTokens) -> Result<(), Refusal> {
        let (owner, device) = session.member()?;
        let tokens = self.token_keys(&call.token_hashes)?;
        self.limits.call(device, tokens.len() as u32)?;
        write(&*self.store, move |tx| {
            for token in &tokens {
                let Some(row) = tx.token_near(&token.row)? else { continue };
                match token.open(&row.sealed) {
                    // Nobody's, until the next sweep.
                    Some((holder, _)) if holder == owner => {
                        tx.put_token(&token.row, 0, &token.seal(&NOBODY, 0))?
                    }
                    // Written as well, and what was used stays used until its last day.
                    _ => tx.renew_token(&row.hash, &row.sealed)?,
                }
            }
            Ok(())
        })
        .await?;
        Ok(())
    }

    /// The rows of codes or tokens, each once.
    fn token_keys(&self, hashes: &[Bytes]) -> Result<Vec<TokenKey>, Refusal> {
        let each: BTreeSet<[u8; 32]> = hashes
            .iter()
            .map(|hash| hash.as_ref().try_into())
            .collect::<Result<_, _>>()
            .map_err(|_| Refusal::bad_request("each of `token_hashes` is 32 bytes"))?;
        if each.is_empty() || hashes.len() > MAX_TOKENS {
            let text = format!("name one to {MAX_TOKENS} codes or tokens at once, and more in parts");
            return Err(Refusal::bad_request(text));
        }
        let keys = self.keys();
        Ok(each.iter().map(|hash| TokenKey::new(keys.storage(), hash)).collect())
    }
}
