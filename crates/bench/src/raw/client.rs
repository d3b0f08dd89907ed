//! A connection that speaks bare v1 frames.

use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::Arc,
    time::Duration,
};

use bytes::Bytes;
use futures_util::{FutureExt as _, SinkExt as _, StreamExt as _, stream};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::timeout,
};
use tokio_tungstenite::{
    Connector, MaybeTlsStream, WebSocketStream, client_async_tls_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};
use zegel_proto::{
    Message as _, VERSION,
    v1::{self, client_frame as ask, server_frame as tell},
};

use super::{Opener, Person};
use crate::common::Result;

/// Nothing takes this long without a sign of life.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// How many connections are opened at once.
const OPENING: usize = 32;

/// Where a server is, and how to get there.
#[derive(Clone)]
pub struct Place {
    address: SocketAddr,
    tls: Option<Arc<rustls::ClientConfig>>,
}

impl Place {
    /// From a URL that `zegel-server` printed; with `https`, `tls` says whom to trust.
    pub fn new(url: &str, tls: Option<Arc<rustls::ClientConfig>>) -> Result<Self> {
        let (_, address) = url.split_once("://").ok_or("the server's URL has no scheme")?;
        Ok(Self { address: address.parse()?, tls })
    }

    async fn open(&self, from: Ipv4Addr) -> Result<WebSocketStream<MaybeTlsStream<TcpStream>>> {
        let socket = TcpSocket::new_v4()?;
        socket.bind(SocketAddr::from((from, 0)))?;
        let stream = socket.connect(self.address).await?;
        stream.set_nodelay(true)?;
        // Small buffers: the load generator holds many connections too.
        let config = WebSocketConfig::default().read_buffer_size(4 << 10).write_buffer_size(4 << 10);
        let (url, connector) = match &self.tls {
            Some(tls) => ("wss://localhost/v1/socket", Connector::Rustls(tls.clone())),
            None => ("ws://localhost/v1/socket", Connector::Plain),
        };
        Ok(client_async_tls_with_config(url, stream, Some(config), Some(connector)).await?.0)
    }
}

/// A connection of an authenticated device.
pub struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    pub person: Arc<Person>,
    /// Entries that waited when it authenticated.
    pub waiting: u64,
    pub opener: Opener,
    /// The number that the next call gets.
    next_call: u64,
    /// The number that the next entry must have.
    next_seq: u64,
    kept: Vec<v1::Deliver>,
}

impl Client {
    /// Connects and authenticates a device that the server knows.
    pub async fn connect(place: &Place, person: Arc<Person>) -> Result<Self> {
        Self::join(place, person, Ipv4Addr::LOCALHOST, false).await
    }

    /// Connects from this network address, registers first if told so, and authenticates.
    pub async fn join(place: &Place, person: Arc<Person>, from: Ipv4Addr, register: bool) -> Result<Self> {
        let socket = timeout(PATIENCE, place.open(from)).await??;
        let opener = Opener::new(person.clone());
        let mut client =
            Self { socket, person, waiting: 0, opener, next_call: 1, next_seq: 0, kept: Vec::new() };
        let hello = v1::Hello { versions: vec![VERSION], ..Default::default() };
        let tell::Body::Hello(hello) = client.call(ask::Body::Hello(hello)).await? else {
            return Err("Hello was answered with something else".into());
        };
        if register {
            client.call(client.person.registration(&hello)).await?;
        }
        match client.call(client.person.proof(&hello)).await? {
            tell::Body::Authenticated(answer) => {
                client.waiting = answer.next_seq - answer.first_seq;
                client.next_seq = answer.first_seq;
                Ok(client)
            }
            _ => Err("Authenticate was answered with something else".into()),
        }
    }

    /// Registers and connects so many new people.
    pub async fn newcomers(place: &Place, count: usize) -> Result<Vec<Self>> {
        let join = |_| Self::join(place, Arc::new(Person::new()), Ipv4Addr::LOCALHOST, true);
        together((0..count).map(join)).await
    }

    /// Puts an encoded frame in line.
    pub async fn feed(&mut self, frame: Bytes) -> Result {
        Ok(self.socket.feed(Message::Binary(frame)).await?)
    }

    /// Puts the acknowledgement in line of all that was taken.
    pub async fn feed_ack(&mut self) -> Result {
        let seq = self.next_seq - 1;
        self.feed_call(ask::Body::Ack(v1::Ack { seq })).await.map(drop)
    }

    async fn feed_call(&mut self, body: ask::Body) -> Result<u64> {
        let call = self.next_call;
        self.next_call += 1;
        self.feed(v1::ClientFrame { call, body: Some(body) }.encode_to_vec().into()).await?;
        Ok(call)
    }

    /// Sends what is in line.
    pub async fn flush(&mut self) -> Result {
        Ok(self.socket.flush().await?)
    }

    /// Asks, and waits for the answer; a refusal is an error. Deliveries meanwhile are kept.
    pub async fn call(&mut self, body: ask::Body) -> Result<tell::Body> {
        let call = self.feed_call(body).await?;
        self.flush().await?;
        loop {
            match self.next().await? {
                (0, tell::Body::Deliver(deliver)) => self.kept.push(deliver),
                (number, answer) if number == call => return Ok(answer),
                (number, _) => return Err(format!("call {number} was answered before call {call}").into()),
            }
        }
    }

    /// The next frame from the server. Nothing is lost if the future is dropped.
    pub async fn next(&mut self) -> Result<(u64, tell::Body)> {
        loop {
            let message = self.socket.next().await.ok_or("the server closed the connection")??;
            if let Some(frame) = read(message)? {
                return Ok(frame);
            }
        }
    }

    /// The next frame, if it is here already.
    pub fn ready(&mut self) -> Result<Option<(u64, tell::Body)>> {
        self.next().now_or_never().transpose()
    }

    /// Takes a delivery: each number must follow the one before.
    pub fn take(&mut self, deliver: &v1::Deliver) -> Result {
        self.opener.learn(deliver)?;
        for entry in &deliver.entries {
            if entry.seq != self.next_seq {
                let (got, want) = (entry.seq, self.next_seq);
                return Err(
                    format!("a message was lost or came twice: entry {got} where {want} was due").into()
                );
            }
            self.next_seq += 1;
        }
        Ok(())
    }

    /// Takes and acknowledges the next `count` entries, and waits until they are gone from the server.
    pub async fn drain(&mut self, count: usize) -> Result<Vec<v1::Deliver>> {
        let mut taken = Vec::new();
        let mut entries = 0;
        while entries < count {
            let deliver = match self.kept.is_empty() {
                false => self.kept.remove(0),
                true => match timeout(PATIENCE, self.next()).await?? {
                    (0, tell::Body::Deliver(deliver)) => deliver,
                    other => return Err(format!("not a delivery: {other:?}").into()),
                },
            };
            self.take(&deliver)?;
            entries += deliver.entries.len();
            self.feed_ack().await?;
            taken.push(deliver);
        }
        self.settle().await?;
        match entries == count && self.kept.is_empty() {
            true => Ok(taken),
            false => Err(format!("{entries} entries came where {count} were due").into()),
        }
    }

    /// Returns when the server has carried out all that was asked before: calls that write are carried out in turn.
    pub async fn settle(&mut self) -> Result {
        self.call(ask::Body::DeleteAddresses(v1::DeleteAddresses::default())).await.map(drop)
    }
}

fn read(message: Message) -> Result<Option<(u64, tell::Body)>> {
    let Message::Binary(bytes) = message else { return Ok(None) };
    let frame = v1::ServerFrame::decode(bytes)?;
    match frame.body {
        Some(tell::Body::Error(error)) => {
            Err(format!("the server refused call {}: {} (code {})", frame.call, error.message, error.code)
                .into())
        }
        Some(body) => Ok(Some((frame.call, body))),
        None => Err("the server sent an empty frame".into()),
    }
}

/// Runs many such steps, some at a time; results in the same order.
pub async fn together<T>(steps: impl IntoIterator<Item = impl Future<Output = Result<T>>>) -> Result<Vec<T>> {
    let done: Vec<Result<T>> = stream::iter(steps).buffered(OPENING).collect().await;
    done.into_iter().collect()
}
