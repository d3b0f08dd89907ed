//! A population: who is in contact, who shares a group, and the clients that do it.

use std::{
    collections::BTreeSet,
    path::Path,
    time::{Duration, Instant},
};

use futures_util::{StreamExt, TryStreamExt, stream};
use rand::{Rng, rngs::StdRng, seq::SliceRandom};
use zegel_client::{AgeBand, Client, Registration};

use super::score::Pairs;
use crate::common::{Progress, Result};

const ACCOUNTS: f64 = 200.0;
const CHATS: f64 = 300.0;
const GROUPS: f64 = 20.0;
const AT_ONCE: usize = 16;
const PATIENCE: Duration = Duration::from_secs(120);

/// Who does what; accounts are numbers.
pub struct Plan {
    pub accounts: usize,
    pub chats: Vec<(usize, usize)>,
    pub groups: Vec<Vec<usize>>,
    absent: BTreeSet<usize>,
}

impl Plan {
    pub fn new(scale: f64, absent: f64, random: &mut StdRng) -> Self {
        let accounts = ((ACCOUNTS * scale) as usize).max(12);
        let chats = ((CHATS * scale) as usize).clamp(1, accounts * (accounts - 1) / 4);
        let groups = ((GROUPS * scale) as usize).max(1);
        let mut pairs = BTreeSet::new();
        while pairs.len() < chats {
            let (a, b) = (random.random_range(0..accounts), random.random_range(0..accounts));
            if a != b && !pairs.contains(&(b, a)) {
                pairs.insert((a, b));
            }
        }
        let mut chats: Vec<_> = pairs.into_iter().collect();
        chats.shuffle(random);
        let mut everybody: Vec<usize> = (0..accounts).collect();
        let mut some = |count: usize, random: &mut StdRng| {
            everybody.shuffle(random);
            everybody[..count].to_vec()
        };
        let groups = (0..groups)
            .map(|_| {
                let members = random.random_range(5..=10);
                some(members, random)
            })
            .collect();
        let absent = some((accounts as f64 * absent.clamp(0.0, 0.9)) as usize, random).into_iter().collect();
        Self { accounts, chats, groups, absent }
    }

    /// Steps of the progress bar.
    pub fn steps(&self) -> u64 {
        (self.accounts + 2 * (self.chats.len() + self.groups.len())) as u64
    }

    pub fn in_contact(&self) -> Pairs {
        self.chats.iter().map(|&(a, b)| (a.min(b), a.max(b))).collect()
    }

    pub fn sharing(&self) -> Pairs {
        let mut pairs = Pairs::new();
        for group in &self.groups {
            for &a in group {
                pairs.extend(group.iter().filter(|&&b| a < b).map(|&b| (a, b)));
            }
        }
        pairs
    }
}

/// The clients; those who are away have none.
pub struct People {
    clients: Vec<Option<Client>>,
    accounts: Vec<[u8; 16]>,
}

fn handle(number: usize) -> String {
    format!("person{number:04}")
}

fn group_name(number: usize) -> String {
    format!("group {number}")
}

impl People {
    pub async fn register(plan: &Plan, folder: &Path, url: &str, progress: &Progress) -> Result<Self> {
        let register = |number| async move {
            let registration = Registration {
                handle: handle(number),
                age: AgeBand::Adult,
                language: "en".into(),
                invite: None,
            };
            let client = Client::register(&folder.join(handle(number)), url, &registration).await?;
            client.caught_up(PATIENCE).await?;
            progress.add(1);
            Ok::<_, crate::common::Error>(client)
        };
        let clients: Vec<Client> =
            stream::iter((0..plan.accounts).map(register)).buffered(AT_ONCE).try_collect().await?;
        let mut accounts = Vec::new();
        for client in &clients {
            let id = hex::decode(client.whoami().account)?;
            accounts.push(id.try_into().map_err(|_| "an account id is not 16 bytes")?);
        }
        Ok(Self { clients: clients.into_iter().map(Some).collect(), accounts })
    }

    /// Account ids by number.
    pub fn accounts(&self) -> &[[u8; 16]] {
        &self.accounts
    }

    /// Every chat is opened and every group made, and everybody has said something there.
    pub async fn meet(&mut self, plan: &Plan, progress: &Progress) -> Result {
        let chats = plan.chats.iter().map(|&(a, b)| self.open_chat(a, b, progress));
        all(chats).await?;
        let groups = plan.groups.iter().enumerate().map(|(n, members)| self.open_group(n, members, progress));
        all(groups).await?;
        self.settle().await
    }

    async fn open_chat(&self, a: usize, b: usize, progress: &Progress) -> Result {
        let (Some(one), Some(other)) = (&self.clients[a], &self.clients[b]) else { return Ok(()) };
        let (a, b) = (handle(a), handle(b));
        one.send(&b, "Hello, may I introduce myself?").await?;
        until(|| Ok(other.requests()?.iter().any(|request| request.from == a))).await?;
        other.accept(&a).await?;
        let accepted = || Ok(one.read(Some(&b), 0, false, false)?.iter().any(|line| line.kind == "notice"));
        until(accepted).await?;
        one.send(&b, "Thank you").await?;
        other.send(&a, "You are welcome").await?;
        progress.add(1);
        Ok(())
    }

    async fn open_group(&self, number: usize, members: &[usize], progress: &Progress) -> Result {
        let name = group_name(number);
        let handles: Vec<String> = members.iter().skip(1).map(|&member| handle(member)).collect();
        let Some(founder) = members.first().and_then(|&first| self.clients[first].as_ref()) else {
            return Ok(());
        };
        founder.group_create(&name, &handles).await?;
        for &member in &members[1..] {
            let Some(client) = &self.clients[member] else { continue };
            let state = || -> Result<Option<&str>> {
                Ok(client.groups()?.iter().find(|group| group.name == name).map(|group| group.state))
            };
            until(|| Ok(state()?.is_some())).await?;
            if state()? == Some("request") {
                client.accept(&name).await?;
            }
            client.send(&name, "Hello all").await?;
        }
        progress.add(1);
        Ok(())
    }

    /// Those who are absent go.
    pub async fn leave(&mut self, plan: &Plan) {
        for &number in &plan.absent {
            if let Some(client) = self.clients[number].take() {
                client.close().await;
            }
        }
    }

    /// Whoever is there writes in every conversation of theirs.
    pub async fn write(&self, plan: &Plan, progress: &Progress) -> Result {
        let chats = plan.chats.iter().map(|&(a, b)| async move {
            for (from, to) in [(a, b), (b, a)] {
                if let Some(client) = &self.clients[from] {
                    client.send(&handle(to), "How are you today?").await?;
                }
            }
            progress.add(1);
            Ok(())
        });
        all(chats).await?;
        let groups = plan.groups.iter().enumerate().map(|(number, members)| async move {
            let present = members.iter().filter_map(|&member| self.clients[member].as_ref());
            for client in present.take(3) {
                client.send(&group_name(number), "Who comes along?").await?;
            }
            progress.add(1);
            Ok(())
        });
        all(groups).await?;
        self.settle().await
    }

    async fn settle(&self) -> Result {
        for client in self.clients.iter().flatten() {
            client.sync(PATIENCE).await?;
        }
        Ok(())
    }

    /// Everybody goes.
    pub async fn close(&mut self) {
        for client in self.clients.iter_mut().filter_map(Option::take) {
            client.close().await;
        }
    }
}

async fn all(steps: impl Iterator<Item = impl Future<Output = Result>>) -> Result {
    stream::iter(steps).buffer_unordered(AT_ONCE).try_collect::<Vec<()>>().await.map(drop)
}

async fn until(done: impl Fn() -> Result<bool>) -> Result {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if done()? {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    Err("a message did not come".into())
}
