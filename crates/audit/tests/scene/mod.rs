//! A directory made by the real publisher, a service that shows it (or what a liar would show instead), and the real
//! program that follows it.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use axum::{Router, extract::State, http::StatusCode, http::Uri, response::IntoResponse};
use tokio::runtime::Runtime;
use zegel_directory::{
    Entry, Label, Root, SignedRoot, SignerKey,
    publisher::{MemoryRecords, Publisher, VrfKey},
    skip_of,
};
use zegel_identity::SigningKey;
use zegel_proto::{AccountId, Message, v1};

pub const DOMAIN: &str = "zegel.example";

/// What is published: signed roots, and the proof of each epoch.
pub struct House {
    pub key: SignerKey,
    pub roots: Vec<SignedRoot>,
    pub proofs: Vec<Vec<u8>>,
    publisher: Publisher<MemoryRecords>,
    records: MemoryRecords,
    runtime: Runtime,
}

impl Default for House {
    fn default() -> Self {
        Self::new()
    }
}

impl House {
    /// The same keys each time, so that two houses are one service that shows two directories.
    pub fn new() -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        let records = MemoryRecords::default();
        let vrf = VrfKey::new([7; 32]);
        let publisher = runtime.block_on(Publisher::open(records.clone(), vrf, 64 << 20)).expect("opens");
        let (_, tree) = runtime.block_on(publisher.tree()).expect("a tree");
        let key = SignerKey::first(SigningKey::from_bytes(&[9; 32]));
        let mut house = Self { key, roots: Vec::new(), proofs: Vec::new(), publisher, records, runtime };
        let first = house.sign(0, tree);
        house.roots.push(first);
        house.proofs.push(Vec::new());
        house
    }

    /// The root of an epoch over this tree, as the service would sign it after those that are there.
    pub fn sign(&self, epoch: u64, tree: [u8; 32]) -> SignedRoot {
        let root = |epoch: u64| &self.roots[epoch as usize].root;
        let place = match epoch {
            0 => Root::FIRST,
            _ => root(epoch - 1).next(root(skip_of(epoch)).hash()),
        };
        let time_ms = 1_700_000_000_000 + epoch * 10_000;
        let root = Root { time_ms, tree, vrf: self.publisher.vrf_public(), ..place };
        SignedRoot::sign(DOMAIN, root, &self.key)
    }

    /// Publishes an epoch in which these people changed; `news` makes their entries differ from other ones.
    pub fn publish(&mut self, people: impl IntoIterator<Item = u64>, news: u64) {
        let updates = people.into_iter().map(|person| {
            let entry = Entry {
                account: AccountId([person as u8; 16]),
                len: self.roots.len() as u64,
                head: [news as u8; 32],
                ended: false,
            };
            (Label::of(DOMAIN, &format!("person{person}")), entry)
        });
        let made = self.runtime.block_on(self.publisher.publish(updates.collect())).expect("published");
        let mut made = made.expect("something changed");
        self.records.apply(std::mem::take(&mut made.records));
        let (epoch, tree) = (made.epoch, made.tree);
        self.proofs.push(std::mem::take(&mut made.proof));
        made.commit();
        let root = self.sign(epoch, tree);
        self.roots.push(root);
    }

    /// So many epochs with one change each.
    pub fn grow(&mut self, epochs: u64) {
        for _ in 0..epochs {
            let person = self.roots.len() as u64;
            self.publish([person], 1);
        }
    }

    pub fn newest(&self) -> u64 {
        self.roots.len() as u64 - 1
    }

    /// What a service answers that shows `root`.
    pub fn answer(&self, root: &SignedRoot) -> Vec<u8> {
        let signers = self.key.links().iter().map(Into::into).collect();
        let root = Some(root.into());
        v1::RootAnswer { root, path: Vec::new(), signers, domain: DOMAIN.into() }.encode_to_vec()
    }

    /// The path of an epoch's proof.
    pub fn proof_path(&self, epoch: u64) -> String {
        let tree = |epoch: u64| hex::encode(self.roots[epoch as usize].root.tree);
        format!("/v1/directory/audit/{epoch}/{}/{}", tree(epoch - 1), tree(epoch))
    }
}

pub fn root_path(epoch: u64) -> String {
    format!("/v1/directory/root/{epoch}")
}

pub const NEWEST: &str = "/v1/directory/root";

/// A service that shows what it is given, page by page.
pub struct Service {
    pages: Arc<Pages>,
    pub url: String,
    runtime: Option<Runtime>,
}

struct Pages {
    pages: Mutex<BTreeMap<String, Vec<u8>>>,
    broken: Mutex<Option<StatusCode>>,
    asked: AtomicUsize,
}

impl Service {
    pub fn start() -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build();
        let runtime = runtime.expect("a runtime");
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let pages = Pages { pages: Mutex::default(), broken: Mutex::default(), asked: AtomicUsize::new(0) };
        let pages = Arc::new(pages);
        let router = Router::new().fallback(page).with_state(pages.clone());
        runtime.spawn(async move { axum::serve(listener, router).await });
        Self { pages, url, runtime: Some(runtime) }
    }

    /// A service that shows all of a house.
    pub fn of(house: &House) -> Self {
        let service = Self::start();
        service.show(house);
        service
    }

    /// Shows all of a house, its newest epoch as the newest.
    pub fn show(&self, house: &House) {
        for (root, epoch) in house.roots.iter().zip(0..) {
            self.put(&root_path(epoch), house.answer(root));
            if epoch > 0 {
                self.put(&house.proof_path(epoch), house.proofs[epoch as usize].clone());
            }
        }
        self.newest(house, house.newest());
    }

    /// Says that this epoch is the newest.
    pub fn newest(&self, house: &House, epoch: u64) {
        self.put(NEWEST, house.answer(&house.roots[epoch as usize]));
    }

    pub fn put(&self, path: &str, body: Vec<u8>) {
        self.pages.pages.lock().expect("no panic").insert(path.into(), body);
    }
    pub fn remove(&self, path: &str) {
        self.pages.pages.lock().expect("no panic").remove(path);
    }
    /// Answers everything with this status, or properly again.
    pub fn broken(&self, status: Option<StatusCode>) {
        *self.pages.broken.lock().expect("no panic") = status;
    }
    /// How often it was asked.
    pub fn asked(&self) -> usize {
        self.pages.asked.load(Relaxed)
    }
    /// Ends; its port answers no more.
    pub fn stop(mut self) -> String {
        self.runtime.take().expect("it runs").shutdown_background();
        self.url.clone()
    }
}

async fn page(State(pages): State<Arc<Pages>>, uri: Uri) -> axum::response::Response {
    pages.asked.fetch_add(1, Relaxed);
    if let Some(status) = *pages.broken.lock().expect("no panic") {
        return status.into_response();
    }
    match pages.pages.lock().expect("no panic").get(uri.path()) {
        Some(body) => body.clone().into_response(),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// A folder with the state of one auditor.
pub struct Desk {
    folder: tempfile::TempDir,
}

impl Default for Desk {
    fn default() -> Self {
        Self::new()
    }
}

impl Desk {
    pub fn new() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder") }
    }
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    pub fn state(&self) -> PathBuf {
        self.path("state")
    }
    /// The program; what is missing or older is a lie after a second.
    pub fn command(&self, url: &str, more: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zegel-audit"));
        command.args(["--server", url, "--state"]).arg(self.state()).args(more);
        if !more.contains(&"--patience") {
            command.args(["--patience", "1"]);
        }
        command
    }
    /// Runs the program once, to its end.
    pub fn once(&self, url: &str, more: &[&str]) -> Said {
        Said::from(self.command(url, more).arg("--once").output().expect("the program runs"))
    }
    /// Starts a daemon that listens; killed when dropped.
    pub fn daemon(&self, url: &str, more: &[&str]) -> Daemon {
        let mut command = self.command(url, more);
        command.args(["--every", "1", "--listen", "127.0.0.1:0"]);
        let mut child =
            command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let line =
            lines.find_map(|line| line.expect("UTF-8").strip_prefix("listening on ").map(ToOwned::to_owned));
        Daemon { child, url: line.expect("the ready line") }
    }
    /// The only evidence file.
    pub fn evidence(&self) -> serde_json::Value {
        let text = std::fs::read(self.path("state.lie-1.json")).expect("evidence");
        serde_json::from_slice(&text).expect("JSON")
    }
}

/// What a run of the program said, and how it ended.
#[derive(Debug)]
pub struct Said {
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }
}

impl Said {
    /// It found all in order.
    pub fn fine(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:?}");
        self
    }
    /// It failed, and accused nobody.
    pub fn failed(self, why: &str) -> Self {
        assert_eq!(self.code, Some(1), "{self:?}");
        assert!(self.err.contains(why), "{self:?}");
        assert!(!self.err.contains("LIE"), "{self:?}");
        self
    }
    /// It caught the service at this, said so in one line, and ended with 2.
    pub fn caught(self, what: &str) -> Self {
        assert_eq!(self.code, Some(2), "{self:?}");
        let lie = self.err.lines().next_back().expect("a line");
        assert!(lie.starts_with("zegel-audit: LIE at epoch "), "{self:?}");
        assert!(lie.contains(what), "{what:?} is not in {self:?}");
        assert!(lie.contains("the evidence is in "), "{self:?}");
        self
    }
}

/// A running auditor.
pub struct Daemon {
    child: Child,
    pub url: String,
}

impl Daemon {
    /// A page: status and body.
    pub fn get(&self, path: &str) -> (u16, String) {
        let config = ureq::Agent::config_builder().http_status_as_error(false).build();
        let agent: ureq::Agent = config.into();
        let mut answer = agent.get(format!("{}{path}", self.url)).call().expect("an answer");
        (answer.status().as_u16(), answer.body_mut().read_to_string().expect("text"))
    }
    /// The value of a metric.
    pub fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.get("/metrics");
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("zegel_audit_{name} ")));
        line.expect("the metric").parse().expect("a number")
    }
    /// Waits until a metric is at least this.
    pub fn waits_for(&self, name: &str, value: f64) {
        let mut left = 400;
        while self.metric(name) < value {
            left -= 1;
            assert!(left > 0, "{name} does not get to {value}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
    /// Waits until it has checked up to this epoch.
    pub fn reaches(&self, epoch: u64) {
        let mut left = 200;
        while self.metric("epoch") < epoch as f64 || self.metric("last_success_timestamp_seconds") == 0.0 {
            left -= 1;
            assert!(left > 0, "the daemon does not get to epoch {epoch}");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
    }
    /// The most memory that it ever held, bytes.
    pub fn peak_memory(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("VmHWM");
        line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
    }
    /// Ends it as a crash would.
    pub fn kill(mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("ended");
    }
    /// Waits for the end, at most 20 s.
    pub fn wait(mut self) -> Said {
        let mut left = 400;
        while self.child.try_wait().expect("waits").is_none() {
            left -= 1;
            assert!(left > 0, "the daemon does not end");
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        let mut err = String::new();
        self.child.stderr.take().expect("piped").read_to_string(&mut err).expect("UTF-8");
        Said { code: self.child.wait().expect("ended").code(), out: String::new(), err }
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Changes one byte of a file.
pub fn damage(path: &Path, at: usize) {
    let mut bytes = std::fs::read(path).expect("the file");
    bytes[at] ^= 1;
    std::fs::write(path, bytes).expect("written");
}
