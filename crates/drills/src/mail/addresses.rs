//! Writing where one may not.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use zegel_proto::{
    Address, Code, GroupId, SubmissionId, address_tag, token_hash,
    v1::{self, client_frame as ask, server_frame as tell},
};

use crate::{
    drill::{Attacker, Drill, Failure, Verdict, carried_out, held},
    kit::{
        Keys, Passing, Person, Stage, Stranger, WAIT, account_of, befriend, code_of, device_of,
        hollow_message, pass, until,
    },
};

/// An ex-member writes on.
pub const STOLEN: Drill = Drill {
    name: "stolen-address",
    attacker: Attacker::ExMember,
    attempt: "Mallory was removed from a group. She still knows its id and everyone's address, and writes there: as before, as of the new epoch, and by way of a group of her own.",
    defence: "Only the epoch's members can derive its token; and an address is bound to one conversation, so that in another it leads nowhere.",
    caught: "at once",
    run: |stage| Box::pin(stolen(stage)),
};

async fn stolen(stage: &Stage) -> Verdict {
    let proxy = stage.proxy().await?;
    let alice = stage.person("alice").await?;
    let bob = Person::registers("bob", &proxy.url()).await?;
    let mallory = stage.person("mallory").await?;
    befriend(&alice, &bob).await?;
    befriend(&alice, &mallory).await?;
    stage.club(&[&alice, &bob, &mallory]).await?;
    let content = mallory.client()?.rogue_content("club", "you have not got rid of me")?.encode()?;
    let frame = mallory.client()?.rogue_frame("club", Some([7; 32]), &content)?;
    let (epoch, _, members) = mallory.client()?.rogue_epoch("club")?;
    let bobs_device = device_of(&bob)?;
    let bobs = members.iter().find(|member| member.device == bobs_device).ok_or("bob has no leaf")?.address;
    alice.client()?.group_remove("club", &["mallory".to_owned()]).await?;
    let removed = || bob.texts("notice").iter().any(|line| line == "alice removed mallory.");
    carried_out(until(WAIT, removed).await, "removing Mallory")?;

    let mailed = count_mail(&proxy).await;
    match mallory.client()?.rogue_call(ask::Body::Submit(frame.clone())).await {
        Err(zegel_client::Error::Refused { code: Code::StaleEpoch, .. }) => {}
        other => return Err(Failure::Succeeded(format!("a message of the old epoch: {:?}", other.is_ok()))),
    }
    let mut message = frame.message.to_vec();
    message[37..45].copy_from_slice(&(epoch + 1).to_be_bytes());
    let submission_id = SubmissionId::random().to_field();
    let relabelled = v1::Submit { submission_id, epoch: epoch + 1, message: message.into(), ..frame };
    match mallory.client()?.rogue_call(ask::Body::Submit(relabelled)).await {
        Err(zegel_client::Error::Refused { code: Code::NotMember, .. }) => {}
        other => {
            return Err(Failure::Succeeded(format!("a message under the old token: {:?}", other.is_ok())));
        }
    }

    // A group of her own; an address that is bound to it gets mail, and Bob's does not.
    let keys = Keys::new("accomplice");
    let mut accomplice = Stranger::member(stage.address(), &keys).await?;
    let own = OwnGroup::found(&mut accomplice).await?;
    let bound = Address::random();
    let tag = address_tag(&bound, &own.id).to_vec().into();
    let other = Keys::new("another");
    let mut others = Stranger::member(stage.address(), &other).await?;
    others.call(ask::Body::BindAddress(v1::BindAddress { address: bound.to_field(), tag })).await?;
    own.writes(&mut accomplice, &[bound, bobs]).await?;
    let control = others.pushed_deliveries(1).await?;
    carried_out(control == 1, "delivery to an address that is bound to the group")?;

    alice.sends("she is gone", "club").await?;
    bob.reads("she is gone").await?;
    held(mailed.load(Relaxed) == 1, format!("Bob got {} entries and not one", mailed.load(Relaxed)))?;
    held(bob.alarms().is_empty(), format!("something reached Bob: {:?}", bob.alarms()))?;
    Ok("refused as StaleEpoch and NotMember; by way of another group nothing reaches Bob".into())
}

async fn count_mail(proxy: &crate::kit::Proxy) -> Arc<AtomicUsize> {
    let mailed = Arc::new(AtomicUsize::new(0));
    let count = mailed.clone();
    proxy
        .rule(move |passing: Passing| {
            if let Some(tell::Body::Deliver(deliver)) = passing.frame.told() {
                count.fetch_add(deliver.entries.len(), Relaxed);
            }
            pass(passing)
        })
        .await;
    mailed
}

/// A conversation as the server sees one, with nothing inside.
struct OwnGroup {
    id: GroupId,
    token: [u8; 32],
}

impl OwnGroup {
    async fn found(founder: &mut Stranger) -> Verdict<Self> {
        let own = Self { id: GroupId::random(), token: GroupId::random().0 };
        let submit = v1::Submit {
            submission_id: SubmissionId::random().to_field(),
            group_id: own.id.to_field(),
            token: vec![0; 32].into(),
            message: hollow_message(&own.id, 0, 3, &[0]).into(),
            next_token_hash: token_hash(&own.token).to_vec().into(),
            ..Default::default()
        };
        let answer = founder.call(ask::Body::Submit(submit)).await?;
        carried_out(code_of(&answer).is_none(), format!("founding a group: {answer:?}"))?;
        Ok(own)
    }

    async fn writes(&self, founder: &mut Stranger, to: &[Address]) -> Verdict<()> {
        let tag = [&[35, 0, 0x20, 32][..], &[7; 32]].concat();
        let submit = v1::Submit {
            submission_id: SubmissionId::random().to_field(),
            group_id: self.id.to_field(),
            epoch: 1,
            token: self.token.to_vec().into(),
            message: hollow_message(&self.id, 1, 1, &tag).into(),
            addresses: to.iter().map(|address| address.to_field()).collect(),
            ..Default::default()
        };
        let answer = founder.call(ask::Body::Submit(submit)).await?;
        carried_out(code_of(&answer).is_none(), format!("writing from another group: {answer:?}"))
    }
}

/// All key packages are taken.
pub const EXHAUSTED: Drill = Drill {
    name: "key-package-exhaustion",
    attacker: Attacker::Stranger,
    attempt: "Eve takes all of Bob's one-time keys, so that nobody can begin a conversation with him, or only with a key that is used again and again.",
    defence: "The last resort is handed out when the stock is empty and is left with the first change of the conversation; Bob's client fills the stock up; look-ups are limited.",
    caught: "at once: Carol still reaches Bob",
    run: |stage| Box::pin(exhausted(stage)),
};

async fn exhausted(stage: &Stage) -> Verdict {
    let mut bob = stage.person("bob").await?;
    let carol = stage.person("carol").await?;
    let (account, device) = (account_of(&bob)?, device_of(&bob)?);
    // Away, so that nobody fills the stock up.
    bob.closes().await;
    let mut eve = Stranger::member(stage.address(), &Keys::new("eve")).await?;
    let (mut taken, mut last) = (std::collections::BTreeSet::new(), Vec::new());
    for _ in 0..zegel_proto::KEY_PACKAGE_STOCK + 5 {
        let packages = eve.key_packages(&account).await?;
        let [package] = packages.as_slice() else {
            return Err(Failure::Succeeded("there are no keys of Bob's any more".into()));
        };
        last = package.key_package.to_vec();
        taken.insert(last.clone());
    }
    carried_out(taken.len() == zegel_proto::KEY_PACKAGE_STOCK as usize + 1, "taking all of Bob's keys")?;
    carol.sends("are you there?", "bob").await?;
    let address = || -> Verdict<Address> {
        let members = carol.client()?.rogue_epoch("bob")?.2;
        Ok(members.iter().find(|member| member.device == device).ok_or("bob has no leaf")?.address)
    };
    let before = address()?;
    bob.connects().await?;
    bob.accepts("carol").await?;
    bob.reads("are you there?").await?;
    bob.sends("yes", "carol").await?;
    carol.reads("yes").await?;
    let moved = until(WAIT, || address().is_ok_and(|now| now != before)).await;
    held(moved, "the conversation stays on the key that is used again and again")?;
    bob.client()?.sync(WAIT).await?;
    let fresh = eve.key_packages(&account).await?;
    let fresh = fresh.first().is_some_and(|package| !taken.contains(package.key_package.as_ref()));
    held(fresh && !last.is_empty(), "the stock is not filled up")?;
    Ok(format!(
        "after {} keys the last resort serves; the conversation leaves it, and the stock is filled",
        taken.len()
    ))
}
