//! The rules that protect people, children first: the policy file with every rule in words and numbers, who may come to
//! whom unasked, the short-lived signals that rules rest on, and where help is close by.
//!
//! *Invariant:* no I/O, and nothing here sees what people say: every rule rests on facts about accounts and introductions.
//! Who may come to whom is judged by the *receiver's* age band, so that a false age gains the sender nothing.

mod band;
mod first_contact;
mod help;
mod notice;
mod numbers;
mod policy;
mod rules;
mod signals;
mod sketch;

pub use band::{Change, band_word, guardian_may, is_minor, is_past, may_change, rank};
pub use first_contact::{Introduction, Shown, Verdict, Why, judge};
pub use help::{
    Emergency, HelpLine, Verified, country_of, emergencies, emergency, help_checked, help_countries,
    help_lines,
};
pub use notice::Notice;
pub use policy::{Language, Policy, PolicyError, Rule, RuleText, Words};
pub use rules::*;
pub use signals::{Fired, Lately, Signal, Signals};
