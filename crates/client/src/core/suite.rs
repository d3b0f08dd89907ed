//! How every MLS group of ours is set up, and what each group context is held against.

use openmls::{
    component::{ComponentId, ComponentType, ComponentsList},
    prelude::{tls_codec::Serialize as _, *},
};
use zegel_proto::{AccountId, Address, DeviceId};

/// X25519 + ML-KEM-768, AES-128-GCM, SHA-256, Ed25519 (draft-ietf-mls-pq-ciphersuites).
pub(crate) const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519;
/// The leaf extension that holds the 16-byte address (private use range).
const ADDRESS_EXTENSION: u16 = 0xF0A1;
/// The component of the GroupContext's AppDataDictionary that holds the group facts (private use range).
const FACTS: ComponentId = 0x8001;
/// The SafeAAD item of the franking tag (draft-ietf-mimi-protocol).
pub(crate) const FRANK_AAD: ComponentId = 0x0020;
/// Messages are padded to a multiple of this, in bytes.
const PADDING: usize = 256;
/// The service keeps order and refuses messages of an older epoch, so no past epoch's secrets are kept.
const MAX_PAST_EPOCHS: usize = 0;
/// How far a sender's generation may run ahead (messages that were lost), and how many skipped keys are kept.
const OUT_OF_ORDER: u32 = 5;
const FORWARD: u32 = 2000;
const DAY: u64 = 86_400;

pub(crate) fn capabilities() -> Capabilities {
    Capabilities::new(
        Some(&[ProtocolVersion::Mls10]),
        Some(&[SUITE]),
        Some(&[
            ExtensionType::AppDataDictionary,
            ExtensionType::LastResort,
            ExtensionType::Unknown(ADDRESS_EXTENSION),
        ]),
        Some(&[]),
        Some(&[CredentialType::Basic]),
    )
}

pub(crate) fn leaf_extensions(address: &Address) -> Extensions<LeafNode> {
    Extensions::single(Extension::Unknown(ADDRESS_EXTENSION, UnknownExtension(address.0.to_vec())))
        .expect("an unknown extension is allowed in a leaf")
}

/// The address in a leaf, if it has a well-formed one.
pub(crate) fn address_of(leaf: &LeafNode) -> Option<Address> {
    Address::from_slice(&leaf.extensions().unknown(ADDRESS_EXTENSION)?.0).ok()
}

/// The credential of a device: account id and device id.
pub(crate) fn credential(account: &AccountId, device: &DeviceId) -> Credential {
    BasicCredential::new([account.0, device.0].concat()).into()
}

/// Who a credential names.
pub(crate) fn named_by(credential: &Credential) -> Option<(AccountId, DeviceId)> {
    let basic = BasicCredential::try_from(credential.clone()).ok()?;
    let (account, device) = basic.identity().split_at_checked(AccountId::LEN)?;
    Some((AccountId::from_slice(account).ok()?, DeviceId::from_slice(device).ok()?))
}

/// What every group's `safe_aad` component says: members must understand the franking tag.
fn safe_aad() -> Vec<u8> {
    ComponentsList::new(vec![FRANK_AAD]).tls_serialize_detached().expect("a list of one is short")
}

/// The extensions of a new group's context.
pub(crate) fn context_extensions(facts: &[u8]) -> Extensions<GroupContext> {
    let mut dictionary = AppDataDictionary::new();
    dictionary.insert(ComponentType::SafeAad.into(), safe_aad());
    dictionary.insert(FACTS, facts.to_vec());
    let required = RequiredCapabilitiesExtension::new(
        &[ExtensionType::AppDataDictionary, ExtensionType::Unknown(ADDRESS_EXTENSION)],
        &[],
        &[CredentialType::Basic],
    );
    Extensions::from_vec(vec![
        Extension::RequiredCapabilities(required),
        Extension::AppDataDictionary(AppDataDictionaryExtension::new(dictionary)),
    ])
    .expect("both are allowed in a group context")
}

/// Why a group context is refused.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub(crate) enum ContextProblem {
    #[error("the conversation does not use the post-quantum suite")]
    Suite,
    #[error("the conversation lets outsiders send into it")]
    ExternalSenders,
    #[error("the conversation does not bind franking tags")]
    NoFranking,
    #[error("the conversation has no readable facts")]
    NoFacts,
    #[error("the conversation's rules for members were changed")]
    Rules,
}

/// Holds a group context against the rules and returns the facts' bytes. Everything but the facts is fixed.
pub(crate) fn facts_of(context: &GroupContext) -> Result<&[u8], ContextProblem> {
    let extensions = context.extensions();
    if context.ciphersuite() != SUITE {
        return Err(ContextProblem::Suite);
    }
    if extensions.external_senders().is_some() {
        return Err(ContextProblem::ExternalSenders);
    }
    let dictionary = extensions.app_data_dictionary().ok_or(ContextProblem::NoFranking)?.dictionary();
    if dictionary.get(&ComponentType::SafeAad.into()) != Some(&safe_aad()) {
        return Err(ContextProblem::NoFranking);
    }
    let facts = dictionary.get(&FACTS).ok_or(ContextProblem::NoFacts)?;
    if extensions != &context_extensions(facts) {
        return Err(ContextProblem::Rules);
    }
    Ok(facts)
}

pub(crate) fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .padding_size(PADDING)
        .max_past_epochs(MAX_PAST_EPOCHS)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER, FORWARD))
        .use_ratchet_tree_extension(false)
        .build()
}

pub(crate) fn create_config(facts: &[u8], address: &Address, server_ms: u64) -> MlsGroupCreateConfig {
    MlsGroupCreateConfig::builder()
        .ciphersuite(SUITE)
        .capabilities(capabilities())
        .with_leaf_node_extensions(leaf_extensions(address))
        .expect("the capability for the address extension is listed")
        .with_group_context_extensions(context_extensions(facts))
        .lifetime(lifetime(server_ms))
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .padding_size(PADDING)
        .max_past_epochs(MAX_PAST_EPOCHS)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(OUT_OF_ORDER, FORWARD))
        .use_ratchet_tree_extension(false)
        .build()
}

/// Valid from 28 days before to 56 days after server time, so that a wrong device clock stops nobody.
pub(crate) fn lifetime(server_ms: u64) -> Lifetime {
    let now = server_ms / 1000;
    Lifetime::init(now.saturating_sub(28 * DAY), now + 56 * DAY)
}

#[cfg(test)]
mod tests {
    use openmls_basic_credential::SignatureKeyPair;
    use openmls_rust_crypto::OpenMlsRustCrypto;

    use super::*;

    /// What is wrong with the context of a group that was made with these extensions and suite.
    fn problem(extensions: Extensions<GroupContext>, suite: Ciphersuite) -> Option<ContextProblem> {
        let provider = OpenMlsRustCrypto::default();
        let signer = SignatureKeyPair::new(suite.signature_algorithm()).expect("keys");
        let credential = CredentialWithKey {
            credential: credential(&AccountId([1; 16]), &DeviceId([2; 16])),
            signature_key: signer.public().into(),
        };
        let able = Capabilities::new(
            None,
            Some(&[suite]),
            Some(&[ExtensionType::AppDataDictionary, ExtensionType::Unknown(ADDRESS_EXTENSION)]),
            None,
            None,
        );
        let config = MlsGroupCreateConfig::builder()
            .ciphersuite(suite)
            .capabilities(able)
            .with_leaf_node_extensions(leaf_extensions(&Address([3; 16])))
            .expect("listed")
            .with_group_context_extensions(extensions)
            .build();
        let group = MlsGroup::new(&provider, &signer, &config, credential).expect("a group");
        facts_of(group.public_group().group_context()).err()
    }

    fn dictionary(entries: &[(ComponentId, Vec<u8>)]) -> Extension {
        let mut dictionary = AppDataDictionary::new();
        for (id, data) in entries {
            dictionary.insert(*id, data.clone());
        }
        Extension::AppDataDictionary(AppDataDictionaryExtension::new(dictionary))
    }

    #[test]
    fn a_context_is_held_against_each_rule() {
        let good = || context_extensions(b"facts");
        assert_eq!(problem(good(), SUITE), None);
        let weak = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
        assert_eq!(problem(good(), weak), Some(ContextProblem::Suite));

        let mut outsiders = good();
        outsiders.add_or_replace(Extension::ExternalSenders(vec![])).expect("allowed");
        assert_eq!(problem(outsiders, SUITE), Some(ContextProblem::ExternalSenders));

        let mut unbound = good();
        unbound.add_or_replace(dictionary(&[(FACTS, b"facts".to_vec())])).expect("allowed");
        assert_eq!(problem(unbound, SUITE), Some(ContextProblem::NoFranking));

        let mut empty = good();
        empty.add_or_replace(dictionary(&[(ComponentType::SafeAad.into(), safe_aad())])).expect("allowed");
        assert_eq!(problem(empty, SUITE), Some(ContextProblem::NoFacts));

        let mut loose = good();
        loose.remove(ExtensionType::RequiredCapabilities);
        assert_eq!(problem(loose, SUITE), Some(ContextProblem::Rules));
    }
}
