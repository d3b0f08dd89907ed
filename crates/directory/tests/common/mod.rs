//! A directory in memory.

#![allow(dead_code)]

use ed25519_dalek::SigningKey;
use zegel_directory::publisher::{MemoryRecords, Publisher, VrfKey};
use zegel_directory::*;
use zegel_proto::AccountId;

pub const DOMAIN: &str = "example.org";
pub const CACHE: usize = 1 << 20;

pub struct Service {
    pub store: MemoryRecords,
    pub publisher: Publisher<MemoryRecords>,
    pub key: SignerKey,
    pub roots: Vec<SignedRoot>,
    /// Append-only proofs: the one at `e` leads to epoch `e + 1`.
    pub audits: Vec<Vec<u8>>,
}

pub fn secret(n: u8) -> SigningKey {
    SigningKey::from_bytes(&[n; 32])
}

/// What a handle's entry is after so many changes.
pub fn entry(handle: u8, change: u64) -> Entry {
    let mut head = [handle; 32];
    head[..8].copy_from_slice(&change.to_be_bytes());
    Entry { account: AccountId([handle; 16]), len: change + 1, head, ended: false }
}

pub fn handle(n: u8) -> String {
    format!("person{n}")
}

pub fn label(n: u8) -> Label {
    Label::of(DOMAIN, &handle(n))
}

pub async fn open(store: &MemoryRecords) -> Publisher<MemoryRecords> {
    Publisher::open(store.clone(), VrfKey::new([7; 32]), CACHE).await.expect("a store in memory can be read")
}

impl Service {
    pub async fn new() -> Self {
        let store = MemoryRecords::default();
        let publisher = open(&store).await;
        let mut service = Self {
            store,
            publisher,
            key: SignerKey::first(secret(1)),
            roots: Vec::new(),
            audits: Vec::new(),
        };
        let (epoch, tree) = service.publisher.tree().await.expect("the empty tree");
        assert_eq!(epoch, 0);
        service.sign(tree);
        service
    }

    /// Signs the root of the next epoch.
    pub fn sign(&mut self, tree: [u8; 32]) {
        let epoch = self.roots.len() as u64;
        let place = match self.roots.last() {
            None => Root::FIRST,
            Some(last) => last.root.next(self.roots[skip_of(epoch) as usize].root.hash()),
        };
        let vrf = self.publisher.vrf_public();
        let root = Root { time_ms: 1_000 + epoch, tree, vrf, ..place };
        self.roots.push(SignedRoot::sign(DOMAIN, root, &self.key));
    }

    /// Publishes and stores; whether anything changed.
    pub async fn publish(&mut self, updates: Vec<(Label, Entry)>) -> bool {
        let Some(mut prepared) = self.publisher.publish(updates).await.expect("published") else {
            return false;
        };
        let (epoch, tree) = (prepared.epoch, prepared.tree);
        self.audits.push(std::mem::take(&mut prepared.proof));
        self.store.apply(std::mem::take(&mut prepared.records));
        prepared.commit();
        assert_eq!(epoch, self.roots.len() as u64);
        self.sign(tree);
        true
    }

    pub fn newest(&self) -> &SignedRoot {
        self.roots.last().expect("root 0 is always there")
    }

    pub fn path(&self, from: u64, to: u64) -> Vec<Root> {
        path_epochs(from, to).into_iter().map(|epoch| self.roots[epoch as usize].root.clone()).collect()
    }

    pub fn view(&self, epoch: usize) -> View {
        View::begin(DOMAIN, self.key.links(), self.roots[epoch].clone()).expect("an honest service")
    }

    pub async fn lookup(&self, n: u8) -> Vec<u8> {
        self.publisher.lookup(&label(n)).await.expect("looked up").expect("it is there").proof
    }

    pub async fn history(&self, n: u8, most_recent: Option<usize>) -> Vec<u8> {
        self.publisher.history(&label(n), most_recent).await.expect("looked up").expect("it is there").1
    }
}
