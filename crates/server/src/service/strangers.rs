//! How many strangers each person came to today (UTC), in memory only.

use std::{collections::HashMap, sync::Mutex};

use super::{person::Person, refusal::Refusal};
use crate::clock::Now;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// The counts of today. Those of yesterday go with the first one of today.
#[derive(Default)]
pub(super) struct Strangers(Mutex<(u32, HashMap<Person, u32>)>);

impl Strangers {
    /// Counts `n` more; if that were more than `most`, none of them, and the refusal says when the next day begins.
    pub(super) fn come(&self, person: Person, n: u32, most: u32, now: Now) -> Result<(), Refusal> {
        if n == 0 {
            return Ok(());
        }
        let mut today = self.0.lock().expect("no panic holds this lock");
        if today.0 != now.day() {
            *today = (now.day(), HashMap::new());
        }
        let count = today.1.entry(person).or_default();
        match count.saturating_add(n) {
            more if more <= most => {
                *count = more;
                Ok(())
            }
            _ => Err(Refusal::rate_limited(DAY_MS - now.ms % DAY_MS)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use zegel_proto::{AccountId, v1};

    #[test]
    fn a_person_comes_to_so_many_in_a_day() {
        let strangers = Strangers::default();
        let [pest, other] = [1, 2].map(|n| Person::own(&AccountId([n; 16])));
        let noon = Now { ms: 20_000 * DAY_MS + DAY_MS / 2 };
        assert!(strangers.come(pest, 2, 3, noon).is_ok());
        let refusal = v1::Error::from(strangers.come(pest, 2, 3, noon).expect_err("one too many"));
        assert_eq!(refusal.retry_after_ms, DAY_MS / 2);
        // What was refused was not counted, and another number holds for the same count.
        assert!(strangers.come(pest, 1, 3, noon).is_ok() && strangers.come(pest, 1, 3, noon).is_err());
        assert!(strangers.come(pest, 1, 4, noon).is_ok() && strangers.come(pest, 0, 0, noon).is_ok());
        assert!(strangers.come(other, 3, 3, noon).is_ok());
        let midnight = Now { ms: 20_001 * DAY_MS };
        assert!(strangers.come(pest, 3, 3, midnight).is_ok());
    }
}
