//! From what is wanted to the bytes that go out. Bytes are made once; only a refusal allows making them anew.

use openmls::{
    framing::SafeAadItem,
    group::MlsGroup,
    prelude::{
        KeyPackage, KeyPackageIn, LeafNodeParameters, ProtocolVersion,
        tls_codec::{DeserializeBytes as _, Serialize as _},
    },
};
use openmls_rust_crypto::RustCrypto;
use openmls_traits::OpenMlsProvider as _;
use zegel_content::Content;
use zegel_franking::franking_tag;
use zegel_proto::{AccountId, Address, Message as _, SubmissionId, token_hash, v1};

use super::{
    Core, Me,
    facts::Facts,
    groups::{Epoch, next_token},
    leaf::{LeafCheck, check_leaf},
    mailbox::seal,
    outbox::Ready,
    receive::leaf_index,
    suite::{self, FRANK_AAD},
};
use crate::{
    Error, Result,
    db::{Conversation, Intent, ItemKind, NewItem, OutboxRow, OutboxState, mls::Provider},
};

/// From this many members on, a Welcome leaves the ratchet tree out and names a sealed blob instead.
const TREE_IN_WELCOME: usize = 16;
const DOING: &str = "making a message";

impl Core {
    pub(super) fn make(&mut self, row: OutboxRow) -> Result<Option<Ready>> {
        if row.state == OutboxState::Made {
            return Ok(Some(Ready::Send(Box::new(row))));
        }
        let Some(conversation) = self.db.conversation(row.conversation)? else { return Ok(None) };
        match &row.intent {
            Intent::Found => return Ok(None),
            Intent::App(content) | Intent::Tokens { content, .. } => {
                self.make_app(&conversation, row.id, content)?
            }
            Intent::Add(accounts) => {
                return Ok(Some(Ready::Packages { row: row.id, accounts: accounts.clone() }));
            }
            Intent::Remove(accounts) => {
                let gone = self.leaves_of(&conversation, accounts)?;
                if gone.is_empty() {
                    self.db.outbox_done(row.id)?;
                    return Ok(None);
                }
                let facts = self.heir_facts(&conversation, accounts)?;
                self.make_commit(&conversation, row.id, Shape { remove: gone, facts, ..Shape::default() })?;
            }
            Intent::Rename(name) => {
                let facts = Facts { name: name.clone(), ..self.facts(&conversation)? };
                let shape = Shape { facts: Some(facts), ..Shape::default() };
                self.make_commit(&conversation, row.id, shape)?;
            }
            Intent::Update => self.make_update(&conversation, row.id)?,
            Intent::Readd { account, .. } => {
                return Ok(Some(Ready::Readd { row: row.id, account: *account }));
            }
        }
        Ok(self.db.outbox_row(row.id)?.map(|row| Ready::Send(Box::new(row))))
    }

    fn make_app(&mut self, conversation: &Conversation, row: i64, content: &[u8]) -> Result<()> {
        let submission = SubmissionId::random();
        let salt = Content::decode(content).map_err(|e| Error::mls(DOING)(&e))?.salt;
        let group = self.groups.get(&self.db, &self.crypto, &conversation.group)?;
        let provider = Provider::deferring(self.db.conn(), &self.crypto, &self.unsettled);
        let message = encrypt(&provider, &self.me, &mut group.mls, &salt, content)?;
        let number = group.mls.epoch().as_u64();
        let epoch = group.epoch(&self.crypto)?;
        let submit = v1::Submit {
            submission_id: submission.to_field(),
            group_id: conversation.group.to_field(),
            token: epoch.token.clone().into(),
            message: message.into(),
            addresses: self.me.others(epoch),
            epoch: number,
            ..v1::Submit::default()
        };
        self.db.outbox_made(row, &submission, &submit.encode_to_vec(), (&[], &[]))
    }

    /// Makes the commit of an [`Intent::Add`], now that the key packages are here. Accounts of which none came
    /// are left out; if nobody is left, the intent is done. Those whose chain could not be `read` as it is now are
    /// left out too, and that is said: a device that was revoked must not get in.
    pub(crate) fn make_add(
        &mut self,
        row: i64,
        read: &[AccountId],
        packages: &[v1::DeviceKeyPackage],
    ) -> Result<Option<OutboxRow>> {
        self.step(|core| {
            let Some(row) = core.db.outbox_row(row)? else { return Ok(None) };
            let (Intent::Add(accounts), Some(conversation)) =
                (&row.intent, core.db.conversation(row.conversation)?)
            else {
                return Ok(None);
            };
            let (wanted, unread): (Vec<_>, Vec<_>) = accounts.iter().partition(|who| read.contains(who));
            let mut add = Vec::new();
            for package in packages {
                if let Some(checked) = core.checked_package(package, &wanted)? {
                    add.push(checked);
                }
            }
            for who in unread {
                let name = core.name_of(&who)?;
                let text = format!("{name} was not added: the service does not show their devices now.");
                core.db.add_item(&NewItem::line(conversation.id, ItemKind::Notice, &text))?;
            }
            if add.is_empty() {
                core.db.outbox_done(row.id)?;
                return Ok(None);
            }
            core.make_commit(&conversation, row.id, Shape { add, ..Shape::default() })?;
            core.db.outbox_row(row.id)
        })
    }

    /// Makes the commit of an [`Intent::Readd`], now that the account's chain was read as it is now.
    pub(crate) fn make_readd(&mut self, row: i64) -> Result<Option<OutboxRow>> {
        self.step(|core| {
            let Some(row) = core.db.outbox_row(row)? else { return Ok(None) };
            let (Intent::Readd { account, device, key_package }, Some(conversation)) =
                (&row.intent, core.db.conversation(row.conversation)?)
            else {
                return Ok(None);
            };
            let Some(shape) = core.readd_shape(&conversation, account, device, key_package)? else {
                core.db.outbox_done(row.id)?;
                return Ok(None);
            };
            core.make_commit(&conversation, row.id, shape)?;
            core.db.outbox_row(row.id)
        })
    }

    /// A key package as the server handed it out, held against the account's sigchain.
    pub(super) fn checked_package(
        &self,
        package: &v1::DeviceKeyPackage,
        wanted: &[AccountId],
    ) -> Result<Option<(KeyPackage, Address)>> {
        let Some(key_package) = read_key_package(&self.crypto, &package.key_package) else { return Ok(None) };
        if key_package.ciphersuite() != suite::SUITE {
            return Ok(None);
        }
        Ok(match check_leaf(&self.db, u32::MAX, key_package.leaf_node())? {
            LeafCheck::Good(seat)
                if wanted.contains(&seat.account) && !self.db.is_ended(&seat.account)? =>
            {
                Some((key_package, seat.address))
            }
            _ => None,
        })
    }

    fn facts(&mut self, conversation: &Conversation) -> Result<Facts> {
        let group = self.groups.get(&self.db, &self.crypto, &conversation.group)?;
        Ok(group.epoch(&self.crypto)?.facts.clone())
    }

    /// When the last admin goes, who commits that becomes the next.
    fn heir_facts(&mut self, conversation: &Conversation, gone: &[AccountId]) -> Result<Option<Facts>> {
        let facts = self.facts(conversation)?;
        let orphaned = !facts.direct && facts.admins.iter().all(|admin| gone.contains(admin));
        Ok(orphaned.then(|| Facts { admins: vec![self.me.account], ..facts }))
    }

    fn leaves_of(&mut self, conversation: &Conversation, accounts: &[AccountId]) -> Result<Vec<u32>> {
        let group = self.groups.get(&self.db, &self.crypto, &conversation.group)?;
        let seats = &group.epoch(&self.crypto)?.seats;
        Ok(seats.iter().filter(|seat| accounts.contains(&seat.account)).map(|seat| seat.leaf).collect())
    }

    /// Makes a commit of any shape; it stays pending until our own mailbox confirms it.
    pub(super) fn make_commit(&mut self, conversation: &Conversation, row: i64, shape: Shape) -> Result<()> {
        let submission = SubmissionId::random();
        let newcomers = self.newcomers(&shape.add, None, row)?;
        let group = self.groups.get(&self.db, &self.crypto, &conversation.group)?;
        let number = group.mls.epoch().as_u64();
        let epoch = group.epoch(&self.crypto)?;
        let (token, addresses) = (epoch.token.clone(), self.me.others(epoch));
        let provider = Provider::deferring(self.db.conn(), &self.crypto, &self.unsettled);
        let made = commit(&provider, &self.me, &mut group.mls, shape)?;
        let mut blob = (Vec::new(), Vec::new());
        let welcome = made.welcome.map(|welcome| {
            blob = made.tree;
            v1::WelcomeOut { welcome: welcome.into(), newcomers, tree_blob: blob.0.clone().into() }
        });
        let submit = v1::Submit {
            submission_id: submission.to_field(),
            group_id: conversation.group.to_field(),
            epoch: number,
            token: token.into(),
            message: made.commit.into(),
            next_token_hash: made.next_token_hash.to_vec().into(),
            addresses,
            welcome,
            first: Default::default(),
        };
        self.db.outbox_made(row, &submission, &submit.encode_to_vec(), (&blob.0, &blob.1))
    }
}

/// What a commit shall do.
#[derive(Default)]
pub(super) struct Shape {
    pub add: Vec<(KeyPackage, Address)>,
    pub remove: Vec<u32>,
    /// New facts, if they change.
    pub facts: Option<Facts>,
    pub own_address: Option<Address>,
}

pub(super) struct Made {
    pub commit: Vec<u8>,
    pub welcome: Option<Vec<u8>>,
    /// Blob name and sealed ratchet tree, if the Welcome leaves it out.
    pub tree: (Vec<u8>, Vec<u8>),
    pub next_token_hash: [u8; 32],
}

impl Me {
    /// Where a message of this epoch goes: every leaf's address but our own.
    pub(super) fn others(&self, epoch: &Epoch) -> Vec<bytes::Bytes> {
        let others = epoch.seats.iter().filter(|seat| seat.device != self.device);
        others.map(|seat| seat.address.to_field()).collect()
    }
}

/// Encrypts a content with its franking tag in the authenticated data.
pub(super) fn encrypt(
    provider: &Provider<'_>,
    me: &Me,
    mls: &mut MlsGroup,
    salt: &[u8; 16],
    content: &[u8],
) -> Result<Vec<u8>> {
    let tag = SafeAadItem::new(FRANK_AAD, franking_tag(salt, content).to_vec());
    mls.set_safe_aad(vec![tag]).map_err(|e| Error::mls(DOING)(&e))?;
    let message = mls.create_message(provider, me, content).map_err(|e| Error::mls(DOING)(&e))?;
    message.to_bytes().map_err(|e| Error::mls(DOING)(&e))
}

/// Stages a commit; the group stays in its epoch with the commit pending.
pub(super) fn commit(provider: &Provider<'_>, me: &Me, mls: &mut MlsGroup, shape: Shape) -> Result<Made> {
    const DOING: &str = "making a change of a conversation";
    if mls.pending_commit().is_some() {
        return Err(Error::mls(DOING)(&"another change is on its way"));
    }
    // What was staged for a message that failed would go into the commit; a commit carries none.
    mls.set_safe_aad(Vec::new()).map_err(|e| Error::mls(DOING)(&e))?;
    let grows = !shape.add.is_empty();
    let members_after = mls.members().count() + shape.add.len();
    let tree_in_welcome = members_after <= TREE_IN_WELCOME;
    let mut builder = mls
        .commit_builder()
        .consume_proposal_store(false)
        .force_self_update(true)
        .propose_removals(shape.remove.into_iter().map(leaf_index))
        .propose_adds(shape.add.into_iter().map(|(key_package, _)| key_package));
    if let Some(facts) = shape.facts {
        let extensions = suite::context_extensions(&facts.to_bytes());
        builder = builder.propose_group_context_extensions(extensions).map_err(|e| Error::mls(DOING)(&e))?;
    }
    if let Some(address) = shape.own_address {
        let leaf = LeafNodeParameters::builder()
            .with_capabilities(suite::capabilities())
            .with_extensions(suite::leaf_extensions(&address))
            .build();
        builder = builder.leaf_node_parameters(leaf);
    }
    let bundle = builder
        .load_psks(&provider.storage)
        .map_err(|e| Error::mls(DOING)(&e))?
        .use_ratchet_tree_extension(tree_in_welcome)
        .build(provider.rand(), provider.crypto(), me, |_| true)
        .map_err(|e| Error::mls(DOING)(&e))?
        .stage_commit(provider)
        .map_err(|e| Error::mls(DOING)(&e))?;
    let (commit, welcome, _) = bundle.into_messages();
    let commit = commit.to_bytes().map_err(|e| Error::mls(DOING)(&e))?;
    let welcome = welcome.map(|w| w.to_bytes()).transpose().map_err(|e| Error::mls(DOING)(&e))?;
    let tree = match grows && !tree_in_welcome {
        true => sealed_tree(mls, provider.crypto())?,
        false => (Vec::new(), Vec::new()),
    };
    let next_token_hash = token_hash(&next_token(mls, provider.crypto())?);
    Ok(Made { commit, welcome, tree, next_token_hash })
}

/// MLS exporter labels of the ratchet tree's blob: its name and its key.
pub(super) const TREE_NAME: &str = "zegel tree name";
pub(super) const TREE_KEY: &str = "zegel tree key";

fn sealed_tree(mls: &MlsGroup, crypto: &RustCrypto) -> Result<(Vec<u8>, Vec<u8>)> {
    const DOING: &str = "packing a group's tree";
    let pending = mls.pending_commit().ok_or_else(|| Error::mls(DOING)(&"no commit is pending"))?;
    let export = |label| pending.export_secret(crypto, label, b"", 32).map_err(|e| Error::mls(DOING)(&e));
    let (name, key) = (export(TREE_NAME)?, export(TREE_KEY)?);
    let key: [u8; 32] = key.try_into().map_err(|_| Error::mls(DOING)(&"a key of the wrong length"))?;
    let tree = pending
        .export_ratchet_tree(crypto, mls.export_ratchet_tree())
        .map_err(|e| Error::mls(DOING)(&e))?
        .ok_or_else(|| Error::mls(DOING)(&"we are no member"))?;
    let tree = tree.tls_serialize_detached().map_err(|e| Error::mls(DOING)(&e))?;
    let sealed = seal(&key, &tree, &name);
    Ok((name, sealed))
}

/// Reads and validates a key package (signature, lifetime, capabilities).
pub(super) fn read_key_package(crypto: &RustCrypto, bytes: &[u8]) -> Option<KeyPackage> {
    let read = KeyPackageIn::tls_deserialize_exact_bytes(bytes).ok()?;
    read.validate(crypto, ProtocolVersion::Mls10).ok()
}
