//! The real auditor beside the real program: people come, the server is killed, its key rotates, a backup returns.

mod process;

use std::{path::PathBuf, time::Duration};

use process::{Person, Place, Server, WIDE};
use zegel_audit::{Auditor, Failure, Options, Progress, check_folder};

/// Epochs of a tenth of a second.
const QUICK: &str = "[directory]\nepoch_ms = 100\n";

/// What stays wrong for so long is a lie.
const PATIENCE: Duration = Duration::from_millis(500);

/// What an auditor has in its folder.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn keep(&self) -> PathBuf {
        self.folder.path().join("proofs")
    }
    /// Opens the state anew, checks up to now, and ends.
    async fn checks(&self, server: &Server) -> Result<Progress, Failure> {
        let mut options =
            Options::new(&format!("http://{}", server.address), &self.folder.path().join("state"));
        options.keep = Some(self.keep());
        options.patience = PATIENCE;
        let check = move || Auditor::open(options)?.catch_up(|_| ());
        tokio::task::spawn_blocking(check).await.expect("no panic")
    }
    /// Waits until this many more epochs are there and in order.
    async fn gets_to(&self, server: &Server, epoch: u64) -> Progress {
        for _ in 0..200 {
            let progress = self.checks(server).await.expect("in order");
            if progress.seen.epoch >= epoch {
                return progress;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("epoch {epoch} does not come");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_honest_server_is_found_in_order_whatever_happens_to_it() {
    let place = Place::new();
    place.configure(&format!("{WIDE}{QUICK}"));
    let desk = Desk { folder: tempfile::tempdir().expect("a folder") };
    let mut server = place.start();
    let first = desk.checks(&server).await.expect("in order");
    assert_eq!((first.domain.as_str(), first.seen.epoch), ("localhost", 0));
    let mut epoch = 0;
    for round in 0..4 {
        for person in 0..5 {
            Person::new(&format!("p{round}x{person}")).register(&server).await;
        }
        epoch = desk.gets_to(&server, epoch + 1).await.seen.epoch;
        if round == 1 {
            place.done(&["rotate-directory-key"]);
        }
        server.signal("-KILL");
        let away = desk.checks(&server).await;
        assert!(matches!(away, Err(Failure::Unreachable { .. })), "{away:?}");
        // Another port, and the same directory.
        server = place.start();
    }
    epoch = desk.checks(&server).await.expect("in order").seen.epoch;
    let folder = desk.keep();
    let checked = tokio::task::spawn_blocking(move || check_folder(&folder)).await.expect("no panic");
    let found = checked.expect("in order");
    assert_eq!(found.runs, [(1, epoch)]);
    server.stop();
}

/// An operator who puts an old backup in place of the data takes back what was published: the auditor says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn data_put_back_by_hand_are_a_lie() {
    let place = Place::new();
    place.configure(&format!("{WIDE}{QUICK}"));
    let desk = Desk { folder: tempfile::tempdir().expect("a folder") };
    let server = place.start();
    Person::new("alice").register(&server).await;
    desk.gets_to(&server, 1).await;
    server.stop();
    let old = place.path("old");
    copy(&place.data(), &old);
    let server = place.start();
    Person::new("bob").register(&server).await;
    desk.gets_to(&server, 2).await;
    server.stop();
    std::fs::remove_dir_all(place.data()).expect("removed");
    std::fs::rename(&old, place.data()).expect("put back");
    let server = place.start();
    let Err(Failure::Caught(charge)) = desk.checks(&server).await else { panic!("nothing was found") };
    let said = charge.to_string();
    assert!(said.contains("showed epoch 1 after epoch 2: it went back"), "{said}");
    assert!(charge.evidence.as_ref().is_some_and(|path| path.exists()), "{said}");
    // New people make another epoch 2: then it is a fork.
    Person::new("carol").register(&server).await;
    for _ in 0..20 {
        let Err(Failure::Caught(charge)) = desk.checks(&server).await else { panic!("nothing was found") };
        if charge.to_string().contains("showed two different roots for epoch 2") {
            return;
        }
    }
    panic!("the fork is not seen");
}

fn copy(from: &std::path::Path, to: &std::path::Path) {
    std::fs::create_dir(to).expect("made");
    for entry in std::fs::read_dir(from).expect("a folder") {
        let path = entry.expect("an entry").path();
        let new = to.join(path.file_name().expect("a name"));
        if path.is_dir() { copy(&path, &new) } else { std::fs::copy(&path, &new).map(drop).expect("copied") }
    }
}
