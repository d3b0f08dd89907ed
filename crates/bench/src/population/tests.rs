//! A small run gives what the large one does, and docs/safety.md is of the rules that ship.

use std::{fs, path::Path, sync::LazyLock};

use super::*;
use crate::population::{
    outcome::{OPEN, WATCHED},
    variants,
};

const SMALL: Size = Size { people: 400, days: 30, of_each: 3 };
static SHIPPED: LazyLock<Policy> = LazyLock::new(Policy::shipped);

fn small(rules: &Rules, seeds: std::ops::Range<u64>) -> Outcome {
    Outcome::of(rules, &Assumptions::default(), &Style::KNOWN, SMALL, seeds)
}

#[test]
fn open_styles_are_found_and_the_honest_mostly_left_alone() {
    let outcome = small(&Rules::zegel(&SHIPPED), 0..5);
    for style in [Style::Spray, Style::Ring] {
        let found = outcome.found(&[Role::Predator(style)]);
        assert!(found.value > 0.8, "{style:?}: {found:?}");
    }
    // What the rules are not able to see, they must not claim.
    let slow = outcome.found(&[Role::Predator(Style::Slow)]);
    assert!(slow.value < 0.2, "{slow:?}");
    let ordinary = outcome.found(&[Role::Minor, Role::Adult]);
    assert!(ordinary.value < 0.01, "{ordinary:?}");
    let restricted = outcome.fired(&[Role::Teacher, Role::Coach], "unwanted");
    assert!(restricted.value < 0.05, "{restricted:?}");
}

#[test]
fn a_rule_that_is_switched_off_finds_nobody() {
    let open = OPEN.map(Role::Predator);
    for rule in WATCHED {
        let on = small(&Rules::zegel(&SHIPPED), 0..3).fired(&open, rule);
        let without = variants::without(&SHIPPED, rule).expect("it is watched");
        let off = small(&Rules::zegel(&without), 0..3).fired(&open, rule);
        assert!(on.value > 0.2 && off.value == 0.0, "{rule}: {on:?}, {off:?}");
    }
}

#[test]
fn fewer_minors_are_in_contact_than_without_the_rule_of_first_contact_or_with_usual_settings() {
    let open = OPEN.map(Role::Predator);
    let contacts = |rules: &Rules| small(rules, 0..3).mean(&open, |t| t.in_contact.len() as f64);
    let ours = contacts(&Rules::zegel(&SHIPPED));
    let policy = Box::new(SHIPPED.clone());
    let without = contacts(&Rules::Zegel { policy, first_contact: false, counts_reached: false });
    let usual = contacts(&Rules::Usual);
    assert!(ours.high < without.low && ours.high < usual.low, "{ours:?}, {without:?}, {usual:?}");
}

#[test]
fn no_stranger_comes_to_a_minor_who_says_so() {
    let about = Assumptions { says_adult: 0.0, ..Assumptions::default() };
    let unasked = |rules: &Rules| {
        let styles: Vec<Style> = Style::KNOWN.to_vec();
        let everybody: Vec<Role> = Role::HONEST
            .into_iter()
            .chain([Role::Spammer])
            .chain(styles.iter().copied().map(Role::Predator))
            .collect();
        Outcome::of(rules, &about, &styles, SMALL, 0..2).mean(&everybody, |t| f64::from(t.unasked)).value
    };
    assert_eq!(unasked(&Rules::zegel(&SHIPPED)), 0.0);
    assert!(unasked(&Rules::Usual) > 1.0);
}

#[test]
fn the_same_seed_gives_the_same_figures() {
    let told = |seeds| table::told(&small(&Rules::zegel(&SHIPPED), seeds));
    assert_eq!(told(7..9), told(7..9));
    assert_ne!(told(7..9), told(9..11));
}

#[test]
fn the_document_is_of_the_rules_that_ship() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let text = fs::read_to_string(docs.join("safety.md")).expect("docs/safety.md");
    let (begin, end) = (text.find(BEGIN).expect("its begin"), text.find(END).expect("its end"));
    let again = "run `zegel-bench population --held-out --vary --write docs/safety.md`";
    let hash = hex::encode(SHIPPED.hash());
    assert!(text[begin..end].contains(&hash), "the rules are now {hash}: {again}");
    for assumption in assumptions::ALL {
        assert!(text[begin..end].contains(assumption.what), "{}: {again}", assumption.what);
    }
    let plot = fs::read_to_string(docs.join("safety.svg")).expect("docs/safety.svg");
    assert!(plot.starts_with("<svg") && plot.ends_with("</svg>\n"), "{again}");
}
