//! The directory's word.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};

use zegel_directory::{SignedPromise, SignedRoot};
use zegel_identity::{Chain, SignedLink};
use zegel_proto::{
    Code,
    v1::{self, client_frame as ask, server_frame as tell},
};

use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{
        Frame, Keys, Operator, Passing, Person, Proxy, Second, Shown, Stage, Stranger, WAIT, device_of,
        mls::own_package, pass, until,
    },
};

/// How long a client may take to come back for a promise by itself.
const LONG: Duration = Duration::from_secs(45);

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
    let shown = Shown::new(stage, Second::new(Operator::of(stage)?).await?);
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

/// What a service that never means to keep its word tells Alice about Bob.
struct Ghost {
    keys: Keys,
    link: SignedLink,
    chain: Chain,
    package: v1::DeviceKeyPackage,
    operator: Operator,
}

impl Ghost {
    fn of(stage: &Stage) -> Verdict<Self> {
        let operator = Operator::of(stage)?;
        let keys = Keys::new("bob");
        let (link, package) = (keys.first_link(&operator.domain), own_package(&keys)?);
        let chain = Chain::verify(std::slice::from_ref(&link))?;
        Ok(Self { keys, link, chain, package, operator })
    }

    /// An answer without a proof, under a root and with a promise.
    fn answer(&self, root: &SignedRoot, promise: Option<&SignedPromise>) -> v1::AccountAnswer {
        v1::AccountAnswer {
            account: self.keys.account.to_field(),
            handle: "bob".into(),
            chain: vec![self.link.clone().into()],
            root: Some(root.into()),
            lookup: Default::default(),
            promise: promise.map(Into::into),
        }
    }

    /// Has a proxy give these answers about Bob, as often as it is asked; how often it was.
    async fn haunts(
        &self,
        proxy: &Proxy,
        mut says: impl FnMut() -> tell::Body + Send + 'static,
    ) -> Arc<AtomicUsize> {
        let lies = Arc::new(AtomicUsize::new(0));
        let (count, account, package) = (lies.clone(), self.keys.account, self.package.clone());
        let mut clock = None;
        let rule = move |mut passing: Passing| match (&passing.asked, &mut passing.frame) {
            (Some(ask::Body::FetchAccount(fetch)), Frame::Down(_))
                if fetch.handle == "bob" || fetch.account == account.0.as_slice() =>
            {
                count.fetch_add(1, Relaxed);
                vec![passing.answer(says())]
            }
            (Some(ask::Body::FetchKeyPackages(_)), Frame::Down(_)) => {
                let answer = v1::KeyPackagesAnswer { packages: vec![package.clone()] };
                vec![passing.answer(tell::Body::KeyPackages(answer))]
            }
            // For whoever believes it, time stands still.
            (_, Frame::Down(v1::ServerFrame { body: Some(tell::Body::Authenticated(answer)), .. })) => {
                answer.server_ms = *clock.get_or_insert(answer.server_ms);
                pass(passing)
            }
            _ => pass(passing),
        };
        proxy.rule(rule).await;
        lies
    }
}

async fn promised_ghost(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    stage.person("bob").await?;
    stage.proven("bob").await?;
    let alice = Person::registers("alice", &proxy.url()).await?;
    let ghost = Ghost::of(stage)?;
    let mut stranger = Stranger::connect(stage.address()).await?;
    let newest = Arc::new(Mutex::new(stranger.root(0).await?));
    let (shown, again) = (newest.clone(), Ghost::of(stage)?.operator);
    let answer = ghost.answer(&stranger.root(0).await?, None);
    let chain = ghost.chain.clone();
    let says = move || {
        let newest = shown.lock().expect("no panic holds this lock");
        let promise = again.promise("bob", &chain, newest.root.epoch + 2).ok();
        tell::Body::Account(v1::AccountAnswer {
            root: Some((&*newest).into()),
            promise: promise.as_ref().map(Into::into),
            ..answer.clone()
        })
    };
    let lies = ghost.haunts(&proxy, says).await;
    alice.sends("for bob alone", "bob").await?;
    carried_out(lies.load(Relaxed) > 0, "promising a ghost")?;
    let early = alice.directory_alarms();
    carried_out(early.is_empty(), format!("a promise that is not due yet: {early:?}"))?;
    stage.grows(5).await?;
    *newest.lock().expect("no panic holds this lock") = stranger.root(0).await?;
    let asked = lies.load(Relaxed);
    // Nothing is asked by hand here: the client comes back by itself.
    let begun = std::time::Instant::now();
    let alarmed = until(LONG, || {
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

/// A promise for the end of time.
pub const ENDLESS: Drill = Drill {
    name: "endless-promise",
    attacker: Attacker::Operator,
    attempt: "The service promises its ghost in Bob's place for the last of all epochs, and dates that on the last of all days. Or it promises it properly, and then time stands still: no new epoch comes, and its clock always says the same.",
    defence: "A promise that is far away is none; and ten minutes after a client got a promise, by its own clock, it must be kept.",
    caught: "at once: nothing is sent; ten minutes after the promise where time stands still",
    run: |stage| Box::pin(endless(stage)),
};

async fn endless(stage: &Stage) -> Verdict {
    let (proxy, still) = (stage.proxy().await?, stage.proxy().await?);
    stage.person("bob").await?;
    let alice = Person::registers("alice", &proxy.url()).await?;
    let carol = Person::registers("carol", &still.url()).await?;
    for handle in ["bob", "alice", "carol"] {
        stage.proven(handle).await?;
    }
    let ghost = Ghost::of(stage)?;
    // The directory rests, so this stays the newest.
    let newest = Stranger::connect(stage.address()).await?.root(0).await?;
    let endless = ghost.operator.promise_of("bob", &ghost.chain, u64::MAX, u64::MAX)?;
    let answer = ghost.answer(&newest, Some(&endless));
    let lies = ghost.haunts(&proxy, move || tell::Body::Account(answer.clone())).await;
    let sent = alice.client()?.send("bob", "for bob alone").await;
    carried_out(lies.load(Relaxed) > 0, "promising for ever")?;
    held(sent.is_err(), "Alice wrote to a ghost whose promise will never be due")?;
    let kind = alice.is_warned("bob").await?.kind;

    let proper =
        ghost.operator.promise_of("bob", &ghost.chain, newest.root.epoch + 2, newest.root.time_ms)?;
    let answer = ghost.answer(&newest, Some(&proper));
    ghost.haunts(&still, move || tell::Body::Account(answer.clone())).await;
    wait_for(&still, &carol).await?;
    Ok(format!("Alice has the alarm {kind:?} at once, Carol \"broken\" after ten minutes of her own clock"))
}

/// Has somebody write to the ghost; then ten minutes pass for them, and for nobody else.
async fn wait_for(proxy: &Proxy, person: &Person) -> Verdict<()> {
    // The clock is told at a connection.
    reconnects(proxy, person).await?;
    person.sends("for bob alone", "bob").await?;
    let early = person.directory_alarms();
    carried_out(early.is_empty(), format!("a promise that is not due yet: {early:?}"))?;
    person.client()?.rogue_later();
    reconnects(proxy, person).await?;
    person.raises("broken", "bob").await?;
    let again = person.client()?.send("bob", "again").await;
    held(again.is_err(), format!("{} goes on writing to the ghost", person.handle))
}

async fn reconnects(proxy: &Proxy, person: &Person) -> Verdict<()> {
    proxy.cut();
    tokio::time::sleep(Duration::from_millis(500)).await;
    Ok(person.client()?.caught_up(WAIT).await?)
}

/// A ghost that is gone before anyone looks again.
pub const ABSENT: Drill = Drill {
    name: "absent-ghost",
    attacker: Attacker::Operator,
    attempt: "The service promises Alice a ghost in Bob's place. When her client comes back for the promise, there is nobody of that name, as if the account had been deleted long ago.",
    defence: "A promise is only kept by a proof: that there is nobody keeps none.",
    caught: "ten minutes after the promise",
    run: |stage| Box::pin(absent(stage)),
};

async fn absent(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    stage.person("bob").await?;
    let alice = Person::registers("alice", &proxy.url()).await?;
    for handle in ["bob", "alice"] {
        stage.proven(handle).await?;
    }
    let ghost = Ghost::of(stage)?;
    let newest = Stranger::connect(stage.address()).await?.root(0).await?;
    let promise = ghost.operator.promise("bob", &ghost.chain, newest.root.epoch + 2)?;
    let answer = ghost.answer(&newest, Some(&promise));
    let gone = Arc::new(AtomicBool::new(false));
    let is_gone = gone.clone();
    let says = move || match is_gone.load(Relaxed) {
        false => tell::Body::Account(answer.clone()),
        true => {
            let message = "there is no such account".into();
            tell::Body::Error(v1::Error { code: Code::NotFound as u32, message, ..Default::default() })
        }
    };
    let asked = ghost.haunts(&proxy, says).await;
    alice.sends("for bob alone", "bob").await?;
    let early = alice.directory_alarms();
    carried_out(early.is_empty(), format!("a promise that is not due yet: {early:?}"))?;
    gone.store(true, Relaxed);
    let before = asked.load(Relaxed);
    // By itself, 12 seconds later, and then again when the time is over.
    carried_out(until(LONG, || asked.load(Relaxed) > before).await, "denying the ghost")?;
    tokio::time::sleep(Duration::from_secs(1)).await;
    alice.client()?.rogue_later();
    let alarm = alice.is_warned("bob").await?;
    Ok(format!("Alice has the alarm {:?} about a Bob who is said not to exist", alarm.kind))
}

/// Mail without end.
pub const NOISY: Drill = Drill {
    name: "noisy-service",
    attacker: Attacker::Operator,
    attempt: "The service breaks its promise about Bob's account, and keeps his client busy so that it never gets to look: twice a second it delivers mail without anything in it.",
    defence: "What is due at a time is done at that time, whatever else comes.",
    caught: "as soon as without the noise",
    run: |stage| Box::pin(noisy(stage)),
};

async fn noisy(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let shown = Shown::new(stage, Second::new(Operator::of(stage)?).await?);
    shown.lock().await.omitted.push("bob".into());
    proxy.rule(shown.clone()).await;
    let bob = Person::registers("bob", &proxy.url()).await?;
    let device = device_of(&bob)?;
    bob.looks().await?;
    carried_out(bob.directory_alarms().is_empty(), "a promise that is not due yet")?;
    shown.lock().await.grow_to(12).await?;
    let (begun, mut noise) = (Instant::now(), 0);
    // Nothing is asked by hand here.
    while bob.directory_alarms().is_empty() {
        let harm = format!("{noise} empty deliveries later, the promise is not looked after");
        held(begun.elapsed() < LONG, harm)?;
        noise += usize::from(proxy.inject(&device, Frame::push(tell::Body::Deliver(v1::Deliver::default()))));
        tokio::time::sleep(Duration::from_millis(450)).await;
    }
    carried_out(noise > 10, format!("making noise: {noise} deliveries"))?;
    bob.raises("broken", "bob").await?;
    Ok(format!(
        "{} s and {noise} empty deliveries later, Bob has the alarm \"broken\"",
        begun.elapsed().as_secs()
    ))
}

/// A directory that says nothing.
pub const SILENT: Drill = Drill {
    name: "silent-directory",
    attacker: Attacker::Operator,
    attempt: "So that nobody wants directories any more, the service leaves every question about its own without an answer, for Bob and Alice, who know each other.",
    defence: "The directory is asked beside the mail, and not before it: conversations go on.",
    caught: "nothing to catch yet: mail flows; whoever waits for a promise is told after ten minutes",
    run: |stage| Box::pin(silent(stage)),
};

async fn silent(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let (alice, mut bob) = stage.two_friends(&proxy).await?;
    let unanswered = Arc::new(AtomicUsize::new(0));
    let count = unanswered.clone();
    proxy
        .rule(move |passing: Passing| match passing.frame.call() {
            Some(ask::Body::FetchAccount(_) | ask::Body::FetchRoot(_) | ask::Body::FetchHistory(_)) => {
                count.fetch_add(1, Relaxed);
                Vec::new()
            }
            _ => pass(passing),
        })
        .await;
    bob.closes().await;
    bob.opens().await?;
    alice.sends("the first", "bob").await?;
    let patience = Duration::from_secs(15);
    held(until(patience, || bob.shows("the first") > 0).await, "Bob gets no mail")?;
    carried_out(unanswered.load(Relaxed) > 0, "leaving a question without an answer")?;
    let answered = tokio::time::timeout(patience, bob.client()?.send("alice", "the second")).await;
    held(matches!(answered, Ok(Ok(_))), format!("Bob cannot answer: {answered:?}"))?;
    alice.still_reads("the second").await?;
    alice.sends("the third", "bob").await?;
    bob.still_reads("the third").await?;
    Ok(format!("{} questions without an answer, and all mail arrives", unanswered.load(Relaxed)))
}
