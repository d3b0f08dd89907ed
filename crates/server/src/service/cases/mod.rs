//! Reports come in and become cases; people read what was decided and ask for another look. What is done with a case is
//! the desk's.
//!
//! *Invariant:* nothing here changes an account. However many reports come, people decide.

mod appeal;
mod check;
mod log;
mod mine;
mod rows;
mod take;
mod tell;

pub(super) use log::log;
pub(super) use mine::{WORK, held};
pub(super) use rows::{CaseKeys, Head};
pub(super) use tell::tell;
