//! What the service knows of a connection, and its first frame.

use std::{fmt, net::IpAddr, sync::Arc};

use zegel_proto::{AccountId, Code, DeviceId, KEY_PACKAGE_STOCK, MAX_FRAME, VERSION, v1};

use super::{Service, refusal::Refusal};
use crate::{clock::Now, config::Registration};

/// The protocol versions that this build speaks.
const VERSIONS: &[u32] = &[VERSION];

/// A connection. Clones share nothing: after `Authenticate`, calls that may overlap each take one.
#[derive(Clone)]
pub struct Session {
    /// What `Authenticate` signs.
    pub nonce: [u8; 32],
    /// The domain that `Authenticate` signs.
    pub domain: Arc<str>,
    /// The network address; kept nowhere else, and in no log.
    pub peer: IpAddr,
    /// Set by a successful `Authenticate`.
    pub device: Option<(AccountId, DeviceId)>,
    /// The number that delivery begins at; set together with `device`.
    pub first_seq: u64,
    greeted: bool,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Neither the network address nor the nonce belongs in a log.
        f.debug_struct("Session").field("device", &self.device).finish_non_exhaustive()
    }
}

impl Session {
    /// The device, for calls that need one.
    pub(super) fn member(&self) -> Result<(AccountId, DeviceId), Refusal> {
        let text = "this call needs an authenticated device; send Authenticate first";
        self.device.ok_or_else(|| Refusal::new(Code::NotAuthenticated, text))
    }

    pub(super) fn account(&self) -> Option<AccountId> {
        self.device.map(|(account, _)| account)
    }

    pub(super) fn expect_greeting(&self, greeting: bool) -> Result<(), Refusal> {
        match (self.greeted, greeting) {
            (false, false) => Err(Refusal::bad_request("the first call of a connection is Hello")),
            (true, true) => Err(Refusal::bad_request("Hello was said already")),
            _ => Ok(()),
        }
    }
}

impl Service {
    /// A new connection from this network address.
    pub fn open(&self, peer: IpAddr) -> Session {
        let mut nonce = [0; 32];
        getrandom::fill(&mut nonce).expect("the operating system gives random bytes");
        let domain = self.config.domain.as_str().into();
        Session { nonce, domain, peer, device: None, first_seq: 0, greeted: false }
    }

    pub(super) fn hello(&self, session: &mut Session, call: &v1::Hello) -> Result<v1::HelloAnswer, Refusal> {
        self.limits.connect(session.peer)?;
        let Some(version) = VERSIONS.iter().copied().filter(|v| call.versions.contains(v)).max() else {
            let text = format!(
                "this server speaks protocol versions {VERSIONS:?} and the client {:?}; update the older one",
                &call.versions[..call.versions.len().min(8)]
            );
            return Err(Refusal::new(Code::Version, text));
        };
        session.greeted = true;
        Ok(v1::HelloAnswer {
            version,
            capabilities: Vec::new(),
            domain: session.domain.to_string(),
            nonce: bytes::Bytes::copy_from_slice(&session.nonce),
            server_ms: Now::get().ms,
            invite_needed: self.config.registration == Registration::Invite,
            max_frame: MAX_FRAME as u32,
            key_package_stock: KEY_PACKAGE_STOCK,
            app: self.config.app.clone(),
        })
    }
}
