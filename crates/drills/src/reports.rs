//! Reports of abuse, what the service says because of them, and those who deal with them.

mod brigade;
mod doors;
mod evidence;
mod forged;
mod log;
mod order;
mod others;
mod rulings;
mod scene;
mod statements;

use crate::drill::Drill;

/// See the module.
pub const DRILLS: &[Drill] = &[
    forged::STAMP,
    forged::CONTENT,
    forged::LATE,
    order::SPLICED,
    order::REPEATED,
    order::WITHHELD,
    others::REPLAYED,
    others::THIRD_PERSON,
    brigade::BRIGADE,
    statements::FORGED,
    statements::MISDIRECTED,
    rulings::BANNED,
    rulings::OWN_APPEAL,
    rulings::LONE_EXPORT,
    doors::AUDITOR,
    doors::FOREIGN_FORM,
    doors::REMOVED,
    log::REWRITTEN,
    evidence::EDITED,
];
