//! What the server could be made to do.

mod order;
mod search;

use crate::drill::Drill;

/// See the module.
pub const DRILLS: &[Drill] = &[order::DECRYPT];
