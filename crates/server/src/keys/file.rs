//! Where the key file lies and who may read it.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use super::KeyFileError;

pub(super) fn failed(doing: &'static str, path: &Path, why: io::Error) -> KeyFileError {
    KeyFileError::Io { doing, path: path.to_owned(), why }
}

/// Makes the file's folder, unless it is there, for this user only; none inside the data folder.
pub(super) fn make_folder(path: &Path, data_dir: &Path) -> Result<(), KeyFileError> {
    let made = || -> io::Result<bool> {
        if std::path::absolute(path)?.starts_with(std::path::absolute(data_dir)?) {
            return Ok(false);
        }
        private_folder().recursive(true).create(folder_of(path))?;
        Ok(true)
    };
    match made() {
        Ok(true) => Ok(()),
        Ok(false) => Err(KeyFileError::InsideData(path.to_owned())),
        Err(why) => Err(failed("making the folder of", path, why)),
    }
}

pub(super) fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// The file's path with its folder resolved, which must not be the data folder or below it.
pub(super) fn placed(path: &Path, data_dir: &Path) -> Result<PathBuf, KeyFileError> {
    let folder = folder_of(path);
    let folder = fs::canonicalize(folder).map_err(|why| failed("finding the folder of", path, why))?;
    // A file that is itself a link is judged by where it leads.
    let file = match fs::canonicalize(path) {
        Ok(file) => file,
        Err(_) => folder.join(path.file_name().ok_or_else(|| {
            failed("opening", path, io::Error::new(io::ErrorKind::InvalidInput, "it names no file"))
        })?),
    };
    match fs::canonicalize(data_dir) {
        Ok(data) if file.starts_with(&data) => Err(KeyFileError::InsideData(path.to_owned())),
        Ok(_) => Ok(file),
        // A data folder that is not there yet holds nothing; but the path may already point below it.
        Err(_) if file.starts_with(data_dir) || path.starts_with(data_dir) => {
            Err(KeyFileError::InsideData(path.to_owned()))
        }
        Err(_) => Ok(file),
    }
}

/// One process at a time changes the file: two rotations at once must not lose a key.
pub(super) fn lock(path: &Path) -> Result<File, KeyFileError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let locked = || -> io::Result<File> {
        let file = private().write(true).create(true).truncate(false).open(&name)?;
        file.lock()?;
        Ok(file)
    };
    locked().map_err(|why| failed("locking", path, why))
}

#[cfg(unix)]
pub(super) fn private() -> fs::OpenOptions {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = File::options();
    options.mode(0o600);
    options
}
#[cfg(not(unix))]
pub(super) fn private() -> fs::OpenOptions {
    File::options()
}

#[cfg(unix)]
pub(super) fn refuse_exposed(path: &Path) -> Result<(), KeyFileError> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = fs::metadata(path).map_err(|why| failed("reading", path, why))?.permissions().mode();
    if mode & 0o077 == 0 { Ok(()) } else { Err(KeyFileError::Exposed(path.to_owned())) }
}
#[cfg(not(unix))]
pub(super) fn refuse_exposed(_: &Path) -> Result<(), KeyFileError> {
    Ok(())
}

#[cfg(unix)]
fn private_folder() -> fs::DirBuilder {
    use std::os::unix::fs::DirBuilderExt as _;
    let mut builder = fs::DirBuilder::new();
    builder.mode(0o700);
    builder
}
#[cfg(not(unix))]
fn private_folder() -> fs::DirBuilder {
    fs::DirBuilder::new()
}
