//! Key packages that are not what they say.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use zegel_proto::v1::{self, client_frame as ask, server_frame as tell};

use crate::{
    drill::{Attacker, Drill, Failure, Verdict, carried_out, held},
    kit::{
        Keys, Passing, Person, Proxy, Stage, Stranger, account_of, device_of,
        mls::{CLASSICAL, SUITE, key_package},
        pass,
    },
};

/// What a rule changed, and what was sent meanwhile.
#[derive(Default)]
pub struct Counted {
    pub changed: Arc<AtomicUsize>,
    pub submitted: Arc<AtomicUsize>,
}

impl Counted {
    /// How many frames were changed.
    pub fn changed(&self) -> usize {
        self.changed.load(Relaxed)
    }
    /// How many submissions passed.
    pub fn submitted(&self) -> usize {
        self.submitted.load(Relaxed)
    }
}

/// Counts a submission that passes.
pub fn count_submissions(passing: &Passing, submitted: &AtomicUsize) {
    if matches!(passing.frame.call(), Some(ask::Body::Submit(_))) {
        submitted.fetch_add(1, Relaxed);
    }
}

const NONE_USABLE: &str = "the service gave no usable keys for them";

/// The operator's keys for Bob's.
pub const SWAPPED: Drill = Drill {
    name: "swapped-key-package",
    attacker: Attacker::Operator,
    attempt: "Asked for Bob's keys, the service hands out its own: made in Bob's name, or another account's good ones.",
    defence: "A key package must be signed by a device that Bob's sigchain lists, and name it.",
    caught: "at once: nothing is sent",
    run: |stage| Box::pin(swapped(stage)),
};

async fn swapped(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let bob = stage.person("bob").await?;
    let alice = Person::registers("alice", &proxy.url()).await?;
    let (account, device) = (account_of(&bob)?, device_of(&bob)?);
    let operator = Keys::new("operator");
    Stranger::member(stage.address(), &operator).await?;
    let in_bobs_name = key_package(&operator, (account, device), SUITE, (-1, 50))?.0;
    let in_own_name = key_package(&operator, (operator.account, operator.device), SUITE, (-1, 50))?.0;
    for (package, what) in [(in_bobs_name, "in Bob's name"), (in_own_name, "in its own name")] {
        let package = v1::DeviceKeyPackage {
            account: account.to_field(),
            device: device.to_field(),
            key_package: package.into(),
        };
        let counted = serve_packages(&proxy, vec![package]).await;
        refuses(&alice, "bob", &format!("keys of the operator {what}")).await?;
        carried_out(counted.changed() > 0, "handing out other keys")?;
        held(counted.submitted() == 0, "something was sent all the same")?;
    }
    proxy.rule(pass).await;
    alice.sends("hello bob", "bob").await?;
    bob.accepts("alice").await?;
    bob.reads("hello bob").await?;
    Ok(format!("Alice's client: \"{NONE_USABLE}\", and sends nothing"))
}

async fn serve_packages(proxy: &Proxy, packages: Vec<v1::DeviceKeyPackage>) -> Counted {
    let counted = Counted::default();
    let (changed, submitted) = (counted.changed.clone(), counted.submitted.clone());
    proxy
        .rule(move |passing: Passing| {
            count_submissions(&passing, &submitted);
            match passing.asked {
                Some(ask::Body::FetchKeyPackages(_)) => {
                    changed.fetch_add(1, Relaxed);
                    let answer = v1::KeyPackagesAnswer { packages: packages.clone() };
                    vec![passing.answer(tell::Body::KeyPackages(answer))]
                }
                _ => pass(passing),
            }
        })
        .await;
    counted
}

/// Someone's client finds no keys to use.
pub async fn refuses(alice: &Person, to: &str, what: &str) -> Verdict<()> {
    match alice.client()?.send(to, "hello").await {
        Err(zegel_client::Error::Usage { why, .. }) if why == NONE_USABLE => Ok(()),
        Err(other) => Err(Failure::Succeeded(format!("{what}: it failed otherwise: {other}"))),
        Ok(_) => Err(Failure::Succeeded(format!("a conversation was begun with {what}"))),
    }
}

/// A weaker suite.
pub const DOWNGRADED: Drill = Drill {
    name: "downgraded-suite",
    attacker: Attacker::State,
    attempt: "Under an order, Bob's app is replaced by one that offers keys of a suite without post-quantum protection, to be recorded now and broken later.",
    defence: "There is one suite, X25519 with ML-KEM-768, and nothing to negotiate: other keys are not used.",
    caught: "at once: nothing is sent",
    run: |stage| Box::pin(downgraded(stage)),
};

async fn downgraded(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let alice = Person::registers("alice", &proxy.url()).await?;
    let bob = Keys::new("bob");
    let mut bobs = Stranger::member(stage.address(), &bob).await?;
    let named = (bob.account, bob.device);
    bobs.publish(vec![key_package(&bob, named, CLASSICAL, (-1, 50))?]).await?;
    let submitted = Arc::new(AtomicUsize::new(0));
    let count = submitted.clone();
    proxy
        .rule(move |passing: Passing| {
            count_submissions(&passing, &count);
            pass(passing)
        })
        .await;
    refuses(&alice, "bob", "keys of the weaker suite").await?;
    held(submitted.load(Relaxed) == 0, "something was sent all the same")?;
    bobs.publish(vec![key_package(&bob, named, SUITE, (-1, 50))?]).await?;
    alice.sends("hello", "bob").await?;
    carried_out(submitted.load(Relaxed) == 1, "beginning a conversation with keys of the right suite")?;
    Ok(format!("Alice's client: \"{NONE_USABLE}\"; with keys of the one suite the same Bob is reached"))
}
