//! A real server process and people with real profiles, for scenarios.
#![allow(dead_code, reason = "each test file uses its part")]

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use tempfile::TempDir;
use zegel_client::{AgeBand, Client, Line, Registration};
use zegel_safety::Policy;

/// Long enough for a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The server binary of this build; built if a test of this crate runs alone.
fn server_binary() -> PathBuf {
    let mut path = std::env::current_exe().expect("a test knows its path");
    path.pop();
    path.pop();
    path.push("zegel-server");
    if !path.exists() {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo).args(["build", "--quiet", "-p", "zegel-server"]).status();
        assert!(built.expect("cargo runs").success(), "zegel-server does not build");
    }
    path
}

/// A server process on a folder; killed when dropped.
pub struct Server {
    child: Option<Child>,
    folder: TempDir,
    address: String,
    pub url: String,
}

impl Server {
    pub fn start() -> Self {
        Self::start_with("")
    }

    /// With more lines of configuration.
    pub fn start_with(more: &str) -> Self {
        Self::start_by(&Policy::shipped(), more)
    }

    /// With these safety rules.
    pub fn start_by(rules: &Policy, more: &str) -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let safety = folder.path().join("safety.toml");
        std::fs::write(&safety, rules.to_toml()).expect("writes");
        // Everybody of a test comes from one network address.
        let config = format!(
            "safety = {safety:?}\n[limits]\nregister_per_address = {{ burst = 5000, per_hour = 5000 }}\n\
             connect_per_address = {{ burst = 5000, per_hour = 5000 }}\n{more}"
        );
        std::fs::write(folder.path().join("config.toml"), config).expect("writes");
        let mut server = Self { child: None, folder, address: "127.0.0.1:0".into(), url: String::new() };
        server.run();
        server
    }

    /// Starts it (again), on the same address as before.
    pub fn run(&mut self) {
        let path = |name: &str| self.folder.path().join(name);
        let mut child = Command::new(server_binary())
            .args(["serve", "--listen", &self.address])
            .arg("--data")
            .arg(path("data"))
            .arg("--keys")
            .arg(path("keys.toml"))
            .arg("--config")
            .arg(path("config.toml"))
            .stdout(Stdio::piped())
            .spawn()
            .expect("zegel-server starts");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let url = line.trim().strip_prefix("listening on ").unwrap_or_else(|| panic!("unexpected: {line:?}"));
        self.address = url.strip_prefix("http://").expect("plain").into();
        self.url = url.into();
        self.child = Some(child);
    }

    /// SIGKILL, as when the machine loses power.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("it can be killed");
            child.wait().expect("it ends");
        }
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A person with a profile.
pub struct Person {
    pub handle: String,
    home: TempDir,
    pub client: Option<Client>,
}

impl Person {
    pub async fn registers(handle: &str, server: &Server) -> Self {
        Self::registers_as(handle, AgeBand::Adult, server).await
    }

    pub async fn registers_as(handle: &str, age: AgeBand, server: &Server) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder");
        let registration = Registration { handle: handle.into(), age, language: "en".into(), invite: None };
        let client = Client::register(home.path(), &server.url, &registration).await.expect("registers");
        client.caught_up(PATIENCE).await.expect("connects");
        Self { handle: handle.into(), home, client: Some(client) }
    }

    pub fn home(&self) -> &Path {
        self.home.path()
    }

    pub fn client(&self) -> &Client {
        self.client.as_ref().expect("not closed")
    }

    pub async fn closes(&mut self) {
        if let Some(client) = self.client.take() {
            client.close().await;
        }
    }

    pub async fn opens(&mut self) {
        self.client = Some(Client::open(self.home.path()).await.expect("opens"));
    }

    pub async fn sends(&self, text: &str, to: &str) -> String {
        let sent = self.client().send(to, text).await;
        sent.unwrap_or_else(|e| panic!("{} sends to {to}: {e}", self.handle))
    }

    pub async fn accepts(&self, name: &str) {
        self.sees_request(name).await;
        self.client().accept(name).await.unwrap_or_else(|e| panic!("{} accepts {name}: {e}", self.handle));
    }

    pub async fn sees_request(&self, name: &str) {
        let here =
            || self.client().requests().expect("reads").iter().any(|r| r.from == name || r.group == name);
        self.waits_until(&format!("a request from {name}"), here).await;
    }

    pub async fn waits_until(&self, what: &str, mut done: impl FnMut() -> bool) {
        let start = std::time::Instant::now();
        while !done() {
            let seen = || self.lines().into_iter().map(|l| (l.kind, l.conversation, l.from, l.text, l.state));
            let seen = || seen().collect::<Vec<_>>();
            assert!(start.elapsed() < PATIENCE, "{} waits for {what}; sees {:#?}", self.handle, seen());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// All messages with someone, as (from, text).
    pub fn messages(&self, with: &str) -> Vec<(String, String)> {
        let lines = self.client().read(Some(with), 0, false, false).unwrap_or_default();
        lines.into_iter().filter(|l| l.kind == "message").map(|l| (l.from, l.text)).collect()
    }

    pub fn lines(&self) -> Vec<Line> {
        self.client().read(None, 0, false, false).expect("reads")
    }

    /// Lines that are alarms: gaps and hidden messages.
    pub fn alarms(&self) -> Vec<Line> {
        self.lines().into_iter().filter(|l| l.kind == "gap" || l.kind == "hidden").collect()
    }

    pub async fn reads(&self, text: &str, with: &str) {
        let here = || self.messages(with).iter().any(|(_, t)| t == text);
        self.waits_until(&format!("{text:?} with {with}"), here).await;
    }
}

/// Two people who have accepted each other.
pub async fn two_friends(server: &Server) -> (Person, Person) {
    let alice = Person::registers("alice", server).await;
    let bob = Person::registers("bob", server).await;
    alice.sends("hello bob", "bob").await;
    bob.accepts("alice").await;
    bob.reads("hello bob", "alice").await;
    bob.sends("hello alice", "alice").await;
    alice.reads("hello alice", "bob").await;
    (alice, bob)
}
