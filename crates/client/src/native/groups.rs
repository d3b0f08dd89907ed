//! Groups, as their members and admins handle them.

use serde::Serialize;
use zegel_proto::{AccountId, MAX_ADDS};

use super::{client::Client, ops::PATIENCE};
use crate::{
    Error, Result,
    db::{Conversation, ConversationState, Kind},
    flow::fetch_packages,
};

/// A group that we are or were in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// `open`, `request`, or `over`.
    pub state: &'static str,
    /// Handles of its members, ourselves included.
    pub members: Vec<String>,
    /// Whether we may add, remove and rename.
    pub admin: bool,
}

impl Client {
    async fn accounts(&self, handles: &[String]) -> Result<Vec<AccountId>> {
        let own = self.engine.shared.core().me.handle.clone();
        let mut accounts = Vec::new();
        for handle in handles.iter().filter(|handle| **handle != own) {
            accounts.push(self.person(handle).await?.account);
        }
        accounts.sort();
        accounts.dedup();
        Ok(accounts)
    }

    /// Creates a group with these people.
    pub async fn group_create(&self, name: &str, handles: &[String]) -> Result<()> {
        let doing = "creating a group";
        let socket = self.connected(PATIENCE).await?;
        self.name_is_free(doing, name)?;
        let people = self.accounts(handles).await?;
        if people.is_empty() {
            return Err(Error::usage(doing, "a group needs someone else", "handles after the name"));
        }
        self.may_meet(&people).await?;
        let first = &people[..people.len().min(MAX_ADDS)];
        let packages = fetch_packages(&self.engine.shared, &*socket, first).await?;
        let rows = self.engine.shared.core().found_group(name, &people, &packages)?;
        self.poke();
        self.accepted(doing, &rows).await
    }

    /// Names that we give are refused if they mean something already; what others give gets a number instead.
    fn name_is_free(&self, doing: &'static str, name: &str) -> Result<()> {
        let person = {
            let core = self.engine.shared.core();
            core.me.handle == name || core.db.contact_by_handle(name)?.is_some()
        };
        if person || !self.open_groups(name)?.is_empty() {
            return Err(Error::usage(
                doing,
                format!("{name} is a person or a group of yours already"),
                "another name",
            ));
        }
        Ok(())
    }

    fn open_groups(&self, name: &str) -> Result<Vec<Conversation>> {
        let mut groups = self.engine.shared.core().db.groups_named(name)?;
        groups.retain(|group| group.state == ConversationState::Open);
        Ok(groups)
    }

    fn open_group(&self, doing: &'static str, name: &str) -> Result<Conversation> {
        let group = self.open_groups(name)?.into_iter().next();
        group.ok_or_else(|| Error::usage(doing, format!("you are in no group {name}"), "`group list`"))
    }

    /// Adds people to a group that we administer.
    pub async fn group_add(&self, name: &str, handles: &[String]) -> Result<()> {
        let doing = "adding to a group";
        self.caught_up(PATIENCE).await?;
        let group = self.open_group(doing, name)?;
        let people = self.accounts(handles).await?;
        self.may_meet(&people).await?;
        let rows = self.engine.shared.core().want_add(&group, &people)?;
        self.poke();
        self.accepted(doing, &rows).await
    }

    /// Removes people from a group that we administer.
    pub async fn group_remove(&self, name: &str, handles: &[String]) -> Result<()> {
        let doing = "removing from a group";
        self.caught_up(PATIENCE).await?;
        let group = self.open_group(doing, name)?;
        let mut people = Vec::new();
        for handle in handles {
            people.push(self.person(handle).await?.account);
        }
        let rows = self.engine.shared.core().want_remove(&group, &people)?;
        self.poke();
        self.accepted(doing, &rows).await
    }

    /// Renames a group that we administer.
    pub async fn group_rename(&self, name: &str, new_name: &str) -> Result<()> {
        let doing = "renaming a group";
        self.caught_up(PATIENCE).await?;
        let group = self.open_group(doing, name)?;
        self.name_is_free(doing, new_name)?;
        let rows = self.engine.shared.core().want_rename(&group, new_name)?;
        self.poke();
        self.accepted(doing, &rows).await
    }

    /// Leaves a group: the others are told, and our mail from it ends.
    pub async fn group_leave(&self, name: &str) -> Result<()> {
        let doing = "leaving a group";
        self.caught_up(PATIENCE).await?;
        let group = self.open_group(doing, name)?;
        let row = self.engine.shared.core().want_leave(&group)?;
        self.poke();
        self.accepted(doing, &[row]).await?;
        self.engine.shared.core().finish_leaving(&group)?;
        self.poke();
        self.sync(PATIENCE).await
    }

    /// Groups that we are in or were asked into.
    pub fn groups(&self) -> Result<Vec<Group>> {
        let mut core = self.engine.shared.core();
        let mut groups = Vec::new();
        for conversation in core.db.conversations()? {
            let state = match (conversation.kind, conversation.state) {
                (Kind::Direct, _) | (_, ConversationState::Declined) => continue,
                (_, ConversationState::Request) => "request",
                (_, ConversationState::Over | ConversationState::Broken) => "over",
                _ => "open",
            };
            let (people, admin) = match state {
                "over" => (Vec::new(), false),
                _ => (core.people(&conversation)?, core.we_administer(&conversation)?),
            };
            let names = people.iter().map(|who| Ok(core.db.handle_of(&who.0)?.unwrap_or_default()));
            let mut members = names.collect::<Result<Vec<_>>>()?;
            members.sort();
            groups.push(Group { name: conversation.name, state, members, admin });
        }
        Ok(groups)
    }
}
