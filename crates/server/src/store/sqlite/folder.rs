//! The data folder: its files, who may read them, and that one server at a time serves it.

use std::{
    fs::{DirBuilder, File, OpenOptions, TryLockError},
    io::ErrorKind,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::error::failed_io;
use crate::store::{StoreError, StoreResult};

/// The database.
const DATABASE: &str = "zegel.db";
/// Held, as an advisory lock, by the server that serves the folder. Empty.
const LOCK: &str = "zegel.lock";

/// Where the database of a data folder is.
pub(super) fn database(folder: &Path) -> PathBuf {
    folder.join(DATABASE)
}

/// Makes the folder and the database's file if they are missing.
pub(super) fn prepare(folder: &Path) -> StoreResult<()> {
    make(folder)?;
    make_file(&database(folder))
}

/// Makes a folder, unless it is there, for this user only.
pub(super) fn make(folder: &Path) -> StoreResult<()> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(folder);
    made.map_err(|e| failed_io("making the data folder", e))
}

/// Makes an empty file, unless it is there, for this user only; SQLite gives its write-ahead log the same
/// permissions. A file that is there is not even opened: closing it again would drop the locks of a database in
/// use by this process.
pub(super) fn make_file(path: &Path) -> StoreResult<()> {
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(path) {
        Err(e) if e.kind() != ErrorKind::AlreadyExists => Err(failed_io("making the database's file", e)),
        _ => Ok(()),
    }
}

/// Takes the folder for this process. Let go when the file is closed, so also when the process dies.
pub(super) fn lock(folder: &Path) -> StoreResult<File> {
    let doing = "locking the data folder";
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(folder.join(LOCK))
        .map_err(|e| failed_io(doing, e))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(StoreError::Unusable(format!(
            "another zegel-server uses {}; stop it, or give this one a folder of its own",
            folder.display()
        ))),
        Err(TryLockError::Error(e)) => Err(failed_io(doing, e)),
    }
}

/// Makes what was just written or renamed in a folder survive a power cut.
pub(super) fn sync(path: &Path) -> std::io::Result<()> {
    File::open(path)?.sync_all()
}
