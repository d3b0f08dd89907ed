//! A real server, and people who type real commands.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::Mutex,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde_json::Value;
use tempfile::TempDir;

/// Limits that no test meets by accident, and epochs that none waits for long.
const WIDE: &str = "
[directory]
epoch_ms = 300
[limits]
register_per_address = { burst = 100000, per_hour = 100000 }
connect_per_address = { burst = 100000, per_hour = 100000 }
";

/// A place with a server and some people.
pub struct Scene {
    folder: TempDir,
    server: Option<Server>,
    url: String,
}

impl Scene {
    /// A server with nobody.
    pub fn new() -> Self {
        Self::with(|_| {})
    }
    /// A server with nobody, whose folder is prepared like this before it starts.
    fn with(prepare: impl FnOnce(&Path)) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("config.toml"), WIDE).expect("written");
        prepare(folder.path());
        let server = Server::start(folder.path(), "127.0.0.1:0");
        Self { url: server.url.clone(), server: Some(server), folder }
    }
    /// A server with nobody, where these numbers of the safety rules are others; see [`Scene::rules_become`].
    pub fn with_rules(numbers: &[(&str, &str, &str)]) -> Self {
        Self::with(|folder| write_rules(folder, numbers))
    }
    /// The server starts anew with the shipped safety rules, but for these numbers: rule, number, value.
    pub fn rules_become(&mut self, numbers: &[(&str, &str, &str)]) {
        self.server_stops();
        write_rules(self.folder.path(), numbers);
        self.server_returns();
    }
    /// A server, and these adults.
    pub fn of<const N: usize>(handles: [&str; N]) -> (Self, [Person; N]) {
        let scene = Self::new();
        let people = handles.map(|handle| scene.adult(handle));
        (scene, people)
    }
    pub fn url(&self) -> &str {
        &self.url
    }
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
    /// Somebody whose profile folder is empty yet.
    pub fn newcomer(&self, handle: &str) -> Person {
        Person { handle: handle.into(), home: self.path(&format!("home-{handle}")) }
    }
    pub fn register(&self, handle: &str, age: &str) -> Person {
        let person = self.newcomer(handle);
        person.does(&["register", handle, "--server", &self.url, "--age", age]);
        person
    }
    /// Registers with an invite that the operator makes with these words; they say the age, if the invite does not.
    pub fn invited(&self, handle: &str, code: &str) -> Person {
        let person = self.newcomer(handle);
        person.does(&["register", handle, "--server", &self.url, "--age", "adult", "--invite", code]);
        person
    }
    /// An invite's code.
    pub fn invite(&self, words: &[&str]) -> String {
        self.operator_does("invite", words).trim_end().to_owned()
    }
    pub fn adult(&self, handle: &str) -> Person {
        self.register(handle, "adult")
    }
    /// What a command of the server's operator prints; it succeeds, whether the server runs or not.
    pub fn operator_does(&self, command: &str, words: &[&str]) -> String {
        let mut operator = Command::new(program("zegel-server"));
        operator.arg(command).arg("--data").arg(self.path("data")).arg("--keys").arg(self.path("keys.toml"));
        let output = operator.args(words).output().expect("zegel-server runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{command} {words:?}: {said}");
        String::from_utf8(output.stdout).expect("UTF-8")
    }
    /// How a command of an auditor ends, and all that it says.
    pub fn auditor_tries(&self, words: &[&str]) -> (Option<i32>, String) {
        let output = Command::new(program("zegel-audit")).args(words).output().expect("zegel-audit runs");
        let said = [output.stdout, output.stderr].concat();
        (output.status.code(), String::from_utf8(said).expect("UTF-8"))
    }
    /// A number that the server shows its operator.
    pub fn measures(&self, name: &str) -> u64 {
        let address = self.url.strip_prefix("http://").expect("no TLS here");
        let mut stream = TcpStream::connect(address).expect("it listens");
        let asked = format!("GET /metrics HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n");
        stream.write_all(asked.as_bytes()).expect("written");
        let mut page = String::new();
        stream.read_to_string(&mut page).expect("answered");
        let line = page.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in {page}")).parse().expect("a number")
    }
    /// The server stops politely.
    pub fn server_stops(&mut self) {
        self.server.take().expect("it runs").stop();
    }
    /// It is killed.
    pub fn server_dies(&mut self) {
        drop(self.server.take().expect("it runs"));
    }
    /// It comes back where it was.
    pub fn server_returns(&mut self) {
        let address = self.url.strip_prefix("http://").expect("no TLS here");
        self.server = Some(Server::start(self.folder.path(), address));
    }
}

/// Puts a changed copy of the shipped safety rules where the server reads them.
fn write_rules(folder: &Path, numbers: &[(&str, &str, &str)]) {
    let shipped = Command::new(program("zegel-server")).arg("safety").output().expect("zegel-server runs");
    let mut rules = String::from_utf8(shipped.stdout).expect("UTF-8");
    for (rule, number, value) in numbers {
        let table = rules.find(&format!("[{rule}.numbers]")).unwrap_or_else(|| panic!("no rule {rule}"));
        let line = table + rules[table..].find(&format!("\n{number} = ")).expect("a number of that name") + 1;
        let end = line + rules[line..].find('\n').expect("a line");
        rules.replace_range(line..end, &format!("{number} = {value}"));
    }
    let file = folder.join("safety.toml");
    fs::write(&file, rules).expect("written");
    fs::write(folder.join("config.toml"), format!("safety = {file:?}\n{WIDE}")).expect("written");
}

struct Server {
    process: Child,
    url: String,
}

impl Server {
    fn start(folder: &Path, listen: &str) -> Self {
        let mut command = Command::new(program("zegel-server"));
        command.arg("serve").arg("--data").arg(folder.join("data"));
        command.arg("--keys").arg(folder.join("keys.toml")).arg("--config").arg(folder.join("config.toml"));
        command.args(["--listen", listen]).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = command.spawn().expect("the server starts");
        let mut line = String::new();
        BufReader::new(process.stdout.take().expect("piped")).read_line(&mut line).expect("a line");
        let url = line.trim_end().strip_prefix("listening on ").expect("the ready line").to_owned();
        Self { process, url }
    }
    fn stop(mut self) {
        signal(&self.process, "-TERM");
        assert_eq!(self.process.wait().expect("it ends").code(), Some(0));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Another of our programs, beside `zegel`. Built if it is not there; cargo builds only what a package's own tests need.
fn program(name: &str) -> PathBuf {
    static BUILDING: Mutex<()> = Mutex::new(());
    let _one = BUILDING.lock().expect("no panic holds this lock");
    let zegel = Path::new(env!("CARGO_BIN_EXE_zegel"));
    let program = zegel.with_file_name(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    if !program.exists() {
        let mut build = Command::new(env!("CARGO"));
        build.args(["build", "--package", name, "--manifest-path"]);
        build.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/../../Cargo.toml"));
        if zegel.parent().is_some_and(|folder| folder.ends_with("release")) {
            build.arg("--release");
        }
        assert!(build.status().expect("cargo runs").success(), "{name} could not be built");
    }
    program
}

/// Sends a signal by its name for `kill`.
pub fn signal(process: &Child, name: &str) {
    let status = Command::new("kill").args([name, &process.id().to_string()]).status();
    assert!(status.expect("kill runs").success());
}

/// Somebody with a profile folder.
pub struct Person {
    pub handle: String,
    pub home: PathBuf,
}

/// `alice.sends("hi").to("bob")`
pub struct Saying<'a> {
    who: &'a Person,
    text: &'a str,
}

impl Saying<'_> {
    /// It is accepted; the message id.
    pub fn to(&self, whom: &str) -> String {
        self.who.does(&["send", whom, "--", self.text]).trim_end().to_owned()
    }
    /// It is refused; what is said about it.
    pub fn to_in_vain(&self, whom: &str) -> String {
        self.who.fails(&["send", whom, "--", self.text])
    }
}

impl Person {
    pub fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_zegel"));
        command.arg("--home").arg(&self.home).args(words).stdin(Stdio::null());
        for name in ["ZEGEL_HOME", "NO_COLOR", "TZ", "LC_ALL"] {
            command.env_remove(name);
        }
        command
    }
    pub fn tries(&self, words: &[&str]) -> Output {
        self.command(words).output().expect("zegel runs")
    }
    /// A command that succeeds; what it prints.
    pub fn does(&self, words: &[&str]) -> String {
        let output = self.tries(words);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {words:?}: {said}", self.handle);
        String::from_utf8(output.stdout).expect("UTF-8")
    }
    /// A command that fails with status 1; what it says, in the form that all failures have.
    pub fn fails(&self, words: &[&str]) -> String {
        let output = self.tries(words);
        let said = String::from_utf8(output.stderr).expect("UTF-8");
        assert_eq!(output.status.code(), Some(1), "{}: {words:?}: {said}", self.handle);
        assert!(output.stdout.is_empty(), "{words:?}");
        assert!(said.starts_with("zegel: while ") && said.contains("; try "), "{words:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        said
    }
    /// What a command that succeeds prints where this variable is set.
    pub fn does_where(&self, (name, value): (&str, &str), words: &[&str]) -> String {
        let output = self.command(words).env(name, value).output().expect("zegel runs");
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{}: {words:?}: {said}", self.handle);
        String::from_utf8(output.stdout).expect("UTF-8")
    }
    /// What a command says on standard error, however it ends.
    pub fn is_told(&self, words: &[&str]) -> String {
        String::from_utf8(self.tries(words).stderr).expect("UTF-8")
    }
    /// The objects that a command with `--json` prints.
    pub fn asks(&self, words: &[&str]) -> Vec<Value> {
        let printed = self.does(&[&["--json"], words].concat());
        printed.lines().map(|line| serde_json::from_str(line).expect("one JSON object a line")).collect()
    }
    /// The one object that a command with `--json` prints.
    pub fn asks_one(&self, words: &[&str]) -> Value {
        let [object] = <[Value; 1]>::try_from(self.asks(words)).expect("one line");
        object
    }
    /// A command with something on standard input.
    pub fn does_with_input(&self, words: &[&str], input: &[u8]) -> Output {
        let mut command = self.command(words);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = command.spawn().expect("zegel runs");
        // It need not read all of it.
        let _ = process.stdin.take().expect("piped").write_all(input);
        process.wait_with_output().expect("it ends")
    }

    pub fn sends<'a>(&'a self, text: &'a str) -> Saying<'a> {
        Saying { who: self, text }
    }
    pub fn accepts(&self, name: &str) {
        self.does(&["accept", name]);
    }
    /// Who waits for an answer: handles, or `handle/group`.
    pub fn requests(&self) -> Vec<String> {
        let name = |request: Value| match text(&request, "group") {
            "" => text(&request, "from").to_owned(),
            group => format!("{}/{group}", text(&request, "from")),
        };
        self.asks(&["requests"]).into_iter().map(name).collect()
    }
    /// All messages with someone, as `from: text`.
    pub fn reads(&self, with: &str) -> Vec<String> {
        said(self.asks(&["read", with]))
    }
    /// Messages that were not read before, once one is there, as `from: text`.
    pub fn hears(&self) -> Vec<String> {
        said(self.asks(&["read", "--new", "--wait", "20"]))
    }
    /// Reads on until this message is there.
    pub fn waits_for(&self, message: &str) {
        for _ in 0..10 {
            if self.hears().iter().any(|heard| heard == message) {
                return;
            }
        }
        panic!("{} never heard {message:?}; they have {:?}", self.handle, said(self.asks(&["read"])));
    }
    /// Notices, gaps and what else is no message, with someone.
    pub fn sees(&self, with: &str) -> Vec<String> {
        let mut lines = self.asks(&["read", with]);
        lines.retain(|line| text(line, "kind") != "message");
        lines.iter().map(|line| format!("{}: {}", text(line, "kind"), text(line, "text"))).collect()
    }
    /// Notices that belong to no conversation.
    pub fn sees_of_the_service(&self) -> Vec<String> {
        let mut lines = self.asks(&["read"]);
        lines.retain(|line| text(line, "kind") == "notice" && text(line, "conversation").is_empty());
        lines.iter().map(|line| text(line, "text").to_owned()).collect()
    }
    /// A command that goes on by itself.
    pub fn starts(&self, words: &[&str]) -> Running {
        Self::runs(self.command(words))
    }
    /// One whose local clock shows this now: hour, minute, second.
    pub fn starts_at(&self, time: (u32, u32, u32), words: &[&str]) -> Running {
        let mut command = self.command(words);
        command.env("TZ", zone_where_it_is(time));
        Self::runs(command)
    }
    fn runs(mut command: Command) -> Running {
        let mut process = command.stdout(Stdio::piped()).spawn().expect("zegel runs");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        Running { process, output }
    }
}

/// A time zone where it is this time now; as POSIX writes it, west of Greenwich is positive.
fn zone_where_it_is((hour, minute, second): (u32, u32, u32)) -> String {
    const DAY: u64 = 24 * 60 * 60;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs() % DAY;
    let west = (now + DAY - u64::from(hour * 3600 + minute * 60 + second)) % DAY;
    format!("<HERE>{}:{:02}:{:02}", west / 3600, west / 60 % 60, west % 60)
}

/// Becomes a contact of both, by introduction.
pub fn befriend(a: &Person, b: &Person) {
    a.sends("may I?").to(&b.handle);
    b.accepts(&a.handle);
    a.does(&["sync"]);
}

/// Reads and sends whatever two friends still have for each other, the tokens by which they come back included.
pub fn settle(a: &Person, b: &Person) {
    for who in [b, a, b, a] {
        who.does(&["sync"]);
    }
}

/// The messages among lines, as `from: text`.
pub fn said(lines: Vec<Value>) -> Vec<String> {
    let messages = lines.iter().filter(|line| text(line, "kind") == "message");
    messages.map(|line| format!("{}: {}", text(line, "from"), text(line, "text"))).collect()
}

/// A field that is a text.
pub fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_else(|| panic!("no text {field} in {object}"))
}

/// A command that runs; killed when dropped.
pub struct Running {
    pub process: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Running {
    /// The next line that it prints.
    pub fn line(&mut self) -> String {
        let mut line = String::new();
        assert_ne!(self.output.read_line(&mut line).expect("readable"), 0, "it ended");
        line.trim_end().to_owned()
    }
    /// Ctrl-C.
    pub fn interrupted(mut self) -> Option<i32> {
        signal(&self.process, "-INT");
        self.process.wait().expect("it ends").code()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Waits until something holds.
pub fn until(what: &str, mut holds: impl FnMut() -> bool) {
    for _ in 0..100 {
        if holds() {
            return;
        }
        pause(100);
    }
    panic!("it never came true that {what}");
}

pub fn pause(milliseconds: u64) {
    std::thread::sleep(Duration::from_millis(milliseconds));
}
