//! The directory's word.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use zegel_identity::Chain;
use zegel_proto::v1::{self, client_frame as ask, server_frame as tell};

use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{
        Keys, Operator, Passing, Person, Second, Shown, Stage, Stranger,
        mls::{SUITE, key_package},
        pass,
    },
};

/// A promise is not kept.
pub const BROKEN: Drill = Drill {
    name: "broken-promise",
    attacker: Attacker::Operator,
    attempt: "The service promises that Bob's account will be in the directory, and never puts it there; each time it is asked, it promises anew.",
    defence: "The client keeps the first promise, which names the epoch by which it is due; a new one does not put it off.",
    caught: "with the promised epoch, or ten minutes after the promise",
    run: |stage| Box::pin(broken(stage)),
};

async fn broken(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let shown = Shown::new(Second::new(Operator::of(stage)?).await?);
    shown.lock().await.omitted.push("bob".into());
    proxy.rule(shown.clone()).await;
    let bob = Person::registers("bob", &proxy.url()).await?;
    bob.looks().await?;
    carried_out(shown.lock().await.answers > 0, "showing a directory without Bob")?;
    carried_out(bob.directory_alarms().is_empty(), "a promise that is not due yet")?;
    shown.lock().await.grow_to(12).await?;
    let alarm = bob.raises("broken", "bob").await?;
    held(!alarm.steps.is_empty(), "Bob is not told what to do")?;
    Ok("Bob has the alarm \"broken\", though he was promised it anew".into())
}

/// A ghost that is only promised.
pub const GHOST: Drill = Drill {
    name: "promised-ghost",
    attacker: Attacker::State,
    attempt: "So that Bob does not see it, the operator never publishes its ghost: it only promises it to Alice, signed, and leaves it at that.",
    defence: "Alice's client comes back for each promise. It is kept, and then Bob sees it; or it is not, and then Alice does.",
    caught: "some seconds after the first message, which the ghost can read",
    run: |stage| Box::pin(promised_ghost(stage)),
};

async fn promised_ghost(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    stage.person("bob").await?;
    stage.proven("bob").await?;
    let alice = Person::registers("alice", &proxy.url()).await?;
    let operator = Operator::of(stage)?;
    let ghost = Keys::new("bob");
    let link = ghost.first_link(&operator.domain);
    let chain = Chain::verify(std::slice::from_ref(&link))?;
    let package = v1::DeviceKeyPackage {
        account: ghost.account.to_field(),
        device: ghost.device.to_field(),
        key_package: key_package(&ghost, (ghost.account, ghost.device), SUITE, (-1, 50))?.0.into(),
    };
    let lies = Arc::new(AtomicUsize::new(0));
    let (count, account) = (lies.clone(), ghost.account);
    let mut stranger = Stranger::connect(stage.address()).await?;
    let newest = Arc::new(Mutex::new(stranger.root(0).await?));
    let shown = newest.clone();
    proxy
        .rule(move |passing: Passing| {
            let newest = shown.lock().expect("no panic holds this lock");
            match &passing.asked {
                Some(ask::Body::FetchAccount(fetch))
                    if fetch.handle == "bob" || fetch.account == account.0.as_slice() =>
                {
                    count.fetch_add(1, Relaxed);
                    let promise = operator.promise("bob", &chain, newest.root.epoch + 2);
                    let answer = v1::AccountAnswer {
                        account: account.to_field(),
                        handle: "bob".into(),
                        chain: vec![link.clone().into()],
                        root: Some((&*newest).into()),
                        lookup: Default::default(),
                        promise: promise.ok().as_ref().map(Into::into),
                    };
                    vec![passing.answer(tell::Body::Account(answer))]
                }
                Some(ask::Body::FetchKeyPackages(_)) => {
                    let answer = v1::KeyPackagesAnswer { packages: vec![package.clone()] };
                    vec![passing.answer(tell::Body::KeyPackages(answer))]
                }
                _ => pass(passing),
            }
        })
        .await;
    alice.sends("for bob alone", "bob").await?;
    carried_out(lies.load(Relaxed) > 0, "promising a ghost")?;
    let early = alice.directory_alarms();
    carried_out(early.is_empty(), format!("a promise that is not due yet: {early:?}"))?;
    stage.grows(5).await?;
    *newest.lock().expect("no panic holds this lock") = stranger.root(0).await?;
    let asked = lies.load(Relaxed);
    // Nothing is asked by hand here: the client comes back by itself.
    let begun = std::time::Instant::now();
    let alarmed = crate::kit::until(std::time::Duration::from_secs(45), || {
        alice.directory_alarms().iter().any(|alarm| alarm.kind == "broken" && alarm.about == "bob")
    });
    held(alarmed.await, format!("the promise is never looked after: {:?}", alice.directory_alarms()))?;
    carried_out(lies.load(Relaxed) > asked, "promising again")?;
    held(alice.client()?.send("bob", "again").await.is_err(), "Alice goes on writing to the ghost")?;
    Ok(format!(
        "{} s later Alice has the alarm \"broken\", and nothing more is sent",
        begun.elapsed().as_secs()
    ))
}
