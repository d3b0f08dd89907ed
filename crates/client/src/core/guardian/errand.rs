//! Calls to the service about our guardian and our age, and what their outcome does.

use zegel_content::Guardian;
use zegel_proto::{
    AccountId,
    v1::{self, client_frame::Body as Call},
};

use super::{Core, words::Word};
use crate::{
    Result,
    db::{Errand, Guardianship, LinkState, OfGuardian, Role, With},
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
                age_band: (*band).into(),
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
                    core.age_changed(band)?;
                    core.rotate(&guardian, secret, next)
                }
                (Errand::Age { guardian, band, .. }, Some(why)) => {
                    core.note(&guardian, &Word::AgeNotChanged(band, why))
                }
            }
        })
    }

    fn service_has_key(&mut self, guardian: &AccountId, hash: [u8; 32]) -> Result<()> {
        let Some(link) = self.db.link_with(guardian)? else { return Ok(()) };
        let (With::Guardian(known), LinkState::Keyed | LinkState::Linked) = (link.with, link.state) else {
            return Ok(());
        };
        let known = OfGuardian { hash: Some(hash), next_hash: None, ..known };
        self.db.put_link(&Guardianship::new(*guardian, LinkState::Linked, known))?;
        self.tell(guardian, &Guardian::Linked)?;
        match link.state {
            LinkState::Keyed => self.note(guardian, &Word::Linked(Role::Guardian, &self.name_of(guardian)?)),
            _ => Ok(()),
        }
    }

    fn key_refused(&mut self, guardian: &AccountId, why: &str) -> Result<()> {
        let keyed = |link: &Guardianship| link.role() == Role::Guardian && link.state == LinkState::Keyed;
        let Some(link) = self.db.link_with(guardian)?.filter(keyed) else { return Ok(()) };
        self.db.drop_link(&link.account)?;
        self.tell(guardian, &Guardian::End { secret: None })?;
        self.note(guardian, &Word::KeyRefused(&self.name_of(guardian)?, why))
    }

    fn service_forgot(&mut self, hash: &[u8; 32]) -> Result<()> {
        for link in self.db.links_all()? {
            let this = matches!(&link.with, With::Guardian(known) if known.has(hash));
            if link.state == LinkState::Over && this {
                self.db.drop_link(&link.account)?;
            }
        }
        Ok(())
    }

    /// The secret was used, and this device knows it: another takes its place, if the link still holds.
    fn rotate(&mut self, guardian: &AccountId, old: [u8; 32], next: Option<[u8; 32]>) -> Result<()> {
        let link = self.db.our_guardian()?.filter(|link| link.account == *guardian);
        let (Some(link), Some(hash)) = (link, next) else { return Ok(()) };
        let With::Guardian(known) = link.with else { return Ok(()) };
        self.db.add_errand(&Errand::Key { guardian: *guardian, hash, old: Some(old) })?;
        let known = OfGuardian { next_hash: Some(hash), ..known };
        self.db.put_link(&Guardianship::new(link.account, link.state, known))
    }
}
