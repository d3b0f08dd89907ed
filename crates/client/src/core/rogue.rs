//! A member who keeps to no rule (feature `hostile`, for `zegel-drills` alone): real keys, a real place in the group,
//! and whatever the drill wants made with them. Nothing of the product calls any of this.

use openmls::framing::SafeAadItem;
use openmls_traits::OpenMlsProvider as _;
use zegel_content::Content;
use zegel_proto::{AccountId, Address, DeviceId, GroupId, SubmissionId, room_uri, user_uri, v1};

use super::{
    Core,
    facts::Facts,
    make::{Shape, read_key_package},
    suite::FRANK_AAD,
};
use crate::{
    Error, Result,
    db::{Conversation, Intent, mls::Provider},
};

/// What a commit shall do, whether its maker may or not.
#[derive(Clone, Debug, Default)]
pub struct Change {
    /// Key packages to add, each with its address.
    pub add: Vec<(Vec<u8>, Address)>,
    /// Accounts to remove, with all their devices.
    pub remove: Vec<AccountId>,
    /// Another name for the group.
    pub rename: Option<String>,
    /// Other admins.
    pub admins: Option<Vec<AccountId>>,
}

/// A leaf of a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Whose it is.
    pub account: AccountId,
    /// Which device.
    pub device: DeviceId,
    /// Where mail for it goes.
    pub address: Address,
}

const DOING: &str = "breaking a rule";

impl Core {
    /// The conversation that a name or handle means.
    pub(crate) fn rogue_conversation(&self, name: &str) -> Result<Conversation> {
        if let Some(group) = self.db.groups_named(name)?.pop() {
            return Ok(group);
        }
        let contact = self.db.contact_by_handle(name)?;
        let chat = contact.map(|contact| self.db.direct_with(&contact.account)).transpose()?;
        chat.and_then(|mut chats| chats.pop())
            .ok_or_else(|| Error::usage(DOING, format!("there is no {name}"), "another name"))
    }

    /// Its epoch, head token and leaves.
    pub(crate) fn rogue_epoch(&mut self, group: &GroupId) -> Result<(u64, Vec<u8>, Vec<Member>)> {
        let loaded = self.groups.get(&self.db, &self.crypto, group)?;
        let number = loaded.mls.epoch().as_u64();
        let epoch = loaded.epoch(&self.crypto)?;
        let member = |seat: &super::groups::Seat| Member {
            account: seat.account,
            device: seat.device,
            address: seat.address,
        };
        Ok((number, epoch.token.clone(), epoch.seats.iter().map(member).collect()))
    }

    /// A text as an honest member would say it.
    pub(crate) fn rogue_content(&self, conversation: &Conversation, text: &str) -> Content {
        let sender = user_uri(&self.me.domain, &self.me.handle);
        let room = room_uri(&self.me.domain, &conversation.room);
        Content::text(zegel_proto::Token::random().0, sender, room, self.server_ms(), text)
    }

    /// Any bytes, encrypted for the group under any franking tag, or none; ready to be submitted, and in no outbox.
    pub(crate) fn rogue_frame(
        &mut self,
        group: &GroupId,
        tag: Option<[u8; 32]>,
        plain: &[u8],
    ) -> Result<v1::Submit> {
        let (epoch, token, _) = self.rogue_epoch(group)?;
        self.step(|core| {
            let provider = Provider::deferring(core.db.conn(), &core.crypto, &core.unsettled);
            let loaded = core.groups.get(&core.db, &core.crypto, group)?;
            let items = tag.map(|tag| SafeAadItem::new(FRANK_AAD, tag.to_vec()));
            loaded.mls.set_safe_aad(items.into_iter().collect()).map_err(|e| Error::mls(DOING)(&e))?;
            let message = loaded.mls.create_message(&provider, &core.me, plain);
            let message = message.map_err(|e| Error::mls(DOING)(&e))?;
            let message = message.to_bytes().map_err(|e| Error::mls(DOING)(&e))?;
            Ok(v1::Submit {
                submission_id: SubmissionId::random().to_field(),
                group_id: group.to_field(),
                epoch,
                token: token.into(),
                message: message.into(),
                addresses: core.me.others(loaded.epoch(&core.crypto)?),
                ..v1::Submit::default()
            })
        })
    }

    /// A commit of any shape, in the outbox; it goes out as an honest one would.
    pub(crate) fn rogue_commit(&mut self, conversation: &Conversation, change: &Change) -> Result<i64> {
        self.step(|core| {
            let loaded = core.groups.get(&core.db, &core.crypto, &conversation.group)?;
            let epoch = loaded.epoch(&core.crypto)?;
            let gone = epoch.seats.iter().filter(|seat| change.remove.contains(&seat.account));
            let remove = gone.map(|seat| seat.leaf).collect();
            let old = epoch.facts.clone();
            let name = change.rename.clone().unwrap_or_else(|| old.name.clone());
            let admins = change.admins.clone().unwrap_or_else(|| old.admins.clone());
            let facts = Facts { name, admins, ..old.clone() };
            let mut add = Vec::new();
            for (bytes, address) in &change.add {
                let package = read_key_package(&core.crypto, bytes);
                let package = package.ok_or_else(|| Error::mls(DOING)(&"that is no key package"))?;
                add.push((package, *address));
            }
            let shape = Shape { add, remove, facts: (facts != old).then_some(facts), own_address: None };
            // Any intent to change will do: what goes out are these bytes.
            let row = core.db.add_intent(conversation.id, &Intent::Rename(String::new()), 0, 0)?;
            core.make_commit(conversation, row, shape)?;
            Ok(row)
        })
    }

    /// The group's GroupInfo with its tree: what lets outsiders commit themselves into an ordinary MLS group.
    pub(crate) fn rogue_group_info(&mut self, group: &GroupId) -> Result<Vec<u8>> {
        let loaded = self.groups.get(&self.db, &self.crypto, group)?;
        let provider = Provider::deferring(self.db.conn(), &self.crypto, &self.unsettled);
        let info = loaded.mls.export_group_info(provider.crypto(), &self.me, true);
        info.map_err(|e| Error::mls(DOING)(&e))?.to_bytes().map_err(|e| Error::mls(DOING)(&e))
    }

    /// Another clock for the device.
    pub(crate) fn rogue_clock(&mut self, clock: fn() -> u64) {
        self.clock = clock;
    }

    /// All that the profile holds: the cells of each row of each table, with the table's name.
    pub(crate) fn rogue_rows(&self) -> Result<Vec<(String, Vec<Vec<u8>>)>> {
        let conn = self.db.conn();
        let mut tables = conn.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
        let tables: Vec<String> = tables.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut rows = Vec::new();
        for table in tables {
            let mut all = conn.prepare(&format!("SELECT * FROM {table}"))?;
            let columns = all.column_count();
            let cell = |row: &rusqlite::Row<'_>, column| {
                let value = row.get_ref(column)?;
                Ok(value.as_bytes_or_null().ok().flatten().unwrap_or_default().to_vec())
            };
            let cells = all.query_map([], |row| (0..columns).map(|column| cell(row, column)).collect())?;
            for cells in cells {
                rows.push((table.clone(), cells?));
            }
        }
        Ok(rows)
    }

    /// The epoch's resumption secret, and the device's own secret keys.
    pub(crate) fn rogue_secrets(&mut self, group: &GroupId) -> Result<Vec<Vec<u8>>> {
        let loaded = self.groups.get(&self.db, &self.crypto, group)?;
        let resumption = loaded.mls.resumption_psk_secret().as_slice().to_vec();
        Ok(vec![resumption, self.me.signing.to_bytes().to_vec(), self.me.queue_private.to_vec()])
    }
}
