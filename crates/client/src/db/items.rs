//! What is shown, in order.

use rusqlite::{OptionalExtension, Row, params};
use zegel_proto::AccountId;

use super::{Db, conversations::stored_as};
use crate::Result;

/// What a shown line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemKind {
    /// A message.
    Text,
    /// Messages are missing here.
    Gap,
    /// Something about the conversation changed (members, name, devices).
    Notice,
    /// A message that could not be shown, with the cause as text.
    Hidden,
    /// A message of a kind that this release cannot show.
    Unsupported,
    /// A statement of the service, checked against the directory's keys. Nobody else can say it.
    Service,
}

/// How far our own message got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ItemState {
    /// Someone else's.
    Received,
    /// Ours; not yet accepted by the service.
    Pending,
    /// Ours; accepted.
    Accepted,
    /// Ours; refused for good, with the cause in a notice.
    Failed,
}
stored_as!(ItemKind: Text = 1, Gap = 2, Notice = 3, Hidden = 4, Unsupported = 5, Service = 6);
stored_as!(ItemState: Received = 0, Pending = 1, Accepted = 2, Failed = 3);

/// A shown line.
#[derive(Clone, Debug)]
pub struct Item {
    /// Local number; grows in the order of showing.
    pub id: i64,
    /// The conversation's local number.
    pub conversation: i64,
    /// What it is.
    pub kind: ItemKind,
    /// MIMI message id, for messages.
    pub message_id: Option<Vec<u8>>,
    /// Account id of who said it; empty for notices and gaps.
    pub sender: Vec<u8>,
    /// What to show.
    pub text: String,
    /// The sender's clock, milliseconds since 1970.
    pub sent_ms: u64,
    /// The service's clock, milliseconds since 1970; 0 before it accepted.
    pub accepted_ms: u64,
    /// Place in the conversation; 0 before the service accepted.
    pub seq: u64,
    /// How far it got.
    pub state: ItemState,
    /// Whether it was never read.
    pub unread: bool,
}

/// What a new line begins with.
pub struct NewItem<'a> {
    pub(crate) conversation: i64,
    pub(crate) kind: ItemKind,
    pub(crate) message_id: Option<&'a [u8]>,
    pub(crate) sender: &'a [u8],
    pub(crate) text: &'a str,
    pub(crate) sent_ms: u64,
    pub(crate) accepted_ms: u64,
    pub(crate) seq: u64,
    pub(crate) state: ItemState,
    pub(crate) content: &'a [u8],
    pub(crate) context: &'a [u8],
    pub(crate) stamp: &'a [u8],
}

impl<'a> NewItem<'a> {
    pub(crate) fn line(conversation: i64, kind: ItemKind, text: &'a str) -> Self {
        Self {
            conversation,
            kind,
            message_id: None,
            sender: &[],
            text,
            sent_ms: 0,
            accepted_ms: 0,
            seq: 0,
            state: ItemState::Received,
            content: &[],
            context: &[],
            stamp: &[],
        }
    }
}

const COLUMNS: &str =
    "SELECT id, conversation, kind, message_id, sender, text, sent_ms, accepted_ms, seq, state, unread
 FROM item";

fn item(row: &Row<'_>) -> rusqlite::Result<Item> {
    Ok(Item {
        id: row.get(0)?,
        conversation: row.get(1)?,
        kind: row.get(2)?,
        message_id: row.get(3)?,
        sender: row.get(4)?,
        text: row.get(5)?,
        sent_ms: row.get::<_, i64>(6)? as u64,
        accepted_ms: row.get::<_, i64>(7)? as u64,
        seq: row.get::<_, i64>(8)? as u64,
        state: row.get(9)?,
        unread: row.get(10)?,
    })
}

impl Db {
    /// Adds a line; a message that is there already is not added again (`None`).
    pub(crate) fn add_item(&self, new: &NewItem<'_>) -> Result<Option<i64>> {
        let mut add = self.conn.prepare_cached(
            "INSERT OR IGNORE INTO item (conversation, kind, message_id, sender, text, sent_ms, accepted_ms,
             seq, state, unread, content, context, stamp) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        )?;
        let added = add.execute(params![
            new.conversation,
            new.kind,
            new.message_id,
            new.sender,
            new.text,
            new.sent_ms as i64,
            new.accepted_ms as i64,
            new.seq as i64,
            new.state,
            new.state == ItemState::Received,
            new.content,
            new.context,
            new.stamp
        ])?;
        Ok((added > 0).then(|| self.conn.last_insert_rowid()))
    }

    /// Our message was accepted: its place and proof. It moves to the end, where the service put it.
    pub(crate) fn item_accepted(
        &self,
        id: i64,
        seq: u64,
        at_ms: u64,
        context: &[u8],
        stamp: &[u8],
    ) -> Result<i64> {
        let mut set = self.conn.prepare_cached(
            "UPDATE item SET id = (SELECT max(id) + 1 FROM item), state = 2, seq = ?, accepted_ms = ?,
             context = ?, stamp = ? WHERE id = ? RETURNING id",
        )?;
        Ok(set.query_row(params![seq as i64, at_ms as i64, context, stamp, id], |row| row.get(0))?)
    }

    pub(crate) fn item_failed(&self, id: i64) -> Result<()> {
        self.conn.prepare_cached("UPDATE item SET state = 3 WHERE id = ?")?.execute([id])?;
        Ok(())
    }

    /// Lines after local number `after`, of one conversation or of all, oldest first.
    pub(crate) fn items(
        &self,
        conversation: Option<i64>,
        after: i64,
        only_unread: bool,
    ) -> Result<Vec<Item>> {
        let sql = format!(
            "{COLUMNS} WHERE id > ?1 AND (?2 IS NULL OR conversation = ?2) AND (?3 = 0 OR unread = 1) ORDER BY id"
        );
        let mut all = self.conn.prepare_cached(&sql)?;
        let rows = all.query_map(params![after, conversation, only_unread], item)?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// The number of the newest line; 0 before the first.
    pub(crate) fn last_item(&self) -> Result<i64> {
        let mut found = self.conn.prepare_cached("SELECT coalesce(max(id), 0) FROM item")?;
        Ok(found.query_row([], |row| row.get(0))?)
    }

    /// Forgets the lines of a conversation after local number `after`, but for our own.
    pub(crate) fn drop_received(&self, conversation: i64, after: i64) -> Result<()> {
        let mut drop =
            self.conn.prepare_cached("DELETE FROM item WHERE conversation = ? AND id > ? AND state = ?")?;
        drop.execute(params![conversation, after, ItemState::Received])?;
        Ok(())
    }

    /// What somebody said, and all of our chats with them, is no longer new.
    pub(crate) fn mark_read_of(&self, who: &AccountId) -> Result<()> {
        let mut set = self.conn.prepare_cached(
            "UPDATE item SET unread = 0 WHERE unread = 1
             AND (sender = ?1 OR conversation IN (SELECT id FROM conversation WHERE peer = ?1))",
        )?;
        set.execute([who.0.as_slice()])?;
        Ok(())
    }

    /// The stamp hash of the message at a place of a conversation, if we hold it.
    pub(crate) fn stamp_hash_at(&self, conversation: i64, seq: u64) -> Result<Option<[u8; 32]>> {
        let sql = "SELECT context FROM item WHERE conversation = ? AND seq = ? AND length(context) > 0";
        let mut found = self.conn.prepare_cached(sql)?;
        let context: Option<Vec<u8>> =
            found.query_row(params![conversation, seq as i64], |row| row.get(0)).optional()?;
        Ok(context.and_then(|bytes| Some(zegel_franking::Context::from_bytes(&bytes).ok()?.hash())))
    }

    /// The content, context and stamp of a line: its proof.
    pub(crate) fn proof(&self, id: i64) -> Result<(Vec<u8>, Vec<u8>, Vec<u8>)> {
        let mut found = self.conn.prepare_cached("SELECT content, context, stamp FROM item WHERE id = ?")?;
        Ok(found.query_row([id], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)))?)
    }

    pub(crate) fn mark_read(&self, ids: &[i64]) -> Result<()> {
        let mut set = self.conn.prepare_cached("UPDATE item SET unread = 0 WHERE id = ?")?;
        for id in ids {
            set.execute([id])?;
        }
        Ok(())
    }
}
