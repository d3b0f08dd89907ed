//! One directory for all, and one history of it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
};

use zegel_client::{Alarm, DirectoryEntry};
use zegel_directory::{Root, SeenRoot, SignedRoot, SignerLink, Signers};
use zegel_proto::{
    Code, Message as _,
    v1::{self, client_frame as ask, server_frame as tell},
};

use super::own::list_another;
use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Keys, Operator, Passing, Person, Proxy, Second, Shown, Stage, Stranger, befriend, pass},
};

/// Two people are shown two directories.
pub const SPLIT: Drill = Drill {
    name: "split-view",
    attacker: Attacker::State,
    attempt: "Alice alone is shown a second directory, signed with the right keys and sound in itself, in which a ghost stands in Bob's place; everyone else sees the first.",
    defence: "Clients say inside sealed messages which root they saw; two signed roots of one epoch are proof against the service.",
    caught: "first message between two people who see different directories",
    run: |stage| Box::pin(split(stage)),
};

async fn split(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let operator = Operator::of(stage)?;
    let link = Keys::new("bob").first_link(&operator.domain);
    let mut second = Second::new(Operator::of(stage)?).await?;
    second.lies.insert("bob".into(), vec![link]);
    let shown = Shown::new(stage, second);
    proxy.rule(shown.clone()).await;
    stage.person("bob").await?;
    let carol = stage.person("carol").await?;
    let alice = Person::registers("alice", &proxy.url()).await?;
    let seen = alice.client()?.directory_show("bob").await?;
    let honest = carol.client()?.directory_show("bob").await?;
    carried_out(seen.state == "proven" && seen.account != honest.account, "a proven ghost in Bob's place")?;
    carried_out(alice.directory_alarms().is_empty(), "a second directory that is sound in itself")?;
    // Carol's directory has the epoch that Alice will speak of.
    let epoch = shown.lock().await.newest().root.epoch;
    stage.grows_to(epoch + 2).await?;
    carol.looks().await?;
    alice.sends("hello carol", "carol").await?;
    carol.accepts("alice").await?;
    let alarm = alice.raises("fork", "").await?;
    held(proves(&operator, &alarm)?, format!("Alice has no proof: {}", alarm.evidence))?;
    // Conversations go on, and so Carol hears of it too.
    alice.sends("what do you see?", "carol").await?;
    let alarm = carol.raises("fork", "").await?;
    held(proves(&operator, &alarm)?, format!("Carol has no proof: {}", alarm.evidence))?;
    held(!alice.client()?.is_directory_trusted()?, "Alice goes on trusting the second directory")?;
    Ok("both have the alarm \"fork\", with both signed roots as evidence".into())
}

/// Whether an alarm's evidence proves to anyone that the service signed two different roots of one epoch: the newer one
/// of what was seen and what was shown, and the way down from it, name another root than the older one.
fn proves(operator: &Operator, alarm: &Alarm) -> Verdict<bool> {
    let signers: Vec<SignerLink> =
        operator.signers().iter().map(SignerLink::try_from).collect::<Result<_, _>>()?;
    let signers = Signers::verify(&operator.domain, &signers)?;
    let bytes =
        |value: &serde_json::Value| hex::decode(value.as_str().unwrap_or_default()).unwrap_or_default();
    let seen = |name: &str| {
        let part = &alarm.evidence[name];
        Some(SeenRoot {
            epoch: part["epoch"].as_u64()?,
            hash: bytes(&part["hash"]).try_into().ok()?,
            signer: part["signer"].as_u64()? as u32,
            signature: bytes(&part["signature"]),
        })
    };
    let (Some(ours), Some(shown)) = (seen("ours"), seen("shown")) else { return Ok(false) };
    let held = seen("held");
    if ![&ours, &shown].into_iter().chain(&held).all(|seen| seen.is_signed(&operator.domain, &signers)) {
        return Ok(false);
    }
    if let Some(held) = held {
        return Ok(held.epoch == shown.epoch && held.hash != shown.hash);
    }
    let path = alarm.evidence["path"].as_array().map(Vec::as_slice).unwrap_or_default();
    let path: Vec<Root> = path.iter().map(|root| Root::from_bytes(&bytes(root))).collect::<Result<_, _>>()?;
    let (newer, older, root) = if shown.epoch > ours.epoch {
        let answer = v1::RootAnswer::decode(bytes(&alarm.evidence["answer"]).as_slice())?;
        let root = SignedRoot::try_from(answer.root.as_ref().ok_or("an answer without a root")?)?.root;
        (shown, ours, root)
    } else {
        (ours, shown, Root::from_bytes(&bytes(&alarm.evidence["root"]))?)
    };
    Ok(root.hash() == newer.hash && root.ancestor(older.epoch, &path).is_some_and(|hash| hash != older.hash))
}

/// Somebody is shown the past.
pub const FROZEN: Drill = Drill {
    name: "frozen-view",
    attacker: Attacker::Operator,
    attempt: "To keep the news from Carol that a device was revoked, the service shows her the directory of an earlier day, for ever.",
    defence: "The roots that others saw are newer, and signed; the service cannot deny them.",
    caught: "first message of someone who sees the newer directory",
    run: |stage| Box::pin(frozen(stage)),
};

async fn frozen(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let (alice, mut bob) = (stage.person("alice").await?, stage.person("bob").await?);
    let carol = Person::registers("carol", &proxy.url()).await?;
    befriend(&alice, &carol).await?;
    befriend(&bob, &carol).await?;
    // Bob's telephone, which will be stolen.
    let copied = bob.copied("carol")?;
    bob.closes().await;
    let telephone = list_another(stage, &copied).await?.device.to_hex();
    bob.connects().await?;
    for handle in ["alice", "bob", "carol"] {
        stage.proven(handle).await?;
    }
    let until = carol.epoch().await?;
    let lists = |entry: &DirectoryEntry| entry.devices.iter().any(|device| device.id == telephone);
    carried_out(lists(&carol.client()?.directory_show("bob").await?), "a telephone that is listed")?;
    let mut stranger = Stranger::connect(stage.address()).await?;
    let mut old = Vec::new();
    for handle in ["alice", "bob", "carol"] {
        old.push(stranger.account(handle).await?);
    }
    let day = old.iter().all(|answer| answer.root.as_ref().and_then(epoch_of) == Some(until));
    carried_out(day, "answers of one day")?;
    let denied = freeze(&proxy, until, old).await;
    bob.looks().await?;
    bob.client()?.revoke_device(&telephone).await?;
    stage.proven("bob").await?;
    stage.grows_to(until + 3).await?;
    carried_out(alice.epoch().await? > until, "news that Alice has")?;
    carried_out(!lists(&alice.client()?.directory_show("bob").await?), "a telephone that is revoked")?;
    carol.looks().await?;
    carried_out(
        carol.directory_alarms().is_empty(),
        format!("an old directory without an alarm: {:?}", carol.directory_alarms()),
    )?;
    carried_out(lists(&carol.client()?.directory_show("bob").await?), "hiding it from Carol")?;
    alice.sends("have you heard?", "carol").await?;
    carol.reads("have you heard?").await?;
    carol.raises("hidden", "").await?;
    carried_out(denied.load(Relaxed) >= 1, "denying an epoch")?;
    held(
        carol.client()?.directory_show("bob").await.is_err(),
        "Carol goes on taking the telephone for Bob's",
    )?;
    Ok(format!("after {} denials Carol has the alarm \"hidden\"", denied.load(Relaxed)))
}

/// Answers everything as of an epoch.
async fn freeze(proxy: &Proxy, until: u64, old: Vec<v1::AccountAnswer>) -> Arc<AtomicUsize> {
    let denied = Arc::new(AtomicUsize::new(0));
    let count = denied.clone();
    proxy
        .rule(move |passing: Passing| match &passing.asked {
            Some(ask::Body::FetchRoot(fetch)) if fetch.from > until => {
                count.fetch_add(1, Relaxed);
                let message = "the directory has no such epoch".into();
                let error = v1::Error { code: Code::NotFound as u32, message, ..Default::default() };
                vec![passing.answer(tell::Body::Error(error))]
            }
            Some(ask::Body::FetchAccount(fetch)) => {
                let meant =
                    |old: &&v1::AccountAnswer| old.handle == fetch.handle || old.account == fetch.account;
                match old.iter().find(meant).cloned() {
                    Some(old) => vec![passing.answer(tell::Body::Account(old))],
                    None => pass(passing),
                }
            }
            _ => pass(passing),
        })
        .await;
    denied
}

fn epoch_of(root: &v1::SignedRoot) -> Option<u64> {
    Some(SignedRoot::try_from(root).ok()?.root.epoch)
}

/// An old answer comes again.
pub const ROLLBACK: Drill = Drill {
    name: "directory-rollback",
    attacker: Attacker::Operator,
    attempt: "The service gives Alice an answer about Bob from before his telephone was revoked, with its old root and its old, valid proof.",
    defence: "A client never takes a root that is older than one it has seen.",
    caught: "at once",
    run: |stage| Box::pin(rollback(stage)),
};

async fn rollback(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    stage.person("bob").await?;
    stage.proven("bob").await?;
    let alice = Person::registers("alice", &proxy.url()).await?;
    alice.client()?.directory_show("bob").await?;
    let old = Stranger::connect(stage.address()).await?.account("bob").await?;
    let before = old.root.as_ref().and_then(epoch_of).ok_or("an answer without a root")?;
    stage.grows_to(before + 2).await?;
    let seen = alice.epoch().await?;
    carried_out(seen > before, "a newer root that Alice has seen")?;
    let replayed = Arc::new(AtomicU64::new(0));
    let count = replayed.clone();
    proxy
        .rule(move |passing: Passing| match (&passing.asked, passing.frame.told()) {
            (Some(ask::Body::FetchAccount(_)), Some(tell::Body::Account(answer)))
                if answer.handle == "bob" =>
            {
                count.fetch_add(1, Relaxed);
                vec![passing.answer(tell::Body::Account(old.clone()))]
            }
            _ => pass(passing),
        })
        .await;
    held(alice.client()?.directory_show("bob").await.is_err(), "an old answer is taken")?;
    carried_out(replayed.load(Relaxed) > 0, "giving an old answer")?;
    let alarm = alice.raises("rollback", "").await?;
    held(alarm.text.contains(&format!("showed epoch {before} after epoch")), alarm.text)?;
    Ok(format!("Alice has the alarm \"rollback\": epoch {before} after epoch {seen}"))
}

/// Another history.
pub const FORK: Drill = Drill {
    name: "directory-fork",
    attacker: Attacker::Operator,
    attempt: "The service continues Alice's directory with newer roots, well signed, that do not come after the one she has seen.",
    defence: "Each root holds the hashes of roots before it; a short path must lead to the one that was seen.",
    caught: "at once",
    run: |stage| Box::pin(fork(stage)),
};

async fn fork(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let alice = Person::registers("alice", &proxy.url()).await?;
    stage.proven("alice").await?;
    let seen = alice.epoch().await?;
    let mut second = Second::new(Operator::of(stage)?).await?;
    second.grow_to(seen + 3).await?;
    let shown = Shown::new(stage, second);
    proxy.rule(shown.clone()).await;
    alice.looks().await?;
    carried_out(shown.lock().await.answers > 0, "showing another history")?;
    let alarm = alice.raises("fork", "").await?;
    held(proves(&Operator::of(stage)?, &alarm)?, format!("there is no proof: {}", alarm.evidence))?;
    held(!alice.client()?.is_directory_trusted()?, "Alice goes on trusting it")?;
    Ok("Alice has the alarm \"fork\", with what the service signed as evidence".into())
}
