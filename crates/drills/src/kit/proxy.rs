//! A man in the middle of the WebSocket: every frame, both ways, read, changed, dropped, kept or made up.
//!
//! Here he stands below TLS; what he changes of the server's frames is what a changed server could send.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

use futures_util::{SinkExt, StreamExt as _, future::BoxFuture};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::mpsc,
    task::JoinHandle,
};
use tokio_tungstenite::{
    accept_async_with_config, connect_async_with_config,
    tungstenite::{Message, protocol::WebSocketConfig},
};
use zegel_proto::{
    DeviceId, MAX_FRAME, Message as _,
    v1::{self, client_frame as ask, server_frame as tell},
};

use crate::drill::Verdict;

/// A frame on its way, or bytes that are none.
#[derive(Clone, Debug)]
pub enum Frame {
    /// From the client to the server.
    Up(v1::ClientFrame),
    /// From the server to the client.
    Down(v1::ServerFrame),
    /// Any message to the client.
    RawDown(Message),
}

impl Frame {
    /// A push of the server.
    pub fn push(body: tell::Body) -> Self {
        Self::Down(v1::ServerFrame { call: 0, body: Some(body) })
    }

    /// The call, if it is one.
    pub fn call(&self) -> Option<&ask::Body> {
        match self {
            Self::Up(frame) => frame.body.as_ref(),
            _ => None,
        }
    }

    /// The answer or push, if it is one.
    pub fn told(&self) -> Option<&tell::Body> {
        match self {
            Self::Down(frame) => frame.body.as_ref(),
            _ => None,
        }
    }
}

/// A frame that passes, and what is known of its connection.
pub struct Passing {
    /// The frame.
    pub frame: Frame,
    /// What it answers, if it is an answer.
    pub asked: Option<ask::Body>,
    /// Whose connection it is, once that is known.
    pub device: Option<DeviceId>,
}

impl Passing {
    /// The frame with another answer in it.
    pub fn answer(self, body: tell::Body) -> Frame {
        match self.frame {
            Frame::Down(frame) => Frame::Down(v1::ServerFrame { call: frame.call, body: Some(body) }),
            other => other,
        }
    }
}

/// Lets a frame pass as it is.
pub fn pass(passing: Passing) -> Vec<Frame> {
    vec![passing.frame]
}

/// What the proxy does with each frame: what is returned goes on, in that order.
pub trait Rule: Send {
    /// One frame.
    fn passes(&mut self, passing: Passing) -> BoxFuture<'_, Vec<Frame>>;
}

impl<F: FnMut(Passing) -> Vec<Frame> + Send> Rule for F {
    fn passes(&mut self, passing: Passing) -> BoxFuture<'_, Vec<Frame>> {
        let out = self(passing);
        Box::pin(async { out })
    }
}

type Lines = Arc<Mutex<HashMap<u64, mpsc::UnboundedSender<Frame>>>>;

struct Shared {
    rule: tokio::sync::Mutex<Box<dyn Rule>>,
    lines: Lines,
    devices: Mutex<HashMap<u64, DeviceId>>,
    next: AtomicU64,
    target: String,
}

/// See the module.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// A proxy before the server at an address; it lets everything pass.
    pub async fn before(server: &str) -> Verdict<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared {
            rule: tokio::sync::Mutex::new(Box::new(pass)),
            lines: Lines::default(),
            devices: Mutex::default(),
            next: AtomicU64::new(1),
            target: format!("ws://{server}/v1/socket"),
        });
        let office = shared.clone();
        let task = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let office = office.clone();
                tokio::spawn(async move {
                    // A connection that breaks is a connection that breaks.
                    let _ = carry(&office, stream).await;
                });
            }
        });
        Ok(Self { address, shared, task })
    }

    /// Where clients connect.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// From now on this is done with each frame.
    pub async fn rule(&self, rule: impl Rule + 'static) {
        *self.shared.rule.lock().await = Box::new(rule);
    }

    /// Sends a frame on a device's newest connection; whether there is one.
    pub fn inject(&self, device: &DeviceId, frame: Frame) -> bool {
        let devices = self.shared.devices.lock().expect("no panic holds this lock");
        let newest = devices.iter().filter(|(_, known)| *known == device).map(|(number, _)| *number).max();
        let lines = self.shared.lines.lock().expect("no panic holds this lock");
        newest.and_then(|number| lines.get(&number)).is_some_and(|line| line.send(frame).is_ok())
    }

    /// Cuts every connection.
    pub fn cut(&self) {
        self.shared.lines.lock().expect("no panic holds this lock").clear();
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
        self.cut();
    }
}

type Broken = tokio_tungstenite::tungstenite::Error;

async fn carry(shared: &Shared, stream: TcpStream) -> Result<(), Broken> {
    let _ = stream.set_nodelay(true);
    let config = WebSocketConfig::default().max_message_size(Some(2 * MAX_FRAME)).max_frame_size(None);
    let client = accept_async_with_config(stream, Some(config)).await?;
    let (server, _) = connect_async_with_config(&shared.target, Some(config), true).await?;
    let number = shared.next.fetch_add(1, Relaxed);
    let (line, mut injected) = mpsc::unbounded_channel();
    shared.lines.lock().expect("no panic holds this lock").insert(number, line);
    let ((mut to_client, mut from_client), (mut to_server, mut from_server)) =
        (client.split(), server.split());
    let mut asked: HashMap<u64, ask::Body> = HashMap::new();
    loop {
        let passing = tokio::select! {
            message = from_client.next() => match message {
                Some(Ok(Message::Binary(bytes))) => {
                    let Ok(frame) = v1::ClientFrame::decode(bytes) else { break };
                    if let Some(body) = &frame.body {
                        asked.insert(frame.call, body.clone());
                    }
                    if let Some(ask::Body::Authenticate(who)) = &frame.body
                        && let Ok(device) = DeviceId::from_slice(&who.device)
                    {
                        shared.devices.lock().expect("no panic holds this lock").insert(number, device);
                    }
                    (Frame::Up(frame), None)
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => continue,
            },
            message = from_server.next() => match message {
                Some(Ok(Message::Binary(bytes))) => {
                    let Ok(frame) = v1::ServerFrame::decode(bytes) else { break };
                    let asked = asked.remove(&frame.call);
                    (Frame::Down(frame), asked)
                }
                Some(Ok(Message::Close(_)) | Err(_)) | None => break,
                Some(Ok(_)) => continue,
            },
            frame = injected.recv() => {
                let Some(frame) = frame else { break };
                send(frame, &mut to_client, &mut to_server).await?;
                continue;
            }
        };
        let device = shared.devices.lock().expect("no panic holds this lock").get(&number).copied();
        let passing = Passing { frame: passing.0, asked: passing.1, device };
        for frame in shared.rule.lock().await.passes(passing).await {
            send(frame, &mut to_client, &mut to_server).await?;
        }
    }
    shared.lines.lock().expect("no panic holds this lock").remove(&number);
    let _ = to_client.close().await;
    let _ = to_server.close().await;
    Ok(())
}

async fn send(
    frame: Frame,
    to_client: &mut (impl SinkExt<Message, Error = Broken> + Unpin),
    to_server: &mut (impl SinkExt<Message, Error = Broken> + Unpin),
) -> Result<(), Broken> {
    match frame {
        Frame::Up(frame) => to_server.send(Message::binary(frame.encode_to_vec())).await,
        Frame::Down(frame) => to_client.send(Message::binary(frame.encode_to_vec())).await,
        Frame::RawDown(message) => to_client.send(message).await,
    }
}
