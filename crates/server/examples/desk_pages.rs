//! How long the desk takes for what its pages show, with 10 000 cases: `cargo run --release --example desk_pages`.
//!
//! The pages are asked for as a browser does that is signed in with a passkey; the network is left out.

#[path = "../../desk/tests/kit/browser.rs"]
#[allow(dead_code, reason = "the desk's tests use the rest")]
mod browser;
#[path = "../../desk/tests/kit/html.rs"]
mod html;
#[path = "../../desk/tests/kit/key.rs"]
mod key;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{Router, body::Body, http::Request};
use browser::Browser;
use key::Key;
use tower_service::Service as _;
use zegel_cases::{Case, CaseNumber, Category, Finding, Report, Shown, Subject};
use zegel_desk::Origin;
use zegel_proto::{AccountId, token_hash};
use zegel_server::{
    blobs::Blobs,
    clock::Now,
    config::Config,
    hub::Hub,
    keys::KeyRing,
    service::{Desk, Service},
    store::{self, DeskInvite, SqliteStore, Store},
};

const ORIGIN: &str = "http://localhost:8420";
const CASES: usize = 10_000;
/// How many cases are about the same person.
const ALIKE: usize = 4;
const ROUNDS: usize = 100;
const TEXT: &str = "You are old enough, nobody will know. Send it now or I tell everybody at your school.";

#[tokio::main]
async fn main() {
    let dir = tempfile::tempdir().expect("a folder");
    let data = dir.path().join("data");
    let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data).expect("a store"));
    let keys = KeyRing::load_or_create(&dir.path().join("keys.toml"), &data, "localhost").expect("keys");
    let blobs = Blobs::open(&data.join("blobs")).expect("blobs");
    let service = Service::start(store.clone(), keys, Config::default(), Arc::new(Hub::default()), blobs);
    let desk = Arc::new(Desk::new(service.await.expect("a service")));
    let began = Instant::now();
    let numbers = fill(&desk).await;
    println!(
        "{CASES} cases, 2 reports each, 5 messages each: written in {:.1} s",
        began.elapsed().as_secs_f64()
    );

    let invite = DeskInvite { name: "ada".into(), role: "moderator".into(), expires_ms: u64::MAX >> 1 };
    store::write(&*store, move |tx| tx.put_desk_invite(&token_hash(b"code"), &invite))
        .await
        .expect("written");
    let mut router = zegel_desk::router(desk, Origin::parse(ORIGIN).expect("an origin"));
    let (mut ada, mut key) = (Browser::new(router.clone()), Key::new(ORIGIN));
    assert_eq!(ada.join("code", &mut key).await.status, 200);
    assert_eq!(ada.enter(&mut key).await.status, 200);

    let mut places = vec!["/desk".to_owned()];
    while let Some(next) = next(&mut ada, &places[places.len() - 1]).await {
        places.push(next);
    }
    for (name, at) in [("first", 0), ("middle", places.len() / 2), ("last", places.len() - 1)] {
        let paths = std::iter::repeat_n(places[at].clone(), ROUNDS);
        show(
            &format!("queue, {name} page of {}", places.len()),
            measure(&mut router, &ada.cookie, paths).await,
        );
    }
    let paths = (0..ROUNDS).map(|round| format!("/desk/case/{}", numbers[round * 97 % CASES]));
    show("case", measure(&mut router, &ada.cookie, paths).await);
}

/// The link to the next part of the queue.
async fn next(ada: &mut Browser, path: &str) -> Option<String> {
    let page = ada.get(path).await;
    assert_eq!(page.status, 200);
    let (before, _) = page.text().split_once("rel=\"next\"")?;
    let link = before.rsplit("href=\"").next()?.split('"').next()?;
    Some(link.replace("&amp;", "&"))
}

async fn measure(router: &mut Router, cookie: &str, paths: impl Iterator<Item = String>) -> Vec<Duration> {
    let mut took = Vec::new();
    for path in paths {
        let request = Request::get(path).header("host", "localhost:8420").header("cookie", cookie);
        let request = request.body(Body::empty()).expect("a request");
        let began = Instant::now();
        let answer = router.call(request).await.expect("never fails");
        assert_eq!(answer.status(), 200);
        axum::body::to_bytes(answer.into_body(), usize::MAX).await.expect("a body");
        took.push(began.elapsed());
    }
    took
}

fn show(what: &str, mut took: Vec<Duration>) {
    took.sort();
    let ms = |at: usize| took[at].as_secs_f64() * 1000.0;
    println!("{what}: median {:.2} ms, max {:.2} ms", ms(took.len() / 2), ms(took.len() - 1));
}

async fn fill(desk: &Desk) -> Vec<CaseNumber> {
    let mut about = AccountId::random();
    let mut numbers = Vec::new();
    for batch in 0..CASES / 500 {
        let mut cases = Vec::new();
        for n in 0..500 {
            if n % ALIKE == 0 {
                about = AccountId::random();
            }
            let case = case(about, batch * 500 + n);
            numbers.push(case.number);
            cases.push((case, vec![report(), report()]));
        }
        desk.put(cases).await.expect("put");
    }
    numbers
}

fn case(about: AccountId, n: usize) -> Case {
    Case {
        number: CaseNumber::new(rand::random()),
        subject: Subject::Account(about),
        handle: "somebody.reported".into(),
        opened_ms: Now::get().ms - (n as u64) * 60_000,
        category: Category::ALL[n % Category::ALL.len()],
        reports: 2,
        disclosed: 10,
        proven: 10,
        claim: None,
        decision: None,
        appeal: None,
        export: None,
        rule: None,
    }
}

fn report() -> Report {
    let shown = |n: u64| Shown {
        finding: Finding::Proven,
        gap: 0,
        sender: "00".repeat(16),
        handle: "somebody.reported".into(),
        accepted_ms: Now::get().ms - 60_000 + n,
        seq: 1000 + n,
        text: TEXT.into(),
        content: hex::encode([TEXT, TEXT].concat()),
        context: "ab".repeat(230),
        stamp: "cd".repeat(32),
    };
    Report {
        reporter: AccountId::random(),
        handle: "somebody.else".into(),
        category: Category::Grooming,
        note: "He wrote to me in a game.".into(),
        made_ms: Now::get().ms,
        room: "00".repeat(32),
        run: (0..5).map(shown).collect(),
        earlier: (3, 2),
        young: false,
    }
}
