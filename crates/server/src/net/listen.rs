//! The accept loop: TCP, TLS if it ends here, then HTTP until a WebSocket takes over.

use std::{
    net::{SocketAddr, ToSocketAddrs},
    sync::Arc,
    time::Duration,
};

use axum::{Router, body::Body, extract::Request};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpSocket, TcpStream},
    signal::unix::{Signal, SignalKind, signal},
    time::{sleep, timeout},
};
use tokio_rustls::TlsAcceptor;
use tower_service::Service as _;
use zegel_desk::Origin;

use super::{Shared, http, tls::Identity, transport::Transport};

/// How long a connection may take for its TLS handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long a connection may stay HTTP; a WebSocket leaves HTTP behind.
const HTTP: Duration = Duration::from_secs(60);
/// Connections that wait to be accepted: everyone comes back at once after a restart.
const BACKLOG: u32 = 4096;

/// The socket cannot be opened.
#[derive(Debug, thiserror::Error)]
#[error("while listening on {listen}: {why}; try another --listen ADDRESS:PORT")]
pub struct ListenError {
    listen: String,
    why: String,
}

/// An open socket and the address it got.
pub struct Bound {
    listener: TcpListener,
    /// With the real port.
    pub address: SocketAddr,
}

/// Opens the socket.
pub fn bind(listen: &str) -> Result<Bound, ListenError> {
    let error = |why: String| ListenError { listen: listen.to_owned(), why };
    let address = listen.to_socket_addrs().map_err(|e| error(e.to_string()))?.next();
    let address = address.ok_or_else(|| error("the name has no address".into()))?;
    let open = || {
        let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        socket.set_reuseaddr(true)?;
        socket.bind(address)?;
        let listener = socket.listen(BACKLOG)?;
        let address = listener.local_addr()?;
        Ok(Bound { listener, address })
    };
    open().map_err(|e: std::io::Error| error(e.to_string()))
}

/// Accepts until it is aborted.
pub(super) async fn accept(shared: Arc<Shared>, bound: Bound, mut tls: Option<Identity>, desk: Origin) {
    let router = http::router(shared, desk);
    let mut hangup = signal(SignalKind::hangup())
        .inspect_err(
            |error| tracing::warn!(%error, "while listening for SIGHUP; certificates stay as they are"),
        )
        .ok();
    loop {
        let accepted = tokio::select! {
            accepted = bound.listener.accept() => accepted,
            () = next(&mut hangup) => {
                match tls.as_mut().map(Identity::reload) {
                    Some(Ok(())) => tracing::info!("the certificate was read again"),
                    Some(Err(error)) => tracing::error!(%error, "the certificate stays as it was"),
                    None => {}
                }
                continue;
            }
        };
        match accepted {
            Ok((stream, peer)) => {
                let acceptor = tls.as_ref().map(Identity::acceptor);
                tokio::spawn(welcome(router.clone(), stream, peer, acceptor));
            }
            Err(error) => {
                // Most likely no file is left; accepting again at once would only spin.
                tracing::warn!(%error, "while accepting a connection");
                sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn next(hangup: &mut Option<Signal>) {
    match hangup {
        Some(hangup) => _ = hangup.recv().await,
        None => std::future::pending().await,
    }
}

/// Speaks HTTP on a new connection. When a WebSocket takes the stream over, this ends.
async fn welcome(router: Router, stream: TcpStream, peer: SocketAddr, tls: Option<TlsAcceptor>) {
    let _ = stream.set_nodelay(true);
    let stream = match tls {
        None => Transport::Plain(stream),
        Some(tls) => match timeout(HANDSHAKE, tls.accept(stream)).await {
            Ok(Ok(stream)) => Transport::Tls(Box::new(stream)),
            Ok(Err(_)) | Err(_) => return,
        },
    };
    let answer = service_fn(move |mut request: hyper::Request<Incoming>| {
        request.extensions_mut().insert(http::Peer(peer.ip()));
        router.clone().call(Request::from(request.map(Body::new)))
    });
    let connection = http1::Builder::new()
        .max_buf_size(16 << 10)
        .serve_connection(TokioIo::new(stream), answer)
        .with_upgrades();
    // What goes wrong here is the peer's affair, and is nobody's to read in a log.
    let _ = timeout(HTTP, connection).await;
}
