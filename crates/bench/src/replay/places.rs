//! The places where a server could keep a text: every file of its data folder, and its memory.

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    os::unix::fs::FileExt,
    path::Path,
};

use rusqlite::{Connection, OpenFlags};

use super::search::{Finds, Place, Scanner};
use crate::common::Result;

const PAGE: u64 = 4096;

/// Reads the database as any other process may, and stays at that state: until this is dropped, the
/// write-ahead log keeps all that is written.
pub fn hold_log(data: &Path) -> Result<Connection> {
    let reader = Connection::open_with_flags(data.join("zegel.db"), OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    reader.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema;")?;
    Ok(reader)
}

/// Searches every file below the data folder.
pub fn search_folder(scanner: &Scanner, data: &Path, finds: &mut Finds) -> Result {
    let mut folders = vec![data.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            match fs::symlink_metadata(&path) {
                Ok(about) if about.is_dir() => folders.push(path),
                Ok(about) if about.is_file() => search_file(scanner, place_of(data, &path), &path, finds)?,
                // A server at work may remove a file.
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
                _ => {}
            }
        }
    }
    Ok(())
}

fn place_of(data: &Path, path: &Path) -> Place {
    let inside = path.strip_prefix(data).unwrap_or(path);
    match inside.to_str() {
        Some("zegel.db") => Place::Database,
        Some("zegel.db-wal") => Place::Log,
        _ if inside.starts_with("blobs") => Place::Blobs,
        _ => Place::OtherFiles,
    }
}

fn search_file(scanner: &Scanner, place: Place, path: &Path, finds: &mut Finds) -> Result {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        opened => opened?,
    };
    scanner.scan(place, (0, u64::MAX), |at, into| file.read_at(into, at), finds)?;
    Ok(())
}

/// Searches all memory of a process that it can read itself: heap, stacks, anonymous memory, mapped files.
pub fn search_memory(scanner: &Scanner, pid: u32, finds: &mut Finds) -> Result {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps"))?;
    let memory = File::open(format!("/proc/{pid}/mem")).map_err(|e| {
        format!("while opening the server's memory: {e}; it needs the right to trace a child")
    })?;
    let (mut heap, mut stack) = (0, 0);
    for line in maps.lines() {
        let Some((start, end, name)) = readable(line) else { continue };
        let before = finds.bytes.get(&Place::Memory).copied().unwrap_or(0);
        let read = |at, into: &mut [u8]| read_mapped(&memory, at, into, end);
        scanner.scan(Place::Memory, (start, end), read, finds)?;
        let read = finds.bytes.get(&Place::Memory).copied().unwrap_or(0) - before;
        match name {
            "[heap]" => heap += read,
            "[stack]" => stack += read,
            _ => {}
        }
    }
    match heap > 0 && stack > 0 {
        true => Ok(()),
        false => Err("the server's heap or stack could not be read".into()),
    }
}

/// A line of `/proc/PID/maps`, if the process can read that mapping: from, to, name.
fn readable(line: &str) -> Option<(u64, u64, &str)> {
    let mut fields = line.split_whitespace();
    let (start, end) = fields.next()?.split_once('-')?;
    let may_read = fields.next()?.starts_with('r');
    let name = fields.nth(3).unwrap_or("");
    let number = |text| u64::from_str_radix(text, 16).ok();
    // The kernel's own pages in every process; they cannot be read from outside.
    let kernels = matches!(name, "[vvar]" | "[vvar_vclock]" | "[vsyscall]");
    (may_read && !kernels).then_some(())?;
    Some((number(start)?, number(end)?, name))
}

/// Like [`FileExt::read_at`], but a page that cannot be read (any more, or of a file that is shorter) reads as zeroes.
fn read_mapped(memory: &File, at: u64, into: &mut [u8], end: u64) -> io::Result<usize> {
    match memory.read_at(into, at) {
        Ok(got) if got > 0 => Ok(got),
        Err(error) if error.kind() == ErrorKind::Interrupted => read_mapped(memory, at, into, end),
        _ => {
            let gap = (PAGE - at % PAGE).min(end - at).min(into.len() as u64) as usize;
            into[..gap].fill(0);
            Ok(gap)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_maps_are_read() {
        let line = "55d0c8a00000-55d0c8a21000 rw-p 00000000 00:00 0                          [heap]";
        assert_eq!(readable(line), Some((0x55d0_c8a0_0000, 0x55d0_c8a2_1000, "[heap]")));
        assert_eq!(readable("7f00-7f10 ---p 00000000 00:00 0"), None);
        assert_eq!(readable("7f00-7f10 rw-p 00000000 00:00 0"), Some((0x7f00, 0x7f10, "")));
    }

    #[test]
    fn own_memory_is_found() {
        let planted = format!("planted {} in memory", std::process::id());
        let scanner = Scanner::new(&[], &[(Place::Memory, planted.clone())]).expect("built");
        let mut finds = Finds::new("now");
        search_memory(&scanner, std::process::id(), &mut finds).expect("searched");
        assert!(finds.plants.contains(&(Place::Memory, planted)));
    }
}
