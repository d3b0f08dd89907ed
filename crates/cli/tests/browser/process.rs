//! The processes of a browser, and the certainty that they end.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    thread,
};

/// Chromium's WebDriver, on a port that it chose; killed when dropped, with every process of its browser.
pub struct Chromedriver {
    process: Child,
    pub url: String,
    /// What the command line of its browser names and no other does.
    profile: PathBuf,
}

impl Chromedriver {
    pub fn start(profile: &Path) -> Self {
        let mut command = Command::new(program("chromedriver"));
        command.args(["--port=0", "--log-level=SEVERE"]).env("HOME", profile);
        let mut process =
            command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("chromedriver starts");
        let output = BufReader::new(process.stdout.take().expect("piped"));
        let mut lines = output.lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let port = line.strip_prefix("ChromeDriver was started successfully on port ")?;
            Some(port.trim_end_matches('.').to_owned())
        });
        let port = port.expect("chromedriver says its port");
        // Nobody may make it wait by not reading.
        thread::spawn(move || lines.for_each(drop));
        Self { process, url: format!("http://127.0.0.1:{port}"), profile: profile.to_owned() }
    }
}

impl Drop for Chromedriver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        kill_those_of(&self.profile);
    }
}

/// Processes whose command line names this folder. Chromium is led over a pipe and ends with its WebDriver; what is
/// still here hangs.
fn kill_those_of(folder: &Path) {
    let folder = folder.as_os_str().as_encoded_bytes();
    let Ok(processes) = fs::read_dir("/proc") else { return };
    for process in processes.flatten() {
        let line = fs::read(process.path().join("cmdline")).unwrap_or_default();
        if line.windows(folder.len()).any(|part| part == folder) {
            let _ = Command::new("kill").arg("-KILL").arg(process.file_name()).stderr(Stdio::null()).status();
        }
    }
}

/// Where a program is.
pub fn program(name: &str) -> PathBuf {
    let folders = env::var_os("PATH").unwrap_or_default();
    let found = env::split_paths(&folders).map(|folder| folder.join(name)).find(|program| program.is_file());
    found.unwrap_or_else(|| panic!("there is no {name} here; `cargo xtask test` installs it"))
}
