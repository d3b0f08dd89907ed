//! What our guardian said no to: it is shown where it is asked about, and asked again a day later at the earliest.

use sha2::{Digest, Sha256};
use zegel_content::Asked;
use zegel_proto::AccountId;

use super::Core;
use crate::{Error, Result, db::Conversation};

/// How long a no stands before the same may be asked again, in milliseconds: a day.
const STANDS_MS: u64 = 86_400_000;

/// Names a question and whom it is for. Others in a group make it another question.
fn key(guardian: &AccountId, what: &Asked) -> String {
    let (kind, names): (_, Vec<&str>) = match what {
        Asked::Contact { handle } => ("contact", vec![handle]),
        Asked::Group { name, people } => {
            ("group", std::iter::once(name).chain(people).map(String::as_str).collect())
        }
        Asked::Age { band } => {
            ("age", vec![zegel_safety::band_word((*band).into(), zegel_safety::Language::English)])
        }
    };
    let digest = Sha256::digest([guardian.to_hex().as_str(), kind, &names.join("\n")].join("\n"));
    format!("refused {}", hex::encode(&digest[..16]))
}

impl Core {
    /// Our guardian said no to this.
    pub(super) fn keep_refusal(&self, guardian: &AccountId, what: &Asked) -> Result<()> {
        self.db.set_meta(&key(guardian, what), &self.now_ms().to_be_bytes())
    }

    /// They said yes after all.
    pub(super) fn drop_refusal(&self, guardian: &AccountId, what: &Asked) -> Result<()> {
        self.db.drop_meta(&key(guardian, what))
    }

    fn refused_ms(&self, guardian: &AccountId, what: &Asked) -> Result<Option<u64>> {
        let at = self.db.meta(&key(guardian, what))?;
        Ok(at.and_then(|bytes| bytes.try_into().ok()).map(u64::from_be_bytes))
    }

    /// Fails while a no of our guardian's stands.
    pub(super) fn may_ask(&self, guardian: &AccountId, what: &Asked) -> Result<()> {
        let now = self.now_ms();
        match self.refused_ms(guardian, what)? {
            Some(at) if at <= now && now - at < STANDS_MS => {
                let name = self.name_of(guardian)?;
                let why = format!("{name} said no to that, less than a day ago");
                Err(Error::usage(super::ask::ASKING, why, format!("to talk with {name} about it")))
            }
            _ => Ok(()),
        }
    }

    /// The guardian's handle, if they said no to this request and are not asked again; else empty.
    pub(crate) fn refused_by(&mut self, request: &Conversation) -> Result<String> {
        let Some(link) = self.db.our_guardian()? else {
            return Ok(String::new());
        };
        let what = self.asked_about(request)?;
        match self.refused_ms(&link.account, &what)? {
            Some(_) if self.waits_for(request)?.is_empty() => self.name_of(&link.account),
            _ => Ok(String::new()),
        }
    }
}
