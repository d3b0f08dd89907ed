//! Puts an archive together.

use std::{
    collections::BTreeMap,
    io::{Cursor, Write as _},
};

use zegel_directory::{SignedStatement, SignerLink};
use zip::{CompressionMethod, ZipWriter, result::ZipError, write::SimpleFileOptions};

use super::{
    ArchiveError, MAX_BYTES, MAX_FILES,
    manifest::{FileSum, MANIFEST, Manifest, SEAL, Seal, VERSION, name},
};
use crate::{Case, Report};

/// What every archive says of itself.
const README: &str = include_str!("README.txt");

/// The evidence of a case as a ZIP file. `log_lines` are the desk log's lines about this case, oldest first; `sign`
/// signs the manifest as [`zegel_directory::Statement::Evidence`]; `signers` are the directory's keys, oldest first.
/// All times are milliseconds since 1970.
///
/// # Errors
/// [`ArchiveError::TooLarge`], if it would be more than [`check`](super::check) takes.
pub fn build(
    domain: &str,
    signers: &[SignerLink],
    case: &Case,
    reports: &[Report],
    log_lines: &[String],
    made_ms: u64,
    sign: impl Fn(&[u8]) -> SignedStatement,
) -> Result<Vec<u8>, ArchiveError> {
    let mut files = contents(case, reports, log_lines)?;
    let manifest = Manifest {
        version: VERSION,
        domain: domain.to_owned(),
        case: case.number,
        made_ms,
        signers: signers.iter().map(Into::into).collect(),
        files: files.iter().map(|(name, bytes)| (name.clone(), FileSum::of(bytes))).collect(),
    };
    let manifest = json(&manifest);
    let seal = json(&Seal::from(sign(&manifest)));
    files.insert(MANIFEST.into(), manifest);
    files.insert(SEAL.into(), seal);
    if files.len() > MAX_FILES || files.values().map(|bytes| bytes.len() as u64).sum::<u64>() > MAX_BYTES {
        return Err(ArchiveError::TooLarge);
    }
    pack(&files).map_err(|error| ArchiveError::Zip(error.to_string()))
}

fn contents(
    case: &Case,
    reports: &[Report],
    log_lines: &[String],
) -> Result<BTreeMap<String, Vec<u8>>, ArchiveError> {
    let mut files = BTreeMap::new();
    files.insert(name::README.into(), README.as_bytes().to_vec());
    files.insert(name::CASE.into(), json(case));
    let custody: String = log_lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect();
    files.insert(name::CUSTODY.into(), custody.into_bytes());
    for (number, report) in (1..).zip(reports) {
        files.insert(name::report(number), json(report));
        for (place, shown) in (1..).zip(&report.run) {
            if !shown.is_disclosed() {
                continue;
            }
            // What is not hexadecimal is in the report as it is; the checks then find no file for it.
            if let Some(content) = hex::decode(&shown.content).ok().filter(|content| !content.is_empty()) {
                files.insert(name::content(number, place), content);
            }
            files.insert(name::message(number, place), shown.text.clone().into_bytes());
        }
        if files.len() > MAX_FILES {
            return Err(ArchiveError::TooLarge);
        }
    }
    Ok(files)
}

fn json(value: &impl serde::Serialize) -> Vec<u8> {
    serde_json::to_vec_pretty(value).expect("strings and numbers are JSON")
}

/// One file after the other, each dated 1980: when it was made is in the manifest, where it is signed.
fn pack(files: &BTreeMap<String, Vec<u8>>) -> Result<Vec<u8>, ZipError> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::DEFAULT.compression_method(CompressionMethod::Deflated);
    for (name, bytes) in files {
        zip.start_file(name.as_str(), options)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}
