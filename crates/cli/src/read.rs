//! `read`: what was said, and waiting for more.

use std::{collections::HashSet, time::Duration};

use tokio::time::{Instant, timeout_at};
use zegel_client::{Client, Line};

use crate::{
    fail::{Fail, note},
    lines::show,
    out::Out,
};

/// How long a command that can do without the service waits for it.
const GLANCE: Duration = Duration::from_secs(5);

/// Fetches what waits; without a connection it says so, and what this device has must do.
pub async fn catch_up(client: &Client, out: &Out, patience: Duration) -> Result<(), Fail> {
    match client.caught_up(patience.max(GLANCE)).await {
        Err(error) if error.is_passing() => {
            note(&format!("this is what the device has; {error}"), out.is_json());
            Ok(())
        }
        other => Ok(other?),
    }
}

/// Shows lines, and marks them read once they are written.
pub async fn read(
    client: &Client,
    out: &mut Out,
    with: Option<&str>,
    new: bool,
    wait: Duration,
) -> Result<(), Fail> {
    let until = Instant::now() + wait;
    catch_up(client, out, wait).await?;
    await_new(client, with, until).await?;
    let lines = client.read(with, 0, new, false)?;
    if lines.is_empty() && !out.is_json() {
        out.plain(if new { "Nothing new." } else { "No messages." })?;
    }
    show_and_mark(client, out, with, &lines)
}

/// Shows lines, then marks what was unread: nothing counts as read that a closed pipe has swallowed.
pub fn show_and_mark(client: &Client, out: &mut Out, with: Option<&str>, lines: &[Line]) -> Result<(), Fail> {
    show(out, lines)?;
    out.flush()?;
    let shown: HashSet<i64> = lines.iter().map(|line| line.line).collect();
    // What came in between is marked too, so it is shown.
    let mut more = client.read(with, 0, true, true)?;
    more.retain(|line| !shown.contains(&line.line));
    show(out, &more)?;
    out.flush()
}

/// Waits until something unread is there.
async fn await_new(client: &Client, with: Option<&str>, until: Instant) -> Result<(), Fail> {
    let mut changes = client.changes();
    loop {
        let found = client.read(with, 0, true, false);
        let over = Instant::now() >= until;
        match found {
            Ok(lines) if !lines.is_empty() || over => return Ok(()),
            Err(error) if over => return Err(error.into()),
            // A conversation of that name may yet begin.
            _ => {}
        }
        // Whether time is over is seen at the top.
        let _ = timeout_at(until, changes.changed()).await;
    }
}
