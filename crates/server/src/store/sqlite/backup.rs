//! A consistent copy of a store in use.

use std::path::Path;

use rusqlite::{Connection, OpenFlags, backup::Backup};

use super::{
    connect,
    error::{failed, failed_io},
    folder,
};
use crate::store::{StoreError, StoreResult};

const DOING: &str = "making a backup";

/// Copies the database of `from` into `to`, which may hold none. The copy takes its name only when it is
/// complete and on disk.
pub(super) fn backup(from: &Path, to: &Path) -> StoreResult<()> {
    let target = folder::database(to);
    if target.exists() {
        let why = format!("{} exists; name a new folder", target.display());
        return Err(StoreError::Failed { doing: DOING, why });
    }
    folder::make(to)?;
    let part = target.with_extension("part");
    if part.exists() {
        std::fs::remove_file(&part).map_err(|e| failed_io(DOING, e))?;
    }
    folder::make_file(&part)?;
    copy(&folder::database(from), &part).inspect_err(|_| {
        let _ = std::fs::remove_file(&part);
    })?;
    let finish = || {
        folder::sync(&part)?;
        std::fs::rename(&part, &target)?;
        folder::sync(to)
    };
    finish().map_err(|e| failed_io(DOING, e))
}

/// All pages in one step: one snapshot. In several, each commit of the writer would start the copy anew.
fn copy(from: &Path, to: &Path) -> StoreResult<()> {
    let source = connect::reader(from)?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy = Connection::open_with_flags(to, flags).map_err(|e| failed(DOING, e))?;
    Backup::new(&source, &mut copy).and_then(|backup| backup.step(-1)).map_err(|e| failed(DOING, e))?;
    copy.close().map_err(|(_, e)| failed(DOING, e))
}
