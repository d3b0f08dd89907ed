//! Somebody with one device, and messages that look like MLS to a server.

use ed25519_dalek::Signer as _;
use hpke::{Kem as _, Serializable as _, kem::XWing};
use zegel_identity::{Action, DeviceInfo, Signer, SigningKey, auth_message, new_signing_key, sign_link};
use zegel_proto::{
    AccountId, Address, DeviceId, GroupId, SubmissionId, address_tag, token_hash,
    v1::{self, client_frame as ask, server_frame as tell},
};

use super::{Client, Server};

pub struct Person {
    pub account: AccountId,
    pub device: DeviceId,
    pub handle: String,
    key: SigningKey,
}

impl Person {
    pub fn new(handle: &str) -> Self {
        let (account, device) = (AccountId::random(), DeviceId::random());
        Self { account, device, handle: handle.into(), key: new_signing_key() }
    }
    /// What makes the account.
    pub fn registration(&self, invite: &str) -> ask::Body {
        let (_, queue_key) = XWing::gen_keypair();
        let device = DeviceInfo::new(&self.account, self.device, &self.key, queue_key.to_bytes().to_vec());
        let action = Action::Create {
            handle: self.handle.clone(),
            app: "zegel".into(),
            domain: "localhost".into(),
            device,
            recovery: new_signing_key().verifying_key().to_bytes(),
        };
        let signer = Signer::Device(self.device);
        let link = sign_link(self.account, (0, [0; 32]), 0, action, signer, &self.key);
        ask::Body::Register(v1::Register {
            app: "zegel".into(),
            handle: self.handle.clone(),
            age_band: v1::AgeBand::Adult as i32,
            language: "en".into(),
            invite: invite.into(),
            entry: Some(link.into()),
        })
    }
    /// Registers with an open server.
    pub async fn register(&self, server: &Server) {
        let (mut client, _) = Client::greeted(server).await;
        let answer = client.call(self.registration("")).await;
        assert!(matches!(answer, tell::Body::Promised(_)), "{answer:?}");
    }
    pub fn proof(&self, hello: &v1::HelloAnswer) -> ask::Body {
        ask::Body::Authenticate(self.authentication(hello, false))
    }
    /// What somebody shows who may be suspended, to appeal.
    pub fn proof_for_appeal(&self, hello: &v1::HelloAnswer) -> ask::Body {
        ask::Body::Authenticate(self.authentication(hello, true))
    }
    fn authentication(&self, hello: &v1::HelloAnswer, appeal_only: bool) -> v1::Authenticate {
        let message = auth_message(&hello.domain, &hello.nonce, &self.account, &self.device);
        v1::Authenticate {
            account: self.account.to_field(),
            device: self.device.to_field(),
            signature: self.key.sign(&message).to_vec().into(),
            appeal_only,
        }
    }
    /// Connects and authenticates.
    pub async fn connect(&self, server: &Server) -> (Client, v1::Authenticated) {
        let (client, hello) = Client::greeted(server).await;
        self.authenticate(client, hello).await
    }
    pub async fn authenticate(
        &self,
        mut client: Client,
        hello: v1::HelloAnswer,
    ) -> (Client, v1::Authenticated) {
        match client.call(self.proof(&hello)).await {
            tell::Body::Authenticated(answer) => (client, answer),
            other => panic!("Authenticate was answered with {other:?}"),
        }
    }
}

/// A conversation at epoch 1.
pub struct Group {
    pub id: GroupId,
    token: [u8; 32],
}

/// A message's number in its conversation, as its stamped context says.
pub fn place_in(context: &[u8]) -> u64 {
    zegel_franking::Context::from_bytes(context).expect("a context").server_seq
}

/// The key that stamped a message, as its context says.
pub fn key_in(context: &[u8]) -> u32 {
    zegel_franking::Context::from_bytes(context).expect("a context").key_id
}

impl Group {
    /// A conversation that no server knows.
    pub fn found_nowhere() -> Self {
        Self { id: GroupId::random(), token: [1; 32] }
    }
    /// Founds a conversation with nobody in it but the founder.
    pub async fn found(client: &mut Client) -> Self {
        let group = Self { id: GroupId::random(), token: GroupId::random().0 };
        let submit = v1::Submit {
            submission_id: SubmissionId::random().to_field(),
            group_id: group.id.to_field(),
            token: vec![0; 32].into(),
            message: group.message(3, 0, &[0], 100).into(),
            next_token_hash: token_hash(&group.token).to_vec().into(),
            ..Default::default()
        };
        let answer = client.call(ask::Body::Submit(submit)).await;
        assert!(matches!(answer, tell::Body::Submitted(_)), "{answer:?}");
        group
    }
    /// Binds a fresh address of whoever calls to this conversation.
    pub async fn address_of(&self, client: &mut Client) -> Address {
        let address = Address::random();
        let tag = address_tag(&address, &self.id).to_vec().into();
        let bind = v1::BindAddress { address: address.to_field(), tag };
        let answer = client.call(ask::Body::BindAddress(bind)).await;
        assert!(matches!(answer, tell::Body::Done(_)), "{answer:?}");
        address
    }
    /// An application message of about `len` bytes.
    pub fn submit(&self, to: &[Address], len: usize) -> ask::Body {
        self.submit_tagged(to, len, [7; 32])
    }
    /// An application message that commits to a content.
    pub fn submit_tagged(&self, to: &[Address], len: usize, franking_tag: [u8; 32]) -> ask::Body {
        let mut tag = vec![35, 0, 0x20, 32];
        tag.extend(franking_tag);
        ask::Body::Submit(v1::Submit {
            submission_id: SubmissionId::random().to_field(),
            group_id: self.id.to_field(),
            epoch: 1,
            token: self.token.to_vec().into(),
            message: self.message(1, 1, &tag, len).into(),
            addresses: to.iter().map(|address| address.to_field()).collect(),
            ..Default::default()
        })
    }
    /// MLSMessage(PrivateMessage) with a ciphertext of `len` bytes.
    fn message(&self, content_type: u8, epoch: u64, authenticated: &[u8], len: usize) -> Vec<u8> {
        let mut message = vec![0, 1, 0, 2, 32];
        message.extend(self.id.0);
        message.extend(epoch.to_be_bytes());
        message.push(content_type);
        message.push(authenticated.len() as u8);
        message.extend(authenticated);
        message.extend([2, 1, 1]);
        match len {
            0..64 => message.push(len as u8),
            64..0x4000 => message.extend((len as u16 | 0x4000).to_be_bytes()),
            _ => message.extend((len as u32 | 0x8000_0000).to_be_bytes()),
        }
        message.extend(vec![3; len]);
        message
    }
}
