//! `backup`: the store and the blobs, in a folder.

use std::{fs, io::ErrorKind, os::unix::fs::DirBuilderExt, path::Path};

use super::AdminError;
use crate::store::Store;

/// Where blobs are, in a data folder and in a backup.
pub(super) const BLOBS: &str = "blobs";

/// Copies the store first: what it refers to is then in the folder of blobs already.
pub(super) fn run(store: &dyn Store, data: &Path, to: &Path) -> Result<(), AdminError> {
    make_empty(to)?;
    store.backup(to)?;
    copy_folder(&data.join(BLOBS), &to.join(BLOBS))?;
    println!("the backup is in {}; keep a copy of the key file elsewhere", to.display());
    Ok(())
}

/// Makes a folder for this user's eyes only; one that is there must be empty.
pub(super) fn make_empty(folder: &Path) -> Result<(), AdminError> {
    let error = |why: String| AdminError::Folder {
        doing: "making the folder",
        path: folder.to_owned(),
        why,
        hint: "a folder that is not there yet",
    };
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(|e| error(e.to_string()))?;
    match fs::read_dir(folder).map_err(|e| error(e.to_string()))?.next() {
        None => Ok(()),
        Some(_) => Err(error("it is not empty".into())),
    }
}

/// Copies a folder and what is in it, to disk. What vanishes meanwhile (swept, renamed) is left out.
pub(super) fn copy_folder(from: &Path, to: &Path) -> Result<(), AdminError> {
    copy(from, to).map_err(|e| AdminError::Folder {
        doing: "copying",
        path: from.to_owned(),
        why: e.to_string(),
        hint: "a disk with room that this user may write",
    })
}

fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(to)?;
    let inside = match fs::read_dir(from) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(()),
        inside => inside?,
    };
    for item in inside {
        let item = item?;
        let (from, to) = (item.path(), to.join(item.file_name()));
        if item.file_type()?.is_dir() {
            copy(&from, &to)?;
            continue;
        }
        match fs::copy(&from, &to) {
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            copied => {
                copied?;
                fs::File::open(&to)?.sync_all()?;
            }
        }
    }
    fs::File::open(to)?.sync_all()
}
