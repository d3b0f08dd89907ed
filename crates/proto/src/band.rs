//! Age bands, as they stand in what people's software tells each other.

use zegel_content::Older;

use crate::v1::AgeBand;

impl From<Older> for AgeBand {
    fn from(band: Older) -> Self {
        match band {
            Older::Teen => Self::Teen,
            Older::Adult => Self::Adult,
        }
    }
}

impl TryFrom<AgeBand> for Older {
    /// Nobody becomes older by it.
    type Error = AgeBand;

    fn try_from(band: AgeBand) -> Result<Self, AgeBand> {
        match band {
            AgeBand::Teen => Ok(Self::Teen),
            AgeBand::Adult => Ok(Self::Adult),
            AgeBand::Unknown | AgeBand::Child => Err(band),
        }
    }
}
