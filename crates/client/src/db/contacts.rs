//! People we know of.

use rusqlite::{OptionalExtension, Row, params};
use zegel_identity::{Chain, SignedLink};
use zegel_proto::AccountId;

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
}

type RawContact = (Vec<u8>, Vec<u8>, bool, bool);

fn raw(row: &Row<'_>) -> rusqlite::Result<RawContact> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?))
}

fn contact((account, links, blocked, accepted): RawContact) -> Result<Contact> {
    let damaged = |why: String| Error::Profile { why, fix: "a copy of the profile folder" };
    let links: Vec<(serde_bytes::ByteBuf, serde_bytes::ByteBuf)> =
        ciborium::from_reader(links.as_slice()).map_err(|e| damaged(e.to_string()))?;
    let links: Vec<SignedLink> = links
        .into_iter()
        .map(|(body, signature)| SignedLink { body: body.into_vec(), signature: signature.into_vec() })
        .collect();
    let chain = Chain::verify(&links).map_err(|e| damaged(e.to_string()))?;
    let account = AccountId::from_slice(&account).map_err(|e| damaged(e.to_string()))?;
    Ok(Contact { account, handle: chain.handle().to_owned(), chain, blocked, accepted })
}

const COLUMNS: &str = "SELECT account, chain, blocked, accepted FROM contact";

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
