//! MLS without our rules: what an attacker makes with the same library.

use ed25519_dalek::Signer as _;
use openmls::prelude::{
    tls_codec::{DeserializeBytes as _, Serialize as _},
    *,
};
use openmls_rust_crypto::OpenMlsRustCrypto;
use openmls_traits::{
    signatures::{Signer, SignerError},
    types::SignatureScheme,
};
use zegel_identity::SigningKey;
use zegel_proto::{AccountId, Address, DeviceId, v1};

use super::Keys;
use crate::drill::Verdict;

/// The suite of every conversation.
pub const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519;
/// MLS's own obligatory suite, which a future computer may break.
pub const CLASSICAL: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
/// The leaf extension that holds the address.
const ADDRESS_EXTENSION: u16 = 0xF0A1;
const DAY: u64 = 86_400;

struct KeyOf<'a>(&'a SigningKey);

impl Signer for KeyOf<'_> {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        Ok(self.0.sign(payload).to_vec())
    }
    fn signature_scheme(&self) -> SignatureScheme {
        SignatureScheme::ED25519
    }
}

fn credential(keys: &Keys, named: (AccountId, DeviceId)) -> CredentialWithKey {
    CredentialWithKey {
        credential: BasicCredential::new([named.0.0, named.1.0].concat()).into(),
        signature_key: keys.key.verifying_key().to_bytes().as_slice().into(),
    }
}

fn capabilities(suite: Ciphersuite) -> Capabilities {
    Capabilities::new(
        Some(&[ProtocolVersion::Mls10]),
        Some(&[suite]),
        Some(&[
            ExtensionType::AppDataDictionary,
            ExtensionType::LastResort,
            ExtensionType::Unknown(ADDRESS_EXTENSION),
        ]),
        Some(&[]),
        Some(&[CredentialType::Basic]),
    )
}

fn leaf_extensions(address: &Address) -> Verdict<Extensions<LeafNode>> {
    let extension = Extension::Unknown(ADDRESS_EXTENSION, UnknownExtension(address.0.to_vec()));
    Ok(Extensions::single(extension)?)
}

/// A key package that calls itself `named`'s and is signed with the key of `keys`, valid from and until so many days
/// from now.
pub fn key_package(
    keys: &Keys,
    named: (AccountId, DeviceId),
    suite: Ciphersuite,
    days: (i64, i64),
) -> Verdict<(Vec<u8>, Address)> {
    let (provider, address) = (OpenMlsRustCrypto::default(), Address::random());
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH)?.as_secs();
    let day = |days: i64| now.saturating_add_signed(days * DAY as i64);
    let bundle = KeyPackage::builder()
        .key_package_lifetime(Lifetime::init(day(days.0), day(days.1)))
        .leaf_node_capabilities(capabilities(suite))
        .leaf_node_extensions(leaf_extensions(&address)?)
        .build(suite, &provider, &KeyOf(&keys.key), credential(keys, named))?;
    Ok((bundle.key_package().tls_serialize_detached()?, address))
}

/// A good key package of an account that the attacker made, as the service hands it out.
pub fn own_package(keys: &Keys) -> Verdict<v1::DeviceKeyPackage> {
    let (package, _) = key_package(keys, (keys.account, keys.device), SUITE, (-1, 50))?;
    Ok(v1::DeviceKeyPackage {
        account: keys.account.to_field(),
        device: keys.device.to_field(),
        key_package: package.into(),
    })
}

/// The commit with which an outsider who has a group's GroupInfo makes themself a member of it.
pub fn external_commit(keys: &Keys, group_info: &[u8]) -> Verdict<Vec<u8>> {
    let provider = OpenMlsRustCrypto::default();
    let read = MlsMessageIn::tls_deserialize_exact_bytes(group_info)?;
    let MlsMessageBodyIn::GroupInfo(info) = read.extract() else { return Err("not a GroupInfo".into()) };
    let leaf = LeafNodeParameters::builder()
        .with_capabilities(capabilities(SUITE))
        .with_extensions(leaf_extensions(&Address::random())?)
        .build();
    let (_, bundle) = MlsGroup::external_commit_builder()
        .skip_lifetime_validation()
        .build_group(&provider, info, credential(keys, (keys.account, keys.device)))?
        .leaf_node_parameters(leaf)
        .load_psks(openmls_traits::OpenMlsProvider::storage(&provider))?
        .build(
            openmls_traits::OpenMlsProvider::rand(&provider),
            openmls_traits::OpenMlsProvider::crypto(&provider),
            &KeyOf(&keys.key),
            |_| true,
        )?
        .finalize(&provider)?;
    Ok(bundle.into_commit().tls_serialize_detached()?)
}
