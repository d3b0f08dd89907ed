//! Who gets into a conversation: ghosts, swapped keys, revoked devices, outsiders.

mod commits;
mod devices;
mod epochs;
mod keys;

use crate::drill::Drill;

pub use keys::{Counted, count_submissions, refuses};

/// See the module.
pub const DRILLS: &[Drill] = &[
    devices::ADDED_GHOST,
    devices::REVOKED_RETURNS,
    keys::SWAPPED,
    keys::DOWNGRADED,
    commits::EXTERNAL,
    commits::GHOST_IN_GROUP,
    commits::FORBIDDEN,
    commits::GARBAGE,
    epochs::SUPPRESSED,
    epochs::FORKED,
];
