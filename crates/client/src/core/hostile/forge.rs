//! What an attacker makes with the same libraries and none of our rules.

use openmls::{
    group::MlsGroup,
    prelude::{KeyPackage, tls_codec::Serialize as _},
};
use openmls_rust_crypto::{OpenMlsRustCrypto, RustCrypto};
use rusqlite::Connection;
use zegel_identity::{Action, DeviceInfo, SignedLink, Signer, sign_link};
use zegel_proto::{Address, GroupId, SubmissionId, v1};

use super::{
    post::{Letter, letter},
    world::{ALICE, World},
};
use crate::{
    core::{
        Me,
        facts::Facts,
        make::{Shape, commit, encrypt, read_key_package},
        suite,
    },
    db::{
        Intent,
        mls::{Provider, SCHEMA},
    },
};

/// A group under any id, with any facts, that only its forger is in.
pub(super) struct Forged {
    me: Me,
    conn: Connection,
    crypto: RustCrypto,
    group: GroupId,
    mls: MlsGroup,
}

impl Forged {
    pub fn new(world: &World, by: usize, group: GroupId, facts: &Facts) -> Self {
        let me = Me::from_bytes(&world.at(by).me.to_bytes()).expect("a copy");
        let conn = Connection::open_in_memory().expect("memory");
        conn.execute_batch(SCHEMA).expect("tables");
        let crypto = RustCrypto::default();
        let config = suite::create_config(&facts.to_bytes(), &Address::random(), world.at(by).now_ms());
        let mls = MlsGroup::new_with_group_id(
            &Provider::new(&conn, &crypto),
            &me,
            &config,
            openmls::group::GroupId::from_slice(&group.0),
            me.credential_with_key(),
        )
        .expect("a group");
        Self { me, conn, crypto, group, mls }
    }

    /// Lets epochs pass.
    pub fn age(mut self, epochs: u64) -> Self {
        for _ in 0..epochs {
            let provider = Provider::new(&self.conn, &self.crypto);
            commit(&provider, &self.me, &mut self.mls, Shape::default()).expect("a commit");
            self.mls.merge_pending_commit(&provider).expect("merged");
        }
        self
    }

    /// The commit and Welcome that let someone in.
    pub fn invite(&mut self, from: usize, key_package: &[u8], address: &Address) -> Letter {
        let provider = Provider::new(&self.conn, &self.crypto);
        let package = read_key_package(&self.crypto, key_package).expect("a key package");
        let shape = Shape { add: vec![(package, *address)], ..Shape::default() };
        let made = commit(&provider, &self.me, &mut self.mls, shape).expect("a commit");
        self.mls.merge_pending_commit(&provider).expect("merged");
        let newcomer = v1::Newcomer { address: address.to_field(), token: Default::default() };
        let submit = v1::Submit {
            submission_id: SubmissionId::random().to_field(),
            group_id: self.group.to_field(),
            message: made.commit.into(),
            welcome: Some(v1::WelcomeOut {
                welcome: made.welcome.expect("a Welcome").into(),
                newcomers: vec![newcomer],
                tree_blob: Default::default(),
            }),
            ..Default::default()
        };
        Letter { from, group: self.group, submit }
    }
}

/// A device that calls itself one of `owner`'s: its key package, and the link that would make it one.
pub(super) fn ghost_of(world: &World, owner: usize) -> ((KeyPackage, Address), SignedLink) {
    let owner = &world.at(owner).me;
    let (mut ghost, link) = Me::create("ghost", &owner.app, &owner.domain, "", 0);
    let Ok(Action::Create { device, .. }) = link.link().map(|link| link.action) else {
        unreachable!("the first link creates")
    };
    ghost.account = owner.account;
    let (provider, address) = (OpenMlsRustCrypto::default(), Address::random());
    let bundle = KeyPackage::builder()
        .key_package_lifetime(suite::lifetime(world.at(ALICE).now_ms()))
        .leaf_node_capabilities(suite::capabilities())
        .leaf_node_extensions(suite::leaf_extensions(&address))
        .build(suite::SUITE, &provider, &ghost, ghost.credential_with_key())
        .expect("a key package");
    let info = DeviceInfo::new(&owner.account, ghost.device, &ghost.signing, device.queue_key);
    let last = world.chains[&owner.account].last().expect("a chain");
    let place = (world.chains[&owner.account].len() as u64, last.hash());
    let signer = Signer::Device(owner.device);
    let listing = sign_link(owner.account, place, 0, Action::AddDevice(info), signer, &owner.signing);
    ((bundle.key_package().clone(), address), listing)
}

impl World {
    /// A commit of any shape, whether its maker may make it or not.
    pub fn commit(&mut self, who: usize, group: &GroupId, shape: Shape) -> Letter {
        self.flush(who);
        let chat = self.chat(who, group);
        let core = self.core(who);
        let row = core
            .step(|core| {
                let row = core.db.add_intent(chat.id, &Intent::Rename(String::new()), 0, 0)?;
                core.make_commit(&chat, row, shape)?;
                Ok(row)
            })
            .expect("a commit");
        let made = core.db.outbox_row(row).expect("the outbox").expect("the row");
        letter(who, &made.submit)
    }

    /// An application message of any content, under a tag made with any salt.
    pub fn frame(&mut self, who: usize, group: &GroupId, salt: &[u8; 16], content: &[u8]) -> Letter {
        self.flush(who);
        let message = self.core(who).step(|core| {
            let provider = Provider::deferring(core.db.conn(), &core.crypto, &core.unsettled);
            let loaded = core.groups.get(&core.db, &core.crypto, group)?;
            encrypt(&provider, &core.me, &mut loaded.mls, salt, content)
        });
        let submit = v1::Submit {
            submission_id: SubmissionId::random().to_field(),
            group_id: group.to_field(),
            message: message.expect("encrypted").into(),
            ..Default::default()
        };
        Letter { from: who, group: *group, submit }
    }

    /// The leaf of someone's device, as someone else sees it.
    pub fn leaf_of(&mut self, seen_by: usize, group: &GroupId, who: usize) -> u32 {
        let account = self.account(who);
        let core = self.core(seen_by);
        let loaded = core.groups.get(&core.db, &core.crypto, group).expect("a group");
        let epoch = loaded.epoch(&core.crypto).expect("an epoch");
        epoch.seats.iter().find(|seat| seat.account == account).expect("a seat").leaf
    }

    /// A fresh key package of someone, with its address.
    pub fn key_package(&mut self, who: usize) -> (KeyPackage, Address) {
        let core = self.core(who);
        let stocked = core.step(|core| core.key_package(false)).expect("keys");
        let package = read_key_package(&core.crypto, &stocked.key_package).expect("a key package");
        (package, Address::from_slice(&stocked.address).expect("an address"))
    }
}

/// A key package as it travels.
pub(super) fn packed(package: &KeyPackage) -> Vec<u8> {
    package.tls_serialize_detached().expect("bytes")
}
