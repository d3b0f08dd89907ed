//! How well two kinds can be told apart by numbers. 0.5 is what a coin gets.

/// The chance that a threshold puts one of `a` and one of `b` into the right order (Mann and Whitney), in whichever
/// direction it works better: at least 0.5.
pub fn auc(a: &[f64], b: &[f64]) -> f64 {
    let folded = directed(a, b);
    folded.max(1.0 - folded)
}

/// What chance alone makes of it, as a standard deviation, when there is nothing to tell apart.
pub fn standard_error(a: usize, b: usize) -> f64 {
    let (a, b) = (a as f64, b as f64);
    ((a + b + 1.0) / (12.0 * a * b)).sqrt()
}

/// All features together: a logistic regression, learned on one half and asked about the other, and the other way
/// round; the mean of both. May come out below 0.5 by chance.
pub fn together(a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    let half = |rows: &[Vec<f64>], odd: usize| -> Vec<Vec<f64>> {
        rows.iter().skip(odd).step_by(2).cloned().collect()
    };
    let of = |learn: usize| {
        let model = Model::learn(&half(a, learn), &half(b, learn));
        let asked = |rows| half(rows, 1 - learn).iter().map(|row| model.score(row)).collect::<Vec<_>>();
        directed(&asked(a), &asked(b))
    };
    (of(0) + of(1)) / 2.0
}

/// The chance that one of `b` is above one of `a`; equal ones count half.
fn directed(a: &[f64], b: &[f64]) -> f64 {
    let mut all: Vec<(f64, bool)> =
        a.iter().map(|x| (*x, false)).chain(b.iter().map(|x| (*x, true))).collect();
    all.sort_by(|x, y| x.0.total_cmp(&y.0));
    let mut ranks = 0.0;
    let mut at = 0;
    while at < all.len() {
        let alike = all[at..].iter().take_while(|(x, _)| *x == all[at].0).count();
        let rank = at as f64 + (alike as f64 + 1.0) / 2.0;
        ranks += rank * all[at..at + alike].iter().filter(|(_, is_b)| *is_b).count() as f64;
        at += alike;
    }
    let (a, b) = (a.len() as f64, b.len() as f64);
    (ranks - b * (b + 1.0) / 2.0) / (a * b)
}

/// Weights over standardised features; the last is the constant.
struct Model {
    mean: Vec<f64>,
    spread: Vec<f64>,
    weights: Vec<f64>,
}

impl Model {
    const STEPS: usize = 300;
    const RATE: f64 = 1.0;

    fn learn(a: &[Vec<f64>], b: &[Vec<f64>]) -> Self {
        let rows: Vec<(&Vec<f64>, f64)> =
            a.iter().map(|row| (row, 0.0)).chain(b.iter().map(|row| (row, 1.0))).collect();
        let (count, width) = (rows.len() as f64, rows.first().map_or(0, |(row, _)| row.len()));
        let over = |of: &dyn Fn(&[f64]) -> f64| rows.iter().map(|(row, _)| of(row)).sum::<f64>() / count;
        let mean: Vec<f64> = (0..width).map(|i| over(&|row| row[i])).collect();
        let spread = (0..width).map(|i| over(&|row| (row[i] - mean[i]).powi(2)).sqrt().max(1e-12)).collect();
        let mut model = Self { mean, spread, weights: vec![0.0; width + 1] };
        let rows: Vec<(Vec<f64>, f64)> =
            rows.into_iter().map(|(row, is_b)| (model.standard(row), is_b)).collect();
        for _ in 0..Self::STEPS {
            let mut slope = vec![0.0; width + 1];
            for (row, is_b) in &rows {
                let wrong = is_b - 1.0 / (1.0 + (-dot(&model.weights, row)).exp());
                slope.iter_mut().zip(row).for_each(|(slope, x)| *slope += wrong * x);
            }
            model.weights.iter_mut().zip(slope).for_each(|(w, slope)| *w += Self::RATE * slope / count);
        }
        model
    }

    fn standard(&self, row: &[f64]) -> Vec<f64> {
        let scaled =
            row.iter().zip(&self.mean).zip(&self.spread).map(|((x, mean), spread)| (x - mean) / spread);
        scaled.chain([1.0]).collect()
    }

    fn score(&self, row: &[f64]) -> f64 {
        dot(&self.weights, &self.standard(row))
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers without order, the same every time.
    fn noise(seed: u64) -> impl Iterator<Item = f64> {
        let mut state = seed;
        std::iter::repeat_with(move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1u64 << 53) as f64
        })
    }

    #[test]
    fn a_threshold_sees_what_is_apart_in_either_direction() {
        assert_eq!(auc(&[1.0, 2.0], &[3.0, 4.0]), 1.0);
        assert_eq!(auc(&[3.0, 4.0], &[1.0, 2.0]), 1.0);
        assert_eq!(auc(&[1.0, 1.0], &[1.0, 1.0]), 0.5);
        assert_eq!(auc(&[1.0, 3.0], &[2.0, 4.0]), 0.75);
    }

    #[test]
    fn the_same_noise_stays_within_its_error() {
        let (a, b): (Vec<f64>, Vec<f64>) = (noise(1).take(2000).collect(), noise(2).take(2000).collect());
        let error = standard_error(2000, 2000);
        assert!((0.009..0.0092).contains(&error));
        assert!(auc(&a, &b) < 0.5 + 3.0 * error);
    }

    #[test]
    fn together_sees_what_no_single_threshold_does() {
        let common: Vec<f64> = noise(3).take(2000).collect();
        let row = |(n, x): (usize, &f64)| vec![*x, x + if n % 2 == 0 { 0.0 } else { 0.05 }];
        let rows: Vec<Vec<f64>> = common.iter().enumerate().map(row).collect();
        let pick = |odd: usize| rows.iter().skip(odd).step_by(2).cloned().collect::<Vec<_>>();
        let column = |odd: usize| pick(odd).iter().map(|row| row[1]).collect::<Vec<_>>();
        assert!(auc(&column(0), &column(1)) < 0.6);
        assert!(together(&pick(0), &pick(1)) > 0.9);
    }
}
