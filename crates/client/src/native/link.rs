//! One WebSocket to the server: calls matched with answers, pushes handed on.

use std::{
    collections::HashMap,
    path::Path,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use tokio::sync::{mpsc, oneshot};
use tokio_tungstenite::{
    Connector, connect_async_tls_with_config,
    tungstenite::{Message as Frame, protocol::WebSocketConfig},
};
use zegel_proto::{
    Code, MAX_FRAME, Message as _,
    v1::{self, client_frame::Body as Call, server_frame::Body as Answer},
};

use crate::{Error, Result, flow::Link};

type Waiting = Arc<Mutex<HashMap<u64, oneshot::Sender<Answer>>>>;

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
    pub(super) async fn connect(
        server: &str,
        extra_roots: Option<&Path>,
    ) -> Result<(Self, mpsc::Receiver<Pushed>)> {
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
        let (push, pushed) = mpsc::channel(64);
        let waiting: Waiting = Arc::default();

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
                let frame = match tokio::time::timeout(SILENCE, source.next()).await {
                    Err(_) => break "the connection went silent".to_owned(),
                    Ok(None) => break "the server closed the connection".to_owned(),
                    Ok(Some(Err(error))) => break error.to_string(),
                    Ok(Some(Ok(frame))) => frame,
                };
                let bytes = match frame {
                    Frame::Binary(bytes) => bytes,
                    Frame::Close(_) => break "the server closed the connection".to_owned(),
                    _ => continue,
                };
                let Ok(frame) = v1::ServerFrame::decode(bytes) else {
                    break "the server sent a frame that cannot be read".to_owned();
                };
                match (frame.call, frame.body) {
                    (0, Some(Answer::Deliver(mail))) => {
                        if push.send(Pushed::Mail(mail)).await.is_err() {
                            return;
                        }
                    }
                    (0, Some(Answer::Error(error))) => {
                        let _ = push.send(Pushed::Over(refused("staying connected", error))).await;
                        return;
                    }
                    (call, Some(body)) => {
                        let waiter = answers.lock().expect("no panic holds this lock").remove(&call);
                        if let Some(waiter) = waiter {
                            let _ = waiter.send(body);
                        }
                    }
                    (_, None) => {}
                }
            };
            answers.lock().expect("no panic holds this lock").clear();
            let _ = push.send(Pushed::Over(Error::Offline(end))).await;
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
        self.waiting.lock().expect("no panic holds this lock").insert(call, sender);
        let gone = || Error::Offline("the connection broke".into());
        self.out.send(v1::ClientFrame { call, body: Some(body) }).map_err(|_| gone())?;
        match tokio::time::timeout(PATIENCE, receiver).await {
            Err(_) => Err(Error::Offline("the server did not answer".into())),
            Ok(Err(_)) => Err(gone()),
            Ok(Ok(Answer::Error(error))) => Err(refused(doing, error)),
            Ok(Ok(answer)) => Ok(answer),
        }
    }
}
