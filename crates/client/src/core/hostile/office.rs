//! The service as a client calls it, and people who look each other up there. Between them is no network.

use std::{collections::HashMap, sync::Mutex as Held};

use tempfile::TempDir;
use tokio::sync::Mutex;
use zegel_directory::SignedPromise;
use zegel_identity::{Chain, SignedLink};
use zegel_proto::{
    AccountId, Code,
    v1::{self, client_frame::Body as Call, server_frame::Body as Answer},
};
use zeroize::Zeroizing;

use super::{
    registry::{DOMAIN, Registry, entry},
    world::clock,
};
use crate::{
    Error, Result,
    core::{Core, Me, NewAccount, directory::keep_first_promise},
    db::{Contact, Db},
    flow::{Link, Shared, check_due, check_own, know_handle},
};

/// What the service knows of an account.
#[derive(Clone)]
pub(super) struct Account {
    pub handle: String,
    pub links: Vec<SignedLink>,
    pub promise: Option<SignedPromise>,
}

/// Some calls.
pub(super) type Calls = fn(&Call) -> bool;

/// What the service says to some calls instead of the truth.
pub(super) type Odd = fn(&Call) -> Option<Result<Answer>>;

/// The service. An operator who lies swaps the directory, or what it says of an account.
pub(super) struct Office {
    pub registry: Mutex<Registry>,
    pub accounts: Held<HashMap<AccountId, Account>>,
    /// What it is too busy for.
    pub busy: Held<Option<Calls>>,
    /// What it answers amiss.
    pub odd: Held<Option<Odd>>,
    /// Which roots it was asked for.
    pub asked: Held<Vec<u64>>,
}

pub(super) fn refusal<T>(doing: &'static str, code: Code) -> Result<T> {
    let message = "no".to_owned();
    Err(Error::Refused { doing, code, message, head_epoch: 0, retry_after_ms: 0 })
}

fn refused<T>(doing: &'static str) -> Result<T> {
    refusal(doing, Code::NotFound)
}

impl Link for Office {
    async fn call(&self, doing: &'static str, body: Call) -> Result<Answer> {
        let busy = self.busy.lock().expect("no panic").is_some_and(|busy| busy(&body));
        if busy {
            return refusal(doing, Code::Internal);
        }
        if let Call::FetchRoot(call) = &body {
            self.asked.lock().expect("no panic").push(call.from);
        }
        let odd = self.odd.lock().expect("no panic").and_then(|odd| odd(&body));
        if let Some(odd) = odd {
            return odd;
        }
        let registry = self.registry.lock().await;
        match body {
            Call::FetchAccount(call) => {
                let found = {
                    let accounts = self.accounts.lock().expect("no panic");
                    let meant = |(id, account): &(&AccountId, &Account)| {
                        call.account == id.0.as_slice() || call.handle == account.handle
                    };
                    accounts.iter().find(meant).map(|(_, account)| account.clone())
                };
                let Some(Account { links, promise, .. }) = found else { return refused(doing) };
                Ok(Answer::Account(registry.answer(&links, promise.as_ref()).await))
            }
            Call::FetchRoot(v1::FetchRoot { from, to }) => {
                registry.roots(from, to).map_or_else(|| refused(doing), |answer| Ok(Answer::Root(answer)))
            }
            Call::FetchHistory(call) => {
                let answer = registry.history(&call.handle, call.most_recent).await;
                answer.map_or_else(|| refused(doing), |answer| Ok(Answer::History(answer)))
            }
            _ => refused(doing),
        }
    }
}

impl Office {
    pub async fn new() -> Self {
        Self {
            registry: Mutex::new(Registry::new().await),
            accounts: Held::default(),
            busy: Held::default(),
            odd: Held::default(),
            asked: Held::default(),
        }
    }

    /// The same people at a service with another directory.
    pub fn with(&self, registry: Registry) -> Self {
        let accounts = self.accounts.lock().expect("no panic").clone();
        Self {
            registry: Mutex::new(registry),
            accounts: Held::new(accounts),
            busy: Held::default(),
            odd: Held::default(),
            asked: Held::default(),
        }
    }

    /// From now on, until told otherwise.
    pub fn answers(&self, odd: Option<Odd>) {
        *self.odd.lock().expect("no panic") = odd;
    }

    pub fn change(&self, account: AccountId, change: impl FnOnce(&mut Account)) {
        let mut accounts = self.accounts.lock().expect("no panic");
        change(accounts.get_mut(&account).expect("registered"));
    }

    pub fn links(&self, account: AccountId) -> Vec<SignedLink> {
        self.accounts.lock().expect("no panic")[&account].links.clone()
    }

    /// Publishes what is promised, as an honest service does.
    pub async fn publish(&self) {
        let mut entries = Vec::new();
        for account in self.accounts.lock().expect("no panic").values_mut() {
            entries.extend(account.promise.take().map(|kept| (kept.promise.label, kept.promise.entry)));
        }
        self.registry.lock().await.publish(&entries).await;
    }

    /// Adds a link that no chain can have.
    pub fn append_unchecked(&self, account: AccountId, link: SignedLink) {
        self.change(account, |account| account.links.push(link));
    }

    /// Takes one more link of an account, with a promise.
    pub async fn append(&self, account: AccountId, link: SignedLink) {
        let links = [self.links(account), vec![link]].concat();
        let promise = self.registry.lock().await.promise(entry(&links));
        self.change(account, |account| {
            account.links = links;
            account.promise = Some(promise);
        });
    }
}

/// A person's device.
pub(super) struct Person {
    pub shared: Shared,
    pub account: AccountId,
    _folder: TempDir,
}

impl Person {
    pub async fn registers(handle: &str, office: &Office) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let db = Db::open(&folder.path().join("profile"), &Zeroizing::new([1; 32])).expect("a profile");
        let new = NewAccount {
            handle: handle.into(),
            app: "zegel".into(),
            domain: DOMAIN.into(),
            server: "http://hostile.example".into(),
        };
        let (me, link) = Me::found(&db, &new, clock()).expect("an account");
        let (account, links) = (me.account, vec![link]);
        let promise = office.registry.lock().await.promise(entry(&links));
        let promised = v1::Promised { promise: Some((&promise).into()) };
        let chain = Chain::verify(&links).expect("a chain");
        keep_first_promise(&db, &chain, &promised, clock()).expect("kept");
        let kept = Account { handle: handle.into(), links, promise: Some(promise) };
        office.accounts.lock().expect("no panic").insert(account, kept);
        let shared = Shared::new(Core::new(db, me, clock));
        Self { shared, account, _folder: folder }
    }

    pub async fn knows(&self, handle: &str, office: &Office) -> Result<Contact> {
        let chain = know_handle(&self.shared, office, handle).await?;
        Ok(self.shared.core().db.contact(&chain.account())?.expect("known"))
    }

    pub async fn checks(&self, office: &Office) -> Result<()> {
        check_own(&self.shared, office).await?;
        check_due(&self.shared, office).await
    }

    /// The kinds of the alarms that were not acknowledged.
    pub fn alarms(&self) -> Vec<String> {
        let alarms = self.shared.core().db.alarms(false).expect("alarms");
        alarms.into_iter().map(|alarm| alarm.kind).collect()
    }

    pub fn trust(&self, handle: &str) -> &'static str {
        let contact = self.shared.core().db.contact_by_handle(handle).expect("the database");
        contact.expect("known").trust.word()
    }

    pub fn epoch(&self) -> u64 {
        self.shared.core().latest_root().expect("the database").expect("a view").root.epoch
    }
}
