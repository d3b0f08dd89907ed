//! A conversation as the server sees one: a head, addresses, and messages whose clear heads are true and whose
//! ciphertexts are random.

use bytes::Bytes;
use zegel_proto::{
    Address, GroupId, MAX_ADDS, Message as _, SubmissionId, address_tag, token_hash,
    v1::{self, client_frame as ask},
};

use super::{Client, together};
use crate::common::Result;

/// Length of a key package of the post-quantum suite, and about that of a Welcome for one.
const KEY_PACKAGE: usize = 2600;
const WELCOME: usize = 3900;

/// The call number of the first frame that was built beforehand; above those of other calls.
pub const BUILT: u64 = 1 << 32;

/// Messages made beforehand.
pub struct Built {
    /// As their receivers get them.
    pub messages: Vec<Bytes>,
    /// As their sender sends them.
    pub frames: Vec<Bytes>,
}

/// See the module.
pub struct Talk {
    group: GroupId,
    epoch: u64,
    addresses: Vec<Address>,
}

impl Talk {
    /// Founds a conversation of the founder with the others, who accept it. Every mailbox is empty afterwards.
    pub async fn found(founder: &mut Client, others: &mut [Client]) -> Result<Self> {
        let mut talk = Self::new();
        let stocked = others.iter_mut().map(stock);
        let addresses = together(stocked).await?;
        let mut commits = 0;
        for newcomers in addresses.chunks(MAX_ADDS) {
            let newcomer =
                |address: &Address| v1::Newcomer { address: address.to_field(), ..Default::default() };
            let submit = talk.adds(newcomers.iter().map(newcomer).collect());
            founder.call(ask::Body::Submit(submit)).await?;
            talk.addresses.extend(newcomers);
            commits += 1;
        }
        founder.drain(commits).await?;
        let group = talk.group;
        let accepted =
            others.iter_mut().zip(&addresses).enumerate().map(|(n, (client, address))| async move {
                let tag = Bytes::copy_from_slice(&address_tag(address, &group));
                let accept = v1::AcceptAddress { address: address.to_field(), tag };
                client.call(ask::Body::AcceptAddress(accept)).await?;
                // The Welcome, the first message for the founding ones, and every commit after theirs.
                let founding = usize::from(n < MAX_ADDS);
                client.drain(1 + founding + (commits - 1 - n / MAX_ADDS)).await.map(drop)
            });
        together(accepted).await?;
        Ok(talk)
    }

    /// One that is not founded yet.
    pub fn new() -> Self {
        Self { group: GroupId::random(), epoch: 0, addresses: Vec::new() }
    }

    /// A commit that adds; the first one founds the conversation and brings a first message.
    pub fn adds(&mut self, newcomers: Vec<v1::Newcomer>) -> v1::Submit {
        let welcome = v1::WelcomeOut { welcome: random(WELCOME).into(), newcomers, ..Default::default() };
        let mut submit = self.submit(self.message(self.epoch, 3, &[0], KEY_PACKAGE));
        self.epoch += 1;
        submit.next_token_hash = Bytes::copy_from_slice(&token_hash(&self.token()));
        submit.welcome = Some(welcome);
        if self.epoch == 1 {
            submit.first = self.application(256);
        }
        submit
    }

    /// From now on messages go to a newcomer too.
    pub fn join(&mut self, newcomer: &v1::Newcomer) -> Result {
        self.addresses.push(Address::from_slice(&newcomer.address)?);
        Ok(())
    }

    /// A short text to everybody.
    pub fn text(&self) -> v1::Submit {
        self.submit(self.application(256))
    }

    /// An application message with a random ciphertext of `len` bytes.
    fn application(&self, len: usize) -> Bytes {
        let mut tag = vec![35, 0, 0x20, 32];
        tag.extend(random(32));
        self.message(self.epoch, 1, &tag, len)
    }

    /// Messages with ciphertexts of `len` bytes, and the frames that submit them to everybody: call [`BUILT`] and on.
    pub fn build(&self, count: usize, len: usize) -> Built {
        let messages: Vec<Bytes> = (0..count).map(|_| self.application(len)).collect();
        let frame = |(n, message): (usize, &Bytes)| {
            let body = Some(ask::Body::Submit(self.submit(message.clone())));
            v1::ClientFrame { call: BUILT + n as u64, body }.encode_to_vec().into()
        };
        let frames = messages.iter().enumerate().map(frame).collect();
        Built { messages, frames }
    }

    fn submit(&self, message: Bytes) -> v1::Submit {
        v1::Submit {
            submission_id: SubmissionId::random().to_field(),
            group_id: self.group.to_field(),
            epoch: self.epoch,
            token: self.token().into(),
            message,
            addresses: self.addresses.iter().map(|address| address.to_field()).collect(),
            ..Default::default()
        }
    }

    /// The token of an epoch: made from its number, where a real one comes from the MLS exporter.
    fn token(&self) -> Vec<u8> {
        [&self.group.0[..24], &self.epoch.to_be_bytes()].concat()
    }

    /// MLSMessage(PrivateMessage), as RFC 9420 section 6.3 lays it out.
    fn message(&self, epoch: u64, content_type: u8, authenticated: &[u8], len: usize) -> Bytes {
        let mut message = vec![0, 1, 0, 2, 32];
        message.extend(self.group.0);
        message.extend(epoch.to_be_bytes());
        message.push(content_type);
        message.push(authenticated.len() as u8);
        message.extend(authenticated);
        message.push(28);
        message.extend(random(28));
        match len {
            0..64 => message.push(len as u8),
            64..0x4000 => message.extend((len as u16 | 0x4000).to_be_bytes()),
            _ => message.extend((len as u32 | 0x8000_0000).to_be_bytes()),
        }
        message.extend(random(len));
        message.into()
    }
}

/// Leaves a key package; returns the address inside it.
async fn stock(client: &mut Client) -> Result<Address> {
    let address = Address::random();
    let package =
        v1::StockedKeyPackage { key_package: random(KEY_PACKAGE).into(), address: address.to_field() };
    let publish = v1::PublishKeyPackages { packages: vec![package], ..Default::default() };
    client.call(ask::Body::PublishKeyPackages(publish)).await?;
    Ok(address)
}

/// So many random bytes.
pub fn random(len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    rand::fill(&mut bytes[..]);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;
    use zegel_proto::{Kind, read_mls_head};

    #[test]
    fn messages_have_the_head_that_the_contract_wants() {
        let talk = Talk { group: GroupId::random(), epoch: 3, addresses: Vec::new() };
        for len in [0, 63, 64, 256, 0x3fff, 0x4000] {
            let head = read_mls_head(&talk.application(len)).expect("a head");
            assert!(head.group == talk.group && head.epoch == 3);
            assert!(matches!(head.kind, Kind::Application { .. }));
        }
        let commit = read_mls_head(&talk.message(0, 3, &[0], 100)).expect("a head");
        assert_eq!(commit.kind, Kind::Commit);
    }
}
