//! One WebSocket to the server: calls matched with answers, pushes handed on.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use tokio::sync::{Notify, mpsc, oneshot};
use tokio_tungstenite::{
    Connector, connect_async_tls_with_config,
    tungstenite::{Message as Frame, protocol::WebSocketConfig},
};
use zegel_proto::{
    Code, MAX_FRAME, Message as _,
    v1::{self, client_frame::Body as Call, server_frame::Body as Answer},
};

use crate::{Error, Result, flow::Link};

/// Who waits for which answer; `None` once the connection is over.
type Waiting = Arc<Mutex<Option<HashMap<u64, oneshot::Sender<Answer>>>>>;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long a connection attempt may take.
const CONNECT: Duration = Duration::from_secs(15);
/// Without any frame for this long (the server pings more often) the connection is dead.
const SILENCE: Duration = Duration::from_secs(150);

/// An open connection.
pub(super) struct Socket {
    out: mpsc::UnboundedSender<v1::ClientFrame>,
    waiting: Waiting,
    next: AtomicU64,
    tasks: [tokio::task::JoinHandle<()>; 2],
}

/// What the server pushes: deliveries, and at the end why the connection is over.
pub(super) enum Pushed {
    Mail(v1::Deliver),
    Over(Error),
}

/// This many pushes may lie unread before the socket is read no further.
const UNREAD: usize = 64;

/// What the server pushed and nobody has taken yet.
pub(super) struct Pushes {
    unread: Arc<AtomicUsize>,
    taken: Arc<Notify>,
    pushes: mpsc::UnboundedReceiver<Pushed>,
}

struct Inbox {
    unread: Arc<AtomicUsize>,
    taken: Arc<Notify>,
    pushes: mpsc::UnboundedSender<Pushed>,
}

fn inbox() -> (Inbox, Pushes) {
    let (unread, taken) = (Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
    let (sender, pushes) = mpsc::unbounded_channel();
    (Inbox { unread: unread.clone(), taken: taken.clone(), pushes: sender }, Pushes { unread, taken, pushes })
}

impl Pushes {
    /// The next push; `None` when the connection is over and all is taken.
    pub(super) async fn recv(&mut self) -> Option<Pushed> {
        let pushed = self.pushes.recv().await;
        self.note(pushed)
    }

    /// The next push, if one is there.
    pub(super) fn try_recv(&mut self) -> Option<Pushed> {
        let pushed = self.pushes.try_recv().ok();
        self.note(pushed)
    }

    fn note(&self, pushed: Option<Pushed>) -> Option<Pushed> {
        if pushed.is_some() {
            self.unread.fetch_sub(1, Relaxed);
            self.taken.notify_one();
        }
        pushed
    }
}

impl Inbox {
    fn put(&self, pushed: Pushed) -> std::result::Result<(), ()> {
        self.unread.fetch_add(1, Relaxed);
        self.pushes.send(pushed).map_err(|_| ())
    }

    /// Waits while much lies unread; but never while someone waits for an answer, which may come behind it.
    async fn has_room(&self, waiting: &Waiting) {
        let calls =
            || waiting.lock().expect("no panic holds this lock").as_ref().is_some_and(|w| !w.is_empty());
        while self.unread.load(Relaxed) > UNREAD && !calls() {
            // Bounded: a call that begins meanwhile does not signal.
            let _ = tokio::time::timeout(Duration::from_millis(20), self.taken.notified()).await;
        }
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn socket_url(server: &str) -> Result<String> {
    let server = server.trim_end_matches('/');
    let rest = |scheme| server.strip_prefix(scheme);
    match (rest("http://"), rest("https://")) {
        (Some(host), _) => Ok(format!("ws://{host}/v1/socket")),
        (_, Some(host)) => Ok(format!("wss://{host}/v1/socket")),
        _ => Err(Error::usage(
            "connecting",
            format!("{server:?} is no server URL"),
            "one like https://chat.example.org",
        )),
    }
}

/// Extra trusted certificates, for services with a certificate of their own making.
fn connector(extra_roots: Option<&Path>) -> Result<Option<Connector>> {
    let Some(path) = extra_roots.filter(|path| path.exists()) else { return Ok(None) };
    let wrong = |why: String| Error::Profile { why, fix: "a PEM file of certificates" };
    let file = std::fs::read(path).map_err(|e| wrong(e.to_string()))?;
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls_pemfile::certs(&mut file.as_slice()) {
        let certificate = certificate.map_err(|e| wrong(e.to_string()))?;
        roots.add(certificate).map_err(|e| wrong(e.to_string()))?;
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| wrong(e.to_string()))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Some(Connector::Rustls(Arc::new(config))))
}

impl Socket {
    /// Connects; what the server pushes comes out of the receiver.
    pub(super) async fn connect(server: &str, extra_roots: Option<&Path>) -> Result<(Self, Pushes)> {
        let url = socket_url(server)?;
        let config =
            WebSocketConfig::default().max_message_size(Some(MAX_FRAME)).max_frame_size(Some(MAX_FRAME));
        let connecting = connect_async_tls_with_config(url, Some(config), true, connector(extra_roots)?);
        let offline = |why: String| Error::Offline(format!("{server}: {why}"));
        let (stream, _) = tokio::time::timeout(CONNECT, connecting)
            .await
            .map_err(|_| offline("no answer".into()))?
            .map_err(|e| offline(e.to_string()))?;
        let (mut sink, mut source) = stream.split();
        let (out, mut outgoing) = mpsc::unbounded_channel::<v1::ClientFrame>();
        let (inbox, pushed) = inbox();
        let waiting: Waiting = Arc::new(Mutex::new(Some(HashMap::new())));

        let writer = tokio::spawn(async move {
            while let Some(frame) = outgoing.recv().await {
                if sink.feed(Frame::binary(frame.encode_to_vec())).await.is_err() {
                    return;
                }
                // What is ready goes out together.
                if outgoing.is_empty() && sink.flush().await.is_err() {
                    return;
                }
            }
        });
        let answers = waiting.clone();
        let reader = tokio::spawn(async move {
            let end = loop {
                inbox.has_room(&answers).await;
                let frame = match tokio::time::timeout(SILENCE, source.next()).await {
                    Err(_) => break Error::Offline("the connection went silent".into()),
                    Ok(None) => break Error::Offline("the server closed the connection".into()),
                    Ok(Some(Err(error))) => break Error::Offline(error.to_string()),
                    Ok(Some(Ok(frame))) => frame,
                };
                let bytes = match frame {
                    Frame::Binary(bytes) => bytes,
                    Frame::Close(_) => break Error::Offline("the server closed the connection".into()),
                    _ => continue,
                };
                let Ok(frame) = v1::ServerFrame::decode(bytes) else {
                    break Error::Offline("the server sent a frame that cannot be read".into());
                };
                match (frame.call, frame.body) {
                    (0, Some(Answer::Deliver(mail))) => {
                        if inbox.put(Pushed::Mail(mail)).is_err() {
                            return;
                        }
                    }
                    (0, Some(Answer::Error(error))) => {
                        break refused("staying connected", error);
                    }
                    (call, Some(body)) => {
                        let mut waiting = answers.lock().expect("no panic holds this lock");
                        let waiter = waiting.as_mut().and_then(|waiting| waiting.remove(&call));
                        drop(waiting);
                        if let Some(waiter) = waiter {
                            let _ = waiter.send(body);
                        }
                    }
                    (_, None) => {}
                }
            };
            *answers.lock().expect("no panic holds this lock") = None;
            let _ = inbox.put(Pushed::Over(end));
        });
        let socket = Self { out, waiting, next: AtomicU64::new(1), tasks: [writer, reader] };
        Ok((socket, pushed))
    }

    /// Sends a call whose answer nobody waits for.
    pub(super) fn tell(&self, body: Call) {
        let call = self.next.fetch_add(1, Relaxed);
        let _ = self.out.send(v1::ClientFrame { call, body: Some(body) });
    }
}

fn refused(doing: &'static str, error: v1::Error) -> Error {
    Error::Refused {
        doing,
        code: Code::from_wire(error.code),
        message: error.message,
        head_epoch: error.head_epoch,
        retry_after_ms: error.retry_after_ms,
    }
}

impl Link for Socket {
    async fn call(&self, doing: &'static str, body: Call) -> Result<Answer> {
        let call = self.next.fetch_add(1, Relaxed);
        let (sender, receiver) = oneshot::channel();
        let gone = || Error::Offline("the connection broke".into());
        match self.waiting.lock().expect("no panic holds this lock").as_mut() {
            Some(waiting) => waiting.insert(call, sender),
            None => return Err(gone()),
        };
        self.out.send(v1::ClientFrame { call, body: Some(body) }).map_err(|_| gone())?;
        match tokio::time::timeout(PATIENCE, receiver).await {
            Err(_) => Err(Error::Offline("the server did not answer".into())),
            Ok(Err(_)) => Err(gone()),
            Ok(Ok(Answer::Error(error))) => Err(refused(doing, error)),
            Ok(Ok(answer)) => Ok(answer),
        }
    }
}
