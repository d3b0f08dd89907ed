//! Which remembered answers end with an acknowledgement. A device takes the confirmation of its submission and
//! clears its outbox in one transaction before it acknowledges, so afterwards it cannot send that submission
//! again. Held in memory only: what is forgotten here stays in the store until its hours are over.

use std::{
    collections::{HashMap, VecDeque},
    sync::Mutex,
};

use zegel_proto::DeviceId;

/// The most answers known here; 3 MB. Beyond that all are forgotten: devices that never acknowledge left them.
const ROOM: usize = 1 << 16;

/// The answers in the store whose confirmations wait, by device: number of the confirmation and row.
#[derive(Default)]
pub(super) struct Answers(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    of: HashMap<DeviceId, VecDeque<(u64, [u8; 32])>>,
    count: usize,
}

impl Answers {
    /// Notes an answer with the number of its confirmation. In the order of the numbers.
    pub(super) fn put(&self, device: &DeviceId, seq: u64, row: [u8; 32]) {
        let mut waiting = self.0.lock().expect("no panic holds this lock");
        if waiting.count >= ROOM {
            *waiting = Waiting::default();
        }
        waiting.count += 1;
        waiting.of.entry(*device).or_default().push_back((seq, row));
    }

    /// Takes the rows that end when a device acknowledges up to and including `up_to`.
    pub(super) fn take(&self, device: &DeviceId, up_to: u64) -> Vec<[u8; 32]> {
        let mut waiting = self.0.lock().expect("no panic holds this lock");
        let Some(known) = waiting.of.get_mut(device) else { return Vec::new() };
        let over = known.partition_point(|(seq, _)| *seq <= up_to);
        let rows: Vec<_> = known.drain(..over).map(|(_, row)| row).collect();
        if known.is_empty() {
            waiting.of.remove(device);
        }
        waiting.count -= rows.len();
        rows
    }

    /// Forgets a device that was revoked.
    pub(super) fn forget_device(&self, device: &DeviceId) {
        self.take(device, u64::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_acknowledged_is_taken_once() {
        let answers = Answers::default();
        let (alice, bob) = (DeviceId([1; 16]), DeviceId([2; 16]));
        for seq in 5..9 {
            answers.put(&alice, seq, [seq as u8; 32]);
        }
        answers.put(&bob, 1, [99; 32]);
        assert!(answers.take(&alice, 4).is_empty());
        assert_eq!(answers.take(&alice, 6), [[5; 32], [6; 32]]);
        assert!(answers.take(&alice, 6).is_empty());
        assert_eq!(answers.take(&alice, 100), [[7; 32], [8; 32]]);
        answers.forget_device(&bob);
        let waiting = answers.0.lock().expect("a lock");
        assert_eq!((waiting.of.len(), waiting.count), (0, 0));
    }

    #[test]
    fn memory_is_bounded() {
        let answers = Answers::default();
        for seq in 0..=ROOM as u64 {
            answers.put(&DeviceId([1; 16]), seq, [0; 32]);
        }
        assert_eq!(answers.take(&DeviceId([1; 16]), u64::MAX).len(), 1);
    }
}
