//! Looking after the key directory beside the mail: a service that does not answer about the one must not keep back
//! the other.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::oneshot,
    task::JoinHandle,
    time::{Instant, sleep},
};

use super::{link::Socket, session::Engine};
use crate::{
    Result,
    flow::{check_due, check_own, tolerate_alarm},
};

/// How often promises and what others saw are looked after.
const TICK: Duration = Duration::from_secs(1);
/// How often a connected device looks at its own entry.
const OWN: Duration = Duration::from_secs(600);

/// The watch of one connection; it ends when this is dropped.
pub(super) struct Watch(JoinHandle<()>);

impl Watch {
    /// Begins with our own entry; the receiver hears when that was looked at.
    pub(super) fn begin(engine: &Arc<Engine>, socket: &Arc<Socket>) -> (Self, oneshot::Receiver<()>) {
        let (looked, heard) = oneshot::channel();
        let (engine, socket) = (engine.clone(), socket.clone());
        let task = tokio::spawn(async move {
            // Only a lost connection ends it, which the session notices by itself.
            if let Err(error) = watch(&engine, &socket, looked).await {
                tracing::debug!(%error, event = "watch_ended");
            }
        });
        (Self(task), heard)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.abort();
    }
}

async fn watch(engine: &Engine, socket: &Socket, looked: oneshot::Sender<()>) -> Result<()> {
    tolerate_alarm(check_own(&engine.shared, socket).await)?;
    // Nobody may be waiting any more.
    let _ = looked.send(());
    let mut own_at = Instant::now() + OWN;
    let mut alarms = 0;
    loop {
        let now = engine.shared.core().db.alarms(false)?.len();
        if now != alarms {
            alarms = now;
            engine.bump();
        }
        sleep(TICK).await;
        tolerate_alarm(check_due(&engine.shared, socket).await)?;
        if Instant::now() >= own_at {
            own_at = Instant::now() + OWN;
            tolerate_alarm(check_own(&engine.shared, socket).await)?;
        }
    }
}
