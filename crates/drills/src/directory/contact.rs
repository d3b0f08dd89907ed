//! Somebody else in Bob's place.

use std::sync::atomic::Ordering::Relaxed;

use zegel_identity::Chain;
use zegel_proto::v1::{self, client_frame as ask, server_frame as tell};

use crate::{
    drill::{Attacker, Drill, Failure, Verdict, carried_out, held},
    kit::{Keys, Operator, Passing, Person, Second, Shown, Stage, Stranger, mls::own_package, pass},
    membership::{Counted, count_submissions},
};

/// Other keys at first contact.
pub const SWAPPED_FIRST_KEY: Drill = Drill {
    name: "swapped-first-key",
    attacker: Attacker::State,
    attempt: "Alice looks Bob up for the first time. The operator answers with a sound list of devices of its own under Bob's handle: beside Bob's proof, without a proof, or with a promise that it made up.",
    defence: "An answer counts only with a proof from the directory, or with its signed promise; the directory is one for all.",
    caught: "at once: nothing is sent",
    run: |stage| Box::pin(swapped_first_key(stage)),
};

/// What stands beside the false list.
#[derive(Clone, Copy, Debug)]
enum Beside {
    Proof,
    Nothing,
    OwnPromise,
}

async fn swapped_first_key(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let bob = stage.person("bob").await?;
    let alice = Person::registers("alice", &proxy.url()).await?;
    stage.proven("bob").await?;
    stage.proven("alice").await?;
    let operator = Operator::of(stage)?;
    let ghost = Keys::new("bob");
    let (link, package) = (ghost.first_link(&operator.domain), own_package(&ghost)?);
    let chain = Chain::verify(std::slice::from_ref(&link))?;
    let impostor = Operator::impostor(&operator.domain)?;
    let promise = impostor.promise("bob", &chain, 2)?;
    // The directory rests, so this stays true.
    let honest = Stranger::connect(stage.address()).await?.account("bob").await?;
    let attempts =
        [(Beside::Proof, "handle"), (Beside::Nothing, "unproven"), (Beside::OwnPromise, "unproven")];
    for (beside, kind) in attempts {
        let mut answer = v1::AccountAnswer {
            account: ghost.account.to_field(),
            chain: vec![link.clone().into()],
            ..honest.clone()
        };
        if !matches!(beside, Beside::Proof) {
            answer.lookup.clear();
        }
        if matches!(beside, Beside::OwnPromise) {
            answer.promise = Some((&promise).into());
        }
        let counted = Counted::default();
        let (changed, submitted) = (counted.changed.clone(), counted.submitted.clone());
        let (account, package) = (ghost.account, package.clone());
        proxy
            .rule(move |passing: Passing| {
                count_submissions(&passing, &submitted);
                match (&passing.asked, passing.frame.told()) {
                    (Some(ask::Body::FetchAccount(fetch)), Some(_))
                        if fetch.handle == "bob" || fetch.account == account.0.as_slice() =>
                    {
                        changed.fetch_add(1, Relaxed);
                        vec![passing.answer(tell::Body::Account(answer.clone()))]
                    }
                    // The ghost's keys are good, so that what is sent to it would arrive.
                    (Some(ask::Body::FetchKeyPackages(_)), Some(_)) => {
                        let answer = v1::KeyPackagesAnswer { packages: vec![package.clone()] };
                        vec![passing.answer(tell::Body::KeyPackages(answer))]
                    }
                    _ => pass(passing),
                }
            })
            .await;
        let sent = alice.client()?.send("bob", "hello").await;
        carried_out(counted.changed() > 0, "a false answer")?;
        held(sent.is_err(), format!("Alice wrote to the operator in Bob's place ({beside:?})"))?;
        held(counted.submitted() == 0, "something was sent all the same")?;
        alice.raises(kind, "bob").await?;
        alice.acknowledges()?;
    }
    proxy.rule(pass).await;
    alice.sends("hello bob", "bob").await?;
    bob.accepts("alice").await?;
    bob.reads("hello bob").await?;
    Ok("three false answers, nothing sent; Alice has the alarms \"handle\" and \"unproven\"".into())
}

/// The directory itself says so.
pub const GHOST_ENTRY: Drill = Drill {
    name: "ghost-entry",
    attacker: Attacker::State,
    attempt: "The operator goes all the way: it publishes an account of its own under Bob's handle in the directory, signed and proven, for everyone to see.",
    defence: "Bob's client looks at Bob's own entry at each connection; whoever knew Bob sees another account. The entry stays in the directory for ever, as evidence.",
    caught: "Bob's next connection, and at once by who knew him; whoever had never met Bob writes to the ghost until then",
    run: |stage| Box::pin(ghost_entry(stage)),
};

async fn ghost_entry(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let operator = Operator::of(stage)?;
    let ghost = Keys::new("bob");
    let link = ghost.first_link(&operator.domain);
    let shown = Shown::new(stage, Second::new(operator).await?);
    proxy.rule(shown.clone()).await;
    let (alice, mut bob) = stage.two_friends(&proxy).await?;
    for person in [&alice, &bob] {
        person.looks().await?;
        carried_out(
            person.directory_alarms().is_empty(),
            format!("an honest directory: {:?}", person.directory_alarms()),
        )?;
    }
    carried_out(shown.lock().await.answers > 0, "showing a directory of the operator's")?;
    shown.lock().await.lies.insert("bob".into(), vec![link]);
    bob.closes().await;
    bob.connects().await?;
    let own = bob.raises("own", "bob").await?;
    held(!own.steps.is_empty(), "Bob is not told what to do")?;
    // Alice asks again, as before anyone is added anywhere.
    match alice.client()?.directory_show("bob").await {
        Err(_) => {}
        Ok(_) => return Err(Failure::Succeeded("Alice takes the ghost for Bob".into())),
    }
    alice.raises("handle", "bob").await?;
    alice.sends("is that you?", "bob").await?;
    bob.still_reads("is that you?").await?;
    Ok("Bob has the alarm \"own\", Alice \"handle\"; what Alice writes still reaches Bob's own device only"
        .into())
}
