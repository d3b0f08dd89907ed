//! A profile folder: the database, its key, and a lock so that only one process uses it.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{Read, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use zeroize::Zeroizing;

use crate::{
    Error, Result,
    core::{Core, Me},
    db::Db,
};

/// An open profile folder.
pub(super) struct Profile {
    home: PathBuf,
    _lock: File,
}

/// The file that says that another process waits.
const WANTED: &str = "wanted";

fn error(why: impl std::fmt::Display, fix: &'static str) -> Error {
    Error::Profile { why: why.to_string(), fix }
}

/// The device's clock, milliseconds since 1970.
pub(super) fn clock() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

impl Profile {
    /// Opens a folder that holds an account; see [`Profile::make`].
    pub(super) fn open(home: &Path, patience: Duration, ask: bool) -> Result<Self> {
        if !home.join("profile.db").exists() {
            return Err(error(
                format!("{} holds no account", home.display()),
                "`register` first, or another --home",
            ));
        }
        Self::take(home, patience, ask)
    }

    /// Opens or makes the folder.
    pub(super) fn make(home: &Path, patience: Duration) -> Result<Self> {
        Self::take(home, patience, true)
    }

    /// Takes the folder's lock, waiting up to `patience` for another process; with `ask` it is told that someone
    /// waits ([`Profile::is_wanted`]).
    fn take(home: &Path, patience: Duration, ask: bool) -> Result<Self> {
        const FIX: &str = "another folder with --home";
        let show = home.display();
        fs::create_dir_all(home).map_err(|e| error(format!("{show}: {e}"), FIX))?;
        restrict(home).map_err(|e| error(format!("{show}: {e}"), FIX))?;
        let path = home.join("lock");
        let lock = OpenOptions::new().create(true).truncate(false).write(true).open(path);
        let lock = lock.map_err(|e| error(format!("{show}: {e}"), FIX))?;
        let start = Instant::now();
        loop {
            match lock.try_lock() {
                Ok(()) => {
                    let _ = fs::remove_file(home.join(WANTED));
                    return Ok(Self { home: home.to_owned(), _lock: lock });
                }
                Err(TryLockError::WouldBlock) if start.elapsed() < patience => {
                    if ask {
                        let _ = File::create(home.join(WANTED));
                    }
                    std::thread::sleep(Duration::from_millis(20));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(Error::InUse { home: show.to_string() });
                }
                Err(TryLockError::Error(e)) => return Err(error(format!("{show}: {e}"), FIX)),
            }
        }
    }

    /// Whether another process waits for the folder: one that can let go should.
    pub(super) fn is_wanted(&self) -> bool {
        self.home.join(WANTED).exists()
    }

    /// Whether an account was made in it.
    pub(super) fn is_registered(&self) -> bool {
        self.home.join("profile.db").exists() && self.home.join("key").exists()
    }

    /// Extra certificates to trust, if this file exists.
    pub(super) fn extra_roots(&self) -> PathBuf {
        self.home.join("ca.pem")
    }

    /// Opens the database, making it and its key if `make`.
    pub(super) fn database(&self, make: bool) -> Result<Db> {
        if !make && !self.is_registered() {
            return Err(error(
                format!("{} holds no account", self.home.display()),
                "`register` first, or another --home",
            ));
        }
        Db::open(&self.home.join("profile.db"), &self.key(make)?)
    }

    /// The account in it.
    pub(super) fn core(&self) -> Result<Core> {
        let db = self.database(false)?;
        let stored = db.meta("me")?.map(Zeroizing::new);
        let stored = stored.ok_or_else(|| error("its registration was not finished", "`register` again"))?;
        let me = Me::from_bytes(&stored)?;
        Ok(Core::new(db, me, clock))
    }

    fn key(&self, make: bool) -> Result<Zeroizing<[u8; 32]>> {
        const FIX: &str = "a copy of the profile folder";
        let path = self.home.join("key");
        let mut key = Zeroizing::new([0; 32]);
        if make && !path.exists() {
            getrandom::fill(key.as_mut()).map_err(|e| error(e, FIX))?;
            let mut options = OpenOptions::new();
            options.create_new(true).write(true);
            #[cfg(unix)]
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
            let mut file = options.open(&path).map_err(|e| error(e, FIX))?;
            file.write_all(key.as_ref()).and_then(|()| file.sync_all()).map_err(|e| error(e, FIX))?;
            return Ok(key);
        }
        let mut file = File::open(&path).map_err(|e| error(format!("its key file: {e}"), FIX))?;
        file.read_exact(key.as_mut()).map_err(|e| error(format!("its key file: {e}"), FIX))?;
        Ok(key)
    }

    /// Deletes the account's files in the folder; certificates that the person put there stay.
    pub(super) fn erase(&self) -> Result<()> {
        for name in ["key", "profile.db", "profile.db-wal", "profile.db-shm", WANTED] {
            match fs::remove_file(self.home.join(name)) {
                Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
                    return Err(error(
                        format!("{name} could not be deleted: {e}"),
                        "deleting the folder by hand",
                    ));
                }
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(unix)]
fn restrict(home: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(home, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn restrict(_: &Path) -> std::io::Result<()> {
    Ok(())
}
