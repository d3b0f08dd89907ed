//! Staying connected: authenticate, take mail, send the outbox, again and again.

use std::{
    collections::{HashMap, HashSet},
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesOrdered};
use tokio::{
    sync::{Notify, watch},
    time::{Instant, sleep, sleep_until},
};
use zegel_proto::{
    Code, VERSION,
    v1::{self, client_frame::Body as Call, server_frame::Body as Answer},
};

use super::{
    link::{Pushed, Pushes, Socket},
    watch::Watch,
};
use crate::{
    Error, Result,
    flow::{
        LONG_WAIT_MS, Link, Outcome, Shared, check_policy, check_statements, check_stock, receive, restock,
        run_errands, send_calls, settle_held, submit, take_outcome, unexpected,
    },
};

/// How many submissions are under way at once.
const IN_FLIGHT: usize = 16;
/// How many entries are taken in one transaction, at most about.
const BATCH: usize = 50;
/// How often things that wait for a time are looked at.
const TICK: Duration = Duration::from_secs(1);
/// How often a connected device looks after its stock of key packages.
const STOCK: Duration = Duration::from_secs(600);
/// How long a connection that is otherwise ready waits for the look at our own entry.
const OWN_PATIENCE: Duration = Duration::from_secs(5);
/// Waiting times between attempts to connect.
const RETRY: [u64; 6] = [100, 300, 1_000, 3_000, 10_000, 30_000];

/// Where the connection stands.
#[derive(Clone, Debug, Default)]
pub(super) enum Status {
    /// Not connected, with the reason of the last failure.
    Offline(Option<Arc<Error>>),
    /// Connecting or reading what waited.
    #[default]
    CatchingUp,
    /// All that waited is read.
    Ready,
}

/// What a client's tasks share.
pub(super) struct Engine {
    pub shared: Shared,
    pub status: watch::Sender<Status>,
    /// Counts up whenever the profile changed.
    pub changed: watch::Sender<u64>,
    /// Something new is in the outbox.
    pub poke: Notify,
    /// The stock of key packages shall be looked after.
    pub stock: Notify,
    pub socket: Mutex<Option<Arc<Socket>>>,
    /// Outbox rows that were given up, until someone who waits for them takes the reason.
    pub failures: Mutex<HashMap<i64, Error>>,
    pub extra_roots: PathBuf,
}

impl Engine {
    pub(super) fn bump(&self) {
        self.changed.send_modify(|count| *count += 1);
    }
}

/// Opens a connection and says hello.
pub(super) async fn greet(
    server: &str,
    extra_roots: &std::path::Path,
) -> Result<(Socket, Pushes, v1::HelloAnswer)> {
    let (socket, pushed) = Socket::connect(server, Some(extra_roots)).await?;
    let hello = v1::Hello {
        versions: vec![VERSION],
        capabilities: Vec::new(),
        agent: concat!("zegel/", env!("CARGO_PKG_VERSION")).into(),
    };
    let doing = "connecting";
    match socket.call(doing, Call::Hello(hello)).await? {
        Answer::Hello(answer) if answer.version == VERSION => Ok((socket, pushed, answer)),
        _ => unexpected(doing),
    }
}

/// Connects again and again until `stop`.
pub(super) async fn run(engine: Arc<Engine>, mut stop: watch::Receiver<bool>) {
    let mut failed = 0;
    while !*stop.borrow() {
        engine.status.send_replace(Status::CatchingUp);
        let result = tokio::select! {
            result = session(&engine) => result,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        *engine.socket.lock().expect("no panic holds this lock") = None;
        let was_ready = matches!(*engine.status.borrow(), Status::Ready);
        let error = result.err().unwrap_or_else(|| Error::Offline("the connection ended".into()));
        tracing::debug!(%error, event = "disconnected");
        let lasting = !error.is_passing() || matches!(error, Error::Refused { code: Code::Replaced, .. });
        engine.status.send_replace(Status::Offline(Some(Arc::new(error))));
        engine.bump();
        // A connection that worked and broke is tried again soon; one that never works, ever more rarely.
        failed = if was_ready { 2 } else { failed + 1 };
        let wait = if lasting { RETRY.len() - 1 } else { failed.min(RETRY.len()) - 1 };
        tokio::select! {
            () = sleep(Duration::from_millis(RETRY[wait])) => {}
            // Someone wants something now.
            () = engine.poke.notified(), if !lasting => {}
            _ = stop.wait_for(|stop| *stop) => break,
        }
    }
    engine.status.send_replace(Status::Offline(None));
}

/// Proves who we are; `appeal_only` for what a suspended account may do too.
pub(super) async fn authenticate(
    engine: &Engine,
    socket: &Socket,
    hello: &v1::HelloAnswer,
    appeal_only: bool,
) -> Result<v1::Authenticated> {
    let doing = "authenticating";
    let authenticate = {
        let core = engine.shared.core();
        if hello.domain != core.me.domain {
            let why =
                format!("the server is now {}, the account belongs to {}", hello.domain, core.me.domain);
            return Err(Error::protocol(doing, why));
        }
        v1::Authenticate {
            account: core.me.account.to_field(),
            device: core.me.device.to_field(),
            signature: core.me.sign_auth(&hello.domain, &hello.nonce).into(),
            appeal_only,
        }
    };
    match socket.call(doing, Call::Authenticate(authenticate)).await? {
        Answer::Authenticated(answer) => Ok(answer),
        _ => unexpected(doing),
    }
}

async fn session(engine: &Arc<Engine>) -> Result<()> {
    let server = engine.shared.core().me.server.clone();
    let (socket, mut pushed, hello) = greet(&server, &engine.extra_roots).await?;
    let answer = authenticate(engine, &socket, &hello, false).await?;
    let socket = Arc::new(socket);
    let (caught_at, no_last_resort) = (answer.next_seq, !answer.last_resort);
    {
        let mut core = engine.shared.core();
        core.note_server(&answer);
        core.note_own_age(&answer)?;
        core.db.retry_calls()?;
        core.step(|core| core.meet_mailbox(answer.first_seq, answer.next_seq))?;
        core.renew_tokens()?;
    }
    *engine.socket.lock().expect("no panic holds this lock") = Some(socket.clone());
    tolerate(check_policy(&engine.shared, &*socket, &hello.policy).await)?;
    tolerate(send_calls(&engine.shared, &*socket).await)?;
    tolerate(restock(&engine.shared, &*socket, no_last_resort).await)?;
    tolerate(settle_held(&engine.shared, &*socket).await)?;
    tolerate(check_statements(&engine.shared, &*socket).await)?;
    tolerate(run_errands(&engine.shared, &*socket).await)?;

    let mut flight = Flight::default();
    let (_watch, mut own_entry) = Watch::begin(engine, &socket);
    let mut own_looked_at = false;
    let own_patience = Instant::now() + OWN_PATIENCE;
    // Fixed times: a service that pushes without end puts off nothing.
    let mut stock_at = Instant::now() + STOCK;
    let mut tick_at = Instant::now() + TICK;
    let mut ready = false;
    loop {
        // Whoever gives one command is told what their own entry shows; but not for ever.
        own_looked_at |= Instant::now() >= own_patience;
        if !ready && own_looked_at && engine.shared.core().cursor()? >= caught_at {
            ready = true;
            engine.status.send_replace(Status::Ready);
            engine.bump();
        }
        // A device empties its mailbox before it sends.
        if ready {
            flight.launch(engine, &socket)?;
            ask_rejoins(engine, &socket).await?;
        }
        tokio::select! {
            biased;
            () = sleep_until(tick_at) => {
                tick_at = Instant::now() + TICK;
                tolerate(send_calls(&engine.shared, &*socket).await)?;
                tolerate(settle_held(&engine.shared, &*socket).await)?;
                tolerate(check_statements(&engine.shared, &*socket).await)?;
                tolerate(run_errands(&engine.shared, &*socket).await)?;
            }
            () = sleep_until(stock_at) => {
                stock_at = Instant::now() + STOCK;
                engine.shared.core().db.retry_calls()?;
                engine.shared.core().renew_tokens()?;
                tolerate(check_stock(&engine.shared, &*socket).await)?;
            }
            _ = &mut own_entry, if !own_looked_at => own_looked_at = true,
            push = pushed.recv() => match push {
                Some(Pushed::Mail(mail)) => take_mail(engine, &socket, &mut pushed, mail).await?,
                Some(Pushed::Over(error)) => return Err(error),
                None => return Err(Error::Offline("the connection ended".into())),
            },
            Some(outcome) = flight.next() => flight.land(engine, outcome)?,
            () = engine.poke.notified() => {
                tolerate(send_calls(&engine.shared, &*socket).await)?;
                engine.bump();
            }
            () = engine.stock.notified() => tolerate(check_stock(&engine.shared, &*socket).await)?,
        }
    }
}

async fn take_mail(
    engine: &Engine,
    socket: &Socket,
    pushed: &mut Pushes,
    mut mail: v1::Deliver,
) -> Result<()> {
    // What is there already is taken in the same transaction.
    let mut over = None;
    while mail.entries.len() < BATCH && over.is_none() {
        match pushed.try_recv() {
            Some(Pushed::Mail(more)) => {
                mail.hour_keys.extend(more.hour_keys);
                mail.entries.extend(more.entries);
                mail.payloads.extend(more.payloads);
            }
            Some(Pushed::Over(error)) => over = Some(error),
            None => break,
        }
    }
    if let Some(seq) = receive(&engine.shared, socket, mail).await? {
        socket.tell(Call::Ack(v1::Ack { seq }));
    }
    tolerate(settle_held(&engine.shared, socket).await)?;
    tolerate(check_statements(&engine.shared, socket).await)?;
    tolerate(run_errands(&engine.shared, socket).await)?;
    engine.bump();
    tolerate(send_calls(&engine.shared, socket).await)?;
    over.map_or(Ok(()), Err)
}

/// A refusal of a side errand is no reason to take no mail: it is tried again later.
fn tolerate(result: Result<()>) -> Result<()> {
    match result {
        Err(error @ Error::Refused { .. }) => {
            tracing::debug!(%error, event = "put_off");
            Ok(())
        }
        other => other,
    }
}

async fn ask_rejoins(engine: &Engine, socket: &Socket) -> Result<()> {
    let due = engine.shared.core().due_rejoins()?;
    if due.is_empty() {
        return Ok(());
    }
    send_calls(&engine.shared, socket).await?;
    for request in due {
        if let Err(error) = socket.call("asking to be let in again", Call::RequestRejoin(request)).await {
            tracing::debug!(%error, event = "rejoin_refused");
        }
    }
    Ok(())
}

type Submission = std::pin::Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// Submissions under way. They are polled, and so put on the wire, in the order of the outbox.
#[derive(Default)]
struct Flight {
    under_way: FuturesOrdered<Submission>,
    rows: HashSet<i64>,
    /// Rows to leave alone until a time, because the server said so.
    paused: HashMap<i64, Instant>,
}

impl Flight {
    fn launch(&mut self, engine: &Arc<Engine>, socket: &Arc<Socket>) -> Result<()> {
        let now = Instant::now();
        self.paused.retain(|_, until| *until > now);
        let room = IN_FLIGHT.saturating_sub(self.rows.len());
        if room == 0 {
            return Ok(());
        }
        let busy: HashSet<i64> = self.rows.iter().chain(self.paused.keys()).copied().collect();
        for ready in engine.shared.core().ready(&busy, room)? {
            self.rows.insert(ready.row());
            let (engine, socket) = (engine.clone(), socket.clone());
            let submission: Submission =
                Box::pin(async move { submit(&engine.shared, &*socket, ready).await });
            self.under_way.push_back(submission);
        }
        Ok(())
    }

    async fn next(&mut self) -> Option<Outcome> {
        if self.under_way.is_empty() { std::future::pending().await } else { self.under_way.next().await }
    }

    fn land(&mut self, engine: &Engine, outcome: Outcome) -> Result<()> {
        self.rows.remove(&outcome.row);
        // Whoever waits for the row holds this too: they see both the row's end and the reason, or neither.
        let mut failures = engine.failures.lock().expect("no panic holds this lock");
        take_outcome(&engine.shared, &outcome)?;
        match outcome.result {
            // Whoever waits for it is told now, and why.
            Err(Error::Refused {
                code: code @ Code::RateLimited,
                retry_after_ms,
                doing,
                message,
                head_epoch,
            }) if retry_after_ms >= LONG_WAIT_MS => {
                let message = format!("{message}. It is kept, and goes out by itself then");
                let told = Error::Refused { doing, code, message, head_epoch, retry_after_ms };
                failures.insert(outcome.row, told);
            }
            Err(Error::Refused { code: Code::RateLimited, retry_after_ms, .. }) => {
                let wait = Duration::from_millis(retry_after_ms.clamp(100, 60_000));
                self.paused.insert(outcome.row, Instant::now() + wait);
            }
            Err(error @ (Error::Offline(_) | Error::Timeout { .. })) => return Err(error),
            Err(error) if error.is_passing() => {
                self.paused.insert(outcome.row, Instant::now() + Duration::from_secs(1));
            }
            Err(Error::Refused { code: Code::StaleEpoch, .. }) | Ok(()) => {}
            Err(error) => {
                failures.insert(outcome.row, error);
            }
        }
        drop(failures);
        engine.bump();
        Ok(())
    }
}
