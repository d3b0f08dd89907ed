//! The key directory, as those see it who hold it to its word.

mod observer;
mod service_help;

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use observer::{Asks, Observer, promise_in, roots};
use service_help::*;
use zegel_directory::{Entry, Found, Label, Lie, SignedPromise, View};
use zegel_identity::{Action, Chain, DeviceInfo, new_signing_key};
use zegel_proto::{
    AccountId, Code, DeviceId,
    v1::{self, client_frame as ask, server_frame as tell},
};
use zegel_server::{
    config::{Config, Rate},
    keys::KeyRing,
    service::{Service, Session},
    store::{Done, Job, Store, StoreError, StoreResult},
};

const WIDE: Rate = Rate { burst: 1 << 30, per_hour: 1 << 30 };

fn wide() -> Config {
    let mut config = Config::default();
    config.limits.lookup_per_account = WIDE;
    config.limits.lookup_per_address = WIDE;
    config.limits.register_per_address = WIDE;
    config.limits.connect_per_address = WIDE;
    config
}

struct Caller(Arc<Service>, Session);

impl Asks for Caller {
    async fn ask(&mut self, body: ask::Body) -> tell::Body {
        self.0.call(&mut self.1, body).await.expect("an answer")
    }
}

async fn caller(world: &World) -> Caller {
    Caller(world.service.clone(), world.session().await)
}

async fn observer(world: &World) -> Observer<Caller> {
    Observer::begin(caller(world).await).await
}

fn promised(answer: Answer) -> SignedPromise {
    promise_in(&answer.expect("taken").expect("an answer"))
}

#[tokio::test]
async fn a_promise_comes_at_once_and_the_proof_with_the_next_epoch() {
    let world = World::with(wide()).await;
    let mut observer = observer(&world).await;
    assert_eq!(observer.epoch(), 0);
    let mut alice = Person::unregistered(&world, "alice").await;
    let promise = promised(alice.register(v1::AgeBand::Adult, "").await);
    let entry = Entry::of(&Chain::verify(&alice.chain).expect("a chain"));
    assert_eq!(observer.view.promised("alice", &promise), Ok(entry));
    assert_eq!(observer.view.promised("bob", &promise), Err(Lie::Promise));
    assert_eq!(promise.promise.by_epoch, 2);
    let seen = observer.look_at("alice").await.expect("there");
    assert!(seen.found.is_none());
    assert_eq!(seen.promised, Some(promise.clone()), "the same one, signed again");

    assert!(!world.service.publish_due().await.expect("published"), "nothing more waits");
    let seen = observer.look_at("alice").await.expect("there");
    assert_eq!(seen.found, Some(Found { entry, version: 1, epoch: 1 }));
    assert!(seen.promised.is_none());
    // Nothing is owed: no epoch.
    world.service.publish_due().await.expect("done");
    observer.advance(0).await.expect("the same");
    assert_eq!(observer.epoch(), 1);
    assert_eq!(observer.look_at("nobody").await.err(), Some(Code::NotFound));
    assert_eq!(observer.history("nobody", 0).await.err(), Some(Code::NotFound));
}

#[tokio::test]
async fn every_change_of_a_chain_is_promised_and_becomes_history() {
    let world = World::with(wide()).await;
    let mut observer = observer(&world).await;
    let mut alice = world.adult("alice").await;
    world.service.publish_all().await;
    let phone = alice.sibling(&world).await;
    let seen = observer.look_at("alice").await.expect("there");
    assert_eq!(seen.found.map(|found| found.entry.len), Some(1));
    let first = seen.promised.expect("promised").promise;
    assert_eq!((first.entry.len, first.by_epoch), (2, 3));
    // Another one before the epoch: one entry says both.
    let revoke = alice.signs(alice.head(), Action::RevokeDevice(phone.device));
    let second = promised(alice.append(revoke).await);
    assert_eq!((second.promise.entry.len, second.promise.by_epoch), (3, 3));
    assert!(second.promise.made_ms > first.made_ms);
    world.service.publish_all().await;
    let seen = observer.look_at("alice").await.expect("there");
    assert_eq!((seen.chain.len(), seen.found.map(|found| found.version)), (3, Some(2)));
    let history = observer.history("alice", 0).await.expect("there");
    let lens: Vec<_> = history.iter().map(|found| (found.version, found.entry.len, found.epoch)).collect();
    assert_eq!(lens, [(2, 3, 2), (1, 1, 1)]);
    assert_eq!(observer.history("alice", 1).await.expect("there"), history[..1]);
}

#[tokio::test]
async fn a_deleted_account_leaves_a_tombstone_that_is_proven() {
    let world = World::with(wide()).await;
    let mut observer = observer(&world).await;
    let (mut alice, mut bob) = (world.adult("alice").await, world.adult("bob").await);
    world.service.publish_all().await;
    let delete = |handle: &str| ask::Body::DeleteAccount(v1::DeleteAccount { handle: handle.into() });
    alice.call(delete("alice")).await.expect("deleted");
    let by_id = |id: AccountId| v1::FetchAccount { account: id.to_field(), ..Default::default() };
    let seen = observer.look(by_id(alice.account)).await.expect("there");
    assert!(seen.promised.expect("promised").promise.entry.ended);
    assert!(!seen.found.expect("proven").entry.ended, "not yet");
    world.service.publish_all().await;
    let found = observer.look(by_id(alice.account)).await.expect("there").found.expect("proven");
    assert!(found.entry.ended);
    assert_eq!((found.entry.account, found.entry.len, found.version), (alice.account, 1, 2));
    assert_eq!(observer.history("alice", 0).await.expect("there").len(), 2);
    assert_eq!(observer.look_at("alice").await.err(), Some(Code::NotFound));

    // Published for the first time when it is gone already, with a chain that a sweep would take.
    let mut carol = world.adult("carol").await;
    carol.call(delete("carol")).await.expect("deleted");
    bob.call(delete("bob")).await.expect("deleted");
    let ids = [bob.account, carol.account];
    let long_ago = zegel_server::clock::Now::get().day() - 1000;
    world.write(move |tx| ids.iter().try_for_each(|id| tx.remove_account(id, long_ago))).await;
    world.service.sweep_once().await;
    world.service.publish_all().await;
    for handle in ["bob", "carol"] {
        let history = observer.history(handle, 0).await.expect("there");
        assert!(history[0].entry.ended, "{handle}");
    }
    world.service.sweep_once().await;
    assert_eq!(
        observer.look(by_id(carol.account)).await.err(),
        Some(Code::NotFound),
        "swept when it was said"
    );
}

/// Chains grow, epochs are published and people look, all at once: every answer is proven or promised.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn whoever_looks_while_everything_changes_can_verify_it() {
    let world = World::with(wide()).await;
    let mut people = Vec::new();
    for n in 0..4 {
        people.push(world.adult(&format!("person{n}")).await);
    }
    let stop = Arc::new(AtomicBool::new(false));
    let service = world.service.clone();
    let done = stop.clone();
    let publisher = tokio::spawn(async move {
        while !done.load(Relaxed) {
            // Two at once take turns.
            let (one, two) = tokio::join!(service.publish_due(), service.publish_due());
            one.and(two).expect("published");
            tokio::task::yield_now().await;
        }
        service.publish_due().await.expect("published");
    });
    let mut lookers = tokio::task::JoinSet::new();
    for n in 0..2 {
        let (mut observer, done) = (observer(&world).await, stop.clone());
        lookers.spawn(async move {
            let (mut promised, mut proven) = (0, 0);
            while !done.load(Relaxed) {
                for who in [n, n + 2] {
                    let seen = observer.look_at(&format!("person{who}")).await.expect("there");
                    *if seen.promised.is_some() { &mut promised } else { &mut proven } += 1;
                }
            }
            (promised, proven)
        });
    }
    let mut growing = tokio::task::JoinSet::new();
    for mut person in people {
        growing.spawn(async move {
            for _ in 0..20 {
                let (id, key) = (DeviceId::random(), new_signing_key());
                let info = DeviceInfo::new(&person.account, id, &key, person.queue_key.clone());
                for action in [Action::AddDevice(info), Action::RevokeDevice(id)] {
                    let link = person.signs(person.head(), action);
                    promised(person.append(link).await);
                }
            }
            person
        });
    }
    let people = growing.join_all().await;
    stop.store(true, Relaxed);
    publisher.await.expect("published");
    for (promised, proven) in lookers.join_all().await {
        assert!(promised > 0 && proven + promised > 10, "{promised} {proven}");
    }
    world.service.publish_all().await;
    let mut observer = observer(&world).await;
    for person in people {
        let seen = observer.look_at(&person.handle).await.expect("there");
        assert_eq!((seen.chain.len(), seen.found.expect("proven").entry.len), (41, 41));
    }
}

#[tokio::test]
async fn roots_prove_that_they_are_one_history() {
    let mut world = World::with(wide()).await;
    let observer = observer(&world).await;
    for n in 0..9 {
        world.adult(&format!("person{n}")).await;
        world.service.publish_all().await;
    }
    let old = observer.view.clone();
    world.restart(wide()).await;
    let mut observer = observer.on(caller(&world).await);
    observer.advance(0).await.expect("one history");
    assert_eq!(observer.epoch(), 9);
    let ask = async |from, to| roots(&mut caller(&world).await, from, to).await;
    for (from, to) in [(9, 3), (8, 0), (7, 6), (1, 0), (5, 5)] {
        let (root, path, _) = ask(from, Some(to)).await.expect("there");
        let (then, _, _) = ask(to.max(1), None).await.expect("there");
        let hash = if to == 0 { old.latest().root.hash() } else { then.root.hash() };
        assert_eq!(root.root.ancestor(to, &path), Some(hash), "{from} {to}");
    }
    assert_eq!(ask(10, None).await.err(), Some(Code::NotFound));
    assert_eq!(ask(0, Some(10)).await.err(), Some(Code::NotFound));
    assert_eq!(ask(3, Some(4)).await.err(), Some(Code::BadRequest));
}

#[tokio::test]
async fn a_new_signing_key_is_followed() {
    let world = World::with(wide()).await;
    let mut observer = observer(&world).await;
    world.adult("alice").await;
    world.service.publish_all().await;
    world.adult("bob").await;
    let mut keys = world.keys();
    assert_eq!(keys.rotate_directory().expect("rotated"), 1);
    world.service.reload(keys).expect("of this directory");
    // A promise made before is signed anew, and the newest root is still the old key's.
    observer.advance(0).await.expect("the keys, too");
    let seen = observer.look_at("bob").await.expect("there");
    assert_eq!(seen.promised.expect("promised").signer, 1);
    world.service.publish_all().await;
    observer.look_at("bob").await.expect("there");
    assert_eq!(observer.view.latest().root.signer, 1);
    // One who never heard of the new key does not take it for granted.
    let mut other = caller(&world).await;
    let (root, path, mut signers) = roots(&mut other, 0, Some(1)).await.expect("a root");
    let (first, _, _) = roots(&mut other, 1, None).await.expect("a root");
    let mut view = View::begin("localhost", &signers[..1], first).expect("a directory");
    assert_eq!(view.advance(root.clone(), &path), Err(Lie::Signature));
    signers[1].endorsement[0] ^= 1;
    assert!(view.learn_signers(&signers).is_err());
    signers[1].endorsement[0] ^= 1;
    view.learn_signers(&signers).expect("named by the first");
    view.advance(root, &path).expect("one history");
}

#[tokio::test]
async fn what_contradicts_itself_is_not_served() {
    let world = World::with(wide()).await;
    world.adult("alice").await;
    world.service.publish_all().await;
    world.adult("bob").await;
    let (dir, hub, store) = (&world.dir, world.hub.clone(), world.store.clone());
    let start = async |keys: &str| {
        let data = dir.path().join("data");
        let ring = KeyRing::load_or_create(&dir.path().join(keys), &data, "localhost");
        let blobs = zegel_server::blobs::Blobs::open(&data.join("blobs")).expect("blobs");
        let started = Service::start(store.clone(), ring.expect("keys"), wide(), hub.clone(), blobs).await;
        started.map(drop).map_err(|error| error.to_string())
    };
    start("keys.toml").await.expect("nothing is wrong, and what is owed is published");
    let mut observer = observer(&world).await;
    observer.advance(0).await.expect("a root");
    assert_eq!(observer.epoch(), 2);
    let (others, data) = (dir.path().join("others.toml"), dir.path().join("data"));
    let others = KeyRing::load_or_create(&others, &data, "localhost").expect("keys");
    assert!(world.service.reload(others).is_err(), "while it runs");
    let why = start("others.toml").await.expect_err("another directory's keys");
    assert!(why.contains("key file"), "{why}");
    let raw = rusqlite::Connection::open(dir.path().join("data/zegel.db")).expect("opened");
    raw.execute("DELETE FROM directory_root WHERE epoch = 2", []).expect("deleted");
    let why = start("keys.toml").await.expect_err("its tree is newer");
    assert!(why.contains("not the root of its tree"), "{why}");
    raw.execute("DELETE FROM directory_root", []).expect("deleted");
    assert!(start("keys.toml").await.is_err(), "a tree and no root");
}

/// A store whose disk is full when it is said to be.
struct Failing(Arc<dyn Store>, AtomicBool);

impl Store for Failing {
    fn write_job(&self, job: Job, done: Done) {
        match self.1.load(Relaxed) {
            true => done(Err(StoreError::Full)),
            false => self.0.write_job(job, done),
        }
    }
    fn read_job(&self, job: Job, done: Done) {
        self.0.read_job(job, done);
    }
    fn backup(&self, to: &std::path::Path) -> StoreResult<()> {
        self.0.backup(to)
    }
    fn verify(&self) -> StoreResult<Vec<String>> {
        self.0.verify()
    }
    fn foreign_changes(&self) -> StoreResult<u64> {
        self.0.foreign_changes()
    }
    fn settle(&self) -> StoreResult<()> {
        self.0.settle()
    }
    fn close(&self) {
        self.0.close();
    }
}

#[tokio::test]
async fn an_epoch_that_cannot_be_stored_never_was() {
    let mut world = World::new().await;
    let failing = Arc::new(Failing(world.store.clone(), AtomicBool::new(false)));
    world.store = failing.clone();
    world.restart(wide()).await;
    let mut observer = observer(&world).await;
    world.adult("alice").await;
    failing.1.store(true, Relaxed);
    for _ in 0..2 {
        let error = world.service.publish_due().await.expect_err("full").to_string();
        assert!(error.contains("the disk is full"), "{error}");
        let seen = observer.look_at("alice").await.expect("there");
        assert!(seen.found.is_none() && seen.promised.is_some());
        assert_eq!(observer.epoch(), 0);
    }
    failing.1.store(false, Relaxed);
    world.service.publish_due().await.expect("published");
    let seen = observer.look_at("alice").await.expect("there");
    assert_eq!((observer.epoch(), seen.found.expect("proven").version), (1, 1));
}

#[tokio::test]
async fn a_label_names_one_handle_of_one_domain() {
    let world = World::with(wide()).await;
    let observer = observer(&world).await;
    assert_eq!(observer.view.label("alice"), Label::of("localhost", "alice"));
    assert_ne!(observer.view.label("alice"), Label::of("elsewhere.example", "alice"));
}
