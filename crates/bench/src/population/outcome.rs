//! The figures of many runs.

use zegel_proto::v1::AgeBand;

use super::{
    assumptions::Assumptions,
    people::Role,
    score::{Figure, Tally, mean, share},
    service::Rules,
    styles::Style,
    world::{Size, World},
};
use crate::common::{median, percentile};

/// The rules that bring somebody up by themselves.
pub const WATCHED: [&str; 2] = ["unwanted", "many-minors"];
/// Styles that write to strangers, so that something can be seen of them.
pub const OPEN: [Style; 5] = [Style::Spray, Style::Ring, Style::Infiltrator, Style::Hopper, Style::Bought];

/// All runs with the same rules and assumptions.
pub struct Outcome(Vec<Vec<Tally>>);

impl Outcome {
    /// Each run has a seed of its own; they are spread over the processor's cores.
    pub fn of(
        rules: &Rules,
        about: &Assumptions,
        styles: &[Style],
        size: Size,
        seeds: std::ops::Range<u64>,
    ) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as u64;
        let mut runs = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..cores)
                .map(|core| {
                    let mine = seeds.clone().filter(move |seed| seed % cores == core);
                    let run = move |seed| (seed, World::run(rules, about, styles, size, seed));
                    scope.spawn(move || mine.map(run).collect::<Vec<_>>())
                })
                .collect();
            let join = |thread: std::thread::ScopedJoinHandle<'_, _>| thread.join().expect("a run");
            threads.into_iter().flat_map(join).collect::<Vec<(u64, Vec<Tally>)>>()
        });
        runs.sort_by_key(|(seed, _)| *seed);
        Self(runs.into_iter().map(|(_, run)| run).collect())
    }

    fn all(&self) -> impl Iterator<Item = &Tally> {
        self.0.iter().flatten()
    }

    fn are(&self, roles: &[Role]) -> Vec<&Tally> {
        self.all().filter(|tally| roles.contains(&tally.role)).collect()
    }

    /// How many there were, over all runs.
    pub fn count(&self, role: Role) -> usize {
        self.are(&[role]).len()
    }

    /// The part of these people for whom something holds.
    pub fn part(&self, roles: &[Role], holds: impl Fn(&Tally) -> bool) -> Figure {
        let all = self.are(roles);
        share(all.iter().filter(|tally| holds(tally)).count(), all.len())
    }

    /// The part of these people that a rule brought up.
    pub fn fired(&self, roles: &[Role], rule: &str) -> Figure {
        self.part(roles, |tally| tally.fired.contains_key(rule))
    }

    /// The part of these people that any rule brought up.
    pub fn found(&self, roles: &[Role]) -> Figure {
        self.part(roles, |tally| !tally.fired.is_empty())
    }

    /// The mean of these people.
    pub fn mean(&self, roles: &[Role], of: impl Fn(&Tally) -> f64) -> Figure {
        let of_run = |run: &Vec<Tally>| {
            let values: Vec<f64> = run.iter().filter(|t| roles.contains(&t.role)).map(&of).collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        mean(&self.0.iter().filter_map(of_run).collect::<Vec<_>>())
    }

    /// The mean of all minors who say this, in each run.
    pub fn minors(&self, says: &[AgeBand], of: impl Fn(&Tally) -> f64) -> Figure {
        let of_run = |run: &Vec<Tally>| {
            let values =
                run.iter().filter(|tally| tally.says.is_some_and(|band| says.contains(&band))).map(&of);
            let values: Vec<f64> = values.collect();
            (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
        };
        mean(&self.0.iter().filter_map(of_run).collect::<Vec<_>>())
    }

    /// A ratio of sums over these people, run by run.
    pub fn ratio(
        &self,
        roles: &[Role],
        above: impl Fn(&Tally) -> f64,
        below: impl Fn(&Tally) -> f64,
    ) -> Figure {
        let of_run = |run: &Vec<Tally>| {
            let mine = || run.iter().filter(|tally| roles.contains(&tally.role));
            let under: f64 = mine().map(&below).sum();
            (under > 0.0).then(|| mine().map(&above).sum::<f64>() / under)
        };
        mean(&self.0.iter().filter_map(of_run).collect::<Vec<_>>())
    }

    /// Days until the first rule brought these people up: the tenth, the middle and the ninetieth of a hundred.
    pub fn days(&self, role: Role) -> Option<[f64; 3]> {
        let first =
            |tally: &&Tally| WATCHED.iter().filter_map(|rule| tally.days_until(rule)).reduce(f64::min);
        let days: Vec<f64> = self.are(&[role]).iter().filter_map(first).collect();
        (!days.is_empty()).then(|| [percentile(&days, 0.1), median(&days), percentile(&days, 0.9)])
    }

    /// Minors in contact with those whom a rule brought up, until it did.
    pub fn before(&self, role: Role) -> Option<f64> {
        let first = |tally: &&Tally| tally.fired.values().min().map(|(_, minors)| *minors as f64);
        let all: Vec<f64> = self.are(&[role]).iter().filter_map(first).collect();
        (!all.is_empty()).then(|| all.iter().sum::<f64>() / all.len() as f64)
    }
}
