//! Evidence that is edited after it left the service.

use std::{
    collections::BTreeMap,
    fs,
    io::{Cursor, Read as _, Write as _},
};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use zegel_audit::check_case;
use zegel_directory::Statement;
use zip::{ZipArchive, ZipWriter, write::SimpleFileOptions};

use super::scene::{follow, quarrel, reports, says};
use crate::{
    drill::{Attacker, Drill, Failure, Verdict, carried_out, held},
    kit::{Operator, Seat, Stage},
};

/// Other words.
pub const EDITED: Drill = Drill {
    name: "edited-evidence",
    attacker: Attacker::Desk,
    attempt: "Somebody edits a case's evidence before it reaches a court: other words, a file put in or left out, the list of files made to fit, or all of it signed anew with a key of their own.",
    defence: "The list of files with their hashes is signed with the directory's key; an auditor who followed that directory knows the key.",
    caught: "when it is checked, offline",
    run: |stage| Box::pin(edited(stage)),
};

const MANIFEST: &str = "manifest.json";
const SEAL: &str = "manifest.sig.json";
const WORDS: &str = "messages/1-1.txt";

async fn edited(stage: &Stage) -> Verdict {
    let folder = tempfile::tempdir()?;
    let (file, state) = (folder.path().join("case.zip"), folder.path().join("state"));
    let honest = unpacked(&exported(stage).await?)?;
    follow(stage, &state).await?;
    let check = |files: &Files| {
        fs::write(&file, packed(files)?)?;
        Ok::<_, Failure>(check_case(&file, Some(&state)))
    };
    let found = check(&honest)?;
    carried_out(
        found.as_ref().is_ok_and(|found| found.followed),
        format!("checking it unedited: {found:?}"),
    )?;

    let lie = b"I will kill you".to_vec();
    let other_words = with(&honest, |files| drop(files.insert(WORDS.into(), lie.clone())));
    let edits = [
        ("other words", other_words, "was changed after the archive was made"),
        (
            "a file put in",
            with(&honest, |files| drop(files.insert("messages/1-2.txt".into(), lie.clone()))),
            "was put in",
        ),
        ("a file left out", with(&honest, |files| drop(files.remove(WORDS))), "is missing"),
        (
            "a list that was made to fit",
            relisted(&honest)?,
            "the manifest is not signed by the keys it lists",
        ),
        ("a signature of their own", signed_anew(stage, &honest)?, "signed by another service"),
    ];
    let count = edits.len();
    for (what, files, why) in edits {
        match check(&files)? {
            Ok(_) => return Err(Failure::Succeeded(format!("evidence with {what} passes"))),
            Err(error) => {
                let error = error.to_string();
                held(error.contains(why), format!("{what}: it is only said that {error}"))?;
            }
        }
    }
    Ok(format!("{count} of {count} are refused, each with what was done"))
}

/// A case's evidence as the desk gives it out.
async fn exported(stage: &Stage) -> Verdict<Vec<u8>> {
    let (mallory, bob) = quarrel(stage).await?;
    let threat = says(&mallory, "bob", "I will see you").await?;
    let case = reports(&bob, &mallory, vec![threat.shown()?]).await?.case_number;
    let mia = Seat::takes(stage, "moderator", "mia").await?;
    let sam = Seat::takes(stage, "senior", "sam").await?;
    for (who, act) in [(&mia, "ask-export"), (&sam, "allow-export")] {
        carried_out(who.acts(&case, act).await?.status == 303, act)?;
    }
    Ok(mia.acts(&case, "evidence").await?.bytes)
}

type Files = BTreeMap<String, Vec<u8>>;

fn unpacked(bytes: &[u8]) -> Verdict<Files> {
    let mut zip = ZipArchive::new(Cursor::new(bytes))?;
    let mut files = Files::new();
    for index in 0..zip.len() {
        let mut file = zip.by_index(index)?;
        let (name, mut bytes) = (file.name()?.into_owned(), Vec::new());
        file.read_to_end(&mut bytes)?;
        files.insert(name, bytes);
    }
    carried_out(files.contains_key(WORDS) && files.contains_key(MANIFEST), "evidence with words")?;
    Ok(files)
}

fn packed(files: &Files) -> Verdict<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, bytes) in files {
        zip.start_file(name.as_str(), SimpleFileOptions::DEFAULT)?;
        zip.write_all(bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

fn with(files: &Files, change: impl FnOnce(&mut Files)) -> Files {
    let mut files = files.clone();
    change(&mut files);
    files
}

/// Another note of the reporter, which nobody can compute again, and a list that fits.
fn relisted(files: &Files) -> Verdict<Files> {
    let mut report: Value = serde_json::from_slice(files.get("reports/1.json").ok_or("no report")?)?;
    report["note"] = json!("she hit me");
    let mut files =
        with(files, |files| drop(files.insert("reports/1.json".into(), report.to_string().into())));
    let mut list: Value = serde_json::from_slice(&files[MANIFEST])?;
    for (name, bytes) in files.iter().filter(|(name, _)| *name != MANIFEST && *name != SEAL) {
        list["files"][name] = json!({ "sha256": hex::encode(Sha256::digest(bytes)), "size": bytes.len() });
    }
    files.insert(MANIFEST.into(), list.to_string().into());
    Ok(files)
}

/// The same evidence under a key that is not the service's.
fn signed_anew(stage: &Stage, files: &Files) -> Verdict<Files> {
    let impostor = Operator::impostor(&Operator::of(stage)?.domain)?;
    let signer = impostor.signer()?;
    let mut list: Value = serde_json::from_slice(&files[MANIFEST])?;
    let key = |link: &zegel_directory::SignerLink| json!({ "key": hex::encode(link.key), "endorsement": hex::encode(&link.endorsement) });
    list["signers"] = signer.links().iter().map(key).collect();
    let list = list.to_string().into_bytes();
    let signed = signer.sign_statement(&impostor.domain, Statement::Evidence, &list);
    let seal = json!({ "signer": signed.signer, "signature": hex::encode(&signed.signature) });
    Ok(with(files, |files| {
        files.insert(MANIFEST.into(), list);
        files.insert(SEAL.into(), seal.to_string().into());
    }))
}
