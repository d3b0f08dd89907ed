//! Passkey ceremonies that began and have not ended: few, short-lived, each good once.

use std::collections::VecDeque;

use crate::session::random_hex;

/// How long a person may take to find their key and touch it.
const LIFE_MS: u64 = 5 * 60 * 1000;
/// The most at a time; one more ends the oldest.
const MOST: usize = 4096;

/// By a random name that the browser gives back.
pub(crate) struct Pending<T>(VecDeque<(String, u64, T)>);

impl<T> Default for Pending<T> {
    fn default() -> Self {
        Self(VecDeque::new())
    }
}

impl<T> Pending<T> {
    /// Keeps what the server has to remember; returns its name.
    pub(crate) fn put(&mut self, what: T, now_ms: u64) -> String {
        while self.0.len() >= MOST || self.0.front().is_some_and(|(_, began, _)| over(*began, now_ms)) {
            self.0.pop_front();
        }
        let name = random_hex::<16>();
        self.0.push_back((name.clone(), now_ms, what));
        name
    }

    /// Takes it out, if it is not over.
    pub(crate) fn take(&mut self, name: &str, now_ms: u64) -> Option<T> {
        let place = self.0.iter().position(|(known, ..)| known == name)?;
        let (_, began, what) = self.0.remove(place)?;
        (!over(began, now_ms)).then_some(what)
    }
}

fn over(began_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(began_ms) >= LIFE_MS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_good_once_and_for_a_while() {
        let mut pending = Pending::default();
        let (first, second) = (pending.put(1, 0), pending.put(2, 0));
        assert_eq!(pending.take(&first, LIFE_MS - 1), Some(1));
        assert_eq!(pending.take(&first, 0), None);
        assert_eq!(pending.take(&second, LIFE_MS), None);
        let oldest = pending.put(0, 0);
        (0..MOST).for_each(|n| drop(pending.put(n, 0)));
        assert_eq!((pending.take(&oldest, 0), pending.0.len()), (None, MOST));
    }
}
