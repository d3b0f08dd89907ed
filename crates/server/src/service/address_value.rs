//! What an address stands for: a mailbox, and the conversations that may use it. Stored only sealed, under a
//! key that needs the address itself.

use zegel_proto::{AccountId, Address, DeviceId, GroupId, address_hash, address_tag};

use super::{hour_keys::SINK, seal::SealKey};
use crate::keys::KeyRing;

const VERSION: u8 = 1;
/// One binding or none fits the first step, so that most rows are alike; then larger steps.
const FIRST_STEP: usize = 80;
const STEP: usize = 512;
/// The most conversations that a last-resort address serves at once.
const MAX_BINDINGS: usize = 64;
const BINDING: usize = 32 + 1 + 4 + 4 + AccountId::LEN;
/// Hours after which an introduction that nobody accepted counts as declined: 28 days.
const UNACCEPTED_HOURS: u32 = 28 * 24;

/// What becomes of mail that a conversation sends to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Introduced, not accepted yet.
    Pending {
        /// How many entries came since.
        entries: u32,
        /// When it was introduced.
        since_hour: u32,
        /// By whom: nobody else is counted as declined.
        introducer: AccountId,
    },
    /// Delivered without limits.
    Accepted,
    /// Written to the mailbox that nobody reads.
    Sink,
    /// Was delivered, until the address was deleted: nothing is written any more.
    Ended,
}

impl State {
    /// Dropped, or not accepted in time.
    pub(super) fn is_over(self, hour: u32) -> bool {
        match self {
            Self::Pending { since_hour, .. } => hour.saturating_sub(since_hour) > UNACCEPTED_HOURS,
            Self::Accepted => false,
            Self::Sink | Self::Ended => true,
        }
    }
}

/// A conversation that may use the address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binding {
    /// [`address_tag`].
    pub(super) tag: [u8; 32],
    pub(super) state: State,
}

/// The value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct AddressValue {
    pub(super) device: DeviceId,
    /// Of a last-resort key package: it may serve many conversations.
    pub(super) last_resort: bool,
    pub(super) bindings: Vec<Binding>,
}

/// An address that a call named: where its row is and how it opens. Made outside the writer's thread.
pub(super) struct Target {
    pub(super) hash: [u8; 32],
    pub(super) tag: [u8; 32],
    key: SealKey,
}

impl Target {
    pub(super) fn new(keys: &KeyRing, address: &Address, group: &GroupId) -> Self {
        Self::tagged(keys, address, address_tag(address, group))
    }

    pub(super) fn tagged(keys: &KeyRing, address: &Address, tag: [u8; 32]) -> Self {
        let key = SealKey::of_address(keys.storage(), &address.0);
        Self { hash: address_hash(address), tag, key }
    }

    pub(super) fn seal(&self, value: &AddressValue) -> Vec<u8> {
        self.key.seal(&self.hash, &value.to_bytes())
    }

    /// The value; none if the row is damaged.
    pub(super) fn open(&self, sealed: &[u8]) -> Option<AddressValue> {
        AddressValue::from_bytes(&self.key.open(&self.hash, sealed)?)
    }
}

impl AddressValue {
    /// An address that no conversation uses yet.
    pub(super) fn unbound(device: DeviceId, last_resort: bool) -> Self {
        Self { device, last_resort, bindings: Vec::new() }
    }

    /// Whether a conversation may be introduced here that was not before.
    pub(super) fn is_open_to(&self, tag: &[u8; 32]) -> bool {
        self.bindings.is_empty() || self.last_resort && self.bindings.iter().all(|b| &b.tag != tag)
    }

    pub(super) fn binding(&mut self, tag: &[u8; 32]) -> Option<&mut Binding> {
        self.bindings.iter_mut().find(|b| &b.tag == tag)
    }

    /// Adds a conversation. A last-resort address that is full forgets one that was dropped, or not accepted in
    /// time; if there is none, nothing is added and false returned.
    pub(super) fn bind(&mut self, tag: [u8; 32], state: State, hour: u32) -> bool {
        if self.bindings.len() >= MAX_BINDINGS {
            let Some(over) = self.bindings.iter().position(|b| b.state.is_over(hour)) else {
                return false;
            };
            self.bindings.remove(over);
        }
        self.bindings.push(Binding { tag, state });
        true
    }

    /// Drops what this account introduced and was not accepted; returns whether there was such a thing.
    pub(super) fn decline(&mut self, whom: &AccountId) -> bool {
        let mut declined = false;
        for binding in &mut self.bindings {
            if matches!(&binding.state, State::Pending { introducer, .. } if introducer == whom) {
                binding.state = State::Sink;
                declined = true;
            }
        }
        declined
    }

    /// What stays of an address that was deleted: the mailbox that nobody reads has it, so nobody else can bind it.
    /// What was not accepted goes on being written there, so that its sender cannot tell when it was declined. That a
    /// conversation was accepted stays known: its members would else count as strangers here, and could tell.
    pub(super) fn buried(mut self) -> Self {
        for binding in &mut self.bindings {
            let was_accepted = matches!(binding.state, State::Accepted | State::Ended);
            binding.state = if was_accepted { State::Ended } else { State::Sink };
        }
        Self { device: SINK, last_resort: false, ..self }
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, self.last_resort.into()];
        bytes.extend_from_slice(&self.device.0);
        bytes.extend_from_slice(&(self.bindings.len() as u16).to_be_bytes());
        for Binding { tag, state } in &self.bindings {
            let nobody = AccountId([0; AccountId::LEN]);
            let (kind, entries, since_hour, introducer) = match *state {
                State::Pending { entries, since_hour, introducer } => (0u8, entries, since_hour, introducer),
                State::Accepted => (1, 0, 0, nobody),
                State::Sink => (2, 0, 0, nobody),
                State::Ended => (3, 0, 0, nobody),
            };
            bytes.extend_from_slice(tag);
            bytes.push(kind);
            bytes.extend_from_slice(&entries.to_be_bytes());
            bytes.extend_from_slice(&since_hour.to_be_bytes());
            bytes.extend_from_slice(&introducer.0);
        }
        let padded = if bytes.len() <= FIRST_STEP { FIRST_STEP } else { bytes.len().next_multiple_of(STEP) };
        bytes.resize(padded, 0);
        bytes
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let ([VERSION, last_resort], rest) = bytes.split_first_chunk()? else { return None };
        let (device, rest) = rest.split_first_chunk()?;
        let (count, rest) = rest.split_first_chunk()?;
        let rows = rest.get(..usize::from(u16::from_be_bytes(*count)) * BINDING)?;
        let bindings = rows.chunks_exact(BINDING).map(read_binding).collect::<Option<_>>()?;
        Some(Self { device: DeviceId(*device), last_resort: *last_resort != 0, bindings })
    }
}

fn read_binding(bytes: &[u8]) -> Option<Binding> {
    let (tag, rest) = bytes.split_first_chunk()?;
    let (&[kind], rest) = rest.split_first_chunk()?;
    let (entries, rest) = rest.split_first_chunk()?;
    let (since_hour, rest) = rest.split_first_chunk()?;
    let introducer = AccountId(*rest.first_chunk()?);
    let state = match kind {
        0 => State::Pending {
            entries: u32::from_be_bytes(*entries),
            since_hour: u32::from_be_bytes(*since_hour),
            introducer,
        },
        1 => State::Accepted,
        2 => State::Sink,
        3 => State::Ended,
        _ => return None,
    };
    Some(Binding { tag: *tag, state })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_it_wrote_in_few_sizes() {
        let mut value = AddressValue::unbound(DeviceId([4; 16]), true);
        assert_eq!(value.to_bytes().len(), FIRST_STEP);
        for i in 0..MAX_BINDINGS as u8 {
            let state = match i % 3 {
                0 => {
                    State::Pending { entries: u32::MAX, since_hour: 500_000, introducer: AccountId([i; 16]) }
                }
                1 => State::Accepted,
                _ if i % 2 == 0 => State::Ended,
                _ => State::Sink,
            };
            assert!(value.bind([i; 32], state, 500_000));
            let bytes = value.to_bytes();
            assert!(bytes.len() == FIRST_STEP || bytes.len().is_multiple_of(STEP));
            assert_eq!(AddressValue::from_bytes(&bytes), Some(value.clone()));
            assert_eq!(bytes.len() == FIRST_STEP, i == 0);
        }
    }

    #[test]
    fn a_full_one_forgets_what_was_dropped_or_not_accepted_in_time() {
        let mut value = AddressValue::unbound(DeviceId([4; 16]), true);
        let pending = |since_hour| State::Pending { entries: 0, since_hour, introducer: AccountId([1; 16]) };
        for i in 0..MAX_BINDINGS as u8 {
            let state = match i {
                9 => State::Sink,
                10 => pending(100),
                11 => pending(101),
                _ => State::Accepted,
            };
            value.bind([i; 32], state, 100);
        }
        let hour = 101 + UNACCEPTED_HOURS;
        for n in [9, 10] {
            assert!(value.bind([100 + n; 32], State::Accepted, hour));
            assert!(value.binding(&[n; 32]).is_none() && value.binding(&[100 + n; 32]).is_some());
        }
        assert!(!value.bind([99; 32], State::Accepted, hour));
    }

    #[test]
    fn what_is_buried_is_nobodys_and_looks_like_the_rest() {
        for state in [
            State::Pending { entries: 3, since_hour: 100, introducer: AccountId([1; 16]) },
            State::Accepted,
            State::Sink,
        ] {
            let mut value = AddressValue::unbound(DeviceId([4; 16]), true);
            value.bind([1; 32], state, 100);
            let size = value.to_bytes().len();
            let mut buried = value.buried();
            assert_eq!((buried.to_bytes().len(), buried.device, buried.last_resort), (size, SINK, false));
            let left = buried.binding(&[1; 32]).map(|binding| binding.state);
            let kept = if state == State::Accepted { State::Ended } else { State::Sink };
            assert_eq!((left, buried.clone().buried()), (Some(kept), buried));
        }
    }

    #[test]
    fn foreign_bytes_are_refused() {
        for len in 0..200 {
            assert_eq!(AddressValue::from_bytes(&vec![9; len]), None);
        }
        assert_eq!(AddressValue::from_bytes(&[1; 64]), None);
    }
}
