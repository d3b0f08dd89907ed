//! The server's ring of stamp keys over a year.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use zegel_franking::{KeyPart, KeysError, REPORTING_WINDOW_MS, StampKey, StampKeys};

const DAY: u64 = 24 * 60 * 60 * 1000;

fn key(fill: u8) -> StampKey {
    StampKey::new([fill; 32])
}

fn ring() -> StampKeys {
    let mut ring = StampKeys::new(key(1), DAY);
    assert_eq!(ring.rotate(key(2), 31 * DAY), Ok(2));
    assert_eq!(ring.rotate(key(3), 61 * DAY), Ok(3));
    ring
}

fn ids(ring: &StampKeys) -> Vec<u32> {
    ring.to_parts().iter().map(|part| part.id).collect()
}

#[test]
fn the_newest_key_is_current_and_old_ones_stay() {
    let ring = ring();
    assert_eq!(ring.current_id(), 3);
    assert!((1..=3).all(|id| ring.get(id).is_some()));
    assert!(ring.get(0).is_none() && ring.get(4).is_none());
}

#[test]
fn a_key_is_destroyed_when_its_last_stamp_can_no_longer_be_reported() {
    assert_eq!(REPORTING_WINDOW_MS, 90 * DAY);
    let mut ring = ring();
    assert_eq!(ring.expire(121 * DAY), []);
    assert_eq!(ring.expire(121 * DAY + 1), [1]);
    assert!(ring.get(1).is_none());
    assert_eq!(ring.expire(1000 * DAY), [2]);
    assert_eq!(ids(&ring), [3], "the current key never expires");
    assert_eq!(ring.rotate(key(4), 1000 * DAY), Ok(4), "ids are not used again");
}

#[test]
fn a_clock_that_went_back_shortens_nothing() {
    let mut ring = StampKeys::new(key(1), 50 * DAY);
    ring.rotate(key(2), DAY).unwrap();
    assert_eq!(ring.expire(140 * DAY), []);
    assert_eq!(ring.expire(u64::MAX), [1]);
}

#[test]
fn a_ring_is_read_as_it_was_written() {
    let parts = ring().to_parts();
    assert_eq!(*parts[1].key_hex, "02".repeat(32));
    assert_eq!((parts[1].created_ms, parts[1].retired_ms), (31 * DAY, Some(61 * DAY)));
    let read = StampKeys::from_parts(&parts).unwrap();
    assert_eq!(read.current_id(), 3);
    assert!(read.to_parts() == parts);
}

#[test]
fn a_damaged_ring_is_refused() {
    let refused = |damage: fn(&mut Vec<KeyPart>)| {
        let mut parts = ring().to_parts();
        damage(&mut parts);
        StampKeys::from_parts(&parts).err()
    };
    assert_eq!(refused(|_| {}), None);
    assert_eq!(refused(Vec::clear), Some(KeysError::Current));
    assert_eq!(refused(|parts| drop(parts.pop())), Some(KeysError::Current));
    assert_eq!(refused(|parts| parts[0].retired_ms = None), Some(KeysError::Current));
    assert_eq!(refused(|parts| parts[2].id = 0), Some(KeysError::Current));
    assert_eq!(refused(|parts| parts[1].id = 1), Some(KeysError::Twice(1)));
    assert_eq!(refused(|parts| parts[1].key_hex.truncate(63)), Some(KeysError::NotHex(2)));
    assert_eq!(refused(|parts| parts[1].key_hex.push('0')), Some(KeysError::NotHex(2)));
}

#[test]
fn the_last_id_cannot_be_rotated() {
    let mut parts = StampKeys::new(key(1), 0).to_parts();
    parts[0].id = u32::MAX;
    let mut ring = StampKeys::from_parts(&parts).unwrap();
    assert_eq!(ring.rotate(key(2), 1), Err(KeysError::Exhausted));
    assert_eq!((ring.current_id(), ids(&ring)), (u32::MAX, vec![u32::MAX]));
}

#[test]
fn a_key_is_never_printed() {
    let ring = StampKeys::new(StampKey::new([0xAB; 32]), 0);
    let printed = format!("{ring:?} {:?}", ring.to_parts());
    assert!(!printed.contains("ab") && !printed.contains("171"), "{printed}");
}
