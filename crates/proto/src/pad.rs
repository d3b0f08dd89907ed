//! Padding of mailbox entries, so that sizes at rest say little.

/// Entries are padded to a multiple of this many bytes.
pub const PAD_STEP: usize = 256;

/// How many zero bytes the `padding` field (number 15) of a message of `len` bytes needs, so that the whole
/// becomes a multiple of [`PAD_STEP`]. The field's own key and length count.
pub fn padding_for(len: usize) -> usize {
    let field = |zeros: usize| 1 + prost::length_delimiter_len(zeros) + zeros;
    let mut target = len.next_multiple_of(PAD_STEP);
    loop {
        // The length prefix has one or two bytes, so one of few sizes fits exactly.
        let room = target - len;
        if let Some(zeros) = (room.saturating_sub(4)..=room).find(|&z| z > 0 && field(z) == room) {
            return zeros;
        }
        target += PAD_STEP;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Message, v1};

    #[test]
    fn every_length_reaches_a_multiple() {
        for len in 0..3000 {
            let body = v1::entry::Body::Rejoin(v1::RejoinRequest {
                group_id: Default::default(),
                sealed: vec![7; len].into(),
            });
            let mut entry = v1::Entry { body: Some(body), padding: Default::default() };
            entry.padding = vec![0; padding_for(entry.encoded_len())].into();
            assert_eq!(entry.encoded_len() % PAD_STEP, 0, "{len}");
            assert!(entry.encoded_len() - len <= 2 * PAD_STEP + 16, "{len}");
        }
    }
}
