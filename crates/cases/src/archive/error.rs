//! Why an archive is not taken.

use zegel_directory::{KeysError, Signers};

use super::{MAX_BYTES, MAX_FILES};

/// Why an archive is not taken. Only [`ArchiveError::Stated`] says something about the service: the rest can be the
/// work of whoever had the file in between.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// Not a ZIP, or cut off.
    #[error("it cannot be read as a ZIP file: {0}")]
    Zip(String),
    /// It holds bytes that its table does not name, or names some twice.
    #[error("something is hidden in it: {0}")]
    Hidden(&'static str),
    /// A name that could lead elsewhere when it is unpacked.
    #[error("it holds a file with a name that is not allowed: {0:?}")]
    Name(String),
    /// More than an archive may hold, packed or unpacked.
    #[error("it is too large: at most {MAX_FILES} files and {} MiB unpacked", MAX_BYTES >> 20)]
    TooLarge,
    /// A file that is listed, or that every archive has, is not there.
    #[error("the file {0} is missing")]
    Missing(String),
    /// A file that is not listed.
    #[error("the file {0} was put in: the manifest does not list it")]
    Unlisted(String),
    /// A file that is not what was listed.
    #[error("the file {0} was changed after the archive was made")]
    Changed(String),
    /// The manifest or its signature is no such thing.
    #[error("{name} cannot be read: {why}")]
    Form {
        /// Which of the two.
        name: &'static str,
        /// What is wrong with it.
        why: String,
    },
    /// Made by a newer Zegel.
    #[error("the archive has version {0}, which is not known to this build; update it")]
    Version(u32),
    /// The listed keys do not follow from each other.
    #[error("{0}")]
    Keys(#[from] KeysError),
    /// No listed key signed the manifest.
    #[error("the manifest is not signed by the keys it lists: it was changed, or is not of that service")]
    Signature,
    /// All is signed as it should be, and cannot be true.
    #[error("the service signed what cannot be true: {}", .0.wrong)]
    Stated(Box<Stated>),
}

/// Who signed what cannot be true.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stated {
    /// The service.
    pub domain: String,
    /// Its directory's keys, as the archive has them.
    pub signers: Signers,
    /// What it is.
    pub wrong: Wrong,
}

/// What cannot be true, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}: {why}")]
pub struct Wrong {
    /// The file in the archive.
    pub file: String,
    /// What is wrong with it.
    pub why: String,
}

impl Wrong {
    pub(super) fn new(file: impl Into<String>, why: impl ToString) -> Self {
        Self { file: file.into(), why: why.to_string() }
    }
}
