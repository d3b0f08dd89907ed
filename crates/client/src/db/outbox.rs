//! What we want to say or change and what the service has not confirmed yet. Written before anything is sent.

use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use zegel_proto::{AccountId, DeviceId, SubmissionId};

use super::{Db, conversations::stored_as};
use crate::{Error, Result};

/// What is wanted. It outlives the bytes made for it: after a refusal for a stale epoch they are made anew.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Intent {
    /// Begin a conversation: its commit, Welcome and perhaps first message are made once and never again.
    Found,
    /// Send this MIMI content.
    App(#[serde(with = "serde_bytes")] Vec<u8>),
    /// Send this MIMI content, which holds connection tokens, once the queued call that leaves them at the service is done.
    Tokens {
        /// The call's local number.
        call: i64,
        /// The content.
        #[serde(with = "serde_bytes")]
        content: Vec<u8>,
    },
    /// Add people to a group.
    Add(Vec<AccountId>),
    /// Remove people (or, after they left, tidy them away).
    Remove(Vec<AccountId>),
    /// Rename the group.
    Rename(String),
    /// Fresh keys, and a fresh address, for our own leaf.
    Update,
    /// Let a device in again that fell out: one commit that removes and adds it.
    Readd {
        /// Whose.
        account: AccountId,
        /// Which.
        device: DeviceId,
        /// Its fresh key package.
        #[serde(with = "serde_bytes")]
        key_package: Vec<u8>,
    },
}

impl Intent {
    /// Whether it changes the epoch.
    pub fn is_commit(&self) -> bool {
        !matches!(self, Intent::App(_) | Intent::Tokens { .. })
    }
}

/// How far an outbox row got.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboxState {
    /// No bytes made yet.
    Wanted,
    /// Bytes made; the service's answer is not known.
    Made,
    /// The service accepted it; our mailbox will say so.
    Accepted,
}
stored_as!(OutboxState: Wanted = 0, Made = 1, Accepted = 2);

/// One thing we want.
#[derive(Clone, Debug)]
pub struct OutboxRow {
    /// Local number; rows of one conversation go out in this order.
    pub id: i64,
    /// The conversation's local number.
    pub conversation: i64,
    /// What is wanted.
    pub intent: Intent,
    /// The shown line it belongs to; 0 for none.
    pub item: i64,
    /// How far it got.
    pub state: OutboxState,
    /// The id of the bytes in `submit`.
    pub submission: Option<SubmissionId>,
    /// `v1::Submit`, once made.
    pub submit: Vec<u8>,
    /// A sealed ratchet tree to upload first, with its name; empty for none.
    pub blob: (Vec<u8>, Vec<u8>),
    /// Not before this time, milliseconds since 1970.
    pub not_before_ms: u64,
}

const COLUMNS: &str =
    "SELECT id, conversation, intent, item, state, submission, submit, blob_name, blob, not_before_ms
 FROM outbox";

fn parts(row: &Row<'_>) -> rusqlite::Result<(Vec<u8>, OutboxRow)> {
    let submission: Vec<u8> = row.get(5)?;
    let outbox = OutboxRow {
        id: row.get(0)?,
        conversation: row.get(1)?,
        intent: Intent::Found,
        item: row.get(3)?,
        state: row.get(4)?,
        submission: SubmissionId::from_slice(&submission).ok(),
        submit: row.get(6)?,
        blob: (row.get(7)?, row.get(8)?),
        not_before_ms: row.get::<_, i64>(9)? as u64,
    };
    Ok((row.get(2)?, outbox))
}

fn with_intent((intent, mut row): (Vec<u8>, OutboxRow)) -> Result<OutboxRow> {
    row.intent = ciborium::from_reader(intent.as_slice())
        .map_err(|e| Error::Profile { why: e.to_string(), fix: "a copy of the profile folder" })?;
    Ok(row)
}

impl Db {
    pub(crate) fn add_intent(
        &self,
        conversation: i64,
        intent: &Intent,
        item: i64,
        not_before_ms: u64,
    ) -> Result<i64> {
        let mut cbor = Vec::new();
        ciborium::into_writer(intent, &mut cbor).expect("writing CBOR into memory cannot fail");
        let mut add = self.conn.prepare_cached(
            "INSERT INTO outbox (conversation, intent, item, not_before_ms) VALUES (?, ?, ?, ?)",
        )?;
        add.execute(params![conversation, cbor, item, not_before_ms as i64])?;
        Ok(self.conn.last_insert_rowid())
    }

    /// The bytes for an intent are made (and MLS has moved on): from now on only these are sent for it.
    pub(crate) fn outbox_made(
        &self,
        id: i64,
        submission: &SubmissionId,
        submit: &[u8],
        blob: (&[u8], &[u8]),
    ) -> Result<()> {
        let mut set = self.conn.prepare_cached(
            "UPDATE outbox SET state = 1, submission = ?, submit = ?, blob_name = ?, blob = ? WHERE id = ?",
        )?;
        set.execute(params![submission.0, submit, blob.0, blob.1, id])?;
        Ok(())
    }

    /// The bytes were refused: the intent stands, and is made anew.
    pub(crate) fn outbox_unmade(&self, id: i64) -> Result<()> {
        let mut set = self.conn.prepare_cached(
            "UPDATE outbox SET state = 0, submission = x'', submit = x'', blob_name = x'', blob = x'' WHERE id = ?",
        )?;
        set.execute([id])?;
        self.free_tokens_of(id)
    }

    /// It waits until this time, milliseconds since 1970.
    pub(crate) fn outbox_put_off(&self, id: i64, until_ms: u64) -> Result<()> {
        let mut set = self.conn.prepare_cached("UPDATE outbox SET not_before_ms = ? WHERE id = ?")?;
        set.execute(params![until_ms as i64, id])?;
        Ok(())
    }

    pub(crate) fn outbox_accepted(&self, id: i64) -> Result<()> {
        self.conn.prepare_cached("UPDATE outbox SET state = 2 WHERE id = ?")?.execute([id])?;
        Ok(())
    }

    pub(crate) fn outbox_done(&self, id: i64) -> Result<()> {
        self.conn.prepare_cached("DELETE FROM outbox WHERE id = ?")?.execute([id])?;
        self.drop_tokens_of(id)
    }

    pub(crate) fn outbox_row(&self, id: i64) -> Result<Option<OutboxRow>> {
        let mut found = self.conn.prepare_cached(&format!("{COLUMNS} WHERE id = ?"))?;
        found.query_row([id], parts).optional()?.map(with_intent).transpose()
    }

    pub(crate) fn outbox_of_submission(&self, id: &SubmissionId) -> Result<Option<OutboxRow>> {
        let mut found = self.conn.prepare_cached(&format!("{COLUMNS} WHERE submission = ?"))?;
        found.query_row([id.0.as_slice()], parts).optional()?.map(with_intent).transpose()
    }

    /// Everything that waits, oldest first.
    pub(crate) fn outbox(&self) -> Result<Vec<OutboxRow>> {
        let mut all = self.conn.prepare_cached(&format!("{COLUMNS} ORDER BY id"))?;
        all.query_map([], parts)?.map(|row| with_intent(row?)).collect()
    }

    /// What waits for one conversation, oldest first.
    pub(crate) fn outbox_of(&self, conversation: i64) -> Result<Vec<OutboxRow>> {
        let mut all = self.conn.prepare_cached(&format!("{COLUMNS} WHERE conversation = ? ORDER BY id"))?;
        all.query_map([conversation], parts)?.map(|row| with_intent(row?)).collect()
    }
}
