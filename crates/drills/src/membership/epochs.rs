//! Epochs that a service keeps from some, or accepts twice.

use zegel_client::Change;

use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Person, SOON, Stage, befriend, until},
};

/// A commit is kept from someone.
pub const SUPPRESSED: Drill = Drill {
    name: "suppressed-commit",
    attacker: Attacker::Operator,
    attempt: "Alice removes Mallory from a group, and the service keeps that change from Bob, so that he goes on writing for Mallory's eyes.",
    defence: "The change has a place in the conversation, so that its absence shows; what is written after it is under keys that Bob lacks; and what Bob writes is of an epoch that has passed.",
    caught: "with the next message",
    run: |stage| Box::pin(suppressed(stage)),
};

async fn suppressed(stage: &Stage) -> Verdict {
    let (alice, bob, office) = stage.two_watched().await?;
    let mallory = stage.person("mallory").await?;
    befriend(&alice, &mallory).await?;
    stage.club(&[&alice, &bob, &mallory]).await?;
    let bobs = office.watch(&bob).await?;
    alice.client()?.group_remove("club", &["mallory".to_owned()]).await?;
    bobs.keeps(1).await?;
    let after = office.hears(&alice, "now we are alone", "club").await?;
    bobs.put(after.entry()?)?;
    bob.is_alarmed("gap", "1 message is missing here.").await?;
    let line = "A message could not be shown: it belongs to a later state of the conversation than this device has; it asks to be let in again.";
    bob.is_alarmed("hidden", line).await?;
    // What Bob writes now waits; the real server would refuse it.
    let _ =
        tokio::time::timeout(std::time::Duration::from_secs(2), bob.client()?.send("club", "about mallory"))
            .await;
    let out = || mallory.texts("notice").iter().any(|line| line == "alice removed you.");
    carried_out(until(SOON, out).await, "removing Mallory")?;
    held(
        mallory.shows("now we are alone") + mallory.shows("about mallory") == 0,
        "Mallory reads what was written after she was removed",
    )?;
    Ok("Bob sees a hole and that he lacks a later state; Mallory reads nothing".into())
}

/// Two commits of one epoch are both accepted.
pub const FORKED: Drill = Drill {
    name: "forked-epoch",
    attacker: Attacker::Operator,
    attempt: "A false server accepts two changes of one epoch, Alice's and Bob's, and shows each only their own, so that they are in two groups that look like one.",
    defence: "The keys of an epoch follow from the change that opened it: across the fork nothing opens, and that is said.",
    caught: "with the first message across",
    run: |stage| Box::pin(forked(stage)),
};

async fn forked(stage: &Stage) -> Verdict {
    let (alice, bob, office) = stage.two_watched().await?;
    stage.club(&[&alice, &bob]).await?;
    let bobs = office.watch(&bob).await?;
    office.fool(&bob)?;
    let before = epoch(&bob)?;
    alice.client()?.group_rename("club", "the club").await?;
    bobs.keeps(1).await?;
    bob.client()?.rogue_commit("club", &Change::default()).await?;
    bobs.put(office.last_of(&bob)?.confirmation())?;
    let merged = until(SOON, || epoch(&bob).is_ok_and(|now| now == before + 1)).await;
    carried_out(merged, "a second change of the same epoch")?;
    let forked = office.last_of(&bob)?.context()?;
    let across = office.hears(&alice, "across the fork", "the club").await?;
    let mut context = across.context()?;
    context.server_seq = forked.server_seq + 1;
    context.prev_stamp_hash = forked.hash();
    bobs.put(across.entry_with(&context)?)?;
    let cause = "A message could not be shown: it could not be decrypted (";
    let told = until(SOON, || bob.texts("hidden").iter().any(|line| line.starts_with(cause))).await;
    held(told, format!("the fork goes unnoticed: {:?}", bob.alarms()))?;
    held(bob.shows("across the fork") == 0, "a message crosses the fork")?;
    Ok("Bob is told that Alice's next message could not be decrypted".into())
}

fn epoch(person: &Person) -> Verdict<u64> {
    Ok(person.client()?.rogue_epoch("club")?.0)
}
