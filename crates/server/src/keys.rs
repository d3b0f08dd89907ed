//! The key file: the server's own secrets, kept outside the data folder so that a stolen disk of data is not
//! enough. TOML, mode 0600, made on the first start, shared by the nodes of a cluster.
//!
//! *Invariant:* none of these keys opens a conversation. Nothing here shows a key when it is printed.

mod file;
mod layout;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use zegel_directory::{MAX_SIGNERS, SignerKey, publisher::VrfKey};
use zegel_franking::{KeyPart, KeysError, REPORTING_WINDOW_MS, StampKey, StampKeys};
use zegel_identity::new_signing_key;
use zegel_proto::AccountId;
use zeroize::Zeroizing;

use self::{
    file::{failed, folder_of, lock, make_folder, placed, private, refuse_exposed},
    layout::{DirectoryLayout, Layout, StampLayout, Version, bytes},
};
use crate::clock::Now;

/// The version of the file's layout.
const VERSION: u32 = 1;

/// A key file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyFileError {
    /// The disk said no.
    #[error("while {doing} the key file {path}: {why}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        why: io::Error,
    },
    /// It would be copied and stolen together with the data.
    #[error("the key file {0} lies inside the data folder; give --keys a path outside it")]
    InsideData(PathBuf),
    /// Others on the machine could read it.
    #[error(
        "the key file {0} can be read by others; run `chmod 600` on it, and rotate its keys if it was read"
    )]
    Exposed(PathBuf),
    /// Not the layout that this build knows.
    #[error("the key file {path} cannot be used: {why}; restore it from your copy")]
    Form {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Written by a newer release.
    #[error("the key file {path} has version {version} and this build knows {VERSION}; update zegel-server")]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u32,
    },
    /// The key directory's signatures name its domain, and its clients hold it to them.
    #[error(
        "the key file {path} is for domain {keys:?} and the configuration says {config:?}; put the first one into the \
         configuration, or begin with a new key file and data folder"
    )]
    Domain {
        /// The file.
        path: PathBuf,
        /// The domain in it.
        keys: String,
        /// The domain of the service.
        config: String,
    },
    /// Clients verify the whole list, so it has an end.
    #[error(
        "while rotating the directory's key: it has had {MAX_SIGNERS} keys, and clients take no more; keep the one in use"
    )]
    LastDirectoryKey,
    /// The ring of stamp keys is not in order.
    #[error("while changing the stamp keys: {0}")]
    Ring(#[from] KeysError),
}

/// The server's secrets.
pub struct KeyRing {
    path: PathBuf,
    server_id: [u8; 16],
    franking: StampKeys,
    pepper: Zeroizing<[u8; 32]>,
    storage: Zeroizing<[u8; 32]>,
    domain: String,
    directory: SignerKey,
    vrf: VrfKey,
    next_expiry_ms: Option<u64>,
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyRing").field("path", &self.path).finish_non_exhaustive()
    }
}

impl KeyRing {
    /// Reads the file. Keys whose reporting window is over are destroyed.
    pub fn load(path: &Path, data_dir: &Path) -> Result<Self, KeyFileError> {
        let path = placed(path, data_dir)?;
        let _lock = lock(&path)?;
        Self::read(&path)
    }

    /// Reads the file of a service of this domain, or makes it (and its folder) if there is none.
    pub fn load_or_create(path: &Path, data_dir: &Path, domain: &str) -> Result<Self, KeyFileError> {
        make_folder(path, data_dir)?;
        let path = placed(path, data_dir)?;
        let _lock = lock(&path)?;
        if path.try_exists().map_err(|why| failed("looking for", &path, why))? {
            let ring = Self::read(&path)?;
            if ring.domain != domain {
                return Err(KeyFileError::Domain { path, keys: ring.domain, config: domain.to_owned() });
            }
            return Ok(ring);
        }
        let now = Now::get();
        let ring = Self {
            server_id: *random(),
            franking: StampKeys::new(StampKey::new(*random()), now.ms),
            pepper: random(),
            storage: random(),
            domain: domain.to_owned(),
            directory: SignerKey::first(new_signing_key()),
            vrf: VrfKey::new(*random()),
            next_expiry_ms: None,
            path,
        };
        ring.save()?;
        Ok(ring)
    }

    /// Reads the same file again: after a rotation, or to destroy keys that expired.
    pub fn read_again(&self) -> Result<Self, KeyFileError> {
        let _lock = lock(&self.path)?;
        Self::read(&self.path)
    }

    /// Puts a new stamp key in use and writes the file. The old one verifies reports for 90 days more.
    pub fn rotate_franking(&mut self, now: Now) -> Result<u32, KeyFileError> {
        let _lock = lock(&self.path)?;
        *self = Self::read(&self.path)?;
        let id = self.franking.rotate(StampKey::new(*random()), now.ms)?;
        self.franking.expire(now.ms);
        self.save()?;
        self.next_expiry_ms = next_expiry(&self.franking.to_parts());
        Ok(id)
    }

    /// Puts a new signing key of the key directory in use and writes the file; returns its number. The old one names
    /// it and is destroyed.
    pub fn rotate_directory(&mut self) -> Result<u32, KeyFileError> {
        let _lock = lock(&self.path)?;
        let mut ring = Self::read(&self.path)?;
        if ring.directory.links().len() >= MAX_SIGNERS {
            return Err(KeyFileError::LastDirectoryKey);
        }
        ring.directory = ring.directory.rotate(&ring.domain, new_signing_key());
        ring.save()?;
        *self = ring;
        Ok(self.directory.number())
    }

    /// Whether a key's reporting window is over, so that the file should be read again.
    pub fn has_expired(&self, now: Now) -> bool {
        self.next_expiry_ms.is_some_and(|at| now.ms > at)
    }

    /// The stamp keys.
    pub fn franking(&self) -> &StampKeys {
        &self.franking
    }

    /// The domain that the service had from the start.
    pub fn domain(&self) -> &str {
        &self.domain
    }

    /// What signs the key directory's roots and promises.
    pub fn directory(&self) -> &SignerKey {
        &self.directory
    }

    /// What places handles in the key directory's tree; the same for its whole life.
    pub fn vrf(&self) -> &VrfKey {
        &self.vrf
    }

    /// Names this server whatever its domain is.
    pub fn server_id(&self) -> &[u8; 16] {
        &self.server_id
    }

    /// What "receiver blocked this person" is stored as.
    pub fn block_tag(&self, receiver: &AccountId, person: &[u8; 16]) -> [u8; 32] {
        self.peppered(&[b"zegel block\0", &receiver.0, person])
    }

    /// The person whom the invite with this hash was made for.
    pub(crate) fn person_of_invite(&self, invite: &[u8; 32]) -> [u8; 16] {
        let hash = self.peppered(&[b"zegel person\0", invite]);
        *hash.first_chunk().expect("a hash has 32 bytes")
    }

    /// The key for tags of what cases are about: without the key file they name nobody.
    pub(crate) fn case_tags(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.peppered(&[b"zegel case tags\0"]))
    }

    fn peppered(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(self.pepper.as_ref())
            .expect("HMAC takes a key of any length");
        parts.iter().for_each(|part| mac.update(part));
        mac.finalize().into_bytes().into()
    }

    /// The secret that rows are sealed under (together with something that the disk does not hold).
    pub(crate) fn storage(&self) -> &[u8; 32] {
        &self.storage
    }

    fn read(path: &Path) -> Result<Self, KeyFileError> {
        refuse_exposed(path)?;
        let text = Zeroizing::new(fs::read_to_string(path).map_err(|why| failed("reading", path, why))?);
        let form = |why: String| KeyFileError::Form { path: path.to_owned(), why };
        // The TOML reader's own message would quote the line, which is a key.
        let unreadable = |_| form("it is not the TOML that this program writes".into());
        let Version { version } = toml::from_str(&text).map_err(unreadable)?;
        if version != VERSION {
            return Err(KeyFileError::Version { path: path.to_owned(), version });
        }
        let mut file: Layout = toml::from_str(&text).map_err(unreadable)?;
        let parts: Vec<KeyPart> = file.franking.drain(..).map(KeyPart::from).collect();
        let part = file.directory.take().ok_or_else(|| form("it has no [directory]".into()))?;
        let (domain, directory, vrf) =
            part.read().ok_or_else(|| form("the keys of the directory are damaged".into()))?;
        let mut ring = Self {
            path: path.to_owned(),
            domain,
            directory,
            vrf,
            server_id: *bytes(&file.server_id).ok_or_else(|| form("server_id is no 16 bytes".into()))?,
            pepper: bytes(&file.pepper).ok_or_else(|| form("pepper is no 32 bytes".into()))?,
            storage: bytes(&file.storage).ok_or_else(|| form("storage is no 32 bytes".into()))?,
            franking: StampKeys::from_parts(&parts).map_err(|why| form(why.to_string()))?,
            next_expiry_ms: next_expiry(&parts),
        };
        if !ring.franking.expire(Now::get().ms).is_empty() {
            ring.save()?;
            ring.next_expiry_ms = next_expiry(&ring.franking.to_parts());
        }
        Ok(ring)
    }

    /// Writes beside the file, then renames, so that a crash leaves the old one or the new one.
    fn save(&self) -> Result<(), KeyFileError> {
        let file = Layout {
            version: VERSION,
            server_id: hex::encode(self.server_id),
            pepper: hex::encode(*self.pepper),
            storage: hex::encode(*self.storage),
            directory: Some(DirectoryLayout::of(&self.domain, &self.directory, &self.vrf)),
            franking: self.franking.to_parts().into_iter().map(StampLayout::from).collect(),
        };
        let form = |e: toml::ser::Error| KeyFileError::Form { path: self.path.clone(), why: e.to_string() };
        let text = Zeroizing::new(toml::to_string(&file).map_err(form)?);
        let written = || -> io::Result<()> {
            let temporary = self.path.with_extension("new");
            match fs::remove_file(&temporary) {
                Err(why) if why.kind() != io::ErrorKind::NotFound => return Err(why),
                _ => {}
            }
            let mut file = private().write(true).create_new(true).open(&temporary)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&temporary, &self.path)?;
            File::open(folder_of(&self.path))?.sync_all()
        };
        written().map_err(|why| failed("writing", &self.path, why))
    }
}

fn next_expiry(parts: &[KeyPart]) -> Option<u64> {
    parts.iter().filter_map(|part| part.retired_ms).min().map(|at| at.saturating_add(REPORTING_WINDOW_MS))
}

fn random<const N: usize>() -> Zeroizing<[u8; N]> {
    let mut bytes = Zeroizing::new([0; N]);
    getrandom::fill(bytes.as_mut()).expect("the operating system gives random bytes");
    bytes
}
