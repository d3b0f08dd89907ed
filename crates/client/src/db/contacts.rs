//! People we know of.

use rusqlite::{OptionalExtension, Row, params};
use zegel_directory::SignedPromise;
use zegel_identity::{Chain, SignedLink};
use zegel_proto::{AccountId, Message as _, v1};

use super::Db;
use crate::{Error, Result};

/// A person whose sigchain we hold.
#[derive(Clone, Debug)]
pub struct Contact {
    /// Who.
    pub account: AccountId,
    /// Their handle, as their chain says.
    pub handle: String,
    /// The verified chain.
    pub chain: Chain,
    /// Whether we blocked them.
    pub blocked: bool,
    /// Whether we accepted them, or wrote to them first.
    pub accepted: bool,
    /// Whether they deleted their account: nothing is sent to them.
    pub ended: bool,
    /// Whether our safety numbers were compared by hand.
    pub compared: bool,
    /// How the key directory covers the chain.
    pub trust: Trust,
}

/// How the key directory covers an account's chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trust {
    /// The newest version of the handle's entry that was proven; 0 for none.
    pub version: u64,
    /// The epoch in which that version came.
    pub epoch: u64,
    /// What the directory still has to keep.
    pub promise: Option<SignedPromise>,
    /// When this device first saw that word, by its own clock, milliseconds since 1970; 0 without one.
    pub promised_ms: u64,
}

impl Trust {
    /// `proven`, `promised` or, before the directory was asked, `unknown`.
    pub fn word(&self) -> &'static str {
        match (&self.promise, self.version) {
            (Some(_), _) => "promised",
            (None, 0) => "unknown",
            (None, _) => "proven",
        }
    }
}

fn damaged(why: impl std::fmt::Display) -> Error {
    Error::Profile { why: why.to_string(), fix: "a copy of the profile folder" }
}

struct RawContact {
    account: Vec<u8>,
    links: Vec<u8>,
    promise: Vec<u8>,
    flags: [bool; 4],
    version: u64,
    epoch: u64,
    promised_ms: u64,
}

fn raw(row: &Row<'_>) -> rusqlite::Result<RawContact> {
    Ok(RawContact {
        account: row.get(0)?,
        links: row.get(1)?,
        flags: [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?],
        version: row.get::<_, i64>(6)? as u64,
        epoch: row.get::<_, i64>(7)? as u64,
        promise: row.get(8)?,
        promised_ms: row.get::<_, i64>(9)? as u64,
    })
}

fn read_links(cbor: &[u8]) -> Result<Vec<SignedLink>> {
    let links: Vec<(serde_bytes::ByteBuf, serde_bytes::ByteBuf)> =
        ciborium::from_reader(cbor).map_err(damaged)?;
    let signed = |(body, signature): (serde_bytes::ByteBuf, serde_bytes::ByteBuf)| SignedLink {
        body: body.into_vec(),
        signature: signature.into_vec(),
    };
    Ok(links.into_iter().map(signed).collect())
}

fn contact(raw: RawContact) -> Result<Contact> {
    let chain = Chain::verify(&read_links(&raw.links)?).map_err(damaged)?;
    let account = AccountId::from_slice(&raw.account).map_err(damaged)?;
    let promise = match raw.promise.is_empty() {
        true => None,
        false => {
            let promise = v1::SignedPromise::decode(raw.promise.as_slice()).map_err(damaged)?;
            Some(SignedPromise::try_from(&promise).map_err(damaged)?)
        }
    };
    let [blocked, accepted, ended, compared] = raw.flags;
    let trust = Trust { version: raw.version, epoch: raw.epoch, promise, promised_ms: raw.promised_ms };
    Ok(Contact {
        account,
        handle: chain.handle().to_owned(),
        chain,
        blocked,
        accepted,
        ended,
        compared,
        trust,
    })
}

const COLUMNS: &str = "SELECT account, chain, blocked, accepted, ended, compared, version, epoch, promise,
 promised_ms FROM contact";

impl Db {
    /// The contact with this account id.
    pub(crate) fn contact(&self, account: &AccountId) -> Result<Option<Contact>> {
        let mut found = self.conn.prepare_cached(&format!("{COLUMNS} WHERE account = ?"))?;
        found.query_row([&account.0], raw).optional()?.map(contact).transpose()
    }

    /// The contact with this handle.
    pub(crate) fn contact_by_handle(&self, handle: &str) -> Result<Option<Contact>> {
        let mut found = self.conn.prepare_cached(&format!("{COLUMNS} WHERE handle = ?"))?;
        found.query_row([handle], raw).optional()?.map(contact).transpose()
    }

    /// Only the handle: what showing a message needs.
    pub(crate) fn handle_of(&self, account: &[u8]) -> Result<Option<String>> {
        let mut found = self.conn.prepare_cached("SELECT handle FROM contact WHERE account = ?")?;
        Ok(found.query_row([account], |row| row.get(0)).optional()?)
    }

    /// Whether we blocked someone. (Reading the whole contact verifies the chain anew.)
    pub(crate) fn is_blocked(&self, account: &AccountId) -> Result<bool> {
        let mut found =
            self.conn.prepare_cached("SELECT 1 FROM contact WHERE account = ? AND blocked = 1")?;
        Ok(found.exists([&account.0])?)
    }

    /// Whether we accepted somebody, or wrote to them first.
    pub(crate) fn is_accepted(&self, account: &AccountId) -> Result<bool> {
        let sql = "SELECT 1 FROM contact WHERE account = ? AND accepted = 1 AND blocked = 0";
        Ok(self.conn.prepare_cached(sql)?.exists([&account.0])?)
    }

    /// How somebody's devices are known, in one word; see [`crate::Line::trust`].
    pub(crate) fn trust_of(&self, account: &[u8]) -> Result<&'static str> {
        let sql = "SELECT ended, compared, length(promise) > 0, version > 0 FROM contact WHERE account = ?";
        let mut found = self.conn.prepare_cached(sql)?;
        let read = |row: &Row<'_>| Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?]);
        Ok(match found.query_row([account], read).optional()? {
            Some([true, ..]) => "ended",
            Some([_, true, ..]) => "verified",
            Some([_, _, true, _]) => "promised",
            Some([_, _, _, true]) => "proven",
            _ => "unknown",
        })
    }

    /// Whether an account was deleted.
    pub(crate) fn is_ended(&self, account: &AccountId) -> Result<bool> {
        let mut found = self.conn.prepare_cached("SELECT 1 FROM contact WHERE account = ? AND ended = 1")?;
        Ok(found.exists([&account.0])?)
    }

    /// The links of the chain that we hold of an account.
    pub(crate) fn links(&self, account: &AccountId) -> Result<Vec<SignedLink>> {
        let mut found = self.conn.prepare_cached("SELECT chain FROM contact WHERE account = ?")?;
        let cbor: Option<Vec<u8>> = found.query_row([&account.0], |row| row.get(0)).optional()?;
        cbor.map_or(Ok(Vec::new()), |cbor| read_links(&cbor))
    }

    /// Keeps how the directory covers an account; `check_ms`: when to ask again, by the device's clock, 0 for no need.
    pub(crate) fn set_trust(&self, account: &AccountId, trust: &Trust, check_ms: u64) -> Result<()> {
        let promise = trust.promise.as_ref().map(|promise| v1::SignedPromise::from(promise).encode_to_vec());
        let mut set = self.conn.prepare_cached(
            "UPDATE contact SET version = ?, epoch = ?, promise = ?, promised_ms = ?, check_ms = ? WHERE account = ?",
        )?;
        let (version, epoch, since) = (trust.version as i64, trust.epoch as i64, trust.promised_ms as i64);
        set.execute(params![version, epoch, promise.unwrap_or_default(), since, check_ms as i64, account.0])?;
        Ok(())
    }

    /// Puts off asking the directory about an account again.
    pub(crate) fn set_check(&self, account: &AccountId, check_ms: u64) -> Result<()> {
        let mut set = self.conn.prepare_cached("UPDATE contact SET check_ms = ? WHERE account = ?")?;
        set.execute(params![check_ms as i64, account.0])?;
        Ok(())
    }

    /// Accounts about which the directory has to be asked again, at most `most`. A time that is further off than ever
    /// set was set by a clock that went wrong.
    pub(crate) fn due_checks(&self, now_ms: u64, furthest_ms: u64, most: usize) -> Result<Vec<AccountId>> {
        let mut due = self.conn.prepare_cached(
            "SELECT account FROM contact WHERE check_ms > 0 AND (check_ms <= ?1 OR check_ms > ?1 + ?2)
             ORDER BY check_ms LIMIT ?3",
        )?;
        let rows =
            due.query_map(params![now_ms as i64, furthest_ms as i64, most as i64], |row| row.get(0))?;
        rows.map(|account: rusqlite::Result<Vec<u8>>| AccountId::from_slice(&account?).map_err(damaged))
            .collect()
    }

    /// Forgets what the directory proved and promised of everybody, and wants to ask about everybody again.
    pub(crate) fn forget_trust(&self) -> Result<()> {
        let sql = "UPDATE contact SET version = 0, epoch = 0, promise = x'', promised_ms = 0, check_ms = 1
                   WHERE ended = 0";
        self.conn.execute(sql, [])?;
        Ok(())
    }

    pub(crate) fn set_ended(&self, account: &AccountId) -> Result<()> {
        let mut set = self.conn.prepare_cached("UPDATE contact SET ended = 1 WHERE account = ?")?;
        set.execute([&account.0])?;
        Ok(())
    }

    pub(crate) fn set_compared(&self, account: &AccountId) -> Result<()> {
        let mut set = self.conn.prepare_cached("UPDATE contact SET compared = 1 WHERE account = ?")?;
        set.execute([&account.0])?;
        Ok(())
    }

    /// Keeps a verified chain.
    pub(crate) fn put_chain(&self, chain: &Chain, links: &[SignedLink]) -> Result<()> {
        let links: Vec<_> = links
            .iter()
            .map(|l| (serde_bytes::Bytes::new(&l.body), serde_bytes::Bytes::new(&l.signature)))
            .collect();
        let mut cbor = Vec::new();
        ciborium::into_writer(&links, &mut cbor).expect("writing CBOR into memory cannot fail");
        let mut put = self.conn.prepare_cached(
            "INSERT INTO contact (account, handle, chain) VALUES (?1, ?2, ?3)
             ON CONFLICT (account) DO UPDATE SET chain = ?3",
        )?;
        put.execute(params![chain.account().0, chain.handle(), cbor])?;
        Ok(())
    }

    pub(crate) fn set_blocked(&self, account: &AccountId, blocked: bool) -> Result<()> {
        let mut set = self.conn.prepare_cached("UPDATE contact SET blocked = ? WHERE account = ?")?;
        set.execute(params![blocked, account.0])?;
        Ok(())
    }

    pub(crate) fn set_accepted(&self, account: &AccountId, accepted: bool) -> Result<()> {
        let mut set = self.conn.prepare_cached("UPDATE contact SET accepted = ? WHERE account = ?")?;
        set.execute(params![accepted, account.0])?;
        Ok(())
    }

    /// Everyone we know of, by handle.
    pub(crate) fn contacts(&self) -> Result<Vec<Contact>> {
        let mut all = self.conn.prepare_cached(&format!("{COLUMNS} ORDER BY handle"))?;
        all.query_map([], raw)?.map(|row| contact(row?)).collect()
    }
}
