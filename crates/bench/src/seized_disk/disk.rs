//! Reading a data folder as an attacker does: as tables, and as bytes.

use std::{fs, path::Path};

use rusqlite::{Connection, OpenFlags, types::ValueRef};

use super::copy;
use crate::common::Result;

/// Everything in a data folder.
pub struct Disk {
    pub tables: Vec<Table>,
    /// Every page of the database, free ones included, and every other file.
    pub pages: Vec<Vec<u8>>,
    /// What the write-ahead log holds, in order: old and rolled over frames included.
    pub commits: Vec<Commit>,
}

/// A table: each row is a list of values as bytes.
pub struct Table {
    pub name: String,
    pub rows: Vec<Vec<Vec<u8>>>,
}

/// Pages that were written together.
#[derive(Default)]
pub struct Commit {
    pub pages: Vec<(u32, Vec<u8>)>,
}

/// How many entries wait in all mailboxes of a running server.
pub fn waiting(data: &Path) -> Result<i64> {
    let reader = Connection::open_with_flags(data.join("zegel.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    Ok(reader.query_row("SELECT count(*) FROM entry", [], |row| row.get(0))?)
}

impl Disk {
    pub fn read(data: &Path) -> Result<Self> {
        let mut pages = Vec::new();
        let (mut commits, mut size) = (Vec::new(), 4096);
        for file in files(data)? {
            let bytes = fs::read(&file)?;
            match file.file_name().and_then(|name| name.to_str()) {
                Some("zegel.db-wal") => commits = read_log(&bytes),
                Some("zegel.db-shm") => {}
                Some("zegel.db") => {
                    size = usize::from(number::<2>(&bytes, 16) as u16).max(512);
                    pages.extend(bytes.chunks(size).map(<[u8]>::to_vec));
                }
                _ => pages.extend(bytes.chunks(size).map(<[u8]>::to_vec)),
            }
        }
        // Opening it may change it: the tables are read from a copy.
        let folder = tempfile::tempdir()?;
        copy(data, folder.path())?;
        let database = Connection::open(folder.path().join("zegel.db"))?;
        Ok(Self { tables: read_tables(&database)?, pages, commits })
    }
}

impl Disk {
    /// The rows of one table.
    pub fn rows<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Vec<Vec<u8>>> {
        self.tables.iter().filter(move |table| table.name == name).flat_map(|table| &table.rows)
    }
}

fn files(folder: &Path) -> Result<Vec<std::path::PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        match path.is_dir() {
            true => found.extend(files(&path)?),
            false => found.push(path),
        }
    }
    found.sort();
    Ok(found)
}

fn read_tables(database: &Connection) -> Result<Vec<Table>> {
    let mut names = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let names = names.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<Vec<String>>>()?;
    let mut tables = Vec::new();
    for name in names {
        let mut all = database.prepare(&format!("SELECT * FROM \"{name}\""))?;
        let columns = all.column_count();
        let mut rows = Vec::new();
        let mut found = all.query([])?;
        while let Some(row) = found.next()? {
            let value = |column| {
                Ok(match row.get_ref(column)? {
                    ValueRef::Null => Vec::new(),
                    ValueRef::Integer(number) => number.to_be_bytes().to_vec(),
                    ValueRef::Real(number) => number.to_be_bytes().to_vec(),
                    ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.to_vec(),
                })
            };
            rows.push((0..columns).map(value).collect::<rusqlite::Result<Vec<_>>>()?);
        }
        tables.push(Table { name, rows });
    }
    Ok(tables)
}

/// Frames of a write-ahead log (see SQLite's file format): a header of 32 bytes, then for each frame 24 bytes and
/// a page. A frame that ends a commit names the database's size.
fn read_log(bytes: &[u8]) -> Vec<Commit> {
    const HEADER: usize = 32;
    const FRAME: usize = 24;
    let size = number::<4>(bytes, 8) as usize;
    let (mut commits, mut commit) = (Vec::new(), Commit::default());
    if size < 512 || bytes.len() < HEADER {
        return commits;
    }
    for frame in bytes[HEADER..].chunks_exact(FRAME + size) {
        commit.pages.push((number::<4>(frame, 0), frame[FRAME..].to_vec()));
        if number::<4>(frame, 4) != 0 {
            commits.push(std::mem::take(&mut commit));
        }
    }
    commits
}

fn number<const N: usize>(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + N).unwrap_or_default().iter().fold(0, |n, byte| n << 8 | u32::from(*byte))
}
