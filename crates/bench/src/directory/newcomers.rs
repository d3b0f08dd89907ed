//! How soon a new account can be written to, by promise, and how soon it is proven: real clients, a real server, epochs
//! as often as by default.

use std::{
    path::Path,
    time::{Duration, Instant},
};

use tokio::time::sleep;
use zegel_client::{AgeBand, Client, Registration};

use crate::common::{ROOMY, Report, Result, Server};
use crate::raw::Rounds;

/// Longer than any promise may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How often somebody looks.
const LOOK: Duration = Duration::from_millis(100);

/// Registers people at moments spread over an epoch, one after the other; somebody else writes to each at once, and
/// looks until they are proven. Both times count from the beginning of the registration.
pub async fn measure(report: &mut Report, people: usize) -> Result {
    let homes = tempfile::Builder::new().prefix("zegel-newcomers-").tempdir()?;
    let server = Server::start(ROOMY)?;
    let alice = register(&server, homes.path(), "alice").await?;
    let mut rounds = Rounds::new("a new account".to_owned(), ["usable s", "proven s"]);
    for n in 0..people {
        sleep(Duration::from_millis(1_700 * (n as u64 % 6))).await;
        let handle = format!("newcomer{n:04}");
        let began = Instant::now();
        let newcomer = register(&server, homes.path(), &handle).await?;
        alice.send(&handle, "welcome").await?;
        let usable = began.elapsed();
        while alice.directory_show(&handle).await?.state != "proven" {
            if began.elapsed() > PATIENCE {
                return Err("a promise was not kept".into());
            }
            sleep(LOOK).await;
        }
        rounds.add([usable.as_secs_f64(), began.elapsed().as_secs_f64()]);
        newcomer.close().await;
    }
    alice.close().await;
    rounds.tell(report);
    Ok(())
}

async fn register(server: &Server, homes: &Path, handle: &str) -> Result<Client> {
    let registration =
        Registration { handle: handle.into(), age: AgeBand::Adult, language: "en".into(), invite: None };
    let client = Client::register(&homes.join(handle), server.url(), &registration).await?;
    // Its key packages are there now.
    client.caught_up(PATIENCE).await?;
    Ok(client)
}
