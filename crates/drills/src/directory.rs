//! The key directory: what a service that lies about people's devices is caught at.

mod audits;
mod contact;
mod keys;
mod own;
mod promises;
mod views;

use crate::drill::Drill;

/// See the module.
pub const DRILLS: &[Drill] = &[
    contact::SWAPPED_FIRST_KEY,
    contact::GHOST_ENTRY,
    promises::BROKEN,
    promises::GHOST,
    views::SPLIT,
    views::FROZEN,
    views::ROLLBACK,
    views::FORK,
    keys::TWO_VRF_KEYS,
    keys::IMPOSTOR,
    keys::BACKDATED,
    own::COPIED_PROFILE,
    audits::SILENT_REMOVAL,
];
