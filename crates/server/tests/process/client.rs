//! A bare client: frames out, frames in.

use std::{collections::VecDeque, time::Duration};

use futures_util::{SinkExt, StreamExt};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async,
    tungstenite::{self, Message},
};
use zegel_proto::{
    Code, Message as _,
    v1::{self, client_frame as ask, server_frame as tell},
};

use super::Server;

/// Nothing takes this long.
const PATIENCE: Duration = Duration::from_secs(20);

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A WebSocket without a word said.
pub async fn raw(server: &Server) -> Socket {
    let url = format!("ws://{}/v1/socket", server.address);
    connect_async(url).await.expect("a WebSocket").0
}

/// The code of an answer that is a refusal.
pub fn code_of(answer: &tell::Body) -> Option<Code> {
    match answer {
        tell::Body::Error(error) => Some(Code::from_wire(error.code)),
        _ => None,
    }
}

pub struct Client {
    socket: Socket,
    next: u64,
    pushed: VecDeque<tell::Body>,
}

impl Client {
    pub fn on(socket: Socket) -> Self {
        Self { socket, next: 1, pushed: VecDeque::new() }
    }
    /// Connected, and greeted: the answer to Hello.
    pub async fn greeted(server: &Server) -> (Self, v1::HelloAnswer) {
        Self::greet(raw(server).await).await
    }
    pub async fn greet(socket: Socket) -> (Self, v1::HelloAnswer) {
        let mut client = Self::on(socket);
        let hello = v1::Hello { versions: vec![1], ..Default::default() };
        match client.call(ask::Body::Hello(hello)).await {
            tell::Body::Hello(answer) => (client, answer),
            other => panic!("Hello was answered with {other:?}"),
        }
    }
    /// Sends a call and returns its number.
    pub async fn send(&mut self, body: ask::Body) -> u64 {
        let call = self.next;
        self.next += 1;
        self.send_frame(v1::ClientFrame { call, body: Some(body) }.encode_to_vec()).await;
        call
    }
    pub async fn send_frame(&mut self, bytes: Vec<u8>) {
        self.send_message(Message::Binary(bytes.into())).await;
    }
    pub async fn send_message(&mut self, message: Message) {
        let _ = self.socket.send(message).await;
    }
    /// Calls and waits for the answer; what is pushed meanwhile is kept.
    pub async fn call(&mut self, body: ask::Body) -> tell::Body {
        let call = self.send(body).await;
        self.answer_to(call).await
    }
    /// Calls a server that may be killed meanwhile.
    pub async fn try_call(&mut self, body: ask::Body) -> Option<tell::Body> {
        self.send(body).await;
        match timeout(PATIENCE, self.socket.next()).await.expect("a frame in time") {
            Some(Ok(Message::Binary(bytes))) => v1::ServerFrame::decode(bytes).expect("a ServerFrame").body,
            _ => None,
        }
    }
    pub async fn answer_to(&mut self, call: u64) -> tell::Body {
        loop {
            match self.frame().await {
                Some((0, pushed)) => self.pushed.push_back(pushed),
                Some((number, answer)) if number == call => return answer,
                Some((number, _)) => panic!("an answer to {number} came before that to {call}"),
                None => panic!("the connection ended before call {call} was answered"),
            }
        }
    }
    /// The next frame, or none at the end of the connection.
    pub async fn frame(&mut self) -> Option<(u64, tell::Body)> {
        loop {
            let message = timeout(PATIENCE, self.socket.next()).await.expect("a frame in time");
            match message {
                Some(Ok(Message::Binary(bytes))) => {
                    let frame = v1::ServerFrame::decode(bytes).expect("a ServerFrame");
                    return Some((frame.call, frame.body.expect("a body")));
                }
                Some(Ok(Message::Close(_))) | Some(Err(tungstenite::Error::ConnectionClosed)) | None => {
                    return None;
                }
                Some(Ok(_)) => {}
                Some(Err(error)) => panic!("{error}"),
            }
        }
    }
    /// The next pushed frame.
    pub async fn pushed(&mut self) -> Option<tell::Body> {
        if let Some(pushed) = self.pushed.pop_front() {
            return Some(pushed);
        }
        let (call, body) = self.frame().await?;
        assert_eq!(call, 0, "nothing was asked: {body:?}");
        Some(body)
    }
    /// The next delivery.
    pub async fn delivered(&mut self) -> v1::Deliver {
        match self.pushed().await {
            Some(tell::Body::Deliver(deliver)) => deliver,
            other => panic!("not a delivery: {other:?}"),
        }
    }
    /// Numbers of the next `count` entries.
    pub async fn numbers(&mut self, count: usize) -> Vec<u64> {
        let mut numbers = Vec::new();
        while numbers.len() < count {
            numbers.extend(self.delivered().await.entries.iter().map(|entry| entry.seq));
        }
        numbers
    }
    /// Numbers of the entries that were pushed while answers were awaited.
    pub fn kept_numbers(&mut self) -> Vec<u64> {
        let kept = self.pushed.drain(..).flat_map(|body| match body {
            tell::Body::Deliver(deliver) => deliver.entries,
            other => panic!("not a delivery: {other:?}"),
        });
        kept.map(|entry| entry.seq).collect()
    }
    /// The refusal that ends the connection, and that it ends.
    pub async fn ending(&mut self) -> Code {
        let code = loop {
            match self.pushed().await.expect("a refusal before the end") {
                tell::Body::Error(error) => break Code::from_wire(error.code),
                tell::Body::Deliver(_) => {}
                other => panic!("not an ending: {other:?}"),
            }
        };
        assert!(self.frame().await.is_none(), "the connection ends");
        code
    }
    pub async fn close(mut self) {
        let _ = self.socket.close(None).await;
    }
}
