//! Our own age band: the service keeps it, and this device acts by it.

use zegel_proto::v1;
use zegel_safety::rank;

use super::{Core, guardian::Word};
use crate::{
    Result,
    db::{Errand, ItemKind, NewItem},
};

const BAND: &str = "age band";
/// The band that we asked the service for, until its answer came.
const ASKED: &str = "asked age band";
/// The band that the service says by itself, once that was told.
const TOLD: &str = "told age band";

impl Core {
    /// Our own age band, as the service last said it. Whoever does not know is protected like a child.
    pub(crate) fn own_band(&self) -> Result<v1::AgeBand> {
        let kept = self.db.meta(BAND)?.and_then(|kept| kept.first().copied()).unwrap_or_default();
        Ok(v1::AgeBand::try_from(i32::from(kept)).unwrap_or_default())
    }

    pub(crate) fn set_own_band(&self, band: v1::AgeBand) -> Result<()> {
        self.db.set_meta(BAND, &[band as u8])
    }

    /// Whether we are or may be a minor.
    pub(crate) fn is_minor(&self) -> bool {
        self.own_band().map_or(true, zegel_safety::is_minor)
    }

    /// Notes what the service says of our own account. Only we make it older, and only an act of ours ends what links us with
    /// a child or a guardian: a service that says so by itself is believed where that protects more, and told of.
    pub(crate) fn note_own_age(&mut self, answer: &v1::Authenticated) -> Result<()> {
        let band = answer.age_band();
        let known = self.db.meta(BAND)?.is_some();
        let before = self.own_band()?;
        self.step(|core| {
            let asked = core.is_asked(band)?;
            if !known || before == band {
                core.set_own_band(band)?;
                core.db.drop_meta(TOLD)?;
            } else if asked {
                // The answer was lost on its way.
                core.age_changed(band)?;
            } else if core.db.meta(TOLD)?.is_none_or(|told| told != [band as u8]) {
                let protects_more = rank(band) < rank(before);
                if protects_more {
                    core.set_own_band(band)?;
                }
                core.db.set_meta(TOLD, &[band as u8])?;
                let word = if protects_more { Word::AgeDiffers(band) } else { Word::AgeDoubted(band) };
                core.note_age(&word)?;
            }
            core.is_guarded(answer.guarded)
        })
    }

    /// Whether we asked the service for this band, by ourselves or with our guardian's word, and know no answer.
    fn is_asked(&self, band: v1::AgeBand) -> Result<bool> {
        let allowed = |errand: &Errand| matches!(errand, Errand::Age { band: wanted, .. } if *wanted == band);
        let typed = self.db.meta(ASKED)?.is_some_and(|asked| asked == [band as u8]);
        Ok(typed || self.db.errands()?.iter().any(|(_, errand)| allowed(errand)))
    }

    /// We are about to ask the service for this age band; `None`: it refused.
    pub(crate) fn ask_for_band(&mut self, band: Option<v1::AgeBand>) -> Result<()> {
        self.step(|core| match band {
            Some(band) => core.db.set_meta(ASKED, &[band as u8]),
            None => core.db.drop_meta(ASKED),
        })
    }

    /// Whether the service says this band, and we do not go by it. Where somebody looks after us, they are asked even so.
    pub(crate) fn is_doubted(&self, band: v1::AgeBand) -> Result<bool> {
        let told = self.db.meta(TOLD)?.is_some_and(|told| told == [band as u8]);
        Ok(told && self.db.our_guardian()?.is_none())
    }

    /// Within a step: the service has taken another age of ours.
    pub(crate) fn age_changed(&mut self, band: v1::AgeBand) -> Result<()> {
        if self.own_band()? != band {
            self.note_age(&Word::AgeChanged(band))?;
        }
        self.set_own_band(band)?;
        self.db.drop_meta(ASKED)?;
        self.db.drop_meta(TOLD)?;
        self.end_links_by_age(band)
    }

    fn note_age(&self, word: &Word<'_>) -> Result<()> {
        let text = word.says(self.language()?);
        self.db.add_item(&NewItem::line(0, ItemKind::Notice, &text))?;
        Ok(())
    }
}
