//! Children and guardians: whom we are linked with, what was asked and allowed, and what the service still has to be told.

use rusqlite::{OptionalExtension, Row, params};
use serde::{Deserialize, Serialize};
use zegel_proto::AccountId;

use super::{Db, conversations::stored_as};
use crate::{Error, Result};

/// What somebody is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Our guardian.
    Guardian,
    /// A child whose guardian we are.
    Child,
}

/// How far a link is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// They want it; we have not said so.
    Asks,
    /// We want it.
    Asked,
    /// Both want it, and the hash of the secret is on its way to the service.
    Keyed,
    /// It holds.
    Linked,
    /// It ended. What is needed to begin it anew, or to have the service forget it, is kept.
    Over,
}
stored_as!(Role: Guardian = 1, Child = 2);
stored_as!(LinkState: Asks = 1, Asked = 2, Keyed = 3, Linked = 4, Over = 5);

/// A link between a child and a guardian. It holds a secret, so it has no `Debug`.
#[derive(Clone)]
pub struct Link {
    /// The other one.
    pub account: AccountId,
    /// What they are to us.
    pub role: Role,
    /// How far it is.
    pub state: LinkState,
    /// Of a child: the secret that allows them another age. Of our guardian: its hash.
    pub secret: Option<[u8; 32]>,
    /// Of a child: the secret after that one, which they have not confirmed.
    pub next: Option<[u8; 32]>,
    /// Of a child: what their device told last. Of our guardian: the hash of what we told last.
    pub told: Vec<u8>,
    /// Of a child: when that was told, milliseconds since 1970.
    pub told_ms: u64,
}

/// A question, ours or a child's.
#[derive(Clone)]
pub struct Ask {
    /// Its name between the two.
    pub id: [u8; 16],
    /// Whom we asked, or who asks.
    pub account: AccountId,
    /// What, as it was sent.
    pub what: Vec<u8>,
    /// Ours, about a person: who.
    pub subject: Option<AccountId>,
    /// Ours, about a request: the local number of its conversation; else 0.
    pub conversation: i64,
    /// Ours: the local number of the chat that it was asked in.
    pub chat: i64,
}

/// A call to the service whose outcome matters. It holds secrets, so it has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub enum Errand {
    /// The service gets the hash of our guardian's secret; the secret before it, if there was one.
    Key {
        /// Whose.
        guardian: AccountId,
        /// SHA-256.
        hash: [u8; 32],
        /// What allows to change it.
        old: Option<[u8; 32]>,
    },
    /// The service forgets that we had a guardian.
    Release {
        /// What allows it.
        secret: [u8; 32],
    },
    /// Another age band, which our guardian allows.
    Age {
        /// Who allowed it.
        guardian: AccountId,
        /// `v1::AgeBand`.
        band: u8,
        /// What allows it.
        secret: [u8; 32],
        /// The hash of what will, from then on.
        next: Option<[u8; 32]>,
    },
}

const LINK: &str = "SELECT account, role, state, secret, next, told, told_ms FROM guardian";
const ASK: &str = "SELECT id, account, what, subject, conversation, chat FROM ask";

fn link(row: &Row<'_>) -> rusqlite::Result<Link> {
    let secret = |bytes: Vec<u8>| bytes.try_into().ok();
    Ok(Link {
        account: AccountId(row.get(0)?),
        role: row.get(1)?,
        state: row.get(2)?,
        secret: secret(row.get(3)?),
        next: secret(row.get(4)?),
        told: row.get(5)?,
        told_ms: row.get::<_, i64>(6)? as u64,
    })
}

fn ask(row: &Row<'_>) -> rusqlite::Result<Ask> {
    Ok(Ask {
        id: row.get(0)?,
        account: AccountId(row.get(1)?),
        what: row.get(2)?,
        subject: AccountId::from_slice(&row.get::<_, Vec<u8>>(3)?).ok(),
        conversation: row.get(4)?,
        chat: row.get(5)?,
    })
}

impl Db {
    /// The link with somebody, however far it is.
    pub(crate) fn link_with(&self, account: &AccountId) -> Result<Option<Link>> {
        let mut found = self.conn.prepare_cached(&format!("{LINK} WHERE account = ?"))?;
        Ok(found.query_row([account.0], link).optional()?)
    }

    /// All links, in the order of the accounts.
    pub(crate) fn links_all(&self) -> Result<Vec<Link>> {
        let mut all = self.conn.prepare_cached(LINK)?;
        Ok(all.query_map([], link)?.collect::<rusqlite::Result<_>>()?)
    }

    /// The guardian whom we are linked with.
    pub(crate) fn our_guardian(&self) -> Result<Option<Link>> {
        let mut found = self.conn.prepare_cached(&format!("{LINK} WHERE role = ? AND state = ?"))?;
        Ok(found.query_row(params![Role::Guardian, LinkState::Linked], link).optional()?)
    }

    /// Keeps a link as it is now.
    pub(crate) fn put_link(&self, link: &Link) -> Result<()> {
        let mut put =
            self.conn.prepare_cached("INSERT OR REPLACE INTO guardian VALUES (?, ?, ?, ?, ?, ?, ?)")?;
        let bytes = |secret: &Option<[u8; 32]>| secret.map(|secret| secret.to_vec()).unwrap_or_default();
        let Link { account, role, state, secret, next, told, told_ms } = link;
        put.execute(params![account.0, role, state, bytes(secret), bytes(next), told, *told_ms as i64])?;
        Ok(())
    }

    pub(crate) fn drop_link(&self, account: &AccountId) -> Result<()> {
        self.conn.prepare_cached("DELETE FROM guardian WHERE account = ?")?.execute([account.0])?;
        Ok(())
    }

    /// Keeps a question; whether its name is new.
    pub(crate) fn add_ask(&self, ask: &Ask) -> Result<bool> {
        let mut add = self.conn.prepare_cached(
            "INSERT OR IGNORE INTO ask (id, account, what, subject, conversation, chat) VALUES (?, ?, ?, ?, ?, ?)",
        )?;
        let subject = ask.subject.map(|who| who.0.to_vec()).unwrap_or_default();
        let added =
            add.execute(params![ask.id, ask.account.0, ask.what, subject, ask.conversation, ask.chat])?;
        Ok(added > 0)
    }

    /// Questions between us and somebody, oldest first.
    pub(crate) fn asks_of(&self, account: &AccountId) -> Result<Vec<Ask>> {
        let mut all = self.conn.prepare_cached(&format!("{ASK} WHERE account = ? ORDER BY number"))?;
        Ok(all.query_map([account.0], ask)?.collect::<rusqlite::Result<_>>()?)
    }

    /// Takes a question out.
    pub(crate) fn take_ask(&self, account: &AccountId, id: &[u8; 16]) -> Result<Option<Ask>> {
        let sql = "DELETE FROM ask WHERE account = ? AND id = ?
                   RETURNING id, account, what, subject, conversation, chat";
        let mut take = self.conn.prepare_cached(sql)?;
        Ok(take.query_row(params![account.0, id], ask).optional()?)
    }

    /// Forgets all questions between us and somebody.
    pub(crate) fn drop_asks(&self, account: &AccountId) -> Result<()> {
        self.conn.prepare_cached("DELETE FROM ask WHERE account = ?")?.execute([account.0])?;
        Ok(())
    }

    /// Our guardian allows contact with somebody.
    pub(crate) fn allow(&self, account: &AccountId) -> Result<()> {
        self.conn.prepare_cached("INSERT OR IGNORE INTO allowed VALUES (?)")?.execute([account.0])?;
        Ok(())
    }

    /// Whether we are in contact with somebody already, or our guardian allows it.
    pub(crate) fn is_allowed(&self, account: &AccountId) -> Result<bool> {
        let mut found = self.conn.prepare_cached(
            "SELECT 1 FROM allowed WHERE account = ?1
             UNION SELECT 1 FROM contact WHERE account = ?1 AND accepted = 1",
        )?;
        Ok(found.exists([account.0])?)
    }

    /// Forgets whom our guardian allowed.
    pub(crate) fn drop_allowed(&self) -> Result<()> {
        self.conn.execute("DELETE FROM allowed", [])?;
        Ok(())
    }

    /// Handles of those whom we are in contact with, but for these two, in order.
    pub(crate) fn people_in_contact(&self, but: [&AccountId; 2]) -> Result<Vec<String>> {
        let mut all = self.conn.prepare_cached(
            "SELECT handle FROM contact WHERE accepted = 1 AND blocked = 0 AND ended = 0
             AND account NOT IN (?, ?) ORDER BY handle",
        )?;
        let rows = all.query_map(params![but[0].0, but[1].0], |row| row.get(0))?;
        Ok(rows.collect::<rusqlite::Result<_>>()?)
    }

    /// Names of the groups that we are in, in order.
    pub(crate) fn groups_in_use(&self) -> Result<Vec<String>> {
        let sql = "SELECT name FROM conversation WHERE kind = 2 AND state = 3 ORDER BY name";
        let mut all = self.conn.prepare_cached(sql)?;
        Ok(all.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?)
    }

    pub(crate) fn add_errand(&self, errand: &Errand) -> Result<()> {
        let mut cbor = Vec::new();
        ciborium::into_writer(errand, &mut cbor).expect("writing CBOR into memory cannot fail");
        self.conn.prepare_cached("INSERT INTO errand (errand) VALUES (?)")?.execute([cbor])?;
        Ok(())
    }

    /// Forgets errands that would make somebody our guardian.
    pub(crate) fn drop_keys(&self, account: &AccountId) -> Result<()> {
        for (id, errand) in self.errands()? {
            if matches!(errand, Errand::Key { guardian, .. } if guardian == *account) {
                self.errand_done(id)?;
            }
        }
        Ok(())
    }

    /// All errands, oldest first.
    pub(crate) fn errands(&self) -> Result<Vec<(i64, Errand)>> {
        let mut all = self.conn.prepare_cached("SELECT id, errand FROM errand ORDER BY id")?;
        let rows = all.query_map([], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        let read = |row: rusqlite::Result<(i64, Vec<u8>)>| {
            let (id, cbor) = row?;
            let errand = ciborium::from_reader(cbor.as_slice())
                .map_err(|e| Error::Profile { why: e.to_string(), fix: "a copy of the profile folder" })?;
            Ok((id, errand))
        };
        rows.map(read).collect()
    }

    /// The oldest errand.
    pub(crate) fn first_errand(&self) -> Result<Option<(i64, Errand)>> {
        Ok(self.errands()?.into_iter().next())
    }

    pub(crate) fn errand_done(&self, id: i64) -> Result<()> {
        self.conn.prepare_cached("DELETE FROM errand WHERE id = ?")?.execute([id])?;
        Ok(())
    }
}
