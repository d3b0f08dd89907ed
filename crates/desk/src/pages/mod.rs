//! One file for each page or kind of request.

pub(crate) mod acts;
pub(crate) mod case;
pub(crate) mod decide;
pub(crate) mod door;
pub(crate) mod log;
pub(crate) mod passkey;
pub(crate) mod queue;
mod words;
