//! The figures of several rounds, and their middle and spread.

use serde_json::Value;

use crate::common::{Report, median};

/// Figures with the same columns, round by round.
pub struct Rounds {
    what: String,
    columns: Vec<&'static str>,
    rounds: Vec<Vec<f64>>,
}

impl Rounds {
    /// None yet, of what is measured.
    pub fn new(what: impl Into<String>, columns: impl IntoIterator<Item = &'static str>) -> Self {
        Self { what: what.into(), columns: columns.into_iter().collect(), rounds: Vec::new() }
    }

    /// Adds a round: a figure for each column.
    pub fn add(&mut self, figures: impl IntoIterator<Item = f64>) {
        self.rounds.push(figures.into_iter().collect());
    }

    /// The median of a column.
    pub fn median(&self, column: usize) -> f64 {
        median(&self.column(column))
    }

    /// Puts each round, the medians and the spread into the report.
    pub fn tell(&self, report: &mut Report) {
        for (n, round) in self.rounds.iter().enumerate() {
            self.row(report, &format!("round {}", n + 1), round.clone());
        }
        let each = |pick: fn(&[f64]) -> f64| -> Vec<f64> {
            (0..self.columns.len()).map(|column| pick(&self.column(column))).collect()
        };
        self.row(report, "median", each(median));
        self.row(report, "lowest", each(|values| values.iter().copied().fold(f64::INFINITY, f64::min)));
        self.row(report, "highest", each(|values| values.iter().copied().fold(f64::NEG_INFINITY, f64::max)));
    }

    fn column(&self, column: usize) -> Vec<f64> {
        self.rounds.iter().filter_map(|round| round.get(column).copied()).collect()
    }

    fn row(&self, report: &mut Report, round: &str, figures: Vec<f64>) {
        let names = [("measured", Value::from(self.what.clone())), ("round", Value::from(round))];
        report.row(
            names.into_iter().chain(self.columns.iter().copied().zip(figures.into_iter().map(Value::from))),
        );
    }
}
