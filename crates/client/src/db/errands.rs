//! What the service still has to be told about our guardian and our age.

use serde::{Deserialize, Serialize};
use zegel_proto::{AccountId, v1::AgeBand};

use super::Db;
use crate::{Error, Result};

/// A call to the service whose outcome matters. It holds secrets, so it has no `Debug`.
#[derive(Clone, Serialize, Deserialize)]
pub enum Errand {
    /// The service gets the hash of our guardian's secret; the secret before it, if there was one.
    Key {
        /// Whose.
        guardian: AccountId,
        /// SHA-256.
        hash: [u8; 32],
        /// What allows to change it.
        old: Option<[u8; 32]>,
    },
    /// The service forgets that we had a guardian.
    Release {
        /// What allows it.
        secret: [u8; 32],
    },
    /// Another age band, which our guardian allows.
    Age {
        /// Who allowed it.
        guardian: AccountId,
        /// Which.
        #[serde(with = "band_number")]
        band: AgeBand,
        /// What allows it.
        secret: [u8; 32],
        /// The hash of what will, from then on.
        next: Option<[u8; 32]>,
    },
}

mod band_number {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};
    use zegel_proto::v1::AgeBand;

    pub(super) fn serialize<S: Serializer>(band: &AgeBand, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_i32((*band).into())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<AgeBand, D::Error> {
        AgeBand::try_from(i32::deserialize(from)?).map_err(D::Error::custom)
    }
}

pub(super) fn to_cbor(value: &impl Serialize) -> Vec<u8> {
    let mut cbor = Vec::new();
    ciborium::into_writer(value, &mut cbor).expect("writing CBOR into memory cannot fail");
    cbor
}

impl Db {
    pub(crate) fn add_errand(&self, errand: &Errand) -> Result<()> {
        self.conn.prepare_cached("INSERT INTO errand (errand) VALUES (?)")?.execute([to_cbor(errand)])?;
        Ok(())
    }

    /// Forgets errands that would make somebody our guardian.
    pub(crate) fn drop_keys(&self, account: &AccountId) -> Result<()> {
        for (id, errand) in self.errands()? {
            if matches!(errand, Errand::Key { guardian, .. } if guardian == *account) {
                self.errand_done(id)?;
            }
        }
        Ok(())
    }

    /// All errands, oldest first.
    pub(crate) fn errands(&self) -> Result<Vec<(i64, Errand)>> {
        let mut all = self.conn.prepare_cached("SELECT id, errand FROM errand ORDER BY id")?;
        let rows = all.query_map([], |row| Ok((row.get(0)?, row.get::<_, Vec<u8>>(1)?)))?;
        let read = |row: rusqlite::Result<(i64, Vec<u8>)>| {
            let (id, cbor) = row?;
            let errand = ciborium::from_reader(cbor.as_slice())
                .map_err(|e| Error::Profile { why: e.to_string(), fix: "a copy of the profile folder" })?;
            Ok((id, errand))
        };
        rows.map(read).collect()
    }

    /// The oldest errand.
    pub(crate) fn first_errand(&self) -> Result<Option<(i64, Errand)>> {
        Ok(self.errands()?.into_iter().next())
    }

    pub(crate) fn errand_done(&self, id: i64) -> Result<()> {
        self.conn.prepare_cached("DELETE FROM errand WHERE id = ?")?.execute([id])?;
        Ok(())
    }
}
