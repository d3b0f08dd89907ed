//! Connection tokens: those that we gave to friends, and those that friends gave or passed on to us.

use rusqlite::{OptionalExtension, Row, params};
use zegel_proto::{AccountId, Token};

use super::Db;
use crate::Result;

/// A token of somebody's that we hold.
#[derive(Clone, Copy)]
pub(crate) struct HeldToken {
    /// It.
    pub token: Token,
    /// The last day that it is good, days since 1970.
    pub last_day: u32,
}

fn held(row: &Row<'_>) -> rusqlite::Result<HeldToken> {
    Ok(HeldToken { token: Token(row.get(0)?), last_day: row.get(1)? })
}

impl Db {
    pub(crate) fn give_token(&self, token: &Token, friend: &AccountId, last_day: u32) -> Result<()> {
        let sql = "INSERT INTO given_token (token, friend, last_day) VALUES (?, ?, ?)";
        self.conn.prepare_cached(sql)?.execute(params![token.0, friend.0, last_day])?;
        Ok(())
    }

    /// Whom we gave this token, if it was not shown to us yet.
    pub(crate) fn given_to(&self, token: &[u8]) -> Result<Option<AccountId>> {
        let sql = "SELECT friend FROM given_token WHERE token = ? AND passed = 0";
        let mut found = self.conn.prepare_cached(sql)?;
        Ok(found.query_row([token], |row| row.get(0).map(AccountId)).optional()?)
    }

    /// The friend used it themself.
    pub(crate) fn token_used(&self, token: &[u8]) -> Result<()> {
        self.conn.prepare_cached("DELETE FROM given_token WHERE token = ?")?.execute([token])?;
        Ok(())
    }

    /// The friend passed it on: it is good no more, and goes on counting as one of theirs.
    pub(crate) fn token_passed(&self, token: &[u8]) -> Result<()> {
        self.conn.prepare_cached("UPDATE given_token SET passed = 1 WHERE token = ?")?.execute([token])?;
        Ok(())
    }

    /// How many tokens of ours a friend has that are good on this day.
    pub(crate) fn given_count(&self, friend: &AccountId, day: u32) -> Result<u32> {
        let sql = "SELECT count(*) FROM given_token WHERE friend = ? AND last_day >= ?";
        Ok(self.conn.prepare_cached(sql)?.query_row(params![friend.0, day], |row| row.get(0))?)
    }

    /// Keeps a token of `owner` that `via` sent. `most`: of this owner from them, at most; `most_passed`: passed on by
    /// them in all, at most. Returns whether it is new.
    pub(crate) fn keep_token(
        &self,
        (owner, via): (&AccountId, &AccountId),
        held: &HeldToken,
        most: u32,
        most_passed: u32,
    ) -> Result<bool> {
        let sql = "SELECT count(*) FILTER (WHERE owner = ?1), count(*) FILTER (WHERE owner <> via)
                   FROM friend_token WHERE via = ?2";
        let counts = params![owner.0, via.0];
        let read = |row: &Row<'_>| Ok((row.get::<_, u32>(0)?, row.get::<_, u32>(1)?));
        let (of_owner, passed) = self.conn.prepare_cached(sql)?.query_row(counts, read)?;
        if of_owner >= most || owner != via && passed >= most_passed {
            return Ok(false);
        }
        let sql = "INSERT OR IGNORE INTO friend_token (token, owner, via, last_day) VALUES (?, ?, ?, ?)";
        let row = params![held.token.0, owner.0, via.0, held.last_day];
        Ok(self.conn.prepare_cached(sql)?.execute(row)? > 0)
    }

    /// A token of this person that we may show or, if `own`, pass on: given by themself. The one that ends first; without
    /// any of their own, one of those passed on. Which of those is good nobody knows before it was shown, so none that
    /// somebody passed on comes before the others because of what they say of it.
    pub(crate) fn token_of(&self, owner: &AccountId, own: bool, day: u32) -> Result<Option<HeldToken>> {
        let sql = "SELECT token, last_day FROM friend_token
                   WHERE owner = ?1 AND used_by = 0 AND last_day >= ?2 AND (?3 = 0 OR via = owner)
                   ORDER BY via <> owner, CASE WHEN via = owner THEN last_day ELSE random() END, token LIMIT 1";
        let mut found = self.conn.prepare_cached(sql)?;
        Ok(found.query_row(params![owner.0, day, own], held).optional()?)
    }

    pub(crate) fn drop_token(&self, owner: &AccountId, token: &Token) -> Result<()> {
        let sql = "DELETE FROM friend_token WHERE owner = ? AND token = ?";
        self.conn.prepare_cached(sql)?.execute(params![owner.0, token.0])?;
        Ok(())
    }

    /// An outbox row shows this token: it ends with the row, and is free again if the row's bytes were refused.
    pub(crate) fn token_goes_with(&self, owner: &AccountId, token: &Token, outbox: i64) -> Result<()> {
        let sql = "UPDATE friend_token SET used_by = ? WHERE owner = ? AND token = ?";
        self.conn.prepare_cached(sql)?.execute(params![outbox, owner.0, token.0])?;
        Ok(())
    }

    pub(super) fn free_tokens_of(&self, outbox: i64) -> Result<()> {
        let sql = "UPDATE friend_token SET used_by = 0 WHERE used_by = ?";
        self.conn.prepare_cached(sql)?.execute([outbox])?;
        Ok(())
    }

    pub(super) fn drop_tokens_of(&self, outbox: i64) -> Result<()> {
        self.conn.prepare_cached("DELETE FROM friend_token WHERE used_by = ?")?.execute([outbox])?;
        Ok(())
    }

    /// Takes back what a friend has of ours, from before this day on. Returns the tokens, which the service still takes.
    /// Whoever shows one is known to come from them, as long as such mail may be on its way.
    pub(crate) fn take_back_tokens(&self, friend: &AccountId, day: u32) -> Result<Vec<Token>> {
        let sql =
            "SELECT token FROM given_token WHERE friend = ? AND passed = 0 AND last_day >= ? ORDER BY token";
        let mut all = self.conn.prepare_cached(sql)?;
        let read = |row: &Row<'_>| row.get(0).map(Token);
        let tokens = all.query_map(params![friend.0, day], read)?.collect::<rusqlite::Result<_>>()?;
        let sql = "UPDATE given_token SET last_day = min(last_day, ?2) WHERE friend = ?1";
        self.conn.prepare_cached(sql)?.execute(params![friend.0, day.saturating_sub(1)])?;
        Ok(tokens)
    }

    /// Forgets the tokens that somebody passed on. Their own stay, for when the block is lifted: to a minor there may be no
    /// other way back.
    pub(crate) fn drop_tokens_from(&self, who: &AccountId) -> Result<()> {
        let sql = "DELETE FROM friend_token WHERE via = ?1 AND owner != ?1";
        self.conn.prepare_cached(sql)?.execute([who.0])?;
        Ok(())
    }

    /// Forgets tokens of others that were good for the last time before this day; ours, so many days later: what was shown on
    /// the last day may be read as late as that.
    pub(crate) fn drop_old_tokens(&self, day: u32, later: u32) -> Result<()> {
        for (sql, day) in [
            ("DELETE FROM given_token WHERE last_day < ?", day.saturating_sub(later)),
            ("DELETE FROM friend_token WHERE last_day < ? AND used_by = 0", day),
        ] {
            self.conn.prepare_cached(sql)?.execute([day])?;
        }
        Ok(())
    }
}
