//! WebSocket frames, fed in pieces of any size: no input may panic, and how it is cut may not matter.
#![no_main]

#[path = "../../crates/server/src/net/frames.rs"]
#[allow(dead_code, reason = "only the reader is hunted")]
mod frames;

use frames::{Assembler, Event, FrameError};
use libfuzzer_sys::fuzz_target;

const LIMIT: usize = 4096;

fn read(bytes: &[u8], step: usize) -> (Vec<Event>, Option<FrameError>) {
    let mut assembler = Assembler::new(&[], LIMIT);
    let mut events = Vec::new();
    for piece in bytes.chunks(step) {
        assembler.feed(piece);
        loop {
            match assembler.next_event() {
                Ok(Some(Event::Close)) => return (events, None),
                Ok(Some(event)) => events.push(event),
                Ok(None) => break,
                Err(error) => return (events, Some(error)),
            }
        }
    }
    (events, None)
}

fuzz_target!(|input: (u8, &[u8])| {
    let (step, bytes) = input;
    let whole = read(bytes, bytes.len().max(1));
    let (events, error) = read(bytes, usize::from(step).max(1));
    assert_eq!(events, whole.0);
    assert_eq!(error.is_some(), whole.1.is_some());
    for event in &events {
        if let Event::Binary(message) = event {
            assert!(message.len() <= LIMIT);
        }
    }
});
