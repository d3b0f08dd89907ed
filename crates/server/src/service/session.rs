//! What the service knows of a connection, and its first frame.

use std::{fmt, net::IpAddr, sync::Arc};

use zegel_proto::{
    AccountId, Code, DeviceId, KEY_PACKAGE_STOCK, MAX_FRAME, VERSION,
    v1::{self, client_frame as ask},
};

use super::{Service, refusal::Refusal};
use crate::{clock::Now, config::Registration, store::read};

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
    /// Authenticated to read statements and to appeal, and for little else; nothing is delivered.
    pub appeal_only: bool,
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
        Session { nonce, domain, peer, device: None, first_seq: 0, appeal_only: false, greeted: false }
    }

    /// Refuses what a connection that is there for an appeal has no business with. No hub ends such a connection when its
    /// device is revoked, so that is looked up.
    pub(super) async fn may_ask(&self, session: &Session, body: &ask::Body) -> Result<(), Refusal> {
        use ask::Body::*;
        if !session.appeal_only {
            return Ok(());
        }
        let (_, device) = session.member()?;
        let about_oneself = matches!(
            body,
            FetchStatements(_)
                | FetchReports(_)
                | Appeal(_)
                | FetchHolding(_)
                | DeleteAccount(_)
                | FetchAccount(_)
                | FetchRoot(_)
                | FetchPolicy(_)
        );
        if !about_oneself {
            let text =
                "this connection is there to read statements and to appeal; open another for anything else";
            return Err(Refusal::bad_request(text));
        }
        match read(&*self.store, move |tx| tx.mailbox(&device)).await? {
            Some(_) => Ok(()),
            None => Err(Refusal::new(Code::AuthFailed, "the account was deleted or this device revoked")),
        }
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
            policy: self.safety_hash.clone(),
        })
    }
}
