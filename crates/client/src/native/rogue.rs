//! The hands of a hostile member (feature `hostile`, for `zegel-drills` alone); see `core::rogue`.

use zegel_content::Content;
use zegel_proto::{
    Address, GroupId,
    v1::{self, client_frame::Body as Call, server_frame::Body as Answer},
};

use super::{client::Client, ops::PATIENCE};
use crate::{
    Error, Result,
    core::{Change, Member},
    flow::Link as _,
};

impl Client {
    /// The group id of a conversation, by handle or name.
    pub fn rogue_group(&self, name: &str) -> Result<GroupId> {
        Ok(self.engine.shared.core().rogue_conversation(name)?.group)
    }

    /// Its epoch, head token and leaves.
    pub fn rogue_epoch(&self, name: &str) -> Result<(u64, Vec<u8>, Vec<Member>)> {
        let group = self.rogue_group(name)?;
        self.engine.shared.core().rogue_epoch(&group)
    }

    /// A text as an honest member would say it there.
    pub fn rogue_content(&self, name: &str, text: &str) -> Result<Content> {
        let core = self.engine.shared.core();
        Ok(core.rogue_content(&core.rogue_conversation(name)?, text))
    }

    /// Any bytes, encrypted for the group under any franking tag, or none.
    pub fn rogue_frame(&self, name: &str, tag: Option<[u8; 32]>, plain: &[u8]) -> Result<v1::Submit> {
        let group = self.rogue_group(name)?;
        self.engine.shared.core().rogue_frame(&group, tag, plain)
    }

    /// Makes a commit of any shape and sends it as an honest one; waits until the service accepted or refused it.
    pub async fn rogue_commit(&self, name: &str, change: &Change) -> Result<()> {
        self.caught_up(PATIENCE).await?;
        let row = {
            let mut core = self.engine.shared.core();
            let conversation = core.rogue_conversation(name)?;
            core.rogue_commit(&conversation, change)?
        };
        self.poke();
        self.accepted("breaking a rule", &[row]).await
    }

    /// The group's GroupInfo with its tree.
    pub fn rogue_group_info(&self, name: &str) -> Result<Vec<u8>> {
        let group = self.rogue_group(name)?;
        self.engine.shared.core().rogue_group_info(&group)
    }

    /// A fresh key package of this device, and its address.
    pub fn rogue_key_package(&self) -> Result<(Vec<u8>, Address)> {
        let mut core = self.engine.shared.core();
        let stocked = core.step(|core| core.key_package(false))?;
        let address = Address::from_slice(&stocked.address);
        let address = address.map_err(|e| Error::protocol("breaking a rule", e))?;
        Ok((stocked.key_package.to_vec(), address))
    }

    /// Any call, on the device's own connection.
    pub async fn rogue_call(&self, body: Call) -> Result<Answer> {
        self.connected(PATIENCE).await?.call("breaking a rule", body).await
    }

    /// What belongs to members alone, so that a drill can look for it where it must not be: a secret of the epoch, the
    /// device's signing key and the key that its mail is sealed to.
    pub fn rogue_secrets(&self, name: &str) -> Result<Vec<Vec<u8>>> {
        let group = self.rogue_group(name)?;
        self.engine.shared.core().rogue_secrets(&group)
    }

    /// All that the profile holds: the cells of each row of each table, with the table's name.
    pub fn rogue_rows(&self) -> Result<Vec<(String, Vec<Vec<u8>>)>> {
        self.engine.shared.core().rogue_rows()
    }

    /// Eleven minutes pass on the device's clock, at once.
    pub fn rogue_later(&self) {
        fn later() -> u64 {
            super::profile::clock() + 660_000
        }
        self.engine.shared.core().rogue_clock(later);
    }
}
