//! The number that two people may compare, though nobody needs to.

use sha2::{Digest, Sha512};
use zegel_identity::SignedLink;
use zegel_proto::AccountId;

use crate::{Error, Result, core::Core, db::Contact};

/// Groups of five digits.
const GROUPS: usize = 12;
const QR: &str = "zegel:verify/1/";

/// What two people compare: made from both accounts' ids and first links, so it stays the same when devices come and
/// go, and is the same on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SafetyNumber {
    /// Twelve groups of five digits.
    pub number: String,
    /// What a QR code of it says.
    pub qr: String,
}

impl SafetyNumber {
    fn of(domain: &str, mut people: [(AccountId, [u8; 32]); 2]) -> Self {
        people.sort();
        let mut hash = Sha512::new();
        hash.update(b"Zegel 1 safety number\0");
        hash.update((domain.len() as u32).to_be_bytes());
        hash.update(domain);
        for (account, first) in people {
            hash.update(account.0);
            hash.update(first);
        }
        let digest = hash.finalize();
        let group = |bytes: &[u8]| bytes.iter().fold(0u64, |sum, byte| sum << 8 | u64::from(*byte)) % 100_000;
        let groups: Vec<_> =
            digest.chunks_exact(5).take(GROUPS).map(|five| format!("{:05}", group(five))).collect();
        Self { number: groups.join(" "), qr: format!("{QR}{}", hex::encode(&digest[..32])) }
    }

    /// Whether this is the same number, typed or scanned.
    pub(crate) fn is(&self, given: &str) -> bool {
        let given = given.trim();
        if given.starts_with(QR) {
            return given == self.qr;
        }
        let digits =
            |text: &str| text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>();
        digits(given) == digits(&self.number)
    }
}

impl Core {
    /// The number that we share with somebody.
    pub(crate) fn safety_number(&self, contact: &Contact) -> Result<SafetyNumber> {
        let first = |account: &AccountId| {
            let links = self.db.links(account)?;
            let first = links.first().map(SignedLink::hash);
            first.ok_or_else(|| Error::usage("comparing numbers", "nothing is known about them", "`sync`"))
        };
        let (own, theirs) = (self.me.account, contact.account);
        let people = [(own, first(&own)?), (theirs, first(&theirs)?)];
        Ok(SafetyNumber::of(&self.me.domain, people))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_see_one_number() {
        let (alice, bob) = ((AccountId([1; 16]), [2; 32]), (AccountId([3; 16]), [4; 32]));
        let number = SafetyNumber::of("a.example", [alice, bob]);
        assert_eq!(number, SafetyNumber::of("a.example", [bob, alice]));
        assert_eq!(number.number.split(' ').map(str::len).collect::<Vec<_>>(), vec![5; 12]);
        assert!(number.is(&number.qr) && number.is(&number.number));
        assert!(number.is(&number.number.replace(' ', "")));
        for other in [
            SafetyNumber::of("b.example", [alice, bob]),
            SafetyNumber::of("a.example", [alice, (bob.0, [5; 32])]),
            SafetyNumber::of("a.example", [alice, (AccountId([5; 16]), bob.1)]),
        ] {
            assert!(!number.is(&other.qr) && !number.is(&other.number));
        }
        assert!(!number.is("") && !number.is(QR));
    }
}
