//! Reports come in and become cases; people read what was decided and ask for another look. What is done with a case is
//! the desk's.
//!
//! *Invariant:* nothing here changes an account. However many reports come, people decide. (What a safety rule may do by
//! itself stands in `rules.rs` beside this, and rests on no report.)

mod appeal;
mod check;
mod log;
mod mine;
mod rows;
mod take;
mod tell;

pub(super) use log::{log, log_outside};
pub(super) use mine::{WORK, held};
pub(super) use rows::{CaseKeys, Head};
pub(super) use take::{RECENT, new_case, open_about};
pub(super) use tell::tell;
