//! A changed server's post office: it sees every submission and every stamp, keeps back what was delivered to those
//! it watches, and puts into their mailboxes what it likes.

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex},
};

use sha2::{Digest as _, Sha256};
use zegel_franking::{Context, ZERO_TAG};
use zegel_proto::{
    AccountId, DeviceId, GroupId, room_of,
    v1::{self, client_frame as ask, server_frame as tell},
};

use super::{
    Forger, Person, Proxy, Stranger,
    proxy::{Frame, Passing, pass},
    wait::{WAIT, until},
};
use crate::drill::Verdict;

/// A submission that the real server accepted, as a server sees it.
#[derive(Clone, Debug)]
pub struct Accepted {
    /// What was sent.
    pub submit: v1::Submit,
    /// What it was stamped with.
    pub stamps: Vec<v1::Stamped>,
    /// By whose device.
    pub device: DeviceId,
}

impl Accepted {
    /// Its stamp's context.
    pub fn context(&self) -> Verdict<Context> {
        let stamped = self.stamps.last().ok_or("a submission without a stamp")?;
        Ok(Context::from_bytes(&stamped.context)?)
    }

    /// The entry that an honest server would deliver.
    pub fn entry(&self) -> Verdict<v1::entry::Body> {
        self.entry_with(&self.context()?)
    }

    /// What tells the sender that it was accepted.
    pub fn confirmation(&self) -> v1::entry::Body {
        let submission_id = self.submit.submission_id.clone();
        v1::entry::Body::Confirmation(v1::Confirmation { submission_id, stamps: self.stamps.clone() })
    }

    /// The entry with a stamp on another context; receivers cannot check the stamp itself.
    pub fn entry_with(&self, context: &Context) -> Verdict<v1::entry::Body> {
        let context = context.to_bytes().to_vec().into();
        let stamp = self.stamps.last().map(|stamped| stamped.stamp.clone()).unwrap_or_default();
        Ok(message(
            &GroupId::from_slice(&self.submit.group_id)?,
            &self.submit.message,
            v1::Stamped { context, stamp },
        ))
    }
}

/// An entry with a message.
pub fn message(group: &GroupId, bytes: &[u8], stamped: v1::Stamped) -> v1::entry::Body {
    v1::entry::Body::Message(v1::Message {
        stamped: Some(stamped),
        message: bytes.to_vec().into(),
        group_id: group.to_field(),
        ..Default::default()
    })
}

#[derive(Default)]
struct Books {
    accepted: Vec<Accepted>,
    /// The number that the next entry of each mailbox gets.
    next: HashMap<DeviceId, u64>,
    /// Devices whose mail is kept back, and how many entries were.
    watched: HashMap<DeviceId, usize>,
    /// Devices that are told "accepted" whatever the real server says.
    fooled: HashSet<DeviceId>,
    owners: HashMap<DeviceId, AccountId>,
}

impl Books {
    fn note(&mut self, passing: &Passing) {
        let Some(device) = passing.device else { return };
        if let Some(ask::Body::Authenticate(who)) = passing.frame.call()
            && let Ok(account) = AccountId::from_slice(&who.account)
        {
            self.owners.insert(device, account);
        }
        match (passing.frame.told(), &passing.asked) {
            (Some(tell::Body::Submitted(answer)), Some(ask::Body::Submit(submit))) => {
                let (submit, stamps) = (submit.clone(), answer.stamps.clone());
                self.accepted.push(Accepted { submit, stamps, device });
            }
            (Some(tell::Body::Authenticated(answer)), _) => {
                self.next.insert(device, answer.first_seq);
            }
            (Some(tell::Body::Deliver(deliver)), _) => {
                if let Some(kept) = self.watched.get_mut(&device) {
                    *kept += deliver.entries.len();
                } else if let Some(last) = deliver.entries.last() {
                    self.next.insert(device, last.seq + 1);
                }
            }
            _ => {}
        }
    }

    /// The answer of a server that accepts what the real one refused.
    fn fool(&mut self, passing: Passing) -> Vec<Frame> {
        let device = passing.device.filter(|device| self.fooled.contains(device));
        let (Some(device), Some(tell::Body::Error(_)), Some(ask::Body::Submit(submit))) =
            (device, passing.frame.told(), &passing.asked)
        else {
            return pass(passing);
        };
        let (Some(last), Ok(group)) = (self.accepted.last(), GroupId::from_slice(&submit.group_id)) else {
            return pass(passing);
        };
        let Ok(context) = last.context() else { return pass(passing) };
        let owner = self.owners.get(&device).copied().unwrap_or(AccountId([0; 16]));
        let context = Context {
            sender_account: owner.0,
            sender_device: device.0,
            room: room_of(&group).0,
            epoch: submit.epoch,
            franking_tag: ZERO_TAG,
            message_hash: Sha256::digest(&submit.message).into(),
            ..context
        };
        let context = context.to_bytes().to_vec().into();
        let stamps = vec![v1::Stamped { context, stamp: vec![9; 32].into() }];
        self.accepted.push(Accepted { submit: submit.clone(), stamps: stamps.clone(), device });
        vec![passing.answer(tell::Body::Submitted(v1::Submitted { stamps }))]
    }

    /// What a watched device is told and says of its mailbox stays here.
    fn is_kept(&self, passing: &Passing) -> bool {
        let mail = matches!(passing.frame.told(), Some(tell::Body::Deliver(_)))
            || matches!(passing.frame.call(), Some(ask::Body::Ack(_)));
        mail && passing.device.is_some_and(|device| self.watched.contains_key(&device))
    }
}

/// See the module.
pub struct Office {
    proxy: Proxy,
    server: String,
    books: Arc<Mutex<Books>>,
}

/// A mailbox that the attacker fills.
pub struct Watched<'a> {
    office: &'a Office,
    device: DeviceId,
    forger: Forger,
}

impl Office {
    /// Stands before the server at an address, honest at first.
    pub async fn before(server: &str) -> Verdict<Self> {
        let proxy = Proxy::before(server).await?;
        let books = Arc::new(Mutex::new(Books::default()));
        let kept = books.clone();
        proxy
            .rule(move |passing: Passing| {
                let mut books = kept.lock().expect("no panic holds this lock");
                books.note(&passing);
                if books.is_kept(&passing) { Vec::new() } else { books.fool(passing) }
            })
            .await;
        Ok(Self { proxy, server: server.into(), books })
    }

    /// The proxy that people connect to.
    pub fn proxy(&self) -> &Proxy {
        &self.proxy
    }

    fn books<T>(&self, read: impl FnOnce(&mut Books) -> T) -> T {
        read(&mut self.books.lock().expect("no panic holds this lock"))
    }

    /// The last submission of a person's device that was accepted.
    pub fn last_of(&self, person: &Person) -> Verdict<Accepted> {
        let device = device_of(person)?;
        let last = self.books(|books| books.accepted.iter().rfind(|one| one.device == device).cloned());
        Ok(last.ok_or("nothing of theirs was accepted")?)
    }

    /// Has a person say something, and gives what the server saw of it.
    pub async fn hears(&self, person: &Person, text: &str, to: &str) -> Verdict<Accepted> {
        let before = self.books(|books| books.accepted.len());
        person.sends(text, to).await?;
        until(WAIT, || self.books(|books| books.accepted.len()) > before).await;
        self.last_of(person)
    }

    /// From now on this person's submissions are accepted, and stamped as following the last one, even where the real
    /// server refuses them.
    pub fn fool(&self, person: &Person) -> Verdict<()> {
        let device = device_of(person)?;
        self.books(|books| books.fooled.insert(device));
        Ok(())
    }

    /// From now on this person's mailbox holds what the attacker puts there, and nothing else.
    pub async fn watch(&self, person: &Person) -> Verdict<Watched<'_>> {
        let device = device_of(person)?;
        let mut stranger = Stranger::connect(&self.server).await?;
        let info = stranger.device_of(&person.handle, &device).await?;
        // What is under way arrives first.
        person.client()?.sync(WAIT).await?;
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        self.books(|books| books.watched.insert(device, 0));
        Ok(Watched { office: self, device, forger: Forger::new(device, &info.queue_key)? })
    }
}

impl Watched<'_> {
    /// How many entries of the real server were kept back.
    pub fn kept(&self) -> usize {
        self.office.books(|books| books.watched.get(&self.device).copied().unwrap_or(0))
    }

    /// Waits until so many entries were kept back: the attack happened.
    pub async fn keeps(&self, count: usize) -> Verdict<()> {
        let kept = until(WAIT, || self.kept() >= count).await;
        crate::drill::carried_out(kept, format!("keeping back {count} entries, but {}", self.kept()))
    }

    /// Puts an entry at the mailbox's next place.
    pub fn put(&self, body: v1::entry::Body) -> Verdict<()> {
        let seq = self.office.books(|books| {
            let next = books.next.entry(self.device).or_insert(1);
            *next += 1;
            *next - 1
        });
        let deliver = self.forger.deliver(seq, body)?;
        let sent = self.office.proxy.inject(&self.device, Frame::push(tell::Body::Deliver(deliver)));
        crate::drill::carried_out(sent, "a delivery to a connection")
    }
}

/// A person's device.
pub fn device_of(person: &Person) -> Verdict<DeviceId> {
    Ok(DeviceId::from_slice(&hex::decode(person.client()?.whoami().device)?)?)
}

/// A person's account.
pub fn account_of(person: &Person) -> Verdict<AccountId> {
    Ok(AccountId::from_slice(&hex::decode(person.client()?.whoami().account)?)?)
}
