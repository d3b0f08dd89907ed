//! Every root that was checked, in short form, in a file beside the state: for other auditors, who ask what was seen
//! in an epoch, and for roots that name one long before them.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};
use zegel_directory::SeenRoot;

use crate::Failure;

/// What the file begins with; the digit is its version.
const HEADER: &[u8; 16] = b"zegel-audit r1\n\0";
/// Hash, signer, signature, check.
const RECORD: usize = 32 + 4 + 64 + 8;

/// The file. Whoever has it open follows the directory; nobody else may meanwhile.
pub(crate) struct SeenRoots {
    file: File,
    path: PathBuf,
}

impl SeenRoots {
    /// Opens the file, so that nobody else may follow with the same state.
    pub fn open(path: PathBuf) -> Result<Self, Failure> {
        let options = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
        let file = options.map_err(|error| failed("opening", &path, &error))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { file, path }),
            Err(TryLockError::WouldBlock) => {
                let fix = "another --state, or stop the other one";
                let doing = format!("opening {}", path.display());
                Err(Failure::own(doing, "another zegel-audit follows with this state", fix))
            }
            Err(TryLockError::Error(error)) => Err(failed("locking", &path, &error)),
        }
    }

    /// Goes on after the root that the state has as its newest, or begins anew.
    pub fn go_on_after(&mut self, latest: Option<&SeenRoot>) -> Result<(), Failure> {
        let Some(latest) = latest else {
            return self.begin().map_err(|error| failed("beginning", &self.path, &error));
        };
        if self.get(latest.epoch)? != *latest {
            return Err(damaged(&self.path));
        }
        // What a kill left behind the last save is checked again.
        self.file.set_len(place(latest.epoch + 1)).map_err(|error| failed("trimming", &self.path, &error))
    }

    fn begin(&mut self) -> io::Result<()> {
        self.file.set_len(0)?;
        self.file.seek(SeekFrom::Start(0))?;
        self.file.write_all(HEADER)?;
        self.file.sync_all()
    }

    /// Writes down roots that follow each other, and waits for the disk.
    pub fn put(&mut self, roots: &[SeenRoot]) -> Result<(), Failure> {
        let Some(first) = roots.first() else { return Ok(()) };
        let bytes: Vec<u8> = roots.iter().flat_map(record).collect();
        let mut write = || {
            self.file.seek(SeekFrom::Start(place(first.epoch)))?;
            self.file.write_all(&bytes)?;
            self.file.sync_data()
        };
        write().map_err(|error| failed("writing", &self.path, &error))
    }

    /// What was seen in an epoch that was checked.
    pub fn get(&self, epoch: u64) -> Result<SeenRoot, Failure> {
        read(&self.file, &self.path, epoch)
    }
}

/// Reads one epoch of a file that somebody else may be writing.
pub(crate) fn look_up(path: &Path, epoch: u64) -> Result<SeenRoot, Failure> {
    let file = File::open(path).map_err(|error| failed("opening", path, &error))?;
    read(&file, path, epoch)
}

fn read(mut file: &File, path: &Path, epoch: u64) -> Result<SeenRoot, Failure> {
    let mut header = [0; HEADER.len()];
    let mut bytes = [0; RECORD];
    let mut all = || {
        file.seek(SeekFrom::Start(0))?;
        file.read_exact(&mut header)?;
        file.seek(SeekFrom::Start(place(epoch)))?;
        file.read_exact(&mut bytes)
    };
    match all() {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Err(damaged(path)),
        Err(error) => return Err(failed("reading", path, &error)),
    }
    let (hash, rest) = bytes.split_at(32);
    let (signer, signature) = rest.split_at(4);
    let seen = SeenRoot {
        epoch,
        hash: hash.try_into().map_err(|_| damaged(path))?,
        signer: signer.try_into().map(u32::from_be_bytes).map_err(|_| damaged(path))?,
        signature: signature[..64].to_vec(),
    };
    // A damaged disk of our own must not look like a lie of the service.
    if header != *HEADER || record(&seen) != bytes { Err(damaged(path)) } else { Ok(seen) }
}

fn place(epoch: u64) -> u64 {
    HEADER.len() as u64 + epoch.saturating_mul(RECORD as u64)
}

fn record(seen: &SeenRoot) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(RECORD);
    bytes.extend(seen.hash);
    bytes.extend(seen.signer.to_be_bytes());
    bytes.extend(&seen.signature);
    let check = Sha256::new().chain_update(seen.epoch.to_be_bytes()).chain_update(&bytes).finalize();
    bytes.extend(&check[..8]);
    bytes
}

fn failed(doing: &str, path: &Path, why: &io::Error) -> Failure {
    Failure::own(format!("{doing} {}", path.display()), why, "again when the disk is in order")
}

fn damaged(path: &Path) -> Failure {
    let fix = "a copy of it, or begin anew with another --state";
    Failure::own(format!("reading {}", path.display()), "it is damaged", fix)
}
