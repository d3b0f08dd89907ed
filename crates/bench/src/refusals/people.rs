//! Who introduces themself to whom: senders, receivers of each kind, and what was between them before.

use std::{path::Path, sync::Arc};

use bytes::Bytes;
use rand::seq::SliceRandom as _;
use zegel_proto::{
    AccountId, Address, Token, token_hash,
    v1::{self, client_frame as ask},
};
use zegel_safety::Policy;
use zegel_server::store::{AccountState, SqliteStore, Store as _, write};

use super::{
    kinds::{Kind, Shape},
    trial::Attempt,
};
use crate::{
    common::Result,
    raw::{Client, Person, Place, Talk, random, together},
};

/// Introductions to each receiver.
pub const KNOCKS: usize = 10;
/// Receivers of each kind that a sender has, so that what they did before and do now stays below the strangers a day of the
/// rules here; and a restricted sender, who does nothing else.
const RECEIVERS: usize = 7;
const RECEIVERS_OF_RESTRICTED: usize = 90;
/// Key packages that each receiver leaves: one for each introduction, some for what was before, or to be looked up.
const PACKAGES: usize = 2 * KNOCKS;
const KEY_PACKAGE: usize = 400;

/// Somebody who is introduced to.
pub struct Receiver {
    pub kind: Kind,
    pub person: Arc<Person>,
    /// Who does it: a place in the list of senders.
    pub sender: usize,
    addresses: Vec<Address>,
    codes: Vec<Token>,
}

/// Everybody, with the introductions that are to be made, in no order.
pub struct People {
    pub senders: Vec<Arc<Person>>,
    pub receivers: Vec<Receiver>,
    pub attempts: Vec<Attempt>,
}

/// The rules that ship, but with more strangers a day, and nothing that follows from them while it is measured.
pub fn rules() -> Policy {
    let mut rules = Policy::shipped();
    (rules.strangers.numbers.new_a_day, rules.strangers.numbers.a_day) = (1000, 1000);
    (rules.unwanted.numbers.people, rules.many_minors.numbers.people) = (50, 50);
    rules
}

impl People {
    /// Registers them, and lets happen what was before; at least `each` introductions of each kind are to be made.
    pub async fn gather(place: &Place, data: &Path, each: usize) -> Result<Self> {
        let of_kind = each.div_ceil(KNOCKS);
        let (free, restricted) = (of_kind.div_ceil(RECEIVERS), of_kind.div_ceil(RECEIVERS_OF_RESTRICTED));
        let senders = Client::newcomers(place, free + restricted).await?;
        let senders: Vec<Arc<Person>> = senders.into_iter().map(|client| client.person.clone()).collect();
        restrict(data, &senders[free..]).await?;

        let mut cast: Vec<(Kind, usize)> =
            Kind::ALL.into_iter().flat_map(|kind| (0..of_kind).map(move |n| (kind, n))).collect();
        cast.shuffle(&mut rand::rng());
        let join = |(kind, n): (Kind, usize)| {
            let sender = match kind {
                Kind::Restricted => free + n / RECEIVERS_OF_RESTRICTED,
                _ => n / RECEIVERS,
            };
            Receiver::join(place, kind, n, sender, senders[sender].account)
        };
        let receivers = together(cast.into_iter().map(join)).await?;
        let mut people = Self { senders, receivers, attempts: Vec::new() };
        people.live(place).await?;
        people.attempts.shuffle(&mut rand::rng());
        Ok(people)
    }

    /// What was before, and the attempts that come of it.
    async fn live(&mut self, place: &Place) -> Result {
        let mut before: Vec<Vec<v1::Submit>> = self.senders.iter().map(|_| Vec::new()).collect();
        for receiver in &self.receivers {
            for n in 0..KNOCKS {
                let mut talk = Talk::new();
                match receiver.kind {
                    Kind::Used => before[receiver.sender].push(Talk::new().adds(vec![receiver.newcomer(n)])),
                    Kind::Declined => before[receiver.sender].push(talk.adds(vec![receiver.newcomer(n)])),
                    Kind::Added => {
                        before[receiver.sender].push(talk.adds(vec![receiver.newcomer(KNOCKS + n)]))
                    }
                    _ => {}
                }
                let (kind, sender, newcomer) = (receiver.kind, receiver.sender, receiver.newcomer(n));
                self.attempts.push(Attempt { kind, sender, talk, newcomer });
            }
        }
        let lives = self.senders.iter().zip(before).map(|(person, before)| async move {
            let mut sender = Client::connect(place, person.clone()).await?;
            let count = before.len();
            for submit in before {
                sender.call(ask::Body::Submit(submit)).await?;
            }
            sender.drain(count).await.map(drop)
        });
        together(lives).await?;
        let declining = self.receivers.iter().filter(|receiver| receiver.kind == Kind::Declined);
        let declining =
            declining.map(|receiver| receiver.decline(place, self.senders[receiver.sender].account));
        together(declining).await.map(drop)
    }

    /// Whether what was introduced to some of each kind is there, or is not: that each kind is what it is called.
    pub async fn look_after(&self, place: &Place) -> Result {
        const SOME: usize = 20;
        for kind in Kind::ALL {
            let Some(entries) = kind.entries() else { continue };
            let some = self.receivers.iter().filter(|receiver| receiver.kind == kind).take(SOME);
            let looks = some.map(|receiver| Client::connect(place, receiver.person.clone()));
            let want = entries * KNOCKS as u64;
            for client in together(looks).await? {
                if client.waiting != want {
                    let (name, got) = (kind.name(), client.waiting);
                    return Err(format!("{name}: {got} entries wait where {want} were due").into());
                }
            }
        }
        Ok(())
    }
}

impl Receiver {
    async fn join(place: &Place, kind: Kind, n: usize, sender: usize, introducer: AccountId) -> Result<Self> {
        let person = Arc::new(Person::of(kind.age_band(n)));
        let mut client = Client::join(place, person.clone(), std::net::Ipv4Addr::LOCALHOST, true).await?;
        let addresses: Vec<Address> = (0..PACKAGES).map(|_| Address::random()).collect();
        let package = |address: &Address| v1::StockedKeyPackage {
            key_package: random(KEY_PACKAGE).into(),
            address: address.to_field(),
        };
        let packages = addresses.iter().map(package).collect();
        let publish = v1::PublishKeyPackages { packages, ..Default::default() };
        client.call(ask::Body::PublishKeyPackages(publish)).await?;
        let codes: Vec<Token> = match kind.shape() {
            Shape::FoundsWithCode => (0..KNOCKS).map(|_| Token::random()).collect(),
            Shape::Founds | Shape::Adds => Vec::new(),
        };
        match kind {
            Kind::Blocked => {
                let block = v1::Block { account: introducer.to_field(), lift: false };
                client.call(ask::Body::Block(block)).await?;
            }
            Kind::MinorWithCode => {
                let hash = |code: &Token| Bytes::copy_from_slice(&token_hash(&code.0));
                let token_hashes = codes.iter().map(hash).collect();
                client.call(ask::Body::PutToken(v1::PutToken { token_hashes, connection: false })).await?;
            }
            Kind::Deleted => {
                let delete = v1::DeleteAccount { handle: person.handle().into() };
                client.call(ask::Body::DeleteAccount(delete)).await?;
            }
            _ => {}
        }
        Ok(Self { kind, person, sender, addresses, codes })
    }

    fn newcomer(&self, n: usize) -> v1::Newcomer {
        v1::Newcomer {
            address: self.addresses[n].to_field(),
            token: self.codes.get(n).map(|code| code.to_field()).unwrap_or_default(),
        }
    }

    async fn decline(&self, place: &Place, whom: AccountId) -> Result {
        let mut client = Client::connect(place, self.person.clone()).await?;
        let addresses = self.addresses[..KNOCKS].iter().map(|address| address.to_field()).collect();
        let delete = v1::DeleteAddresses { addresses, declined: whom.to_field() };
        client.call(ask::Body::DeleteAddresses(delete)).await.map(drop)
    }
}

/// As a decision of the desk does it, but without a case.
async fn restrict(data: &Path, senders: &[Arc<Person>]) -> Result {
    let store = SqliteStore::open_beside(data)?;
    let accounts: Vec<AccountId> = senders.iter().map(|sender| sender.account).collect();
    let done = write(&store, move |tx| {
        accounts.iter().try_for_each(|account| tx.set_account_state(account, AccountState::Restricted, 0))
    })
    .await;
    store.close();
    Ok(done?)
}
