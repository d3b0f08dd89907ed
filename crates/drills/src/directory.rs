//! The key directory: what a service that lies about people's devices is caught at.

mod audits;
mod contact;
mod keys;
mod own;
mod promises;
mod versions;
mod views;

use crate::drill::Drill;

/// See the module.
pub const DRILLS: &[Drill] = &[
    contact::SWAPPED_FIRST_KEY,
    contact::GHOST_ENTRY,
    versions::GHOST_VERSION,
    promises::BROKEN,
    promises::GHOST,
    promises::ENDLESS,
    promises::ABSENT,
    promises::NOISY,
    promises::SILENT,
    views::SPLIT,
    views::FROZEN,
    views::ROLLBACK,
    views::FORK,
    keys::TWO_VRF_KEYS,
    keys::IMPOSTOR,
    keys::BACKDATED,
    keys::FORKED_KEYS,
    own::COPIED_PROFILE,
    own::OWN_BY_WELCOME,
    audits::SILENT_REMOVAL,
];
