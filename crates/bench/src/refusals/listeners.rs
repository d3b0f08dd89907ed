//! The receivers who are connected, in threads of their own: each takes and acknowledges what is pushed.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use tokio::{runtime::Runtime, task::JoinSet};
use zegel_proto::v1::server_frame as tell;

use crate::{
    common::Result,
    raw::{Client, PATIENCE, Person, Place},
};

/// See the module.
pub struct Listeners {
    runtime: Runtime,
    heard: Arc<AtomicU64>,
}

impl Listeners {
    /// Nobody yet.
    pub fn new() -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
        Ok(Self { runtime, heard: Arc::default() })
    }

    /// Lets them connect, and listen from then on.
    pub fn listen(&self, place: &Place, people: Vec<Arc<Person>>) -> Result {
        let clients = self.runtime.block_on(async {
            let mut joining = JoinSet::new();
            for person in people {
                let place = place.clone();
                joining.spawn(async move { Client::connect(&place, person).await });
            }
            joining.join_all().await.into_iter().collect::<Result<Vec<_>>>()
        })?;
        for mut client in clients {
            let heard = self.heard.clone();
            self.runtime.spawn(async move {
                // Whoever fails hears no more, and is missed at the end.
                while let Ok((_, body)) = client.next().await {
                    let tell::Body::Deliver(deliver) = body else { continue };
                    if client.take(&deliver).is_err()
                        || client.feed_ack().await.is_err()
                        || client.flush().await.is_err()
                    {
                        break;
                    }
                    heard.fetch_add(deliver.entries.len() as u64, Relaxed);
                }
            });
        }
        Ok(())
    }

    /// Waits until so many entries were pushed to them.
    pub fn have_heard(&self, entries: u64) -> Result {
        let begun = Instant::now();
        while self.heard.load(Relaxed) != entries {
            if begun.elapsed() > PATIENCE {
                let heard = self.heard.load(Relaxed);
                return Err(format!("{heard} entries were pushed to who is connected, not {entries}").into());
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }
}
