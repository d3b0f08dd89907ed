//! What is varied, one thing at a time: the numbers of the rules, and the assumptions.

use zegel_safety::Policy;

use super::{
    assumptions::{ALL, Assumptions},
    service::Rules,
};

/// One variation.
pub struct Variant {
    pub name: String,
    pub rules: Rules,
    pub about: Assumptions,
}

type Number = (&'static str, fn(&mut Policy, f64));

/// The numbers that the simulation rests on.
const NUMBERS: [Number; 5] = [
    ("strangers: a_day and new_a_day", |policy, by| {
        times(&mut policy.strangers.numbers.a_day, by);
        times(&mut policy.strangers.numbers.new_a_day, by);
    }),
    ("unwanted: people", |policy, by| times(&mut policy.unwanted.numbers.people, by)),
    ("unwanted: days", |policy, by| times(&mut policy.unwanted.numbers.days, by)),
    ("many-minors: people", |policy, by| times(&mut policy.many_minors.numbers.people, by)),
    ("many-minors: days", |policy, by| times(&mut policy.many_minors.numbers.days, by)),
];

fn times(number: &mut u32, by: f64) {
    *number = ((f64::from(*number) * by).round() as u32).max(1);
}

/// A number of people that nobody reaches.
const NEVER: u32 = 1_000_000;

/// The policy with one rule switched off; `None` for a rule that is not watched.
pub fn without(policy: &Policy, rule: &str) -> Option<Policy> {
    let mut policy = policy.clone();
    let numbers = match rule {
        "unwanted" => &mut policy.unwanted.numbers,
        "many-minors" => &mut policy.many_minors.numbers,
        _ => return None,
    };
    numbers.people = NEVER;
    Some(policy)
}

/// Rules halved, doubled and switched off.
pub fn of_rules(policy: &Policy) -> Vec<Variant> {
    let about = Assumptions::default();
    let mut all = vec![Variant { name: "as shipped".into(), rules: Rules::zegel(policy), about }];
    for (name, change) in NUMBERS {
        for (by, how) in [(0.5, "halved"), (2.0, "doubled")] {
            let mut policy = policy.clone();
            change(&mut policy, by);
            all.push(Variant { name: format!("{name} {how}"), rules: Rules::zegel(&policy), about });
        }
    }
    for rule in super::outcome::WATCHED {
        let off = without(policy, rule).map(|policy| Rules::zegel(&policy));
        all.extend(off.map(|rules| Variant { name: format!("{rule} off"), rules, about }));
    }
    let policy = Box::new(policy.clone());
    let reached = Rules::Zegel { policy: policy.clone(), first_contact: true, counts_reached: true };
    all.push(Variant { name: "many-minors also counts who gave a word".into(), rules: reached, about });
    let open = Rules::Zegel { policy, first_contact: false, counts_reached: false };
    all.push(Variant { name: "first-contact off".into(), rules: open, about });
    all
}

/// Each assumption at the ends of its range.
pub fn of_assumptions(policy: &Policy) -> Vec<Variant> {
    let ends = |assumption: &super::assumptions::Assumption| {
        [assumption.low, assumption.high].map(|value| {
            let mut about = Assumptions::default();
            *(assumption.field)(&mut about) = value;
            Variant { name: format!("{}: {value}", assumption.what), rules: Rules::zegel(policy), about }
        })
    };
    // Of a usual service's numbers ours does not depend.
    let ours = ALL.iter().filter(|assumption| !assumption.what.starts_with("usual"));
    ours.flat_map(ends).collect()
}
