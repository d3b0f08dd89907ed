//! The positive control: what a leaking server would have kept.

use std::path::Path;

use rusqlite::{Connection, params};
use zegel_proto::GroupId;

use super::people::Plan;
use crate::common::Result;

/// Adds a plain table of who is in which conversation to a copied data folder.
pub fn leak(data: &Path, plan: &Plan, accounts: &[[u8; 16]]) -> Result {
    let mut database = Connection::open(data.join("zegel.db"))?;
    let tx = database.transaction()?;
    tx.execute_batch("CREATE TABLE membership (conversation BLOB NOT NULL, account BLOB NOT NULL) STRICT;")?;
    let chats = plan.chats.iter().map(|&(a, b)| vec![a, b]);
    for members in chats.chain(plan.groups.iter().cloned()) {
        let conversation = GroupId::random();
        for member in members {
            tx.execute("INSERT INTO membership VALUES (?, ?)", params![conversation.0, accounts[member]])?;
        }
    }
    tx.commit()?;
    Ok(())
}
