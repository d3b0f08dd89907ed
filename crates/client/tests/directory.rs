//! The key directory between real clients and a real server process.

mod help;

use std::time::{Duration, Instant};

use help::{Person, Server, two_friends};
use zegel_client::{Code, Error};

/// Epochs that a test can wait for.
const SOON: &str = "[directory]\nepoch_ms = 300\n";

impl Person {
    async fn is_proven(&self) {
        let start = Instant::now();
        while self.client().whoami().directory != "proven" {
            assert!(start.elapsed() < help::PATIENCE, "{} is never proven", self.handle);
            tokio::time::sleep(Duration::from_millis(50)).await;
            self.client().check_directory().await.expect("an honest directory");
        }
    }

    fn kinds(&self) -> Vec<&'static str> {
        self.client().alarms(false).expect("reads").iter().map(|alarm| alarm.kind).collect()
    }

    fn epoch(&self) -> u64 {
        self.client().directory_root().expect("reads").map_or(0, |root| root.epoch)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_registers_is_usable_at_once_and_proven_soon() {
    let server = Server::start_with(SOON);
    let alice = Person::registers("alice", &server).await;
    alice.is_proven().await;
    let start = Instant::now();
    let bob = Person::registers("bob", &server).await;
    alice.sends("you are new here", "bob").await;
    assert!(start.elapsed() < Duration::from_secs(1), "{:?}", start.elapsed());
    bob.accepts("alice").await;
    alice.sends("still", "bob").await;
    bob.reads("still", "alice").await;

    let promised_by = alice.client().directory_root().expect("reads").expect("a root").epoch + 2;
    bob.is_proven().await;
    let shown = alice.client().directory_show("bob").await.expect("shown");
    assert_eq!((shown.state, shown.version, shown.links, shown.devices.len()), ("proven", 1, 1, 1));
    assert!(shown.epoch <= promised_by, "{shown:?} {promised_by}");
    assert_eq!(shown.account, bob.client().whoami().account);
    assert_eq!(alice.client().directory_show("alice").await.expect("shown").devices.len(), 1);
    let history = alice.client().directory_history("bob").await.expect("read");
    let [version] = history.as_slice() else { panic!("{history:?}") };
    assert_eq!((version.version, version.epoch, version.links), (1, shown.epoch, 1));
    assert_eq!((&version.added, version.removed.len()), (&vec![bob.client().whoami().device], 0));
    let trust =
        |person: &Person| person.lines().into_iter().find(|line| line.kind == "message").map(|l| l.trust);
    assert_eq!(trust(&alice), Some("own"));
    assert!(matches!(trust(&bob), Some("proven" | "promised")));
    assert_eq!((alice.kinds(), bob.kinds()), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_carries_the_root_that_its_sender_saw() {
    let server = Server::start_with(SOON);
    let (alice, bob) = two_friends(&server).await;
    alice.is_proven().await;
    bob.is_proven().await;
    let carol = Person::registers("carol", &server).await;
    carol.is_proven().await;
    alice.client().check_directory().await.expect("honest");
    assert!(alice.epoch() > bob.epoch(), "{} {}", alice.epoch(), bob.epoch());
    alice.sends("look", "bob").await;
    bob.reads("look", "alice").await;
    bob.waits_until("alice's epoch", || bob.epoch() >= alice.epoch()).await;
    // An older one is looked up too, and belongs to the same directory.
    bob.sends("saw it", "alice").await;
    alice.reads("saw it", "bob").await;
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!((alice.kinds(), bob.kinds()), (vec![], vec![]));
}

#[tokio::test(flavor = "multi_thread")]
async fn two_people_compare_numbers() {
    let server = Server::start_with(SOON);
    let (alice, bob) = two_friends(&server).await;
    let carol = Person::registers("carol", &server).await;
    let (a, b) = (alice.client().verify("bob").await.expect("a number"), bob.client().verify("alice").await);
    let b = b.expect("a number");
    assert_eq!((&a.number, &a.qr, a.checked), (&b.number, &b.qr, false));
    let other = carol.client().verify("bob").await.expect("a number");
    assert!(!alice.client().compare("bob", &other.qr).await.expect("compared"));
    assert!(!alice.client().verify("bob").await.expect("a number").checked);
    assert!(alice.client().compare("bob", &b.qr).await.expect("compared"));
    assert!(bob.client().compare("alice", &a.number.replace(' ', "")).await.expect("compared"));
    assert!(alice.client().verify("bob").await.expect("a number").checked);
    assert!(alice.lines().iter().any(|line| line.from == "bob" && line.trust == "verified"));
    assert!(matches!(alice.client().verify("alice").await, Err(Error::Usage { .. })));
}

#[tokio::test(flavor = "multi_thread")]
async fn own_devices_are_listed_and_this_one_stays() {
    let server = Server::start();
    let alice = Person::registers("alice", &server).await;
    let devices = alice.client().devices().expect("listed");
    let [this] = devices.as_slice() else { panic!("{devices:?}") };
    assert!(this.this && this.id == alice.client().whoami().device && this.since > 0);
    for wrong in [this.id.as_str(), &this.id[..6], "", "00"] {
        let refused = alice.client().revoke_device(wrong).await;
        assert!(matches!(refused, Err(Error::Usage { .. })), "{refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_deleted_their_account_gets_nothing_more() {
    let server = Server::start_with(SOON);
    let (alice, mut bob) = two_friends(&server).await;
    let gone = bob.client.take().expect("open").delete_account("bob").await;
    gone.expect("deleted");
    let refused = alice.client().group_create("club", &["bob".to_owned()]).await;
    assert!(refused.is_err());
    let is_told = || alice.lines().iter().any(|line| line.text == "bob deleted their account.");
    alice.waits_until("bob's end", is_told).await;
    let refused = alice.client().send("bob", "still there?").await;
    assert!(
        matches!(&refused, Err(Error::Usage { .. } | Error::Refused { code: Code::NotFound, .. })),
        "{refused:?}"
    );
    assert_eq!(alice.kinds(), [""; 0]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_that_was_set_back_is_an_alarm_until_it_is_trusted_anew() {
    let mut server = Server::start_with(SOON);
    let (mut alice, bob) = two_friends(&server).await;
    alice.is_proven().await;
    bob.is_proven().await;
    alice.closes().await;
    server.kill();
    let (data, copy) = (server.data(), tempfile::tempdir().expect("a folder"));
    let files = |from: &std::path::Path| {
        let all = std::fs::read_dir(from).expect("a folder").map(|file| file.expect("a file").path());
        all.filter(|path| path.is_file()).collect::<Vec<_>>()
    };
    for file in files(&data) {
        std::fs::copy(&file, copy.path().join(file.file_name().expect("a name"))).expect("copied");
    }
    server.run();
    let carol = Person::registers("carol", &server).await;
    carol.is_proven().await;
    alice.opens().await;
    alice.client().check_directory().await.expect("honest");
    alice.closes().await;
    server.kill();
    for file in files(&data) {
        std::fs::remove_file(file).expect("removed");
    }
    for file in files(copy.path()) {
        std::fs::copy(&file, data.join(file.file_name().expect("a name"))).expect("copied");
    }
    server.run();

    alice.opens().await;
    alice.client().caught_up(help::PATIENCE).await.expect("mail goes on");
    assert_eq!(alice.kinds(), ["rollback"]);
    assert!(!alice.client().is_directory_trusted().expect("reads"));
    let alarm = alice.client().alarms(false).expect("reads").remove(0);
    assert!(alarm.text.contains("went back") && alarm.steps.len() > 2, "{alarm:?}");
    let refused = alice.client().directory_show("bob").await;
    assert!(matches!(refused, Err(Error::Distrusted { .. })), "{refused:?}");
    alice.sends("the chat goes on", "bob").await;
    bob.reads("the chat goes on", "alice").await;
    assert_eq!(alice.client().acknowledge_alarms(alarm.id).expect("written"), 1);
    assert_eq!((alice.kinds(), alice.client().alarms(true).expect("reads").len()), (vec![], 1));
    alice.client().trust_directory_anew().await.expect("begun anew");
    assert_eq!(alice.client().directory_show("bob").await.expect("shown").state, "proven");
    assert_eq!(alice.kinds(), [""; 0]);
}
