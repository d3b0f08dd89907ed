//! Where a Welcome goes: to the newcomer's mailbox, or to the one that nobody reads.

use zegel_proto::{AccountId, DeviceId, Token, v1::AgeBand};
use zegel_safety::{Introduction, Language, Policy, Signal, Verdict, Why, is_minor, judge};

use super::{
    address_value::State,
    facts::Sender,
    hour_keys::{NOBODY, SINK},
    person::Person,
    post::Post,
    refusal::Refusal,
    strangers::Strangers,
    submission::{Newcomer, Welcome},
};
use crate::{
    clock::Now,
    keys::KeyRing,
    store::{Account, AccountState, StoreResult, Tx},
};

/// The decision about one newcomer.
pub(super) struct Admitted {
    pub(super) to: DeviceId,
    /// The token that was shown, if it was valid.
    pub(super) token: Option<Token>,
    /// What the decision is to be counted as, and whom the sender came to.
    pub(super) signal: Option<(Person, Signal)>,
    /// The account and device that the address names, if they are there: also of what is dropped.
    pub(super) named: Option<(AccountId, DeviceId)>,
}

const DROPPED: Admitted = Admitted { to: SINK, token: None, signal: None, named: None };

/// Who introduces themself, and by what that is judged.
pub(super) struct Admission<'a> {
    sender: &'a Sender,
    person: Person,
    keys: &'a KeyRing,
    safety: &'a Policy,
    strangers: &'a Strangers,
    now: Now,
}

impl<'a> Admission<'a> {
    pub(super) fn new(
        sender: &'a Sender,
        keys: &'a KeyRing,
        safety: &'a Policy,
        strangers: &'a Strangers,
        now: Now,
    ) -> Self {
        let person = Person::open(keys, &sender.account.id, &sender.account.person);
        Self { sender, person, keys, safety, strangers, now }
    }

    /// Refuses the whole if it comes to more strangers than today's. Whoever comes without a token counts alike: neither
    /// what a newcomer's age is nor what they decided shows in a refusal.
    pub(super) fn may_come(&self, tx: &mut dyn Tx, welcome: &Welcome) -> StoreResult<Result<(), Refusal>> {
        let mut strangers = 0;
        for newcomer in &welcome.newcomers {
            if newcomer.token.is_none() && !self.is_known(tx, newcomer)? {
                strangers += 1;
            }
        }
        Ok(self.come(strangers).map_err(|refusal| refusal.saying(self.too_many())))
    }

    /// Decides, and binds the address to the conversation. What is dropped is bound as well, so that later
    /// messages take the same way and the sender sees no difference. For the same reason every decision reads and writes
    /// as much as the others.
    pub(super) fn admit(&self, post: &mut Post<'_>, newcomer: &Newcomer) -> StoreResult<Admitted> {
        let target = &newcomer.target;
        let value = post.open(target)?;
        let device = value.as_ref().map_or(SINK, |value| value.device);
        let owner = post.mailbox(&device)?.map(|mailbox| mailbox.account);
        let receiver = owner.unwrap_or(NOBODY);
        let account = post.tx.account(&receiver)?;
        // Only where something is decided: else who comes twice to one address could tell from a token that is still good
        // that the address was deleted.
        let is_open = value.as_ref().is_some_and(|value| value.is_open_to(&target.tag));
        let token = use_up(post, newcomer, if is_open { &receiver } else { &NOBODY }, self.now)?;
        let blocked = self.blocked(post.tx, &receiver)?;
        let Some(mut value) = value else { return Ok(drop_for("unknown")) };
        let bound = value.binding(&target.tag).map(|binding| post.count(binding));
        let mut admitted = match (bound, &account) {
            _ if owner.is_none() => drop_for("revoked"),
            // Its owner bound it to this conversation, or an earlier Welcome did.
            (Some(State::Sink | State::Ended), _) => DROPPED,
            (Some(State::Pending { .. } | State::Accepted), _) => Admitted { to: device, ..DROPPED },
            (None, _) if !is_open => drop_for("used"),
            (None, None) => drop_for("gone"),
            (None, Some(account)) => {
                let (state, admitted) = self.decide(newcomer, account, device, token, blocked);
                match value.bind(target.tag, state, self.now.hour()) {
                    true => admitted,
                    false => drop_for("full"),
                }
            }
        };
        post.tx.put_address(&target.hash, &target.seal(&value))?;
        admitted.named = account.map(|account| (account.id, device));
        Ok(admitted)
    }

    /// What becomes of somebody who comes to this account for the first time.
    fn decide(
        &self,
        newcomer: &Newcomer,
        receiver: &Account,
        device: DeviceId,
        token: Option<Token>,
        blocked: bool,
    ) -> (State, Admitted) {
        let (sender, now) = (&self.sender.account, self.now);
        let own_account = receiver.id == sender.id;
        // What is shown and not valid makes a stranger, and is said to nobody.
        let is_late_stranger = newcomer.token.is_some() && token.is_none() && !own_account;
        let verdict = judge(&Introduction {
            receiver_band: receiver.age_band,
            sender_is_free: sender.state_on(now.day()) == AccountState::Active,
            same_app: receiver.app == sender.app,
            blocked,
            token: token.is_some(),
            spent: is_late_stranger && self.come(1).is_err(),
            own_account,
        });
        let by = Person::open(self.keys, &receiver.id, &receiver.person);
        let signal = signal(receiver.age_band, verdict).map(|signal| (by, signal));
        let delivered = Admitted { to: device, token, signal, named: None };
        match verdict {
            Verdict::Accept => (State::Accepted, delivered),
            Verdict::Deliver => {
                let introducer = sender.id;
                (State::Pending { entries: 0, since_hour: now.hour(), introducer }, delivered)
            }
            Verdict::Drop(why) => (State::Sink, Admitted { signal, ..drop_for(why.word()) }),
        }
    }

    /// Whether somebody is no stranger by what the sender knows: a device of their own, or one whose owner bound the address
    /// to this conversation. (Also if that was deleted since: that is not for the sender to know.)
    fn is_known(&self, tx: &mut dyn Tx, newcomer: &Newcomer) -> StoreResult<bool> {
        let target = &newcomer.target;
        let sealed = tx.address(&target.hash)?;
        let Some(mut value) = sealed.and_then(|sealed| target.open(&sealed)) else { return Ok(false) };
        let owner = tx.mailbox(&value.device)?.map(|mailbox| mailbox.account);
        Ok(owner == Some(self.sender.account.id) || value.binding(&target.tag).is_some())
    }

    /// Both tags are always looked up.
    fn blocked(&self, tx: &mut dyn Tx, receiver: &AccountId) -> StoreResult<bool> {
        let [account, person] = self.person.block_tags(self.keys, receiver, &self.sender.account.id);
        Ok(tx.blocked(&account)? | tx.blocked(&person)?)
    }

    fn come(&self, strangers: u32) -> Result<(), Refusal> {
        let (account, numbers) = (&self.sender.account, &self.safety.strangers.numbers);
        let age_days = self.now.day().saturating_sub(account.created_day);
        let is_new = age_days < numbers.new_days || account.age_band == AgeBand::Unknown;
        let most = if is_new { numbers.new_a_day } else { numbers.a_day };
        self.strangers.come(self.person, strangers, most, self.now)
    }

    fn too_many(&self) -> String {
        let rules = self.safety.rules(Language::English);
        let says = rules.into_iter().find(|rule| rule.name == "strangers").map(|rule| rule.says);
        format!(
            "these would be too many strangers in one day: {}; wait until the next day (UTC), or ask them for a contact code",
            says.unwrap_or_default().trim_end_matches('.')
        )
    }
}

/// What somebody is watched for by whom they come to.
fn signal(receiver: AgeBand, verdict: Verdict) -> Option<Signal> {
    match verdict {
        Verdict::Drop(Why::Minor) => Some(Signal::MinorTried),
        Verdict::Deliver if is_minor(receiver) => Some(Signal::MinorReached),
        Verdict::Deliver => Some(Signal::AdultReached),
        Verdict::Accept | Verdict::Drop(_) => None,
    }
}

/// Counts; the reason is said to nobody and names nobody.
fn drop_for(why: &'static str) -> Admitted {
    metrics::counter!("zegel_introductions_dropped", "reason" => why).increment(1);
    DROPPED
}

/// A valid token of the receiver's is gone once it was shown, needed or not: its row is nobody's, until the next sweep.
/// What is not valid costs a write as well.
fn use_up(
    post: &mut Post<'_>,
    newcomer: &Newcomer,
    receiver: &AccountId,
    now: Now,
) -> StoreResult<Option<Token>> {
    let Some((token, key)) = &newcomer.token else { return Ok(None) };
    let held = post.tx.token(&key.row)?.and_then(|sealed| key.open(&sealed));
    let valid = held.is_some_and(|(owner, last_day)| owner == *receiver && now.day() <= last_day);
    let (owner, last_day) = held.filter(|_| !valid).unwrap_or((NOBODY, 0));
    post.tx.put_token(&key.row, last_day, &key.seal(&owner, last_day))?;
    Ok(valid.then_some(*token))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        service::{address_value::Target, hour_keys::HourKeys, post::PostOffice, seal::TokenKey},
        store::{SqliteStore, write},
    };
    use std::sync::Arc;
    use zegel_proto::{Address, GroupId, token_hash};

    #[tokio::test]
    async fn a_code_is_good_up_to_its_last_day() {
        let dir = tempfile::tempdir().expect("a folder");
        let data = dir.path().join("data");
        let store = SqliteStore::open(&data).expect("a store");
        let keys = KeyRing::load_or_create(&dir.path().join("keys.toml"), &data, "localhost").expect("keys");
        let (owner, token, address) = (AccountId([4; 16]), Token([5; 16]), Address([2; 16]));
        let key = TokenKey::new(keys.storage(), &token_hash(&token.0));
        let target = Target::new(&keys, &address, &GroupId([3; 32]));
        let newcomer = Newcomer { target, address, token: Some((token, key)) };
        let on = |day: u64| Now { ms: day * 86_400_000 };
        let office = PostOffice {
            hours: Arc::new(HourKeys::new()),
            answers: Arc::default(),
            hub: Arc::default(),
            unaccepted_entries: 1000,
            runtime: tokio::runtime::Handle::current(),
        };
        let used = write(&store, move |tx| {
            let Some((_, key)) = &newcomer.token else { return Ok([None; 3]) };
            tx.put_token(&key.row, 100, &key.seal(&owner, 100))?;
            let mut used = |day| {
                let mut post = Post::new(tx, &office, on(day));
                use_up(&mut post, &newcomer, &owner, on(day))
            };
            Ok([used(101)?, used(100)?, used(100)?])
        });
        assert_eq!(used.await.expect("written"), [None, Some(token), None]);
    }
}
