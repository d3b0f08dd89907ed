//! The rules of the service, written once against [`crate::store::Tx`].
//!
//! *Invariant:* every answer that depends on what another person decided (a block, an age band, an
//! introduction not accepted) looks the same either way.

mod accounts;
mod address_value;
mod addresses;
mod age;
mod answers;
mod cases;
mod chains;
mod contacts;
pub(crate) mod desk;
mod directory;
mod facts;
mod files;
mod handles;
mod holding;
mod hour_keys;
mod introduce;
mod invites;
mod key_packages;
mod limits;
mod mailboxes;
mod person;
mod post;
mod refusal;
mod rejoin;
mod rules;
mod safety;
mod seal;
mod session;
mod signals;
mod strangers;
mod submission;
mod submit;
mod tend;

use std::sync::{Arc, RwLock, atomic::AtomicU64};

use zegel_directory::SignedPromise;
use zegel_proto::v1::{self, client_frame as ask, server_frame as tell};
use zegel_safety::Policy;

use crate::{blobs::Blobs, config::Config, hub::Hub, keys::KeyRing, store::Store};
use answers::Answers;
use directory::Directory;
use hour_keys::HourKeys;
use limits::Limits;
use post::PostOffice;
use refusal::Refusal;
use signals::Watch;
use strangers::Strangers;

pub(crate) use accounts::HOW_TO_APPEAL;
pub use desk::Desk;
pub use directory::DirectoryError;
pub(crate) use directory::faults;
pub use handles::skeleton;
pub(crate) use holding::holding;
pub(crate) use safety::Kept;
pub use session::Session;

/// The service.
pub struct Service {
    store: Arc<dyn Store>,
    keys: RwLock<Arc<KeyRing>>,
    config: Config,
    safety: Arc<Policy>,
    /// [`Policy::hash`] of it: every greeting says it.
    safety_hash: bytes::Bytes,
    policies: Vec<Kept>,
    blobs: Blobs,
    limits: Arc<Limits>,
    strangers: Arc<Strangers>,
    office: PostOffice,
    directory: Directory,
    watch: Arc<Watch>,
    foreign: AtomicU64,
}

impl Service {
    /// Starts the service on a store. What the key directory owes since the server was last stopped is published
    /// first: it is late.
    ///
    /// # Errors
    /// If the store fails, or the key directory cannot be opened.
    pub async fn start(
        store: Arc<dyn Store>,
        keys: KeyRing,
        config: Config,
        hub: Arc<Hub>,
        blobs: Blobs,
    ) -> Result<Arc<Self>, DirectoryError> {
        let directory = Directory::open(store.clone(), &keys, config.directory.cache_mib << 20).await?;
        tend::make_sink(&*store);
        let foreign = AtomicU64::new(store.foreign_changes().unwrap_or_default());
        let policies = safety::note_policy(&*store, &config.safety).await?;
        let unaccepted_entries = config.limits.unaccepted_entries;
        let (watch, looks) = Watch::new();
        let keys = Arc::new(keys);
        let service = Arc::new(Self {
            store,
            keys: RwLock::new(keys.clone()),
            limits: Arc::new(Limits::new(&config.limits)),
            strangers: Arc::default(),
            safety_hash: bytes::Bytes::copy_from_slice(&config.safety.hash()),
            safety: Arc::new(config.safety.clone()),
            policies,
            config,
            blobs,
            office: PostOffice {
                hours: Arc::new(HourKeys::new(&keys)),
                answers: Arc::new(Answers::default()),
                hub,
                unaccepted_entries,
                runtime: tokio::runtime::Handle::current(),
            },
            directory,
            watch: Arc::new(watch),
            foreign,
        });
        rules::follow(&service, looks);
        service.publish_all().await;
        Ok(service)
    }

    /// Puts another key ring in use: after a rotation.
    ///
    /// # Errors
    /// If it is not that of this key directory. Then the one in use stays.
    pub fn reload(&self, keys: KeyRing) -> Result<(), DirectoryError> {
        directory::continues(&keys, &self.keys())?;
        *self.keys.write().expect("no panic holds this lock") = Arc::new(keys);
        Ok(())
    }

    fn keys(&self) -> Arc<KeyRing> {
        self.keys.read().expect("no panic holds this lock").clone()
    }

    /// Answers one call. Nothing is answered to an `Ack` that was taken. A call that writes reaches the store
    /// the first time it is polled, so that calls are stored in the order in which they are started.
    pub async fn call(&self, session: &mut Session, body: ask::Body) -> Option<tell::Body> {
        match self.answer(session, body).await {
            Ok(answer) => answer,
            Err(refusal) => Some(tell::Body::Error(refusal.into())),
        }
    }

    async fn answer(&self, session: &mut Session, body: ask::Body) -> Result<Option<tell::Body>, Refusal> {
        let greeting = matches!(body, ask::Body::Hello(_));
        session.expect_greeting(greeting)?;
        self.may_ask(session, &body).await?;
        let done = tell::Body::Done(v1::Done::default());
        let answer = match body {
            ask::Body::Hello(call) => tell::Body::Hello(self.hello(session, &call)?),
            ask::Body::Register(call) => self.register(session, call).await.map(promised)?,
            ask::Body::Authenticate(call) => {
                tell::Body::Authenticated(self.authenticate(session, call).await?)
            }
            ask::Body::FetchAccount(call) => tell::Body::Account(self.fetch_account(session, call).await?),
            ask::Body::FetchRoot(call) => tell::Body::Root(self.fetch_root(session, call).await?),
            ask::Body::FetchHistory(call) => tell::Body::History(self.fetch_history(session, call).await?),
            ask::Body::AppendChain(call) => self.append_chain(session, call).await.map(promised)?,
            ask::Body::FetchKeyPackages(call) => {
                tell::Body::KeyPackages(self.fetch_key_packages(session, call).await?)
            }
            ask::Body::PublishKeyPackages(call) => {
                let key_packages = self.publish_key_packages(session, call).await?;
                tell::Body::Done(v1::Done { key_packages })
            }
            ask::Body::Submit(call) => tell::Body::Submitted(self.submit(session, call).await?),
            ask::Body::Ack(call) => {
                self.ack(session, call).await?;
                return Ok(None);
            }
            ask::Body::BindAddress(call) => self.bind_address(session, call).await.map(|()| done)?,
            ask::Body::DeleteAddresses(call) => self.delete_addresses(session, call).await.map(|()| done)?,
            ask::Body::AcceptAddress(call) => self.accept_address(session, call).await.map(|()| done)?,
            ask::Body::EndBinding(call) => self.end_binding(session, call).await.map(|()| done)?,
            ask::Body::Block(call) => self.block(session, call).await.map(|()| done)?,
            ask::Body::PutToken(call) => self.put_token(session, call).await.map(|()| done)?,
            ask::Body::DropTokens(call) => self.drop_tokens(session, call).await.map(|()| done)?,
            ask::Body::PutBlob(call) => self.put_blob(session, call).await.map(|()| done)?,
            ask::Body::GetBlob(call) => tell::Body::BlobPart(self.get_blob(session, call).await?),
            ask::Body::RequestRejoin(call) => self.request_rejoin(session, call).await.map(|()| done)?,
            ask::Body::DeleteAccount(call) => self.delete_account(session, call).await.map(|()| done)?,
            ask::Body::FetchHolding(_) => tell::Body::Holding(self.fetch_holding(session).await?),
            ask::Body::Report(call) => tell::Body::Report(self.report(session, call).await?),
            ask::Body::FetchReports(_) => tell::Body::Reports(self.fetch_reports(session).await?),
            ask::Body::FetchStatements(_) => tell::Body::Statements(self.fetch_statements(session).await?),
            ask::Body::ChangeAge(call) => self.change_age(session, call).await.map(|()| done)?,
            ask::Body::SetGuardian(call) => self.set_guardian(session, call).await.map(|()| done)?,
            ask::Body::FetchPolicy(_) => tell::Body::Policy(self.fetch_policy(session)?),
            ask::Body::Appeal(call) => self.appeal(session, call).await.map(|()| done)?,
        };
        Ok(Some(answer))
    }
}

fn promised(promise: SignedPromise) -> tell::Body {
    tell::Body::Promised(v1::Promised { promise: Some((&promise).into()) })
}
