//! Blocks, and contact codes.

use zegel_proto::{AccountId, v1};

use super::{Service, Session, refusal::Refusal, seal::TokenKey};
use crate::{clock::Now, store::write};

impl Service {
    /// Introductions from an account are dropped from now on; whether it exists is not said.
    pub(super) async fn block(&self, session: &Session, call: v1::Block) -> Result<(), Refusal> {
        let (receiver, _) = session.member()?;
        let sender = AccountId::from_slice(&call.account)?;
        self.limits.lookup(Some(receiver), session.peer, 1)?;
        let tag = self.keys().block_tag(&receiver, &sender);
        Ok(write(&*self.store, move |tx| tx.set_block(&tag, !call.lift)).await?)
    }

    pub(super) async fn put_token(&self, session: &Session, call: v1::PutToken) -> Result<(), Refusal> {
        let (owner, _) = session.member()?;
        let hash = call.token_hash.as_ref().try_into();
        let hash: [u8; 32] = hash.map_err(|_| Refusal::bad_request("`token_hash` is 32 bytes"))?;
        self.limits.token(owner)?;
        let key = TokenKey::new(self.keys().storage(), &hash);
        let day = Now::get().day();
        let sealed = key.seal(&owner, day);
        write(&*self.store, move |tx| {
            // Who guesses another's hash must not take it over.
            if tx.token(&key.row)?.is_some() {
                return Ok(Err(Refusal::bad_request("this code was left before; make a fresh one")));
            }
            tx.put_token(&key.row, day, &sealed)?;
            Ok(Ok(()))
        })
        .await?
    }
}
