//! Somebody who speaks bare frames: with the server, and with no rule but their own.

use std::time::Duration;

use ed25519_dalek::Signer as _;
use futures_util::{SinkExt as _, StreamExt as _};
use hpke::{Kem as _, Serializable as _, kem::XWing};
use tokio::net::TcpStream;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message};
use zegel_directory::SignedRoot;
use zegel_identity::{
    Action, Chain, DeviceInfo, SignedLink, Signer, SigningKey, auth_message, new_signing_key, sign_link,
};
use zegel_proto::{
    AccountId, Address, Code, DeviceId, GroupId, Message as _, VERSION,
    v1::{self, client_frame as ask, server_frame as tell},
};

use super::wait::within;
use crate::drill::{Failure, Verdict};

const PATIENCE: Duration = Duration::from_secs(20);

/// The code of an answer that is a refusal.
pub fn code_of(answer: &tell::Body) -> Option<Code> {
    match answer {
        tell::Body::Error(error) => Some(Code::from_wire(error.code)),
        _ => None,
    }
}

/// An account with one device, of which the attacker has all keys.
pub struct Keys {
    /// The account.
    pub account: AccountId,
    /// Its device.
    pub device: DeviceId,
    /// Its handle.
    pub handle: String,
    /// The age that it registers with.
    pub age_band: v1::AgeBand,
    /// The invite that it registers with; mostly none.
    pub invite: String,
    /// The device's key.
    pub key: SigningKey,
    /// What mail is sealed to.
    pub queue_key: Vec<u8>,
}

impl Keys {
    /// A new account that no server knows.
    pub fn new(handle: &str) -> Self {
        Self {
            account: AccountId::random(),
            device: DeviceId::random(),
            handle: handle.into(),
            age_band: v1::AgeBand::Adult,
            invite: String::new(),
            key: new_signing_key(),
            queue_key: XWing::gen_keypair().1.to_bytes().to_vec(),
        }
    }

    /// Another device that calls itself one of an account's.
    pub fn device_of(account: AccountId, handle: &str) -> Self {
        Self { account, ..Self::new(handle) }
    }

    /// How a chain lists it.
    pub fn info(&self) -> DeviceInfo {
        DeviceInfo::new(&self.account, self.device, &self.key, self.queue_key.clone())
    }

    /// The chain's first link.
    pub fn first_link(&self, domain: &str) -> SignedLink {
        let action = Action::Create {
            handle: self.handle.clone(),
            app: "zegel".into(),
            domain: domain.into(),
            device: self.info(),
            recovery: new_signing_key().verifying_key().to_bytes(),
        };
        self.sign((0, [0; 32]), action)
    }

    /// A link after `after`, signed by this device.
    pub fn sign(&self, after: (u64, [u8; 32]), action: Action) -> SignedLink {
        sign_link(self.account, after, 0, action, Signer::Device(self.device), &self.key)
    }
}

/// A message as the server sees one: the head of a PrivateMessage, and noise.
pub fn hollow_message(group: &GroupId, epoch: u64, content_type: u8, authenticated: &[u8]) -> Vec<u8> {
    let epoch = epoch.to_be_bytes();
    let parts: [&[u8]; 8] = [
        &[0, 1, 0, 2, 32],
        &group.0,
        &epoch,
        &[content_type],
        &[authenticated.len() as u8],
        authenticated,
        &[2, 1, 1, 60],
        &[3; 60],
    ];
    parts.concat()
}

/// A connection.
pub struct Stranger {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    next: u64,
    hello: v1::HelloAnswer,
}

impl Stranger {
    /// Connects to `ADDRESS:PORT` and says hello.
    pub async fn connect(server: &str) -> Verdict<Self> {
        let (socket, _) = connect_async(format!("ws://{server}/v1/socket")).await?;
        let mut stranger = Self { socket, next: 1, hello: v1::HelloAnswer::default() };
        let hello = v1::Hello { versions: vec![VERSION], ..Default::default() };
        match stranger.call(ask::Body::Hello(hello)).await? {
            tell::Body::Hello(answer) => stranger.hello = answer,
            other => return Err(Failure::NotRun(format!("Hello was answered with {other:?}"))),
        }
        Ok(stranger)
    }

    /// Calls, and gives the answer; what is pushed meanwhile is left unread.
    pub async fn call(&mut self, body: ask::Body) -> Verdict<tell::Body> {
        let call = self.next;
        self.next += 1;
        let frame = v1::ClientFrame { call, body: Some(body) }.encode_to_vec();
        self.socket.send(Message::Binary(frame.into())).await?;
        within(PATIENCE, "an answer", self.answer_to(call)).await?
    }

    async fn answer_to(&mut self, call: u64) -> Verdict<tell::Body> {
        while let Some(message) = self.socket.next().await {
            let Message::Binary(bytes) = message? else { continue };
            let frame = v1::ServerFrame::decode(bytes)?;
            if frame.call == call {
                return Ok(frame.body.ok_or("an answer without a body")?);
            }
        }
        Err(Failure::NotRun("the connection ended without an answer".into()))
    }

    /// Registers an account.
    pub async fn register(&mut self, keys: &Keys) -> Verdict<tell::Body> {
        let register = v1::Register {
            app: "zegel".into(),
            handle: keys.handle.clone(),
            age_band: keys.age_band as i32,
            language: "en".into(),
            invite: keys.invite.clone(),
            entry: Some(keys.first_link(&self.hello.domain).into()),
        };
        self.call(ask::Body::Register(register)).await
    }

    /// Proves a device's key.
    pub async fn authenticate(&mut self, keys: &Keys) -> Verdict<tell::Body> {
        self.prove(keys, false).await
    }

    /// Proves a device's key, to read what was decided and to appeal.
    pub async fn authenticate_to_appeal(&mut self, keys: &Keys) -> Verdict<tell::Body> {
        self.prove(keys, true).await
    }

    async fn prove(&mut self, keys: &Keys, appeal_only: bool) -> Verdict<tell::Body> {
        let message = auth_message(&self.hello.domain, &self.hello.nonce, &keys.account, &keys.device);
        let authenticate = v1::Authenticate {
            account: keys.account.to_field(),
            device: keys.device.to_field(),
            signature: keys.key.sign(&message).to_vec().into(),
            appeal_only,
        };
        self.call(ask::Body::Authenticate(authenticate)).await
    }

    /// A new account, registered and authenticated on a connection of its own.
    pub async fn member(server: &str, keys: &Keys) -> Verdict<Self> {
        let mut stranger = Self::connect(server).await?;
        if let Some(code) = code_of(&stranger.register(keys).await?) {
            return Err(Failure::NotRun(format!("{} could not register: {code:?}", keys.handle)));
        }
        match stranger.authenticate(keys).await? {
            tell::Body::Authenticated(_) => Ok(stranger),
            other => Err(Failure::NotRun(format!("{} could not connect: {other:?}", keys.handle))),
        }
    }

    /// What the service says about a handle.
    pub async fn account(&mut self, handle: &str) -> Verdict<v1::AccountAnswer> {
        let fetch = v1::FetchAccount { handle: handle.into(), ..Default::default() };
        match self.call(ask::Body::FetchAccount(fetch)).await? {
            tell::Body::Account(answer) => Ok(answer),
            other => Err(Failure::NotRun(format!("{handle} was not found: {other:?}"))),
        }
    }

    /// A root of the directory; 0 is the newest.
    pub async fn root(&mut self, from: u64) -> Verdict<SignedRoot> {
        let answer = self.root_answer(from).await?;
        Ok(SignedRoot::try_from(answer.root.as_ref().ok_or("an answer without a root")?)?)
    }

    /// The same as it was answered.
    pub async fn root_answer(&mut self, from: u64) -> Verdict<v1::RootAnswer> {
        match self.call(ask::Body::FetchRoot(v1::FetchRoot { from, to: None })).await? {
            tell::Body::Root(answer) => Ok(answer),
            other => Err(Failure::NotRun(format!("there is no root {from}: {other:?}"))),
        }
    }

    /// The links of a handle's chain.
    pub async fn links(&mut self, handle: &str) -> Verdict<Vec<SignedLink>> {
        Ok(self.account(handle).await?.chain.into_iter().map(SignedLink::from).collect())
    }

    /// A device as its owner's chain lists it.
    pub async fn device_of(&mut self, handle: &str, device: &DeviceId) -> Verdict<DeviceInfo> {
        let chain = Chain::verify(&self.links(handle).await?)?;
        Ok(chain.device(device).cloned().ok_or("the chain does not list the device")?)
    }

    /// Leaves key packages with the service.
    pub async fn publish(&mut self, packages: Vec<(Vec<u8>, Address)>) -> Verdict<()> {
        let stocked = |(key_package, address): (Vec<u8>, Address)| v1::StockedKeyPackage {
            key_package: key_package.into(),
            address: address.to_field(),
        };
        let packages = packages.into_iter().map(stocked).collect();
        let publish = v1::PublishKeyPackages { packages, last_resort: None, replace: true };
        match self.call(ask::Body::PublishKeyPackages(publish)).await? {
            tell::Body::Done(_) => Ok(()),
            other => Err(Failure::NotRun(format!("key packages were refused: {other:?}"))),
        }
    }

    /// Takes key packages of an account.
    pub async fn key_packages(&mut self, account: &AccountId) -> Verdict<Vec<v1::DeviceKeyPackage>> {
        let fetch = v1::FetchKeyPackages { accounts: vec![account.to_field()] };
        match self.call(ask::Body::FetchKeyPackages(fetch)).await? {
            tell::Body::KeyPackages(answer) => Ok(answer.packages),
            other => Err(Failure::NotRun(format!("no key packages: {other:?}"))),
        }
    }

    /// Adds a link to the account's own chain.
    pub async fn append(&mut self, link: SignedLink) -> Verdict<tell::Body> {
        self.call(ask::Body::AppendChain(v1::AppendChain { entry: Some(link.into()) })).await
    }

    /// Waits until so many entries of mail were pushed; how many came.
    pub async fn pushed_deliveries(&mut self, count: usize) -> Verdict<usize> {
        let mut came = 0;
        let pushed = async {
            while came < count
                && let Some(message) = self.socket.next().await
            {
                let Message::Binary(bytes) = message? else { continue };
                if let Some(tell::Body::Deliver(deliver)) = v1::ServerFrame::decode(bytes)?.body {
                    came += deliver.entries.len();
                }
            }
            Ok::<_, Failure>(())
        };
        within(PATIENCE, "mail", pushed).await??;
        Ok(came)
    }
}
