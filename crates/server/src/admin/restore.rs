//! `restore`: a backup becomes a data folder again, with every sequence moved far ahead.
//!
//! What was sent after the backup is lost to the server, but devices may have it. If numbers went on where the
//! backup stopped, new mail would get the numbers of that lost mail and devices would take it for what they
//! have. Moved ahead, it shows as a gap, which is the truth.
//!
//! The key directory and the desk's log go back as they were. Nothing could hide that from those who saw later epochs or
//! kept a later export, and nothing should.

use std::{fs, path::Path};

use rusqlite::Connection;

use super::{
    AdminError,
    backup::{BLOBS, copy_folder, make_empty},
};

/// The database's name in a backup and in a data folder.
const DATABASE: &str = "zegel.db";
/// Its name while it is not ready: a restore that was cut off is never taken for a data folder.
const UNFINISHED: &str = "zegel.db.restoring";

/// Entries that wait keep their numbers (they are sealed to them); what comes next is 2^32 further on.
const MOVE_AHEAD: &str = "
    PRAGMA journal_mode = DELETE;
    PRAGMA secure_delete = ON;
    BEGIN IMMEDIATE;
    UPDATE mailbox SET first_seq = next_seq + 4294967296 WHERE first_seq = next_seq;
    UPDATE mailbox SET next_seq = next_seq + 4294967296;
    UPDATE head SET seq = seq + 4294967296;
    COMMIT;
";

/// Restores.
pub(super) fn run(from: &Path, data: &Path) -> Result<(), AdminError> {
    let source = from.join(DATABASE);
    let error = |doing, path: &Path, why: String, hint| AdminError::Folder {
        doing,
        path: path.to_owned(),
        why,
        hint,
    };
    if !source.is_file() {
        let why = format!("it holds no {DATABASE}");
        return Err(error("reading the backup", from, why, "the folder that `zegel-server backup` made"));
    }
    make_empty(data)?;
    copy_folder(&from.join(BLOBS), &data.join(BLOBS))?;
    let (unfinished, done) = (data.join(UNFINISHED), data.join(DATABASE));
    let io = |e: std::io::Error| error("writing", &unfinished, e.to_string(), "a disk with room");
    fs::copy(&source, &unfinished).map_err(io)?;
    let sql = |e: rusqlite::Error| error("reading the backup", &source, e.to_string(), "an older backup");
    let database = Connection::open(&unfinished).map_err(sql)?;
    database.execute_batch(MOVE_AHEAD).map_err(sql)?;
    database.close().map_err(|(_, e)| sql(e))?;
    fs::File::open(&unfinished).and_then(|file| file.sync_all()).map_err(io)?;
    fs::rename(&unfinished, &done).map_err(io)?;
    fs::File::open(data).and_then(|folder| folder.sync_all()).map_err(io)?;
    println!("{} is ready; conversations will show a gap where mail was lost", data.display());
    println!("whoever saw a later epoch of the key directory is alarmed: say publicly what happened");
    println!(
        "whoever kept a later export of the desk's log finds that this one does not continue it: tell auditors"
    );
    Ok(())
}
