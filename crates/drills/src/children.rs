//! Ways around what protects minors.

mod age;
mod blocks;
mod bridge;
mod codes;
mod friends;
mod groups;
mod guardians;
mod reading;
mod rules;
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
    bridge::BRIDGE,
    groups::ANOTHER_GROUP,
    guardians::SELF_MADE,
    guardians::NO_WORDS,
    rules::QUIET,
    reading::READING,
    strangers::MASS,
    strangers::LOOKUP,
    timing::TIMED,
];
