//! Waiting for what must happen.

use std::{
    future::Future,
    time::{Duration, Instant},
};

/// How long honest things may take on a busy machine.
pub const WAIT: Duration = Duration::from_secs(30);
/// How long a defence may take to speak, where it speaks at once.
pub const SOON: Duration = Duration::from_secs(10);

/// Waits until `done`, at most `patience`; whether it came.
pub async fn until(patience: Duration, mut done: impl FnMut() -> bool) -> bool {
    let begun = Instant::now();
    while !done() {
        if begun.elapsed() > patience {
            return false;
        }
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    true
}

/// Like a timeout, with words.
pub async fn within<T>(patience: Duration, what: &str, work: impl Future<Output = T>) -> Result<T, String> {
    let out = tokio::time::timeout(patience, work).await;
    out.map_err(|_| format!("{what} took longer than {} s", patience.as_secs()))
}
