//! Sockets: what connects, and what the service is told and asked through it.
//!
//! *Invariant:* nothing here decides what is allowed; it moves frames between sockets and the service. A
//! connection that waits holds no buffer, and one that does not read holds a bounded one.

mod calls;
mod connection;
mod delivery;
mod directory;
mod forwarded;
pub mod frames;
mod http;
mod listen;
mod report;
mod safety;
mod tend;
mod tls;
mod transport;
mod wire;

use std::{
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::watch,
    time::{Instant, sleep},
};
use zegel_desk::{Origin, OriginError};

use crate::{
    blobs::Blobs,
    config::Config,
    hub::Hub,
    keys::KeyRing,
    service::{DirectoryError, Service},
    store::{SqliteStore, Store, StoreError},
};

pub use listen::ListenError;
pub use tls::TlsError;

/// How long connections may take to hear that the server stops.
const FAREWELL: Duration = Duration::from_secs(10);

/// What a server is started with.
#[derive(Debug)]
pub struct Start {
    /// The data folder.
    pub data: PathBuf,
    /// The key file, outside the data folder.
    pub keys: PathBuf,
    /// Where to listen, `ADDRESS:PORT`; port 0 picks a free one.
    pub listen: String,
    /// Limits, retention, registration, TLS.
    pub config: Config,
}

/// Why the server cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The data folder.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The key file.
    #[error(transparent)]
    Keys(#[from] crate::keys::KeyFileError),
    /// Data without its keys: a fresh key file could open nothing of it.
    #[error(
        "while opening the key file: {keys} is not there, but the data folder is in use; try the --keys that the \
         service was started with"
    )]
    LostKeys {
        /// Where it was looked for.
        keys: String,
    },
    /// The key directory.
    #[error(transparent)]
    Directory(#[from] DirectoryError),
    /// The folder of blobs.
    #[error("while opening the blobs of the data folder: {0}; try a folder that this user may write")]
    Blobs(String),
    /// The socket.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Where the desk is opened.
    #[error(transparent)]
    Desk(#[from] OriginError),
    /// The metrics registry.
    #[error("while preparing metrics: {0}; try one server in each process")]
    Metrics(String),
    /// The operating system's signals.
    #[error("while listening for signals: {0}; try again")]
    Signals(std::io::Error),
}

/// What all connections of a server share.
pub(crate) struct Shared {
    service: Arc<Service>,
    store: Arc<dyn Store>,
    hub: Arc<Hub>,
    authenticate_within: Duration,
    proxies: forwarded::Proxies,
    /// Becomes true once, when the server is to stop.
    stop: watch::Receiver<bool>,
    connections: AtomicUsize,
    /// Counts up with every call: tells idle from busy.
    work: AtomicU64,
    report: report::Report,
}

/// Runs a server until it is told to stop (SIGTERM or SIGINT). Prints one line when it is ready.
pub async fn serve(start: Start) -> Result<(), ServeError> {
    let mut stops = Stops::listen().map_err(ServeError::Signals)?;
    // Each connection is a file to the operating system; the soft limit is often 1024.
    if let Err(error) = rlimit::increase_nofile_limit(u64::MAX) {
        tracing::warn!(%error, "while raising the limit of open files; many connections may not fit");
    }
    let report = report::Report::install().map_err(ServeError::Metrics)?;
    if start.data.join("zegel.db").exists() && !start.keys.exists() {
        return Err(ServeError::LostKeys { keys: start.keys.display().to_string() });
    }
    // The keys first: a start that fails over them leaves no data that would want others.
    let keys = KeyRing::load_or_create(&start.keys, &start.data, &start.config.domain)?;
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&start.data)?);
    let blobs = Blobs::open(&start.data.join("blobs")).map_err(|e| ServeError::Blobs(e.to_string()))?;
    let tls = start.config.tls.clone().map(tls::Identity::load).transpose()?;
    let listener = listen::bind(&start.listen)?;
    let scheme = if tls.is_some() { "https" } else { "http" };
    let desk = start.config.desk.origin.clone();
    let desk = desk.unwrap_or_else(|| format!("{scheme}://localhost:{}", listener.address.port()));
    let desk = Origin::parse(&desk)?;

    let hub = Arc::new(Hub::default());
    let authenticate_within = Duration::from_secs(start.config.limits.authenticate_seconds);
    let sweep_every = Duration::from_secs(start.config.retention.sweep_seconds.max(1));
    let publish_every = Duration::from_millis(start.config.directory.epoch_ms.clamp(100, 60_000));
    let proxies = forwarded::Proxies::new(&start.config.trusted_proxies);
    let service = Service::start(store.clone(), keys, start.config, hub.clone(), blobs).await?;
    let (stop_now, stop) = watch::channel(false);
    let shared = Arc::new(Shared {
        service,
        store,
        hub,
        authenticate_within,
        proxies,
        stop,
        connections: AtomicUsize::new(0),
        work: AtomicU64::new(0),
        report,
    });
    let background = tend::start(&shared, start.keys, start.data, [publish_every, sweep_every]);

    println!("listening on {scheme}://{}", listener.address);
    let accepting = tokio::spawn(listen::accept(shared.clone(), listener, tls, desk));
    stops.wait().await;

    tracing::info!("stopping");
    accepting.abort();
    let _ = stop_now.send(true);
    let until = Instant::now() + FAREWELL;
    while shared.connections.load(Relaxed) > 0 && Instant::now() < until {
        sleep(Duration::from_millis(20)).await;
    }
    background.into_iter().for_each(|task| task.abort());
    let store = shared.store.clone();
    let _ = tokio::task::spawn_blocking(move || store.close()).await;
    Ok(())
}

struct Stops(Signal, Signal);

impl Stops {
    fn listen() -> std::io::Result<Self> {
        Ok(Self(signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?))
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.0.recv() => {}
            _ = self.1.recv() => {}
        }
    }
}
