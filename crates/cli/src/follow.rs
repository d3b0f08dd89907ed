//! `follow`: lines and requests as they come, until Ctrl-C; for minors not in the quiet hours.

use std::{collections::HashSet, path::Path, time::Duration};

use serde_json::json;
use tokio::time::timeout;
use zegel_client::Client;

use crate::{
    contacts::show_request,
    directory::Bell,
    fail::Fail,
    guardian,
    out::Out,
    read::{catch_up, show_and_mark},
    time,
};

/// How often to look whether another command of this person waits for the profile.
const LOOK: Duration = Duration::from_millis(100);
/// How often to look at the clock: quiet hours begin and end without anything coming in.
const CLOCK: Duration = Duration::from_secs(2);

/// What was shown already, also before another command had the profile for a while.
#[derive(Default)]
struct Shown {
    requests: HashSet<(String, String, Vec<String>)>,
    guardian: Option<String>,
    quiet: bool,
}

/// Shows what is unread, and then what comes. Another command gets the profile for as long as it takes.
pub async fn follow(home: &Path, out: &mut Out) -> Result<(), Fail> {
    let mut ended = Box::pin(told_to_end());
    let mut shown = Shown::default();
    let mut client = Client::open(home).await?;
    loop {
        let result = tokio::select! {
            result = show_what_comes(&client, out, &mut shown) => Some(result),
            () = wanted(&client) => None,
            () = &mut ended => Some(Ok(())),
        };
        client.close().await;
        if let Some(result) = result {
            return result;
        }
        tokio::time::sleep(LOOK).await;
        client = tokio::select! {
            again = Client::open_again(home) => again?,
            () = &mut ended => return Ok(()),
        };
    }
}

/// Waits until another command waits for the profile.
async fn wanted(client: &Client) {
    while !client.is_wanted() {
        tokio::time::sleep(LOOK).await;
    }
}

async fn show_what_comes(client: &Client, out: &mut Out, shown: &mut Shown) -> Result<(), Fail> {
    let mut changes = client.changes();
    catch_up(client, out, Duration::ZERO).await?;
    let mut bell = Bell::default();
    loop {
        show_guardian(client, out, shown)?;
        if !keeps_quiet(client, out, shown)? {
            bell.sound(client, out.is_json());
            show_requests(client, out, shown)?;
            let lines = client.read(None, 0, true, false)?;
            show_and_mark(client, out, None, &lines)?;
        }
        // A connection that is lost comes back by itself; an account that was suspended does not.
        match client.caught_up(Duration::ZERO).await {
            Err(error) if !error.is_passing() => return Err(error.into()),
            _ => {}
        }
        let changed = match client.quiet_hours() {
            None => changes.changed().await,
            Some(_) => timeout(CLOCK, changes.changed()).await.unwrap_or(Ok(())),
        };
        if changed.is_err() {
            return Ok(());
        }
    }
}

/// Who looks after this person is on the screen from the start, and whenever it changes.
fn show_guardian(client: &Client, out: &mut Out, shown: &mut Shown) -> Result<(), Fail> {
    let me = client.whoami();
    if shown.guardian.as_ref() != Some(&me.guardian) {
        guardian::line(out, &me)?;
        out.flush()?;
        shown.guardian = Some(me.guardian);
    }
    Ok(())
}

/// Whether nothing is shown now; that is said once.
fn keeps_quiet(client: &Client, out: &mut Out, shown: &mut Shown) -> Result<bool, Fail> {
    let hour = time::hour();
    let hours = client.quiet_hours().filter(|hours| hours.holds(hour));
    if let Some(hours) = hours.filter(|_| !shown.quiet) {
        let until = format!("{:02}:00", hours.to_hour);
        let text = format!(
            "It is quiet until {until}: nothing is shown by itself, and what comes waits. `zegel read` shows it now."
        );
        out.either(&json!({"kind": "quiet", "until": until}), &text)?;
        out.flush()?;
    }
    shown.quiet = hours.is_some();
    Ok(shown.quiet)
}

fn show_requests(client: &Client, out: &mut Out, shown: &mut Shown) -> Result<(), Fail> {
    for request in client.requests()? {
        // The first text comes after its introduction; they are shown together.
        let whole = !request.text.is_empty() || !request.group.is_empty();
        // A group into which others come is asked about again.
        let asked = (request.from.clone(), request.group.clone(), request.unconnected.clone());
        if whole && shown.requests.insert(asked) {
            show_request(out, &request)?;
        }
    }
    Ok(())
}

/// Ctrl-C, or a service manager's polite request.
async fn told_to_end() {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return,
                Ok(()) = tokio::signal::ctrl_c() => return,
            }
        }
    }
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending().await
    }
}
