//! The rules of a sigchain, each with the attempt to break it.

use proptest::prelude::*;
use zegel_identity::*;
use zegel_proto::{AccountId, DeviceId};

struct Dev {
    id: DeviceId,
    key: SigningKey,
}

impl Dev {
    fn new() -> Self {
        Self { id: DeviceId::random(), key: new_signing_key() }
    }
    fn info(&self, account: &AccountId) -> DeviceInfo {
        DeviceInfo::new(account, self.id, &self.key, vec![5; QUEUE_KEY_LEN])
    }
    fn signs(&self, account: AccountId, after: (u64, [u8; 32]), action: Action) -> SignedLink {
        sign_link(account, after, 1, action, Signer::Device(self.id), &self.key)
    }
}

fn create(account: AccountId, dev: &Dev, recovery: &SigningKey) -> SignedLink {
    let action = Action::Create {
        handle: "alice".into(),
        app: "zegel".into(),
        domain: "example.org".into(),
        device: dev.info(&account),
        recovery: recovery.verifying_key().to_bytes(),
    };
    dev.signs(account, (0, [0; 32]), action)
}

fn begun() -> (AccountId, Dev, SigningKey, Chain) {
    let (account, dev, recovery) = (AccountId::random(), Dev::new(), new_signing_key());
    let chain = Chain::verify(&[create(account, &dev, &recovery)]).expect("a valid first link");
    (account, dev, recovery, chain)
}

#[test]
fn devices_come_and_go() {
    let (account, first, recovery, mut chain) = begun();
    let second = Dev::new();
    chain.append(&first.signs(account, chain.head(), Action::AddDevice(second.info(&account)))).expect("add");
    chain.append(&second.signs(account, chain.head(), Action::RevokeDevice(first.id))).expect("revoke");
    assert_eq!(chain.devices().map(|d| d.id).collect::<Vec<_>>(), [second.id]);

    // A revoked device can do nothing, and cannot be listed again by anyone.
    let third = Dev::new();
    let by_revoked = first.signs(account, chain.head(), Action::AddDevice(third.info(&account)));
    assert!(matches!(chain.append(&by_revoked), Err(ChainError::Signer)));
    let again = second.signs(account, chain.head(), Action::AddDevice(first.info(&account)));
    assert!(matches!(chain.append(&again), Err(ChainError::Reused)));

    // The recovery key wins over devices.
    let by_recovery =
        sign_link(account, chain.head(), 1, Action::RevokeDevice(second.id), Signer::Recovery, &recovery);
    chain.append(&by_recovery).expect("recovery revokes");
    assert_eq!(chain.devices().count(), 0);
}

#[test]
fn what_does_not_follow_is_refused() {
    let (account, first, _, chain) = begun();
    let add = |after| first.signs(account, after, Action::AddDevice(Dev::new().info(&account)));
    let (len, head) = chain.head();
    let refused = |link: &SignedLink| chain.clone().append(link).expect_err("refused");
    assert!(matches!(refused(&add((len + 1, head))), ChainError::Order(0)));
    assert!(matches!(refused(&add((len, [1; 32]))), ChainError::Order(0)));

    let mut wrong = add(chain.head());
    wrong.signature[3] ^= 1;
    assert!(matches!(refused(&wrong), ChainError::Signature));

    let other = AccountId::random();
    let foreign = first.signs(other, chain.head(), Action::AddDevice(Dev::new().info(&other)));
    assert!(matches!(refused(&foreign), ChainError::Account));

    // A key that its holder never offered: the proof is for another account.
    let stolen = Dev::new().info(&other);
    assert!(matches!(
        refused(&first.signs(account, chain.head(), Action::AddDevice(stolen))),
        ChainError::Proof
    ));

    let rotate = first.signs(account, chain.head(), Action::RotateRecovery([9; 32]));
    assert!(matches!(refused(&rotate), ChainError::RecoveryOnly));
    let recreate = create(account, &first, &new_signing_key());
    assert!(matches!(refused(&recreate), ChainError::Order(0)));
}

#[test]
fn an_unknown_version_says_so() {
    let (account, dev, recovery) = (AccountId::random(), Dev::new(), new_signing_key());
    let mut link = create(account, &dev, &recovery).link().expect("readable");
    link.version = 2;
    let mut body = Vec::new();
    ciborium::into_writer(&link, &mut body).expect("CBOR");
    let error = SignedLink { body, signature: vec![0; 64] }.link().expect_err("unknown");
    assert!(error.to_string().contains("version 2"), "{error}");
}

proptest! {
    #[test]
    fn foreign_bytes_never_panic(body: Vec<u8>, signature: Vec<u8>) {
        let verified = Chain::verify(&[SignedLink { body, signature }]);
        prop_assert!(verified.is_err());
    }

    #[test]
    fn every_flipped_bit_is_refused(at in 0usize..1500, bit in 0u8..8) {
        let (account, dev, recovery) = (AccountId::random(), Dev::new(), new_signing_key());
        let mut link = create(account, &dev, &recovery);
        let at = at % link.body.len();
        link.body[at] ^= 1 << bit;
        prop_assert!(Chain::verify(&[link]).is_err());
    }
}
