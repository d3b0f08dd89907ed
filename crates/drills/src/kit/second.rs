//! A second directory of the operator's, and a proxy that shows it.

use std::{collections::HashMap, sync::Arc};

use futures_util::future::BoxFuture;
use tokio::sync::{Mutex, MutexGuard};
use zegel_directory::{Entry, Label, Root, SignedRoot, path_epochs, skip_of};
use zegel_identity::{Chain, SignedLink};
use zegel_proto::{
    AccountId, DeviceId,
    v1::{self, client_frame as ask, server_frame as tell},
};

use super::{
    Frame, Operator, Stage,
    operator::now_ms,
    proxy::{Passing, Rule, pass},
    stage::Spoilt,
    tree::Tree,
};
use crate::drill::{Failure, Verdict};

/// A whole second directory.
pub struct Second {
    operator: Operator,
    tree: Tree,
    /// Its roots, by epoch.
    pub roots: Vec<SignedRoot>,
    /// Proofs that each epoch only added, from epoch 1 on.
    pub proofs: Vec<Vec<u8>>,
    /// Handles about which it lies: whose chain it gives out.
    pub lies: HashMap<String, Vec<SignedLink>>,
    /// Handles that it leaves out, and only promises.
    pub omitted: Vec<String>,
    /// Accounts whose key packages are replaced.
    pub packages: HashMap<AccountId, Vec<v1::DeviceKeyPackage>>,
    /// Who is shown the first of two versions, if somebody is.
    pub versions: Option<Versions>,
    /// How many answers it gave.
    pub answers: usize,
}

/// Two versions of a handle's entry under one root: its owner's device is shown the first, the others the second.
pub struct Versions {
    /// Which handle.
    pub handle: String,
    /// Its owner's device.
    pub owner: DeviceId,
    /// Whether the proofs are `akd`'s short ones.
    pub short: bool,
    /// How often each was shown: the first, the second.
    pub shown: [usize; 2],
}

impl Second {
    /// An empty directory, signed by this operator.
    pub async fn new(operator: Operator) -> Verdict<Self> {
        Self::with(operator, true).await
    }

    /// The same; `strikes`: whether an entry that is replaced is struck out.
    pub async fn with(operator: Operator, strikes: bool) -> Verdict<Self> {
        let tree = Tree::new(operator.vrf, strikes).await?;
        let ((_, hash), vrf) = (tree.now().await?, tree.vrf()?);
        let root = Root { time_ms: now_ms(), tree: hash, vrf, ..Root::FIRST };
        let roots = vec![operator.sign(root)?];
        Ok(Self {
            operator,
            tree,
            roots,
            proofs: Vec::new(),
            lies: HashMap::new(),
            omitted: Vec::new(),
            packages: HashMap::new(),
            versions: None,
            answers: 0,
        })
    }

    /// Its newest root.
    pub fn newest(&self) -> &SignedRoot {
        self.roots.last().expect("there is epoch 0")
    }

    /// Publishes an entry.
    pub async fn publish(&mut self, label: Label, entry: Entry) -> Verdict<()> {
        let Some(made) = self.tree.publish(label, entry).await? else { return Ok(()) };
        let newest = self.roots.last().expect("there is epoch 0");
        let skip = self.roots.get(skip_of(made.epoch) as usize).ok_or("a root is missing")?;
        let root = Root {
            time_ms: now_ms(),
            tree: made.tree,
            vrf: self.tree.vrf()?,
            ..newest.root.next(skip.root.hash())
        };
        let signed = self.operator.sign(root)?;
        self.proofs.push(made.proof);
        self.roots.push(signed);
        Ok(())
    }

    /// Publishes entries about nobody until this epoch is there.
    pub async fn grow_to(&mut self, epoch: u64) -> Verdict<()> {
        while self.newest().root.epoch < epoch {
            let account = AccountId::random();
            let label = Label::of(&self.operator.domain, &account.to_hex());
            let entry = Entry { account, len: 1, head: [1; 32], ended: false };
            self.publish(label, entry).await?;
        }
        Ok(())
    }

    /// What it says about a handle, in place of what the first directory says (`honest`), if that knows it.
    async fn account(
        &mut self,
        handle: &str,
        honest: Option<&v1::AccountAnswer>,
        asks: Option<DeviceId>,
    ) -> Verdict<v1::AccountAnswer> {
        let owner = self.versions.as_ref().filter(|of| of.handle == handle).map(|of| Some(of.owner) == asks);
        let lies = self.lies.get(handle).filter(|_| owner != Some(true)).cloned();
        let honest = || honest.iter().flat_map(|answer| answer.chain.iter().cloned()).map(SignedLink::from);
        let links = lies.unwrap_or_else(|| honest().collect());
        let chain = Chain::verify(&links)?;
        let label = Label::of(&self.operator.domain, handle);
        let mut promise = None;
        if self.omitted.iter().any(|omitted| omitted == handle) {
            let by_epoch = self.newest().root.epoch + 2;
            promise = Some((&self.operator.promise(handle, &chain, by_epoch)?).into());
        } else if owner.is_none() {
            self.publish(label, Entry::of(&chain)).await?;
        }
        let proof = match owner {
            None => self.tree.history(&label, Some(1)).await?,
            Some(owner) => Some(self.version(&label, if owner { 1 } else { 2 }).await?),
        };
        Ok(v1::AccountAnswer {
            account: chain.account().to_field(),
            handle: handle.into(),
            chain: links.into_iter().map(Into::into).collect(),
            root: Some(self.newest().into()),
            lookup: proof.unwrap_or_default().into(),
            promise,
        })
    }

    /// The handle under which it shows this account, which the first directory does not know.
    fn ghost(&self, account: &[u8]) -> Option<String> {
        let is =
            |links: &Vec<SignedLink>| Chain::verify(links).is_ok_and(|chain| chain.account().0 == account);
        self.lies.iter().find(|(_, links)| is(links)).map(|(handle, _)| handle.clone())
    }

    /// A proof that this version of a label is its newest.
    async fn version(&mut self, label: &Label, version: u64) -> Verdict<Vec<u8>> {
        let of = self.versions.as_mut().ok_or("there is one version only")?;
        of.shown[version as usize - 1] += 1;
        Ok(match (of.short, version) {
            (true, version) => self.tree.short(label, version).await?,
            (false, 1) => self.tree.first_only(label).await?,
            (false, _) => self.tree.history(label, Some(1)).await?.ok_or("no such handle")?,
        })
    }

    /// What it says of an epoch's root.
    pub fn at(&self, epoch: u64) -> Option<v1::RootAnswer> {
        self.root(self.roots.get(usize::try_from(epoch).ok()?)?, None)
    }

    fn roots(&self, fetch: &v1::FetchRoot) -> Option<v1::RootAnswer> {
        let from = if fetch.from == 0 {
            self.newest()
        } else {
            self.roots.get(usize::try_from(fetch.from).ok()?)?
        };
        self.root(from, fetch.to)
    }

    fn root(&self, from: &SignedRoot, to: Option<u64>) -> Option<v1::RootAnswer> {
        let path = to.map(|to| path_epochs(from.root.epoch, to)).unwrap_or_default();
        let path = path.into_iter().map(|epoch| Some(self.roots.get(epoch as usize)?.root.to_bytes().into()));
        Some(v1::RootAnswer {
            domain: self.operator.domain.clone(),
            root: Some(from.into()),
            path: path.collect::<Option<_>>()?,
            signers: self.operator.signers(),
        })
    }

    async fn history(&self, fetch: &v1::FetchHistory) -> Verdict<v1::HistoryAnswer> {
        let label = Label::of(&self.operator.domain, &fetch.handle);
        let most_recent = (fetch.most_recent > 0).then_some(fetch.most_recent as usize);
        let found = self.tree.history(&label, most_recent).await?;
        let history = found.ok_or("the second directory has no such handle")?;
        Ok(v1::HistoryAnswer { root: Some(self.newest().into()), history: history.into() })
    }

    /// The answer of the second directory in place of the first's.
    async fn instead(&mut self, passing: &Passing) -> Verdict<Option<tell::Body>> {
        Ok(match (&passing.asked, passing.frame.told()) {
            (Some(ask::Body::FetchAccount(_)), Some(tell::Body::Account(answer))) => {
                let said = self.account(&answer.handle, Some(answer), passing.device).await?;
                Some(tell::Body::Account(said))
            }
            (Some(ask::Body::FetchAccount(fetch)), _) => match self.ghost(&fetch.account) {
                Some(handle) => Some(tell::Body::Account(self.account(&handle, None, passing.device).await?)),
                None => None,
            },
            (Some(ask::Body::FetchRoot(fetch)), _) => self.roots(fetch).map(tell::Body::Root),
            (Some(ask::Body::FetchHistory(fetch)), _) => {
                Some(tell::Body::History(self.history(fetch).await?))
            }
            (Some(ask::Body::FetchKeyPackages(fetch)), Some(_)) if !self.packages.is_empty() => {
                let ids = fetch.accounts.iter().filter_map(|id| AccountId::from_slice(id).ok());
                let theirs: Vec<_> = ids.filter_map(|id| self.packages.get(&id)).flatten().cloned().collect();
                let answer = v1::KeyPackagesAnswer { packages: theirs };
                (!answer.packages.is_empty()).then_some(tell::Body::KeyPackages(answer))
            }
            _ => None,
        })
    }
}

/// A second directory that a proxy shows in place of the first. Where it fails, the drill that shows it was not
/// carried out ([`Spoilt`]), and the first is not shown either.
#[derive(Clone)]
pub struct Shown {
    second: Arc<Mutex<Second>>,
    spoilt: Spoilt,
}

impl Shown {
    /// See [`Second`].
    pub fn new(stage: &Stage, second: Second) -> Self {
        Self { second: Arc::new(Mutex::new(second)), spoilt: stage.spoilt() }
    }

    /// To change it, or to see how often it answered.
    pub async fn lock(&self) -> MutexGuard<'_, Second> {
        self.second.lock().await
    }
}

impl Rule for Shown {
    fn passes(&mut self, passing: Passing) -> BoxFuture<'_, Vec<Frame>> {
        Box::pin(async move {
            let mut second = self.second.lock().await;
            match second.instead(&passing).await {
                Ok(Some(body)) => {
                    second.answers += 1;
                    vec![passing.answer(body)]
                }
                Ok(None) => pass(passing),
                Err(failure) => {
                    let (Failure::Succeeded(why) | Failure::NotRun(why)) = failure;
                    self.spoilt.note(format!("the second directory: {why}"));
                    Vec::new()
                }
            }
        })
    }
}
