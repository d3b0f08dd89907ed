//! What protects people, as they see it: the rules in force, quiet hours, vouching, and groups shared with somebody.

use zegel_safety::{Policy, QuietHours};

use super::{client::Client, ops::PATIENCE};
use crate::{Error, Result, db::ConversationState};

const WARNING: &str = "warning a group";

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

    /// Passes one ticket to `friend` on to `newcomer`, who can then introduce themself to `friend`; we are named
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

    /// Whether somebody and we have a chat that is in use.
    pub fn talks_with(&self, handle: &str) -> Result<bool> {
        let core = self.engine.shared.core();
        let contact = core.db.contact_by_handle(handle)?;
        let chat = contact.map(|contact| core.direct_chat(&contact.account)).transpose()?.flatten();
        Ok(chat.is_some_and(|chat| chat.state == ConversationState::Open))
    }

    /// Fails unless we are in this group with somebody whom we blocked.
    pub fn can_warn(&self, group: &str, handle: &str) -> Result<()> {
        let no = |why: String, fix: &str| Err(Error::usage(WARNING, why, fix));
        let mut core = self.engine.shared.core();
        let open = core.db.groups_named(group)?.into_iter().find(|it| it.state == ConversationState::Open);
        let Some(open) = open else { return no(format!("you are in no group {group}"), "`group list`") };
        match core.db.contact_by_handle(handle)? {
            Some(contact) if !core.people(&open)?.contains(&contact.account) => {
                no(format!("{handle} is not in {group}"), "`group list`")
            }
            Some(contact) if contact.blocked => Ok(()),
            _ => {
                no(format!("you did not block {handle}"), &format!("`block {handle}` first, if you want to"))
            }
        }
    }

    /// Tells a group that we blocked somebody who is in it, in an ordinary message.
    pub async fn warn_group(&self, group: &str, handle: &str) -> Result<()> {
        let doing = WARNING;
        self.caught_up(PATIENCE).await?;
        self.can_warn(group, handle)?;
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
