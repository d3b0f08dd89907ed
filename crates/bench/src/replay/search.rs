//! Looking for many texts at once in a stream of bytes.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
};

use aho_corasick::{AhoCorasick, AhoCorasickKind};

use crate::common::Result;

const CHUNK: usize = 4 << 20;

/// Where something can be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    Database,
    Log,
    Blobs,
    OtherFiles,
    Memory,
}

impl Place {
    pub const ALL: [Self; 5] = [Self::Database, Self::Log, Self::Blobs, Self::OtherFiles, Self::Memory];

    pub fn name(self) -> &'static str {
        match self {
            Self::Database => "database",
            Self::Log => "write-ahead log",
            Self::Blobs => "blobs",
            Self::OtherFiles => "other files",
            Self::Memory => "memory",
        }
    }
}

/// What a search found, and how much it read.
pub struct Finds {
    pub when: &'static str,
    /// Texts, by their number.
    pub texts: BTreeSet<(Place, usize)>,
    pub plants: BTreeSet<(Place, String)>,
    pub bytes: BTreeMap<Place, u64>,
}

impl Finds {
    pub fn new(when: &'static str) -> Self {
        Self { when, texts: BTreeSet::new(), plants: BTreeSet::new(), bytes: BTreeMap::new() }
    }
}

/// All texts and plants, in one automaton: what finds the plants is what looks for the texts.
pub struct Scanner {
    automaton: AhoCorasick,
    longest: usize,
    texts: usize,
    plants: Vec<String>,
}

impl Scanner {
    pub fn new(texts: &[String], plants: &[(Place, String)]) -> Result<Self> {
        let plants: Vec<String> = plants.iter().map(|(_, plant)| plant.clone()).collect();
        let patterns = texts.iter().chain(&plants);
        let longest = patterns.clone().map(String::len).max().unwrap_or(0);
        let automaton = AhoCorasick::builder().kind(Some(AhoCorasickKind::ContiguousNFA)).build(patterns)?;
        Ok(Self { automaton, longest, texts: texts.len(), plants })
    }

    /// Searches what `read` gives for the offsets from `start` to `end`. `read` fills a part of the buffer, or
    /// says with 0 that there is nothing more. Texts across two reads are found.
    pub fn scan(
        &self,
        place: Place,
        (start, end): (u64, u64),
        mut read: impl FnMut(u64, &mut [u8]) -> io::Result<usize>,
        finds: &mut Finds,
    ) -> io::Result<()> {
        let mut buffer = vec![0; CHUNK + self.longest];
        let (mut at, mut kept) = (start, 0);
        while at < end {
            let room = usize::try_from(end - at).unwrap_or(CHUNK).min(CHUNK);
            let got = read(at, &mut buffer[kept..kept + room])?;
            if got == 0 {
                break;
            }
            at += got as u64;
            let filled = kept + got;
            for hit in self.automaton.find_overlapping_iter(&buffer[..filled]) {
                match hit.pattern().as_usize() {
                    text if text < self.texts => _ = finds.texts.insert((place, text)),
                    plant => _ = finds.plants.insert((place, self.plants[plant - self.texts].clone())),
                }
            }
            let tail = filled.min(self.longest.saturating_sub(1));
            buffer.copy_within(filled - tail..filled, 0);
            kept = tail;
            *finds.bytes.entry(place).or_default() += got as u64;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_found_across_two_reads() {
        let texts = ["a text to look for".to_owned(), "text to".to_owned(), "not there".to_owned()];
        let scanner = Scanner::new(&texts, &[(Place::Blobs, "planted".into())]).expect("built");
        let bytes = b"planted xxxxxxxx a text to look for";
        let mut finds = Finds::new("now");
        let read = |at: u64, into: &mut [u8]| {
            let rest = &bytes[at as usize..];
            let n = rest.len().min(into.len()).min(5);
            into[..n].copy_from_slice(&rest[..n]);
            Ok(n)
        };
        scanner.scan(Place::Memory, (0, bytes.len() as u64), read, &mut finds).expect("read");
        assert_eq!(finds.texts, BTreeSet::from([(Place::Memory, 0), (Place::Memory, 1)]));
        assert_eq!(finds.plants, BTreeSet::from([(Place::Memory, "planted".to_owned())]));
        assert_eq!(finds.bytes[&Place::Memory], bytes.len() as u64);
    }
}
