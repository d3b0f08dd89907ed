//! Checks a folder of audit blobs, as other auditors of AKD directories keep them: EPOCH/BEFORE/AFTER.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use zegel_directory::{Lie, ProofError, verify_append_only};

use crate::{Exhibit, Failure, source::proof_name};

/// What a folder was found to prove.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Unbroken runs of epochs, first and last.
    pub runs: Vec<(u64, u64)>,
    /// Hash of the tree after the last epoch, in hexadecimal.
    pub tree: String,
}

/// A proof by its name.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Blob {
    epoch: u64,
    before: [u8; 32],
    after: [u8; 32],
}

/// Checks each proof, and that each goes on where the one before it ended. Without signed roots it proves nothing
/// about what anyone was shown. It blocks.
pub fn check_folder(folder: &Path) -> Result<Folder, Failure> {
    let doing = || format!("reading the proofs in {}", folder.display());
    let failed = |error: io::Error| Failure::own(doing(), error, "a folder of EPOCH/BEFORE/AFTER files");
    let blobs = list(folder).map_err(failed)?;
    let Some(last) = blobs.last() else {
        return Err(Failure::own(doing(), "there is none", "a folder of EPOCH/BEFORE/AFTER files"));
    };
    let tree = hex::encode(last.after);
    let mut runs: Vec<(u64, u64)> = Vec::new();
    let mut previous: Option<&Blob> = None;
    for blob in &blobs {
        let epoch = blob.epoch;
        if let Some(previous) = previous {
            let forked =
                previous.epoch == epoch || (previous.epoch + 1 == epoch && previous.after != blob.before);
            if forked {
                let exhibits = [previous, blob].map(|blob| Exhibit::answer(&blob.name(), None)).to_vec();
                return Err(Failure::caught(Lie::Fork(previous.epoch), epoch, exhibits));
            }
        }
        let proof = fs::read(folder.join(blob.name())).map_err(failed)?;
        verify_append_only(epoch, &blob.before, &blob.after, &proof).map_err(|why| {
            if why == ProofError::Form {
                // A copy may have been damaged on its way here: that accuses nobody.
                return Failure::own(
                    doing(),
                    format!("{} cannot be read", blob.name()),
                    "another copy of it",
                );
            }
            let exhibit = Exhibit::answer(&blob.name(), Some(&proof));
            Failure::caught(Lie::Rewritten { epoch, why }, epoch, vec![exhibit])
        })?;
        match runs.last_mut() {
            Some(run) if run.1 + 1 == epoch => run.1 = epoch,
            _ => runs.push((epoch, epoch)),
        }
        previous = Some(blob);
    }
    Ok(Folder { runs, tree })
}

impl Blob {
    fn name(&self) -> String {
        proof_name(self.epoch, &self.before, &self.after)
    }
}

/// All proofs, by epoch. What has another kind of name is not ours.
fn list(folder: &Path) -> io::Result<Vec<Blob>> {
    let mut blobs = Vec::new();
    for epoch in entries(folder)? {
        let Some(number) = name(&epoch).and_then(|name| name.parse().ok()) else { continue };
        for before in entries(&epoch)? {
            let Some(from) = hash(&before) else { continue };
            for after in entries(&before)? {
                let Some(to) = hash(&after) else { continue };
                blobs.push(Blob { epoch: number, before: from, after: to });
            }
        }
    }
    blobs.sort();
    Ok(blobs)
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect()
}

fn name(path: &Path) -> Option<&str> {
    path.file_name()?.to_str()
}

fn hash(path: &Path) -> Option<[u8; 32]> {
    hex::decode(name(path)?).ok()?.try_into().ok()
}
