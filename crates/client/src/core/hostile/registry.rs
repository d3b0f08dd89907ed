//! The service's key directory, with the real publisher; its operator may do with it what they like.

use ed25519_dalek::SigningKey;
use zegel_directory::{
    Entry, Label, Promise, Root, SignedPromise, SignedRoot, SignerKey, path_epochs,
    publisher::{MemoryRecords, Publisher, VrfKey},
    skip_of,
};
use zegel_identity::{Chain, SignedLink};
use zegel_proto::v1;

use super::world::clock;

pub(super) const DOMAIN: &str = "hostile.example";

/// A directory, from its first epoch on.
pub(super) struct Registry {
    publisher: Publisher<MemoryRecords>,
    records: MemoryRecords,
    pub key: SignerKey,
    roots: Vec<SignedRoot>,
    /// What each epoch brought, and when: the same again makes the same directory.
    log: Vec<(u64, Vec<(Label, Entry)>)>,
    vrf: [u8; 32],
}

pub(super) fn label(handle: &str) -> Label {
    Label::of(DOMAIN, handle)
}

/// What an honest directory says about a chain.
pub(super) fn entry(links: &[SignedLink]) -> (Label, Entry) {
    let chain = Chain::verify(links).expect("a chain");
    (label(chain.handle()), Entry::of(&chain))
}

impl Registry {
    pub async fn new() -> Self {
        Self::with_keys([7; 32], [8; 32]).await
    }

    pub async fn with_keys(vrf: [u8; 32], signing: [u8; 32]) -> Self {
        let records = MemoryRecords::default();
        let publisher = Publisher::open(records.clone(), VrfKey::new(vrf), 1 << 20).await.expect("a tree");
        let key = SignerKey::first(SigningKey::from_bytes(&signing));
        let mut registry = Self { publisher, records, key, roots: Vec::new(), log: Vec::new(), vrf };
        registry.sign(clock()).await;
        registry
    }

    async fn sign(&mut self, time_ms: u64) {
        let (_, tree) = self.publisher.tree().await.expect("a tree");
        let epoch = self.roots.len() as u64;
        let place = match self.roots.last() {
            None => Root::FIRST,
            Some(last) => last.root.next(self.roots[skip_of(epoch) as usize].root.hash()),
        };
        let vrf = self.publisher.vrf_public();
        let root = Root { time_ms, tree, vrf, ..place };
        self.roots.push(SignedRoot::sign(DOMAIN, root, &self.key));
    }

    pub async fn publish(&mut self, entries: &[(Label, Entry)]) {
        self.publish_at(clock(), entries).await;
    }

    async fn publish_at(&mut self, time_ms: u64, entries: &[(Label, Entry)]) {
        self.log.push((time_ms, entries.to_vec()));
        let prepared = self.publisher.publish(entries.to_vec()).await.expect("published");
        let mut prepared = prepared.expect("something changed");
        self.records.apply(std::mem::take(&mut prepared.records));
        prepared.commit();
        self.sign(time_ms).await;
    }

    /// An epoch in which somebody else comes.
    pub async fn pass(&mut self, stranger: &str) {
        let account = zegel_proto::AccountId([3; 16]);
        let entry = Entry { account, len: 1, head: [4; 32], ended: false };
        self.publish(&[(label(stranger), entry)]).await;
    }

    /// The same directory as it stood at an epoch, to go on in another way.
    pub async fn as_of(&self, epoch: usize) -> Self {
        let mut other = Self::with_keys(self.vrf, self.key.secret().to_bytes()).await;
        let first = self.roots[0].root.clone();
        other.roots = vec![SignedRoot::sign(DOMAIN, first, &other.key)];
        for (time_ms, entries) in &self.log[..epoch] {
            other.publish_at(*time_ms, entries).await;
        }
        assert_eq!(other.roots[..=epoch], self.roots[..=epoch]);
        other
    }

    /// A tree without a past, under roots that go on as if nothing had happened.
    pub async fn rewrite(&mut self, entries: &[(Label, Entry)]) {
        let past = std::mem::take(&mut self.roots);
        let fresh = Self::with_keys(self.vrf, self.key.secret().to_bytes()).await;
        (self.publisher, self.records) = (fresh.publisher, fresh.records);
        for _ in 1..past.len() {
            self.pass_empty().await;
        }
        self.roots = past;
        self.publish(entries).await;
    }

    async fn pass_empty(&mut self) {
        let name = format!("filler{}", self.roots.len());
        self.pass(&name).await;
    }

    pub fn rotate(&mut self) {
        self.rotate_to([9; 32]);
    }

    pub fn rotate_to(&mut self, secret: [u8; 32]) {
        let next = SigningKey::from_bytes(&secret);
        let old = SignerKey::from_parts(self.key.links().to_vec(), self.key.secret().clone());
        self.key = old.expect("it fits").rotate(DOMAIN, next);
    }

    pub fn newest(&self) -> &SignedRoot {
        self.roots.last().expect("the first root")
    }

    /// The word that an entry will come.
    pub fn promise(&self, (label, entry): (Label, Entry)) -> SignedPromise {
        let by_epoch = self.newest().root.epoch + 2;
        Promise { label, entry, by_epoch, made_ms: clock() }.sign(DOMAIN, &self.key)
    }

    /// What the service says about a chain, with the directory as it is.
    pub async fn answer(&self, links: &[SignedLink], promise: Option<&SignedPromise>) -> v1::AccountAnswer {
        // Whatever follows the first link, true or not.
        let (label, Entry { account, .. }) = entry(&links[..1]);
        let looked = self.publisher.lookup(&label).await.expect("looked up");
        v1::AccountAnswer {
            account: account.to_field(),
            chain: links.iter().cloned().map(v1::SigchainEntry::from).collect(),
            root: Some(self.newest().into()),
            lookup: looked.map(|looked| looked.proof).unwrap_or_default().into(),
            promise: promise.map(v1::SignedPromise::from),
            ..Default::default()
        }
    }

    pub async fn entry_of(&self, label: &Label) -> Option<Entry> {
        self.publisher.entry(label).await.expect("looked up")
    }

    pub async fn history(&self, handle: &str, most_recent: u32) -> Option<v1::HistoryAnswer> {
        let most_recent = (most_recent > 0).then_some(most_recent as usize);
        let (_, proof) = self.publisher.history(&label(handle), most_recent).await.expect("looked up")?;
        Some(v1::HistoryAnswer { root: Some(self.newest().into()), history: proof.into() })
    }

    pub fn roots(&self, from: u64, to: Option<u64>) -> Option<v1::RootAnswer> {
        let from = if from == 0 { self.newest().root.epoch } else { from };
        let root = self.roots.get(from as usize)?;
        let path = to.map(|to| path_epochs(from, to)).unwrap_or_default();
        let body = |epoch: &u64| Some(self.roots.get(*epoch as usize)?.root.to_bytes().into());
        Some(v1::RootAnswer {
            root: Some(root.into()),
            path: path.iter().map(body).collect::<Option<_>>()?,
            signers: self.key.links().iter().map(v1::DirectorySigner::from).collect(),
            domain: DOMAIN.into(),
        })
    }
}
