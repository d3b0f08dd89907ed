//! Stamps that a changed server makes, over something else than what was sent.

use zegel_franking::Context;
use zegel_proto::GroupId;

use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{SOON, Stage, WAIT, message, until},
};

/// Stamps over something else.
pub const FORGED: Drill = Drill {
    name: "forged-stamp",
    attacker: Attacker::Operator,
    attempt: "The service stamps a message as another account's or device's, as of another conversation or epoch, or over another ciphertext or tag.",
    defence: "What the stamp says is held against what MLS itself says of sender, conversation, epoch and bytes.",
    caught: "at once",
    run: |stage| Box::pin(forged(stage)),
};

type Fault = (&'static str, fn(&mut Context));

const FAULTS: [Fault; 6] = [
    ("the stamp names another sender", |context| context.sender_account = [1; 16]),
    ("the stamp names another sender", |context| context.sender_device = [1; 16]),
    ("the stamp names another conversation", |context| context.room = [1; 32]),
    ("the stamp names another epoch", |context| context.epoch += 1),
    ("the stamp is for another ciphertext", |context| context.message_hash = [1; 32]),
    ("the franking tag is not that of the content", |context| context.franking_tag = [1; 32]),
];

async fn forged(stage: &Stage) -> Verdict {
    let (alice, bob, office) = stage.two_watched().await?;
    let bobs = office.watch(&bob).await?;
    let honest = office.hears(&alice, "honest", "bob").await?;
    bobs.put(honest.entry()?)?;
    bob.reads("honest").await?;
    for (number, (cause, spoil)) in FAULTS.into_iter().enumerate() {
        let text = format!("mis-stamped {number}");
        let heard = office.hears(&alice, &text, "bob").await?;
        let mut context = heard.context()?;
        spoil(&mut context);
        bobs.put(heard.entry_with(&context)?)?;
        let line = format!("A message could not be shown: {cause}.");
        bob.is_alarmed("hidden", &line).await?;
        until(SOON, || bob.texts("hidden").len() > number).await;
        let hidden = bob.texts("hidden").len();
        held(hidden == number + 1, format!("{number} forged stamps, and {hidden} hidden messages"))?;
        held(bob.shows(&text) == 0, format!("a message with a stamp that lies is shown ({cause})"))?;
    }
    Ok(format!("{} of {} are hidden, each with its cause", FAULTS.len(), FAULTS.len()))
}

/// The chain of stamps is broken.
pub const BROKEN_CHAIN: Drill = Drill {
    name: "broken-chain",
    attacker: Attacker::Operator,
    attempt: "The service rewrites the past: it stamps the next message as following another one than Bob got.",
    defence: "Each stamp names the hash of the one before it; a break is shown where it is.",
    caught: "with the next message",
    run: |stage| Box::pin(broken_chain(stage)),
};

async fn broken_chain(stage: &Stage) -> Verdict {
    let (alice, bob, office) = stage.two_watched().await?;
    let bobs = office.watch(&bob).await?;
    let honest = office.hears(&alice, "before", "bob").await?;
    bobs.put(honest.entry()?)?;
    bob.reads("before").await?;
    carried_out(bob.alarms().is_empty(), "an honest delivery without an alarm")?;
    let after = office.hears(&alice, "after", "bob").await?;
    let mut context = after.context()?;
    context.prev_stamp_hash = [7; 32];
    bobs.put(after.entry_with(&context)?)?;
    bob.is_alarmed("gap", "The service's record of this conversation changed its past here.").await?;
    bob.reads("after").await?;
    Ok("Bob sees \"The service's record of this conversation changed its past here.\"".into())
}

/// Two people are shown two pasts.
pub const TWO_PASTS: Drill = Drill {
    name: "two-pasts",
    attacker: Attacker::State,
    attempt: "The service shows Alice and Bob different records of one conversation, each sound by itself.",
    defence: "Every sealed message says which stamp its sender saw last.",
    caught: "with the next message between them",
    run: |stage| Box::pin(two_pasts(stage)),
};

async fn two_pasts(stage: &Stage) -> Verdict {
    let (alice, bob, office) = stage.two_watched().await?;
    let bobs = office.watch(&bob).await?;
    let first = office.hears(&alice, "at nine", "bob").await?;
    let mut other = first.context()?;
    other.accepted_ms -= 3_600_000;
    bobs.put(first.entry_with(&other)?)?;
    bob.reads("at nine").await?;
    carried_out(bob.alarms().is_empty(), "another past that is sound by itself")?;
    // Alice's client has its own confirmation before it says which stamp it saw.
    alice.client()?.sync(WAIT).await?;
    let second = office.hears(&alice, "as I said", "bob").await?;
    let mut context = second.context()?;
    context.prev_stamp_hash = other.hash();
    bobs.put(second.entry_with(&context)?)?;
    bob.reads("as I said").await?;
    bob.is_alarmed("gap", "The service showed alice another past of this conversation than you.").await?;
    Ok("Bob sees \"The service showed alice another past of this conversation than you.\"".into())
}

/// A message of one conversation appears in another.
pub const SPLICED_ROOM: Drill = Drill {
    name: "spliced-room",
    attacker: Attacker::Operator,
    attempt: "The service delivers a \"yes\" that Alice wrote in one conversation into another one with the same people, under a stamp of that one.",
    defence: "The ciphertext names its group, and only that group's keys open it.",
    caught: "at once",
    run: |stage| Box::pin(spliced(stage)),
};

async fn spliced(stage: &Stage) -> Verdict {
    let (alice, bob, office) = stage.two_watched().await?;
    stage.club(&[&alice, &bob]).await?;
    let club: GroupId = alice.client()?.rogue_group("club")?;
    let in_club = office.last_of(&alice)?.context()?;
    let bobs = office.watch(&bob).await?;
    let yes = office.hears(&alice, "yes", "bob").await?;
    let mut context = yes.context()?;
    context.room = zegel_proto::room_of(&club).0;
    context.server_seq = in_club.server_seq + 1;
    context.prev_stamp_hash = in_club.hash();
    let stamped = zegel_proto::v1::Stamped {
        context: context.to_bytes().to_vec().into(),
        stamp: yes.stamps[0].stamp.clone(),
    };
    bobs.put(message(&club, &yes.submit.message, stamped.clone()))?;
    bob.is_alarmed(
        "hidden",
        "A message could not be shown: it claims another sender or conversation than it has.",
    )
    .await?;
    // With the head rewritten as well, the ciphertext no longer opens: the head is authenticated.
    let mut relabelled = yes.submit.message.to_vec();
    relabelled[5..37].copy_from_slice(&club.0);
    let mut again = context.clone();
    again.server_seq += 1;
    again.prev_stamp_hash = context.hash();
    again.message_hash =
        sha2::Digest::finalize(sha2::Digest::chain_update(sha2::Sha256::default(), &relabelled)).into();
    let stamped = zegel_proto::v1::Stamped { context: again.to_bytes().to_vec().into(), ..stamped };
    bobs.put(message(&club, &relabelled, stamped))?;
    let two = until(SOON, || bob.texts("hidden").len() >= 2).await;
    held(two && bob.shows("yes") == 0, "the relabelled message is not hidden")?;
    bobs.put(yes.entry()?)?;
    bob.reads("yes").await?;
    Ok("Bob sees that it claims another conversation than it has; in its own place it is shown".into())
}
