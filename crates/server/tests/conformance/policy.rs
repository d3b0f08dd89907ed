//! How the safety rules changed.

use zegel_server::store::{Cut, PolicyRow};

use crate::common::*;

pub fn the_rules_that_were_in_force(at: &dyn Place) {
    let store = at.open();
    let row = |day: u32| PolicyRow { day, hash: [day as u8; 32], toml: format!("version = {day}") };
    write(&*store, move |tx| {
        assert_eq!(tx.policy_changes()?, []);
        tx.put_policy_change(&row(7))?;
        // The clock may have gone back, and what was in force once may be so again.
        tx.put_policy_change(&row(5))?;
        tx.put_policy_change(&row(7))?;
        assert_eq!(tx.policy_changes()?, [row(7), row(5), row(7)]);
        tx.sweep(&Cut { case_day: u32::MAX, token_day: u32::MAX, ..Cut::default() }, 100)
    })
    .unwrap();
    drop(store);
    let kept = read(&*at.open(), |tx| tx.policy_changes()).unwrap();
    assert_eq!(kept, [row(7), row(5), row(7)], "what was promised stays known");
}
