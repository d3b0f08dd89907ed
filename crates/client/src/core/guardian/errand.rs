//! Calls to the service about our guardian and our age, and what their outcome does.

use zegel_content::Guardian;
use zegel_proto::v1::{self, AgeBand, client_frame::Body as Call};

use super::{Core, words::Word, words::band_name};
use crate::{
    Result,
    db::{Errand, ItemKind, Link, LinkState, NewItem, Role},
};

impl Errand {
    /// The call. It may be made again after a lost answer.
    fn call(&self) -> Call {
        let field = |bytes: &[u8; 32]| bytes.to_vec().into();
        match self {
            Self::Key { hash, old, .. } => Call::SetGuardian(v1::SetGuardian {
                hash: field(hash),
                secret: old.as_ref().map(field).unwrap_or_default(),
            }),
            Self::Release { secret } => {
                Call::SetGuardian(v1::SetGuardian { hash: Default::default(), secret: field(secret) })
            }
            Self::Age { band, secret, .. } => Call::ChangeAge(v1::ChangeAge {
                age_band: i32::from(*band),
                invite: String::new(),
                guardian: field(secret),
            }),
        }
    }
}

impl Core {
    /// The oldest errand, as a call.
    pub(crate) fn errand(&self) -> Result<Option<(i64, Call)>> {
        Ok(self.db.first_errand()?.map(|(id, errand)| (id, errand.call())))
    }

    /// The service did it, or why it refused for good.
    pub(crate) fn errand_ended(&mut self, id: i64, refused: Option<&str>) -> Result<()> {
        self.step(|core| {
            let Some((_, errand)) = core.db.first_errand()?.filter(|(first, _)| *first == id) else {
                return Ok(());
            };
            core.db.errand_done(id)?;
            match (errand, refused) {
                (Errand::Key { guardian, hash, .. }, None) => core.service_has_key(&guardian, hash),
                (Errand::Key { guardian, .. }, Some(why)) => core.key_refused(&guardian, why),
                (Errand::Release { secret }, None) => core.service_forgot(&super::link::hash(&secret)),
                // It has another one, or none: either way this one opens nothing.
                (Errand::Release { .. }, Some(_)) => Ok(()),
                (Errand::Age { guardian, band, secret, next }, None) => {
                    let band = AgeBand::try_from(i32::from(band)).unwrap_or_default();
                    core.age_changed(band)?;
                    core.rotate(&guardian, secret, next)
                }
                (Errand::Age { guardian, band, .. }, Some(why)) => {
                    core.note(&guardian, &Word::AgeNotChanged(band_name(band), why))
                }
            }
        })
    }

    fn service_has_key(&mut self, guardian: &zegel_proto::AccountId, hash: [u8; 32]) -> Result<()> {
        let link = self.db.link_with(guardian)?.filter(|link| link.role == Role::Guardian);
        let Some(link) = link else { return Ok(()) };
        let fresh = link.state == LinkState::Keyed;
        if !fresh && link.state != LinkState::Linked {
            return Ok(());
        }
        let linked = Link { state: LinkState::Linked, secret: Some(hash), next: None, ..link };
        self.db.put_link(&linked)?;
        self.tell(guardian, &Guardian::Linked)?;
        match fresh {
            true => self.note(guardian, &Word::Linked(Role::Guardian, &self.name_of(guardian)?)),
            false => Ok(()),
        }
    }

    fn key_refused(&mut self, guardian: &zegel_proto::AccountId, why: &str) -> Result<()> {
        let link = self.db.link_with(guardian)?.filter(|link| link.role == Role::Guardian);
        let Some(link) = link.filter(|link| link.state == LinkState::Keyed) else { return Ok(()) };
        self.db.drop_link(&link.account)?;
        self.tell(guardian, &Guardian::End { secret: None })?;
        self.note(guardian, &Word::KeyRefused(&self.name_of(guardian)?, why))
    }

    fn service_forgot(&mut self, hash: &[u8; 32]) -> Result<()> {
        for link in self.db.links_all()? {
            let this = link.secret.as_ref() == Some(hash) || link.next.as_ref() == Some(hash);
            if link.role == Role::Guardian && link.state == LinkState::Over && this {
                self.db.drop_link(&link.account)?;
            }
        }
        Ok(())
    }

    /// Within a step: the service has taken another age of ours.
    pub(crate) fn age_changed(&mut self, band: AgeBand) -> Result<()> {
        if self.own_band()? != band {
            let text = Word::AgeChanged(band_name(i32::from(band) as u8)).says(self.language()?);
            self.db.add_item(&NewItem::line(0, ItemKind::Notice, &text))?;
        }
        self.set_own_band(band)?;
        self.age_is(band, true)
    }

    /// The secret was used, and this device knows it: another takes its place, if the link still holds.
    fn rotate(
        &mut self,
        guardian: &zegel_proto::AccountId,
        old: [u8; 32],
        next: Option<[u8; 32]>,
    ) -> Result<()> {
        let link = self.db.our_guardian()?.filter(|link| link.account == *guardian);
        let (Some(link), Some(hash)) = (link, next) else { return Ok(()) };
        self.db.add_errand(&Errand::Key { guardian: *guardian, hash, old: Some(old) })?;
        self.db.put_link(&Link { next: Some(hash), ..link })
    }
}
