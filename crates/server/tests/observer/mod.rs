//! Somebody without an account who asks about the key directory, verifies every answer and remembers what they saw.

#![allow(dead_code, reason = "each test program uses a part of it")]

use zegel_directory::{Found, Lie, Root, SignedPromise, SignedRoot, SignerLink, View};
use zegel_identity::{Chain, SignedLink};
use zegel_proto::{
    Code,
    v1::{self, client_frame as ask, server_frame as tell},
};

/// A greeted connection.
#[allow(async_fn_in_trait, reason = "only tests use it")]
pub trait Asks {
    async fn ask(&mut self, body: ask::Body) -> tell::Body;
}

pub struct Observer<A> {
    pub asks: A,
    pub view: View,
}

/// What an account's answer proves.
pub struct Seen {
    pub chain: Vec<SignedLink>,
    pub found: Option<Found>,
    pub promised: Option<SignedPromise>,
}

/// A root, the way down, and the keys.
pub type Roots = (SignedRoot, Vec<Root>, Vec<SignerLink>);

impl<A: Asks> Observer<A> {
    /// Takes what is shown first.
    pub async fn begin(mut asks: A) -> Self {
        let (root, _, signers) = roots(&mut asks, 0, None).await.expect("a root");
        let view = View::begin("localhost", &signers, root).expect("a directory");
        Self { asks, view }
    }

    /// The same eyes over another connection.
    pub fn on<B>(self, asks: B) -> Observer<B> {
        Observer { asks, view: self.view }
    }

    /// The newest epoch seen.
    pub fn epoch(&self) -> u64 {
        self.view.latest().root.epoch
    }

    /// Takes the root `from`, 0 for the newest one, if it is proven to come after what was seen.
    pub async fn advance(&mut self, from: u64) -> Result<(), Lie> {
        let (root, path, signers) =
            roots(&mut self.asks, from, Some(self.view.latest().root.epoch)).await.expect("a root");
        self.view.learn_signers(&signers)?;
        self.view.advance(root, &path)
    }

    /// Fetches an account and checks all that the answer says.
    pub async fn look(&mut self, fetch: v1::FetchAccount) -> Result<Seen, Code> {
        let answer = match asked(&mut self.asks, ask::Body::FetchAccount(fetch)).await? {
            tell::Body::Account(answer) => answer,
            other => panic!("{other:?}"),
        };
        let root = SignedRoot::try_from(&answer.root.expect("a root")).expect("a root");
        // To ask for root 0 is to ask for the newest, which may have come meanwhile.
        if root.root.epoch != 0 {
            self.advance(root.root.epoch).await.expect("one history");
        }
        assert_eq!(self.view.latest(), &root);
        let chain: Vec<_> = answer.chain.into_iter().map(SignedLink::from).collect();
        let verified = Chain::verify(&chain).expect("a chain");
        let found = (!answer.lookup.is_empty())
            .then(|| self.view.lookup(&answer.handle, &answer.lookup).expect("proven"));
        let promised = answer.promise.map(|promise| SignedPromise::try_from(&promise).expect("a promise"));
        if let Some(found) = &found {
            assert!(found.entry.is_point_of(&verified.account(), &chain), "{found:?} of {}", chain.len());
        }
        // What stands in the directory is the head, or there is a promise that exactly the head will.
        match (&promised, &found) {
            (Some(promise), _) => {
                let entry = self.view.promised(&answer.handle, promise).expect("its own promise");
                assert_eq!((entry.len, entry.head), verified.head());
                assert!(!promise.is_due(&root.root, promise.promise.made_ms), "late");
            }
            (None, Some(found)) => assert_eq!((found.entry.len, found.entry.head), verified.head()),
            (None, None) => panic!("neither proven nor promised"),
        }
        Ok(Seen { chain, found, promised })
    }

    /// The same by handle.
    pub async fn look_at(&mut self, handle: &str) -> Result<Seen, Code> {
        self.look(v1::FetchAccount { handle: handle.into(), ..Default::default() }).await
    }

    /// All entries of a handle, or the newest ones, verified.
    pub async fn history(&mut self, handle: &str, most_recent: u32) -> Result<Vec<Found>, Code> {
        let fetch = v1::FetchHistory { handle: handle.into(), most_recent };
        let answer = match asked(&mut self.asks, ask::Body::FetchHistory(fetch)).await? {
            tell::Body::History(answer) => answer,
            other => panic!("{other:?}"),
        };
        let root = SignedRoot::try_from(&answer.root.expect("a root")).expect("a root");
        self.advance(root.root.epoch).await.expect("one history");
        let count = (most_recent > 0).then_some(most_recent as usize);
        Ok(self.view.history(handle, count, &answer.history).expect("proven"))
    }
}

async fn asked(asks: &mut impl Asks, body: ask::Body) -> Result<tell::Body, Code> {
    match asks.ask(body).await {
        tell::Body::Error(error) => Err(Code::from_wire(error.code)),
        answer => Ok(answer),
    }
}

pub async fn roots(asks: &mut impl Asks, from: u64, to: Option<u64>) -> Result<Roots, Code> {
    match asked(asks, ask::Body::FetchRoot(v1::FetchRoot { from, to })).await? {
        tell::Body::Root(answer) => Ok(roots_in(answer)),
        other => panic!("{other:?}"),
    }
}

pub fn roots_in(answer: v1::RootAnswer) -> Roots {
    assert_eq!(answer.domain, "localhost");
    let root = SignedRoot::try_from(&answer.root.expect("a root")).expect("a root");
    let path = answer.path.iter().map(|body| Root::from_bytes(body).expect("a root")).collect();
    let signers = answer.signers.iter().map(|key| SignerLink::try_from(key).expect("a key")).collect();
    (root, path, signers)
}

pub fn promise_in(answer: &tell::Body) -> SignedPromise {
    match answer {
        tell::Body::Promised(promised) => {
            SignedPromise::try_from(promised.promise.as_ref().expect("a promise")).expect("a promise")
        }
        other => panic!("{other:?}"),
    }
}
