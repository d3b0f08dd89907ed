//! Real groups over real files: what one process wrote, a fresh one must load.

use openmls::{prelude::tls_codec::Deserialize as _, prelude::*};
use openmls_basic_credential::SignatureKeyPair;

use super::*;

const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES128GCM_SHA256_Ed25519;

struct Person {
    conn: Connection,
    crypto: RustCrypto,
    signer: SignatureKeyPair,
    credential: CredentialWithKey,
}

impl Person {
    fn new(name: &str) -> Self {
        let conn = Connection::open_in_memory().expect("database");
        conn.execute_batch(SCHEMA).expect("schema");
        let signer = SignatureKeyPair::new(SUITE.signature_algorithm()).expect("keys");
        let credential = CredentialWithKey {
            credential: BasicCredential::new(name.into()).into(),
            signature_key: signer.public().into(),
        };
        Self { conn, crypto: RustCrypto::default(), signer, credential }
    }
    fn provider(&self) -> Provider<'_> {
        Provider::new(&self.conn, &self.crypto)
    }
    fn key_package(&self) -> KeyPackage {
        let builder = KeyPackage::builder().leaf_node_capabilities(capabilities());
        let bundle = builder.build(SUITE, &self.provider(), &self.signer, self.credential.clone());
        bundle.expect("key package").into_key_package()
    }
    fn found(&self) -> MlsGroup {
        let config = MlsGroupCreateConfig::builder().ciphersuite(SUITE).capabilities(capabilities()).build();
        let credential = self.credential.clone();
        MlsGroup::new_with_group_id(&self.provider(), &self.signer, &config, id(), credential).expect("group")
    }
    fn load(&self) -> MlsGroup {
        MlsGroup::load(&self.provider().storage, &id()).expect("readable").expect("stored")
    }
    fn join(&self, welcome: MlsMessageOut, tree: openmls::treesync::RatchetTree) -> MlsGroup {
        let bytes = welcome.to_bytes().expect("bytes");
        let MlsMessageBodyIn::Welcome(welcome) =
            MlsMessageIn::tls_deserialize_exact(&bytes).expect("message").extract()
        else {
            panic!("not a welcome")
        };
        let config = MlsGroupJoinConfig::default();
        StagedWelcome::new_from_welcome(&self.provider(), &config, welcome, Some(tree.into()))
            .and_then(|staged| staged.into_group(&self.provider()))
            .expect("joined")
    }
    fn say(&self, provider: &Provider, group: &mut MlsGroup, text: &str) -> Vec<u8> {
        group
            .create_message(provider, &self.signer, text.as_bytes())
            .expect("sent")
            .to_bytes()
            .expect("bytes")
    }
    fn rows(&self) -> i64 {
        let sql = "SELECT (SELECT count(*) FROM mls) + (SELECT count(*) FROM mls_list)";
        self.conn.query_row(sql, [], |row| row.get(0)).expect("count")
    }
}

fn id() -> openmls::group::GroupId {
    openmls::group::GroupId::from_slice(&[7; 32])
}

fn capabilities() -> Capabilities {
    Capabilities::new(None, Some(&[SUITE]), None, None, None)
}

fn hear(provider: &Provider, group: &mut MlsGroup, bytes: &[u8]) -> Option<ProcessedMessageContent> {
    let message = MlsMessageIn::tls_deserialize_exact(bytes).expect("message").try_into_protocol_message();
    group
        .process_message(provider, message.expect("protocol message"))
        .ok()
        .map(ProcessedMessage::into_content)
}

fn hears(provider: &Provider, group: &mut MlsGroup, bytes: &[u8], text: &str) -> bool {
    match hear(provider, group, bytes) {
        Some(ProcessedMessageContent::ApplicationMessage(m)) => m.into_bytes() == text.as_bytes(),
        _ => false,
    }
}

/// Alice and Bob in one group, both just loaded.
fn pair() -> (Person, Person) {
    let (alice, bob) = (Person::new("alice"), Person::new("bob"));
    let mut a = alice.found();
    let (_, welcome, _) =
        a.add_members(&alice.provider(), &alice.signer, &[bob.key_package()]).expect("commit");
    let mut a = alice.load();
    assert!(a.pending_commit().is_some(), "a pending commit survives");
    a.merge_pending_commit(&alice.provider()).expect("merged");
    bob.join(welcome, a.export_ratchet_tree());
    (alice, bob)
}

#[test]
fn every_step_survives_a_reload() {
    let (alice, bob) = pair();
    for text in ["one", "two"] {
        let m = alice.say(&alice.provider(), &mut alice.load(), text);
        assert!(hears(&bob.provider(), &mut bob.load(), &m, text));
        assert!(!hears(&bob.provider(), &mut bob.load(), &m, text), "a replay is refused after a reload too");
    }
    let bundle = bob.load().self_update(&bob.provider(), &bob.signer, LeafNodeParameters::default());
    let commit = bundle.expect("commit").into_commit().to_bytes().expect("bytes");
    let mut a = alice.load();
    let Some(ProcessedMessageContent::StagedCommitMessage(staged)) = hear(&alice.provider(), &mut a, &commit)
    else {
        panic!("not a commit")
    };
    a.merge_staged_commit(&alice.provider(), *staged).expect("merged");
    bob.load().merge_pending_commit(&bob.provider()).expect("merged");
    let m = bob.say(&bob.provider(), &mut bob.load(), "three");
    assert!(hears(&alice.provider(), &mut alice.load(), &m, "three"));
}

#[test]
fn proposals_keep_their_order_and_leave() {
    let (alice, bob) = pair();
    let mut a = alice.load();
    a.propose_remove_member(&alice.provider(), &alice.signer, LeafNodeIndex::new(1)).expect("proposed");
    let carol = Person::new("carol");
    a.propose_add_member(&alice.provider(), &alice.signer, &carol.key_package()).expect("proposed");
    let refs =
        |g: &MlsGroup| g.pending_proposals().map(|p| p.proposal_reference_ref().clone()).collect::<Vec<_>>();
    let (before, mut a) = (refs(&a), alice.load());
    assert_eq!((refs(&a), before.len()), (before.clone(), 2));
    a.remove_pending_proposal(&alice.provider().storage, &before[0]).expect("removed");
    assert_eq!(refs(&alice.load()), before[1..]);
    alice.load().clear_pending_proposals(&alice.provider().storage).expect("cleared");
    assert!(refs(&alice.load()).is_empty());
    drop(bob);
}

#[test]
fn a_rollback_takes_mls_state_back() {
    let (alice, bob) = pair();
    alice.conn.execute_batch("BEGIN").expect("begin");
    let lost = alice.say(&alice.provider(), &mut alice.load(), "lost");
    alice.conn.execute_batch("ROLLBACK").expect("rollback");
    let sent = alice.say(&alice.provider(), &mut alice.load(), "sent");
    assert_ne!(lost, sent);
    assert!(hears(&bob.provider(), &mut bob.load(), &sent, "sent"));
}

#[test]
fn a_deferred_write_is_due_until_settled() {
    let (alice, bob) = pair();
    let due = Unsettled::default();
    let provider = Provider::deferring(&alice.conn, &alice.crypto, &due);
    let mut a = alice.load();
    assert!(due.check().is_ok());
    let sent: Vec<_> = ["one", "two"].map(|text| (alice.say(&provider, &mut a, text), text)).into();
    assert!(matches!(due.check(), Err(StoreError::Unsettled)));
    assert!(MlsGroup::load(&provider.storage, &id()).is_err(), "stale secrets are not handed out");
    assert_eq!(due.groups().expect("ids"), [id()]);
    provider.settle(&mut a).expect("settled");
    assert!(due.check().is_ok());
    let mut b = bob.load();
    for (m, text) in &sent {
        assert!(hears(&bob.provider(), &mut b, m, text));
    }
    // What was settled is what goes on after a restart: no generation is used twice.
    let m = alice.say(&alice.provider(), &mut alice.load(), "three");
    assert!(hears(&bob.provider(), &mut b, &m, "three"));
    // Positive control: unsettled and loaded by a store that does not know, a generation is used again.
    alice.say(&provider, &mut a, "never settled");
    due.clear();
    let (x, y) = (alice.say(&alice.provider(), &mut alice.load(), "x"), alice.say(&provider, &mut a, "y"));
    assert!(hears(&bob.provider(), &mut b, &x, "x"));
    assert!(!hears(&bob.provider(), &mut b, &y, "y"));
}

#[test]
fn deleting_a_group_leaves_nothing() {
    let (alice, bob) = pair();
    let (commit, ..) = alice
        .load()
        .remove_members(&alice.provider(), &alice.signer, &[LeafNodeIndex::new(1)])
        .expect("commit");
    let mut b = bob.load();
    let commit = commit.to_bytes().expect("bytes");
    let Some(ProcessedMessageContent::StagedCommitMessage(staged)) = hear(&bob.provider(), &mut b, &commit)
    else {
        panic!("not a commit")
    };
    assert!(staged.self_removed());
    b.merge_staged_commit(&bob.provider(), *staged).expect("merged");
    bob.load().delete(&bob.provider().storage).expect("deleted");
    alice.load().delete(&alice.provider().storage).expect("deleted");
    assert_eq!((alice.rows(), bob.rows()), (0, 0));
}

#[test]
fn damaged_values_are_errors() {
    let (alice, _) = pair();
    for broken in
        ["x''", "x'63'", "CAST(value || x'00' AS BLOB)", "substr(value, 1, length(value) - 1)", "zeroblob(9)"]
    {
        alice.conn.execute_batch("SAVEPOINT s").expect("savepoint");
        alice.conn.execute_batch(&format!("UPDATE mls SET value = {broken}")).expect("damaged");
        assert!(MlsGroup::load(&alice.provider().storage, &id()).is_err(), "{broken}");
        alice.conn.execute_batch("ROLLBACK TO s").expect("rollback");
    }
    alice.load();
}
