//! A real `zegel-server`, in a process and folders of its own.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::mpsc,
    thread,
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use zegel_safety::Policy;

use super::{Error, Result};

const PATIENCE: Duration = Duration::from_secs(30);

/// A configuration whose limits a whole population behind one network address does not meet.
pub const ROOMY: &str = r#"
[limits]
register_per_address = { burst = 1000000, per_hour = 1000000 }
connect_per_address = { burst = 1000000, per_hour = 1000000 }
submit_per_device = { burst = 10000000, per_hour = 10000000 }
introduce_per_account = { burst = 1000000, per_hour = 1000000 }
lookup_per_account = { burst = 1000000, per_hour = 1000000 }
lookup_per_address = { burst = 1000000, per_hour = 1000000 }
blob_kib_per_account = { burst = 100000000, per_hour = 100000000 }
code_per_account = { burst = 100000, per_hour = 100000 }
connection_per_account = { burst = 100000, per_hour = 100000 }
calls_per_device = { burst = 10000000, per_hour = 10000000 }
unaccepted_entries = 100000
"#;

/// A server process with a temporary data folder, key file and configuration, all gone when it is dropped.
pub struct Server {
    folder: TempDir,
    child: Option<Child>,
    url: String,
}

impl Server {
    /// Starts one with this configuration (TOML; [`ROOMY`] serves most) on a free port. By its safety rules one may come to
    /// a thousand strangers a day.
    pub fn start(config: &str) -> Result<Self> {
        let mut rules = Policy::shipped();
        (rules.strangers.numbers.new_a_day, rules.strangers.numbers.a_day) = (1000, 1000);
        Self::with_rules(config, &rules)
    }

    /// The same by these safety rules.
    pub fn with_rules(config: &str, rules: &Policy) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("zegel-bench-").tempdir()?;
        let safety = folder.path().join("safety.toml");
        fs::write(&safety, rules.to_toml())?;
        fs::write(folder.path().join("config.toml"), format!("safety = {safety:?}\n{config}"))?;
        let mut server = Self { folder, child: None, url: String::new() };
        server.begin()?;
        Ok(server)
    }

    /// Starts it again over the same data, after [`Server::kill`] or [`Server::stop`]; the port changes.
    pub fn begin(&mut self) -> Result {
        let folder = self.folder.path();
        let log = File::options().create(true).append(true).open(folder.join("log"))?;
        let mut child = Command::new(beside("zegel-server")?)
            .args(["serve", "--listen", "127.0.0.1:0"])
            .arg("--data")
            .arg(folder.join("data"))
            .arg("--keys")
            .arg(folder.join("keys"))
            .arg("--config")
            .arg(folder.join("config.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|e| format!("while starting zegel-server: {e}"))?;
        let stdout = child.stdout.take().ok_or("while starting zegel-server: it has no output")?;
        self.child = Some(child);
        let (say, hear) = mpsc::channel();
        // Read to the end, so that the server never meets a closed pipe.
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(std::result::Result::ok) {
                let _ = say.send(line);
            }
        });
        let ready = hear.recv_timeout(PATIENCE).ok();
        let url = ready.as_deref().and_then(|line| line.strip_prefix("listening on "));
        self.url =
            url.ok_or_else(|| self.complaint("while starting zegel-server: it did not listen"))?.to_owned();
        Ok(())
    }

    /// `http://ADDRESS:PORT`, or `https://` where the configuration names certificates.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The process id; an error if it is not running.
    pub fn pid(&self) -> Result<u32> {
        Ok(self.child.as_ref().ok_or("the server is not running")?.id())
    }

    /// Ends it at once, as a power cut would (SIGKILL).
    pub fn kill(&mut self) -> Result {
        if let Some(mut child) = self.child.take() {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Asks it to finish (SIGTERM) and waits; an error unless it exits 0.
    pub fn stop(&mut self) -> Result {
        let Some(mut child) = self.child.take() else { return Ok(()) };
        let pid =
            i32::try_from(child.id()).ok().and_then(Pid::from_raw).ok_or("a process id that is none")?;
        kill_process(pid, Signal::TERM)?;
        let begun = Instant::now();
        while begun.elapsed() < PATIENCE {
            if let Some(status) = child.try_wait()? {
                return match status.success() {
                    true => Ok(()),
                    false => Err(self.complaint(&format!("while stopping zegel-server: {status}"))),
                };
            }
            thread::sleep(Duration::from_millis(20));
        }
        child.kill()?;
        child.wait()?;
        Err(self.complaint("while stopping zegel-server: it did not finish"))
    }

    /// An error with the last lines of the server's log.
    pub fn complaint(&self, what: &str) -> Error {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(20)..].join("\n  ");
        format!("{what}; the server's log ends:\n  {last}").into()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.kill();
    }
}

/// A program of this workspace, from the folder that this one was built in.
fn beside(name: &str) -> Result<PathBuf> {
    let own = std::env::current_exe()?;
    // A test's own program lies one folder deeper.
    let folders = own.ancestors().skip(1).take(2);
    let found = folders.map(|folder: &Path| folder.join(name)).find(|path| path.is_file());
    found.ok_or_else(|| {
        format!("there is no {name} beside this program; build it with -p {name} and the same profile").into()
    })
}
