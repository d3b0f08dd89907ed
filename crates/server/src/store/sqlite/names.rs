//! What is kept under a hash or a random name: addresses, answers, blocks, tokens, invites, shared payloads.

use rusqlite::params;
use zegel_proto::BlobName;

use super::{
    accounts::age_band,
    tx::{SqliteTx, hourly_id},
};
use crate::store::{Invite, StoreResult, TokenRow};

pub(super) fn address(tx: &mut SqliteTx<'_>, hash: &[u8; 32]) -> StoreResult<Option<Vec<u8>>> {
    if let Some(sealed) = tx.cache.addresses.get(hash) {
        return Ok(Some(sealed.clone()));
    }
    let sql = "SELECT sealed FROM address WHERE hash = ?1";
    let found: Option<Vec<u8>> = tx.find("reading an address", sql, [hash], |row| row.get(0))?;
    if let Some(sealed) = &found {
        tx.cache.addresses.put(*hash, sealed.clone());
    }
    Ok(found)
}

pub(super) fn put_address(tx: &mut SqliteTx<'_>, hash: &[u8; 32], sealed: &[u8]) -> StoreResult<()> {
    let sql = "INSERT INTO address (hash, sealed) VALUES (?1, ?2)
               ON CONFLICT (hash) DO UPDATE SET sealed = ?2";
    tx.execute("writing an address", sql, params![hash, sealed])?;
    tx.cache.addresses.put(*hash, sealed.to_vec());
    Ok(())
}

pub(super) fn bury_address(
    tx: &mut SqliteTx<'_>,
    hash: &[u8; 32],
    sealed: &[u8],
    day: u32,
) -> StoreResult<()> {
    let sql = "INSERT INTO address (hash, sealed, dead_day) VALUES (?1, ?2, ?3)
               ON CONFLICT (hash) DO UPDATE SET sealed = ?2, dead_day = ?3";
    tx.execute("burying an address", sql, params![hash, sealed, day.max(1)])?;
    tx.cache.addresses.put(*hash, sealed.to_vec());
    Ok(())
}

pub(super) fn answer(tx: &mut SqliteTx<'_>, key: &[u8; 32]) -> StoreResult<Option<Vec<u8>>> {
    tx.find("reading an answer", "SELECT sealed FROM answer WHERE key = ?1", [key], |row| row.get(0))
}

pub(super) fn put_answer(tx: &mut SqliteTx<'_>, key: &[u8; 32], hour: u32, sealed: &[u8]) -> StoreResult<()> {
    let sql = "INSERT INTO answer (id, key, sealed) VALUES (?1, ?2, ?3)
               ON CONFLICT (key) DO UPDATE SET sealed = ?3";
    tx.insert(
        "remembering an answer",
        sql,
        || hourly_id(hour),
        |id, statement| statement.execute(params![id, key, sealed]),
    )
}

pub(super) fn delete_answers(tx: &mut SqliteTx<'_>, keys: &[[u8; 32]]) -> StoreResult<()> {
    for key in keys {
        tx.execute("forgetting an answer", "DELETE FROM answer WHERE key = ?1", [key])?;
    }
    Ok(())
}

pub(super) fn blocked(tx: &mut SqliteTx<'_>, tag: &[u8; 32]) -> StoreResult<bool> {
    Ok(tx.find("looking up a block", "SELECT 1 FROM block WHERE tag = ?1", [tag], |_| Ok(()))?.is_some())
}

pub(super) fn set_block(tx: &mut SqliteTx<'_>, tag: &[u8; 32], blocked: bool) -> StoreResult<()> {
    let sql = if blocked {
        "INSERT INTO block (tag) VALUES (?1) ON CONFLICT DO NOTHING"
    } else {
        "DELETE FROM block WHERE tag = ?1"
    };
    tx.execute("changing a block", sql, [tag]).map(drop)
}

pub(super) fn put_token(
    tx: &mut SqliteTx<'_>,
    hash: &[u8; 32],
    last_day: u32,
    sealed: &[u8],
) -> StoreResult<()> {
    let sql = "INSERT INTO token (hash, day, sealed, noise) VALUES (?1, ?2, ?3, random())
               ON CONFLICT (hash) DO UPDATE SET day = ?2, sealed = ?3, noise = random()";
    tx.execute("leaving a token", sql, params![hash, last_day, sealed]).map(drop)
}

pub(super) fn token(tx: &mut SqliteTx<'_>, hash: &[u8; 32]) -> StoreResult<Option<Vec<u8>>> {
    tx.find("reading a token", "SELECT sealed FROM token WHERE hash = ?1", [hash], |row| row.get(0))
}

pub(super) fn token_near(tx: &mut SqliteTx<'_>, hash: &[u8; 32]) -> StoreResult<Option<TokenRow>> {
    let sql = "SELECT hash, sealed FROM token WHERE hash >= ?1 ORDER BY hash LIMIT 1";
    let mut from = |hash: &[u8; 32]| {
        tx.find("reading a token", sql, [hash], |row| Ok(TokenRow { hash: row.get(0)?, sealed: row.get(1)? }))
    };
    match from(hash)? {
        None => from(&[0; 32]),
        found => Ok(found),
    }
}

/// Without noise a row would not be written that is put back as it was.
pub(super) fn renew_token(tx: &mut SqliteTx<'_>, hash: &[u8; 32], sealed: &[u8]) -> StoreResult<()> {
    let sql = "UPDATE token SET sealed = ?2, noise = random() WHERE hash = ?1";
    tx.execute("renewing a token", sql, params![hash, sealed]).map(drop)
}

pub(super) fn invite(tx: &mut SqliteTx<'_>, hash: &[u8; 32]) -> StoreResult<Option<Invite>> {
    let sql = "SELECT uses, sets_age_band, age_band, for_one, expires_day FROM invite WHERE hash = ?1";
    tx.find("reading an invite", sql, [hash], |row| {
        let age_band = if row.get(1)? { Some(age_band(row, 2)?) } else { None };
        Ok(Invite { uses: row.get(0)?, age_band, for_one: row.get(3)?, expires_day: row.get(4)? })
    })
}

pub(super) fn put_invite(tx: &mut SqliteTx<'_>, hash: &[u8; 32], invite: &Invite) -> StoreResult<()> {
    let doing = "writing an invite";
    if invite.uses == 0 {
        return tx.execute(doing, "DELETE FROM invite WHERE hash = ?1", [hash]).map(drop);
    }
    let sql = "INSERT INTO invite (hash, uses, sets_age_band, age_band, expires_day, for_one)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6)
               ON CONFLICT (hash) DO UPDATE SET
                 uses = ?2, sets_age_band = ?3, age_band = ?4, expires_day = ?5, for_one = ?6";
    let age_band = invite.age_band.unwrap_or_default() as i32;
    let Invite { uses, for_one, expires_day, .. } = *invite;
    let values = params![hash, uses, invite.age_band.is_some(), age_band, expires_day, for_one];
    tx.execute(doing, sql, values).map(drop)
}

pub(super) fn put_payload(
    tx: &mut SqliteTx<'_>,
    name: &BlobName,
    hour: u32,
    sealed: &[u8],
) -> StoreResult<()> {
    let sql = "INSERT INTO payload (id, name, sealed) VALUES (?1, ?2, ?3)
               ON CONFLICT (name) DO UPDATE SET sealed = ?3";
    tx.insert(
        "storing a shared payload",
        sql,
        || hourly_id(hour),
        |id, statement| statement.execute(params![id, name.0, sealed]),
    )
}

pub(super) fn payload(tx: &mut SqliteTx<'_>, name: &BlobName) -> StoreResult<Option<Vec<u8>>> {
    let sql = "SELECT sealed FROM payload WHERE name = ?1";
    tx.find("reading a shared payload", sql, [name.0], |row| row.get(0))
}
