//! Who is signed in: in memory only, so that a restart ends every session and a stolen disk holds none.

use std::collections::HashMap;

use rand::RngCore as _;
use sha2::{Digest as _, Sha256};
use zegel_cases::StaffId;

/// A session ends when nothing came for so long.
const IDLE_MS: u64 = 30 * 60 * 1000;
/// And after this time in any case.
const LIFE_MS: u64 = 12 * 60 * 60 * 1000;
/// The most sessions of one person; a further one ends their oldest.
const EACH: usize = 8;

struct Session {
    id: StaffId,
    csrf: String,
    started_ms: u64,
    seen_ms: u64,
}

impl Session {
    fn lives(&self, now_ms: u64) -> bool {
        now_ms.saturating_sub(self.seen_ms) < IDLE_MS && now_ms.saturating_sub(self.started_ms) < LIFE_MS
    }
}

/// By the hash of the token that only the browser has.
#[derive(Default)]
pub(crate) struct Sessions(HashMap<[u8; 32], Session>);

impl Sessions {
    /// A new session; returns its token.
    pub(crate) fn start(&mut self, id: StaffId, now_ms: u64) -> String {
        self.0.retain(|_, session| session.lives(now_ms));
        let mine = self.0.iter().filter(|(_, session)| session.id == id);
        let oldest = mine.clone().min_by_key(|(_, session)| session.started_ms).map(|(hash, _)| *hash);
        if let Some(oldest) = oldest.filter(|_| mine.count() >= EACH) {
            self.0.remove(&oldest);
        }
        let token = random_hex::<32>();
        let session = Session { id, csrf: random_hex::<32>(), started_ms: now_ms, seen_ms: now_ms };
        self.0.insert(hash(&token), session);
        token
    }

    /// Whose session it is and what its forms carry, if it has not ended.
    pub(crate) fn find(&mut self, token: &str, now_ms: u64) -> Option<(StaffId, String)> {
        let session = self.0.get_mut(&hash(token)).filter(|session| session.lives(now_ms))?;
        session.seen_ms = session.seen_ms.max(now_ms);
        Some((session.id.clone(), session.csrf.clone()))
    }

    /// Ends one.
    pub(crate) fn end(&mut self, token: &str) {
        self.0.remove(&hash(token));
    }

    /// Ends all of a person who is no longer at the desk.
    pub(crate) fn end_all(&mut self, id: &StaffId) {
        self.0.retain(|_, session| session.id != *id);
    }
}

fn hash(token: &str) -> [u8; 32] {
    Sha256::digest(token).into()
}

/// So many random bytes, in hexadecimal.
pub(crate) fn random_hex<const N: usize>() -> String {
    let mut bytes = [0; N];
    rand::rng().fill_bytes(&mut bytes);
    hex::encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_ends_when_idle_and_after_half_a_day() {
        let ada = || StaffId("ada".into());
        let mut sessions = Sessions::default();
        let token = sessions.start(ada(), 0);
        let mut now = 0;
        while now + IDLE_MS - 1 < LIFE_MS {
            now += IDLE_MS - 1;
            assert!(sessions.find(&token, now).is_some());
        }
        assert!(sessions.find(&token, LIFE_MS).is_none());
        let token = sessions.start(ada(), 0);
        assert!(sessions.find(&token, IDLE_MS).is_none());
        assert!(sessions.find("", 0).is_none());
    }

    #[test]
    fn a_person_has_few_and_loses_all_at_once() {
        let mut sessions = Sessions::default();
        let tokens: Vec<_> = (0..=EACH).map(|n| sessions.start(StaffId("ada".into()), n as u64)).collect();
        let other = sessions.start(StaffId("ben".into()), 0);
        assert!(sessions.find(&tokens[0], 9).is_none());
        assert!(sessions.find(&tokens[1], 9).is_some());
        sessions.end_all(&StaffId("ada".into()));
        assert!(tokens.iter().all(|token| sessions.find(token, 9).is_none()));
        assert!(sessions.find(&other, 9).is_some());
    }
}
