//! One WebSocket: events in, frames out. It holds a buffer only while something is on its way.

use std::{
    future::poll_fn,
    io,
    mem::{MaybeUninit, take},
    pin::Pin,
    task::{Poll, ready},
    time::Duration,
};

use bytes::{Buf, BytesMut};
use tokio::{
    io::{AsyncRead, AsyncWriteExt, ReadBuf},
    time::timeout,
};
use zegel_proto::{Code, v1};

use super::{
    frames::{self, Assembler, Event, FrameError},
    transport::Transport,
};

/// A peer that takes nothing for this long is gone.
const WRITE_STALL: Duration = Duration::from_secs(30);
/// How long a peer that was told to go may take to go.
const LINGER: Duration = Duration::from_secs(2);
/// How much of what it still sends is read meanwhile: unread bytes would make the kernel take back the words
/// that told it why.
const LINGER_BYTES: usize = 8 << 20;

/// Why a connection ends.
#[derive(Debug)]
pub enum End {
    /// The peer vanished; there is nobody to tell.
    Gone,
    /// The peer said that it leaves.
    Left,
    /// The peer is told this.
    Told(Code, String),
}

impl End {
    /// The peer is told `code`.
    pub fn told(code: Code, message: impl Into<String>) -> Self {
        Self::Told(code, message.into())
    }
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl From<FrameError> for End {
    fn from(error: FrameError) -> Self {
        let code = match error {
            FrameError::TooLarge(_) => Code::TooLarge,
            FrameError::Text | FrameError::Protocol(_) => Code::BadRequest,
        };
        Self::told(code, format!("while reading a frame: {error}; send what the contract says"))
    }
}

/// A refusal as it is sent.
pub fn refusal(code: Code, message: impl Into<String>) -> v1::server_frame::Body {
    metrics::counter!("zegel_refusals_total", "code" => format!("{code:?}")).increment(1);
    v1::server_frame::Body::Error(v1::Error {
        code: code as u32,
        message: message.into(),
        ..Default::default()
    })
}

/// A WebSocket after its handshake.
#[derive(Debug)]
pub struct Wire {
    stream: Transport,
    assembler: Assembler,
    out: BytesMut,
}

impl Wire {
    /// `first` is what came with the handshake; a message may have at most `limit` bytes.
    pub fn new(stream: Transport, first: &[u8], limit: usize) -> Self {
        Self { stream, assembler: Assembler::new(first, limit), out: BytesMut::new() }
    }

    /// Changes how long a message may be.
    pub fn set_limit(&mut self, limit: usize) {
        self.assembler.set_limit(limit);
    }

    /// The next event. Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Result<Event, End> {
        loop {
            if let Some(event) = self.assembler.next_event()? {
                return Ok(event);
            }
            if self.read().await? == 0 {
                return Ok(Event::Close);
            }
        }
    }

    async fn read(&mut self) -> io::Result<usize> {
        poll_fn(|context| {
            // On the stack, and only during this poll: a waiting connection costs no buffer.
            let mut room = [MaybeUninit::uninit(); 16 << 10];
            let mut buffer = ReadBuf::uninit(&mut room);
            ready!(Pin::new(&mut self.stream).poll_read(context, &mut buffer))?;
            self.assembler.feed(buffer.filled());
            Poll::Ready(Ok(buffer.filled().len()))
        })
        .await
    }

    /// Puts an answer (or, with `call` 0, a push) in line.
    pub fn queue(&mut self, call: u64, body: v1::server_frame::Body) {
        frames::put_binary(&mut self.out, &v1::ServerFrame { call, body: Some(body) });
    }

    /// Puts a ping in line.
    pub fn queue_ping(&mut self) {
        frames::put_ping(&mut self.out);
    }

    /// Puts the answer to a ping in line.
    pub fn queue_pong(&mut self, payload: &[u8]) {
        frames::put_pong(&mut self.out, payload);
    }

    /// Bytes in line.
    pub fn queued(&self) -> usize {
        self.out.len()
    }

    /// Sends what is in line. A peer that takes nothing for a while counts as gone.
    pub async fn flush(&mut self) -> Result<(), End> {
        if self.out.is_empty() {
            return Ok(());
        }
        let mut out = take(&mut self.out);
        while out.has_remaining() {
            let written = timeout(WRITE_STALL, self.stream.write(&out)).await.map_err(|_| End::Gone)??;
            if written == 0 {
                return Err(End::Gone);
            }
            out.advance(written);
        }
        timeout(WRITE_STALL, self.stream.flush()).await.map_err(|_| End::Gone)??;
        Ok(())
    }

    /// Tells the peer why, closes, and waits a moment for it to have heard.
    pub async fn end(mut self, end: End) {
        let status = match end {
            End::Gone => return,
            End::Left => 1000,
            End::Told(code, message) => {
                self.queue(0, refusal(code, message));
                match code {
                    Code::GoingAway => 1001,
                    Code::BadRequest => 1002,
                    Code::TooLarge => 1009,
                    Code::Internal => 1011,
                    _ => 1008,
                }
            }
        };
        frames::put_close(&mut self.out, status);
        let _ = timeout(LINGER, async {
            self.flush().await?;
            self.stream.shutdown().await?;
            let mut scratch = Vec::with_capacity(16 << 10);
            let mut seen = 0;
            while seen < LINGER_BYTES {
                scratch.clear();
                match tokio::io::AsyncReadExt::read_buf(&mut self.stream, &mut scratch).await? {
                    0 => break,
                    read => seen += read,
                }
            }
            Ok::<_, End>(())
        })
        .await;
    }
}
