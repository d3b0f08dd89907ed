//! Connections that break: in the middle of a frame, again and again, and between an acceptance and its answer.

mod help;

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use help::{PATIENCE, Person, Server, two_friends};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
};

/// Carries bytes to the server, and cuts each connection once it has carried so many in one direction.
struct Cutter {
    address: SocketAddr,
    after: Arc<AtomicU64>,
}

impl Cutter {
    async fn before(server: &Server) -> Self {
        let target = server.url.strip_prefix("http://").expect("plain").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listens");
        let address = listener.local_addr().expect("bound");
        let after = Arc::new(AtomicU64::new(u64::MAX));
        let limit = after.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = TcpStream::connect(&target).await else { continue };
                let limit = limit.clone();
                tokio::spawn(async move {
                    let (client_in, client_out) = client.into_split();
                    let (server_in, server_out) = server.into_split();
                    // Whichever direction is cut first takes the other with it.
                    tokio::select! {
                        () = carry(client_in, server_out, &limit) => {}
                        () = carry(server_in, client_out, &limit) => {}
                    }
                });
            }
        });
        Self { address, after }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

async fn carry(mut from: impl AsyncReadExt + Unpin, mut to: impl AsyncWriteExt + Unpin, limit: &AtomicU64) {
    let (mut carried, mut buffer) = (0, [0; 997]);
    loop {
        let Ok(read @ 1..) = from.read(&mut buffer).await else { return };
        let room = limit.load(Relaxed).saturating_sub(carried).min(read as u64) as usize;
        if to.write_all(&buffer[..room]).await.is_err() || room < read {
            return;
        }
        carried += read as u64;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_cut_in_the_middle_of_frames() {
    let mut server = Server::start();
    let cutter = Cutter::before(&server).await;
    // Everybody's profile remembers the way through the cutter.
    server.url = cutter.url();
    let (alice, bob) = two_friends(&server).await;
    let (mut from_alice, mut from_bob) = (Vec::new(), Vec::new());
    for round in 0..6u64 {
        for n in 0..5 {
            let (a, b) = (format!("a{round}.{n}"), format!("b{round}.{n}"));
            alice.client().send_later("bob", &a).await.expect("queued");
            bob.client().send_later("alice", &b).await.expect("queued");
            from_alice.push(a);
            from_bob.push(b);
        }
        // Enough to authenticate, then less or more of what follows.
        cutter.after.store(3_000 + 3_466 * round, Relaxed);
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    cutter.after.store(u64::MAX, Relaxed);
    for (person, to, sent) in [(&alice, "bob", &mut from_alice), (&bob, "alice", &mut from_bob)] {
        let text = format!("{} at last", person.handle);
        person.client().send_later(to, &text).await.expect("queued");
        sent.push(text);
    }
    for (person, other, theirs) in [(&bob, "alice", &from_alice), (&alice, "bob", &from_bob)] {
        person.reads(theirs.last().expect("some"), other).await;
        let seen = person.messages(other).into_iter().filter(|(from, _)| from == other);
        let seen: Vec<String> = seen.map(|(_, text)| text).filter(|text| theirs.contains(text)).collect();
        assert_eq!(&seen, theirs, "{} sees", person.handle);
        assert!(person.alarms().is_empty(), "{:?}", person.alarms());
    }
    alice.client().sync(PATIENCE).await.expect("settles");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_introduction_survives_a_cut() {
    let mut server = Server::start();
    let direct = server.url.clone();
    let cutter = Cutter::before(&server).await;
    let bob = Person::registers("bob", &server).await;
    server.url = cutter.url();
    let alice = Person::registers("alice", &server).await;
    server.url = direct;
    cutter.after.store(9_000, Relaxed);
    // It may time out; what is in the outbox goes out later, once.
    let _ = tokio::time::timeout(Duration::from_secs(3), alice.client().send("bob", "hello")).await;
    cutter.after.store(u64::MAX, Relaxed);
    while alice.messages("bob").is_empty() {
        let _ = alice.client().send("bob", "hello").await;
    }
    bob.accepts("alice").await;
    bob.reads("hello", "alice").await;
    assert_eq!(bob.messages("alice").len(), 1);
    assert!(bob.client().requests().expect("reads").is_empty());
}
