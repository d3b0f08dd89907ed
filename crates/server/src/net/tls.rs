//! TLS with certificate files, read again on SIGHUP.

use std::{path::PathBuf, sync::Arc};

use rustls::{
    ServerConfig,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
    server::NoServerSessionStorage,
};
use tokio_rustls::TlsAcceptor;

use crate::config::Tls;

/// A certificate that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("while reading the TLS file {path}: {why}; try a PEM file that this user may read")]
pub struct TlsError {
    path: PathBuf,
    why: String,
}

/// The files, and what they held when last read.
pub struct Identity {
    files: Tls,
    acceptor: TlsAcceptor,
}

impl Identity {
    /// Reads the files.
    pub fn load(files: Tls) -> Result<Self, TlsError> {
        let acceptor = read(&files)?;
        Ok(Self { files, acceptor })
    }

    /// Reads the files again; if that fails, what was read before stays.
    pub fn reload(&mut self) -> Result<(), TlsError> {
        self.acceptor = read(&self.files)?;
        Ok(())
    }

    /// For the next connection.
    pub fn acceptor(&self) -> TlsAcceptor {
        self.acceptor.clone()
    }
}

fn read(files: &Tls) -> Result<TlsAcceptor, TlsError> {
    let certificate = |why: String| TlsError { path: files.certificate.clone(), why };
    let key = |why: String| TlsError { path: files.key.clone(), why };
    let chain: Vec<_> = CertificateDer::pem_file_iter(&files.certificate)
        .and_then(Iterator::collect)
        .map_err(|e| certificate(e.to_string()))?;
    let secret = PrivateKeyDer::from_pem_file(&files.key).map_err(|e| key(e.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|e| certificate(e.to_string()))?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(|e| certificate(e.to_string()))?;
    // Sessions are resumed by tickets that clients keep; the server remembers none.
    config.session_storage = Arc::new(NoServerSessionStorage {});
    config.ticketer = ring::Ticketer::new().map_err(|e| key(e.to_string()))?;
    config.send_tls13_tickets = 1;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
