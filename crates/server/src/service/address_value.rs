//! What an address stands for: a mailbox, and the conversations that may use it. Stored only sealed, under a
//! key that needs the address itself.

use zegel_proto::{Address, DeviceId, GroupId, address_hash, address_tag};

use super::seal::SealKey;
use crate::keys::KeyRing;

const VERSION: u8 = 1;
/// One binding or none fits the first step, so that most rows are alike; then larger steps.
const FIRST_STEP: usize = 64;
const STEP: usize = 512;
/// The most conversations that a last-resort address serves at once.
const MAX_BINDINGS: usize = 64;
const BINDING: usize = 32 + 1 + 4 + 4;

/// What becomes of mail that a conversation sends to an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Introduced, not accepted yet.
    Pending {
        /// How many entries came since.
        entries: u32,
        /// When it was introduced.
        since_hour: u32,
    },
    /// Delivered without limits.
    Accepted,
    /// Written to the mailbox that nobody reads.
    Sink,
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

    pub(super) fn binding(&mut self, tag: &[u8; 32]) -> Option<&mut Binding> {
        self.bindings.iter_mut().find(|b| &b.tag == tag)
    }

    /// Adds a conversation. A last-resort address that is full forgets one that was dropped; if there is none,
    /// nothing is added and false returned.
    pub(super) fn bind(&mut self, tag: [u8; 32], state: State) -> bool {
        if self.bindings.len() >= MAX_BINDINGS {
            let Some(dropped) = self.bindings.iter().position(|b| b.state == State::Sink) else {
                return false;
            };
            self.bindings.remove(dropped);
        }
        self.bindings.push(Binding { tag, state });
        true
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION, self.last_resort.into()];
        bytes.extend_from_slice(&self.device.0);
        bytes.extend_from_slice(&(self.bindings.len() as u16).to_be_bytes());
        for Binding { tag, state } in &self.bindings {
            let (kind, entries, since_hour) = match *state {
                State::Pending { entries, since_hour } => (0u8, entries, since_hour),
                State::Accepted => (1, 0, 0),
                State::Sink => (2, 0, 0),
            };
            bytes.extend_from_slice(tag);
            bytes.push(kind);
            bytes.extend_from_slice(&entries.to_be_bytes());
            bytes.extend_from_slice(&since_hour.to_be_bytes());
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
    let since_hour = rest.first_chunk()?;
    let state = match kind {
        0 => State::Pending {
            entries: u32::from_be_bytes(*entries),
            since_hour: u32::from_be_bytes(*since_hour),
        },
        1 => State::Accepted,
        2 => State::Sink,
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
                0 => State::Pending { entries: u32::MAX, since_hour: 500_000 },
                1 => State::Accepted,
                _ => State::Sink,
            };
            assert!(value.bind([i; 32], state));
            let bytes = value.to_bytes();
            assert!(bytes.len() == FIRST_STEP || bytes.len().is_multiple_of(STEP));
            assert_eq!(AddressValue::from_bytes(&bytes), Some(value.clone()));
            assert_eq!(bytes.len() == FIRST_STEP, i == 0);
        }
    }

    #[test]
    fn a_full_one_forgets_what_was_dropped() {
        let mut value = AddressValue::unbound(DeviceId([4; 16]), true);
        for i in 0..MAX_BINDINGS as u8 {
            value.bind([i; 32], if i == 9 { State::Sink } else { State::Accepted });
        }
        assert!(value.bind([99; 32], State::Accepted));
        assert!(value.binding(&[9; 32]).is_none() && value.binding(&[99; 32]).is_some());
        assert!(!value.bind([100; 32], State::Accepted));
    }

    #[test]
    fn foreign_bytes_are_refused() {
        for len in 0..200 {
            assert_eq!(AddressValue::from_bytes(&vec![9; len]), None);
        }
        assert_eq!(AddressValue::from_bytes(&[1; 64]), None);
    }
}
