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
    /// Delivered without limits. Whoever brings the address in again is judged.
    Accepted,
    /// As accepted, and its owner bound it: a Welcome that comes here was asked for.
    Bound,
    /// Written to the mailbox that nobody reads.
    Sink {
        /// When it was introduced: it is kept as long as one that was delivered.
        since_hour: u32,
    },
    /// Was accepted, until its owner ended it.
    Ended {
        /// When.
        since_hour: u32,
    },
}

impl State {
    /// Not accepted in time. What was dropped or ended is over no sooner: whoever fills an address could tell it from the rest.
    pub(super) fn is_over(self, hour: u32) -> bool {
        self.since_hour().is_some_and(|since| hour.saturating_sub(since) > UNACCEPTED_HOURS)
    }

    /// What it is when its owner ends it. What was not accepted goes on being written where nobody reads, so that its sender
    /// cannot tell when it was declined.
    fn ended(self, hour: u32) -> Self {
        match self {
            Self::Pending { since_hour, .. } | Self::Sink { since_hour } => Self::Sink { since_hour },
            Self::Accepted | Self::Bound => Self::Ended { since_hour: hour },
            Self::Ended { .. } => self,
        }
    }

    fn since_hour(self) -> Option<u32> {
        match self {
            Self::Pending { since_hour, .. } | Self::Sink { since_hour } | Self::Ended { since_hour } => {
                Some(since_hour)
            }
            Self::Accepted | Self::Bound => None,
        }
    }

    /// When a stranger was introduced here, delivered or not.
    fn stranger_since(self) -> Option<u32> {
        match self {
            Self::Ended { .. } => None,
            _ => self.since_hour(),
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

    /// Whether a conversation may be introduced here that was not before, or that its owner ended.
    pub(super) fn is_open_to(&self, tag: &[u8; 32]) -> bool {
        let known = self.bindings.iter().find(|binding| &binding.tag == tag);
        let new = known.is_none_or(|binding| matches!(binding.state, State::Ended { .. }));
        self.bindings.is_empty() || self.last_resort && new
    }

    pub(super) fn binding(&mut self, tag: &[u8; 32]) -> Option<&mut Binding> {
        self.bindings.iter_mut().find(|b| &b.tag == tag)
    }

    /// Adds a conversation, or brings one in again that had ended. A last-resort address that is full forgets one that is
    /// over; for one that was asked for also the stranger's who came first, whatever became of it. If there is none, nothing
    /// is added and false returned.
    pub(super) fn bind(&mut self, tag: [u8; 32], state: State, hour: u32, asked_for: bool) -> bool {
        if let Some(known) = self.binding(&tag) {
            known.state = state;
            return true;
        }
        if self.bindings.len() >= MAX_BINDINGS {
            let over = self.bindings.iter().position(|binding| binding.state.is_over(hour));
            let strangers = self.bindings.iter().enumerate();
            let strangers = strangers.filter_map(|(at, binding)| Some((binding.state.stranger_since()?, at)));
            let stranger = strangers.min().filter(|_| asked_for).map(|(_, at)| at);
            let Some(out) = over.or(stranger) else { return false };
            self.bindings.remove(out);
        }
        self.bindings.push(Binding { tag, state });
        true
    }

    /// Drops what this account introduced and was not accepted; returns whether there was such a thing.
    pub(super) fn decline(&mut self, whom: &AccountId) -> bool {
        let mut declined = false;
        for binding in &mut self.bindings {
            match binding.state {
                State::Pending { introducer, since_hour, .. } if introducer == *whom => {
                    binding.state = State::Sink { since_hour };
                    declined = true;
                }
                _ => {}
            }
        }
        declined
    }

    /// Ends what one conversation has here.
    pub(super) fn end(&mut self, tag: &[u8; 32], hour: u32) {
        if let Some(binding) = self.binding(tag) {
            binding.state = binding.state.ended(hour);
        }
    }

    /// What stays of an address that was deleted: the mailbox that nobody reads has it, so nobody else can bind it.
    /// That a conversation was accepted stays known: its members would else count as strangers here, and could tell.
    pub(super) fn buried(mut self, hour: u32) -> Self {
        for binding in &mut self.bindings {
            binding.state = binding.state.ended(hour);
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
                State::Sink { since_hour } => (2, 0, since_hour, nobody),
                State::Ended { since_hour } => (3, 0, since_hour, nobody),
                State::Bound => (4, 0, 0, nobody),
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
    let since_hour = u32::from_be_bytes(*since_hour);
    let state = match kind {
        0 => State::Pending { entries: u32::from_be_bytes(*entries), since_hour, introducer },
        1 => State::Accepted,
        2 => State::Sink { since_hour },
        3 => State::Ended { since_hour },
        4 => State::Bound,
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
            let since_hour = 500_000;
            let state = match i % 5 {
                0 => State::Pending { entries: u32::MAX, since_hour, introducer: AccountId([i; 16]) },
                1 => State::Accepted,
                2 => State::Bound,
                3 => State::Ended { since_hour },
                _ => State::Sink { since_hour },
            };
            assert!(value.bind([i; 32], state, 500_000, false));
            let bytes = value.to_bytes();
            assert!(bytes.len() == FIRST_STEP || bytes.len().is_multiple_of(STEP));
            assert_eq!(AddressValue::from_bytes(&bytes), Some(value.clone()));
            assert_eq!(bytes.len() == FIRST_STEP, i == 0);
        }
    }

    #[test]
    fn a_full_one_forgets_what_was_not_accepted_in_time_and_dropped_ones_no_sooner() {
        let pending = |since_hour| State::Pending { entries: 0, since_hour, introducer: AccountId([1; 16]) };
        let states =
            [pending, |since_hour| State::Sink { since_hour }, |since_hour| State::Ended { since_hour }];
        for (old, young) in [(0, 1), (1, 2), (2, 0)] {
            let mut value = AddressValue::unbound(DeviceId([4; 16]), true);
            for i in 0..MAX_BINDINGS as u8 {
                let state = match i {
                    9 => states[young](101),
                    10 => states[old](100),
                    11 => State::Bound,
                    _ => State::Accepted,
                };
                value.bind([i; 32], state, 100, false);
            }
            let hour = 101 + UNACCEPTED_HOURS;
            assert!(!value.bind([99; 32], State::Accepted, hour - 1, false));
            assert!(value.bind([110; 32], State::Accepted, hour, false));
            assert!(value.binding(&[10; 32]).is_none() && value.binding(&[9; 32]).is_some());
            assert!(!value.bind([99; 32], State::Accepted, hour, false));
        }
    }

    #[test]
    fn for_one_that_was_asked_for_a_full_one_forgets_the_first_stranger_delivered_or_not() {
        let pending = |since_hour| State::Pending { entries: 0, since_hour, introducer: AccountId([1; 16]) };
        for first_is_dropped in [true, false] {
            let mut value = AddressValue::unbound(DeviceId([4; 16]), true);
            for i in 0..MAX_BINDINGS as u8 {
                let state = match i {
                    0 => State::Ended { since_hour: 99 },
                    9 if first_is_dropped => State::Sink { since_hour: 100 },
                    9 => pending(100),
                    10 if first_is_dropped => pending(101),
                    10 => State::Sink { since_hour: 101 },
                    _ => State::Accepted,
                };
                value.bind([i; 32], state, 100, false);
            }
            assert!(!value.bind([99; 32], State::Accepted, 102, false));
            for gone in [9, 10] {
                assert!(value.bind([100 + gone; 32], State::Accepted, 102, true));
                assert!(value.binding(&[gone; 32]).is_none(), "{gone}");
            }
            // Whom somebody accepted, and when they ended it, is no stranger's to find out.
            assert!(!value.bind([99; 32], State::Accepted, 102, true));
        }
    }

    #[test]
    fn what_ended_may_come_in_again_at_a_last_resort_only_and_what_was_dropped_may_not() {
        let pending = State::Pending { entries: 3, since_hour: 100, introducer: AccountId([1; 16]) };
        for (state, again) in [(State::Accepted, true), (State::Bound, true), (pending, false)] {
            for last_resort in [true, false] {
                let mut value = AddressValue::unbound(DeviceId([4; 16]), last_resort);
                value.bind([1; 32], state, 100, false);
                assert!(!value.is_open_to(&[1; 32]));
                value.end(&[1; 32], 200);
                assert_eq!(value.is_open_to(&[1; 32]), again && last_resort, "{state:?}");
            }
        }
    }

    #[test]
    fn what_is_buried_is_nobodys_and_looks_like_the_rest() {
        for state in [
            State::Pending { entries: 3, since_hour: 100, introducer: AccountId([1; 16]) },
            State::Accepted,
            State::Bound,
            State::Sink { since_hour: 100 },
        ] {
            let mut value = AddressValue::unbound(DeviceId([4; 16]), true);
            value.bind([1; 32], state, 100, false);
            let size = value.to_bytes().len();
            let mut buried = value.buried(200);
            assert_eq!((buried.to_bytes().len(), buried.device, buried.last_resort), (size, SINK, false));
            let left = buried.binding(&[1; 32]).map(|binding| binding.state);
            let kept = match state {
                State::Accepted | State::Bound => State::Ended { since_hour: 200 },
                _ => State::Sink { since_hour: 100 },
            };
            assert_eq!((left, buried.clone().buried(300)), (Some(kept), buried));
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
