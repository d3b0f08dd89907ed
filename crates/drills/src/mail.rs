//! Mailboxes, addresses, key packages, clocks and frames.

mod addresses;
mod clocks;
mod disk;
mod frames;

use crate::drill::Drill;

/// See the module.
pub const DRILLS: &[Drill] = &[
    addresses::STOLEN,
    addresses::EXHAUSTED,
    disk::REWRITTEN,
    clocks::OLD_KEYS,
    frames::HOSTILE_CLIENT,
    frames::HOSTILE_SERVER,
];
