//! Children and guardians: whom we are linked with, and what was asked and allowed.

use ciborium::de::Error as CborError;
use rusqlite::{OptionalExtension, Row, params, types::Type};
use serde::{Deserialize, Serialize};
use zegel_content::{Asked, ContentError, Facts};
use zegel_proto::AccountId;

use super::{Db, conversations::stored_as, errands::to_cbor};
use crate::{Error, Result};

/// What somebody is to us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Our guardian.
    Guardian,
    /// A child whose guardian we are.
    Child,
}

/// How far a guardianship is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkState {
    /// They want it; we have not said so.
    TheyAsk,
    /// We want it.
    WeAsk,
    /// Both want it, and the hash of the secret is on its way to the service.
    Keyed,
    /// It holds.
    Linked,
    /// It ended, or never began. What is needed to begin it anew, or to have the service forget it, is kept.
    Over,
}
stored_as!(Role: Guardian = 1, Child = 2);
stored_as!(LinkState: TheyAsk = 1, WeAsk = 2, Keyed = 3, Linked = 4, Over = 5);

/// What links a child and a guardian, as one of the two keeps it. It can hold a secret, so it has no `Debug`.
#[derive(Clone)]
pub struct Guardianship {
    /// The other one.
    pub account: AccountId,
    /// How far it is.
    pub state: LinkState,
    /// What they are to us, and what is kept of it.
    pub with: With,
}

/// The other one of a guardianship.
#[derive(Clone)]
pub enum With {
    /// They look after us, or may.
    Guardian(OfGuardian),
    /// We look after them, or may.
    Child(OfChild),
}

/// What a child's device keeps of the guardian. It knows their secret only once it was used.
#[derive(Clone, Copy, Default)]
pub struct OfGuardian {
    /// SHA-256 of the secret that allows us another age, as the service has it.
    pub hash: Option<[u8; 32]>,
    /// Likewise of the secret after that one, which is on its way to the service.
    pub next_hash: Option<[u8; 32]>,
    /// SHA-256 of what we told last about our contacts.
    pub told: Option<[u8; 32]>,
}

/// What a guardian's device keeps of a child.
#[derive(Clone, Default)]
pub struct OfChild {
    /// What allows them another age.
    pub secret: Option<[u8; 32]>,
    /// What will after that, once they confirmed it.
    pub next_secret: Option<[u8; 32]>,
    /// What their device told last.
    pub contacts: Option<ChildContacts>,
}

/// With whom a child of ours is in contact, as their device told us last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChildContacts {
    /// Handles.
    pub people: Vec<String>,
    /// Names of groups.
    pub groups: Vec<String>,
    /// How many more there are, that did not fit.
    pub more: u32,
    /// When it was told, by the service's clock, milliseconds since 1970.
    pub at_ms: u64,
}

impl Guardianship {
    /// One that is so far.
    pub(crate) fn new(account: AccountId, state: LinkState, with: impl Into<With>) -> Self {
        Self { account, state, with: with.into() }
    }

    /// What they are to us.
    pub fn role(&self) -> Role {
        match self.with {
            With::Guardian(_) => Role::Guardian,
            With::Child(_) => Role::Child,
        }
    }
}

impl OfGuardian {
    /// Whether the service may have this hash of a secret of theirs.
    pub(crate) fn has(&self, hash: &[u8; 32]) -> bool {
        [self.hash, self.next_hash].contains(&Some(*hash))
    }
}

impl From<OfGuardian> for With {
    fn from(kept: OfGuardian) -> Self {
        Self::Guardian(kept)
    }
}

impl From<OfChild> for With {
    fn from(kept: OfChild) -> Self {
        Self::Child(kept)
    }
}

/// A question, ours or a child's.
#[derive(Clone)]
pub struct Ask {
    /// Its name between the two.
    pub id: [u8; 16],
    /// Whom we asked, or who asks.
    pub account: AccountId,
    /// What.
    pub what: Asked,
    /// What the child is told about who comes.
    pub facts: Facts,
    /// Ours, about a person: who.
    pub subject: Option<AccountId>,
    /// Ours, about a request: the local number of its conversation.
    pub conversation: Option<i64>,
    /// The local number of the chat that it was asked in.
    pub chat: i64,
}

const LINK: &str =
    "SELECT account, role, state, hash, next_hash, told, secret, next_secret, contacts FROM guardian";
const ASK: &str = "SELECT id, account, what, facts, subject, conversation, chat FROM ask";

fn link(row: &Row<'_>) -> rusqlite::Result<Guardianship> {
    let with = match row.get("role")? {
        Role::Guardian => With::Guardian(OfGuardian {
            hash: row.get("hash")?,
            next_hash: row.get("next_hash")?,
            told: row.get("told")?,
        }),
        Role::Child => {
            let cbor: Option<Vec<u8>> = row.get("contacts")?;
            let read = |cbor: Vec<u8>| ciborium::from_reader(cbor.as_slice());
            let contacts = cbor.map(read).transpose().map_err(|error: CborError<_>| damaged(8, error))?;
            With::Child(OfChild {
                secret: row.get("secret")?,
                next_secret: row.get("next_secret")?,
                contacts,
            })
        }
    };
    Ok(Guardianship { account: AccountId(row.get("account")?), state: row.get("state")?, with })
}

fn ask(row: &Row<'_>) -> rusqlite::Result<Ask> {
    let (what, facts): (Vec<u8>, Vec<u8>) = (row.get(2)?, row.get(3)?);
    Ok(Ask {
        id: row.get(0)?,
        account: AccountId(row.get(1)?),
        what: Asked::decode(&what).map_err(|error| damaged(2, error))?,
        facts: Facts::decode(&facts).map_err(|error| damaged(3, error))?,
        subject: row.get::<_, Option<[u8; 16]>>(4)?.map(AccountId),
        conversation: row.get(5)?,
        chat: row.get(6)?,
    })
}

fn damaged(column: usize, error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Blob, Box::new(error))
}

impl Db {
    /// The link with somebody, however far it is.
    pub(crate) fn link_with(&self, account: &AccountId) -> Result<Option<Guardianship>> {
        let mut found = self.conn.prepare_cached(&format!("{LINK} WHERE account = ?"))?;
        Ok(found.query_row([account.0], link).optional()?)
    }

    /// All links, in the order of the accounts.
    pub(crate) fn links_all(&self) -> Result<Vec<Guardianship>> {
        let mut all = self.conn.prepare_cached(LINK)?;
        Ok(all.query_map([], link)?.collect::<rusqlite::Result<_>>()?)
    }

    /// The guardian whom we are linked with.
    pub(crate) fn our_guardian(&self) -> Result<Option<Guardianship>> {
        let mut found = self.conn.prepare_cached(&format!("{LINK} WHERE role = ? AND state = ?"))?;
        Ok(found.query_row(params![Role::Guardian, LinkState::Linked], link).optional()?)
    }

    /// Keeps a link as it is now.
    pub(crate) fn put_link(&self, link: &Guardianship) -> Result<()> {
        let (account, role, state) = (link.account.0, link.role(), link.state);
        match &link.with {
            With::Guardian(OfGuardian { hash, next_hash, told }) => {
                let sql = "INSERT OR REPLACE INTO guardian (account, role, state, hash, next_hash, told)
                           VALUES (?, ?, ?, ?, ?, ?)";
                let row = params![account, role, state, hash, next_hash, told];
                self.conn.prepare_cached(sql)?.execute(row)?
            }
            With::Child(OfChild { secret, next_secret, contacts }) => {
                let sql =
                    "INSERT OR REPLACE INTO guardian (account, role, state, secret, next_secret, contacts)
                           VALUES (?, ?, ?, ?, ?, ?)";
                let row = params![account, role, state, secret, next_secret, contacts.as_ref().map(to_cbor)];
                self.conn.prepare_cached(sql)?.execute(row)?
            }
        };
        Ok(())
    }

    pub(crate) fn drop_link(&self, account: &AccountId) -> Result<()> {
        self.conn.prepare_cached("DELETE FROM guardian WHERE account = ?")?.execute([account.0])?;
        Ok(())
    }

    /// Keeps a question; whether its name is new.
    pub(crate) fn add_ask(&self, ask: &Ask) -> Result<bool> {
        let mut add = self.conn.prepare_cached(
            "INSERT OR IGNORE INTO ask (id, account, what, facts, subject, conversation, chat)
             VALUES (?, ?, ?, ?, ?, ?, ?)",
        )?;
        let odd = |e: ContentError| Error::usage("asking your guardian", e.to_string(), "someone else");
        let (what, facts) = (ask.what.encode().map_err(odd)?, ask.facts.encode().map_err(odd)?);
        let subject = ask.subject.map(|who| who.0);
        let row = params![ask.id, ask.account.0, what, facts, subject, ask.conversation, ask.chat];
        let added = add.execute(row)?;
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
                   RETURNING id, account, what, facts, subject, conversation, chat";
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

    /// The groups that we are in, by local number, with their names.
    pub(crate) fn groups_in_use(&self) -> Result<Vec<(i64, String)>> {
        let sql = "SELECT id, name FROM conversation WHERE kind = 2 AND state = 3 ORDER BY id";
        let mut all = self.conn.prepare_cached(sql)?;
        Ok(all.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?)
    }
}
