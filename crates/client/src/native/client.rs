//! [`Client`]: open, register, connect, close.

use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use tokio::{
    sync::{Notify, watch},
    task::JoinHandle,
};
use zegel_identity::Chain;
use zegel_proto::v1::{self, client_frame::Body as Call, server_frame::Body as Answer};

use super::{
    link::Socket,
    profile::{Profile, clock},
    session::{Engine, Status, greet, run},
};
use crate::{
    Error, Result,
    core::{Core, Me as Identity, NewAccount, directory::keep_first_promise, keep_language},
    flow::{Link, Shared, unexpected},
};

/// How long a profile that another process uses is waited for.
const LOCK_PATIENCE: Duration = Duration::from_secs(10);

/// What a new account begins with.
#[derive(Clone, Debug)]
pub struct Registration {
    /// The public name: a-z, 0-9, '.', '_', '-'.
    pub handle: String,
    /// The declared age band.
    pub age: v1::AgeBand,
    /// BCP 47, for texts from the service.
    pub language: String,
    /// An invite code, where the service asks for one.
    pub invite: Option<String>,
}

/// A person's device: one profile folder and its connection. Dropping it disconnects.
pub struct Client {
    pub(super) engine: Arc<Engine>,
    profile: Profile,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Client {
    /// Makes an account at `server` (`http://…` or `https://…`) with a fresh profile in `home`.
    pub async fn register(home: &Path, server: &str, registration: &Registration) -> Result<Self> {
        let doing = "registering";
        zegel_proto::check_handle(&registration.handle)
            .map_err(|e| Error::usage(doing, e.to_string(), "another handle"))?;
        let profile = Profile::make(home, LOCK_PATIENCE)?;
        if profile.is_registered() && profile.core().is_ok() {
            let why = format!("{} holds an account already", home.display());
            return Err(Error::usage(doing, why, "another folder with --home"));
        }
        let (socket, _pushed, hello) = greet(server, &profile.extra_roots()).await?;
        let new = NewAccount {
            handle: registration.handle.clone(),
            app: hello.app.clone(),
            domain: hello.domain.clone(),
            server: server.trim_end_matches('/').to_owned(),
        };
        profile.erase()?;
        let db = profile.database(true)?;
        let (me, link) = Identity::found(&db, &new, clock())?;
        keep_language(&db, &registration.language)?;
        let call = Call::Register(v1::Register {
            app: hello.app,
            handle: new.handle,
            age_band: registration.age.into(),
            language: registration.language.clone(),
            invite: registration.invite.clone().unwrap_or_default(),
            entry: Some(link.clone().into()),
        });
        match socket.call(doing, call).await {
            Ok(Answer::Promised(promised)) => {
                let chain = Chain::verify(&[link]).map_err(|e| Error::protocol(doing, e))?;
                keep_first_promise(&db, &chain, &promised, clock())?;
            }
            Ok(_) => return unexpected(doing),
            // Only a clear refusal says that no account was made; after anything else the keys are kept.
            Err(error @ Error::Refused { .. }) => {
                drop(db);
                profile.erase()?;
                return Err(error);
            }
            Err(error) => return Err(error),
        }
        drop(socket);
        Ok(Self::start(profile, Core::new(db, me, clock)))
    }

    /// Opens the profile in `home` and connects in the background. One process at a time has a profile; another
    /// that can let go ([`Client::is_wanted`]) is asked to.
    pub async fn open(home: &Path) -> Result<Self> {
        Self::open_profile(home, LOCK_PATIENCE, true)
    }

    /// Like [`Client::open`], for who let go and wants to go on: waits as long as it takes, and asks nobody.
    pub async fn open_again(home: &Path) -> Result<Self> {
        loop {
            match Self::open_profile(home, Duration::ZERO, false) {
                Err(Error::InUse { .. }) => tokio::time::sleep(Duration::from_millis(50)).await,
                other => return other,
            }
        }
    }

    fn open_profile(home: &Path, patience: Duration, ask: bool) -> Result<Self> {
        let profile = Profile::open(home, patience, ask)?;
        let core = profile.core()?;
        Ok(Self::start(profile, core))
    }

    /// Whether another process of this person waits for the profile. Whoever has it only to show what comes
    /// closes it, and goes on with [`Client::open_again`].
    pub fn is_wanted(&self) -> bool {
        self.profile.is_wanted()
    }

    fn start(profile: Profile, core: Core) -> Self {
        let engine = Arc::new(Engine {
            shared: Shared::new(core),
            status: watch::Sender::default(),
            changed: watch::Sender::default(),
            poke: Notify::new(),
            stock: Notify::new(),
            socket: Mutex::default(),
            failures: Mutex::new(HashMap::new()),
            extra_roots: profile.extra_roots(),
        });
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(run(engine.clone(), stopped));
        Self { engine, profile, stop, task: Mutex::new(Some(task)) }
    }

    /// Disconnects and lets the profile go.
    pub async fn close(self) {
        self.stop.send_replace(true);
        let task = self.task.lock().expect("no panic holds this lock").take();
        if let Some(task) = task {
            let _ = task.await;
        }
    }

    /// A signal that counts up whenever there may be something new to show.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.engine.changed.subscribe()
    }

    /// Waits until all that waited in the mailbox is read.
    pub async fn caught_up(&self, patience: Duration) -> Result<()> {
        let mut status = self.engine.status.subscribe();
        let ready = async {
            loop {
                match &*status.borrow_and_update() {
                    Status::Ready => return Ok(()),
                    Status::Offline(Some(error)) if !error.is_passing() => return Err(again(error)),
                    _ => {}
                }
                if status.changed().await.is_err() {
                    return Err(Error::Offline("the client was closed".into()));
                }
            }
        };
        match tokio::time::timeout(patience, ready).await {
            Ok(result) => result,
            Err(_) => Err(match &*self.engine.status.borrow() {
                Status::Offline(Some(error)) => again(error),
                _ => Error::Timeout { doing: "reading the mailbox", seconds: patience.as_secs() },
            }),
        }
    }

    /// The connection, once everything that waited is read.
    pub(super) async fn connected(&self, patience: Duration) -> Result<Arc<Socket>> {
        self.caught_up(patience).await?;
        let socket = self.engine.socket.lock().expect("no panic holds this lock").clone();
        socket.ok_or_else(|| Error::Offline("the connection just ended".into()))
    }

    /// Deletes the profile from this device.
    pub(super) async fn erase(self) -> Result<()> {
        self.stop.send_replace(true);
        let task = self.task.lock().expect("no panic holds this lock").take();
        if let Some(task) = task {
            let _ = task.await;
        }
        self.profile.erase()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.stop.send_replace(true);
        if let Some(task) = self.task.lock().ok().and_then(|mut task| task.take()) {
            task.abort();
        }
    }
}

/// The same error for someone else who waits.
fn again(error: &Error) -> Error {
    match error {
        Error::Refused { doing, code, message, head_epoch, retry_after_ms } => Error::Refused {
            doing,
            code: *code,
            message: message.clone(),
            head_epoch: *head_epoch,
            retry_after_ms: *retry_after_ms,
        },
        Error::Protocol { doing, why } => Error::Protocol { doing, why: why.clone() },
        Error::Offline(why) => Error::Offline(why.clone()),
        other => Error::Offline(other.to_string()),
    }
}
