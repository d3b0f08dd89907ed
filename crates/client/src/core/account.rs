//! Registration, sigchains of others, and the stock of key packages.

use openmls::prelude::{
    KeyPackage, KeyPackageRef,
    tls_codec::{DeserializeBytes as _, Serialize as _},
};
use openmls_traits::OpenMlsProvider as _;
use zegel_identity::{Chain, SignedLink};
use zegel_proto::{Address, KEY_PACKAGE_STOCK, v1};

use super::{Core, Me, suite};
use crate::{
    Error, Result,
    db::{Db, mls::Provider},
};

/// What a person gives to register.
#[derive(Clone, Debug)]
pub(crate) struct NewAccount {
    pub handle: String,
    pub app: String,
    pub domain: String,
    pub server: String,
}

/// Unused key package secrets are kept this long: 28 days on offer, 28 days as mail, and some.
const KEEP_OFFERS_MS: u64 = 90 * 86_400_000;

impl Me {
    /// Makes an account and writes it into an empty profile; returns the first link to register with.
    pub(crate) fn found(db: &Db, new: &NewAccount, now_ms: u64) -> Result<(Self, SignedLink)> {
        let (me, link) = Me::create(&new.handle, &new.app, &new.domain, &new.server, now_ms);
        let chain = Chain::verify(std::slice::from_ref(&link))
            .map_err(|e| Error::protocol("making an account", e))?;
        db.set_meta("me", &me.to_bytes())?;
        db.put_chain(&chain, std::slice::from_ref(&link))?;
        Ok((me, link))
    }
}

impl Core {
    /// The server's clock and stock, told at authentication.
    pub(crate) fn note_server(&mut self, answer: &v1::Authenticated) {
        self.clock_offset = (answer.server_ms as i64).saturating_sub(self.now_ms() as i64);
        self.stock = answer.key_packages;
    }

    /// Fresh key packages to bring the server's stock up, if it needs any.
    pub(crate) fn restock(&mut self, last_resort_missing: bool) -> Result<Option<v1::PublishKeyPackages>> {
        let missing = KEY_PACKAGE_STOCK.saturating_sub(self.stock);
        if missing == 0 && !last_resort_missing {
            return Ok(None);
        }
        let packages = (0..missing).map(|_| self.key_package(false)).collect::<Result<_>>()?;
        let last_resort = last_resort_missing.then(|| self.key_package(true)).transpose()?;
        self.drop_old_offers()?;
        Ok(Some(v1::PublishKeyPackages { packages, last_resort, replace: false }))
    }

    /// Makes a key package with an address of its own; its secrets stay in the profile.
    pub(crate) fn key_package(&mut self, last_resort: bool) -> Result<v1::StockedKeyPackage> {
        let address = Address::random();
        let key_package = self.key_package_at(&address, last_resort)?;
        Ok(v1::StockedKeyPackage { key_package: key_package.into(), address: address.to_field() })
    }

    /// Makes a key package with a given address.
    pub(crate) fn key_package_at(&mut self, address: &Address, last_resort: bool) -> Result<Vec<u8>> {
        let doing = "making a key package";
        let provider = Provider::deferring(self.db.conn(), &self.crypto, &self.unsettled);
        let mut builder = KeyPackage::builder()
            .key_package_lifetime(suite::lifetime(self.server_ms()))
            .leaf_node_capabilities(suite::capabilities())
            .leaf_node_extensions(suite::leaf_extensions(address));
        if last_resort {
            builder = builder.mark_as_last_resort();
        }
        let bundle = builder
            .build(suite::SUITE, &provider, &self.me, self.me.credential_with_key())
            .map_err(|e| Error::mls(doing)(&e))?;
        let reference =
            bundle.key_package().hash_ref(provider.crypto()).map_err(|e| Error::mls(doing)(&e))?;
        let reference = reference.tls_serialize_detached().map_err(|e| Error::mls(doing)(&e))?;
        self.db.add_offer(address, &reference, last_resort, self.now_ms())?;
        bundle.key_package().tls_serialize_detached().map_err(|e| Error::mls(doing)(&e))
    }

    fn drop_old_offers(&mut self) -> Result<()> {
        use openmls_traits::storage::StorageProvider as _;
        let provider = Provider::deferring(self.db.conn(), &self.crypto, &self.unsettled);
        for (address, reference) in self.db.offers_before(self.now_ms().saturating_sub(KEEP_OFFERS_MS))? {
            let reference = KeyPackageRef::tls_deserialize_exact_bytes(&reference)
                .map_err(|e| Error::mls("dropping old keys")(&e))?;
            provider
                .storage
                .delete_key_package(&reference)
                .map_err(|e| Error::mls("dropping old keys")(&e))?;
            self.db.delete_offer(&address)?;
        }
        Ok(())
    }
}

impl Me {
    pub(crate) fn credential_with_key(&self) -> openmls::prelude::CredentialWithKey {
        openmls::prelude::CredentialWithKey {
            credential: suite::credential(&self.account, &self.device),
            signature_key: self.signing.verifying_key().to_bytes().as_slice().into(),
        }
    }
}
