//! What is counted of everybody, and how sure that is.

use std::collections::{BTreeMap, BTreeSet};

use rand::{Rng, SeedableRng, rngs::StdRng};
use zegel_proto::v1::AgeBand;
use zegel_safety::Lately;

use super::people::{Account, Role};

/// What became of one person in one run. Minors are those who truly are, whatever they say.
#[derive(Clone, Debug)]
pub struct Tally {
    pub role: Role,
    /// Of a minor: what they say.
    pub says: Option<AgeBand>,
    /// Of a minor: predators in contact with them ...
    pub met: u32,
    /// ... and of those, whom they wrote to first.
    pub met_first: u32,
    /// The day of the first introduction.
    pub begun: Option<u32>,
    /// Introductions to minors, whatever became of them.
    pub tried: u32,
    /// Introductions delivered to minors ...
    pub delivered: u32,
    /// ... and of those the ones from strangers: without a code or token.
    pub unasked: u32,
    /// Introductions that were refused for today.
    pub refused: u32,
    /// Minors to whom one was delivered.
    pub came_to: BTreeSet<usize>,
    /// Minors with whom a conversation came about.
    pub in_contact: BTreeSet<usize>,
    /// Of those, who wrote first.
    pub lured: u32,
    /// Of those, with whom it became bad before the account was gone.
    pub harmed: u32,
    /// Introductions to people one knows that were dropped, and took a meeting.
    pub put_off: u32,
    /// The first day on which each rule brought them up, and minors in contact until then.
    pub fired: BTreeMap<&'static str, (u32, usize)>,
    /// The first day on which a minor's report (or a scan) did.
    pub reported: Option<u32>,
    /// Delivered introductions that carried a notice of others' doings: declined, reported, many minors.
    pub notices: [u32; 3],
    /// All delivered introductions.
    pub shown: u32,
}

impl Tally {
    pub fn new(role: Role, account: &Account) -> Self {
        Self {
            role,
            says: account.minor.then_some(account.band),
            met: 0,
            met_first: 0,
            begun: None,
            tried: 0,
            delivered: 0,
            unasked: 0,
            refused: 0,
            came_to: BTreeSet::new(),
            in_contact: BTreeSet::new(),
            lured: 0,
            harmed: 0,
            put_off: 0,
            fired: BTreeMap::new(),
            reported: None,
            notices: [0; 3],
            shown: 0,
        }
    }

    pub fn fired(&mut self, rule: &'static str, today: u32) {
        let until_then = self.in_contact.len();
        self.fired.entry(rule).or_insert((today, until_then));
    }

    pub fn told(&mut self, told: Lately) {
        self.shown += 1;
        for (count, is) in self.notices.iter_mut().zip([told.declined, told.reported, told.minors]) {
            *count += u32::from(is);
        }
    }

    /// Days from the first deed until this rule.
    pub fn days_until(&self, rule: &str) -> Option<f64> {
        self.fired.get(rule).map(|(day, _)| f64::from(day.saturating_sub(self.begun.unwrap_or_default())))
    }
}

/// A figure with its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Figure {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

/// So many of so many, with Wilson's interval.
pub fn share(hits: usize, of: usize) -> Figure {
    if of == 0 {
        return Figure { value: 0.0, low: 0.0, high: 1.0 };
    }
    let (n, z) = (of as f64, 1.96_f64);
    let part = hits as f64 / n;
    let middle = part + z * z / (2.0 * n);
    let reach = z * (part * (1.0 - part) / n + z * z / (4.0 * n * n)).sqrt();
    let scale = 1.0 + z * z / n;
    let (low, high) = ((middle - reach) / scale, (middle + reach) / scale);
    Figure { value: part, low: low.clamp(0.0, part), high: high.clamp(part, 1.0) }
}

/// The mean of what each run gave, with a bootstrap over runs.
pub fn mean(of_runs: &[f64]) -> Figure {
    if of_runs.is_empty() {
        return Figure { value: 0.0, low: 0.0, high: 0.0 };
    }
    let mut random = StdRng::seed_from_u64(of_runs.len() as u64);
    let average = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let again = |_| {
        let drawn: Vec<f64> =
            of_runs.iter().map(|_| of_runs[random.random_range(0..of_runs.len())]).collect();
        average(&drawn)
    };
    let mut means: Vec<f64> = (0..1000).map(again).collect();
    means.sort_by(f64::total_cmp);
    Figure { value: average(of_runs), low: means[25], high: means[974] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_hold_what_they_are_about() {
        let none = share(0, 120);
        assert_eq!((none.value, none.low), (0.0, 0.0));
        assert!((0.030..0.032).contains(&none.high), "{none:?}");
        let half = share(50, 100);
        assert!((0.40..0.41).contains(&half.low) && (0.59..0.60).contains(&half.high), "{half:?}");
        let same = mean(&[2.0; 10]);
        assert_eq!((same.low, same.value, same.high), (2.0, 2.0, 2.0));
        let spread = mean(&[0.0, 4.0, 0.0, 4.0, 0.0, 4.0, 0.0, 4.0]);
        assert!(spread.low < 1.5 && spread.high > 2.5, "{spread:?}");
    }
}
