//! What can be reported: messages with their proof, and every other place of the run that they stand in.
//!
//! *Invariant:* declining, blocking, leaving or being removed takes nothing of this away.

use rusqlite::{OptionalExtension, Row, params};
use zegel_franking::{Context, ZERO_TAG};
use zegel_proto::AccountId;

use super::Db;
use crate::Result;

/// A place in a conversation, as the service stamped it.
#[derive(Clone)]
pub struct Place {
    /// Which.
    pub seq: u64,
    /// A franking context, encoded.
    pub context: Vec<u8>,
    /// Its stamp.
    pub stamp: Vec<u8>,
}

impl Place {
    /// Whether something was said here, rather than keys or members changed.
    pub fn is_message(&self) -> bool {
        Context::from_bytes(&self.context).is_ok_and(|context| context.franking_tag != ZERO_TAG)
    }
}

/// A message that can be disclosed.
#[derive(Clone)]
pub struct Evidence {
    /// The conversation's local number.
    pub conversation: i64,
    /// MIMI message id.
    pub id: Vec<u8>,
    /// Account id of who said it.
    pub sender: Vec<u8>,
    /// What is shown of it.
    pub text: String,
    /// The sender's clock, milliseconds since 1970.
    pub sent_ms: u64,
    /// The service's clock, milliseconds since 1970.
    pub accepted_ms: u64,
    /// Where it stands.
    pub place: Place,
    /// The content as it was opened.
    pub content: Vec<u8>,
}

/// Texts and what cannot be shown yet, once the service has stamped them.
const MESSAGES: &str =
    "SELECT conversation, message_id, sender, text, sent_ms, accepted_ms, seq, context, stamp, content
 FROM item WHERE kind IN (1, 5) AND message_id IS NOT NULL AND seq > 0 AND length(context) > 0";

fn evidence(row: &Row<'_>) -> rusqlite::Result<Evidence> {
    Ok(Evidence {
        conversation: row.get(0)?,
        id: row.get(1)?,
        sender: row.get(2)?,
        text: row.get(3)?,
        sent_ms: row.get::<_, i64>(4)? as u64,
        accepted_ms: row.get::<_, i64>(5)? as u64,
        place: Place { seq: row.get::<_, i64>(6)? as u64, context: row.get(7)?, stamp: row.get(8)? },
        content: row.get(9)?,
    })
}

impl Db {
    /// Keeps what took a place and is no line with a stamp of its own. What came first at a place stays.
    pub(crate) fn keep_place(&self, conversation: i64, seq: u64, context: &[u8], stamp: &[u8]) -> Result<()> {
        let mut keep = self.conn.prepare_cached("INSERT OR IGNORE INTO stamped VALUES (?, ?, ?, ?)")?;
        keep.execute(params![conversation, seq as i64, context, stamp])?;
        Ok(())
    }

    /// The last places of a conversation from one to another, at most `most`, in order.
    pub(crate) fn places(&self, conversation: i64, from: u64, to: u64, most: usize) -> Result<Vec<Place>> {
        let mut all = self.conn.prepare_cached(
            "SELECT seq, context, stamp FROM stamped WHERE conversation = ?1 AND seq BETWEEN ?2 AND ?3
             UNION
             SELECT seq, context, stamp FROM item
             WHERE conversation = ?1 AND seq > 0 AND seq BETWEEN ?2 AND ?3 AND length(context) > 0
             ORDER BY 1 DESC LIMIT ?4",
        )?;
        let place = |row: &Row<'_>| {
            Ok(Place { seq: row.get::<_, i64>(0)? as u64, context: row.get(1)?, stamp: row.get(2)? })
        };
        let rows = all.query_map(params![conversation, from as i64, to as i64, most as i64], place)?;
        let mut places = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        places.reverse();
        Ok(places)
    }

    /// The last messages of a conversation, of anybody or of one person, at most `most`, in order.
    pub(crate) fn last_said(
        &self,
        conversation: i64,
        by: Option<&AccountId>,
        most: usize,
    ) -> Result<Vec<Evidence>> {
        let mut last = self.conn.prepare_cached(&format!(
            "{MESSAGES} AND conversation = ?1 AND (?2 IS NULL OR sender = ?2) ORDER BY seq DESC LIMIT ?3"
        ))?;
        let by = by.map(|by| by.0.as_slice());
        let rows = last.query_map(params![conversation, by, most as i64], evidence)?;
        let mut said = rows.collect::<rusqlite::Result<Vec<_>>>()?;
        said.reverse();
        Ok(said)
    }

    /// The conversation in which somebody last said something that can be disclosed.
    pub(crate) fn last_heard_in(&self, by: &AccountId) -> Result<Option<i64>> {
        let mut last =
            self.conn.prepare_cached(&format!("{MESSAGES} AND sender = ? ORDER BY id DESC LIMIT 1"))?;
        Ok(last.query_row([by.0.as_slice()], |row| row.get(0)).optional()?)
    }

    /// In how many conversations somebody said something that can be disclosed.
    pub(crate) fn heard_in(&self, by: &AccountId) -> Result<usize> {
        let mut count = self.conn.prepare_cached(&format!(
            "SELECT COUNT(DISTINCT conversation) FROM ({MESSAGES} AND sender = ?)"
        ))?;
        Ok(count.query_row([by.0.as_slice()], |row| row.get::<_, i64>(0))? as usize)
    }

    /// Messages whose id begins so (hexadecimal, small letters), at most two.
    pub(crate) fn messages_beginning(&self, id: &str) -> Result<Vec<Evidence>> {
        let mut found = self.conn.prepare_cached(&format!(
            "{MESSAGES} AND substr(lower(hex(message_id)), 1, length(?1)) = ?1 LIMIT 2"
        ))?;
        Ok(found.query_map([id], evidence)?.collect::<rusqlite::Result<_>>()?)
    }
}
