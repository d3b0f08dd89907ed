//! WebSocket frames (RFC 6455) as they come from a client: bytes in, events out. No I/O.
//!
//! This is our own reader because the ready-made ones keep a buffer for every connection, as large as the
//! largest frame it ever saw; here an idle connection holds no buffer at all. No extension is ever agreed.

use bytes::{Buf, Bytes, BytesMut};

/// What a client sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A whole binary message.
    Binary(Bytes),
    /// A ping; it wants its payload back.
    Ping(Bytes),
    /// A pong.
    Pong,
    /// A close frame, or the end of the stream.
    Close,
}

/// Why a client's bytes are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// More bytes than it may send now.
    #[error("a message may have at most {0} bytes here")]
    TooLarge(usize),
    /// Text has no place in this protocol.
    #[error("messages are binary; text is refused")]
    Text,
    /// Not RFC 6455.
    #[error("not a WebSocket frame: {0}")]
    Protocol(&'static str),
}

/// Puts a client's messages together.
#[derive(Debug)]
pub struct Assembler {
    input: BytesMut,
    /// The fragments so far of a message that comes in several frames.
    fragments: Option<BytesMut>,
    limit: usize,
}

const CONTINUATION: u8 = 0;
const TEXT: u8 = 1;
const BINARY: u8 = 2;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

struct Head {
    last: bool,
    opcode: u8,
    len: usize,
    mask: [u8; 4],
    /// How long the head itself is.
    size: usize,
}

impl Assembler {
    /// `first` is what was read already; a message may have at most `limit` bytes.
    pub fn new(first: &[u8], limit: usize) -> Self {
        Self { input: BytesMut::from(first), fragments: None, limit }
    }

    /// Changes how long a message may be.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Takes bytes in.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
    }

    /// The next event, if enough bytes came. After an error nothing more may be asked of it.
    pub fn next_event(&mut self) -> Result<Option<Event>, FrameError> {
        loop {
            let Some(head) = self.head()? else { return Ok(None) };
            if self.input.len() < head.size + head.len {
                return Ok(None);
            }
            self.input.advance(head.size);
            let mut payload = self.input.split_to(head.len);
            if self.input.is_empty() {
                // Lets go of the memory that it shares with the payload.
                self.input = BytesMut::new();
            }
            for part in payload.chunks_mut(4) {
                part.iter_mut().zip(head.mask).for_each(|(byte, mask)| *byte ^= mask);
            }
            match head.opcode {
                CLOSE => return Ok(Some(Event::Close)),
                PING => return Ok(Some(Event::Ping(payload.freeze()))),
                PONG => return Ok(Some(Event::Pong)),
                _ => {}
            }
            let whole = match self.fragments.take() {
                None => payload,
                Some(mut before) => {
                    before.extend_from_slice(&payload);
                    before
                }
            };
            if head.last {
                return Ok(Some(Event::Binary(whole.freeze())));
            }
            self.fragments = Some(whole);
        }
    }

    /// Reads and checks a frame's head without taking it.
    fn head(&self) -> Result<Option<Head>, FrameError> {
        let [first, second, rest @ ..] = &self.input[..] else { return Ok(None) };
        let (last, opcode) = (first & 0x80 != 0, first & 0x0f);
        if first & 0x70 != 0 {
            return Err(FrameError::Protocol("reserved bits are set"));
        }
        if second & 0x80 == 0 {
            return Err(FrameError::Protocol("a client's frame must be masked"));
        }
        let short = second & 0x7f;
        match opcode {
            TEXT => return Err(FrameError::Text),
            BINARY if self.fragments.is_some() => {
                return Err(FrameError::Protocol("a message began inside another"));
            }
            CONTINUATION if self.fragments.is_none() => {
                return Err(FrameError::Protocol("a continuation of nothing"));
            }
            CONTINUATION | BINARY => {}
            CLOSE | PING | PONG if last && short < 126 => {}
            CLOSE | PING | PONG => {
                return Err(FrameError::Protocol("a control frame is too long or in parts"));
            }
            _ => return Err(FrameError::Protocol("an unknown opcode")),
        }
        let (len, mask) = match short {
            126 => {
                let Some((len, mask)) = rest.split_first_chunk() else { return Ok(None) };
                (u64::from(u16::from_be_bytes(*len)), mask)
            }
            127 => {
                let Some((len, mask)) = rest.split_first_chunk() else { return Ok(None) };
                (u64::from_be_bytes(*len), mask)
            }
            len => (u64::from(len), rest),
        };
        let before = self.fragments.as_ref().map_or(0, |f| f.len());
        let len = match usize::try_from(len) {
            Ok(len) if len <= self.limit.saturating_sub(before) => len,
            _ if opcode >= CLOSE => usize::from(short),
            _ => return Err(FrameError::TooLarge(self.limit)),
        };
        // A peer must not make us hold many empty fragments' worth of work for nothing.
        if opcode <= BINARY && !last && len == 0 {
            return Err(FrameError::Protocol("an empty fragment"));
        }
        let Some((&mask, after)) = mask.split_first_chunk() else { return Ok(None) };
        Ok(Some(Head { last, opcode, len, mask, size: self.input.len() - after.len() }))
    }
}

/// The head of a frame that the server sends: whole, not masked.
fn put_head(out: &mut BytesMut, opcode: u8, len: usize) {
    out.extend_from_slice(&[0x80 | opcode]);
    match len {
        0..126 => out.extend_from_slice(&[len as u8]),
        126..=0xffff => {
            out.extend_from_slice(&[126]);
            out.extend_from_slice(&(len as u16).to_be_bytes());
        }
        _ => {
            out.extend_from_slice(&[127]);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

/// Appends a binary message.
pub fn put_binary(out: &mut BytesMut, message: &impl prost::Message) {
    let len = message.encoded_len();
    out.reserve(len + 10);
    put_head(out, BINARY, len);
    message.encode(out).expect("a BytesMut grows as needed");
}

/// Appends a ping.
pub fn put_ping(out: &mut BytesMut) {
    put_head(out, PING, 0);
}

/// Appends the answer to a ping.
pub fn put_pong(out: &mut BytesMut, payload: &[u8]) {
    put_head(out, PONG, payload.len());
    out.extend_from_slice(payload);
}

/// Appends a close frame with an RFC 6455 status.
pub fn put_close(out: &mut BytesMut, status: u16) {
    put_head(out, CLOSE, 2);
    out.extend_from_slice(&status.to_be_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
        let mask = [1, 2, 3, 4];
        let mut out = vec![first];
        match payload.len() {
            len @ 0..126 => out.push(0x80 | len as u8),
            len @ 126..=0xffff => {
                out.push(0x80 | 126);
                out.extend((len as u16).to_be_bytes());
            }
            len => {
                out.push(0x80 | 127);
                out.extend((len as u64).to_be_bytes());
            }
        }
        out.extend(mask);
        out.extend(payload.iter().zip(mask.iter().cycle()).map(|(b, m)| b ^ m));
        out
    }
    fn one(bytes: &[u8]) -> Result<Option<Event>, FrameError> {
        Assembler::new(bytes, 100_000).next_event()
    }

    #[test]
    fn messages_of_every_length_form_come_whole() {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000] {
            let payload = vec![7; len];
            let bytes = frame(0x82, &payload);
            assert_eq!(one(&bytes), Ok(Some(Event::Binary(payload.into()))), "{len}");
            assert_eq!(one(&bytes[..bytes.len() - 1]), Ok(None), "{len}");
        }
    }

    #[test]
    fn fragments_come_together_around_a_ping() {
        let bytes = [frame(0x02, b"ab"), frame(0x89, b"?"), frame(0x00, b"c"), frame(0x80, b"d")].concat();
        let mut assembler = Assembler::new(&[], 4);
        let mut events = Vec::new();
        for byte in bytes {
            assembler.feed(&[byte]);
            events.extend(assembler.next_event().expect("valid"));
        }
        let want = [Event::Ping(Bytes::from_static(b"?")), Event::Binary(Bytes::from_static(b"abcd"))];
        assert_eq!(events, want);
        assert_eq!(assembler.input.capacity(), 0, "an idle connection holds no buffer");
    }

    #[test]
    fn what_is_not_allowed_is_refused_at_its_head() {
        assert_eq!(one(&frame(0x81, b"text")), Err(FrameError::Text));
        let protocol = |bytes: &[u8]| matches!(one(bytes), Err(FrameError::Protocol(_)));
        assert!(protocol(&frame(0xc2, b"")), "reserved bit");
        assert!(protocol(&[0x82, 1, 7]), "not masked");
        assert!(protocol(&frame(0x83, b"")), "unknown opcode");
        assert!(protocol(&frame(0x80, b"x")), "continuation of nothing");
        assert!(protocol(&frame(0x09, b"x")), "ping in parts");
        assert!(protocol(&frame(0x89, &[0; 126])), "long ping");
        assert!(protocol(&frame(0x02, b"")), "empty fragment");
        assert!(protocol(&[frame(0x02, b"x"), frame(0x82, b"x")].concat()), "message inside another");
        let huge = [0x82, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(one(&huge), Err(FrameError::TooLarge(100_000)));
        let parts = [frame(0x02, &[0; 60_000]), frame(0x80, &[0; 60_000])].concat();
        assert_eq!(one(&parts), Err(FrameError::TooLarge(100_000)), "the sum counts");
    }

    #[test]
    fn control_frames_pass_at_the_limit() {
        let bytes = [frame(0x02, b"abcd"), frame(0x89, b"still here")].concat();
        let mut assembler = Assembler::new(&bytes, 4);
        assert_eq!(assembler.next_event(), Ok(Some(Event::Ping(Bytes::from_static(b"still here")))));
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let mut assembler = Assembler::new(&[], 1000);
            for part in bytes.chunks(7) {
                assembler.feed(part);
                while let Ok(Some(_)) = assembler.next_event() {}
                if assembler.next_event().is_err() {
                    break;
                }
            }
        }
    }
}
