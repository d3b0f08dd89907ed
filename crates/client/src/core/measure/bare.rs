//! openmls alone: the same suite, group and authenticated data.

use openmls::{
    framing::SafeAadItem,
    group::{MlsGroup, StagedWelcome},
    prelude::{MlsMessageBodyIn, MlsMessageIn, ProcessedMessageContent, tls_codec::DeserializeBytes as _},
};
use openmls_rust_crypto::RustCrypto;
use rusqlite::Connection;
use zegel_proto::Address;

use super::{
    odd,
    people::{People, now_ms},
};
use crate::{
    Result,
    core::{
        Me,
        facts::Facts,
        make::{Shape, commit, read_key_package},
        suite,
    },
    db::mls::{Provider, SCHEMA, Unsettled},
};

/// Two members of a group of any size, in memory.
pub struct Bare {
    sender: Member,
    receiver: Member,
}

struct Member {
    me: Me,
    conn: Connection,
    crypto: RustCrypto,
    unsettled: Unsettled,
    group: Option<MlsGroup>,
    keeps: bool,
}

impl Member {
    fn new(handle: &str, keeps: bool) -> Result<Self> {
        let (me, _) = Me::create(handle, "zegel", "measured.example", "", now_ms());
        let conn = Connection::open_in_memory()?;
        conn.execute_batch(SCHEMA)?;
        let (crypto, unsettled) = (RustCrypto::default(), Unsettled::default());
        Ok(Self { me, conn, crypto, unsettled, group: None, keeps })
    }

    fn parts(&mut self) -> Result<(Provider<'_>, &Me, &mut MlsGroup)> {
        let group = self.group.as_mut().ok_or_else(|| odd("not a member yet"))?;
        let provider = match self.keeps {
            true => Provider::new(&self.conn, &self.crypto),
            false => Provider::deferring(&self.conn, &self.crypto, &self.unsettled),
        };
        Ok((provider, &self.me, group))
    }
}

impl Bare {
    /// A group of `members` (at least 2). If it `keeps`, openmls writes its secrets after every message, as it
    /// does by itself, to a database in memory; if not, they are never written: the least that openmls can cost.
    pub fn new(members: usize, keeps: bool) -> Result<Self> {
        let (mut sender, mut receiver) = (Member::new("sender", keeps)?, Member::new("receiver", keeps)?);
        let others = People::new(members.saturating_sub(2))?;
        let mut add: Vec<_> =
            others.packages.iter().filter_map(|p| read_key_package(&sender.crypto, &p.key_package)).collect();
        let bundle = {
            let provider = Provider::new(&receiver.conn, &receiver.crypto);
            openmls::prelude::KeyPackage::builder()
                .key_package_lifetime(suite::lifetime(now_ms()))
                .leaf_node_capabilities(suite::capabilities())
                .leaf_node_extensions(suite::leaf_extensions(&Address::random()))
                .build(suite::SUITE, &provider, &receiver.me, receiver.me.credential_with_key())
                .map_err(odd)?
        };
        add.push(bundle.key_package().clone());

        let facts = Facts::group("measured", sender.me.account);
        let provider = Provider::new(&sender.conn, &sender.crypto);
        let config = suite::create_config(&facts.to_bytes(), &Address::random(), now_ms());
        let id = openmls::group::GroupId::from_slice(&[7; 32]);
        let credential = sender.me.credential_with_key();
        let mut group =
            MlsGroup::new_with_group_id(&provider, &sender.me, &config, id, credential).map_err(odd)?;
        let add = add.into_iter().map(|package| (package, Address::random())).collect();
        let made = commit(&provider, &sender.me, &mut group, Shape { add, ..Shape::default() })?;
        group.merge_pending_commit(&provider).map_err(odd)?;

        let welcome = made.welcome.ok_or_else(|| odd("no Welcome"))?;
        let welcome = match MlsMessageIn::tls_deserialize_exact_bytes(&welcome).map_err(odd)?.extract() {
            MlsMessageBodyIn::Welcome(welcome) => welcome,
            _ => return Err(odd("no Welcome")),
        };
        let provider = Provider::new(&receiver.conn, &receiver.crypto);
        let joined = StagedWelcome::build_from_welcome(&provider, &suite::join_config(), welcome)
            .map_err(odd)?
            .skip_lifetime_validation()
            .with_ratchet_tree(group.export_ratchet_tree().into())
            .build()
            .map_err(odd)?
            .into_group(&provider)
            .map_err(odd)?;
        sender.group = Some(group);
        receiver.group = Some(joined);
        Ok(Self { sender, receiver })
    }

    /// Encrypts.
    pub fn send(&mut self, content: &[u8]) -> Result<Vec<u8>> {
        let (provider, me, group) = self.sender.parts()?;
        group.set_safe_aad(vec![SafeAadItem::new(suite::FRANK_AAD, vec![7; 32])]).map_err(odd)?;
        let message = group.create_message(&provider, me, content).map_err(odd)?;
        message.to_bytes().map_err(odd)
    }

    /// Decrypts.
    pub fn receive(&mut self, message: &[u8]) -> Result<Vec<u8>> {
        let (provider, _, group) = self.receiver.parts()?;
        let MlsMessageBodyIn::PrivateMessage(message) =
            MlsMessageIn::tls_deserialize_exact_bytes(message).map_err(odd)?.extract()
        else {
            return Err(odd("not a private message"));
        };
        match group.process_message(&provider, message).map_err(odd)?.into_content() {
            ProcessedMessageContent::ApplicationMessage(message) => Ok(message.into_bytes()),
            _ => Err(odd("not an application message")),
        }
    }
}
