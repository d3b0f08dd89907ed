//! Where one drill plays: its own server, its own people.

use std::{
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use super::{Keys, Office, Person, Proxy, Server, Stranger, WAIT, code_of};
use crate::drill::{Verdict, carried_out};

/// Why an attack could not be carried out, found where nobody could be told: then the drill shows nothing.
#[derive(Clone, Default)]
pub struct Spoilt(Arc<Mutex<Option<String>>>);

impl Spoilt {
    /// Keeps the first reason.
    pub fn note(&self, why: String) {
        self.0.lock().expect("no panic holds this lock").get_or_insert(why);
    }

    /// The reason, if there was one.
    pub fn why(&self) -> Option<String> {
        self.0.lock().expect("no panic holds this lock").clone()
    }
}

/// A server of one's own.
pub struct Stage {
    spoilt: Spoilt,
    server: Mutex<Server>,
    url: String,
    address: String,
}

impl Stage {
    /// Starts the server.
    pub fn set() -> Result<Self, String> {
        let server = Server::start()?;
        let (url, address) = (server.url(), server.address().to_owned());
        Ok(Self { spoilt: Spoilt::default(), server: Mutex::new(server), url, address })
    }

    /// To note that the attack could not be carried out.
    pub fn spoilt(&self) -> Spoilt {
        self.spoilt.clone()
    }

    /// The server's URL.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The server's `ADDRESS:PORT`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Does something with the server's process and files.
    pub fn server<T>(&self, work: impl FnOnce(&mut Server) -> T) -> T {
        work(&mut self.server.lock().expect("no panic holds this lock"))
    }

    /// Somebody who talks to the server directly.
    pub async fn person(&self, handle: &str) -> Verdict<Person> {
        Person::registers(handle, &self.url).await
    }

    /// A proxy before the server.
    pub async fn proxy(&self) -> Verdict<Proxy> {
        Proxy::before(&self.address).await
    }

    /// Two people who have accepted each other, both behind a proxy.
    pub async fn two_friends(&self, proxy: &Proxy) -> Verdict<(Person, Person)> {
        let alice = Person::registers("alice", &proxy.url()).await?;
        let bob = Person::registers("bob", &proxy.url()).await?;
        befriend(&alice, &bob).await?;
        Ok((alice, bob))
    }

    /// Two friends whose mail a changed server keeps, forges and carries as it likes.
    pub async fn two_watched(&self) -> Verdict<(Person, Person, Office)> {
        let office = Office::before(&self.address).await?;
        let (alice, bob) = self.two_friends(office.proxy()).await?;
        Ok((alice, bob, office))
    }

    /// Waits until a handle's entry is proven, and nothing is owed.
    pub async fn proven(&self, handle: &str) -> Verdict<()> {
        let mut stranger = Stranger::connect(&self.address).await?;
        let begun = Instant::now();
        loop {
            let answer = stranger.account(handle).await?;
            if !answer.lookup.is_empty() && answer.promise.is_none() {
                return Ok(());
            }
            carried_out(begun.elapsed() < WAIT, format!("proving {handle} in the directory"))?;
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Lets the directory publish so many epochs: people nobody knows register.
    pub async fn grows(&self, epochs: u64) -> Verdict<()> {
        let now = Stranger::connect(&self.address).await?.root(0).await?.root.epoch;
        self.grows_to(now + epochs).await
    }

    /// Lets the directory publish until this epoch is there.
    pub async fn grows_to(&self, epoch: u64) -> Verdict<()> {
        let mut stranger = Stranger::connect(&self.address).await?;
        loop {
            let now = stranger.root(0).await?.root.epoch;
            if now >= epoch {
                return Ok(());
            }
            let somebody = Keys::new(&format!("p{}", &zegel_proto::AccountId::random().to_hex()[..12]));
            let answer = Stranger::connect(&self.address).await?.register(&somebody).await?;
            carried_out(code_of(&answer).is_none(), format!("registering somebody: {answer:?}"))?;
            let begun = Instant::now();
            while stranger.root(0).await?.root.epoch == now {
                carried_out(begun.elapsed() < WAIT, "publishing an epoch")?;
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }

    /// A group of these people, founded by the first, whom the others know already.
    pub async fn club(&self, people: &[&Person]) -> Verdict<()> {
        let Some((founder, others)) = people.split_first() else { return Ok(()) };
        let handles: Vec<String> = others.iter().map(|person| person.handle.clone()).collect();
        founder.client()?.group_create("club", &handles).await?;
        for person in others {
            person.joins("club").await?;
        }
        founder.sends("welcome", "club").await?;
        for person in others {
            person.reads("welcome").await?;
        }
        Ok(())
    }
}

/// Both have accepted each other, and have read what the other said.
pub async fn befriend(one: &Person, other: &Person) -> Verdict<()> {
    let (hello, answer) = (format!("hello {}", other.handle), format!("hello {}", one.handle));
    one.sends(&hello, &other.handle).await?;
    other.accepts(&one.handle).await?;
    other.reads(&hello).await?;
    other.sends(&answer, &one.handle).await?;
    one.reads(&answer).await
}
