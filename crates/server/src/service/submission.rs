//! A submission, checked and prepared as far as that needs no store: this runs on many threads, and leaves the
//! one writer little to do.

use std::collections::HashSet;

use bytes::Bytes;
use zegel_franking::ZERO_TAG;
use zegel_proto::{
    AccountId, Address, DeviceId, GroupId, Kind, MAX_ADDRESSES, MAX_ADDS, Message as _, RoomId,
    SHARED_ADDRESSES, SHARED_BYTES, SubmissionId, Token, read_mls_head, room_of, token_hash, v1,
};

use super::{
    address_value::Target,
    refusal::Refusal,
    seal::{AnswerKey, Payload, TokenKey, sha256},
};
use crate::keys::KeyRing;

/// Bytes that go to many: in each entry, or once as a payload that each entry refers to.
pub(super) struct Carried {
    /// Empty if there is a payload.
    pub(super) inline: Bytes,
    pub(super) payload: Option<Payload>,
}

impl Carried {
    fn new(bytes: Bytes, receivers: usize) -> Self {
        match receivers >= SHARED_ADDRESSES || bytes.len() > SHARED_BYTES {
            true => Self { payload: Some(Payload::new(&bytes)), inline: Bytes::new() },
            false => Self { inline: bytes, payload: None },
        }
    }
}

/// A message to be stamped.
pub(super) struct Piece {
    pub(super) epoch: u64,
    pub(super) is_commit: bool,
    pub(super) tag: [u8; 32],
    pub(super) hash: [u8; 32],
    pub(super) carried: Carried,
}

/// Somebody whom a commit adds.
pub(super) struct Newcomer {
    pub(super) target: Target,
    pub(super) address: Address,
    pub(super) token: Option<(Token, TokenKey)>,
}

/// The Welcome of a commit that adds.
pub(super) struct Welcome {
    pub(super) carried: Carried,
    pub(super) tree_blob: Bytes,
    pub(super) newcomers: Vec<Newcomer>,
}

/// The whole.
pub(super) struct Submission {
    pub(super) sender: (AccountId, DeviceId),
    pub(super) id: SubmissionId,
    pub(super) answer: AnswerKey,
    pub(super) group: GroupId,
    pub(super) room: RoomId,
    pub(super) token_hash: [u8; 32],
    pub(super) message: Piece,
    pub(super) first: Option<Piece>,
    pub(super) next_token_hash: Option<[u8; 32]>,
    pub(super) targets: Vec<Target>,
    pub(super) welcome: Option<Welcome>,
}

impl Submission {
    pub(super) fn prepare(
        mut call: v1::Submit,
        sender: (AccountId, DeviceId),
        keys: &KeyRing,
    ) -> Result<Self, Refusal> {
        let id = SubmissionId::from_slice(&call.submission_id)?;
        let group = GroupId::from_slice(&call.group_id)?;
        let newcomers = call.welcome.as_ref().map_or(0, |w| w.newcomers.len());
        if call.addresses.len() > MAX_ADDRESSES || newcomers > MAX_ADDS {
            let text =
                format!("at most {MAX_ADDRESSES} addresses and {MAX_ADDS} newcomers at once; send in parts");
            return Err(Refusal::bad_request(text));
        }
        let (message, message_hash) = take_hashed(&mut call.message);
        let (first, first_hash) = take_hashed(&mut call.first);
        let answer = AnswerKey::new(&id, content_hash(&call, &sender));
        let message = piece(&group, call.epoch, message, message_hash, call.addresses.len())?;
        let first = match first.is_empty() {
            true => None,
            false => Some(piece(&group, 1, first, first_hash, newcomers)?),
        };
        let founding = message.is_commit && message.epoch == 0;
        if first.as_ref().is_some_and(|first| first.is_commit || !founding) {
            let text = "`first` is for the first application message of a group that this commit founds";
            return Err(Refusal::bad_message(text));
        }
        if call.welcome.is_some() && !message.is_commit {
            return Err(Refusal::bad_message("only a commit brings a Welcome"));
        }
        let next_token_hash = match (message.is_commit, call.next_token_hash.is_empty()) {
            (true, _) => Some(
                call.next_token_hash
                    .as_ref()
                    .try_into()
                    .map_err(|_| Refusal::bad_message("a commit needs `next_token_hash`: 32 bytes"))?,
            ),
            (false, true) => None,
            (false, false) => return Err(Refusal::bad_message("only a commit brings `next_token_hash`")),
        };
        let token_hash = token_hash(&call.token);
        let mut seen = HashSet::new();
        let targets = targets(keys, &group, &call.addresses, &mut seen)?;
        let welcome =
            call.welcome.map(|welcome| prepare_welcome(keys, &group, welcome, &mut seen)).transpose()?;
        let room = room_of(&group);
        Ok(Self {
            sender,
            id,
            answer,
            group,
            room,
            token_hash,
            message,
            first,
            next_token_hash,
            targets,
            welcome,
        })
    }
}

/// Takes a message out of a call, and leaves its hash there.
fn take_hashed(field: &mut Bytes) -> (Bytes, [u8; 32]) {
    let hash = sha256(field);
    (std::mem::replace(field, Bytes::copy_from_slice(&hash)), hash)
}

/// A hash of everything submitted and by whom, so that an id serves one content only. The two messages stand in
/// the call by their hashes.
fn content_hash(call: &v1::Submit, sender: &(AccountId, DeviceId)) -> [u8; 32] {
    let mut whole = Vec::with_capacity(2 * AccountId::LEN + call.encoded_len());
    whole.extend_from_slice(&sender.0.0);
    whole.extend_from_slice(&sender.1.0);
    call.encode(&mut whole).expect("a Vec grows as needed");
    sha256(&whole)
}

fn piece(
    group: &GroupId,
    epoch: u64,
    bytes: Bytes,
    hash: [u8; 32],
    receivers: usize,
) -> Result<Piece, Refusal> {
    let head = read_mls_head(&bytes).map_err(|error| Refusal::bad_message(error.to_string()))?;
    if head.group != *group || head.epoch != epoch {
        return Err(Refusal::bad_message(
            "the message's own group or epoch is not the one that the call names",
        ));
    }
    let (is_commit, tag) = match head.kind {
        Kind::Application { franking_tag } => (false, franking_tag),
        Kind::Commit => (true, ZERO_TAG),
    };
    Ok(Piece { epoch, is_commit, tag, hash, carried: Carried::new(bytes, receivers) })
}

/// Each address once.
fn targets(
    keys: &KeyRing,
    group: &GroupId,
    addresses: &[Bytes],
    seen: &mut HashSet<Address>,
) -> Result<Vec<Target>, Refusal> {
    let mut targets = Vec::with_capacity(addresses.len());
    for address in addresses {
        let address = Address::from_slice(address)?;
        if seen.insert(address) {
            targets.push(Target::new(keys, &address, group));
        }
    }
    Ok(targets)
}

fn prepare_welcome(
    keys: &KeyRing,
    group: &GroupId,
    welcome: v1::WelcomeOut,
    seen: &mut HashSet<Address>,
) -> Result<Welcome, Refusal> {
    if welcome.welcome.is_empty() || welcome.newcomers.is_empty() {
        return Err(Refusal::bad_message("a Welcome needs its bytes and at least one newcomer"));
    }
    if !matches!(welcome.tree_blob.len(), 0 | 32) {
        return Err(Refusal::bad_message("`tree_blob` is a blob's name of 32 bytes, or empty"));
    }
    let carried = Carried::new(welcome.welcome, welcome.newcomers.len());
    let mut newcomers = Vec::with_capacity(welcome.newcomers.len());
    for newcomer in welcome.newcomers {
        let address = Address::from_slice(&newcomer.address)?;
        if !seen.insert(address) {
            return Err(Refusal::bad_message("an address stands twice among members and newcomers"));
        }
        let token = match newcomer.token.is_empty() {
            true => None,
            false => {
                let token = Token::from_slice(&newcomer.token)?;
                Some((token, TokenKey::new(keys.storage(), &token_hash(&token.0))))
            }
        };
        newcomers.push(Newcomer { target: Target::new(keys, &address, group), address, token });
    }
    Ok(Welcome { carried, tree_blob: welcome.tree_blob, newcomers })
}
