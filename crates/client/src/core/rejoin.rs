//! A device that fell out of a conversation asks to be let in again; who is in answers with one commit.

use ed25519_dalek::Signer as _;
use zegel_proto::{AccountId, Address, DeviceId, GroupId, Message as _, address_tag, v1};

use super::{
    Core, Need,
    leaf::{LeafCheck, check_leaf},
    mailbox::Step,
    make::{Shape, read_key_package},
    seal_to,
};
use crate::{
    Result,
    db::{Conversation, ConversationState, Intent, ItemKind, NewItem},
};

/// HPKE info of a rejoin request.
const INFO: &[u8] = b"zegel rejoin";
/// How long an epoch may be missing before the device asks, milliseconds.
const PATIENCE_MS: u64 = 30_000;
/// How long an unanswered request stands before the next, milliseconds (three a day are allowed).
const AGAIN_MS: u64 = 8 * 3_600_000;
/// How old a request may be when it is answered, milliseconds.
const FRESH_MS: u64 = 28 * 86_400_000;

impl Core {
    /// Requests of ours that are due: an epoch has been missing for too long.
    pub(crate) fn due_rejoins(&mut self) -> Result<Vec<v1::RequestRejoin>> {
        let now = self.now_ms();
        let mut due = Vec::new();
        for conversation in self.db.conversations()? {
            let asked = self.asked_at(&conversation)?;
            let live = matches!(conversation.state, ConversationState::Open | ConversationState::Asked);
            let stuck =
                conversation.stuck_ms != 0 && now.saturating_sub(conversation.stuck_ms) >= PATIENCE_MS;
            if live && stuck && now.saturating_sub(asked) >= AGAIN_MS {
                due.push(self.step(|core| core.rejoin_message(&conversation, now))?);
            }
        }
        Ok(due)
    }

    fn asked_at(&self, conversation: &Conversation) -> Result<u64> {
        let stored = self.db.meta(&format!("rejoin {}", conversation.id))?;
        Ok(stored.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes))
    }

    fn rejoin_message(&mut self, conversation: &Conversation, now: u64) -> Result<v1::RequestRejoin> {
        self.db.set_meta(&format!("rejoin {}", conversation.id), &now.to_be_bytes())?;
        let address = Address::random();
        self.db.set_meta(&format!("rejoin address {}", conversation.id), &address.0)?;
        let key_package = self.key_package_at(&address, false)?;
        self.db.add_call(v1::client_frame::Body::BindAddress(v1::BindAddress {
            address: address.to_field(),
            tag: address_tag(&address, &conversation.group).to_vec().into(),
        }))?;
        let asked_ms = self.server_ms();
        let (account, device) = (self.me.account, self.me.device);
        let signed =
            zegel_identity::rejoin_message(&conversation.group.0, &account, &device, &key_package, asked_ms);
        let plain = v1::Rejoin {
            group_id: conversation.group.to_field(),
            account: account.to_field(),
            device: device.to_field(),
            key_package: key_package.into(),
            asked_ms,
            signature: self.me.signing.sign(&signed).to_vec().into(),
        }
        .encode_to_vec();
        let group = self.groups.get(&self.db, &self.crypto, &conversation.group)?;
        let seats = group.epoch(&self.crypto)?.seats.clone();
        let mut copies = Vec::new();
        for seat in seats.iter().filter(|seat| seat.device != device) {
            let Some(contact) = self.db.contact(&seat.account)? else { continue };
            let Some(listed) = contact.chain.device(&seat.device) else { continue };
            if let Some((encapsulated, sealed)) =
                seal_to(&listed.queue_key, INFO, &plain, &conversation.group.0)
            {
                let sealed =
                    [(encapsulated.len() as u16).to_be_bytes().as_slice(), &encapsulated, &sealed].concat();
                copies.push(v1::RejoinCopy { address: seat.address.to_field(), sealed: sealed.into() });
            }
        }
        Ok(v1::RequestRejoin { group_id: conversation.group.to_field(), copies })
    }

    /// Someone's device asks to be let in again. The lowest leaf answers; after a minute the next.
    pub(super) fn rejoin_request(&mut self, request: &v1::RejoinRequest) -> Result<Step> {
        if let Some(who) = self.rejoin_of(request) {
            // The device may have been revoked since we read its owner's list: an old one says nothing.
            match self.tried.get(&who) {
                None => return Ok(Step::Blocked(Need::Chains(vec![who]))),
                Some(false) => return Ok(Step::Done),
                Some(true) => {}
            }
        }
        let Some((conversation, rejoin)) = self.read_rejoin(request)? else { return Ok(Step::Done) };
        let (Ok(account), Ok(device)) =
            (AccountId::from_slice(&rejoin.account), DeviceId::from_slice(&rejoin.device))
        else {
            return Ok(Step::Done);
        };
        let group = self.groups.get(&self.db, &self.crypto, &conversation.group)?;
        let own = group.mls.own_leaf_index().u32();
        let epoch = group.epoch(&self.crypto)?;
        // Only accounts that still have a leaf are answered.
        if !epoch.seats.iter().any(|seat| seat.account == account) {
            return Ok(Step::Done);
        }
        let before_us =
            epoch.seats.iter().filter(|seat| seat.leaf < own && seat.device != device).count() as u64;
        let not_before = self.now_ms() + before_us * 60_000;
        let intent = Intent::Readd { account, device, key_package: rejoin.key_package.to_vec() };
        self.db.add_intent(conversation.id, &intent, 0, not_before)?;
        let text = format!("{}'s device asks to be let in again.", self.name_of(&account)?);
        self.db.add_item(&NewItem::line(conversation.id, ItemKind::Notice, &text))?;
        Ok(Step::Done)
    }

    /// Who asks, unverified, if the request is for a conversation of ours.
    fn rejoin_of(&self, request: &v1::RejoinRequest) -> Option<AccountId> {
        let group = GroupId::from_slice(&request.group_id).ok()?;
        self.db.conversation_of_group(&group).ok()??;
        AccountId::from_slice(&self.open_rejoin(&request.sealed, &group)?.account).ok()
    }

    /// Opens and verifies a request; what does not verify is nobody's and is dropped.
    fn read_rejoin(&mut self, request: &v1::RejoinRequest) -> Result<Option<(Conversation, v1::Rejoin)>> {
        let Ok(group) = GroupId::from_slice(&request.group_id) else { return Ok(None) };
        let Some(conversation) = self.db.conversation_of_group(&group)? else { return Ok(None) };
        if conversation.state != ConversationState::Open {
            return Ok(None);
        }
        let Some(rejoin) = self.open_rejoin(&request.sealed, &group) else { return Ok(None) };
        let account = AccountId::from_slice(&rejoin.account).ok();
        let device = DeviceId::from_slice(&rejoin.device).ok();
        let (Some(account), Some(device)) = (account, device) else { return Ok(None) };
        let Some(contact) = self.db.contact(&account)? else { return Ok(None) };
        let Some(listed) = contact.chain.device(&device) else { return Ok(None) };
        let signed =
            zegel_identity::rejoin_message(&group.0, &account, &device, &rejoin.key_package, rejoin.asked_ms);
        let age = self.server_ms().abs_diff(rejoin.asked_ms);
        let proven = zegel_identity::verify(&listed.signing_key, &signed, &rejoin.signature);
        let same_group = rejoin.group_id == group.0.as_slice();
        // Noted last: a request that its device did not sign must not make the device's own look old.
        let taken = age < FRESH_MS
            && proven
            && same_group
            && self.is_newest_request(&conversation, &device, rejoin.asked_ms)?;
        Ok(taken.then_some((conversation, rejoin)))
    }

    /// Whether no later request of this device was seen: an old one, sent again by someone, must not put the device
    /// out of its place.
    fn is_newest_request(
        &self,
        conversation: &Conversation,
        device: &DeviceId,
        asked_ms: u64,
    ) -> Result<bool> {
        let key = format!("rejoin of {} {}", conversation.id, device.to_hex());
        let last = self.db.meta(&key)?.and_then(|bytes| bytes.try_into().ok()).map_or(0, u64::from_be_bytes);
        if asked_ms <= last {
            return Ok(false);
        }
        self.db.set_meta(&key, &asked_ms.to_be_bytes())?;
        Ok(true)
    }

    fn open_rejoin(&self, sealed: &[u8], group: &GroupId) -> Option<v1::Rejoin> {
        let (len, rest) = sealed.split_at_checked(2)?;
        let len = u16::from_be_bytes(len.try_into().ok()?);
        let (encapsulated, ciphertext) = rest.split_at_checked(len.into())?;
        let plain = self.me.open_sealed(encapsulated, ciphertext, INFO, &group.0)?;
        v1::Rejoin::decode(plain.as_slice()).ok()
    }

    /// The commit that answers: out with the old leaf, in with the new; `None` if it is settled already.
    pub(super) fn readd_shape(
        &mut self,
        conversation: &Conversation,
        account: &AccountId,
        device: &DeviceId,
        key_package: &[u8],
    ) -> Result<Option<Shape>> {
        let Some(key_package) = read_key_package(&self.crypto, key_package) else { return Ok(None) };
        if key_package.ciphersuite() != super::suite::SUITE {
            return Ok(None);
        }
        let LeafCheck::Good(seat) = check_leaf(&self.db, u32::MAX, key_package.leaf_node())? else {
            return Ok(None);
        };
        let group = self.groups.get(&self.db, &self.crypto, &conversation.group)?;
        let seats = &group.epoch(&self.crypto)?.seats;
        let member = seats.iter().any(|s| s.account == *account);
        let answered = seats.iter().any(|s| s.address == seat.address);
        if (seat.account, seat.device) != (*account, *device) || !member || answered {
            return Ok(None);
        }
        let remove = seats.iter().filter(|s| s.device == *device).map(|s| s.leaf).collect();
        Ok(Some(Shape { add: vec![(key_package, seat.address)], remove, ..Shape::default() }))
    }
}
