//! Members who want to say something and be able to deny it, or to say it as somebody else.

use zegel_content::Content;
use zegel_franking::franking_tag;
use zegel_proto::{Code, user_uri, v1::client_frame::Body as Call};

use crate::{
    drill::{Attacker, Drill, Failure, Verdict, carried_out, held},
    kit::{Person, Stage, befriend, message},
};

/// A tag of something else.
pub const WRONG_TAG: Drill = Drill {
    name: "wrong-tag",
    attacker: Attacker::Member,
    attempt: "Mallory sends abuse under the franking tag of a harmless text, so that a report of it would not verify.",
    defence: "Receivers compare the tag with the content before they show anything; the server stamps the tag it saw.",
    caught: "at once: what cannot be reported is not shown",
    run: |stage| Box::pin(wrong_tag(stage)),
};

async fn wrong_tag(stage: &Stage) -> Verdict {
    let (mallory, bob) = friends(stage).await?;
    let honest = mallory.client()?.rogue_content("bob", "under its own tag")?;
    say(&mallory, &honest, Some(tag_of(&honest)?)).await?;
    bob.reads("under its own tag").await?;
    let abuse = mallory.client()?.rogue_content("bob", "abuse")?;
    say(&mallory, &abuse, Some(tag_of(&honest)?)).await?;
    bob.is_alarmed("hidden", "A message could not be shown: the franking tag is not that of the content.")
        .await?;
    held(bob.shows("abuse") == 0, "abuse that cannot be reported is shown")?;
    Ok("the service carries it, and Bob's client hides it: the tag is not that of the content".into())
}

/// Saying it as somebody else.
pub const BORROWED_NAME: Drill = Drill {
    name: "borrowed-name",
    attacker: Attacker::Member,
    attempt: "Mallory, in a group with Alice and Bob, sends a message whose content says that Alice wrote it.",
    defence: "The name in the content is held against the MLS leaf that signed it.",
    caught: "at once",
    run: |stage| Box::pin(borrowed_name(stage)),
};

async fn borrowed_name(stage: &Stage) -> Verdict {
    let alice = stage.person("alice").await?;
    let (mallory, bob) = friends(stage).await?;
    befriend(&alice, &bob).await?;
    befriend(&alice, &mallory).await?;
    stage.club(&[&alice, &bob, &mallory]).await?;
    let mut content = mallory.client()?.rogue_content("club", "I resign")?;
    let domain = content.sender_uri.trim_start_matches("mimi://").split('/').next().unwrap_or_default();
    content.sender_uri = user_uri(domain, "alice");
    let bytes = content.encode()?;
    let submit = mallory.client()?.rogue_frame("club", Some(tag_of(&content)?), &bytes)?;
    mallory.client()?.rogue_call(Call::Submit(submit)).await?;
    for victim in [&alice, &bob] {
        let line = "A message could not be shown: it claims another sender or conversation than it has.";
        victim.is_alarmed("hidden", line).await?;
        held(victim.shows("I resign") == 0, "words are put into Alice's mouth")?;
    }
    Ok("Alice and Bob see that a message claims another sender than it has".into())
}

/// No tag at all.
pub const MISSING: Drill = Drill {
    name: "missing-safe-aad",
    attacker: Attacker::Member,
    attempt: "Mallory sends a message without any franking tag in its authenticated data, and the operator carries it all the same.",
    defence: "The server refuses it; a receiver reads the authenticated data itself, and shows nothing without a tag.",
    caught: "at once",
    run: |stage| Box::pin(missing(stage)),
};

async fn missing(stage: &Stage) -> Verdict {
    let (mallory, bob, office) = stage.two_watched().await?;
    let bobs = office.watch(&bob).await?;
    let content = mallory.client()?.rogue_content("bob", "unreportable")?;
    let submit = mallory.client()?.rogue_frame("bob", None, &content.encode()?)?;
    match mallory.client()?.rogue_call(Call::Submit(submit.clone())).await {
        Err(zegel_client::Error::Refused { code: Code::BadMessage, .. }) => {}
        Err(other) => return Err(other.into()),
        Ok(_) => return Err(Failure::Succeeded("the server carries a message without a tag".into())),
    }
    // What a changed server would stamp.
    let mut context = office.last_of(&mallory)?.context()?;
    context.message_hash = <sha2::Sha256 as sha2::Digest>::digest(&submit.message).into();
    let stamped =
        zegel_proto::v1::Stamped { context: context.to_bytes().to_vec().into(), stamp: vec![9; 32].into() };
    bobs.put(message(&mallory.client()?.rogue_group("bob")?, &submit.message, stamped))?;
    let line = "A message could not be shown: authenticated data must be exactly one SafeAAD item 0x0020 of 32 bytes.";
    bob.is_alarmed("hidden", line).await?;
    held(bob.shows("unreportable") == 0, "a message without a tag is shown")?;
    let after = office.hears(&mallory, "with a tag", "bob").await?;
    bobs.put(after.entry()?)?;
    bob.reads("with a tag").await?;
    Ok("the server refuses it as BadMessage, and Bob hides it when it is carried anyway".into())
}

async fn friends(stage: &Stage) -> Verdict<(Person, Person)> {
    let mallory = stage.person("mallory").await?;
    let bob = stage.person("bob").await?;
    befriend(&mallory, &bob).await?;
    carried_out(bob.alarms().is_empty(), "talking without an alarm")?;
    Ok((mallory, bob))
}

fn tag_of(content: &Content) -> Verdict<[u8; 32]> {
    Ok(franking_tag(&content.salt, &content.encode()?))
}

async fn say(mallory: &Person, content: &Content, tag: Option<[u8; 32]>) -> Verdict<()> {
    let submit = mallory.client()?.rogue_frame("bob", tag, &content.encode()?)?;
    mallory.client()?.rogue_call(Call::Submit(submit)).await?;
    Ok(())
}
