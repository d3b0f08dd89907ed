//! A real `zegel-server`, in a process and folders of its own.

use std::{
    fs::{self, File},
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

/// Limits that many people behind one network address do not meet.
const ROOMY: &str = r#"
[directory]
epoch_ms = 200

[limits]
register_per_address = { burst = 100000, per_hour = 100000 }
connect_per_address = { burst = 100000, per_hour = 100000 }
lookup_per_address = { burst = 100000, per_hour = 100000 }
"#;

/// A server process; killed when dropped.
pub struct Server {
    folder: TempDir,
    address: String,
    child: Option<Child>,
}

impl Server {
    /// Starts one on a free port.
    pub fn start() -> Result<Self, String> {
        let folder = tempfile::Builder::new().prefix("zegel-drill-").tempdir().map_err(|e| e.to_string())?;
        fs::write(folder.path().join("config.toml"), ROOMY).map_err(|e| e.to_string())?;
        let mut server = Self { folder, address: "127.0.0.1:0".into(), child: None };
        server.begin()?;
        Ok(server)
    }

    /// Starts it (again), on the same address.
    pub fn begin(&mut self) -> Result<(), String> {
        let path = |name: &str| self.folder.path().join(name);
        let log = File::options().create(true).append(true).open(path("log")).map_err(|e| e.to_string())?;
        let mut child = Command::new(program()?)
            .args(["serve", "--listen", &self.address])
            .arg("--data")
            .arg(path("data"))
            .arg("--keys")
            .arg(path("keys.toml"))
            .arg("--config")
            .arg(path("config.toml"))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .map_err(|e| format!("while starting zegel-server: {e}"))?;
        let stdout = child.stdout.take().ok_or("zegel-server has no output")?;
        self.child = Some(child);
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line).map_err(|e| e.to_string())?;
        let listens = line.trim().strip_prefix("listening on http://");
        self.address = listens.ok_or_else(|| format!("zegel-server did not listen: {}", self.log()))?.into();
        Ok(())
    }

    /// Adds lines to its configuration, for when it begins again.
    pub fn configure(&self, lines: &str) -> Result<(), String> {
        let path = self.folder.path().join("config.toml");
        let text = fs::read_to_string(&path).map_err(|e| e.to_string())?;
        fs::write(path, text + lines).map_err(|e| e.to_string())
    }

    /// Gives it safety rules of the operator's own, for when it begins again.
    pub fn rules(&self, toml: &str) -> Result<(), String> {
        let path = |name: &str| self.folder.path().join(name);
        let (file, config) = (path("safety.toml"), path("config.toml"));
        fs::write(&file, toml).map_err(|e| e.to_string())?;
        let text = fs::read_to_string(&config).map_err(|e| e.to_string())?;
        let line = format!("safety = {file:?}\n");
        // What is not in a table has to stand before all tables.
        let whole = if text.starts_with(&line) { text } else { line + &text };
        fs::write(config, whole).map_err(|e| e.to_string())
    }

    /// Runs one of the operator's commands beside it, and gives what it said.
    pub fn operator(&self, command: &[&str]) -> Result<String, String> {
        let mut operator = Command::new(program()?);
        operator.args(command).arg("--data").arg(self.data()).arg("--keys").arg(self.keys());
        let output = operator.output().map_err(|e| format!("while starting zegel-server: {e}"))?;
        match output.status.success() {
            true => Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned()),
            false => Err(String::from_utf8_lossy(&output.stderr).into_owned()),
        }
    }

    /// Ends it at once.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// `http://ADDRESS:PORT`
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// `ADDRESS:PORT`
    pub fn address(&self) -> &str {
        &self.address
    }

    /// The data folder.
    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// The key file.
    pub fn keys(&self) -> PathBuf {
        self.folder.path().join("keys.toml")
    }

    /// Its process, while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::id)
    }

    /// What it said on standard error.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The server's program: the one of `ZEGEL_SERVER`, or the one that was built beside this one.
pub fn program() -> Result<PathBuf, String> {
    if let Some(named) = std::env::var_os("ZEGEL_SERVER") {
        return Ok(named.into());
    }
    let own = std::env::current_exe().map_err(|e| e.to_string())?;
    let beside = own.parent().map(|folder: &Path| folder.join("zegel-server"));
    beside.filter(|path| path.is_file()).ok_or_else(|| {
        "while starting zegel-server: it is not beside this program; try `cargo build -p zegel-server` first".into()
    })
}
