//! The keys of the directory.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use zegel_directory::{Root, SignedRoot};
use zegel_proto::v1::{self, client_frame as ask, server_frame as tell};

use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Frame, Operator, Passing, Person, Second, Shown, Stage, Stranger, pass},
};

/// Handles in two places.
pub const TWO_VRF_KEYS: Drill = Drill {
    name: "two-vrf-keys",
    attacker: Attacker::Operator,
    attempt: "The service places handles with a second key, so that one tree holds two entries for Bob: one for Bob to see, and one for Alice.",
    defence: "Every root names the key that places handles, and it never changes.",
    caught: "at once",
    run: |stage| Box::pin(other_directory(stage, "vrf")),
};

/// Somebody without the keys.
pub const IMPOSTOR: Drill = Drill {
    name: "impostor-directory",
    attacker: Attacker::Network,
    attempt: "Somebody who took over the service's address, certificate and all, but not its key file, shows a directory under keys of their own.",
    defence: "A client keeps the directory's first key; the next ones must each be named by the one before.",
    caught: "at once",
    run: |stage| Box::pin(other_directory(stage, "keys")),
};

/// Alice has seen the first directory, and is shown another; the alarm must be of this kind.
async fn other_directory(stage: &Stage, kind: &'static str) -> Verdict {
    let proxy = stage.proxy().await?;
    let alice = Person::registers("alice", &proxy.url()).await?;
    stage.proven("alice").await?;
    let seen = alice.epoch().await?;
    let operator = Operator::of(stage)?;
    let other = match kind {
        "vrf" => operator.with_other_vrf()?,
        _ => Operator::impostor(&operator.domain)?,
    };
    let mut second = Second::new(other).await?;
    second.grow_to(seen + 3).await?;
    let shown = Shown::new(second);
    proxy.rule(shown.clone()).await;
    alice.looks().await?;
    carried_out(shown.lock().await.answers > 0, "showing another directory")?;
    alice.raises(kind, "").await?;
    held(!alice.client()?.is_directory_trusted()?, "Alice goes on trusting it")?;
    Ok(format!("Alice has the alarm {kind:?}"))
}

/// A root dated back.
pub const BACKDATED: Drill = Drill {
    name: "backdated-root",
    attacker: Attacker::Operator,
    attempt: "To win time for a promise that it does not mean to keep, the service dates a root before the one that came before it.",
    defence: "The time of a root never goes back.",
    caught: "at once",
    run: |stage| Box::pin(backdated(stage)),
};

async fn backdated(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let alice = Person::registers("alice", &proxy.url()).await?;
    stage.proven("alice").await?;
    // Nothing changes any more, so this stays the newest.
    let seen = alice.epoch().await?;
    let operator = Operator::of(stage)?;
    let mut stranger = Stranger::connect(stage.address()).await?;
    let newest = stranger.root(0).await?;
    let honest = stranger.root_answer(0).await?;
    carried_out(newest.root.epoch == seen, "a directory at rest")?;
    let epoch = seen + 1;
    let skip = stranger.root((epoch & seen).max(1)).await?;
    let root = Root {
        epoch,
        time_ms: newest.root.time_ms - 3_600_000,
        previous: newest.root.hash(),
        skip: if epoch & seen == 0 { [0; 32] } else { skip.root.hash() },
        ..newest.root.clone()
    };
    let signed: SignedRoot = operator.sign(root)?;
    let dated = Arc::new(AtomicUsize::new(0));
    let count = dated.clone();
    proxy
        .rule(move |mut passing: Passing| {
            if let Frame::Down(frame) = &mut passing.frame {
                match (&passing.asked, &mut frame.body) {
                    (Some(ask::Body::FetchAccount(_)), Some(tell::Body::Account(answer))) => {
                        answer.root = Some((&signed).into());
                    }
                    (Some(ask::Body::FetchRoot(fetch)), Some(body)) if fetch.from == epoch => {
                        count.fetch_add(1, Relaxed);
                        let answer = v1::RootAnswer { root: Some((&signed).into()), ..honest.clone() };
                        *body = tell::Body::Root(answer);
                    }
                    _ => {}
                }
            }
            pass(passing)
        })
        .await;
    alice.looks().await?;
    carried_out(dated.load(Relaxed) > 0, "showing a root that is dated back")?;
    alice.raises("time", "").await?;
    Ok("Alice has the alarm \"time\"".into())
}
