//! The root that each saw, carried inside sealed messages: two people who are shown different directories find out.

use zegel_directory::SeenRoot;
use zegel_proto::AccountId;

use crate::{Result, core::Core, db::Conversation};

impl Core {
    /// The newest root, if the conversation does not know that we have it; from now on it does.
    pub(crate) fn gossip(&mut self, conversation: &Conversation) -> Result<Option<zegel_content::SeenRoot>> {
        let Some(latest) = self.latest_root()? else { return Ok(None) };
        let seen = latest.seen();
        let Ok(signature) = <[u8; 64]>::try_from(seen.signature) else { return Ok(None) };
        if seen.epoch <= conversation.gossiped {
            return Ok(None);
        }
        self.db.set_gossiped(conversation.id, seen.epoch)?;
        let (epoch, hash, signer) = (seen.epoch, seen.hash, seen.signer);
        Ok(Some(zegel_content::SeenRoot { epoch, hash, signer, signature }))
    }

    /// Keeps what somebody saw, to be held against our own history. What the directory did not sign proves nothing, and
    /// is dropped; a key that we do not know yet may be one of its newer ones.
    pub(crate) fn hear(&mut self, seen: &zegel_content::SeenRoot, from: &AccountId) -> Result<()> {
        let seen = SeenRoot {
            epoch: seen.epoch,
            hash: seen.hash,
            signer: seen.signer,
            signature: seen.signature.to_vec(),
        };
        let Some(view) = self.view()? else { return Ok(()) };
        let ours = view.latest().seen();
        if (ours.epoch, ours.hash) == (seen.epoch, seen.hash) {
            return Ok(());
        }
        let newer_key = seen.signer as usize >= view.signers().keys().len();
        match newer_key || view.believes(&seen) {
            true => self.db.hear(&seen, from),
            false => Ok(()),
        }
    }
}
