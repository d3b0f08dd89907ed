//! Conversations: direct chats and groups.

use rusqlite::{OptionalExtension, Row, params};
use zegel_proto::{AccountId, Address, GroupId, RoomId, room_of};

use super::Db;
use crate::Result;

/// What a conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Two people's devices.
    Direct,
    /// A named group.
    Group,
}

/// Where a conversation stands for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConversationState {
    /// We introduced ourselves and wait for an answer.
    Asked,
    /// Someone introduced themself; we have not answered.
    Request,
    /// In use.
    Open,
    /// We declined it or blocked its founder.
    Declined,
    /// We left, or were removed.
    Over,
    /// It cannot go on: a member committed what nobody may, or the service lost its place. It is founded anew.
    Broken,
}

macro_rules! stored_as {
    ($type:ident: $($variant:ident = $value:literal),*) => {
        impl rusqlite::ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<rusqlite::types::ToSqlOutput<'_>> {
                Ok(match self { $(Self::$variant => $value,)* }.into())
            }
        }
        impl rusqlite::types::FromSql for $type {
            fn column_result(value: rusqlite::types::ValueRef<'_>) -> rusqlite::types::FromSqlResult<Self> {
                match value.as_i64()? {
                    $($value => Ok(Self::$variant),)*
                    other => Err(rusqlite::types::FromSqlError::OutOfRange(other)),
                }
            }
        }
    };
}
pub(super) use stored_as;
stored_as!(Kind: Direct = 1, Group = 2);
stored_as!(ConversationState: Asked = 1, Request = 2, Open = 3, Declined = 4, Over = 5, Broken = 6);

/// A conversation's row.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Local number.
    pub id: i64,
    /// MLS group id.
    pub group: GroupId,
    /// Its public name (URIs, contexts).
    pub room: RoomId,
    /// Direct or group.
    pub kind: Kind,
    /// The other person of a direct chat.
    pub peer: Option<AccountId>,
    /// A group's name.
    pub name: String,
    /// Where it stands.
    pub state: ConversationState,
    /// Who introduced us to it.
    pub introducer: Option<AccountId>,
    /// What is known of the introducer.
    pub intro: Intro,
    /// Where our mail of this conversation comes in.
    pub address: Address,
    /// Whether that address came with a last-resort key package and has to be replaced.
    pub last_resort: bool,
    /// Next expected sequence number; 0 before the first context.
    pub chain_next: u64,
    /// Stamp hash that the next context must name.
    pub chain_prev: Vec<u8>,
    /// When we got it, milliseconds since 1970.
    pub made_ms: u64,
    /// Since when an epoch is missing; 0 if none is.
    pub stuck_ms: u64,
    /// The newest epoch of the key directory that we named in it.
    pub gossiped: u64,
}

/// What is known of who introduced us to a conversation, as the service and a token of ours said it then.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Intro {
    /// Coarse age of their account (`v1::AccountAge`).
    pub age: i32,
    /// It is new, by the service's rules.
    pub new: bool,
    /// Many declined or blocked them lately.
    pub declined: bool,
    /// Many reported them lately, with proof.
    pub reported: bool,
    /// They came to many minors lately.
    pub minors: bool,
    /// The friend of ours who passed our connection token on to them; ourselves, if they had a contact code of ours.
    pub via: Option<AccountId>,
}

impl Intro {
    /// Nothing was said of how old their account is.
    pub const UNKNOWN_AGE: i32 = -1;
}

/// What a new conversation begins with.
pub(crate) struct NewConversation {
    pub group: GroupId,
    pub kind: Kind,
    pub peer: Option<AccountId>,
    pub name: String,
    pub state: ConversationState,
    pub introducer: Option<AccountId>,
    pub intro: Intro,
    pub address: Address,
    pub last_resort: bool,
    pub made_ms: u64,
}

const COLUMNS: &str =
    "SELECT id, group_id, kind, peer, name, state, introducer, intro_age, intro_declined, address,
 last_resort, chain_next, chain_prev, made_ms, stuck_ms, gossiped, intro_reported, intro_minors, intro_via, intro_new FROM conversation";

fn account(bytes: Vec<u8>) -> Option<AccountId> {
    AccountId::from_slice(&bytes).ok()
}

fn conversation(row: &Row<'_>) -> rusqlite::Result<Conversation> {
    let group = GroupId(row.get(1)?);
    Ok(Conversation {
        id: row.get(0)?,
        group,
        room: room_of(&group),
        kind: row.get(2)?,
        peer: account(row.get(3)?),
        name: row.get(4)?,
        state: row.get(5)?,
        introducer: account(row.get(6)?),
        intro: Intro {
            age: row.get(7)?,
            declined: row.get(8)?,
            reported: row.get(16)?,
            minors: row.get(17)?,
            via: account(row.get(18)?),
            new: row.get(19)?,
        },
        address: Address(row.get(9)?),
        last_resort: row.get(10)?,
        chain_next: row.get::<_, i64>(11)? as u64,
        chain_prev: row.get(12)?,
        made_ms: row.get::<_, i64>(13)? as u64,
        stuck_ms: row.get::<_, i64>(14)? as u64,
        gossiped: row.get::<_, i64>(15)? as u64,
    })
}

impl Db {
    pub(crate) fn add_conversation(&self, new: &NewConversation) -> Result<i64> {
        let mut add = self.conn.prepare_cached(
            "INSERT INTO conversation (group_id, room, kind, peer, name, state, introducer, intro_age,
             intro_new, intro_declined, intro_reported, intro_minors, intro_via, address, last_resort, made_ms)
             VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        let bytes = |id: Option<AccountId>| id.map(|id| id.0.to_vec()).unwrap_or_default();
        add.execute(params![
            new.group.0,
            room_of(&new.group).0,
            new.kind,
            bytes(new.peer),
            new.name,
            new.state,
            bytes(new.introducer),
            new.intro.age,
            new.intro.new,
            new.intro.declined,
            new.intro.reported,
            new.intro.minors,
            bytes(new.intro.via),
            new.address.0,
            new.last_resort,
            new.made_ms as i64
        ])?;
        Ok(self.conn.last_insert_rowid())
    }

    pub(crate) fn conversation(&self, id: i64) -> Result<Option<Conversation>> {
        let mut found = self.conn.prepare_cached(&format!("{COLUMNS} WHERE id = ?"))?;
        Ok(found.query_row([id], conversation).optional()?)
    }

    pub(crate) fn conversation_of_group(&self, group: &GroupId) -> Result<Option<Conversation>> {
        let mut found = self.conn.prepare_cached(&format!("{COLUMNS} WHERE group_id = ?"))?;
        Ok(found.query_row([group.0], conversation).optional()?)
    }

    /// All direct chats with a person, newest first.
    pub(crate) fn direct_with(&self, peer: &AccountId) -> Result<Vec<Conversation>> {
        let mut all = self.conn.prepare_cached(&format!("{COLUMNS} WHERE peer = ? ORDER BY id DESC"))?;
        Ok(all.query_map([peer.0.as_slice()], conversation)?.collect::<rusqlite::Result<_>>()?)
    }

    /// Groups of this name, newest first.
    pub(crate) fn groups_named(&self, name: &str) -> Result<Vec<Conversation>> {
        let sql = format!("{COLUMNS} WHERE kind = 2 AND name = ? ORDER BY id DESC");
        let mut all = self.conn.prepare_cached(&sql)?;
        Ok(all.query_map([name], conversation)?.collect::<rusqlite::Result<_>>()?)
    }

    /// All conversations, oldest first.
    pub(crate) fn conversations(&self) -> Result<Vec<Conversation>> {
        let mut all = self.conn.prepare_cached(&format!("{COLUMNS} ORDER BY id"))?;
        Ok(all.query_map([], conversation)?.collect::<rusqlite::Result<_>>()?)
    }

    pub(crate) fn set_state(&self, id: i64, state: ConversationState) -> Result<()> {
        let mut set = self.conn.prepare_cached("UPDATE conversation SET state = ? WHERE id = ?")?;
        set.execute(params![state, id])?;
        Ok(())
    }

    pub(crate) fn set_name(&self, id: i64, name: &str) -> Result<()> {
        let mut set = self.conn.prepare_cached("UPDATE conversation SET name = ? WHERE id = ?")?;
        set.execute(params![name, id])?;
        Ok(())
    }

    pub(crate) fn set_address(&self, id: i64, address: &Address, last_resort: bool) -> Result<()> {
        let sql = "UPDATE conversation SET address = ?, last_resort = ? WHERE id = ?";
        self.conn.prepare_cached(sql)?.execute(params![address.0, last_resort, id])?;
        Ok(())
    }

    /// Somebody brings us into a conversation again that was over for us: what is known of them takes the place of what was
    /// known of who brought us into it before.
    pub(crate) fn set_introducer(&self, id: i64, introducer: &AccountId, intro: &Intro) -> Result<()> {
        let mut set = self.conn.prepare_cached(
            "UPDATE conversation SET introducer = ?, intro_age = ?, intro_new = ?, intro_declined = ?,
             intro_reported = ?, intro_minors = ?, intro_via = ? WHERE id = ?",
        )?;
        let Intro { age, new, declined, reported, minors, via } = intro;
        let via = via.map(|friend| friend.0.to_vec()).unwrap_or_default();
        set.execute(params![introducer.0, age, new, declined, reported, minors, via, id])?;
        Ok(())
    }

    pub(crate) fn set_chain(&self, id: i64, next: u64, prev: &[u8; 32]) -> Result<()> {
        let mut set = self
            .conn
            .prepare_cached("UPDATE conversation SET chain_next = ?, chain_prev = ? WHERE id = ?")?;
        set.execute(params![next as i64, prev, id])?;
        Ok(())
    }

    pub(crate) fn set_gossiped(&self, id: i64, epoch: u64) -> Result<()> {
        let mut set = self.conn.prepare_cached("UPDATE conversation SET gossiped = ? WHERE id = ?")?;
        set.execute(params![epoch as i64, id])?;
        Ok(())
    }

    pub(crate) fn set_stuck(&self, id: i64, since_ms: u64) -> Result<()> {
        let mut set = self.conn.prepare_cached("UPDATE conversation SET stuck_ms = ? WHERE id = ?")?;
        set.execute(params![since_ms as i64, id])?;
        Ok(())
    }
}
