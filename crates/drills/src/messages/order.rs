//! The order of messages: what is missing, moved or repeated shows.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use zegel_proto::v1::server_frame as tell;

use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Passing, Stage, pass},
};

/// A message is left out.
pub const DROPPED: Drill = Drill {
    name: "dropped-messages",
    attacker: Attacker::State,
    attempt: "The service delivers what Alice wrote to Bob, but leaves one message out and numbers Bob's mail as if nothing were missing.",
    defence: "Each message is stamped with its place in the conversation; the hole is shown where it is.",
    caught: "with the next message that arrives",
    run: |stage| Box::pin(dropped(stage)),
};

async fn dropped(stage: &Stage) -> Verdict {
    let (alice, bob, office) = stage.two_watched().await?;
    let bobs = office.watch(&bob).await?;
    let mut sent = Vec::new();
    for text in ["the first", "the second", "the third"] {
        sent.push(office.hears(&alice, text, "bob").await?);
    }
    bobs.keeps(3).await?;
    bobs.put(sent[0].entry()?)?;
    bob.reads("the first").await?;
    carried_out(bob.alarms().is_empty(), "an honest delivery without an alarm")?;
    bobs.put(sent[2].entry()?)?;
    bob.reads("the third").await?;
    bob.is_alarmed("gap", "1 message is missing here.").await?;
    held(bob.shows("the second") == 0, "a message that was never delivered is shown")?;
    Ok("Bob sees \"1 message is missing here.\"".into())
}

/// Two messages change places.
pub const REORDERED: Drill = Drill {
    name: "reordered-messages",
    attacker: Attacker::Operator,
    attempt: "The service delivers two messages in the other order.",
    defence: "The stamps say the order: a hole is shown, and that the late one is out of its place.",
    caught: "at once",
    run: |stage| Box::pin(reordered(stage)),
};

async fn reordered(stage: &Stage) -> Verdict {
    let (alice, bob, office) = stage.two_watched().await?;
    let bobs = office.watch(&bob).await?;
    let no = office.hears(&alice, "no", "bob").await?;
    let yes = office.hears(&alice, "yes", "bob").await?;
    bobs.keeps(2).await?;
    bobs.put(yes.entry()?)?;
    bob.reads("yes").await?;
    bob.is_alarmed("gap", "1 message is missing here.").await?;
    bobs.put(no.entry()?)?;
    bob.is_alarmed("gap", "The service sent a message again out of its place.").await?;
    held(bob.shows("no") <= 1 && bob.shows("yes") == 1, "a message is shown twice")?;
    Ok("Bob sees a hole, and then \"The service sent a message again out of its place.\"".into())
}

/// An old message comes again.
pub const REPLAYED: Drill = Drill {
    name: "replayed-messages",
    attacker: Attacker::Operator,
    attempt: "The service delivers an old message again, as a new entry of the mailbox.",
    defence: "A message's key opens once; the entry is hidden, and that it came again is said.",
    caught: "at once",
    run: |stage| Box::pin(replayed(stage)),
};

async fn replayed(stage: &Stage) -> Verdict {
    let (alice, bob, office) = stage.two_watched().await?;
    let bobs = office.watch(&bob).await?;
    let pay = office.hears(&alice, "pay ten euros", "bob").await?;
    bobs.keeps(1).await?;
    bobs.put(pay.entry()?)?;
    bob.reads("pay ten euros").await?;
    carried_out(bob.alarms().is_empty(), "an honest delivery without an alarm")?;
    bobs.put(pay.entry()?)?;
    bob.is_alarmed("gap", "The service sent a message again out of its place.").await?;
    held(bob.shows("pay ten euros") == 1, "the message is shown twice")?;
    Ok("it is shown once, and Bob sees \"The service sent a message again out of its place.\"".into())
}

/// Deliveries come twice.
pub const DUPLICATED: Drill = Drill {
    name: "duplicated-messages",
    attacker: Attacker::Network,
    attempt: "The network delivers every frame of mail twice.",
    defence: "Entries of a mailbox are numbered without holes, and a number is taken once.",
    caught: "at once: nothing is shown twice, and there is nothing to tell",
    run: |stage| Box::pin(duplicated(stage)),
};

async fn duplicated(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let (alice, bob) = stage.two_friends(&proxy).await?;
    let doubled = Arc::new(AtomicUsize::new(0));
    let count = doubled.clone();
    proxy
        .rule(move |passing: Passing| match passing.frame.told() {
            Some(tell::Body::Deliver(_)) => {
                count.fetch_add(1, Relaxed);
                vec![passing.frame.clone(), passing.frame]
            }
            _ => pass(passing),
        })
        .await;
    let texts = ["one", "two", "three", "four"];
    for text in texts {
        alice.sends(text, "bob").await?;
    }
    bob.reads("four").await?;
    bob.sends("done", "alice").await?;
    alice.reads("done").await?;
    carried_out(doubled.load(Relaxed) >= texts.len(), "doubling deliveries")?;
    for text in texts {
        held(bob.shows(text) == 1, format!("{text:?} is shown {} times", bob.shows(text)))?;
    }
    held(bob.alarms().is_empty(), format!("alarms without need: {:?}", bob.alarms()))?;
    Ok(format!("{} deliveries came twice, and each message is shown once", doubled.load(Relaxed)))
}

/// A message is kept back.
pub const DELAYED: Drill = Drill {
    name: "delayed-messages",
    attacker: Attacker::State,
    attempt: "The service accepts Alice's message and keeps it back while the conversation goes on.",
    defence: "Bob's own next message is stamped with a place that leaves a hole; when the message comes at last, it is shown out of its place, with the time at which the service had it.",
    caught: "with the next message of either",
    run: |stage| Box::pin(delayed(stage)),
};

async fn delayed(stage: &Stage) -> Verdict {
    let (alice, bob, office) = stage.two_watched().await?;
    let bobs = office.watch(&bob).await?;
    let warning = office.hears(&alice, "do not go there", "bob").await?;
    bobs.keeps(1).await?;
    let own = office.hears(&bob, "I am on my way", "alice").await?;
    bobs.keeps(2).await?;
    bobs.put(own.confirmation())?;
    bob.is_alarmed("gap", "1 message is missing here.").await?;
    bobs.put(warning.entry()?)?;
    bob.is_alarmed("gap", "The service sent a message again out of its place.").await?;
    bob.reads("do not go there").await?;
    let accepted = warning.context()?.accepted_ms;
    let shown = bob.lines().into_iter().find(|line| line.text == "do not go there");
    held(shown.is_some_and(|line| line.accepted_at == accepted), "the time of the late message is lost")?;
    Ok("Bob sees \"1 message is missing here.\" when he writes, and later the message with its time".into())
}
