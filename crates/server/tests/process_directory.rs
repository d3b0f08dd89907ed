//! The key directory of the real program: on time, over HTTP, and one history through kills, rotations and backups.

mod observer;
mod process;

use std::{
    fs,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use observer::{Asks, Observer, promise_in, roots_in};
use process::{Client, Person, Place, Server, WIDE};
use tokio::time::sleep;
use zegel_directory::{SignedPromise, SignedRoot, verify_append_only};
use zegel_proto::{
    Message as _,
    v1::{self, client_frame as ask, server_frame as tell},
};

/// Epochs of a tenth of a second.
const QUICK: &str =
    "lookup_per_address = { burst = 1000000, per_hour = 1000000 }\n[directory]\nepoch_ms = 100\n";

impl Asks for Client {
    async fn ask(&mut self, body: ask::Body) -> tell::Body {
        self.call(body).await
    }
}

fn quick() -> Place {
    let place = Place::new();
    place.configure(&format!("{WIDE}{QUICK}"));
    place
}

async fn observer(server: &Server) -> Observer<Client> {
    Observer::begin(Client::greeted(server).await.0).await
}

async fn register(server: &Server, handle: &str) -> SignedPromise {
    let (mut client, _) = Client::greeted(server).await;
    promise_in(&client.call(Person::new(handle).registration("")).await)
}

/// Waits until a handle is proven.
async fn proven(observer: &mut Observer<Client>, handle: &str) {
    let until = Instant::now() + Duration::from_secs(20);
    while observer.look_at(handle).await.expect("there").promised.is_some() {
        assert!(Instant::now() < until, "{handle} is promised and never proven");
        sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn usable_at_once_and_proven_soon() {
    let place = quick();
    let server = place.start();
    let mut observer = observer(&server).await;
    let begun = Instant::now();
    let promise = register(&server, "alice").await;
    observer.look_at("alice").await.expect("promised or proven");
    assert!(begun.elapsed() < Duration::from_secs(1), "{:?}", begun.elapsed());
    proven(&mut observer, "alice").await;
    assert!(observer.epoch() <= promise.promise.by_epoch);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    // Without a change there is no epoch.
    let epoch = observer.epoch();
    sleep(Duration::from_millis(400)).await;
    observer.advance(0).await.expect("the same");
    assert_eq!(observer.epoch(), epoch);
    let (_, metrics) = server.get("/metrics");
    for line in ["zegel_directory_epoch 1", "zegel_directory_pending 0", "zegel_directory_publish_seconds"] {
        assert!(metrics.contains(line), "{line}\n{metrics}");
    }
    server.stop();
}

/// What the server acknowledged before it was killed is in the directory when it answers again, and whoever saw a root
/// before sees the same history.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_server_keeps_its_promises_and_its_history() {
    let place = quick();
    let mut seen: Option<Observer<Client>> = None;
    let mut kept = 0;
    let promises: Arc<Mutex<Vec<(String, SignedPromise)>>> = Arc::default();
    for round in 0..8 {
        let server = place.start();
        let client = Client::greeted(&server).await.0;
        let mut observer = match seen.take() {
            Some(observer) => observer.on(client),
            None => Observer::begin(client).await,
        };
        observer.advance(0).await.expect("one history");
        let made = std::mem::take(&mut *promises.lock().expect("a lock"));
        kept += made.len();
        for (handle, promise) in &made {
            let seen = observer.look_at(handle).await.expect("there");
            assert_eq!(seen.found.map(|found| found.entry), Some(promise.promise.entry), "late: {handle}");
        }
        let mut people = tokio::task::JoinSet::new();
        for thread in 0..3 {
            let (mut client, _) = Client::greeted(&server).await;
            let promises = promises.clone();
            people.spawn(async move {
                for n in 0.. {
                    let handle = format!("p{round}x{thread}x{n}");
                    let Some(answer) = client.try_call(Person::new(&handle).registration("")).await else {
                        return;
                    };
                    promises.lock().expect("a lock").push((handle, promise_in(&answer)));
                }
            });
        }
        // Roots that others see while it goes on.
        let until = Instant::now() + Duration::from_millis(rand::random_range(150..700));
        while Instant::now() < until {
            observer.advance(0).await.expect("one history");
            sleep(Duration::from_millis(5)).await;
        }
        server.signal("-KILL");
        people.join_all().await;
        seen = Some(observer);
        drop(server);
    }
    assert_eq!(place.done(&["verify"]), "the store is sound");
    assert!(kept > 50, "{kept}");
    assert!(seen.is_some_and(|observer| observer.epoch() > 8));
}

#[tokio::test]
async fn auditors_fetch_roots_and_proofs_over_http() {
    let place = quick();
    let server = place.start();
    let mut observer = observer(&server).await;
    for handle in ["alice", "bob", "carol"] {
        register(&server, handle).await;
        proven(&mut observer, handle).await;
    }
    let fetch = |path: &str| {
        let (status, head, body) = server.fetch(path);
        assert_eq!(status, 200, "{path} {}", String::from_utf8_lossy(&body));
        (head, body)
    };
    let root_at = |path: &str| {
        let (head, body) = fetch(path);
        (head, roots_in(v1::RootAnswer::decode(&body[..]).expect("a RootAnswer")).0)
    };
    let (head, newest) = root_at("/v1/directory/root");
    assert!(head.contains("cache-control: no-cache"), "{head}");
    assert_eq!(&newest, observer.view.latest());
    let mut before: Option<SignedRoot> = None;
    for epoch in 0..=newest.root.epoch {
        let (head, root) = root_at(&format!("/v1/directory/root/{epoch}"));
        assert!(head.contains("immutable"), "{head}");
        if let Some(before) = before {
            assert_eq!((root.root.previous, root.root.epoch), (before.root.hash(), before.root.epoch + 1));
            let [old, new] = [before.root.tree, root.root.tree];
            let name =
                |old, new| format!("/v1/directory/audit/{epoch}/{}/{}", hex::encode(old), hex::encode(new));
            let (head, proof) = fetch(&name(old, new));
            assert!(head.contains("immutable"), "{head}");
            verify_append_only(epoch, &old, &new, &proof).expect("only added to");
            assert!(verify_append_only(epoch, &new, &old, &proof).is_err());
            assert_eq!(server.get(&name(new, old)).0, 404);
        }
        before = Some(root);
    }
    assert_eq!(before, Some(newest.clone()));
    for path in [
        format!("/v1/directory/root/{}", newest.root.epoch + 1),
        "/v1/directory/audit/0/00/00".into(),
        format!("/v1/directory/audit/{}/{}/{}", u64::MAX, "00".repeat(32), "00".repeat(32)),
        format!("/v1/directory/root/{}", u64::MAX),
    ] {
        assert_eq!(server.get(&path).0, 404, "{path}");
    }
    assert_eq!(server.get("/v1/directory/root/x").0, 400);
    server.stop();
}

#[tokio::test]
async fn the_directorys_key_rotates_beside_a_running_server() {
    let place = quick();
    let server = place.start();
    let mut observer = observer(&server).await;
    register(&server, "alice").await;
    proven(&mut observer, "alice").await;
    assert!(place.done(&["rotate-directory-key"]).starts_with("directory key 1 is in use"));
    for n in 0.. {
        let handle = format!("person{n}");
        register(&server, &handle).await;
        proven(&mut observer, &handle).await;
        if observer.view.latest().root.signer == 1 {
            break;
        }
        assert!(n < 50, "the new key is used");
        sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(place.done(&["verify"]), "the store is sound");
    server.stop();
    let copy = fs::read(place.keys()).expect("read");
    assert!(place.done(&["rotate-directory-key"]).starts_with("directory key 2 is in use"));
    let server = place.start();
    let mut observer = observer.on(Client::greeted(&server).await.0);
    register(&server, "bob").await;
    proven(&mut observer, "bob").await;
    assert_eq!(observer.view.latest().root.signer, 2);
    server.stop();
    fs::write(place.keys(), copy).expect("written");
    let said = place.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("an older copy"), "{said}");
}

#[tokio::test]
async fn a_backup_holds_the_directory_and_what_came_later_is_missed() {
    let place = quick();
    let server = place.start();
    let mut early = observer(&server).await;
    register(&server, "alice").await;
    proven(&mut early, "alice").await;
    let copy = place.path("copy");
    place.done(&["backup", copy.to_str().expect("UTF-8")]);
    let mut late = observer(&server).await;
    register(&server, "bob").await;
    proven(&mut late, "bob").await;
    server.stop();
    fs::remove_dir_all(place.data()).expect("the disk is lost");
    let said = place.done(&["restore", copy.to_str().expect("UTF-8")]);
    assert!(said.contains("is alarmed"), "{said}");
    assert_eq!(place.done(&["verify"]), "the store is sound");

    let server = place.start();
    let mut early = early.on(Client::greeted(&server).await.0);
    register(&server, "carol").await;
    proven(&mut early, "carol").await;
    // Who saw the lost epoch sees that this is another history.
    let mut late = late.on(Client::greeted(&server).await.0);
    assert!(late.advance(0).await.is_err());
    server.stop();
}

#[tokio::test]
async fn what_was_rewritten_is_named_and_not_served() {
    let place = quick();
    let server = place.start();
    let mut observer = observer(&server).await;
    for handle in ["alice", "bob"] {
        register(&server, handle).await;
        proven(&mut observer, handle).await;
    }
    server.stop();
    let raw = || rusqlite::Connection::open(place.data().join("zegel.db")).expect("opened");
    let faults = |sql: &str| {
        let kept = fs::read(place.data().join("zegel.db")).expect("read");
        assert_eq!(raw().execute(sql, []).expect(sql), 1, "{sql}");
        let output = place.run(&["verify"]);
        assert_eq!(output.status.code(), Some(1), "{sql}");
        let _ = fs::remove_file(place.data().join("zegel.db-wal"));
        fs::write(place.data().join("zegel.db"), kept).expect("written");
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    for (sql, fault) in [
        ("DELETE FROM directory_root WHERE epoch = 1", "epochs of the directory that are missing"),
        ("UPDATE directory_root SET signature = zeroblob(64) WHERE epoch = 1", "root 1 is not signed"),
        ("UPDATE directory_root SET body = zeroblob(10) WHERE epoch = 1", "root 1 cannot be read"),
        (
            "UPDATE directory_root SET body = CAST(substr(body, 1, 9) || x'ffffffff' || substr(body, 14) AS BLOB)
             WHERE epoch = 1",
            "root 2 does not follow",
        ),
        ("DELETE FROM directory_root WHERE epoch = 2", "not the root of its tree"),
    ] {
        let said = faults(sql);
        assert!(said.contains(fault), "{sql}: {said}");
    }
    assert_eq!(place.done(&["verify"]), "the store is sound");
    // Another domain would be another directory.
    place.configure("domain = \"elsewhere.example\"");
    let config = place.path("config.toml");
    let said = place.refused(&["serve", "--listen", "127.0.0.1:0", "--config", &config.to_string_lossy()]);
    assert!(said.contains("is for domain \"localhost\""), "{said}");
    raw().execute("DELETE FROM directory_root WHERE epoch = 2", []).expect("deleted");
    let said = place.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("while opening the key directory") && said.contains("; try "), "{said}");
}
