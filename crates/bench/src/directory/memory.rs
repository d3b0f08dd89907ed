//! The memory of a server process whose directory holds many accounts.

use std::{net::Ipv4Addr, sync::Arc, time::Duration};

use tokio::time::sleep;
use zegel_proto::v1::{self, client_frame as ask, server_frame as tell};

use crate::common::{Memory, Progress, ROOMY, Report, Result, Server, memory};
use crate::raw::{Client, Person, Place, together};

/// Connections from one network address: well below the ports that it has.
const PER_ADDRESS: usize = 9_000;
/// Accounts that are made before their epochs are waited for.
const BATCH: usize = 5_000;
/// Look-ups, each with its proof, before the memory is read.
const LOOKUPS: usize = 5_000;
/// How long the server is left alone before its memory is read.
const REST: Duration = Duration::from_secs(3);

/// Makes the accounts at a real server, and reads its memory when all are in the directory, then again after a
/// restart, look-ups and one more epoch.
pub async fn measure(report: &mut Report, accounts: usize, cache: usize) -> Result {
    let config = format!("{ROOMY}\n[directory]\nepoch_ms = 1000\ncache_mib = {cache}\n");
    let mut server = Server::start(&config)?;
    tell_row(report, "empty", 0, settled(&server).await?);
    let progress = Progress::new("registering", accounts as u64);
    let (mut made, mut handles) = (0, Vec::new());
    while made < accounts {
        let count = BATCH.min(accounts - made);
        handles.extend(register(&server, made, count).await?);
        made += count;
        progress.add(count as u64);
    }
    progress.finish();
    let place = Place::new(server.url(), None)?;
    let mut client = Client::newcomers(&place, 1).await?.pop().ok_or("nobody was asked for")?;
    published(&mut client, handles.last().ok_or("no account was asked for")?).await?;
    tell_row(report, "all published", accounts, settled(&server).await?);

    drop(client);
    server.stop()?;
    server.begin()?;
    tell_row(report, "restarted", accounts, settled(&server).await?);
    let place = Place::new(server.url(), None)?;
    let mut client = Client::newcomers(&place, 1).await?.pop().ok_or("nobody was asked for")?;
    for at in 0..LOOKUPS {
        if look_up(&mut client, &handles[at * 7919 % handles.len()]).await?.lookup.is_empty() {
            return Err("an entry is not proven".into());
        }
    }
    let last = register(&server, made, BATCH).await?;
    published(&mut client, last.last().ok_or("nobody registered")?).await?;
    let what = format!("after {LOOKUPS} look-ups and an epoch of {BATCH}");
    tell_row(report, &what, accounts + BATCH, settled(&server).await?);
    server.stop()
}

fn tell_row(report: &mut Report, what: &str, accounts: usize, memory: Memory) {
    let megabytes = |bytes: u64| (bytes as f64 / 1e5).round() / 10.0;
    report.row([
        ("measured", what.into()),
        ("accounts", accounts.into()),
        ("resident MB", megabytes(memory.resident).into()),
        ("private MB", megabytes(memory.private).into()),
    ]);
}

async fn register(server: &Server, already: usize, count: usize) -> Result<Vec<String>> {
    let place = Place::new(server.url(), None)?;
    let joined = (already..already + count).map(|n| {
        let place = &place;
        async move {
            let person = Arc::new(Person::new());
            let from = Ipv4Addr::new(127, 0, 0, 1 + (n / PER_ADDRESS) as u8);
            Client::join(place, person.clone(), from, true).await?;
            Ok(person.handle().to_owned())
        }
    });
    together(joined).await
}

async fn look_up(client: &mut Client, handle: &str) -> Result<v1::AccountAnswer> {
    let ask = ask::Body::FetchAccount(v1::FetchAccount { handle: handle.into(), ..Default::default() });
    match client.call(ask).await? {
        tell::Body::Account(answer) => Ok(answer),
        _ => Err("FetchAccount was answered with something else".into()),
    }
}

/// Waits until the directory has a handle's entry.
async fn published(client: &mut Client, handle: &str) -> Result {
    while look_up(client, handle).await?.lookup.is_empty() {
        sleep(Duration::from_millis(200)).await;
    }
    Ok(())
}

async fn settled(server: &Server) -> Result<Memory> {
    sleep(REST).await;
    memory(server.pid()?)
}
