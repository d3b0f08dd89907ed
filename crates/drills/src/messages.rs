//! Messages: dropped, moved, forged, and in the wrong place.

mod order;
mod sealed;
mod stamps;
mod tags;

use crate::drill::Drill;

/// See the module.
pub const DRILLS: &[Drill] = &[
    order::DROPPED,
    order::REORDERED,
    order::REPLAYED,
    order::DUPLICATED,
    order::DELAYED,
    stamps::FORGED,
    stamps::BROKEN_CHAIN,
    stamps::TWO_PASTS,
    stamps::SPLICED_ROOM,
    tags::WRONG_TAG,
    tags::BORROWED_NAME,
    tags::MISSING,
    sealed::PLAINTEXT,
];
