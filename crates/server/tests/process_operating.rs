//! The real program as operators use it: keys, invites, suspending, rotating, backups, TLS.

mod process;

use std::{fs, process::Command, sync::Arc};

use futures_util::SinkExt;
use process::{Client, Group, Person, Place, Server, WIDE, code_of, program};
use tokio_tungstenite::{
    client_async,
    tungstenite::{Message, client::IntoClientRequest},
};
use zegel_cases::LogEntry;
use zegel_proto::{
    BlobName, Code,
    v1::{self, client_frame as ask, server_frame as tell},
};
use zegel_server::store::{self, AccountState, SqliteStore};

#[test]
fn the_command_line_is_checked() {
    let status =
        |arguments: &[&str]| Command::new(program()).args(arguments).output().expect("runs").status.code();
    assert_eq!(status(&[]), Some(2));
    assert_eq!(status(&["serve"]), Some(2));
    assert_eq!(status(&["invite", "--data", "x", "--age", "old"]), Some(2));
    assert_eq!(status(&["--help"]), Some(0));
}

#[test]
fn mistyped_folders_are_refused_and_not_made() {
    let place = Place::new();
    for command in
        [&["invite"][..], &["suspend", "alice"], &["verify"], &["backup", "somewhere"], &["rotate-keys"]]
    {
        let said = place.refused(command);
        assert!(said.starts_with("zegel-server: while opening the "), "{said}");
        assert!(said.contains("; try "), "{said}");
    }
    assert!(!place.data().exists() && !place.keys().exists());
}

#[test]
fn a_key_file_inside_the_data_folder_is_refused() {
    let place = Place::new();
    fs::create_dir(place.data()).expect("made");
    let mut serve = Command::new(program());
    serve.arg("serve").arg("--data").arg(place.data()).arg("--keys").arg(place.data().join("keys.toml"));
    let output = serve.args(["--listen", "127.0.0.1:0"]).output().expect("runs");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("inside the data folder"), "{said}");
    assert!(output.stdout.is_empty());
    assert!(!place.data().join("keys.toml").exists());
}

#[test]
fn a_mistyped_key_file_is_refused_for_data_in_use() {
    let place = Place::new();
    place.start().stop();
    let mut serve = std::process::Command::new(process::program());
    serve.arg("serve").arg("--data").arg(place.data()).arg("--keys").arg(place.path("typo.toml"));
    let output = serve.args(["--listen", "127.0.0.1:0"]).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("typo.toml is not there, but the data folder is in use"), "{said}");
    assert!(!place.path("typo.toml").exists());
    // With the right one it goes on.
    place.start().stop();
}

#[test]
fn a_second_server_on_the_folder_and_a_taken_port_are_refused() {
    let place = Place::new();
    let server = place.start();
    let said = place.refused(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(said.contains("another zegel-server uses"), "{said}");
    let other = Place::new();
    let said = other.refused(&["serve", "--listen", &server.address]);
    assert!(said.contains("while listening on") && said.contains("try another --listen"), "{said}");
    server.stop();
}

#[test]
fn a_faulty_configuration_is_named() {
    let place = Place::new();
    place.configure("nonsense = 1");
    let config = place.path("config.toml");
    let said = place.refused(&["serve", "--listen", "127.0.0.1:0", "--config", &config.to_string_lossy()]);
    assert!(said.contains("config.toml") && said.contains("nonsense"), "{said}");
}

#[tokio::test]
async fn only_the_invited_register_and_an_invite_sets_the_age() {
    let place = Place::new();
    place.configure(&format!("registration = \"invite\"\n{WIDE}"));
    let server = place.start();
    let code = place.done(&["invite", "--age", "teen", "--uses", "1"]);
    let data = place.data();
    for file in fs::read_dir(data).expect("a folder").flatten().filter(|f| f.path().is_file()) {
        let bytes = fs::read(file.path()).expect("read");
        assert!(!bytes.windows(code.len()).any(|w| w == code.as_bytes()), "the code itself is not kept");
    }
    let (mut client, hello) = Client::greeted(&server).await;
    assert!(hello.invite_needed);
    let uninvited = client.call(Person::new("mallory").registration("")).await;
    assert_eq!(code_of(&uninvited), Some(Code::InviteNeeded));
    let wrong = client.call(Person::new("mallory").registration("aaaaa-aaaaa-aaaaa-aaaaa")).await;
    assert_eq!(code_of(&wrong), Some(Code::InviteNeeded));
    let alice = Person::new("alice");
    assert!(matches!(client.call(alice.registration(&code)).await, tell::Body::Promised(_)));
    let again = client.call(Person::new("bob").registration(&code)).await;
    assert_eq!(code_of(&again), Some(Code::InviteNeeded));
    let held = place.done(&["holdings", "alice"]);
    assert!(held.contains("TEEN") && held.contains("no other account"), "{held}");
    // One that is for one person says so of every account.
    let code = place.done(&["invite", "--age", "adult", "--uses", "2", "--for-one"]);
    for handle in ["carol", "caroline"] {
        assert!(matches!(
            client.call(Person::new(handle).registration(&code)).await,
            tell::Body::Promised(_)
        ));
        let held = place.done(&["holdings", handle]);
        assert!(held.contains("ADULT") && held.contains("all accounts of its invite"), "{held}");
    }
    assert!(place.refused(&["holdings", "nobody"]).contains("@nobody"));
    assert!(!place.done(&["holdings"]).is_empty());
    server.stop();
}

#[tokio::test]
async fn a_trusted_proxy_says_whom_a_rate_limit_counts() {
    let place = Place::new();
    let limits = "[limits]\nconnect_per_address = { burst = 1, per_hour = 1 }\n";
    let greeted = async |server: &Server, forwarded: &'static str| {
        let mut request =
            format!("ws://{}/v1/socket", server.address).into_client_request().expect("a request");
        request.headers_mut().insert("x-forwarded-for", forwarded.parse().expect("a header"));
        let (socket, _) = tokio_tungstenite::connect_async(request).await.expect("a WebSocket");
        let hello = v1::Hello { versions: vec![1], ..Default::default() };
        code_of(&Client::on(socket).call(ask::Body::Hello(hello)).await)
    };
    place.configure(&format!("trusted_proxies = [\"127.0.0.1\", \"2001:db8::1\"]\n{limits}"));
    let server = place.start();
    assert_eq!(greeted(&server, "192.0.2.1").await, None);
    assert_eq!(greeted(&server, "192.0.2.1, 192.0.2.2").await, None);
    assert_eq!(greeted(&server, "192.0.2.3, 192.0.2.1").await, Some(Code::RateLimited));
    server.stop();

    // Without that trust the header is anybody's claim.
    place.configure(limits);
    let server = place.start();
    assert_eq!(greeted(&server, "192.0.2.1").await, None);
    assert_eq!(greeted(&server, "192.0.2.2").await, Some(Code::RateLimited));
    server.stop();
}

#[tokio::test]
async fn suspending_ends_the_connection_until_it_is_lifted() {
    let place = Place::new();
    let server = place.start();
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    alice.register(&server).await;
    bob.register(&server).await;
    let (mut client, _) = alice.connect(&server).await;
    let (mut other, _) = bob.connect(&server).await;
    place.done(&["suspend", "@alice"]);
    assert_eq!(client.ending().await, Code::Suspended);
    let (mut client, hello) = Client::greeted(&server).await;
    assert_eq!(code_of(&client.call(alice.proof(&hello)).await), Some(Code::Suspended));
    place.done(&["suspend", "alice", "--lift"]);
    alice.connect(&server).await;
    assert!(place.refused(&["suspend", "nobody"]).contains("no account has this handle"));
    // It is in the desk's log, and not to whom; and what the desk decided is not the operator's to lift.
    let store = SqliteStore::open_beside(&place.data()).expect("opens");
    let lines = store::read(&store, |tx| tx.log_lines(1, 10)).await.expect("the log");
    let acts: Vec<LogEntry> = lines.iter().map(|line| serde_json::from_str(line).expect("a line")).collect();
    assert_eq!([&*acts[0].act, &*acts[1].act], ["suspend", "lift"]);
    assert!(acts.len() == 2 && acts.iter().all(|entry| entry.who.0 == "operator" && entry.detail.is_empty()));
    store::write(&store, |tx| {
        let alice = tx.account_of_handle("alice")?.expect("an account");
        tx.set_account_state(&alice, AccountState::Banned, 0)
    })
    .await
    .expect("written");
    assert!(
        place
            .refused(&["suspend", "@alice", "--lift"])
            .contains("@alice: the account is banned because the desk")
    );
    drop(store);
    Group::found(&mut other).await;
    server.stop();
}

#[tokio::test]
async fn rotated_keys_are_used_without_a_restart() {
    let place = Place::new();
    let server = place.start();
    let alice = Person::new("alice");
    alice.register(&server).await;
    let (mut client, _) = alice.connect(&server).await;
    let group = Group::found(&mut client).await;
    let mut key_of = async || match client.call(group.submit(&[], 10)).await {
        tell::Body::Submitted(answer) => process::key_in(&answer.stamps[0].context),
        other => panic!("{other:?}"),
    };
    let before = key_of().await;
    let said = place.done(&["rotate-keys"]);
    let mut after = before;
    for _ in 0..50 {
        after = key_of().await;
        if after != before {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    assert_ne!(before, after);
    assert_eq!(said, format!("stamp key {after} is in use"));
    server.stop();
}

#[tokio::test]
async fn a_backup_comes_back_with_a_gap_and_not_with_old_numbers() {
    let place = Place::new();
    let server = place.start();
    let alice = Person::new("alice");
    alice.register(&server).await;
    let (mut client, at) = alice.connect(&server).await;
    let group = Group::found(&mut client).await;
    let blob = BlobName::random();
    let put =
        zegel_proto::v1::PutBlob { name: blob.to_field(), offset: 0, data: vec![5; 1000].into(), last: true };
    assert!(matches!(client.call(ask::Body::PutBlob(put)).await, tell::Body::Done(_)));
    let place_of = |answer| match answer {
        tell::Body::Submitted(answer) => process::place_in(&answer.stamps[0].context),
        other => panic!("{other:?}"),
    };
    let before = place_of(client.call(group.submit(&[], 10)).await);

    let copy = place.path("copy");
    let copy = copy.to_str().expect("UTF-8");
    place.done(&["backup", copy]);
    assert!(place.refused(&["backup", copy]).contains("it is not empty"));
    assert_eq!(place.done(&["verify"]), "the store is sound");
    // This is lost with the disk.
    place_of(client.call(group.submit(&[], 10)).await);
    server.stop();

    assert!(place.refused(&["restore", copy]).contains("it is not empty"));
    fs::remove_dir_all(place.data()).expect("the disk is lost");
    place.done(&["restore", copy]);
    assert_eq!(place.done(&["verify"]), "the store is sound");

    let server = place.start();
    let (mut client, again) = alice.connect(&server).await;
    // What waited keeps its numbers; what is new cannot be taken for what was lost.
    assert_eq!(again.first_seq, at.next_seq);
    assert_eq!(client.numbers(2).await, [at.next_seq, at.next_seq + 1]);
    assert_eq!(again.next_seq, at.next_seq + 2 + (1 << 32));
    let after = place_of(client.call(group.submit(&[], 10)).await);
    assert_eq!(after, before + 1 + (1 << 32));
    assert_eq!(client.numbers(1).await, [again.next_seq]);
    let get = zegel_proto::v1::GetBlob { name: blob.to_field(), offset: 0 };
    match client.call(ask::Body::GetBlob(get)).await {
        tell::Body::BlobPart(part) => assert_eq!((part.total, part.data), (1000, vec![5; 1000].into())),
        other => panic!("{other:?}"),
    }
    server.stop();
}

#[tokio::test]
async fn tls_ends_here_and_the_certificate_is_read_again() {
    let place = Place::new();
    let write = || {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
        fs::write(place.path("cert.pem"), made.cert.pem()).expect("written");
        fs::write(place.path("key.pem"), made.signing_key.serialize_pem()).expect("written");
        made.cert.der().clone()
    };
    let first = write();
    let (cert, key) = (place.path("cert.pem"), place.path("key.pem"));
    place.configure(&format!("[tls]\ncertificate = {cert:?}\nkey = {key:?}\n{WIDE}"));
    let server = place.start();
    assert_eq!(server.scheme, "https");

    let trusting = |certificate| {
        let mut roots = rustls::RootCertStore::empty();
        roots.add(certificate).expect("a root");
        let ring = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions();
        let config = config.expect("versions").with_root_certificates(roots).with_no_client_auth();
        tokio_rustls::TlsConnector::from(Arc::new(config))
    };
    let connect = async |connector: &tokio_rustls::TlsConnector| {
        let stream = tokio::net::TcpStream::connect(&server.address).await?;
        connector.connect("localhost".try_into().expect("a name"), stream).await
    };
    let trusts_first = trusting(first);
    let stream = connect(&trusts_first).await.expect("TLS");
    let request = "ws://localhost/v1/socket".into_client_request().expect("a request");
    let (mut socket, _) = client_async(request, stream).await.expect("a WebSocket");
    socket.send(Message::Ping(Default::default())).await.expect("sent");

    let second = trusting(write());
    assert!(connect(&second).await.is_err());
    server.signal("-HUP");
    for attempt in 0.. {
        if connect(&second).await.is_ok() {
            break;
        }
        assert!(attempt < 50, "the new certificate is served");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    // Whoever was connected stays so.
    socket.send(Message::Ping(Default::default())).await.expect("sent");
    server.stop();

    fs::write(place.path("key.pem"), "no key").expect("written");
    let config = place.path("config.toml");
    let said = place.refused(&["serve", "--listen", "127.0.0.1:0", "--config", &config.to_string_lossy()]);
    assert!(said.contains("while reading the TLS file") && said.contains("key.pem"), "{said}");
}
