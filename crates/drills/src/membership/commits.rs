//! Changes of a group that their makers may not make.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use sha2::{Digest as _, Sha256};
use zegel_client::Change;
use zegel_franking::ZERO_TAG;
use zegel_proto::{
    Code, SubmissionId,
    v1::{self, client_frame as ask},
};

use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{
        Frame, Keys, Passing, Person, SOON, Stage, Stranger, account_of, befriend, code_of, device_of,
        message,
        mls::{SUITE, external_commit, key_package},
        pass, until,
    },
};

/// An outsider commits themself in.
pub const EXTERNAL: Drill = Drill {
    name: "external-commit",
    attacker: Attacker::Stranger,
    attempt: "A GroupInfo leaked. Eve makes the external commit with which MLS lets its holder join, sends it to the server, and then has a false server deliver it.",
    defence: "External commits are refused wherever they appear: the server and every client take PrivateMessages only, and those come from members only.",
    caught: "at once",
    run: |stage| Box::pin(external(stage)),
};

async fn external(stage: &Stage) -> Verdict {
    let (alice, bob, office) = stage.two_watched().await?;
    stage.club(&[&alice, &bob]).await?;
    let group = alice.client()?.rogue_group("club")?;
    let leaked = alice.client()?.rogue_group_info("club")?;
    let eve = Keys::new("eve");
    let mut eves = Stranger::member(stage.address(), &eve).await?;
    let commit = external_commit(&eve, &leaked)?;
    let (epoch, token, members) = alice.client()?.rogue_epoch("club")?;
    carried_out(members.len() == 2, "a group of two")?;
    // She is even given the epoch's token and everyone's address.
    let submit = v1::Submit {
        submission_id: SubmissionId::random().to_field(),
        group_id: group.to_field(),
        epoch,
        token: token.into(),
        message: commit.clone().into(),
        next_token_hash: vec![1; 32].into(),
        addresses: members.iter().map(|member| member.address.to_field()).collect(),
        ..Default::default()
    };
    let answer = eves.call(ask::Body::Submit(submit)).await?;
    held(
        code_of(&answer) == Some(Code::BadMessage),
        format!("the server takes an external commit: {answer:?}"),
    )?;

    let last = office.last_of(&alice)?.context()?;
    let bobs = office.watch(&bob).await?;
    let context = zegel_franking::Context {
        sender_account: eve.account.0,
        sender_device: eve.device.0,
        epoch,
        server_seq: last.server_seq + 1,
        prev_stamp_hash: last.hash(),
        franking_tag: ZERO_TAG,
        message_hash: Sha256::digest(&commit).into(),
        ..last
    };
    let context = context.to_bytes().to_vec().into();
    bobs.put(message(&group, &commit, v1::Stamped { context, stamp: vec![9; 32].into() }))?;
    let line = "A message could not be shown: wire format 1 is refused; only PrivateMessage (2) is carried.";
    bob.is_alarmed("hidden", line).await?;
    let (after, _, members) = bob.client()?.rogue_epoch("club")?;
    held(after == epoch && members.len() == 2, "Eve is in the group")?;
    Ok("the server refuses it as BadMessage; Bob hides it, and the group is as it was".into())
}

/// A device that nobody listed.
pub const GHOST_IN_GROUP: Drill = Drill {
    name: "ghost-in-group",
    attacker: Attacker::Member,
    attempt: "Mallory, admin of a group, works with the operator: she adds a leaf in Bob's name with keys of the operator's.",
    defence: "Every member holds every new leaf against its owner's sigchain.",
    caught: "at once: the others do not follow",
    run: |stage| Box::pin(ghost_in_group(stage)),
};

async fn ghost_in_group(stage: &Stage) -> Verdict {
    let mallory = stage.person("mallory").await?;
    let alice = stage.person("alice").await?;
    let bob = stage.person("bob").await?;
    befriend(&mallory, &alice).await?;
    befriend(&mallory, &bob).await?;
    stage.club(&[&mallory, &alice, &bob]).await?;
    let ghost = Keys::device_of(account_of(&bob)?, "bob");
    let add = vec![key_package(&ghost, (ghost.account, device_of(&bob)?), SUITE, (-1, 50))?];
    let before = alice.client()?.rogue_epoch("club")?.0;
    mallory.client()?.rogue_commit("club", &Change { add, ..Change::default() }).await?;
    for victim in [&alice, &bob] {
        let line =
            "A message could not be shown: it adds a device that its owner's list of devices does not have.";
        victim.is_alarmed("hidden", line).await?;
        victim.is_alarmed("gap", BROKEN).await?;
    }
    held(alice.client()?.rogue_epoch("club")?.0 == before, "Alice follows into the ghost's epoch")?;
    let refused = alice.client()?.send("club", "who is listening?").await;
    held(refused.is_err(), "Alice goes on writing into the group")?;
    Ok(format!("Alice and Bob see \"{BROKEN}\""))
}

/// What is said when a member broke a group.
const BROKEN: &str = "This conversation cannot go on: mallory changed it in a way that is not allowed. Begin a new one without whoever broke it.";

/// No admin.
pub const FORBIDDEN: Drill = Drill {
    name: "forbidden-commit",
    attacker: Attacker::Member,
    attempt: "Mallory is no admin and makes herself one, throws Bob out, renames the group, or lets Eve in.",
    defence: "Members hold each commit against the group's own facts.",
    caught: "at once: the others do not follow, and are told who did it",
    run: |stage| Box::pin(forbidden(stage)),
};

async fn forbidden(stage: &Stage) -> Verdict {
    let alice = stage.person("alice").await?;
    let bob = stage.person("bob").await?;
    let mallory = stage.person("mallory").await?;
    let eve = stage.person("eve").await?;
    befriend(&alice, &bob).await?;
    befriend(&alice, &mallory).await?;
    let everyone = [bob.handle.clone(), mallory.handle.clone()];
    let changes: [(&str, Change); 4] = [
        ("usurped", Change { admins: Some(vec![account_of(&mallory)?]), ..Change::default() }),
        ("purged", Change { remove: vec![account_of(&bob)?], ..Change::default() }),
        ("renamed", Change { rename: Some("mine".into()), ..Change::default() }),
        ("widened", Change { add: vec![eve.client()?.rogue_key_package()?], ..Change::default() }),
    ];
    for (group, change) in changes {
        alice.client()?.group_create(group, &everyone).await?;
        bob.joins(group).await?;
        mallory.joins(group).await?;
        let before = alice.client()?.rogue_epoch(group)?.0;
        mallory.client()?.rogue_commit(group, &change).await?;
        for victim in [&alice, &bob] {
            let told = || {
                let lines = victim.lines();
                lines.iter().any(|line| line.conversation == group && line.text == BROKEN)
            };
            held(until(SOON, told).await, format!("{}: {group} goes unnoticed", victim.handle))?;
        }
        held(alice.client()?.rogue_epoch(group)?.0 == before, format!("Alice follows: {group}"))?;
    }
    Ok("four changes, none followed; Alice and Bob are told that it was mallory".into())
}

/// A commit that nobody can read.
pub const GARBAGE: Drill = Drill {
    name: "garbage-commit",
    attacker: Attacker::Member,
    attempt: "Mallory submits a commit that no one can decrypt; the server cannot tell, and moves the conversation on.",
    defence: "Nothing of it is taken: members say that they could not read it, and other conversations go on.",
    caught: "at once; the group itself has to be founded anew",
    run: |stage| Box::pin(garbage(stage)),
};

async fn garbage(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let alice = stage.person("alice").await?;
    let bob = stage.person("bob").await?;
    let mallory = Person::registers("mallory", &proxy.url()).await?;
    befriend(&alice, &bob).await?;
    befriend(&alice, &mallory).await?;
    stage.club(&[&alice, &bob, &mallory]).await?;
    let spoiled = Arc::new(AtomicUsize::new(0));
    let count = spoiled.clone();
    proxy
        .rule(move |mut passing: Passing| {
            if let Frame::Up(frame) = &mut passing.frame
                && let Some(ask::Body::Submit(submit)) = &mut frame.body
                && !submit.next_token_hash.is_empty()
            {
                let mut bytes = submit.message.to_vec();
                if let Some(last) = bytes.last_mut() {
                    *last ^= 1;
                }
                submit.message = bytes.into();
                count.fetch_add(1, Relaxed);
            }
            pass(passing)
        })
        .await;
    let before = alice.client()?.rogue_epoch("club")?.0;
    mallory.client()?.rogue_commit("club", &Change::default()).await?;
    carried_out(spoiled.load(Relaxed) > 0, "spoiling a commit")?;
    for victim in [&alice, &bob] {
        let cause = "A message could not be shown: it could not be decrypted (";
        let told = || victim.texts("hidden").iter().any(|line| line.starts_with(cause));
        held(until(SOON, told).await, format!("{} is told nothing", victim.handle))?;
        held(victim.client()?.rogue_epoch("club")?.0 == before, "a change that nobody can read is taken")?;
    }
    alice.sends("the club is broken", "bob").await?;
    bob.reads("the club is broken").await?;
    Ok("Alice and Bob are told that a message could not be decrypted; they go on writing to each other"
        .into())
}
