//! One's own devices.

use zegel_identity::{Action, Chain};

use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{
        Keys, Stage, Stranger, befriend, code_of,
        mls::{SUITE, key_package},
    },
};

/// Keys that were copied.
pub const COPIED_PROFILE: Drill = Drill {
    name: "copied-profile",
    attacker: Attacker::Thief,
    attempt: "Somebody copies Bob's profile, key and all, and uses it to list a device of theirs on Bob's account, so as to read along for good.",
    defence: "Bob's client looks at Bob's own entry at each connection and tells him of every device that it did not add itself, with the steps to take.",
    caught: "Bob's next connection",
    run: |stage| Box::pin(copied_profile(stage)),
};

/// Lists a new device, as the one with these keys; its own keys.
pub async fn list_another(stage: &Stage, keys: &Keys) -> Verdict<Keys> {
    let new = Keys::device_of(keys.account, &keys.handle);
    let mut thief = Stranger::connect(stage.address()).await?;
    let connected = thief.authenticate(keys).await?;
    carried_out(code_of(&connected).is_none(), format!("connecting with the device's key: {connected:?}"))?;
    let head = Chain::verify(&thief.links(&keys.handle).await?)?.head();
    let listed = thief.append(keys.sign(head, Action::AddDevice(new.info()))).await?;
    carried_out(code_of(&listed).is_none(), format!("listing a device: {listed:?}"))?;
    Ok(new)
}

async fn copied_profile(stage: &Stage) -> Verdict {
    let alice = stage.person("alice").await?;
    let mut bob = stage.person("bob").await?;
    befriend(&alice, &bob).await?;
    let copied = bob.copied("alice")?;
    bob.closes().await;
    let spy = list_another(stage, &copied).await?;
    bob.connects().await?;
    let alarm = bob.raises("device", "bob").await?;
    let id = spy.device.to_hex();
    held(alarm.text.contains(&id), format!("Bob is not told which device: {}", alarm.text))?;
    held(alarm.steps.iter().any(|step| step.contains("revoke")), "Bob is not told what to do")?;
    bob.client()?.revoke_device(&id).await?;
    let mut thief = Stranger::connect(stage.address()).await?;
    held(code_of(&thief.authenticate(&spy).await?).is_some(), "the device is still there")?;
    Ok("Bob has the alarm \"device\" with its id, and removes it".into())
}

/// A device that comes to be known by the way.
pub const OWN_BY_WELCOME: Drill = Drill {
    name: "own-by-welcome",
    attacker: Attacker::Thief,
    attempt: "While Bob is connected, a thief with an unlocked device of his lists one of their own on his account. Before Bob's client looks at its entry, it learns of the new device by the way: a group that it is let into has it as a member.",
    defence: "However a device of one's own comes to be known, the first time that it is seen is told.",
    caught: "at once when it is met, or at Bob's next connection",
    run: |stage| Box::pin(own_by_welcome(stage)),
};

async fn own_by_welcome(stage: &Stage) -> Verdict {
    let alice = stage.person("alice").await?;
    let mut bob = stage.person("bob").await?;
    befriend(&alice, &bob).await?;
    // Bob's telephone, which he lists himself.
    let copied = bob.copied("alice")?;
    bob.closes().await;
    let telephone = list_another(stage, &copied).await?;
    bob.connects().await?;
    bob.raises("device", "bob").await?;
    bob.acknowledges()?;
    stage.proven("bob").await?;
    bob.looks().await?;
    carried_out(bob.directory_alarms().is_empty(), "a telephone that Bob knows")?;
    // It is stolen while he is connected.
    let spy = list_another(stage, &telephone).await?;
    let mut thief = Stranger::connect(stage.address()).await?;
    let connected = thief.authenticate(&spy).await?;
    carried_out(code_of(&connected).is_none(), format!("connecting as the new device: {connected:?}"))?;
    let package = key_package(&spy, (spy.account, spy.device), SUITE, (-1, 50))?;
    thief.publish(vec![package]).await?;
    alice.client()?.group_create("club", &["bob".to_owned()]).await?;
    let (_, _, members) = alice.client()?.rogue_epoch("club")?;
    carried_out(members.iter().any(|member| member.device == spy.device), "a group with the new device")?;
    bob.joins("club").await?;
    let (_, _, members) = bob.client()?.rogue_epoch("club")?;
    carried_out(members.iter().any(|member| member.device == spy.device), "Bob in that group")?;
    let alarm = bob.raises("device", "bob").await?;
    let id = spy.device.to_hex();
    held(alarm.text.contains(&id), format!("Bob is not told which device: {}", alarm.text))?;
    Ok("Bob has the alarm \"device\" with its id, though it came to him as a member of a group".into())
}
