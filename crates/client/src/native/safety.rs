//! What protects people, as they see it: the rules in force, quiet hours, vouching, and groups shared with somebody.

use zegel_safety::{Policy, QuietHours};

use super::{client::Client, ops::PATIENCE};
use crate::{Error, Result, db::ConversationState};

impl Client {
    /// The safety rules in force, as the service last gave them out; before that, those that ship with Zegel.
    pub fn policy(&self) -> Policy {
        self.engine.shared.core().policy().clone()
    }

    /// When this device shows nothing by itself; `None` for adults.
    pub fn quiet_hours(&self) -> Option<QuietHours> {
        let core = self.engine.shared.core();
        core.is_minor().then(|| core.policy().quiet_hours.numbers)
    }

    /// Whether it is quiet in this hour (0 to 23) of the device's own clock.
    pub fn is_quiet(&self, hour: u32) -> bool {
        self.quiet_hours().is_some_and(|quiet| quiet.holds(hour))
    }

    /// Passes one connection token of `friend` on to `newcomer`, who can then introduce themself to `friend`; we are named
    /// there. Both are people whom we talk to.
    pub async fn vouch(&self, friend: &str, newcomer: &str) -> Result<()> {
        self.caught_up(PATIENCE).await?;
        let row = self.engine.shared.core().vouch(friend, newcomer)?;
        self.poke();
        self.accepted("vouching for somebody", &[row]).await
    }

    /// The groups that we are in together with somebody.
    pub fn shared_groups(&self, handle: &str) -> Result<Vec<String>> {
        let mut core = self.engine.shared.core();
        let contact = core.db.contact_by_handle(handle)?;
        contact.map_or(Ok(Vec::new()), |contact| core.shared_groups(&contact.account))
    }

    /// Tells a group that we blocked somebody, in an ordinary message.
    pub async fn warn_group(&self, group: &str, handle: &str) -> Result<()> {
        let doing = "warning a group";
        self.caught_up(PATIENCE).await?;
        let said = {
            let mut core = self.engine.shared.core();
            let groups = core.db.groups_named(group)?;
            let open = groups.into_iter().find(|group| group.state == ConversationState::Open);
            let none = || Error::usage(doing, format!("you are in no group {group}"), "`group list`");
            let text = core.warning(handle);
            core.say(&open.ok_or_else(none)?, &text)?
        };
        self.poke();
        self.accepted(doing, &[said.outbox]).await
    }
}
