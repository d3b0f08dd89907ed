//! What an auditor remembers between two runs: a file that is whole at any moment.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use zegel_directory::{SignerLink, View};

use crate::{Failure, Progress};

/// What the file begins with.
const NAME: &str = "zegel-audit-state";
/// The version of its layout.
const VERSION: u32 = 1;

/// All that is kept of a directory.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct State {
    /// The URL that it was followed at.
    pub server: String,
    /// Keys and newest root.
    pub view: View,
    /// The view's keys, with what each signed for the next: others are shown it.
    pub signers: Vec<SignerLink>,
    /// How many lies were found.
    pub lies: u64,
    /// When it was last found in order, milliseconds since 1970.
    pub checked_ms: u64,
    /// The key of each auditor that this one compares with, since the first answer.
    pub peers: BTreeMap<String, String>,
}

impl State {
    /// How far it is, for one that was at `begun` and has heard of `newest`.
    pub fn progress(&self, begun: u64, newest: u64) -> Progress {
        let seen = self.view.latest().seen();
        let new = seen.epoch - begun;
        Progress {
            domain: self.view.domain().into(),
            seen,
            new,
            newest,
            lies: self.lies,
            signers: self.signers.clone(),
        }
    }

    /// Takes more keys; those that do not go on from the view's are left alone.
    pub fn learn(&mut self, signers: &[SignerLink]) {
        if signers.len() > self.signers.len() && self.view.learn_signers(signers).is_ok() {
            self.signers = signers.to_vec();
        }
    }

    /// Reads the file; `None` if there is none.
    pub fn load(path: &Path) -> Result<Option<Self>, Failure> {
        let doing = || format!("reading the state {}", path.display());
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(Failure::own(doing(), error, "a --state that can be read")),
        };
        match parse(&bytes) {
            Ok(state) => Ok(Some(state)),
            Err(Unfit::Damaged) => {
                let fix = "a copy of it, or begin anew with another --state";
                Err(Failure::own(doing(), "it is damaged", fix))
            }
            Err(Unfit::Version(version)) => {
                let why = format!("it has version {version} and this build knows {VERSION}");
                Err(Failure::own(doing(), why, "a newer zegel-audit"))
            }
        }
    }

    /// Writes the file anew and puts it in the place of the old one, with the disk's word for each.
    pub fn save(&self, path: &Path) -> Result<(), Failure> {
        let body = serde_json::to_string(self).expect("plain data becomes JSON");
        let text = format!("{NAME} {VERSION} {}\n{body}\n", sum(body.as_bytes()));
        write_whole(path, text.as_bytes()).map_err(|error| {
            let doing = format!("writing the state {}", path.display());
            Failure::own(doing, error, "a --state on a disk with room")
        })
    }
}

enum Unfit {
    Damaged,
    Version(u32),
}

/// Line 1: name, version, SHA-256 of line 2. Line 2: JSON.
fn parse(bytes: &[u8]) -> Result<State, Unfit> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unfit::Damaged)?;
    let (head, body) = text.split_once('\n').ok_or(Unfit::Damaged)?;
    let mut words = head.split(' ');
    if words.next() != Some(NAME) {
        return Err(Unfit::Damaged);
    }
    let version = words.next().and_then(|word| word.parse().ok()).ok_or(Unfit::Damaged)?;
    if version != VERSION {
        return Err(Unfit::Version(version));
    }
    let body = body.strip_suffix('\n').ok_or(Unfit::Damaged)?;
    if words.next() != Some(&sum(body.as_bytes())) {
        return Err(Unfit::Damaged);
    }
    serde_json::from_str(body).map_err(|_| Unfit::Damaged)
}

fn sum(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// A file whose name is this one's with something behind it.
pub(crate) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path, ".new");
    let mut file = File::create(&new)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&new, path)?;
    sync_folder(path)
}

/// A new name is on the disk when its folder is.
pub(crate) fn sync_folder(path: &Path) -> io::Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if cfg!(unix) { File::open(folder.unwrap_or(Path::new(".")))?.sync_all() } else { Ok(()) }
}
