//! The real program, started on a free port, and a small client that speaks bare v1 frames.

#![allow(dead_code, unused_imports, reason = "each test program uses a part of it")]

mod client;
mod person;

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Output, Stdio},
    time::{Duration, Instant},
};

pub use client::{Client, code_of, raw};
pub use person::{Group, Person, key_in, place_in};

/// Limits that no test meets by accident.
pub const WIDE: &str = "
[limits]
register_per_address = { burst = 100000, per_hour = 100000 }
connect_per_address = { burst = 100000, per_hour = 100000 }
submit_per_device = { burst = 1000000, per_hour = 1000000 }
";

/// Folders and files of one service.
pub struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    pub fn new() -> Self {
        let place = Self { folder: tempfile::tempdir().expect("a folder") };
        place.configure(WIDE);
        place
    }
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    pub fn data(&self) -> PathBuf {
        self.path("data")
    }
    pub fn keys(&self) -> PathBuf {
        self.path("keys.toml")
    }
    pub fn configure(&self, toml: &str) {
        fs::write(self.path("config.toml"), toml).expect("written");
    }
    /// Runs an operator's command to its end, in this place.
    pub fn run(&self, command: &[&str]) -> Output {
        let mut program = Command::new(program());
        program.args(command).arg("--data").arg(self.data()).arg("--keys").arg(self.keys());
        program.output().expect("the program runs")
    }
    /// Runs a command that must succeed; returns its standard output.
    pub fn done(&self, command: &[&str]) -> String {
        let output = self.run(command);
        assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8").trim_end().to_owned()
    }
    /// Runs a command that must fail with status 1; returns what it said.
    pub fn refused(&self, command: &[&str]) -> String {
        let output = self.run(command);
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        String::from_utf8(output.stderr).expect("UTF-8")
    }
    pub fn start(&self) -> Server {
        Server::start(&self.data(), &self.keys(), &self.path("config.toml"))
    }
}

/// The program under test; `ZEGEL_SERVER` names another build of it, to measure.
pub fn program() -> String {
    std::env::var("ZEGEL_SERVER").unwrap_or_else(|_| env!("CARGO_BIN_EXE_zegel-server").into())
}

/// A running server; killed when dropped.
pub struct Server {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
    /// `http` or `https`.
    pub scheme: String,
    /// `127.0.0.1:PORT`.
    pub address: String,
}

impl Server {
    pub fn start(data: &Path, keys: &Path, config: &Path) -> Self {
        let mut command = Command::new(program());
        command.arg("serve").arg("--data").arg(data).arg("--keys").arg(keys);
        command.arg("--config").arg(config).args(["--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).spawn().expect("the program starts");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let mut line = String::new();
        output.read_line(&mut line).expect("a line");
        let url = line.trim_end().strip_prefix("listening on ").expect("the ready line");
        let (scheme, address) = url.split_once("://").expect("a URL");
        Self { output, scheme: scheme.into(), address: address.into(), child }
    }
    pub fn id(&self) -> u32 {
        self.child.id()
    }
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args([name, &id]).status().expect("kill runs").success());
    }
    /// Waits for the end; nothing more may have come on standard output.
    pub fn wait(mut self) -> ExitStatus {
        let until = Instant::now() + Duration::from_secs(20);
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("waits") {
                break status;
            }
            assert!(Instant::now() < until, "the server did not end");
            std::thread::sleep(Duration::from_millis(20));
        };
        let mut rest = String::new();
        self.output.read_to_string(&mut rest).expect("UTF-8");
        assert_eq!(rest, "", "only one line on standard output");
        status
    }
    /// SIGTERM; the exit status must be 0.
    pub fn stop(self) {
        self.signal("-TERM");
        assert_eq!(self.wait().code(), Some(0));
    }
    /// A plain HTTP request: status and body.
    pub fn get(&self, path: &str) -> (u16, String) {
        let (status, _, body) = self.fetch(path);
        (status, String::from_utf8(body).expect("UTF-8"))
    }
    /// A plain HTTP request: status, headers and body.
    pub fn fetch(&self, path: &str) -> (u16, String, Vec<u8>) {
        use std::io::Write;
        let mut stream = std::net::TcpStream::connect(&self.address).expect("connects");
        write!(stream, "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").expect("sent");
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).expect("read");
        let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let body = answer.split_off(end + 4);
        let head = String::from_utf8(answer).expect("UTF-8").to_ascii_lowercase();
        (head.split(' ').nth(1).and_then(|s| s.parse().ok()).expect("a status"), head, body)
    }
    /// Resident memory in bytes.
    pub fn resident(&self) -> usize {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("a process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("VmRSS");
        line.trim().trim_end_matches(" kB").parse::<usize>().expect("a number") * 1024
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
