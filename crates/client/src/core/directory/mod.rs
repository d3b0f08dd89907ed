//! What this device has seen of the key directory, and what it believes because of that.
//!
//! *Invariant:* a chain is taken only if the directory proves it, or promises it in a word that it signed; whatever
//! cannot be true is an alarm, kept until the person has seen it. A directory that was caught contradicting itself is
//! asked for nothing any more until the person says so.

mod alarm;
mod attest;
mod gossip;
mod own;
mod safety;
mod trust;

use zegel_directory::{Lie, Root, SignedRoot, SignerLink, View};

use super::Core;
use crate::{Error, Result};

pub(crate) use alarm::{AlarmKind, Exhibits, evidence, steps};
pub(crate) use attest::{Asked, Attested, Doubt};
pub(crate) use gossip::Kin;
pub(crate) use own::keep_first_promise;
pub(crate) use trust::Standing;

/// A promise is looked after this long after it was made, milliseconds: an epoch, and a moment.
pub(crate) const PROMISE_CHECK_MS: u64 = zegel_directory::EPOCH_MS + 2_000;

/// Where the view is kept, after its version.
const VIEW: &str = "directory";
const VIEW_VERSION: u8 = 1;
/// Set while the directory is not believed: the kind of the alarm that it was caught at.
const DISTRUSTED: &str = "directory distrusted";

/// What is kept in memory of the profile's record.
#[derive(Default)]
pub(crate) struct Seen {
    read: Option<Option<View>>,
}

impl Seen {
    /// What was read may have been undone.
    pub(crate) fn forget(&mut self) {
        self.read = None;
    }
}

impl Core {
    /// The directory as this device has seen it; `None` before the first meeting.
    pub(crate) fn view(&mut self) -> Result<Option<&View>> {
        if self.seen.read.is_none() {
            let stored = self.db.meta(VIEW)?;
            self.seen.read = Some(stored.map(|bytes| read_view(&bytes)).transpose()?);
        }
        Ok(self.seen.read.as_ref().and_then(Option::as_ref))
    }

    fn put_view(&mut self, view: View) -> Result<()> {
        let bytes = postcard::to_allocvec(&view).expect("writing into memory cannot fail");
        self.db.set_meta(VIEW, &[&[VIEW_VERSION], bytes.as_slice()].concat())?;
        self.seen.read = Some(Some(view));
        Ok(())
    }

    /// The first meeting: what the service shows is taken, and held against it from then on.
    pub(crate) fn begin_view(
        &mut self,
        signers: &[SignerLink],
        root: SignedRoot,
    ) -> Result<std::result::Result<(), Lie>> {
        if self.view()?.is_some() {
            return Ok(Ok(()));
        }
        let view = match View::begin(&self.me.domain, signers, root) {
            Ok(view) => view,
            Err(lie) => return Ok(Err(lie)),
        };
        self.check_first_promise(&view)?;
        self.put_view(view)?;
        Ok(Ok(()))
    }

    /// The word that came with our registration came before the keys that should have signed it.
    fn check_first_promise(&mut self, view: &View) -> Result<()> {
        let own = self.own()?;
        let Some(promise) = &own.trust.promise else { return Ok(()) };
        let signed = view.promised(&own.handle, promise).is_ok();
        if !signed || !promise.is_sane(&view.latest().root, self.server_ms()) {
            let what = match signed {
                true => "the service gave a promise about your account that never falls due",
                false => "the service gave a promise about your account that its directory did not sign",
            };
            self.add_alarm(AlarmKind::Own, &own.handle, what, &[])?;
            let trust = crate::db::Trust { promise: None, promised_ms: 0, ..own.trust.clone() };
            self.db.set_trust(&own.account, &trust, 1)?;
        }
        Ok(())
    }

    /// Takes a newer root, with the way down from it to root `to`. `false`: the view has moved on from `to` meanwhile.
    pub(crate) fn advance_view(
        &mut self,
        to: u64,
        signers: &[SignerLink],
        next: SignedRoot,
        path: &[Root],
    ) -> Result<std::result::Result<bool, Lie>> {
        let Some(mut view) = self.view()?.cloned() else { return Ok(Ok(false)) };
        if view.latest().root.epoch != to {
            return Ok(Ok(false));
        }
        let before = view.latest().seen();
        let advanced = view.learn_signers(signers).and_then(|()| view.advance(next, path));
        if let Err(lie) = advanced {
            return Ok(Err(lie));
        }
        self.db.keep_past_root(&before)?;
        self.put_view(view)?;
        Ok(Ok(true))
    }

    /// Takes more signing keys of the directory.
    pub(crate) fn learn_signers(&mut self, signers: &[SignerLink]) -> Result<std::result::Result<(), Lie>> {
        let Some(mut view) = self.view()?.cloned() else { return Ok(Ok(())) };
        if let Err(lie) = view.learn_signers(signers) {
            return Ok(Err(lie));
        }
        self.put_view(view)?;
        Ok(Ok(()))
    }

    /// Whether the directory is still asked for people and devices.
    pub(crate) fn is_directory_trusted(&self) -> Result<bool> {
        Ok(self.db.meta(DISTRUSTED)?.is_none())
    }

    /// Fails if the directory was caught.
    pub(crate) fn check_trusted(&self, doing: &'static str) -> Result<()> {
        match self.is_directory_trusted()? {
            true => Ok(()),
            false => Err(Error::Distrusted { doing }),
        }
    }

    /// Forgets all that the directory showed, to begin anew with whatever it shows next. Alarms stay, and so do the
    /// chains that we hold.
    pub(crate) fn trust_anew(&mut self) -> Result<()> {
        self.step(|core| {
            core.db.drop_meta(VIEW)?;
            core.db.drop_meta(DISTRUSTED)?;
            core.db.forget_trust()?;
            core.db.forget_gossip()?;
            core.seen.forget();
            Ok(())
        })
    }
}

fn read_view(bytes: &[u8]) -> Result<View> {
    let damaged = |why: String| Error::Profile { why, fix: "a copy of the profile folder" };
    match bytes.split_first() {
        Some((&VIEW_VERSION, view)) => postcard::from_bytes(view).map_err(|e| damaged(e.to_string())),
        Some((version, _)) => {
            Err(damaged(format!("its view of the directory has version {version}, which is not known")))
        }
        None => Err(damaged("its view of the directory is empty".into())),
    }
}
