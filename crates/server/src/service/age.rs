//! A person's own age band, and their guardian. The service learns that there is one and never who.
//!
//! So it cannot tell a guardian from a child who changed their client and is their own. What that child gains is bounded: a
//! teen's account, by the rules that ship, which strangers reach as little as a child's. Nobody becomes an adult so, where
//! guardians end at teens.

use subtle::ConstantTimeEq as _;
use zegel_proto::{
    AccountId, Code,
    v1::{self, AgeBand},
};
use zegel_safety::{Change, Guardians, guardian_may, is_past, may_change};

use super::{
    Service, Session,
    cases::WORK,
    invites::{invite_hash, use_invite, valid_invite},
    person::Person,
    refusal::Refusal,
    seal::sha256,
};
use crate::{
    clock::Now,
    keys::KeyRing,
    store::{Account, StoreResult, Tx, write},
};

const OLDER: &str = "becoming older needs an invite that sets just this age, or the guardian's word; ask the operator for an \
                     invite, or your guardian";
const WRONG_INVITE: &str =
    "this invite is used up, expired, unknown, or sets another age; ask its maker for one that sets this age";
const NO_WORD: &str =
    "this is not the word of the account's guardian, or it was used; ask the guardian again";
const ONE_STEP: &str = "a guardian's word makes a child's account a teen's and a teen's an adult's, one step at a time; ask \
                        for the next step, or show an invite";
const NO_SECRET: &str = "the account has a guardian, and this is not that guardian's secret; ask them to change or end it, or, if they are gone or \
     no longer to be trusted, ask the operator of the service, who can end it (`zegel-server release-guardian`)";
const CHILDREN: &str =
    "guardians are for children, and this account is not a child's; say `zegel age child` first";

impl Service {
    pub(super) async fn change_age(&self, session: &Session, call: v1::ChangeAge) -> Result<(), Refusal> {
        let (account, _) = session.member()?;
        self.limits.lookup(Some(account), session.peer, WORK)?;
        let to = AgeBand::try_from(call.age_band)
            .map_err(|_| Refusal::bad_request("`age_band` is child, teen, adult or unknown"))?;
        let change = ChangeJob {
            account,
            to,
            invite: invite_hash(&call.invite),
            secret: (!call.guardian.is_empty()).then(|| sha256(&call.guardian)),
            guardians: self.safety.guardians.numbers,
        };
        let keys = self.keys();
        write(&*self.store, move |tx| change.run(tx, &keys)).await?
    }

    pub(super) async fn set_guardian(&self, session: &Session, call: v1::SetGuardian) -> Result<(), Refusal> {
        let (account, _) = session.member()?;
        self.limits.lookup(Some(account), session.peer, WORK)?;
        let wanted: Option<[u8; 32]> = match call.hash.is_empty() {
            true => None,
            false => {
                Some(call.hash.as_ref().try_into().map_err(|_| Refusal::bad_request("`hash` is 32 bytes"))?)
            }
        };
        let shown = sha256(&call.secret);
        write(&*self.store, move |tx| {
            let Some(row) = tx.account(&account)? else { return Ok(Err(gone())) };
            let refusal = match row.guardian {
                // Asked again after a lost answer.
                is if is == wanted => return Ok(Ok(())),
                Some(is) if !is_word(&is, &shown) && !is_word(&is, &spent(&shown)) => Some(NO_SECRET),
                None if row.age_band != AgeBand::Child => Some(CHILDREN),
                _ => None,
            };
            if let Some(text) = refusal {
                return Ok(Err(Refusal::bad_request(text)));
            }
            tx.set_account_guardian(&account, wanted).map(Ok)
        })
        .await?
    }
}

struct ChangeJob {
    account: AccountId,
    to: AgeBand,
    invite: Option<[u8; 32]>,
    /// SHA-256 of what was shown as the guardian's secret.
    secret: Option<[u8; 32]>,
    guardians: Guardians,
}

impl ChangeJob {
    fn run(&self, tx: &mut dyn Tx, keys: &KeyRing) -> StoreResult<Result<(), Refusal>> {
        let Some(row) = tx.account(&self.account)? else { return Ok(Err(gone())) };
        let allowed = match may_change(row.age_band, self.to) {
            Change::Same => return Ok(Ok(())),
            Change::Free => Ok(()),
            Change::NeedsWord => match (&self.invite, &self.secret) {
                (Some(hash), _) => self.invited(tx, keys, &row, hash)?,
                (None, Some(secret)) => self.by_guardian(tx, &row, secret)?,
                (None, None) => Err(Refusal::new(Code::InviteNeeded, OLDER)),
            },
        };
        if let Err(refusal) = allowed {
            return Ok(Err(refusal));
        }
        tx.set_account_age(&self.account, self.to)?;
        if is_past(&self.guardians, self.to) {
            tx.set_account_guardian(&self.account, None)?;
        }
        Ok(Ok(()))
    }

    /// An invite for one person also tells whose the account is, unless that is known.
    fn invited(
        &self,
        tx: &mut dyn Tx,
        keys: &KeyRing,
        row: &Account,
        hash: &[u8; 32],
    ) -> StoreResult<Result<(), Refusal>> {
        let invite = valid_invite(tx, hash, Now::get().day())?;
        let Some(invite) = invite.filter(|invite| invite.age_band == Some(self.to)) else {
            return Ok(Err(Refusal::new(Code::InviteNeeded, WRONG_INVITE)));
        };
        use_invite(tx, hash, &invite)?;
        if invite.for_one && Person::open(keys, &row.id, &row.person) == Person::own(&row.id) {
            tx.set_account_person(&row.id, &Person::invited(keys, hash).seal(keys, &row.id))?;
        }
        Ok(Ok(()))
    }

    /// The child's device learns the secret with the guardian's word, so it is good for this one step.
    fn by_guardian(
        &self,
        tx: &mut dyn Tx,
        row: &Account,
        secret: &[u8; 32],
    ) -> StoreResult<Result<(), Refusal>> {
        if !row.guardian.is_some_and(|is| is_word(&is, secret)) {
            return Ok(Err(Refusal::bad_request(NO_WORD)));
        }
        if !guardian_may(row.age_band, self.to) {
            return Ok(Err(Refusal::bad_request(ONE_STEP)));
        }
        tx.set_account_guardian(&row.id, Some(spent(secret))).map(Ok)
    }
}

fn is_word(is: &[u8; 32], shown: &[u8; 32]) -> bool {
    is.ct_eq(shown).into()
}

/// What is kept of a secret that was used for a change of age: it still changes or ends the guardian, and allows nothing more.
fn spent(hash: &[u8; 32]) -> [u8; 32] {
    sha256(&[&b"zegel guardian's word, spent\0"[..], hash].concat())
}

fn gone() -> Refusal {
    Refusal::new(Code::AuthFailed, "this account is gone")
}
