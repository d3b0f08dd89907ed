//! How a command fails: one sentence that says what was being done.

use std::{fmt, io, path::Path};

/// Why a command stopped, for the person who typed it.
#[derive(Debug)]
pub struct Failure(String);

/// What a step gives back.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// A failure in words.
    pub fn new(what: impl Into<String>) -> Self {
        Self(what.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Adds what was being done, and to which file, to an I/O error.
pub trait While<T> {
    /// `doing` reads like "reading".
    fn while_doing(self, doing: &str, path: &Path) -> Outcome<T>;
}

impl<T> While<T> for io::Result<T> {
    fn while_doing(self, doing: &str, path: &Path) -> Outcome<T> {
        self.map_err(|error| Failure::new(format!("{doing} {}: {error}", path.display())))
    }
}
