//! Ways around what protects minors.

mod age;
mod blocks;
mod codes;
mod scene;
mod strangers;
mod timing;

use crate::drill::Drill;

/// See the module.
pub const DRILLS: &[Drill] = &[
    age::FALSE_AGE,
    age::LATE_BIRTHDAY,
    blocks::ANOTHER,
    blocks::REINSTALL,
    blocks::COMPLAINING,
    codes::STOLEN,
    strangers::MASS,
    strangers::LOOKUP,
    timing::TIMED,
];
