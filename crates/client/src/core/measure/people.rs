//! Who is in a measured group: two devices with profiles, and others of whom only keys exist.

use std::{
    path::Path,
    time::{SystemTime, UNIX_EPOCH},
};

use openmls::prelude::{KeyPackage, tls_codec::Serialize as _};
use openmls_rust_crypto::OpenMlsRustCrypto;
use zegel_identity::{Chain, SignedLink};
use zegel_proto::{AccountId, Address, v1};
use zeroize::Zeroizing;

use super::odd;
use crate::{
    Result,
    core::{Core, Me, NewAccount, suite},
    db::Db,
};

const DOMAIN: &str = "measured.example";

pub(super) fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// A device with a profile on disk, as a client has it.
pub(super) fn device(folder: &Path, handle: &str) -> Result<(Core, SignedLink)> {
    let db = Db::open(&folder.join(format!("{handle}.db")), &Zeroizing::new([1; 32]))?;
    let new = NewAccount {
        handle: handle.into(),
        app: "zegel".into(),
        domain: DOMAIN.into(),
        server: "http://measured.example".into(),
    };
    let (me, link) = Me::found(&db, &new, now_ms())?;
    let mut core = Core::new(db, me, now_ms);
    core.step(|core| core.meet_mailbox(1, 1))?;
    Ok((core, link))
}

/// Accounts to add, with their sigchains and key packages; whoever was invited last comes last.
pub(super) struct People {
    pub accounts: Vec<AccountId>,
    pub packages: Vec<v1::DeviceKeyPackage>,
    links: Vec<SignedLink>,
}

impl People {
    /// So many of whom only the keys are needed.
    pub(super) fn new(count: usize) -> Result<Self> {
        let provider = OpenMlsRustCrypto::default();
        let mut people = Self { accounts: Vec::new(), packages: Vec::new(), links: Vec::new() };
        for number in 0..count {
            let (me, link) = Me::create(&format!("member{number}"), "zegel", DOMAIN, "", now_ms());
            let bundle = KeyPackage::builder()
                .key_package_lifetime(suite::lifetime(now_ms()))
                .leaf_node_capabilities(suite::capabilities())
                .leaf_node_extensions(suite::leaf_extensions(&Address::random()))
                .build(suite::SUITE, &provider, &me, me.credential_with_key())
                .map_err(odd)?;
            people.links.push(link);
            people.add(&me, bundle.key_package().tls_serialize_detached().map_err(odd)?.into());
        }
        Ok(people)
    }

    fn add(&mut self, me: &Me, key_package: bytes::Bytes) {
        self.accounts.push(me.account);
        let (account, device) = (me.account.to_field(), me.device.to_field());
        self.packages.push(v1::DeviceKeyPackage { account, device, key_package });
    }

    /// A device with a profile, invited under the address that is returned.
    pub(super) fn invite(&mut self, core: &mut Core) -> Result<bytes::Bytes> {
        let stocked = core.step(|core| core.key_package(false))?;
        self.add(&core.me, stocked.key_package);
        Ok(stocked.address)
    }

    /// A device gets to know everybody, and these.
    pub(super) fn introduce(&self, core: &mut Core, also: [&SignedLink; 2]) -> Result<()> {
        core.step(|core| {
            for link in self.links.iter().chain(also) {
                let links = std::slice::from_ref(link);
                core.db.put_chain(&Chain::verify(links).map_err(odd)?, links)?;
            }
            Ok(())
        })
    }
}
