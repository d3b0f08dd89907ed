//! How good a guess is.

use std::collections::BTreeSet;

/// Pairs of accounts, the lower number first.
pub type Pairs = BTreeSet<(usize, usize)>;

/// A score for every pair of so many accounts.
#[derive(Clone)]
pub struct Scores {
    accounts: usize,
    values: Vec<f64>,
}

impl Scores {
    pub fn new(accounts: usize) -> Self {
        Self { accounts, values: vec![0.0; accounts * accounts] }
    }

    /// More evidence that these two belong together.
    pub fn add(&mut self, a: usize, b: usize, more: f64) {
        self.values[a.min(b) * self.accounts + a.max(b)] += more;
    }

    /// Evidence that all of these belong together; the more they are, the less it says about two of them.
    pub fn link(&mut self, together: &BTreeSet<usize>, most: usize) {
        if (2..=most).contains(&together.len()) {
            let weight = 1.0 / (together.len() - 1) as f64;
            for &a in together {
                together.range(a + 1..).for_each(|&b| self.add(a, b, weight));
            }
        }
    }

    fn pairs(&self) -> impl Iterator<Item = ((usize, usize), f64)> {
        (0..self.accounts).flat_map(move |a| {
            (a + 1..self.accounts).map(move |b| ((a, b), self.values[a * self.accounts + b]))
        })
    }

    /// Adds another kind of evidence, measured by how much it varies, with a weight.
    pub fn join(&mut self, other: &Self, weight: f64) {
        let count = other.pairs().count().max(1) as f64;
        let mean = other.pairs().map(|(_, value)| value).sum::<f64>() / count;
        let spread = (other.pairs().map(|(_, value)| (value - mean).powi(2)).sum::<f64>() / count).sqrt();
        if spread > 0.0 {
            for ((a, b), value) in other.pairs() {
                self.add(a, b, weight * (value - mean) / spread);
            }
        }
    }
}

/// The area under the curve: how likely a true pair has a higher score than a false one; ties count half.
pub fn auc(scores: &Scores, truth: &Pairs) -> f64 {
    let mut ranked: Vec<(f64, bool)> =
        scores.pairs().map(|(pair, value)| (value, truth.contains(&pair))).collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut wins, mut falses_below) = (0.0, 0.0);
    for ties in ranked.chunk_by(|a, b| a.0 == b.0) {
        let trues = ties.iter().filter(|(_, is_true)| *is_true).count() as f64;
        let falses = ties.len() as f64 - trues;
        wins += trues * (falses_below + falses / 2.0);
        falses_below += falses;
    }
    let trues = ranked.len() as f64 - falses_below;
    if trues == 0.0 || falses_below == 0.0 { 0.5 } else { wins / (trues * falses_below) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_perfect_guess_a_blind_one_and_a_wrong_one() {
        let truth = Pairs::from([(0, 1)]);
        let mut scores = Scores::new(4);
        assert_eq!(auc(&scores, &truth), 0.5);
        scores.add(1, 0, 1.0);
        assert_eq!(auc(&scores, &truth), 1.0);
        scores.add(0, 1, -2.0);
        assert_eq!(auc(&scores, &truth), 0.0);
    }
}
