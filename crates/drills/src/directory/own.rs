//! One's own devices.

use zegel_identity::{Action, Chain, SigningKey};

use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Keys, Stage, Stranger, account_of, befriend, code_of, device_of},
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

async fn copied_profile(stage: &Stage) -> Verdict {
    let alice = stage.person("alice").await?;
    let mut bob = stage.person("bob").await?;
    befriend(&alice, &bob).await?;
    let secrets = bob.client()?.rogue_secrets("alice")?;
    let key: [u8; 32] = secrets.get(1).and_then(|key| key.as_slice().try_into().ok()).ok_or("no key")?;
    let copied = Keys {
        account: account_of(&bob)?,
        device: device_of(&bob)?,
        key: SigningKey::from_bytes(&key),
        ..Keys::new("bob")
    };
    bob.closes().await;
    let spy = Keys::device_of(copied.account, "bob");
    let mut thief = Stranger::connect(stage.address()).await?;
    let connected = thief.authenticate(&copied).await?;
    carried_out(code_of(&connected).is_none(), format!("connecting with the copied key: {connected:?}"))?;
    let head = Chain::verify(&thief.links("bob").await?)?.head();
    let listed = thief.append(copied.sign(head, Action::AddDevice(spy.info()))).await?;
    carried_out(code_of(&listed).is_none(), format!("listing a device: {listed:?}"))?;
    drop(thief);
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
