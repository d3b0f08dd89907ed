//! Looking for bytes in everything that a server has.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt as _,
    path::Path,
};

const CHUNK: usize = 4 << 20;

/// Which of `needles` are somewhere in `bytes`.
fn found_in(bytes: &[u8], needles: &[Vec<u8>], found: &mut [bool]) {
    for (needle, found) in needles.iter().zip(found) {
        // The first byte is looked for first: that is what makes this quick enough.
        let Some(first) = needle.first().filter(|_| !*found) else { continue };
        let mut rest = bytes;
        while let Some(at) = rest.iter().position(|byte| byte == first) {
            if rest[at..].starts_with(needle) {
                *found = true;
                break;
            }
            rest = &rest[at + 1..];
        }
    }
}

/// Which of `needles` are in a file.
pub fn in_file(path: &Path, needles: &[Vec<u8>]) -> Result<Vec<bool>, String> {
    let bytes = fs::read(path).map_err(|e| format!("while reading {}: {e}", path.display()))?;
    let mut found = vec![false; needles.len()];
    found_in(&bytes, needles, &mut found);
    Ok(found)
}

/// Which of `needles` are in any file below a folder.
pub fn in_folder(folder: &Path, needles: &[Vec<u8>]) -> Result<Vec<bool>, String> {
    let mut found = vec![false; needles.len()];
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let list = fs::read_dir(&folder).map_err(|e| format!("while reading {}: {e}", folder.display()))?;
        for entry in list.flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if let Ok(bytes) = fs::read(&path) {
                found_in(&bytes, needles, &mut found);
            }
        }
    }
    Ok(found)
}

/// Which of `needles` are in the memory of a process that was started here.
pub fn in_memory(pid: u32, needles: &[Vec<u8>]) -> Result<Vec<bool>, String> {
    let what = |e| format!("while reading the server's memory: {e}; it needs the right to trace a child");
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).map_err(what)?;
    let memory = File::open(format!("/proc/{pid}/mem")).map_err(what)?;
    let longest = needles.iter().map(Vec::len).max().unwrap_or(0);
    let (mut found, mut buffer) = (vec![false; needles.len()], vec![0; CHUNK + longest]);
    for line in maps.lines() {
        let mut fields = line.split_whitespace();
        let (Some(range), Some(rights)) = (fields.next(), fields.next()) else { continue };
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        let Some((start, end)) = range.split_once('-').and_then(|(a, b)| Some((number(a)?, number(b)?)))
        else {
            continue;
        };
        if !rights.starts_with('r') || line.contains("[vvar") || line.contains("[vsyscall]") {
            continue;
        }
        let mut at = start;
        while at < end {
            let room = buffer.len().min(usize::try_from(end - at).unwrap_or(CHUNK));
            // A page that cannot be read holds nothing that could be found.
            let Ok(got @ 1..) = memory.read_at(&mut buffer[..room], at) else { break };
            found_in(&buffer[..got], needles, &mut found);
            // What lies across two reads is found in the second.
            let step = got.saturating_sub(if got == buffer.len() { longest } else { 0 }).max(1);
            at += step as u64;
        }
    }
    Ok(found)
}
