//! Auditors that compare, and the files that other auditors read.

mod scene;

use std::{
    fs,
    path::{Path, PathBuf},
};

use scene::{DOMAIN, Daemon, Desk, House, Service};
use zegel_audit::Statement;
use zegel_directory::SignerKey;
use zegel_identity::SigningKey;

fn witness(desk: &Desk, url: &str) -> Daemon {
    let key = desk.path("key");
    desk.daemon(url, &["--sign-with", key.to_str().expect("UTF-8")])
}

fn statement(daemon: &Daemon, path: &str) -> Statement {
    let (status, body) = daemon.get(path);
    assert_eq!(status, 200, "{body}");
    serde_json::from_str(&body).expect("a statement")
}

#[test]
fn a_witness_states_each_root_that_it_checked() {
    let mut house = House::new();
    house.grow(5);
    let service = Service::of(&house);
    let desk = Desk::new();
    let daemon = witness(&desk, &service.url);
    daemon.reaches(5);
    let newest = statement(&daemon, "/witness");
    let said = newest.verify(DOMAIN).expect("signed");
    let key = said.witness;
    assert_eq!((&said.seen, &*said.links), (&house.roots[5].seen(), house.key.links()));
    assert_eq!(newest.verify("other.example"), Err("it is about another domain"));
    for epoch in 0..=5 {
        let earlier = statement(&daemon, &format!("/witness/{epoch}"));
        let said = earlier.verify(DOMAIN).expect("signed");
        assert_eq!((said.seen, said.witness), (house.roots[epoch].seen(), key));
    }
    assert_eq!(daemon.get("/witness/6"), (404, "not checked yet\n".into()));
    let body = daemon.get("/witness").1;
    let first = hex::encode(house.key.links()[0].key);
    for (from, to) in [("\"epoch\":5", "\"epoch\":4"), (&*first, key)] {
        let forged: Statement = serde_json::from_str(&body.replace(from, to)).expect("JSON");
        assert_eq!(forged.verify(DOMAIN), Err("its witness did not sign it"));
    }
    drop(daemon);
    // The key stays, and is nobody else's.
    let file = desk.path("key");
    assert_eq!(
        statement(&witness(&desk, &service.url), "/witness").verify(DOMAIN).expect("signed").witness,
        key
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).expect("a key").permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("changed");
        let mut command = desk.command(&service.url, &[]);
        command.args(["--listen", "127.0.0.1:0", "--sign-with"]).arg(&file);
        scene::Said::from(command.output().expect("runs")).failed("others can read it; try `chmod 600`");
    }
    assert_eq!(Desk::new().daemon(&service.url, &[]).get("/witness").0, 404);
}

#[test]
fn two_auditors_find_out_that_they_are_shown_two_directories() {
    let mut house = House::new();
    house.grow(4);
    let mut other = House::new();
    other.grow(3);
    other.publish([4], 9);
    let theirs = Desk::new();
    let honest = Service::of(&house);
    let peer = witness(&theirs, &honest.url);
    peer.reaches(4);
    // Once with as many epochs as they have, once with more.
    for _ in 0..2 {
        let service = Service::of(&other);
        let desk = Desk::new();
        desk.once(&service.url, &["--peer", &peer.url]).caught("showed two different roots for epoch 4");
        let exhibits = desk.evidence()["exhibits"].clone();
        assert_eq!(exhibits[0]["seen"]["hash"], hex::encode(other.roots[4].root.hash()));
        assert_eq!(exhibits[1]["seen"]["hash"], hex::encode(house.roots[4].root.hash()));
        let told: Statement = serde_json::from_value(exhibits[2]["witness"].clone()).expect("a statement");
        assert_eq!(told.verify(DOMAIN).expect("signed").seen, house.roots[4].seen());
        other.grow(1);
    }
    // And once with fewer.
    let ahead = Desk::new();
    let longer = Service::of(&other);
    let peer = witness(&ahead, &longer.url);
    peer.reaches(other.newest());
    let desk = Desk::new();
    let said = desk.once(&honest.url, &["--peer", &peer.url]);
    said.caught("showed two different roots for epoch 4");
}

/// One first key, and two keys that it named: each auditor is shown one of them.
#[test]
fn two_auditors_find_out_that_they_are_shown_two_lists_of_keys() {
    let rotated = |seed: u8, epochs| {
        let mut house = House::new();
        house.key = house.key.rotate(DOMAIN, SigningKey::from_bytes(&[seed; 32]));
        house.grow(epochs);
        house
    };
    let (house, other) = (rotated(8, 3), rotated(7, 3));
    let theirs = Desk::new();
    let theirs_shown = Service::of(&house);
    let peer = witness(&theirs, &theirs_shown.url);
    peer.reaches(3);
    for epochs in [2, 3, 4] {
        let desk = Desk::new();
        let service = Service::of(&rotated(7, epochs));
        let said = desk.once(&service.url, &["--peer", &peer.url, "--patience", "600"]);
        said.caught("changed its keys without the old ones' consent");
        let evidence = desk.evidence();
        assert_eq!(evidence["signed_twice"], true);
        for (at, house) in [&other, &house].into_iter().enumerate() {
            let keys = evidence["exhibits"][at]["keys"]["keys"].as_array().expect("a list");
            let links = house.key.links();
            assert_eq!(keys.len(), 2);
            for (key, link) in keys.iter().zip(links) {
                assert_eq!(key["key"], hex::encode(link.key));
                assert_eq!(key["endorsement"], hex::encode(&link.endorsement));
            }
        }
        let told: Statement =
            serde_json::from_value(evidence["exhibits"][2]["witness"].clone()).expect("a statement");
        assert_eq!(told.verify(DOMAIN).expect("signed").links, house.key.links());
    }
}

/// A longer list of the same keys is no contradiction, whoever has it.
#[test]
fn an_auditor_that_has_heard_of_a_new_key_is_believed() {
    let mut house = House::new();
    house.grow(2);
    let (theirs, ours) = (Desk::new(), Desk::new());
    let service = Service::of(&house);
    let old = witness(&ours, &service.url);
    old.reaches(2);
    house.key = house.key.rotate(DOMAIN, SigningKey::from_bytes(&[8; 32]));
    house.grow(1);
    let newer = Service::of(&house);
    let new = witness(&theirs, &newer.url);
    new.reaches(3);
    Desk::new().once(&newer.url, &["--peer", &old.url]).fine();
    // A service that keeps the epoch and the key to itself hides both.
    let mut first = House::new();
    first.grow(2);
    let said = Desk::new().once(&Service::of(&first).url, &["--peer", &new.url]);
    said.caught("hides epoch 3, which others have seen");
}

#[test]
fn an_auditor_of_another_directory_accuses_nobody() {
    let mut house = House::new();
    house.grow(2);
    let mut other = House::new();
    other.key = SignerKey::first(SigningKey::from_bytes(&[8; 32]));
    other.roots = vec![other.sign(0, other.roots[0].root.tree)];
    other.grow(2);
    let (theirs, desk) = (Desk::new(), Desk::new());
    let shown = Service::of(&other);
    let peer = witness(&theirs, &shown.url);
    peer.reaches(2);
    let service = Service::of(&house);
    let said = desk.once(&service.url, &["--peer", &peer.url]);
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(
        said.err.contains("these two see different directories: this auditor's is another one"),
        "{said:?}"
    );
    assert!(!said.err.contains("LIE"), "{said:?}");
    assert_eq!(
        desk.evidence()["exhibits"][1]["keys"]["keys"][0]["key"],
        hex::encode(other.key.links()[0].key)
    );
    // The service is not held responsible for it, and nothing that they say hides what it is responsible for.
    let daemon = desk.daemon(&service.url, &["--peer", &peer.url]);
    daemon.waits_for("errors_total", 2.0);
    assert_eq!((daemon.metric("epoch"), daemon.metric("lies_total")), (2.0, 0.0));
    assert!(desk.path("state.lie-2.json").exists() && !desk.path("state.lie-3.json").exists());
    drop(daemon);
    let mut fork = House::new();
    fork.grow(1);
    fork.publish([2], 9);
    let (witnessing, forked) = (Desk::new(), Service::of(&fork));
    let second = witness(&witnessing, &forked.url);
    second.reaches(2);
    let said = desk.once(&service.url, &["--peer", &peer.url, "--peer", &second.url]);
    said.caught("showed two different roots for epoch 2");
}

#[test]
fn an_epoch_that_only_others_are_shown() {
    let mut house = House::new();
    house.grow(4);
    let (theirs, desk) = (Desk::new(), Desk::new());
    let honest = Service::of(&house);
    let peer = witness(&theirs, &honest.url);
    peer.reaches(4);
    let service = Service::of(&house);
    service.newest(&house, 3);
    desk.once(&service.url, &["--peer", &peer.url]).caught("hides epoch 4, which others have seen");
}

#[test]
fn auditors_that_agree_lag_or_talk_nonsense_accuse_nobody() {
    let mut house = House::new();
    house.grow(2);
    let service = Service::of(&house);
    let (theirs, desk) = (Desk::new(), Desk::new());
    let peer = witness(&theirs, &service.url);
    peer.reaches(2);
    desk.once(&service.url, &["--peer", &peer.url]).fine();
    let statement = peer.get("/witness").1;
    drop(peer);
    let fake = Service::start();
    let asked = |body: &str| {
        fake.put("/witness", body.as_bytes().to_vec());
        Desk::new().once(&service.url, &["--peer", &fake.url])
    };
    asked("<html>").failed("while comparing with the auditor at http://");
    asked(&statement.replace("\"epoch\":2", "\"epoch\":1")).failed("its witness did not sign it");
    asked(&statement).fine();
    // A witness that makes up a root: signed by itself, and not by the directory.
    let key = zegel_audit::WitnessKey::load_or_create(&desk.path("fake")).expect("a key");
    let mut seen = house.roots[2].seen();
    seen.hash[0] ^= 1;
    let made_up = serde_json::to_string(&key.state(DOMAIN, &seen, house.key.links())).expect("JSON");
    asked(&made_up).failed("it shows a root that no key of the directory signed");
    // One whose key is another from one day to the next.
    fake.put("/witness", statement.into_bytes());
    desk.once(&service.url, &["--peer", &fake.url]).fine();
    let other =
        serde_json::to_string(&key.state(DOMAIN, &house.roots[2].seen(), house.key.links())).expect("JSON");
    fake.put("/witness", other.into_bytes());
    desk.once(&service.url, &["--peer", &fake.url]).failed("it signs with another key than before");
    fake.remove("/witness");
    let said = desk.once(&service.url, &["--peer", &fake.url]).failed("it has no statement");
    assert_eq!(said.out, "");
}

/// What akd's own WhatsApp auditor and Cloudflare's plexi do with a file: they take the epoch in its name for the one
/// that the proof leads to.
#[test]
fn other_auditors_read_the_proofs() {
    use akd::local_auditing::{AuditBlob, AuditBlobName};
    let mut house = House::new();
    house.grow(3);
    house.publish(10..40, 1);
    let (service, desk) = (Service::of(&house), Desk::new());
    let folder = desk.path("proofs");
    desk.once(&service.url, &["--keep", folder.to_str().expect("UTF-8")]).fine();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let mut trees = Vec::new();
    for path in files(&folder) {
        let name = path.strip_prefix(&folder).expect("below it").to_str().expect("UTF-8");
        let name = AuditBlobName::try_from(name).expect("akd's name");
        let blob = AuditBlob { name, data: fs::read(&path).expect("a proof") };
        let (end_epoch, before, after, proof) = blob.decode().expect("akd's file");
        trees.push((end_epoch, before, after));
        let proof = akd::AppendOnlyProof { proofs: vec![proof], epochs: vec![end_epoch - 1] };
        let verified = akd::auditor::audit_verify::<akd::WhatsAppV1Configuration>(vec![before, after], proof);
        runtime.block_on(verified).expect("holds");
    }
    trees.sort_unstable();
    let tree = |epoch: u64| house.roots[epoch as usize].root.tree;
    assert_eq!(trees, (1..=4).map(|epoch| (epoch, tree(epoch - 1), tree(epoch))).collect::<Vec<_>>());
}

/// All files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn a_folder_of_proofs_is_checked_alone() {
    let mut house = House::new();
    house.grow(6);
    let service = Service::of(&house);
    let desk = Desk::new();
    let folder = desk.path("proofs");
    let check = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_zegel-audit"));
        scene::Said::from(command.arg("proofs").arg(&folder).output().expect("runs"))
    };
    check().failed("while reading the proofs in");
    desk.once(&service.url, &["--keep", folder.to_str().expect("UTF-8")]).fine();
    let said = check().fine();
    let tree = hex::encode(house.roots[6].root.tree);
    assert_eq!(
        said.out,
        format!("epochs 1 to 6: nothing was removed or rewritten\nthe tree ends with {tree}\n")
    );
    fs::write(folder.join("README"), "what is not a proof is left alone").expect("written");
    fs::remove_dir_all(folder.join("3")).expect("removed");
    assert!(
        check().failed("proofs are missing between these epochs").out.starts_with("epochs 1 to 2, 4 to 6:")
    );
    let file = |epoch: u64| folder.join(house.proof_path(epoch).trim_start_matches("/v1/directory/audit/"));
    fs::copy(file(4), file(5)).expect("copied");
    let said = check();
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.contains("LIE at epoch 5: the service's directory removed or rewrote"), "{said:?}");
}
