//! `follow`: lines and requests as they come, until Ctrl-C.

use std::{collections::HashSet, time::Duration};

use zegel_client::Client;

use crate::{
    commands::show_request,
    fail::Fail,
    out::Out,
    read::{catch_up, firsts, show_and_mark},
};

/// Shows what is unread, and then what comes.
pub async fn follow(client: &Client, out: &mut Out) -> Result<(), Fail> {
    tokio::select! {
        result = show_what_comes(client, out) => result,
        () = told_to_end() => Ok(()),
    }
}

async fn show_what_comes(client: &Client, out: &mut Out) -> Result<(), Fail> {
    let mut changes = client.changes();
    catch_up(client, out, Duration::ZERO).await?;
    let mut firsts = firsts(client, out)?;
    let mut asked = HashSet::new();
    loop {
        for request in client.requests()? {
            // The first text comes after its introduction; they are shown together.
            let whole = !request.text.is_empty() || !request.group.is_empty();
            if whole && asked.insert((request.from.clone(), request.group.clone())) {
                show_request(out, &request)?;
            }
        }
        let lines = client.read(None, 0, true, false)?;
        show_and_mark(client, out, None, &lines, &mut firsts)?;
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
