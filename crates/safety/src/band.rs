//! Age bands: only the band is kept, and who does not say is protected like a child.

use zegel_proto::v1::AgeBand;

use crate::{Guardians, Language, Until};

/// A band in one word. In English it is what a person types, and what programs read.
pub fn band_word(band: AgeBand, language: Language) -> &'static str {
    let (english, dutch) = match band {
        AgeBand::Unknown => ("unknown", "onbekend"),
        AgeBand::Child => ("child", "kind"),
        AgeBand::Teen => ("teen", "tiener"),
        AgeBand::Adult => ("adult", "volwassene"),
    };
    match language {
        Language::English => english,
        Language::Dutch => dutch,
    }
}

/// Whether somebody is or may be a minor.
pub fn is_minor(band: AgeBand) -> bool {
    band != AgeBand::Adult
}

/// What allows somebody another band than they have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// They already have it.
    Same,
    /// Anybody may become younger, at once.
    Free,
    /// It needs an invite that sets the band, or the guardian's word.
    NeedsWord,
}

/// From the most protected to the least. Not to say is as young as one can be.
pub fn rank(band: AgeBand) -> u8 {
    match band {
        AgeBand::Unknown | AgeBand::Child => 0,
        AgeBand::Teen => 1,
        AgeBand::Adult => 2,
    }
}

/// What a change of band needs.
pub fn may_change(from: AgeBand, to: AgeBand) -> Change {
    match (from, to) {
        (from, to) if from == to => Change::Same,
        // From child to "does not say" would only take the guardian away.
        (AgeBand::Child, AgeBand::Unknown) => Change::NeedsWord,
        (from, to) if rank(to) <= rank(from) => Change::Free,
        _ => Change::NeedsWord,
    }
}

/// Whether a guardian's word can make this change: one step, because the device that shows the word learns it.
pub fn guardian_may(from: AgeBand, to: AgeBand) -> bool {
    rank(to) <= rank(from) + 1
}

/// Whether somebody of this band has outgrown guardians.
pub fn is_past(guardians: &Guardians, band: AgeBand) -> bool {
    match guardians.until {
        Until::Teen => rank(band) >= rank(AgeBand::Teen),
        Until::Adult => rank(band) >= rank(AgeBand::Adult),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn younger_is_free_and_older_needs_a_word() {
        use AgeBand::*;
        for (from, to) in [(Adult, Teen), (Adult, Child), (Teen, Child), (Unknown, Child), (Adult, Unknown)] {
            assert_eq!(may_change(from, to), Change::Free, "{from:?} to {to:?}");
        }
        for (from, to) in [
            (Unknown, Teen),
            (Unknown, Adult),
            (Child, Teen),
            (Child, Adult),
            (Teen, Adult),
            (Child, Unknown),
        ] {
            assert_eq!(may_change(from, to), Change::NeedsWord, "{from:?} to {to:?}");
        }
    }

    #[test]
    fn a_guardian_takes_one_step_and_is_outgrown() {
        use AgeBand::*;
        for (from, to) in [(Child, Teen), (Teen, Adult), (Child, Unknown), (Unknown, Teen)] {
            assert!(guardian_may(from, to), "{from:?} to {to:?}");
        }
        assert!(!guardian_may(Child, Adult) && !guardian_may(Unknown, Adult));
        for (until, past) in
            [(Until::Teen, [false, false, true, true]), (Until::Adult, [false, false, false, true])]
        {
            assert_eq!([Unknown, Child, Teen, Adult].map(|band| is_past(&Guardians { until }, band)), past);
        }
    }
}
