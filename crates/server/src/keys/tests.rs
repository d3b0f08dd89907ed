//! The key file, made, read, rotated and damaged.

use zegel_directory::Signers;

use super::*;

#[test]
fn made_once_and_read_again() {
    let dir = tempfile::tempdir().expect("a folder");
    let (file, data) = (dir.path().join("keys.toml"), dir.path().join("data"));
    fs::create_dir(&data).expect("a data folder");
    let first = KeyRing::load_or_create(&file, &data, "localhost").expect("made");
    let again = KeyRing::load_or_create(&file, &data, "localhost").expect("read");
    assert_eq!(first.storage(), again.storage());
    assert_eq!(first.server_id(), again.server_id());
    let (a, b) = (AccountId([1; 16]), AccountId([2; 16]));
    assert_eq!(first.block_tag(&a, &b.0), again.block_tag(&a, &b.0));
    assert_ne!(first.block_tag(&a, &b.0), first.block_tag(&b, &a.0));
    assert!(!format!("{first:?}").contains(&hex::encode(first.storage())));
}

#[test]
fn its_folder_is_made_for_this_user_only_and_never_inside_the_data_folder() {
    let dir = tempfile::tempdir().expect("a folder");
    let (folder, data) = (dir.path().join("etc/zegel"), dir.path().join("data"));
    let inside = KeyRing::load_or_create(&data.join("etc/keys.toml"), &data, "localhost");
    assert!(matches!(inside, Err(KeyFileError::InsideData(_))) && !data.exists());
    let file = folder.join("keys.toml");
    assert!(KeyRing::load(&file, &data).is_err() && !folder.exists(), "an operator's command makes none");
    KeyRing::load_or_create(&file, &data, "localhost").expect("made");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(fs::metadata(&folder).expect("a folder").permissions().mode() & 0o777, 0o700);
    }
}

#[test]
fn refused_inside_the_data_folder_and_when_others_can_read_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    let inside = KeyRing::load_or_create(&data.join("../data/keys.toml"), &data, "localhost");
    assert!(inside.is_err());
    fs::create_dir(&data).expect("a data folder");
    assert!(matches!(
        KeyRing::load_or_create(&data.join("keys.toml"), &data, "localhost"),
        Err(KeyFileError::InsideData(_))
    ));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let file = dir.path().join("keys.toml");
        KeyRing::load_or_create(&file, &data, "localhost").expect("made");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("exposed");
        assert!(matches!(KeyRing::load_or_create(&file, &data, "localhost"), Err(KeyFileError::Exposed(_))));
    }
}

#[test]
fn rotates_and_destroys_after_the_window() {
    let dir = tempfile::tempdir().expect("a folder");
    let (file, data) = (dir.path().join("keys.toml"), dir.path().join("data"));
    let mut ring = KeyRing::load_or_create(&file, &data, "localhost").expect("made");
    let now = Now::get();
    // Retired so long ago that its window is over when the file is next read.
    let past = Now { ms: now.ms - REPORTING_WINDOW_MS - 100_000 };
    let old = ring.franking.current_id();
    let mut parts = ring.franking.to_parts();
    parts[0].created_ms = past.ms;
    ring.franking = StampKeys::from_parts(&parts).expect("a ring");
    ring.save().expect("written");
    let new = ring.rotate_franking(past).expect("rotated");
    assert_ne!(old, new);
    assert!(ring.franking().get(old).is_some());
    assert!(ring.has_expired(now) && !ring.has_expired(past));
    let ring = ring.read_again().expect("read");
    assert!(ring.franking().get(old).is_none());
    assert_eq!(ring.franking().current_id(), new);
    assert!(!fs::read_to_string(&file).expect("text").contains("id = 1\n"));
}

#[test]
fn a_damaged_file_is_refused_without_quoting_it() {
    let dir = tempfile::tempdir().expect("a folder");
    let (file, data) = (dir.path().join("keys.toml"), dir.path().join("data"));
    KeyRing::load_or_create(&file, &data, "localhost").expect("made");
    let text = fs::read_to_string(&file).expect("text");
    fs::write(&file, text.replace("pepper = \"", "pepper = \"zz")).expect("damaged");
    let error = KeyRing::load_or_create(&file, &data, "localhost").expect_err("refused").to_string();
    assert!(error.contains("pepper") && !error.contains("zz"), "{error}");
    fs::write(&file, text.replace("version = 1", "version = 9")).expect("newer");
    assert!(matches!(
        KeyRing::load_or_create(&file, &data, "localhost"),
        Err(KeyFileError::Version { version: 9, .. })
    ));
}

#[test]
fn the_directorys_key_rotates_and_the_domain_stays() {
    let dir = tempfile::tempdir().expect("a folder");
    let (file, data) = (dir.path().join("keys.toml"), dir.path().join("data"));
    let first = KeyRing::load_or_create(&file, &data, "localhost").expect("made");
    let old = hex::encode(first.directory().secret().to_bytes());
    // Two commands that began with the same file: neither loses the other's key.
    let [mut one, mut two] = [0, 1].map(|_| KeyRing::load(&file, &data).expect("read"));
    assert_eq!([one.rotate_directory(), two.rotate_directory()].map(|done| done.expect("rotated")), [1, 2]);
    let ring = first.read_again().expect("read");
    assert_eq!(ring.directory().number(), 2);
    assert_eq!(ring.vrf().public(), first.vrf().public());
    let signers =
        |ring: &KeyRing| Signers::verify(ring.domain(), ring.directory().links()).expect("endorsed");
    assert!(signers(&ring).continues(&signers(&first)));
    let text = fs::read_to_string(&file).expect("text");
    assert!(!text.contains(&old), "the old secret is destroyed");
    assert!(matches!(
        KeyRing::load_or_create(&file, &data, "elsewhere.example"),
        Err(KeyFileError::Domain { .. })
    ));
    let public = hex::encode(ring.directory().links()[1].key);
    fs::write(&file, text.replace(&public, &hex::encode([7; 32]))).expect("damaged");
    assert!(KeyRing::load(&file, &data).is_err(), "a key that the one before did not name");
}

#[test]
fn the_directory_has_no_more_keys_than_clients_take() {
    let dir = tempfile::tempdir().expect("a folder");
    let path = dir.path().join("keys.toml");
    let mut ring = KeyRing::load_or_create(&path, &dir.path().join("data"), "zegel.example").expect("made");
    for number in 1..zegel_directory::MAX_SIGNERS as u32 {
        assert_eq!(ring.rotate_directory().expect("rotated"), number);
    }
    let before = std::fs::read(&path).expect("read");
    assert!(matches!(ring.rotate_directory(), Err(KeyFileError::LastDirectoryKey)));
    assert_eq!(std::fs::read(&path).expect("read"), before, "the key in use stays");
}
