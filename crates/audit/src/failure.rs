//! Why an auditor stops: what is a lie, and what is not.

use std::{fmt, path::PathBuf, time::Duration};

use serde::Serialize;
use zegel_directory::{Lie, SignedRoot, SignerLink};

use crate::statement::Key;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Somebody could not be asked, or did not answer with sense. It proves nothing; ask again later.
    #[error("while {doing}: {why}; try again later")]
    Unreachable {
        /// The operation.
        doing: String,
        /// What happened.
        why: String,
    },
    /// Something of our own: a file, an option.
    #[error("while {doing}: {why}; try {fix}")]
    Own {
        /// The operation.
        doing: String,
        /// What happened.
        why: String,
        /// What to try.
        fix: String,
    },
    /// Not in order, and perhaps only a cache's or a restart's fault. It is called a lie when it stays so.
    #[error(
        "while checking epoch {}: the service's directory {}; try again: when it stays so for {} s it is a lie",
        .charge.epoch, .charge.finding, .patience.as_secs_f64()
    )]
    Doubtful {
        /// What it would be called.
        charge: Box<Charge>,
        /// How long it may stay so.
        patience: Duration,
    },
    /// The service was caught.
    #[error("{0}")]
    Caught(Box<Charge>),
    /// The service was caught at what its desk signed: evidence of a case, or a log. The files themselves show it.
    #[error("LIE: the service {0}; the files that were checked show it to anyone: keep them")]
    Signed(String),
}

impl Failure {
    pub(crate) fn unreachable(doing: impl Into<String>, why: impl fmt::Display) -> Self {
        Self::Unreachable { doing: doing.into(), why: why.to_string() }
    }
    pub(crate) fn own(doing: impl Into<String>, why: impl fmt::Display, fix: impl Into<String>) -> Self {
        Self::Own { doing: doing.into(), why: why.to_string(), fix: fix.into() }
    }
    pub(crate) fn caught(finding: impl Into<Finding>, epoch: u64, exhibits: Vec<Exhibit>) -> Self {
        let finding = finding.into();
        let signed_twice = finding.is_signed_twice();
        Self::Caught(Box::new(Charge { finding, epoch, exhibits, signed_twice, evidence: None }))
    }
    /// Notes that the service's own signatures contradict each other, in a way that the finding does not tell.
    pub(crate) fn signed_twice_if(mut self, contradict: bool) -> Self {
        if let Self::Caught(charge) = &mut self {
            charge.signed_twice |= contradict;
        }
        self
    }

    /// What the program ends with: 2 if the service was caught, else 1.
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::Caught(_) | Self::Signed(_)) { 2 } else { 1 }
    }
}

/// What the service was caught at. Each text completes "the service's directory …".
#[derive(Clone, Debug, thiserror::Error, PartialEq, Eq)]
pub enum Finding {
    /// Something that clients could catch too.
    #[error("{0}")]
    Lie(#[from] Lie),
    /// Only auditors ask for this.
    #[error("has no proof that epoch {0} only added to it")]
    Unproven(u64),
    /// The auditor at this URL follows a directory of the same domain whose first key is another one. That shows that
    /// these two see different directories, and not whose fault it is: anyone can make up a directory.
    #[error("is another one than the directory that the auditor at {0} follows")]
    Apart(String),
}

impl Finding {
    /// Whether it rests on two signatures of the service, whatever the keys. `Apart` rests on the witness' own.
    fn is_signed_twice(&self) -> bool {
        matches!(self, Self::Lie(Lie::Fork(_) | Lie::Vrf | Lie::Time(_) | Lie::OldKey(_)) | Self::Apart(_))
    }

    /// Whether it is the service's fault.
    pub fn accuses(&self) -> bool {
        !matches!(self, Self::Apart(_))
    }

    /// What follows from it, for whoever reads the one line.
    fn proves(&self) -> &'static str {
        match self {
            Self::Lie(Lie::Fork(_)) => {
                "the service signed two histories, so that not everyone sees the same devices"
            }
            Self::Lie(Lie::Rewritten { .. }) | Self::Unproven(_) => {
                "an entry that people relied on may be gone or exchanged"
            }
            Self::Lie(Lie::Rollback { .. } | Lie::Hidden(_)) => {
                "the service takes back what it published, for everyone or for some"
            }
            Self::Lie(Lie::Keys | Lie::Signature) => {
                "whoever answers is not the directory that was followed until now"
            }
            Self::Lie(Lie::Vrf) => "one handle could have two entries, each shown to some people",
            Self::Apart(_) => "the service shows two, or the other auditor's is made up",
            Self::Lie(_) => "the service states what cannot be true",
        }
    }
}

/// A lie, with what shows it.
#[derive(Debug)]
pub struct Charge {
    /// The lie.
    pub finding: Finding,
    /// The epoch that was being checked.
    pub epoch: u64,
    /// What shows it.
    pub exhibits: Vec<Exhibit>,
    /// Whether one answer was enough, because what contradicts itself is signed. Anything else could be the work of a
    /// cache or of a restart, and is a lie only when it stays so.
    pub signed_twice: bool,
    /// The file that all of this was written to.
    pub evidence: Option<PathBuf>,
}

impl fmt::Display for Charge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { finding, epoch, .. } = self;
        match finding.accuses() {
            true => write!(f, "LIE at epoch {epoch}: the service's directory {finding}")?,
            false => write!(f, "these two see different directories: this auditor's {finding}")?,
        }
        write!(f, "; that means: {}", finding.proves())?;
        match &self.evidence {
            Some(path) => write!(f, "; the evidence is in {}", path.display()),
            None => f.write_str("; the evidence could not be written"),
        }
    }
}

/// One piece of evidence. Bytes are hexadecimal, so that any tool reads the file.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Exhibit {
    /// A root that the service signed; `body` is zegel_directory's fixed layout.
    Root {
        /// Where it comes from.
        from: String,
        /// `Root::to_bytes`.
        body: String,
        /// Ed25519 by the directory's key that the body names.
        signature: String,
    },
    /// The hash of a root that the service signed, as an auditor keeps it or a witness passes it on.
    Seen {
        /// Where it comes from.
        from: String,
        /// Which epoch.
        epoch: u64,
        /// `Root::hash`.
        hash: String,
        /// Which of the directory's keys signed.
        signer: u32,
        /// Ed25519 over domain, epoch and hash.
        signature: String,
    },
    /// The directory's keys, each named by the one before it.
    Keys {
        /// Where they come from.
        from: String,
        /// The keys, oldest first.
        keys: Vec<Key>,
    },
    /// What a witness signed, word for word.
    Witness(crate::Statement),
    /// An answer as it came.
    Answer {
        /// To which question.
        path: String,
        /// The bytes; none if the service said that there is nothing.
        body: Option<String>,
    },
}

impl Exhibit {
    pub(crate) fn root(from: &str, signed: &SignedRoot) -> Self {
        Self::Root {
            from: from.into(),
            body: hex::encode(signed.root.to_bytes()),
            signature: hex::encode(&signed.signature),
        }
    }
    pub(crate) fn seen(from: &str, seen: &zegel_directory::SeenRoot) -> Self {
        Self::Seen {
            from: from.into(),
            epoch: seen.epoch,
            hash: hex::encode(seen.hash),
            signer: seen.signer,
            signature: hex::encode(&seen.signature),
        }
    }
    pub(crate) fn keys(from: &str, signers: &[SignerLink]) -> Self {
        Self::Keys { from: from.into(), keys: signers.iter().map(Key::from).collect() }
    }
    pub(crate) fn answer(path: &str, body: Option<&[u8]>) -> Self {
        Self::Answer { path: path.into(), body: body.map(hex::encode) }
    }
}
