//! openmls's storage trait over the rows of [`MlsStore`].

use openmls_traits::storage::{CURRENT_VERSION, StorageProvider, traits};

use super::{
    Kind, MlsStore, StoreError,
    codec::{self, key},
};

/// One value per key: its writer, reader and deleter. The type parameters are listed in the trait's order.
macro_rules! value {
    ($kind:ident, $key:ident => $value:ident:
     $write:ident<$($w:ident),+>, $read:ident<$($r:ident),+>, $delete:ident<$($d:ident),+>) => {
        fn $write<$($w: traits::$w<CURRENT_VERSION>),+>(&self, id: &$key, value: &$value) -> Result<(), StoreError> {
            self.put(Kind::$kind, &key(Kind::$kind, id)?, value)
        }
        fn $read<$($r: traits::$r<CURRENT_VERSION>),+>(&self, id: &$key) -> Result<Option<$value>, StoreError> {
            self.get(Kind::$kind, &key(Kind::$kind, id)?)
        }
        fn $delete<$($d: traits::$d<CURRENT_VERSION>),+>(&self, id: &$key) -> Result<(), StoreError> {
            self.delete(Kind::$kind, &key(Kind::$kind, id)?)
        }
    };
}

impl StorageProvider<CURRENT_VERSION> for MlsStore<'_> {
    type Error = StoreError;

    value!(JoinConfig, GroupId => MlsGroupJoinConfig:
        write_mls_join_config<GroupId, MlsGroupJoinConfig>,
        mls_group_join_config<GroupId, MlsGroupJoinConfig>, delete_group_config<GroupId>);
    value!(Tree, GroupId => TreeSync:
        write_tree<GroupId, TreeSync>, tree<GroupId, TreeSync>, delete_tree<GroupId>);
    value!(GroupContext, GroupId => GroupContext:
        write_context<GroupId, GroupContext>, group_context<GroupId, GroupContext>, delete_context<GroupId>);
    value!(InterimTranscriptHash, GroupId => InterimTranscriptHash:
        write_interim_transcript_hash<GroupId, InterimTranscriptHash>,
        interim_transcript_hash<GroupId, InterimTranscriptHash>, delete_interim_transcript_hash<GroupId>);
    value!(ConfirmationTag, GroupId => ConfirmationTag:
        write_confirmation_tag<GroupId, ConfirmationTag>,
        confirmation_tag<GroupId, ConfirmationTag>, delete_confirmation_tag<GroupId>);
    value!(ResumptionPsks, GroupId => ResumptionPskStore:
        write_resumption_psk_store<GroupId, ResumptionPskStore>,
        resumption_psk_store<GroupId, ResumptionPskStore>, delete_all_resumption_psk_secrets<GroupId>);
    value!(OwnLeafIndex, GroupId => LeafNodeIndex:
        write_own_leaf_index<GroupId, LeafNodeIndex>,
        own_leaf_index<GroupId, LeafNodeIndex>, delete_own_leaf_index<GroupId>);
    value!(EpochSecrets, GroupId => GroupEpochSecrets:
        write_group_epoch_secrets<GroupId, GroupEpochSecrets>,
        group_epoch_secrets<GroupId, GroupEpochSecrets>, delete_group_epoch_secrets<GroupId>);
    value!(ExportTree, GroupId => ApplicationExportTree:
        write_application_export_tree<GroupId, ApplicationExportTree>,
        application_export_tree<GroupId, ApplicationExportTree>, delete_application_export_tree<GroupId, ApplicationExportTree>);
    value!(SignatureKeyPair, SignaturePublicKey => SignatureKeyPair:
        write_signature_key_pair<SignaturePublicKey, SignatureKeyPair>,
        signature_key_pair<SignaturePublicKey, SignatureKeyPair>, delete_signature_key_pair<SignaturePublicKey>);
    value!(EncryptionKeyPair, EncryptionKey => HpkeKeyPair:
        write_encryption_key_pair<EncryptionKey, HpkeKeyPair>,
        encryption_key_pair<HpkeKeyPair, EncryptionKey>, delete_encryption_key_pair<EncryptionKey>);
    value!(KeyPackage, HashReference => KeyPackage:
        write_key_package<HashReference, KeyPackage>,
        key_package<HashReference, KeyPackage>, delete_key_package<HashReference>);
    value!(Psk, PskId => PskBundle:
        write_psk<PskId, PskBundle>, psk<PskBundle, PskId>, delete_psk<PskId>);

    // The group's state goes with the group, and so must every key pair: `MlsGroup::delete` names only those of
    // the current epoch, and leaves the ones before it behind when we were removed.

    fn write_group_state<
        GroupState: traits::GroupState<CURRENT_VERSION>,
        GroupId: traits::GroupId<CURRENT_VERSION>,
    >(
        &self,
        id: &GroupId,
        value: &GroupState,
    ) -> Result<(), StoreError> {
        self.put(Kind::GroupState, &key(Kind::GroupState, id)?, value)
    }
    fn group_state<
        GroupState: traits::GroupState<CURRENT_VERSION>,
        GroupId: traits::GroupId<CURRENT_VERSION>,
    >(
        &self,
        id: &GroupId,
    ) -> Result<Option<GroupState>, StoreError> {
        self.get(Kind::GroupState, &key(Kind::GroupState, id)?)
    }
    fn delete_group_state<GroupId: traits::GroupId<CURRENT_VERSION>>(
        &self,
        id: &GroupId,
    ) -> Result<(), StoreError> {
        let id = key(Kind::GroupState, id)?;
        self.delete_under(Kind::EpochKeyPairs, &id)?;
        self.delete(Kind::GroupState, &id)
    }

    // Message secrets may be deferred.

    fn write_message_secrets<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        MessageSecrets: traits::MessageSecrets<CURRENT_VERSION>,
    >(
        &self,
        id: &GroupId,
        value: &MessageSecrets,
    ) -> Result<(), StoreError> {
        let key = key(Kind::MessageSecrets, id)?;
        if !self.defer(&key) {
            self.put(Kind::MessageSecrets, &key, value)?;
            self.settled(&key);
        }
        Ok(())
    }
    fn message_secrets<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        MessageSecrets: traits::MessageSecrets<CURRENT_VERSION>,
    >(
        &self,
        id: &GroupId,
    ) -> Result<Option<MessageSecrets>, StoreError> {
        let key = key(Kind::MessageSecrets, id)?;
        if self.is_settled(&key) { self.get(Kind::MessageSecrets, &key) } else { Err(StoreError::Unsettled) }
    }
    fn delete_message_secrets<GroupId: traits::GroupId<CURRENT_VERSION>>(
        &self,
        id: &GroupId,
    ) -> Result<(), StoreError> {
        let key = key(Kind::MessageSecrets, id)?;
        self.delete(Kind::MessageSecrets, &key)?;
        self.settled(&key);
        Ok(())
    }

    // Key pairs of an epoch: one value, the whole list, by group, epoch and leaf.

    fn write_encryption_epoch_key_pairs<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        EpochKey: traits::EpochKey<CURRENT_VERSION>,
        HpkeKeyPair: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
        key_pairs: &[HpkeKeyPair],
    ) -> Result<(), StoreError> {
        self.put(Kind::EpochKeyPairs, &key(Kind::EpochKeyPairs, &(id, epoch, leaf_index))?, key_pairs)
    }
    fn encryption_epoch_key_pairs<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        EpochKey: traits::EpochKey<CURRENT_VERSION>,
        HpkeKeyPair: traits::HpkeKeyPair<CURRENT_VERSION>,
    >(
        &self,
        id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
    ) -> Result<Vec<HpkeKeyPair>, StoreError> {
        let found = self.get(Kind::EpochKeyPairs, &key(Kind::EpochKeyPairs, &(id, epoch, leaf_index))?)?;
        Ok(found.unwrap_or_default())
    }
    fn delete_encryption_epoch_key_pairs<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        EpochKey: traits::EpochKey<CURRENT_VERSION>,
    >(
        &self,
        id: &GroupId,
        epoch: &EpochKey,
        leaf_index: u32,
    ) -> Result<(), StoreError> {
        self.delete(Kind::EpochKeyPairs, &key(Kind::EpochKeyPairs, &(id, epoch, leaf_index))?)
    }

    // Lists: own leaf nodes, and proposals by their reference.

    fn append_own_leaf_node<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        LeafNode: traits::LeafNode<CURRENT_VERSION>,
    >(
        &self,
        id: &GroupId,
        leaf_node: &LeafNode,
    ) -> Result<(), StoreError> {
        self.append(Kind::OwnLeafNodes, &key(Kind::OwnLeafNodes, id)?, &[], leaf_node)
    }
    fn own_leaf_nodes<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        LeafNode: traits::LeafNode<CURRENT_VERSION>,
    >(
        &self,
        id: &GroupId,
    ) -> Result<Vec<LeafNode>, StoreError> {
        self.list(Kind::OwnLeafNodes, &key(Kind::OwnLeafNodes, id)?, |_, leaf| codec::decode(leaf))
    }
    fn delete_own_leaf_nodes<GroupId: traits::GroupId<CURRENT_VERSION>>(
        &self,
        id: &GroupId,
    ) -> Result<(), StoreError> {
        self.delete_list(Kind::OwnLeafNodes, &key(Kind::OwnLeafNodes, id)?)
    }

    fn queue_proposal<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ProposalRef: traits::ProposalRef<CURRENT_VERSION>,
        QueuedProposal: traits::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        id: &GroupId,
        proposal_ref: &ProposalRef,
        proposal: &QueuedProposal,
    ) -> Result<(), StoreError> {
        let (list, item) = (key(Kind::Proposals, id)?, key(Kind::Proposals, proposal_ref)?);
        self.delete_item(Kind::Proposals, &list, &item)?;
        self.append(Kind::Proposals, &list, &item, proposal)
    }
    fn queued_proposal_refs<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ProposalRef: traits::ProposalRef<CURRENT_VERSION>,
    >(
        &self,
        id: &GroupId,
    ) -> Result<Vec<ProposalRef>, StoreError> {
        self.list(Kind::Proposals, &key(Kind::Proposals, id)?, |item, _| codec::decode(item))
    }
    fn queued_proposals<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ProposalRef: traits::ProposalRef<CURRENT_VERSION>,
        QueuedProposal: traits::QueuedProposal<CURRENT_VERSION>,
    >(
        &self,
        id: &GroupId,
    ) -> Result<Vec<(ProposalRef, QueuedProposal)>, StoreError> {
        let list = key(Kind::Proposals, id)?;
        self.list(Kind::Proposals, &list, |item, value| Ok((codec::decode(item)?, codec::decode(value)?)))
    }
    fn remove_proposal<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ProposalRef: traits::ProposalRef<CURRENT_VERSION>,
    >(
        &self,
        id: &GroupId,
        proposal_ref: &ProposalRef,
    ) -> Result<(), StoreError> {
        let (list, item) = (key(Kind::Proposals, id)?, key(Kind::Proposals, proposal_ref)?);
        self.delete_item(Kind::Proposals, &list, &item)
    }
    fn clear_proposal_queue<
        GroupId: traits::GroupId<CURRENT_VERSION>,
        ProposalRef: traits::ProposalRef<CURRENT_VERSION>,
    >(
        &self,
        id: &GroupId,
    ) -> Result<(), StoreError> {
        self.delete_list(Kind::Proposals, &key(Kind::Proposals, id)?)
    }
}
