//! The attacker. They know the code and have the data folder, and not the key file.
//!
//! Kinds of evidence, each a score for every pair of accounts:
//!
//! - **shared values**: rows of a table that name different accounts or devices and agree in another column, and rows that
//!   name two. This is how a plain group column, a foreign key or a contact list is found, whatever it is called.
//! - **written together**: rows of two accounts that changed in the same commit of the write-ahead log. A message
//!   changes its sender's and its receivers' mailboxes at once.
//! - **on one page**: two accounts named on the same page, free and overwritten ones and the log's included: what was
//!   written at the same time tends to lie together, and deleted rows may linger.
//! - **how busy**: who has more rows, and fewer key packages left, knows more people.
//! - **waiting alike**: mailboxes that hold entries of the same hours and sizes get the same group's mail.
//! - **all together**: the sum, each measured by how much it varies; the first two, which are about the very pair,
//!   count ten times.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use aho_corasick::AhoCorasick;

use super::{disk::Disk, score::Scores};
use crate::common::Result;

/// The evidence that decides.
pub const ALL: &str = "all together";

/// Evidence about the very pair, not about its neighbourhood.
const HARD: [&str; 2] = ["shared values", "written together"];

/// A value shared by more accounts than this tells nothing.
const FEW: usize = 20;
/// A commit or page with more accounts than this tells nothing.
const SOME: usize = 40;
/// So many bytes behind a name belong to the same row.
const ROW: usize = 40;

/// Who is named where.
struct Names {
    automaton: AhoCorasick,
    accounts: Vec<usize>,
    count: usize,
}

impl Names {
    /// Accounts by their ids, and the devices that the tables say are theirs.
    fn new(disk: &Disk, accounts: &[[u8; 16]]) -> Result<Self> {
        let known: HashMap<&[u8], usize> =
            accounts.iter().enumerate().map(|(number, id)| (id.as_slice(), number)).collect();
        let mut names: BTreeMap<Vec<u8>, usize> =
            accounts.iter().enumerate().map(|(number, id)| (id.to_vec(), number)).collect();
        for row in disk.rows("mailbox") {
            // A device and its account.
            if let [device, account, _, _] = row.as_slice()
                && let Some(&number) = known.get(account.as_slice())
            {
                names.entry(device.clone()).or_insert(number);
            }
        }
        let automaton = AhoCorasick::new(names.keys())?;
        Ok(Self { automaton, accounts: names.into_values().collect(), count: accounts.len() })
    }

    /// Accounts named in these bytes, and where each name ends.
    fn find<'a>(&'a self, bytes: &'a [u8]) -> impl Iterator<Item = (usize, usize)> + 'a {
        self.automaton.find_iter(bytes).map(|hit| (self.accounts[hit.pattern().as_usize()], hit.end()))
    }

    fn set(&self, bytes: &[u8]) -> BTreeSet<usize> {
        self.find(bytes).map(|(account, _)| account).collect()
    }
}

/// Every kind of evidence, and all of it together.
pub fn guess(disk: &Disk, accounts: &[[u8; 16]]) -> Result<Vec<(&'static str, Scores)>> {
    let names = Names::new(disk, accounts)?;
    let mut guesses = vec![
        ("shared values", shared_values(disk, &names)),
        ("written together", written_together(disk, &names)),
        ("on one page", on_one_page(disk, &names)),
        ("how busy", how_busy(disk, &names)),
        ("waiting alike", waiting_alike(disk, &names)),
    ];
    let mut all = Scores::new(names.count);
    for (what, scores) in &guesses {
        all.join(scores, if HARD.contains(what) { 10.0 } else { 1.0 });
    }
    guesses.push((ALL, all));
    Ok(guesses)
}

fn shared_values(disk: &Disk, names: &Names) -> Scores {
    let mut scores = Scores::new(names.count);
    for table in &disk.tables {
        let mut sharing: HashMap<(usize, &[u8]), BTreeSet<usize>> = HashMap::new();
        for row in &table.rows {
            let named: Vec<BTreeSet<usize>> = row.iter().map(|value| names.set(value)).collect();
            let all: BTreeSet<usize> = named.iter().flatten().copied().collect();
            scores.link(&all, FEW);
            for (column, value) in row.iter().enumerate().filter(|(column, _)| named[*column].is_empty()) {
                sharing.entry((column, value)).or_default().extend(&all);
            }
        }
        sharing.values().for_each(|together| scores.link(together, FEW));
    }
    scores
}

fn written_together(disk: &Disk, names: &Names) -> Scores {
    let mut scores = Scores::new(names.count);
    // What each page said about each account when it was last written.
    let mut before: HashMap<u32, BTreeSet<(usize, Vec<u8>)>> = HashMap::new();
    for commit in &disk.commits {
        let mut changed = BTreeSet::new();
        for (number, page) in &commit.pages {
            let row =
                |(account, end): (usize, usize)| (account, page[end..page.len().min(end + ROW)].to_vec());
            let now: BTreeSet<_> = names.find(page).map(row).collect();
            if let Some(then) = before.get(number) {
                changed.extend(now.symmetric_difference(then).map(|(account, _)| *account));
            }
            before.insert(*number, now);
        }
        scores.link(&changed, SOME);
    }
    scores
}

fn on_one_page(disk: &Disk, names: &Names) -> Scores {
    let mut scores = Scores::new(names.count);
    let logged = disk.commits.iter().flat_map(|commit| &commit.pages).map(|(_, page)| page);
    for page in disk.pages.iter().chain(logged) {
        scores.link(&names.set(page), SOME);
    }
    scores
}

fn how_busy(disk: &Disk, names: &Names) -> Scores {
    let mut busy = vec![1.0; names.count];
    for table in &disk.tables {
        let mut rows = vec![0.0; names.count];
        for row in &table.rows {
            row.iter().flat_map(|value| names.set(value)).for_each(|account| rows[account] += 1.0);
        }
        // Whoever stands out in any table is busy; in a stock that is used up, by having less.
        let mean = rows.iter().sum::<f64>() / names.count as f64;
        for (busy, rows) in busy.iter_mut().zip(rows) {
            *busy += (rows - mean).abs();
        }
    }
    let mut scores = Scores::new(names.count);
    for a in 0..names.count {
        (a + 1..names.count).for_each(|b| scores.add(a, b, busy[a] * busy[b]));
    }
    scores
}

fn waiting_alike(disk: &Disk, names: &Names) -> Scores {
    // An entry is id (whose upper bits are the hour), device, number, key, sealed.
    let mut waiting: Vec<BTreeMap<(u64, usize), f64>> = vec![BTreeMap::new(); names.count];
    for row in disk.rows("entry") {
        if let [id, device, _, _, sealed] = row.as_slice()
            && let (Ok(id), Some((account, _))) = (id.as_slice().try_into(), names.find(device).next())
        {
            let hour = u64::from_be_bytes(id) >> 40;
            *waiting[account].entry((hour, sealed.len())).or_default() += 1.0;
        }
    }
    let length = |counts: &BTreeMap<_, f64>| counts.values().map(|n| n * n).sum::<f64>().sqrt();
    let mut scores = Scores::new(names.count);
    for (a, of_a) in waiting.iter().enumerate() {
        for (b, of_b) in waiting.iter().enumerate().skip(a + 1) {
            let common: f64 = of_a.iter().filter_map(|(kind, n)| Some(n * of_b.get(kind)?)).sum();
            if common > 0.0 {
                scores.add(a, b, common / (length(of_a) * length(of_b)));
            }
        }
    }
    scores
}
