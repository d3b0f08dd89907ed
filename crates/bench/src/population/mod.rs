//! Whom do the safety rules find, whom do they trouble, and what never reaches a minor?
//!
//! People with friends, classes and clubs live on a service for some weeks: ours, with the rules that ship and the code
//! that decides by them, and one with usual settings. Predators go about it in styles that are each from a case or study;
//! one style was held out while the rules were tuned. There is no server here: who may come to whom is
//! [`zegel_safety::judge`], and what is noticed is [`zegel_safety::Signals`].

mod assumptions;
mod day;
mod outcome;
mod people;
mod plot;
mod predators;
mod score;
mod service;
mod styles;
mod table;
#[cfg(test)]
mod tests;
mod variants;
mod world;

use std::{fs, path::PathBuf};

use sha2::{Digest, Sha256};
use zegel_safety::Policy;

use self::{
    assumptions::Assumptions, outcome::Outcome, people::Role, score::Figure, service::Rules, styles::Style,
    variants::Variant, world::Size,
};
use crate::common::{Report, Result};

/// The rules' numbers and what they count, when the style that is held out was first run.
const FROZEN: &str = "d3c6bf029af79234";
/// The generated part of the document stands between these.
const BEGIN: &str = "<!-- population: begin; written by `zegel-bench population --write` -->";
const END: &str = "<!-- population: end -->";

/// Options.
#[derive(clap::Args)]
pub struct Args {
    /// People in each run
    #[arg(long, default_value_t = 1000, value_parser = clap::value_parser!(u32).range(100..))]
    people: u32,
    /// Days that each run lasts
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..))]
    days: u32,
    /// Runs, each with other people
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    runs: u32,
    /// Where chance begins; the same gives the same figures
    #[arg(long, default_value_t = 1)]
    seed: u32,
    /// Rules other than those that ship
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,
    /// Also runs the style that was held out; whoever tunes rules does not
    #[arg(long)]
    held_out: bool,
    /// Also varies the rules and the assumptions, in a quarter of the runs each
    #[arg(long)]
    vary: bool,
    /// Writes tables into this document, and the plot beside it
    #[arg(long, value_name = "FILE", requires_all = ["held_out", "vary"])]
    write: Option<PathBuf>,
}

/// Everything that was measured.
pub struct Measured {
    size: Size,
    runs: u32,
    seed: u32,
    policy: String,
    numbers: String,
    zegel: Outcome,
    usual: Outcome,
    /// Of the style that was held out, on ours and on the usual service.
    held_out: Option<[Outcome; 2]>,
    /// If `many-minors` counted minors who gave a word too, as it first did; likewise.
    reached: Outcome,
    reached_held_out: Option<Outcome>,
    of_rules: Vec<(String, [Figure; 7])>,
    of_assumptions: Vec<(String, [Figure; 7])>,
}

impl Measured {
    fn styles(&self) -> impl Iterator<Item = (&Outcome, Style)> {
        let held_out = self.held_out.iter().map(|[zegel, _]| (zegel, Style::HELD_OUT));
        Style::KNOWN.into_iter().map(|style| (&self.zegel, style)).chain(held_out)
    }

    fn usual_styles(&self) -> impl Iterator<Item = &Outcome> {
        let held_out = self.held_out.iter().map(|[_, usual]| usual);
        Style::KNOWN.iter().map(|_| &self.usual).chain(held_out)
    }
}

/// Runs it.
pub fn run(args: Args) -> Result {
    let policy = match &args.policy {
        Some(path) => Policy::read(&fs::read_to_string(path)?)?,
        None => Policy::shipped(),
    };
    let size = Size { people: args.people as usize, days: args.days, of_each: 3 };
    let mut measured = measure(&policy, size, &args);
    if args.vary {
        let seeds = seeds(args.seed, (args.runs / 4).max(1));
        let vary = |variants: Vec<Variant>| {
            let told = |v: Variant| {
                let outcome = Outcome::of(&v.rules, &v.about, &Style::KNOWN, size, seeds.clone());
                (v.name, table::told(&outcome))
            };
            variants.into_iter().map(told).collect::<Vec<_>>()
        };
        measured.of_rules = vary(variants::of_rules(&policy));
        measured.of_assumptions = vary(variants::of_assumptions(&policy));
        print!("{}", table::variations(&measured));
    }
    println!("policy {}, numbers {}", measured.policy, measured.numbers);
    print(&measured).print();
    if let Some(path) = &args.write {
        write(path, &table::markdown(&measured))?;
        fs::write(path.with_extension("svg"), plot::svg(&measured))?;
    }
    if args.held_out && measured.numbers != FROZEN {
        eprintln!("the rules changed since the style was held out ({FROZEN}): it is no longer unseen");
    }
    Ok(())
}

fn seeds(seed: u32, runs: u32) -> std::ops::Range<u64> {
    let first = u64::from(seed) << 32;
    first..first + u64::from(runs)
}

fn measure(policy: &Policy, size: Size, args: &Args) -> Measured {
    let about = Assumptions::default();
    let both = |styles: &[Style]| {
        [Rules::zegel(policy), Rules::Usual]
            .map(|rules| Outcome::of(&rules, &about, styles, size, seeds(args.seed, args.runs)))
    };
    let [zegel, usual] = both(&Style::KNOWN);
    let reached = |styles: &[Style]| {
        let policy = Box::new(policy.clone());
        let rules = Rules::Zegel { policy, first_contact: true, counts_reached: true };
        Outcome::of(&rules, &about, styles, size, seeds(args.seed, args.runs))
    };
    Measured {
        size,
        runs: args.runs,
        seed: args.seed,
        policy: hex::encode(policy.hash()),
        numbers: numbers(policy),
        zegel,
        usual,
        held_out: args.held_out.then(|| both(&[Style::HELD_OUT])),
        reached: reached(&Style::KNOWN),
        reached_held_out: args.held_out.then(|| reached(&[Style::HELD_OUT])),
        of_rules: Vec::new(),
        of_assumptions: Vec::new(),
    }
}

/// What names the numbers of a policy and what its rules count, whatever its words.
fn numbers(policy: &Policy) -> String {
    let mut all: toml::Table = toml::from_str(&policy.to_toml()).expect("what a policy writes can be read");
    for (_, rule) in &mut all {
        if let Some(rule) = rule.as_table_mut() {
            rule.retain(|key, _| key == "numbers");
        }
    }
    let numbers = toml::to_string(&all).expect("a table of tables");
    let counted = policy.watched().map(|(rule, signals, _)| (rule.name(), signals));
    let text = format!("{numbers}{counted:?}");
    hex::encode(&Sha256::digest(text)[..8])
}

fn print(it: &Measured) -> Report {
    let mut report = Report::new("population");
    let honest = Role::HONEST.into_iter().chain([Role::Spammer]).map(|role| (&it.zegel, role));
    let bad = it.styles().map(|(outcome, style)| (outcome, Role::Predator(style)));
    let usual = it.usual_styles().map(Some);
    let usual = honest.clone().map(|_| Some(&it.usual)).chain(usual);
    for ((outcome, role), usual) in honest.chain(bad).zip(usual) {
        let contacts = |outcome: &Outcome| outcome.mean(&[role], |t| t.in_contact.len() as f64).value;
        let said = |notice: usize| {
            outcome.ratio(&[role], |t| f64::from(t.notices[notice]), |t| f64::from(t.shown)).value
        };
        report.row([
            ("who", role.name().into()),
            ("people", outcome.count(role).into()),
            ("unwanted", outcome.fired(&[role], "unwanted").value.into()),
            ("many-minors", outcome.fired(&[role], "many-minors").value.into()),
            ("days", outcome.days(role).map_or(0.0, |days| days[1]).into()),
            ("reported", outcome.part(&[role], |t| t.reported.is_some()).value.into()),
            ("said declined", said(0).into()),
            ("said reported", said(1).into()),
            ("said minors", said(2).into()),
            ("in contact", contacts(outcome).into()),
            ("usual in contact", usual.map_or(0.0, contacts).into()),
        ]);
    }
    report
}

/// Puts the generated part in place of the old one.
fn write(path: &PathBuf, part: &str) -> Result {
    let text = fs::read_to_string(path)?;
    let (Some(begin), Some(end)) = (text.find(BEGIN), text.find(END)) else {
        return Err(
            format!("{} has no part to write: put `{BEGIN}` and `{END}` there", path.display()).into()
        );
    };
    fs::write(path, format!("{}{BEGIN}\n\n{part}\n{}", &text[..begin], &text[end..]))?;
    Ok(())
}
