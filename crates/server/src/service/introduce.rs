//! Where a Welcome goes: to the newcomer's mailbox, or to the one that nobody reads.

use std::cell::RefCell;

use zegel_proto::{AccountId, DeviceId, Token};
use zegel_safety::{Introduction, Language, Policy, Shown, Signal, Verdict, judge};

use super::{
    address_value::{AddressValue, State},
    facts::Sender,
    hour_keys::{NOBODY, SINK},
    person::Person,
    post::{Post, Read},
    refusal::Refusal,
    seal::{TokenKey, stand_in},
    strangers::Strangers,
    submission::{Newcomer, Welcome},
};
use crate::{
    clock::Now,
    keys::KeyRing,
    store::{Account, AccountState, StoreResult, TokenRow, Tx},
};

/// The decision about one newcomer.
pub(super) struct Admitted {
    pub(super) to: DeviceId,
    /// A valid token that was shown goes: whatever was decided, as long as something was.
    decided: bool,
    /// The token that was shown, if it was valid and is used up.
    pub(super) token: Option<Token>,
    /// What the decision is to be counted as, and whom the sender came to.
    pub(super) signal: Option<(Person, Signal)>,
    /// Whose rows were read, also of what is dropped. None only where nobody has a device.
    pub(super) read: Option<Read>,
}

const DROPPED: Admitted = Admitted { to: SINK, decided: false, token: None, signal: None, read: None };

/// Who introduces themself, and by what that is judged.
pub(super) struct Admission<'a> {
    sender: &'a Sender,
    person: Person,
    keys: &'a KeyRing,
    safety: &'a Policy,
    strangers: &'a Strangers,
    now: Now,
    /// What this submission used up, and of whom: it brings the other devices of that account as well.
    used: RefCell<Vec<(Token, AccountId)>>,
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
        Self { sender, person, keys, safety, strangers, now, used: RefCell::default() }
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
        let mut value = post.open(target)?;
        let device = value.as_ref().map_or(SINK, |value| value.device);
        let owner = match device {
            SINK => None,
            _ => post.mailbox(&device)?.map(|mailbox| mailbox.account),
        };
        let receiver = owner.unwrap_or(NOBODY);
        // Where nobody is there any more, somebody else's rows are read: nobody's would be at hand each time.
        let near = stand_in(self.keys.storage(), &target.hash);
        let read = match owner {
            Some(owner) => Some((owner, Read::Named(device))),
            None => post.somebody(&near)?.map(|(account, device)| (account, Read::StandIn(device))),
        };
        let account = match &read {
            Some((account, _)) => post.tx.account(account)?.filter(|account| account.id == receiver),
            None => None,
        };
        let mut ticket = Ticket::look(post, newcomer, &receiver, self.now)?;
        ticket.valid |=
            ticket.token.is_some_and(|(token, _)| self.used.borrow().contains(&(*token, receiver)));
        let blocked = self.blocked(post.tx, &receiver)?;
        let known = value.as_mut().and_then(|value| value.binding(&target.tag));
        let known = known.map(|binding| post.count(binding));
        let mut admitted = match (&account, &mut value) {
            (_, None) => drop_for("unknown"),
            (None, _) => drop_for("gone"),
            // A Welcome that its owner waits for.
            (Some(_), _) if known == Some(State::Bound) => Admitted { to: device, ..DROPPED },
            (Some(account), Some(value)) => {
                self.decide(account, value, &target.tag, ticket.shown(), known, blocked)
            }
        };
        // Only where something is decided: else who comes twice to one address could tell from a token that is still good
        // that the address was deleted.
        admitted.token = ticket.put(post, admitted.decided)?;
        self.used.borrow_mut().extend(admitted.token.map(|token| (token, receiver)));
        if let Some(value) = &value {
            post.tx.put_address(&target.hash, &target.seal(value))?;
        }
        admitted.read = read.map(|(_, read)| read);
        Ok(admitted)
    }

    /// What becomes of somebody who comes to this account. What an earlier Welcome brought here is judged again, by who
    /// comes now: it is not asked anew, and what waits or was accepted goes on as it was; what was dropped stays so, but for
    /// who has a token.
    fn decide(
        &self,
        receiver: &Account,
        value: &mut AddressValue,
        tag: &[u8; 32],
        shown: Shown,
        known: Option<State>,
        blocked: bool,
    ) -> Admitted {
        let (sender, now, device) = (&self.sender.account, self.now, value.device);
        let introduction = Introduction {
            receiver_band: receiver.age_band,
            sender_is_free: sender.state_on(now.day()) == AccountState::Active,
            same_app: receiver.app == sender.app,
            blocked,
            shown,
            own_account: receiver.id == sender.id,
        };
        let verdict = judge(&introduction);
        let by = Person::open(self.keys, &receiver.id, &receiver.person);
        let signal = Signal::of(&introduction, verdict).map(|signal| (by, signal));
        let (to, since_hour) = (device, now.hour());
        let (state, judged) = match verdict {
            Verdict::Accept => (State::Accepted, Admitted { to, signal, ..DROPPED }),
            Verdict::Deliver => {
                let introducer = sender.id;
                (State::Pending { entries: 0, since_hour, introducer }, Admitted { to, signal, ..DROPPED })
            }
            Verdict::Drop(why) => (State::Sink { since_hour }, Admitted { signal, ..drop_for(why.word()) }),
        };
        let asked_for = shown == Shown::Valid;
        // Nobody else's try closes a last-resort address to whom its owner gave a token.
        let again = asked_for && verdict == Verdict::Deliver && matches!(known, Some(State::Sink { .. }));
        let decided = value.last_resort;
        match known {
            _ if value.is_open_to(tag) || decided && again => {
                match value.bind(*tag, state, since_hour, asked_for) {
                    true => Admitted { decided: true, ..judged },
                    false => drop_for("full"),
                }
            }
            Some(State::Pending { .. } | State::Accepted) => Admitted { decided, ..judged },
            Some(_) => Admitted { decided, ..DROPPED },
            None => drop_for("used"),
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
        let most = numbers.most(age_days, account.age_band);
        self.strangers.come(self.person, strangers, most, self.now)
    }

    fn too_many(&self) -> String {
        let says = self.safety.strangers.sentence(Language::English);
        format!(
            "these would be too many strangers in one day: {}; wait until the next day (UTC), or ask them for a contact code",
            says.trim_end_matches('.')
        )
    }
}

/// Counts; the reason is said to nobody and names nobody.
fn drop_for(why: &'static str) -> Admitted {
    metrics::counter!("zegel_introductions_dropped", "reason" => why).increment(1);
    DROPPED
}

/// The row of the token that was shown, if one was. If there is no such row, another one stands in for it.
struct Ticket<'a> {
    token: Option<&'a (Token, TokenKey)>,
    row: Option<TokenRow>,
    held: Option<(AccountId, u32)>,
    valid: bool,
}

impl<'a> Ticket<'a> {
    fn look(
        post: &mut Post<'_>,
        newcomer: &'a Newcomer,
        receiver: &AccountId,
        now: Now,
    ) -> StoreResult<Self> {
        let token = newcomer.token.as_ref();
        let row = match token {
            Some((_, key)) => post.tx.token_near(&key.row)?,
            None => None,
        };
        // What stands in does not open.
        let held = token.zip(row.as_ref()).and_then(|((_, key), row)| key.open(&row.sealed));
        let valid = held.is_some_and(|(owner, last_day)| owner == *receiver && now.day() <= last_day);
        Ok(Self { token, row, held, valid })
    }

    fn shown(&self) -> Shown {
        match self {
            Self { token: None, .. } => Shown::Nothing,
            Self { valid: true, .. } => Shown::Valid,
            Self { valid: false, .. } => Shown::Invalid,
        }
    }

    /// Ends a valid token, needed or not, if it is used up: its row is nobody's from then on. What is not costs a write as
    /// well, of one row like it.
    fn put(&self, post: &mut Post<'_>, use_up: bool) -> StoreResult<Option<Token>> {
        let (Some((token, key)), Some(row)) = (self.token, &self.row) else { return Ok(None) };
        let used = self.valid && use_up;
        let (owner, last_day) = self.held.filter(|_| !used).unwrap_or((NOBODY, 0));
        let sealed = key.seal(&owner, last_day);
        let sealed = if self.held.is_some() { &sealed } else { &row.sealed };
        post.tx.renew_token(&row.hash, sealed)?;
        Ok(used.then_some(*token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        service::{address_value::Target, hour_keys::HourKeys, post::PostOffice},
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
            hours: Arc::new(HourKeys::new(&keys)),
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
                Ticket::look(&mut post, &newcomer, &owner, on(day))?.put(&mut post, true)
            };
            Ok([used(101)?, used(100)?, used(100)?])
        });
        assert_eq!(used.await.expect("written"), [None, Some(token), None]);
    }
}
