//! Our own entry: what others are told about us must be what we did.

use zegel_directory::{Entry, Found, PATIENCE_MS, SignedPromise};
use zegel_identity::{Action, Chain, SignedLink, Signer, sign_link};
use zegel_proto::{DeviceId, v1};

use super::{AlarmKind, Attested, Doubt, PROMISE_CHECK_MS};
use crate::{
    Error, Result,
    core::Core,
    db::{Contact, Db, ItemKind, NewItem, Trust},
};

/// How often, and since when, the service would not tell us about ourselves.
const REFUSED: &str = "directory refused";
/// From this many refusals on, over [`PATIENCE_MS`] at least, it is no fault.
const REFUSALS: u64 = 5;

/// What is kept under [`REFUSED`]; times by the device's clock, milliseconds.
struct Refusals {
    first_ms: u64,
    last_ms: u64,
    count: u64,
}

impl Refusals {
    fn to_bytes(&self) -> Vec<u8> {
        [self.first_ms, self.last_ms, self.count].map(u64::to_be_bytes).concat()
    }

    fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let long = |at: usize| Some(u64::from_be_bytes(bytes.get(at..at + 8)?.try_into().ok()?));
        Some(Self { first_ms: long(0)?, last_ms: long(8)?, count: long(16)? })
    }
}

impl Core {
    /// Our own row among those whose chain we hold.
    pub(crate) fn own(&self) -> Result<Contact> {
        let damaged =
            || Error::Profile { why: "its own devices are missing".into(), fix: "a copy of the folder" };
        self.db.contact(&self.me.account)?.ok_or_else(damaged)
    }

    /// Takes what the directory says about us. `between` are the versions of our entry since the one we saw, the
    /// newest aside.
    pub(crate) fn take_own(
        &mut self,
        attested: &Attested,
        between: &[Found],
    ) -> Result<std::result::Result<(), Doubt>> {
        let own = self.own()?;
        if attested.chain.account() != own.account {
            return Ok(Err(Doubt::Handle));
        }
        if !attested.continues(&own.chain) {
            return Ok(Err(Doubt::Rewritten));
        }
        if attested.ended() {
            return Ok(Err(Doubt::Ended));
        }
        let ours =
            |found: &Found| !found.entry.ended && found.entry.is_point_of(&own.account, &attested.links);
        if !between.iter().all(ours) {
            return Ok(Err(Doubt::Unproven));
        }
        let trust = match self.weigh(Some(&own.trust), attested)? {
            Ok(trust) => trust,
            Err(lie) => return Ok(Err(lie.into())),
        };
        for link in attested.links.iter().skip(own.chain.head().0 as usize) {
            self.note_own_link(link)?;
        }
        self.db.put_chain(&attested.chain, &attested.links)?;
        self.keep_trust(&attested.chain, &trust)?;
        Ok(Ok(()))
    }

    /// A link of our own chain that this device did not make.
    fn note_own_link(&mut self, link: &SignedLink) -> Result<()> {
        let link = link.link().map_err(|e| Error::protocol("reading your devices", e))?;
        let text = match link.action {
            Action::AddDevice(device) => {
                let handle = self.me.handle.clone();
                let by = match link.signer {
                    Signer::Recovery => "your recovery key".to_owned(),
                    Signer::Device(id) if id == self.me.device => "a key of this device".to_owned(),
                    Signer::Device(id) => format!("your device {}", id.to_hex()),
                };
                let what = format!(
                    "a device was added to your account: {}, signed with {by}. Whoever holds it can read what is \
                     written to you from now on, and write in your name",
                    device.id.to_hex()
                );
                self.add_alarm(AlarmKind::Device, &handle, &what, &[])?;
                return Ok(());
            }
            Action::RevokeDevice(id) => format!("Your device {} was removed from your account.", id.to_hex()),
            Action::RotateRecovery(_) => "Your recovery key was changed.".to_owned(),
            Action::Create { .. } => return Ok(()),
        };
        self.db.add_item(&NewItem::line(0, ItemKind::Notice, &text))?;
        Ok(())
    }

    /// A link that removes one of our devices.
    pub(crate) fn revoking(&self, device: DeviceId) -> Result<SignedLink> {
        let own = self.own()?;
        let (action, signer) = (Action::RevokeDevice(device), Signer::Device(self.me.device));
        let place = own.chain.head();
        Ok(sign_link(self.me.account, place, self.server_ms(), action, signer, &self.me.signing))
    }

    /// The service took a link of ours, and gave its word.
    pub(crate) fn append_own(&mut self, link: SignedLink, promised: &v1::Promised) -> Result<()> {
        let own = self.own()?;
        let mut links = self.db.links(&own.account)?;
        if links.last().map(SignedLink::hash) == Some(link.hash()) {
            // The directory was asked meanwhile, and has told.
            return Ok(());
        }
        links.push(link);
        let chain = Chain::verify(&links).map_err(|e| Error::protocol("changing your devices", e))?;
        self.db.put_chain(&chain, &links)?;
        // An older word that is still open counts on.
        let trust = match own.trust.promise {
            Some(_) => own.trust,
            None => Trust {
                promise: read_promise(&chain, &self.me.domain, promised),
                promised_ms: self.now_ms(),
                ..own.trust
            },
        };
        self.db.set_trust(&own.account, &trust, self.now_ms() + PROMISE_CHECK_MS)
    }

    /// The service would not say what the directory has about us. `true`: so often, and for so long, that it is no
    /// fault; then it is counted anew.
    pub(crate) fn note_refusal(&mut self) -> Result<bool> {
        let now = self.now_ms();
        let stored = self.db.meta(REFUSED)?.and_then(|bytes| Refusals::from_bytes(&bytes));
        let mut refusals = stored.unwrap_or(Refusals { first_ms: now, last_ms: 0, count: 0 });
        // Others may make us ask often; that must not look like a long time.
        if now.abs_diff(refusals.last_ms) >= PROMISE_CHECK_MS {
            (refusals.last_ms, refusals.count) = (now, refusals.count + 1);
        }
        refusals.first_ms = refusals.first_ms.min(now);
        if refusals.count >= REFUSALS && now - refusals.first_ms >= PATIENCE_MS {
            self.db.drop_meta(REFUSED)?;
            return Ok(true);
        }
        self.db.set_meta(REFUSED, &refusals.to_bytes())?;
        Ok(false)
    }

    /// It said what the directory has about us.
    pub(crate) fn note_answer(&mut self) -> Result<()> {
        self.db.drop_meta(REFUSED)
    }
}

/// Keeps the word that came with a registration. Whether the directory signed it is seen once its keys are known.
pub(crate) fn keep_first_promise(db: &Db, chain: &Chain, promised: &v1::Promised, now_ms: u64) -> Result<()> {
    let promise = read_promise(chain, chain.domain(), promised);
    let trust = Trust { promise, promised_ms: now_ms, ..Trust::default() };
    db.set_trust(&chain.account(), &trust, now_ms + PROMISE_CHECK_MS)
}

/// A promise of exactly this chain under its handle.
fn read_promise(chain: &Chain, domain: &str, promised: &v1::Promised) -> Option<SignedPromise> {
    let promise = SignedPromise::try_from(promised.promise.as_ref()?).ok()?;
    let label = zegel_directory::Label::of(domain, chain.handle());
    (promise.promise.label == label && promise.promise.entry == Entry::of(chain)).then_some(promise)
}
