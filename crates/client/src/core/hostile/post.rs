//! A post office that stamps, numbers and carries, and checks nothing.

use sha2::{Digest, Sha256};
use zegel_franking::{Context, ZERO_TAG};
use zegel_proto::{GroupId, Kind as MlsKind, Message as _, read_mls_head, room_of, v1};

use super::world::{World, clock};
use crate::core::{Need, mailbox::Opened};

/// A submission on its way.
pub(super) struct Letter {
    pub from: usize,
    pub group: GroupId,
    pub submit: v1::Submit,
}

impl World {
    /// What an honest service would stamp next.
    pub fn context(&mut self, from: usize, group: &GroupId, message: &[u8]) -> Context {
        let head = read_mls_head(message).expect("a head");
        let (server_seq, prev_stamp_hash) = *self.heads.entry(*group).or_insert((1, [0; 32]));
        Context {
            key_id: 1,
            sender_account: self.at(from).me.account.0,
            sender_device: self.at(from).me.device.0,
            room: room_of(group).0,
            epoch: head.epoch,
            server_seq,
            accepted_ms: clock(),
            franking_tag: match head.kind {
                MlsKind::Application { franking_tag } => franking_tag,
                MlsKind::Commit => ZERO_TAG,
            },
            message_hash: Sha256::digest(message).into(),
            prev_stamp_hash,
        }
    }

    /// Stamps, and the conversation's head moves on.
    pub fn stamp(&mut self, group: &GroupId, context: &Context) -> v1::Stamped {
        self.heads.insert(*group, (context.server_seq + 1, context.hash()));
        // Receivers cannot check the MAC.
        v1::Stamped { context: context.to_bytes().to_vec().into(), stamp: vec![9; 32].into() }
    }

    pub fn stamps(&mut self, letter: &Letter) -> Vec<v1::Stamped> {
        let (from, group) = (letter.from, letter.group);
        let sent = [&letter.submit.message, &letter.submit.first];
        let mut stamps = Vec::new();
        for message in sent.into_iter().filter(|message| !message.is_empty()) {
            let context = self.context(from, &group, message);
            stamps.push(self.stamp(&group, &context));
        }
        stamps
    }

    pub fn deliver(&mut self, letter: &Letter) {
        self.deliver_but(letter, &[]);
    }

    /// Delivers, and leaves some people out.
    pub fn deliver_but(&mut self, letter: &Letter, without: &[usize]) {
        let stamps = self.stamps(letter);
        self.confirm(letter, &stamps);
        let others = (0..self.devices.len()).filter(|who| *who != letter.from && !without.contains(who));
        for to in others {
            if self.at(to).db.conversation_of_group(&letter.group).expect("the database").is_some() {
                self.hand(to, message(&letter.group, &letter.submit.message, &stamps[0]));
            }
            if let Some(introduction) = self.introduction(to, letter, &stamps[0]) {
                self.hand(to, v1::entry::Body::Introduction(introduction));
                if let Some(stamped) = stamps.get(1) {
                    self.hand(to, message(&letter.group, &letter.submit.first, stamped));
                }
            }
        }
    }

    pub fn confirm(&mut self, letter: &Letter, stamps: &[v1::Stamped]) {
        let submission_id = letter.submit.submission_id.clone();
        let confirmation = v1::Confirmation { submission_id, stamps: stamps.to_vec() };
        self.hand(letter.from, v1::entry::Body::Confirmation(confirmation));
    }

    /// What a newcomer gets, if `to` is one.
    pub fn introduction(&self, to: usize, letter: &Letter, origin: &v1::Stamped) -> Option<v1::Introduction> {
        let welcome = letter.submit.welcome.as_ref()?;
        let newcomer = welcome.newcomers.iter().find(|newcomer| {
            let address = zegel_proto::Address::from_slice(&newcomer.address).expect("an address");
            self.at(to).db.offer(&address).expect("the database").is_some()
        })?;
        Some(v1::Introduction {
            origin: Some(origin.clone()),
            welcome: welcome.welcome.clone(),
            group_id: letter.group.to_field(),
            address: newcomer.address.clone(),
            token: newcomer.token.clone(),
            ..Default::default()
        })
    }

    /// Puts an entry into a mailbox; the device takes it, and fetches what it needs first.
    pub fn hand(&mut self, to: usize, body: v1::entry::Body) {
        self.hand_all(to, [body]);
    }

    /// Several, in one batch.
    pub fn hand_all<const N: usize>(&mut self, to: usize, bodies: [v1::entry::Body; N]) {
        let opened = bodies.map(|body| {
            let seq = self.devices[to].next;
            self.devices[to].next += 1;
            Opened { seq, entry: Ok(v1::Entry { body: Some(body), padding: Default::default() }) }
        });
        let taken = self.core(to).take(&opened).expect("a batch never fails");
        assert_eq!(taken.ack, Some(self.devices[to].next - 1));
        self.settle(to);
    }

    fn settle(&mut self, to: usize) {
        for group in self.at(to).db.held_groups().expect("the database") {
            self.core(to).tried.clear();
            while self.at(to).db.first_held(&group).expect("the database").is_some() {
                match self.core(to).take_held(&group, None).expect("taken") {
                    None => self.core(to).tried.clear(),
                    Some(Need::Chains(accounts)) => {
                        for account in &accounts {
                            self.look_up(to, account);
                            self.fetched += 1;
                        }
                        let read = accounts.into_iter().map(|account| (account, true));
                        self.core(to).tried.extend(read);
                    }
                    Some(Need::Tree { .. }) => unreachable!("groups are small here"),
                }
            }
        }
    }
}

pub(super) fn letter(from: usize, submit: &[u8]) -> Letter {
    let submit = v1::Submit::decode(submit).expect("a submission");
    Letter { from, group: GroupId::from_slice(&submit.group_id).expect("a group"), submit }
}

pub(super) fn message(group: &GroupId, bytes: &[u8], stamped: &v1::Stamped) -> v1::entry::Body {
    v1::entry::Body::Message(v1::Message {
        stamped: Some(stamped.clone()),
        message: bytes.to_vec().into(),
        group_id: group.to_field(),
        ..Default::default()
    })
}
