//! Time as the service counts it: milliseconds, hours, days and months since 1970-01-01T00:00Z.

use std::time::{SystemTime, UNIX_EPOCH};

/// A moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Now {
    /// Milliseconds since 1970.
    pub ms: u64,
}

impl Now {
    /// The system clock's time.
    pub fn get() -> Self {
        let ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as u64);
        Self { ms }
    }
    /// Hours since 1970.
    pub fn hour(self) -> u32 {
        (self.ms / 3_600_000) as u32
    }
    /// Days since 1970.
    pub fn day(self) -> u32 {
        (self.ms / 86_400_000) as u32
    }
    /// Months of 30 days since 1970.
    pub fn month(self) -> u32 {
        self.day() / 30
    }
}
