//! A service on a store in a temporary folder, and people whose devices talk to it as real ones would.

#![allow(dead_code, reason = "each test file uses a part")]

use std::{net::IpAddr, sync::Arc};

use aes_gcm::{
    Aes256Gcm, Nonce,
    aead::{Aead as _, KeyInit as _, Payload},
};
use bytes::Bytes;
use ed25519_dalek::Signer as _;
use hpke::{
    Deserializable as _, Kem as _, OpModeR, Serializable as _, aead::ChaCha20Poly1305, kdf::HkdfSha256,
    kem::XWing, single_shot_open,
};
use sha2::Digest as _;
use zegel_identity::{
    Action, Chain, DeviceInfo, SignedLink, Signer, SigningKey, auth_message, new_signing_key, sign_link,
};
use zegel_proto::{
    AccountId, Address, Code, DeviceId, GroupId, Message as _, SubmissionId, Token, VERSION, address_tag,
    token_hash,
    v1::{self, AgeBand, client_frame as ask, server_frame as tell},
};
use zegel_server::{
    blobs::Blobs,
    config::Config,
    hub::Hub,
    keys::KeyRing,
    service::{Service, Session},
    store::{self, SqliteStore, Store, StoreResult, Tx},
};

/// The mailbox of what is dropped.
pub const SINK: DeviceId = DeviceId(*b"zegel sink boxes");

pub struct World {
    pub dir: tempfile::TempDir,
    pub store: Arc<dyn Store>,
    pub hub: Arc<Hub>,
    pub service: Arc<Service>,
}

impl World {
    pub async fn new() -> Self {
        Self::with(Config::default()).await
    }

    pub async fn with(config: Config) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("data");
        let store: Arc<dyn Store> = Arc::new(SqliteStore::open(&data).expect("a store"));
        let hub = Arc::new(Hub::default());
        let service = Self::service(&dir, &store, &hub, config).await;
        Self { dir, store, hub, service }
    }

    async fn service(
        dir: &tempfile::TempDir,
        store: &Arc<dyn Store>,
        hub: &Arc<Hub>,
        config: Config,
    ) -> Arc<Service> {
        let data = dir.path().join("data");
        let keys = KeyRing::load_or_create(&dir.path().join("keys.toml"), &data, "localhost").expect("keys");
        let blobs = Blobs::open(&data.join("blobs")).expect("blobs");
        Service::start(store.clone(), keys, config, hub.clone(), blobs).await.expect("a service")
    }

    /// The same store under a new process, as it were.
    pub async fn restart(&mut self, config: Config) {
        self.service = Self::service(&self.dir, &self.store, &self.hub, config).await;
    }

    pub fn keys(&self) -> KeyRing {
        KeyRing::load(&self.dir.path().join("keys.toml"), &self.dir.path().join("data")).expect("keys")
    }

    pub async fn read<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Tx) -> StoreResult<T> + Send + 'static,
    ) -> T {
        store::read(&*self.store, job).await.expect("read")
    }

    pub async fn write<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut dyn Tx) -> StoreResult<T> + Send + 'static,
    ) -> T {
        store::write(&*self.store, job).await.expect("written")
    }

    /// How many entries lie in a mailbox.
    pub async fn entries(&self, device: DeviceId) -> usize {
        self.read(move |tx| Ok(tx.entries(&device, 0, 10_000, 1 << 30)?.len())).await
    }

    /// A greeted connection.
    pub async fn session(&self) -> Session {
        let mut session = self.service.open(IpAddr::from([127, 0, 0, 1]));
        let hello = v1::Hello { versions: vec![VERSION], ..Default::default() };
        match self.service.call(&mut session, ask::Body::Hello(hello)).await {
            Some(tell::Body::Hello(_)) => session,
            other => panic!("no greeting: {other:?}"),
        }
    }

    /// An invite with this code, good for `uses` until tomorrow.
    pub async fn invite(&self, code: &str, age_band: Option<AgeBand>, uses: u32, for_one: bool) {
        let hash = token_hash(code.as_bytes());
        let expires_day = zegel_server::clock::Now::get().day() + 1;
        let invite = store::Invite { uses, age_band, for_one, expires_day };
        self.write(move |tx| tx.put_invite(&hash, &invite)).await;
    }

    pub async fn account(&self, id: AccountId) -> store::Account {
        self.read(move |tx| tx.account(&id)).await.expect("there")
    }

    /// An adult with one device, connected.
    pub async fn adult(&self, handle: &str) -> Person {
        self.person(handle, AgeBand::Adult).await
    }

    pub async fn person(&self, handle: &str, age_band: AgeBand) -> Person {
        let mut person = Person::unregistered(self, handle).await;
        person.register(age_band, "").await.expect("registered");
        person.connect().await.expect("connected");
        person
    }
}

/// One device of a person.
pub struct Person {
    pub service: Arc<Service>,
    pub session: Session,
    pub handle: String,
    pub account: AccountId,
    pub device: DeviceId,
    pub key: SigningKey,
    pub chain: Vec<SignedLink>,
    queue_secret: <XWing as hpke::Kem>::PrivateKey,
    pub queue_key: Vec<u8>,
}

pub type Answer = Result<Option<tell::Body>, v1::Error>;

impl Person {
    pub async fn unregistered(world: &World, handle: &str) -> Self {
        let (queue_secret, queue_public) = XWing::gen_keypair();
        let mut person = Self {
            service: world.service.clone(),
            session: world.session().await,
            handle: handle.into(),
            account: AccountId::random(),
            device: DeviceId::random(),
            key: new_signing_key(),
            chain: Vec::new(),
            queue_secret,
            queue_key: queue_public.to_bytes().to_vec(),
        };
        let action = Action::Create {
            handle: handle.into(),
            app: "zegel".into(),
            domain: "localhost".into(),
            device: person.info(),
            recovery: new_signing_key().verifying_key().to_bytes(),
        };
        person.chain = vec![person.signs((0, [0; 32]), action)];
        person
    }

    /// A further device of the same account, listed and connected.
    pub async fn sibling(&mut self, world: &World) -> Person {
        let mut sibling = Self::unregistered(world, &self.handle).await;
        sibling.account = self.account;
        let link = self.signs(self.head(), Action::AddDevice(sibling.info()));
        self.append(link).await.expect("appended");
        sibling.chain = self.chain.clone();
        sibling.connect().await.expect("connected");
        sibling
    }

    pub fn info(&self) -> DeviceInfo {
        DeviceInfo::new(&self.account, self.device, &self.key, self.queue_key.clone())
    }
    pub fn head(&self) -> (u64, [u8; 32]) {
        Chain::verify(&self.chain).expect("a chain").head()
    }
    pub fn signs(&self, after: (u64, [u8; 32]), action: Action) -> SignedLink {
        sign_link(self.account, after, 1, action, Signer::Device(self.device), &self.key)
    }

    pub async fn append(&mut self, link: SignedLink) -> Answer {
        let entry = Some(link.clone().into());
        let answer = self.call(ask::Body::AppendChain(v1::AppendChain { entry })).await;
        if answer.is_ok() {
            self.chain.push(link);
        }
        answer
    }

    pub async fn register(&mut self, age_band: AgeBand, invite: &str) -> Answer {
        let register = v1::Register {
            app: "zegel".into(),
            handle: self.handle.clone(),
            age_band: age_band.into(),
            language: "nl".into(),
            invite: invite.into(),
            entry: self.chain.first().cloned().map(Into::into),
        };
        self.call(ask::Body::Register(register)).await
    }

    pub async fn connect(&mut self) -> Result<v1::Authenticated, v1::Error> {
        self.authenticate(false).await
    }

    pub async fn authenticate(&mut self, appeal_only: bool) -> Result<v1::Authenticated, v1::Error> {
        let message = auth_message(&self.session.domain, &self.session.nonce, &self.account, &self.device);
        let call = v1::Authenticate {
            account: self.account.to_field(),
            device: self.device.to_field(),
            signature: self.key.sign(&message).to_vec().into(),
            appeal_only,
        };
        match self.call(ask::Body::Authenticate(call)).await? {
            Some(tell::Body::Authenticated(answer)) => Ok(answer),
            other => panic!("{other:?}"),
        }
    }

    pub async fn call(&mut self, body: ask::Body) -> Answer {
        match self.service.call(&mut self.session, body).await {
            Some(tell::Body::Error(error)) => Err(error),
            answer => Ok(answer),
        }
    }

    /// The call is refused with this code.
    pub async fn refused(&mut self, code: Code, body: ask::Body) -> v1::Error {
        let error = self.call(body).await.expect_err("refused");
        assert_eq!(Code::from_wire(error.code), code, "{error:?}");
        assert!(!error.message.is_empty());
        error
    }

    pub async fn submit(&mut self, submit: v1::Submit) -> Result<v1::Submitted, v1::Error> {
        match self.call(ask::Body::Submit(submit)).await? {
            Some(tell::Body::Submitted(answer)) => Ok(answer),
            other => panic!("{other:?}"),
        }
    }

    /// Leaves `n` key packages in stock, and returns their addresses in order of their bytes' last byte.
    pub async fn publish(&mut self, n: u8) -> Vec<Address> {
        let (packages, addresses) = stock(0..n);
        let call = v1::PublishKeyPackages { packages, ..Default::default() };
        self.call(ask::Body::PublishKeyPackages(call)).await.expect("published");
        addresses
    }

    pub async fn publish_last_resort(&mut self) -> Address {
        let (mut packages, addresses) = stock(200..201);
        let call = v1::PublishKeyPackages { last_resort: packages.pop(), ..Default::default() };
        self.call(ask::Body::PublishKeyPackages(call)).await.expect("published");
        addresses[0]
    }

    pub async fn take(&mut self, of: &Person) -> Vec<v1::DeviceKeyPackage> {
        let call = v1::FetchKeyPackages { accounts: vec![of.account.to_field()] };
        match self.call(ask::Body::FetchKeyPackages(call)).await.expect("fetched") {
            Some(tell::Body::KeyPackages(answer)) => answer.packages,
            other => panic!("{other:?}"),
        }
    }

    pub async fn bind(&mut self, group: &GroupId) -> Address {
        let address = Address::random();
        let tag = Bytes::copy_from_slice(&address_tag(&address, group));
        let call = v1::BindAddress { address: address.to_field(), tag };
        self.call(ask::Body::BindAddress(call)).await.expect("bound");
        address
    }

    pub async fn accept(&mut self, address: &Address, group: &GroupId) -> Answer {
        let tag = Bytes::copy_from_slice(&address_tag(address, group));
        self.call(ask::Body::AcceptAddress(v1::AcceptAddress { address: address.to_field(), tag })).await
    }

    /// Ends what one conversation has of an address.
    pub async fn end(&mut self, address: &Address, group: &GroupId) {
        let tag = Bytes::copy_from_slice(&address_tag(address, group));
        let call = v1::EndBinding { address: address.to_field(), tag };
        self.call(ask::Body::EndBinding(call)).await.expect("ended, or nothing to end");
    }

    /// A contact code.
    pub async fn leave_token(&mut self) -> Token {
        self.leave_tokens(1, false).await[0]
    }

    pub async fn leave_tokens(&mut self, n: usize, connection: bool) -> Vec<Token> {
        let tokens: Vec<_> = (0..n).map(|_| Token::random()).collect();
        self.call(put_tokens(&tokens, connection)).await.expect("left");
        tokens
    }

    pub async fn change_age(&mut self, to: AgeBand, invite: &str) -> Answer {
        let call = v1::ChangeAge { age_band: to.into(), invite: invite.into(), ..Default::default() };
        self.call(ask::Body::ChangeAge(call)).await
    }

    /// Shows the guardian's secret.
    pub async fn is_let(&mut self, to: AgeBand, secret: [u8; 32]) -> Answer {
        let guardian = secret.to_vec().into();
        let call = v1::ChangeAge { age_band: to.into(), guardian, ..Default::default() };
        self.call(ask::Body::ChangeAge(call)).await
    }

    /// Notes a guardian who knows `next`, or none, showing the secret of the one before.
    pub async fn set_guardian(&mut self, next: Option<[u8; 32]>, secret: Option<[u8; 32]>) -> Answer {
        let hash = next.map(|next| sha256(&next).to_vec().into()).unwrap_or_default();
        let secret = secret.map(|secret| secret.to_vec().into()).unwrap_or_default();
        self.call(ask::Body::SetGuardian(v1::SetGuardian { hash, secret })).await
    }

    pub async fn block(&mut self, whom: AccountId, lift: bool) {
        let call = v1::Block { account: whom.to_field(), lift };
        self.call(ask::Body::Block(call)).await.expect("done");
    }

    /// Everything that waits, opened as the device does it.
    pub async fn mail(&self) -> Vec<(u64, v1::entry::Body)> {
        let waiting = self.service.waiting(&self.device, 0, 10_000).await.expect("read");
        let keys: std::collections::HashMap<u64, Vec<u8>> =
            waiting.hour_keys.iter().map(|key| (key.id, self.open_hour_key(key))).collect();
        waiting.entries.iter().map(|entry| (entry.seq, self.open(&keys[&entry.hour_key], entry))).collect()
    }

    pub async fn bodies(&self) -> Vec<v1::entry::Body> {
        self.mail().await.into_iter().map(|(_, body)| body).collect()
    }

    /// Empties the mailbox.
    pub async fn ack_all(&mut self) {
        if let Some((seq, _)) = self.mail().await.pop() {
            assert_eq!(self.call(ask::Body::Ack(v1::Ack { seq })).await, Ok(None));
        }
    }

    fn open_hour_key(&self, key: &v1::HourKey) -> Vec<u8> {
        let aad = [&self.device.0[..], &key.id.to_be_bytes()].concat();
        let encapsulated = <XWing as hpke::Kem>::EncappedKey::from_bytes(&key.encapsulated).expect("a key");
        single_shot_open::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeR::Base,
            &self.queue_secret,
            &encapsulated,
            b"zegel hour key",
            &key.sealed,
            &aad,
        )
        .expect("opens")
    }

    fn open(&self, key: &[u8], entry: &v1::SealedEntry) -> v1::entry::Body {
        let aad = [&self.device.0[..], &entry.seq.to_be_bytes()].concat();
        let plain = open_gcm(key, &aad, &entry.sealed);
        assert_eq!(plain.len() % 256, 0, "padded");
        v1::Entry::decode(&plain[..]).expect("an entry").body.expect("a body")
    }
}

pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    sha2::Sha256::digest(bytes).into()
}

pub fn put_tokens(tokens: &[Token], connection: bool) -> ask::Body {
    let token_hashes = tokens.iter().map(|token| Bytes::copy_from_slice(&token_hash(&token.0))).collect();
    ask::Body::PutToken(v1::PutToken { token_hashes, connection })
}

pub fn open_gcm(key: &[u8], aad: &[u8], sealed: &[u8]) -> Vec<u8> {
    let (nonce, msg) = sealed.split_at(12);
    let cipher = Aes256Gcm::new_from_slice(key).expect("32 bytes");
    cipher.decrypt(Nonce::from_slice(nonce), Payload { msg, aad }).expect("opens")
}

fn stock(range: std::ops::Range<u8>) -> (Vec<v1::StockedKeyPackage>, Vec<Address>) {
    let addresses: Vec<_> = range.clone().map(|_| Address::random()).collect();
    let package = |(n, address): (u8, &Address)| v1::StockedKeyPackage {
        key_package: vec![n; 1500].into(),
        address: address.to_field(),
    };
    (range.zip(&addresses).map(package).collect(), addresses)
}

/// A conversation as its members know it; tokens are made from the epoch.
pub struct Group {
    pub id: GroupId,
    pub epoch: u64,
}

pub fn token_of(group: &GroupId, epoch: u64) -> Vec<u8> {
    [&group.0[..24], &epoch.to_be_bytes()].concat()
}

impl Group {
    pub fn new() -> Self {
        Self { id: GroupId::random(), epoch: 0 }
    }

    fn submit(&self, message: Bytes, addresses: &[Address]) -> v1::Submit {
        v1::Submit {
            submission_id: SubmissionId::random().to_field(),
            group_id: self.id.to_field(),
            epoch: self.epoch,
            token: token_of(&self.id, self.epoch).into(),
            message,
            addresses: addresses.iter().map(|a| a.to_field()).collect(),
            ..Default::default()
        }
    }

    /// An application message of the current epoch.
    pub fn says(&self, text: &str, to: &[Address]) -> v1::Submit {
        self.submit(application(&self.id, self.epoch, text), to)
    }

    /// An application message that commits to a content.
    pub fn franks(&self, franking_tag: &[u8; 32], to: &[Address]) -> v1::Submit {
        let aad = [&[35, 0, 0x20, 32][..], franking_tag].concat();
        self.submit(private_message(&self.id, self.epoch, 1, &aad, b"sealed"), to)
    }

    /// A commit of the current epoch, after which the next one counts.
    pub fn commits(&mut self, to: &[Address]) -> v1::Submit {
        let commit = private_message(&self.id, self.epoch, 3, &[0], b"commit");
        let submit = self.submit(commit, to);
        self.epoch += 1;
        let next_token_hash = token_hash(&token_of(&self.id, self.epoch));
        v1::Submit { next_token_hash: Bytes::copy_from_slice(&next_token_hash), ..submit }
    }

    /// A commit that adds.
    pub fn adds(&mut self, newcomers: &[Address], to: &[Address]) -> v1::Submit {
        let newcomers =
            newcomers.iter().map(|a| v1::Newcomer { address: a.to_field(), ..Default::default() });
        let welcome = v1::WelcomeOut {
            welcome: Bytes::from_static(b"welcome"),
            newcomers: newcomers.collect(),
            ..Default::default()
        };
        v1::Submit { welcome: Some(welcome), ..self.commits(to) }
    }

    /// The founding commit with a first message.
    pub fn founds(&mut self, newcomers: &[Address], text: &str) -> v1::Submit {
        let submit = self.adds(newcomers, &[]);
        v1::Submit { first: application(&self.id, 1, text), ..submit }
    }
}

/// The franking tag of a text in these tests.
pub fn tag_of(text: &str) -> [u8; 32] {
    token_hash(text.as_bytes())
}

pub fn application(group: &GroupId, epoch: u64, text: &str) -> Bytes {
    let mut aad = vec![35, 0, 0x20, 32];
    aad.extend(tag_of(text));
    private_message(group, epoch, 1, &aad, text.as_bytes())
}

/// MLSMessage(PrivateMessage) with a true head and anything for ciphertext.
pub fn private_message(group: &GroupId, epoch: u64, content_type: u8, aad: &[u8], text: &[u8]) -> Bytes {
    let mut m = vec![0, 1, 0, 2, 32];
    m.extend(group.0);
    m.extend(epoch.to_be_bytes());
    m.push(content_type);
    m.push(aad.len() as u8);
    m.extend(aad);
    m.extend([2, 1, 1]);
    match text.len() {
        short @ 0..64 => m.push(short as u8),
        middle @ 64..16_384 => m.extend((middle as u16 | 0x4000).to_be_bytes()),
        long => m.extend((long as u32 | 0x8000_0000).to_be_bytes()),
    }
    m.extend(text);
    m.into()
}

/// `from` founds a group with whoever owns `to`, showing `token`.
pub async fn introduces(from: &mut Person, to: Address, token: Option<Token>) -> (Group, v1::Submitted) {
    let mut group = Group::new();
    let mut submit = group.founds(&[to], "hello stranger");
    let welcome = submit.welcome.as_mut().expect("a founding commit");
    welcome.newcomers[0].token = token.map(Token::to_field).unwrap_or_default();
    let answer = from.submit(submit).await.expect("answered as sent");
    (group, answer)
}

/// Whether that came: a Welcome and the first message.
pub fn is_introduction(bodies: &[v1::entry::Body]) -> bool {
    matches!(bodies, [v1::entry::Body::Introduction(_), v1::entry::Body::Message(_)])
}
