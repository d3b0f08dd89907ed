//! `follow`: lines and requests as they come, until Ctrl-C.

use std::{collections::HashSet, path::Path, time::Duration};

use zegel_client::Client;

use crate::{
    commands::show_request,
    directory::Bell,
    fail::Fail,
    out::Out,
    read::{catch_up, show_and_mark},
};

/// How often to look whether another command of this person waits for the profile.
const LOOK: Duration = Duration::from_millis(100);

/// Shows what is unread, and then what comes. Another command gets the profile for as long as it takes.
pub async fn follow(home: &Path, out: &mut Out) -> Result<(), Fail> {
    let mut ended = Box::pin(told_to_end());
    let mut asked = HashSet::new();
    let mut client = Client::open(home).await?;
    loop {
        let result = tokio::select! {
            result = show_what_comes(&client, out, &mut asked) => Some(result),
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

async fn show_what_comes(
    client: &Client,
    out: &mut Out,
    asked: &mut HashSet<(String, String)>,
) -> Result<(), Fail> {
    let mut changes = client.changes();
    catch_up(client, out, Duration::ZERO).await?;
    let mut bell = Bell::default();
    loop {
        bell.sound(client, out.is_json());
        for request in client.requests()? {
            // The first text comes after its introduction; they are shown together.
            let whole = !request.text.is_empty() || !request.group.is_empty();
            if whole && asked.insert((request.from.clone(), request.group.clone())) {
                show_request(out, &request)?;
            }
        }
        let lines = client.read(None, 0, true, false)?;
        show_and_mark(client, out, None, &lines)?;
        // A connection that is lost comes back by itself; an account that was suspended does not.
        match client.caught_up(Duration::ZERO).await {
            Err(error) if !error.is_passing() => return Err(error.into()),
            _ => {}
        }
        if changes.changed().await.is_err() {
            return Ok(());
        }
    }
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
