//! Figures, as a table for people and one line of JSON for programs.

use serde_json::{Map, Value};

/// The figures of one subcommand: rows with the same columns.
pub struct Report {
    name: &'static str,
    rows: Vec<Vec<(&'static str, Value)>>,
}

impl Report {
    /// An empty one.
    pub fn new(name: &'static str) -> Self {
        Self { name, rows: Vec::new() }
    }

    /// Adds a row: column names and values, in order.
    pub fn row(&mut self, columns: impl IntoIterator<Item = (&'static str, Value)>) {
        self.rows.push(columns.into_iter().collect());
    }

    /// Prints the table, then `{"bench": NAME, "rows": [...]}` on one line.
    pub fn print(&self) {
        print!("{}", self.table());
        let object = |row: &Vec<_>| {
            row.iter().map(|(name, value)| (String::from(*name), Value::clone(value))).collect()
        };
        let rows: Vec<Map<String, Value>> = self.rows.iter().map(object).collect();
        println!("{}", serde_json::json!({"bench": self.name, "rows": rows}));
    }

    fn table(&self) -> String {
        let mut columns: Vec<&str> = Vec::new();
        for (name, _) in self.rows.iter().flatten() {
            if !columns.contains(name) {
                columns.push(name);
            }
        }
        let mut lines: Vec<Vec<String>> = vec![columns.iter().map(|name| name.to_string()).collect()];
        lines.push(columns.iter().map(|name| "-".repeat(name.len())).collect());
        for row in &self.rows {
            let value = |column: &&str| row.iter().find(|(name, _)| name == column);
            lines.push(
                columns.iter().map(|name| value(name).map(|(_, v)| cell(v)).unwrap_or_default()).collect(),
            );
        }
        let widths: Vec<usize> = (0..columns.len())
            .map(|i| lines.iter().map(|line| line[i].chars().count()).max().unwrap_or(0))
            .collect();
        let mut out = String::new();
        for line in lines {
            let cells: Vec<String> =
                line.iter().zip(&widths).map(|(cell, width)| format!("{cell:<width$}")).collect();
            out.push_str(cells.join("  ").trim_end());
            out.push('\n');
        }
        out
    }
}

fn cell(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(n) if n.is_f64() => {
            let n = n.as_f64().unwrap_or_default();
            match n.abs() {
                a if a >= 1000.0 => format!("{n:.0}"),
                a if a >= 10.0 => format!("{n:.1}"),
                _ => format!("{n:.3}"),
            }
        }
        other => other.to_string(),
    }
}

/// The value below which so large a part (0 to 1) of these lies; 0 for none.
pub fn percentile(values: &[f64], part: f64) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match sorted.len() {
        0 => 0.0,
        n => sorted[((n - 1) as f64 * part).round() as usize],
    }
}

/// The one in the middle.
pub fn median(values: &[f64]) -> f64 {
    percentile(values, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_of_unsorted_values() {
        let values = [5.0, 1.0, 4.0, 2.0, 3.0];
        assert_eq!(median(&values), 3.0);
        assert_eq!(percentile(&values, 1.0), 5.0);
        assert_eq!(percentile(&[], 0.5), 0.0);
    }

    #[test]
    fn columns_line_up_in_the_order_they_were_given() {
        let mut report = Report::new("test");
        report.row([("what", "a".into()), ("per second", 12345.6.into())]);
        report.row([("what", "longer".into()), ("per second", 0.5.into())]);
        assert_eq!(report.table(), "what    per second\n----    ----------\na       12346\nlonger  0.500\n");
    }
}
