//! A week of the key directory for the auditor: what CI does with 2000 epochs, with 60 480.

use crate::failure::Outcome;
use crate::layout::Layout;
use crate::shell;

/// Publishes and follows them, optimised; prints time and memory.
pub fn audit_week(layout: &Layout) -> Outcome {
    let mut test = layout.cargo();
    test.args(["test", "--release", "--package", "zegel-audit", "--test", "follow"]);
    shell::run(test.args(["--", "--ignored", "--exact", "--nocapture", "a_week"]))
}
