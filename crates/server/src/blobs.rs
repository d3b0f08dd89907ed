//! Sealed files, in a folder: uploaded in parts, fetchable when whole, swept by age.
//!
//! A file's time is cut to the day, so that the folder does not tell when somebody sent something.

use std::{
    fs::{self, File},
    io::{self, Read as _, Seek as _, SeekFrom, Write as _},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use zegel_proto::{BLOB_PART, BlobName, MAX_BLOB};

use crate::clock::Now;

/// Days that an upload may stay unfinished.
const PART_DAYS: u32 = 2;

/// A part that was not taken, or a file that could not be read.
#[derive(Debug, thiserror::Error)]
pub enum BlobError {
    /// Parts come in order.
    #[error("the part does not follow: go on from byte {0}")]
    Order(u64),
    /// Too large, in part or in whole.
    #[error("a blob has at most {MAX_BLOB} bytes, in parts of at most {BLOB_PART}")]
    TooLarge,
    /// The disk said no.
    #[error("while storing or reading a blob: {0}")]
    Io(#[from] io::Error),
}

impl BlobError {
    /// Whether the operator must make room.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Io(why) if matches!(why.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
    }
}

/// The folder. All calls block.
#[derive(Clone, Debug)]
pub struct Blobs {
    dir: Arc<PathBuf>,
}

impl Blobs {
    /// Opens the folder, making it if it is not there.
    pub fn open(dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(dir)?;
        Ok(Self { dir: Arc::new(dir.to_owned()) })
    }

    fn paths(&self, name: &BlobName) -> (PathBuf, PathBuf) {
        let hex = name.to_hex();
        let folder = self.dir.join(&hex[..2]);
        (folder.join(&hex), folder.join(format!("{hex}.part")))
    }

    /// Takes a part. One that came before is written again, so that a lost answer does no harm; a blob that is
    /// whole never changes.
    pub fn put(
        &self,
        name: &BlobName,
        offset: u64,
        data: &[u8],
        last: bool,
        now: Now,
    ) -> Result<(), BlobError> {
        let end = offset.saturating_add(data.len() as u64);
        if data.len() > BLOB_PART || end > MAX_BLOB {
            return Err(BlobError::TooLarge);
        }
        let (whole, part) = self.paths(name);
        if whole.try_exists()? {
            return Ok(());
        }
        let folder = whole.parent().unwrap_or(&self.dir);
        fs::create_dir_all(folder)?;
        let mut file = File::options().write(true).create(true).truncate(false).open(&part)?;
        let size = file.metadata()?.len();
        if offset > size {
            return Err(BlobError::Order(size));
        }
        file.set_len(offset)?;
        file.seek(SeekFrom::Start(offset))?;
        file.write_all(data)?;
        if last {
            file.set_modified(UNIX_EPOCH + Duration::from_secs(u64::from(now.day()) * 86_400))?;
            file.sync_all()?;
            fs::rename(&part, &whole)?;
            File::open(folder)?.sync_all()?;
        }
        Ok(())
    }

    /// Up to [`BLOB_PART`] bytes from `offset` on, and the whole size; nothing for an unknown name.
    pub fn get(&self, name: &BlobName, offset: u64) -> Result<Option<(Bytes, u64)>, BlobError> {
        let (whole, _) = self.paths(name);
        let mut file = match File::open(&whole) {
            Err(why) if why.kind() == io::ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let total = file.metadata()?.len();
        file.seek(SeekFrom::Start(offset.min(total)))?;
        let mut data = Vec::new();
        file.take(BLOB_PART as u64).read_to_end(&mut data)?;
        Ok(Some((data.into(), total)))
    }

    /// Deletes blobs from before `before_day`, and uploads that nobody finished; returns how many went.
    pub fn sweep(&self, before_day: u32, now: Now) -> io::Result<u64> {
        let mut gone = 0;
        for folder in fs::read_dir(self.dir.as_path())? {
            let folder = folder?.path();
            if !folder.is_dir() {
                continue;
            }
            for file in fs::read_dir(&folder)? {
                let file = file?;
                let modified = file.metadata()?.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
                let day = (modified.as_secs() / 86_400) as u32;
                let unfinished = file.path().extension().is_some_and(|e| e == "part");
                let cut = if unfinished { now.day().saturating_sub(PART_DAYS) } else { before_day };
                if day < cut {
                    fs::remove_file(file.path())?;
                    gone += 1;
                }
            }
        }
        Ok(gone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn blobs() -> (tempfile::TempDir, Blobs) {
        let dir = tempfile::tempdir().expect("a folder");
        let blobs = Blobs::open(&dir.path().join("blobs")).expect("opened");
        (dir, blobs)
    }

    #[test]
    fn parts_in_order_and_whole_at_the_end() {
        let (_dir, blobs) = blobs();
        let (name, now) = (BlobName::random(), Now::get());
        blobs.put(&name, 0, b"one ", false, now).expect("first");
        assert!(matches!(blobs.put(&name, 9, b"x", false, now), Err(BlobError::Order(4))));
        assert!(blobs.get(&name, 0).expect("read").is_none(), "not whole yet");
        blobs.put(&name, 0, b"one ", false, now).expect("the same again");
        blobs.put(&name, 4, b"two", true, now).expect("last");
        blobs.put(&name, 4, b"xxx", true, now).expect("ignored");
        assert_eq!(blobs.get(&name, 4).expect("read"), Some((Bytes::from_static(b"two"), 7)));
        assert_eq!(blobs.get(&name, 99).expect("read"), Some((Bytes::new(), 7)));
    }

    #[test]
    fn sizes_are_bounded() {
        let (_dir, blobs) = blobs();
        let part = vec![0; BLOB_PART + 1];
        assert!(matches!(
            blobs.put(&BlobName::random(), 0, &part, true, Now::get()),
            Err(BlobError::TooLarge)
        ));
        let end = blobs.put(&BlobName::random(), u64::MAX, b"x", true, Now::get());
        assert!(matches!(end, Err(BlobError::TooLarge)));
    }

    #[test]
    fn swept_by_age() {
        let (_dir, blobs) = blobs();
        let now = Now::get();
        let month_ago = Now { ms: now.ms - 30 * 86_400_000 };
        let (old, new) = (BlobName::random(), BlobName::random());
        blobs.put(&old, 0, b"old", true, month_ago).expect("old");
        blobs.put(&new, 0, b"new", true, now).expect("new");
        assert_eq!(blobs.sweep(now.day() - 28, now).expect("swept"), 1);
        assert!(blobs.get(&old, 0).expect("read").is_none());
        assert!(blobs.get(&new, 0).expect("read").is_some());
    }
}
