//! What the sender can tell from what was seen.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    classify::{auc, standard_error, together},
    kinds::{Kind, Shape},
    look_up::{self, Looked},
    trial::{self, Seen},
};
use crate::common::{Report, Result, median};

/// All that was seen.
pub struct Sight {
    pub seen: Vec<Seen>,
    pub looked: Vec<Looked>,
}

/// How well one kind is told from a delivered one by one feature.
pub struct Told {
    pub kind: Kind,
    pub by: &'static str,
    pub auc: f64,
    /// The standard error of chance.
    pub error: f64,
    /// There is one for each introduction, and not only for each receiver.
    many: bool,
    medians: (f64, f64),
}

impl Told {
    /// Whether it is within the limit. There is one look-up for each receiver and not for each introduction, so that chance
    /// alone may bring its figures above the limit: they may be four standard errors above a coin's.
    pub fn is_within(&self, limit: f64) -> bool {
        let limit = if self.many { limit } else { limit.max(0.5 + 4.0 * self.error) };
        self.auc <= limit
    }
}

impl Sight {
    /// The same, with so many milliseconds more at what is dropped because of a minor.
    pub fn planted(&self, more: f64) -> Self {
        let plant = |seen: &Seen| {
            let more = if seen.kind == Kind::Minor { more } else { 0.0 };
            let [answer, confirmation, next] = seen.times;
            Seen { times: [answer + more, confirmation + more, next], frames: seen.frames.clone(), ..*seen }
        };
        let looked = self.looked.iter().map(|looked| Looked { ..*looked }).collect();
        Self { seen: self.seen.iter().map(plant).collect(), looked }
    }

    /// An error if some frame is longer than another, or there are more of them.
    pub fn check_frames(&self) -> Result {
        for shape in [Shape::Founds, Shape::FoundsWithCode, Shape::Adds] {
            let mut forms = BTreeSet::new();
            for seen in self.seen.iter().filter(|seen| seen.kind.shape() == shape && !seen.at_the_hour) {
                let mut frames = seen.frames.clone();
                frames.sort();
                forms.insert(frames);
            }
            if forms.len() != 1 {
                return Err(format!(
                    "introductions made alike were answered in {} forms: {forms:?}",
                    forms.len()
                )
                .into());
            }
        }
        let lengths: BTreeSet<_> = self.looked.iter().map(|looked| looked.lengths).collect();
        match lengths.len() {
            1 => Ok(()),
            _ => Err(format!("look-ups were answered in several lengths: {lengths:?}").into()),
        }
    }

    /// Every kind against the delivered one of its shape, by every feature.
    pub fn judge(&self) -> Vec<Told> {
        let mut all = Vec::new();
        for kind in Kind::ALL {
            let Some(against) = kind.against() else { continue };
            let of = |kind| self.seen.iter().filter(move |seen| seen.kind == kind && !seen.at_the_hour);
            let column = |kind, n: usize| of(kind).map(|seen| seen.times[n]).collect::<Vec<_>>();
            for (n, by) in trial::TIMES.into_iter().enumerate() {
                all.push(told(kind, by, &column(against, n), &column(kind, n), true));
            }
            let order =
                |kind| of(kind).map(|seen| f64::from(u8::from(seen.confirmed_first))).collect::<Vec<_>>();
            all.push(told(kind, "order", &order(against), &order(kind), true));
            let rows = |kind| of(kind).map(|seen| seen.times.map(f64::ln).to_vec()).collect::<Vec<_>>();
            let (plain, other) = (rows(against), rows(kind));
            let error = standard_error(plain.len(), other.len());
            let auc = together(&plain, &other);
            all.push(Told { kind, by: "all times together", auc, error, many: true, medians: (0.0, 0.0) });

            let column = |kind, n: usize| {
                let of_kind = self.looked.iter().filter(|looked| looked.kind == kind);
                of_kind.map(|looked| looked.times[n]).collect::<Vec<_>>()
            };
            for (n, by) in look_up::TIMES.into_iter().enumerate().filter(|_| !column(kind, 0).is_empty()) {
                all.push(told(kind, by, &column(against, n), &column(kind, n), false));
            }
        }
        all
    }
}

fn told(kind: Kind, by: &'static str, plain: &[f64], other: &[f64], many: bool) -> Told {
    let error = standard_error(plain.len(), other.len());
    Told { kind, by, auc: auc(plain, other), error, many, medians: (median(plain), median(other)) }
}

/// The table.
pub fn report(all: &[Told]) -> Report {
    let mut report = Report::new("refusals");
    for told in all {
        let against = told.kind.against().map_or("", Kind::name);
        report.row([
            ("introduction", Value::from(told.kind.name())),
            ("beside", against.into()),
            ("by", told.by.into()),
            ("AUC", told.auc.into()),
            ("chance +-", told.error.into()),
            ("median", told.medians.1.into()),
            ("beside it", told.medians.0.into()),
        ]);
    }
    report
}
