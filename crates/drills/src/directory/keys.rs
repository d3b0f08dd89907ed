//! The keys of the directory.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use zegel_directory::{Root, SignedRoot, skip_of};
use zegel_proto::v1::{self, client_frame as ask, server_frame as tell};

use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Frame, Keys, Operator, Passing, Person, Proxy, Second, Shown, Stage, Stranger, pass},
};

/// Handles in two places.
pub const TWO_VRF_KEYS: Drill = Drill {
    name: "two-vrf-keys",
    attacker: Attacker::Operator,
    attempt: "The service places handles with a second key, so that one tree holds two entries for Bob: one for Bob to see, and one for Alice. All else in the root is right, and it comes after the one that Alice has seen.",
    defence: "Every root names the key that places handles, and it never changes.",
    caught: "at once",
    run: |stage| Box::pin(two_vrf_keys(stage)),
};

/// Somebody without the keys.
pub const IMPOSTOR: Drill = Drill {
    name: "impostor-directory",
    attacker: Attacker::Network,
    attempt: "Somebody who took over the service's address, certificate and all, but not its key file, continues the directory with a root that is right in all but the signature: under its own keys, and under keys of theirs.",
    defence: "A client keeps the directory's first key; the next ones must each be named by the one before.",
    caught: "at once",
    run: |stage| Box::pin(impostor(stage)),
};

/// A root dated back.
pub const BACKDATED: Drill = Drill {
    name: "backdated-root",
    attacker: Attacker::Operator,
    attempt: "To win time for a promise that it does not mean to keep, the service dates a root before the one that came before it.",
    defence: "The time of a root never goes back.",
    caught: "at once",
    run: |stage| Box::pin(backdated(stage)),
};

/// Two last keys.
pub const FORKED_KEYS: Drill = Drill {
    name: "forked-keys",
    attacker: Attacker::Operator,
    attempt: "The service's key names two next ones, both as the second: one signs the directory that Alice is shown, with a ghost in Bob's place, the other the one that Carol is shown. What either signed means nothing to the other.",
    defence: "Beside the root that they saw, clients say inside sealed messages under which keys.",
    caught: "first message between two people who see different keys",
    run: |stage| Box::pin(forked_keys(stage)),
};

/// Somebody who has seen the real directory, at rest, and is shown a next root.
struct Next {
    alice: Person,
    proxy: Proxy,
    newest: SignedRoot,
    honest: v1::RootAnswer,
    skip: [u8; 32],
}

impl Next {
    async fn after(stage: &Stage) -> Verdict<Self> {
        let proxy = stage.proxy().await?;
        let alice = Person::registers("alice", &proxy.url()).await?;
        stage.proven("alice").await?;
        // Nothing changes any more, so this stays the newest.
        let seen = alice.epoch().await?;
        let mut stranger = Stranger::connect(stage.address()).await?;
        let (newest, honest) = (stranger.root(0).await?, stranger.root_answer(0).await?);
        carried_out(newest.root.epoch == seen, "a directory at rest")?;
        // Root 0 is never asked for: 0 means the newest.
        let skip = skip_of(seen + 1);
        let skip = if skip == 0 { [0; 32] } else { stranger.root(skip).await?.root.hash() };
        Ok(Self { alice, proxy, newest, honest, skip })
    }

    /// The root that comes next, were it an honest one in which nothing changed.
    fn root(&self) -> Root {
        self.newest.root.next(self.skip)
    }

    /// Shows it under these keys, whenever the directory is asked, and has Alice look.
    async fn show(&self, signed: SignedRoot, signers: Vec<v1::DirectorySigner>) -> Verdict<()> {
        let shown = Arc::new(AtomicUsize::new(0));
        let (count, epoch) = (shown.clone(), signed.root.epoch);
        let answer = v1::RootAnswer { root: Some((&signed).into()), signers, ..self.honest.clone() };
        let rule = move |mut passing: Passing| {
            if let Frame::Down(frame) = &mut passing.frame {
                match (&passing.asked, &mut frame.body) {
                    (Some(ask::Body::FetchAccount(_)), Some(tell::Body::Account(answer))) => {
                        answer.root = Some((&signed).into());
                    }
                    (Some(ask::Body::FetchRoot(fetch)), Some(body))
                        if fetch.from == epoch || fetch.from == 0 =>
                    {
                        count.fetch_add(1, Relaxed);
                        *body = tell::Body::Root(answer.clone());
                    }
                    _ => {}
                }
            }
            pass(passing)
        };
        self.proxy.rule(rule).await;
        self.alice.looks().await?;
        carried_out(shown.load(Relaxed) > 0, "showing another root")
    }

    /// The alarm, and the end of trust.
    async fn is_caught(&self, kind: &str) -> Verdict {
        self.alice.raises(kind, "").await?;
        held(!self.alice.client()?.is_directory_trusted()?, "Alice goes on trusting it")?;
        Ok(format!("Alice has the alarm {kind:?}"))
    }
}

async fn two_vrf_keys(stage: &Stage) -> Verdict {
    let (next, operator) = (Next::after(stage).await?, Operator::of(stage)?);
    let root = Root { vrf: Operator::impostor(&operator.domain)?.places().await?, ..next.root() };
    next.show(operator.sign(root)?, operator.signers()).await?;
    next.is_caught("vrf").await
}

async fn impostor(stage: &Stage) -> Verdict {
    let (next, operator) = (Next::after(stage).await?, Operator::of(stage)?);
    let impostor = Operator::impostor(&operator.domain)?;
    next.show(impostor.sign(next.root())?, operator.signers()).await?;
    next.alice.raises("unproven", "").await?;
    next.alice.acknowledges()?;
    next.show(impostor.sign(next.root())?, impostor.signers()).await?;
    next.is_caught("keys").await?;
    Ok("Alice has the alarms \"unproven\" and \"keys\"".into())
}

async fn backdated(stage: &Stage) -> Verdict {
    let (next, operator) = (Next::after(stage).await?, Operator::of(stage)?);
    let root = next.root();
    let root = Root { time_ms: root.time_ms - 3_600_000, ..root };
    next.show(operator.sign(root)?, operator.signers()).await?;
    next.is_caught("time").await
}

async fn forked_keys(stage: &Stage) -> Verdict {
    let (one, other) = (stage.proxy().await?, stage.proxy().await?);
    let mut first = Second::new(Operator::of(stage)?.with_next_key()?).await?;
    let link = Keys::new("bob").first_link(&Operator::of(stage)?.domain);
    first.lies.insert("bob".into(), vec![link]);
    let first = Shown::new(stage, first);
    let second = Shown::new(stage, Second::new(Operator::of(stage)?.with_next_key()?).await?);
    one.rule(first.clone()).await;
    other.rule(second.clone()).await;
    stage.person("bob").await?;
    let alice = Person::registers("alice", &one.url()).await?;
    let carol = Person::registers("carol", &other.url()).await?;
    let (seen, honest) =
        (alice.client()?.directory_show("bob").await?, carol.client()?.directory_show("bob").await?);
    carried_out(seen.state == "proven" && seen.account != honest.account, "a proven ghost in Bob's place")?;
    for person in [&alice, &carol] {
        carried_out(person.directory_alarms().is_empty(), "two directories that are sound in themselves")?;
    }
    alice.sends("hello carol", "carol").await?;
    carol.accepts("alice").await?;
    alice.raises("keys", "").await?;
    // Conversations go on, and so Carol hears of it too.
    alice.sends("what do you see?", "carol").await?;
    carol.raises("keys", "").await?;
    held(!alice.client()?.is_directory_trusted()?, "Alice goes on trusting her keys")?;
    Ok("both have the alarm \"keys\"".into())
}
