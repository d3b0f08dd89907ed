//! The operator's own tree, made with `akd` itself: a sound one, or one in which nothing is ever struck out, and
//! proofs that our own publisher would never make.

use std::collections::HashMap;

use akd::{
    AkdLabel, AkdValue, Azks, AzksElement, AzksParallelismConfig, AzksValue, Directory, EpochHash,
    HistoryParams, HistoryProof, LookupProof, MembershipProof, NodeLabel, NonMembershipProof, UpdateProof,
    VersionFreshness, WhatsAppV1Configuration,
    append_only_zks::DEFAULT_AZKS_KEY,
    configuration::Configuration,
    ecvrf::{VRFKeyStorage, VRFPrivateKey, VRFPublicKey, VrfError},
    storage::{StorageManager, memory::AsyncInMemoryDatabase, types::DbRecord},
};
use akd_core::{proto::specs::types, utils::get_marker_versions};
use async_trait::async_trait;
use protobuf::Message as _;
use zegel_directory::{Entry, Label};

use crate::drill::Verdict;

type Hashing = WhatsAppV1Configuration;
type Kept = AsyncInMemoryDatabase;

/// The key that places entries in the tree.
#[derive(Clone)]
struct Placing {
    secret: [u8; 32],
    strikes: bool,
}

#[async_trait]
impl VRFKeyStorage for Placing {
    async fn retrieve(&self) -> Result<Vec<u8>, VrfError> {
        Ok(self.secret.to_vec())
    }

    /// Asked only when an epoch is made; for proofs `akd` asks label by label.
    async fn get_node_labels<TC: Configuration>(
        &self,
        labels: &[(AkdLabel, VersionFreshness, u64, AkdValue)],
    ) -> Result<Vec<((AkdLabel, VersionFreshness, u64, AkdValue), NodeLabel)>, VrfError> {
        let mut placed = Vec::with_capacity(labels.len());
        for it in labels {
            // What strikes an entry out goes where nobody ever looks.
            let version =
                if it.1 == VersionFreshness::Fresh || self.strikes { it.2 } else { u64::MAX - it.2 };
            placed.push((it.clone(), self.get_node_label::<TC>(&it.0, it.1, version).await?));
        }
        Ok(placed)
    }
}

/// An epoch that was made.
pub struct Made {
    /// Its number.
    pub epoch: u64,
    /// Root hash of the tree.
    pub tree: [u8; 32],
    /// That it only added to the tree before.
    pub proof: Vec<u8>,
}

/// See the module.
pub struct Tree {
    storage: StorageManager<Kept>,
    directory: Directory<Hashing, Kept, Placing>,
    placing: Placing,
    /// All entries of each label, oldest first, with the epoch in which each came.
    entries: HashMap<Label, Vec<(u64, Entry)>>,
}

fn akd_label(label: &Label) -> AkdLabel {
    AkdLabel(label.0.to_vec())
}

impl Tree {
    /// An empty one. `strikes`: whether an entry that is replaced is struck out, as it must be.
    pub async fn new(vrf: [u8; 32], strikes: bool) -> Verdict<Self> {
        let placing = Placing { secret: vrf, strikes };
        let storage = StorageManager::new_no_cache(Kept::new());
        let directory =
            Directory::new(storage.clone(), placing.clone(), AzksParallelismConfig::default()).await?;
        Ok(Self { storage, directory, placing, entries: HashMap::new() })
    }

    /// Public key of what places entries.
    pub fn vrf(&self) -> Verdict<[u8; 32]> {
        let secret = VRFPrivateKey::try_from(&self.placing.secret[..])?;
        Ok(VRFPublicKey::from(&secret).to_bytes())
    }

    /// Its epoch and root hash.
    pub async fn now(&self) -> Verdict<(u64, [u8; 32])> {
        let EpochHash(epoch, hash) = self.directory.get_epoch_hash().await?;
        Ok((epoch, hash))
    }

    /// Makes an epoch with an entry; `None` if it is there already.
    pub async fn publish(&mut self, label: Label, entry: Entry) -> Verdict<Option<Made>> {
        if self.entries.get(&label).and_then(|all| all.last()).is_some_and(|(_, last)| *last == entry) {
            return Ok(None);
        }
        let update = (akd_label(&label), AkdValue(entry.to_bytes()));
        let EpochHash(epoch, tree) = self.directory.publish(vec![update]).await?;
        self.entries.entry(label).or_default().push((epoch, entry));
        let audit = self.directory.audit(epoch - 1, epoch).await?;
        let proof = audit.proofs.first().ok_or("an audit without a proof")?;
        Ok(Some(Made { epoch, tree, proof: types::SingleAppendOnlyProof::from(proof).write_to_bytes()? }))
    }

    /// The honest proof of the newest entries of a label; `None` if it has none.
    pub async fn history(&self, label: &Label, most_recent: Option<usize>) -> Verdict<Option<Vec<u8>>> {
        if !self.entries.contains_key(label) {
            return Ok(None);
        }
        let params = most_recent.map_or(HistoryParams::Complete, HistoryParams::MostRecent);
        let (proof, _) = self.directory.key_history(&akd_label(label), params).await?;
        Ok(Some(types::HistoryProof::from(&proof).write_to_bytes()?))
    }

    /// `akd`'s lookup proof of any version of a label, which holds where that version was not struck out.
    pub async fn short(&self, label: &Label, version: u64) -> Verdict<Vec<u8>> {
        let update = self.update(label, version).await?;
        let (epoch, tree) = self.now().await?;
        let stale = VersionFreshness::Stale;
        let (freshness_vrf_proof, freshness_proof) = self.absent(label, stale, version).await?;
        // Versions 1 and 2 are their own markers.
        let proof = LookupProof {
            epoch: update.epoch,
            value: update.value,
            version,
            existence_vrf_proof: update.existence_vrf_proof.clone(),
            existence_proof: update.existence_proof.clone(),
            marker_vrf_proof: update.existence_vrf_proof,
            marker_proof: update.existence_proof,
            freshness_vrf_proof,
            freshness_proof,
            commitment_nonce: update.commitment_nonce,
        };
        let (vrf, taken) = (self.vrf()?, proof.clone());
        akd::client::lookup_verify::<Hashing>(&vrf, tree, epoch, akd_label(label), taken)?;
        Ok(types::LookupProof::from(&proof).write_to_bytes()?)
    }

    /// A history that ends with the first version of a label that has two: the second is "proven" absent by the root of
    /// the tree, which is above every leaf; `akd` takes that.
    pub async fn first_only(&self, label: &Label) -> Verdict<Vec<u8>> {
        let (epoch, tree) = self.now().await?;
        let (_, future) = get_marker_versions(1, 1, epoch);
        let mut proof = HistoryProof {
            update_proofs: vec![self.update(label, 1).await?],
            past_marker_vrf_proofs: Vec::new(),
            existence_of_past_marker_proofs: Vec::new(),
            future_marker_vrf_proofs: Vec::new(),
            non_existence_of_future_marker_proofs: Vec::new(),
        };
        for version in future {
            let (vrf, mut absent) = self.absent(label, VersionFreshness::Fresh, version).await?;
            if version == 2 {
                absent = self.hidden(absent.label, tree).await?;
            }
            proof.future_marker_vrf_proofs.push(vrf);
            proof.non_existence_of_future_marker_proofs.push(absent);
        }
        let params = akd::HistoryVerificationParams::Default { history_params: HistoryParams::MostRecent(1) };
        let (vrf, taken) = (self.vrf()?, proof.clone());
        akd::client::key_history_verify::<Hashing>(&vrf, tree, epoch, akd_label(label), taken, params)?;
        Ok(types::HistoryProof::from(&proof).write_to_bytes()?)
    }

    async fn azks(&self) -> Verdict<Azks> {
        match self.storage.get::<Azks>(&DEFAULT_AZKS_KEY).await? {
            DbRecord::Azks(azks) => Ok(azks),
            _ => Err("a tree without a head".into()),
        }
    }

    async fn there(&self, place: NodeLabel) -> Verdict<MembershipProof> {
        Ok(self.azks().await?.get_membership_proof::<Hashing, _>(&self.storage, place).await?)
    }

    /// That a version was put in, and says nothing of what came before.
    async fn update(&self, label: &Label, version: u64) -> Verdict<UpdateProof> {
        let at = self.entries.get(label).and_then(|all| all.get(version as usize - 1));
        let (epoch, entry) = at.ok_or("no such version")?;
        let (name, value) = (akd_label(label), AkdValue(entry.to_bytes()));
        let vrf = self.placing.get_label_proof::<Hashing>(&name, VersionFreshness::Fresh, version).await?;
        let place = self.placing.get_node_label_from_vrf_proof(vrf).await;
        let nonce =
            Hashing::get_commitment_nonce(&Hashing::hash(&self.placing.secret), &place, version, &value);
        Ok(UpdateProof {
            epoch: *epoch,
            value,
            version,
            existence_vrf_proof: vrf.to_bytes().to_vec(),
            existence_proof: self.there(place).await?,
            previous_version_vrf_proof: None,
            previous_version_proof: None,
            commitment_nonce: nonce.to_vec(),
        })
    }

    async fn absent(
        &self,
        label: &Label,
        freshness: VersionFreshness,
        version: u64,
    ) -> Verdict<(Vec<u8>, NonMembershipProof)> {
        let vrf = self.placing.get_label_proof::<Hashing>(&akd_label(label), freshness, version).await?;
        let place = self.placing.get_node_label_from_vrf_proof(vrf).await;
        let absent = self.azks().await?.get_non_membership_proof::<Hashing, _>(&self.storage, place).await?;
        Ok((vrf.to_bytes().to_vec(), absent))
    }

    /// Says that a leaf is absent that is there.
    async fn hidden(&self, label: NodeLabel, tree: [u8; 32]) -> Verdict<NonMembershipProof> {
        let path = self.there(label).await?;
        let other = path.sibling_proofs.first().ok_or("a tree with one leaf")?;
        let (mine, siblings) = (below_root(&path), other.siblings[0]);
        let longest_prefix_children = match other.direction {
            akd::Direction::Left => [mine, siblings],
            akd::Direction::Right => [siblings, mine],
        };
        let [left, right] = &longest_prefix_children;
        let hash_val = Hashing::compute_parent_hash_from_children(
            &left.value,
            &left.label.value::<Hashing>(),
            &right.value,
            &right.label.value::<Hashing>(),
        );
        if Hashing::compute_root_hash_from_val(&hash_val) != tree {
            return Err("the root of the tree is another one".into());
        }
        let root = NodeLabel::root();
        let above = MembershipProof { label: root, hash_val, sibling_proofs: Vec::new() };
        Ok(NonMembershipProof {
            label,
            longest_prefix: root,
            longest_prefix_children,
            longest_prefix_membership_proof: above,
        })
    }
}

/// The child of the root on the way to a leaf.
fn below_root(path: &MembershipProof) -> AzksElement {
    let (mut label, mut value): (NodeLabel, AzksValue) = (path.label, path.hash_val);
    for layer in path.sibling_proofs.iter().skip(1).rev() {
        let sibling = layer.siblings[0];
        let (mine, other) = ((value, label), (sibling.value, sibling.label));
        let (left, right) = match layer.direction {
            akd::Direction::Left => (mine, other),
            akd::Direction::Right => (other, mine),
        };
        value = Hashing::compute_parent_hash_from_children(
            &left.0,
            &left.1.value::<Hashing>(),
            &right.0,
            &right.1.value::<Hashing>(),
        );
        label = layer.label;
    }
    AzksElement { label, value }
}
