//! What an idle connection costs the real program. A measurement, not a check:
//! `cargo test --release -p zegel-server --test process_idle -- --ignored --nocapture`, and
//! `ZEGEL_IDLE=18000` for the number of connections.

mod process;

use std::{fs, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use process::{Client, Person, Place, Server, WIDE};
use tokio_tungstenite::{Connector, connect_async_tls_with_config, tungstenite::protocol::WebSocketConfig};

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn plain() {
    let place = Place::new();
    place.configure(&format!("{WIDE}authenticate_seconds = 600\n"));
    measure("plain", &place.start(), None).await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "measures"]
async fn tls() {
    let place = Place::new();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    let (cert, key) = (place.path("cert.pem"), place.path("key.pem"));
    fs::write(&cert, made.cert.pem()).expect("written");
    fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    place.configure(&format!(
        "[tls]\ncertificate = {cert:?}\nkey = {key:?}\n{WIDE}authenticate_seconds = 600\n"
    ));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).expect("a root");
    let ring = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(ring).with_safe_default_protocol_versions();
    let config = config.expect("versions").with_root_certificates(roots).with_no_client_auth();
    measure("TLS", &place.start(), Some(Connector::Rustls(Arc::new(config)))).await;
}

async fn measure(what: &str, server: &Server, connector: Option<Connector>) {
    let count: usize = std::env::var("ZEGEL_IDLE").ok().and_then(|n| n.parse().ok()).unwrap_or(2000);
    rlimit::increase_nofile_limit(u64::MAX).expect("files");
    let people: Vec<Person> = (0..count).map(|n| Person::new(&format!("person{n}"))).collect();
    let port = server.address.rsplit(':').next().expect("a port");
    let url = match connector {
        None => format!("ws://{}/v1/socket", server.address),
        Some(_) => format!("wss://localhost:{port}/v1/socket"),
    };
    let open = async || {
        let small = WebSocketConfig::default().read_buffer_size(1024);
        let opened = connect_async_tls_with_config(&url, Some(small), true, connector.clone()).await;
        Client::greet(opened.expect("a WebSocket").0).await
    };
    let registered = stream::iter(&people).map(async |person| {
        let (mut client, _) = open().await;
        client.call(person.registration("")).await;
        client.close().await;
    });
    registered.buffer_unordered(64).collect::<Vec<_>>().await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let before = server.resident();
    let connected = stream::iter(&people).map(async |person| {
        let (client, hello) = open().await;
        person.authenticate(client, hello).await.0
    });
    let clients: Vec<Client> = connected.buffer_unordered(64).collect().await;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let after = server.resident();
    println!(
        "{what}: {count} idle connections, {} bytes each ({} MiB before, {} MiB after)",
        (after - before) / count,
        before >> 20,
        after >> 20
    );
    drop(clients);
}
