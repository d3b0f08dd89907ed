//! Auditors that compare, and the files that other auditors read.

mod scene;

use std::fs;

use scene::{DOMAIN, Daemon, Desk, House, Service};
use zegel_audit::Statement;

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
    let (seen, key) = newest.verify(DOMAIN).expect("signed");
    assert_eq!(seen, house.roots[5].seen());
    assert_eq!(newest.verify("other.example"), Err("it is about another domain"));
    for epoch in 0..=5 {
        let earlier = statement(&daemon, &format!("/witness/{epoch}"));
        assert_eq!(earlier.verify(DOMAIN), Ok((house.roots[epoch].seen(), key)));
    }
    assert_eq!(daemon.get("/witness/6"), (404, "not checked yet\n".into()));
    let forged = daemon.get("/witness").1.replace("\"epoch\":5", "\"epoch\":4");
    let forged: Statement = serde_json::from_str(&forged).expect("JSON");
    assert_eq!(forged.verify(DOMAIN), Err("its witness did not sign it"));
    drop(daemon);
    // The key stays, and is nobody else's.
    let file = desk.path("key");
    assert_eq!(statement(&witness(&desk, &service.url), "/witness").verify(DOMAIN).expect("signed").1, key);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).expect("a key").permissions().mode() & 0o777, 0o600);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("changed");
        let mut command = desk.command(&service.url);
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
    for more in 0..2 {
        // Once with as many epochs as they have, once with more, once with fewer.
        let service = Service::of(&other);
        let desk = Desk::new();
        desk.once(&service.url, &["--peer", &peer.url]).caught("showed two different roots for epoch 4");
        let exhibits = desk.evidence()["exhibits"].clone();
        assert_eq!(exhibits[0]["seen"]["hash"], hex::encode(other.roots[4].root.hash()), "{more}");
        assert_eq!(exhibits[1]["seen"]["hash"], hex::encode(house.roots[4].root.hash()));
        let told: Statement = serde_json::from_value(exhibits[2]["witness"].clone()).expect("a statement");
        assert_eq!(told.verify(DOMAIN).expect("signed").0, house.roots[4].seen());
        other.grow(1);
    }
    let ahead = Desk::new();
    let longer = Service::of(&other);
    let peer = witness(&ahead, &longer.url);
    peer.reaches(other.newest());
    let desk = Desk::new();
    let said = desk.once(&honest.url, &["--peer", &peer.url]);
    said.caught("showed two different roots for epoch 4");
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
    let made_up = serde_json::to_string(&key.state(DOMAIN, &seen)).expect("JSON");
    asked(&made_up).failed("it shows a root that no key of the directory signed");
    // One whose key is another from one day to the next.
    fake.put("/witness", statement.into_bytes());
    desk.once(&service.url, &["--peer", &fake.url]).fine();
    let other = serde_json::to_string(&key.state(DOMAIN, &house.roots[2].seen())).expect("JSON");
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
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    for epoch in 1..=4 {
        let path = house.proof_path(epoch);
        let name = path.strip_prefix("/v1/directory/audit/").expect("a name");
        let name = AuditBlobName::try_from(name).expect("akd's name");
        let blob = AuditBlob { name, data: house.proofs[epoch as usize].clone() };
        let (end_epoch, before, after, proof) = blob.decode().expect("akd's file");
        let proof = akd::AppendOnlyProof { proofs: vec![proof], epochs: vec![end_epoch - 1] };
        let verified = akd::auditor::audit_verify::<akd::WhatsAppV1Configuration>(vec![before, after], proof);
        runtime.block_on(verified).expect("holds");
    }
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
