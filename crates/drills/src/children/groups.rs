//! A group as the way to a minor.

use std::sync::atomic::Ordering::Relaxed;

use zegel_client::{AgeBand, Request};

use super::{
    codes::shows_with_all,
    friends::{asked, comes_back, minor_with_friend, vouches, waiting},
};
use crate::{
    drill::{Attacker, Drill, Failure, Verdict, carried_out, held},
    kit::{Person, SOON, Stage, WAIT, befriend, pass, until},
};

/// Somebody brings a minor into a group.
pub const ANOTHER_GROUP: Drill = Drill {
    name: "another-group",
    attacker: Attacker::Stranger,
    attempt: "Mallory founds groups and brings Mia into them: with nothing, with a contact code of hers, with a token that her friend Bob passed on. Bob brings her into one with Carol, whom she does not know, and adds Carol to another later.",
    defence: "A stranger's group does not come, nor one by a code; of the others Mia's device says who in them is not connected to her, and asks: before she is in, and again when somebody comes later.",
    caught: "at once: she is in no group with a stranger that she was not asked about",
    run: |stage| Box::pin(another(stage)),
};

async fn another(stage: &Stage) -> Verdict {
    let (mut mia, bob) = minor_with_friend(stage, AgeBand::Teen).await?;
    let carol = stage.person("carol").await?;
    befriend(&bob, &carol).await?;
    let proxy = stage.proxy().await?;
    let mallory = Person::registers("mallory", &proxy.url()).await?;
    befriend(&mallory, &bob).await?;
    befriend(&mallory, &carol).await?;

    founds(&mallory, "trap", &["mia", "carol"]).await?;
    carol.joins("trap").await?;
    let code = mia.client()?.code().await?;
    let shown = shows_with_all(&proxy, &code).await?;
    founds(&mallory, "by code", &["mia"]).await?;
    carried_out(shown.load(Relaxed) > 0, "showing a code with a group")?;
    proxy.rule(pass).await;
    comes_back(&mut mia).await?;
    // Declined unseen: it is there, and she does not see it.
    let rows = mia.client()?.rogue_rows()?;
    let came = |name: &str| {
        let is = |cell: &Vec<u8>| cell == name.as_bytes();
        rows.iter().any(|(table, cells)| table == "conversation" && cells.iter().any(is))
    };
    held(!came("trap"), "a stranger's group reached Mia's device")?;
    carried_out(came("by code"), "bringing a group to Mia's device by a code")?;
    let (waits, groups) = (waiting(&mia)?, mia.client()?.groups()?);
    held(waits.is_empty() && groups.is_empty(), format!("Mia sees {waits:?} and {groups:?}"))?;

    founds(&bob, "club", &["mia", "carol"]).await?;
    bob.sends("welcome to the club", "club").await?;
    carol.joins("club").await?;
    carol.reads("welcome to the club").await?;
    names(&mia, "club", &["carol"], "").await?;
    vouches(&bob, "mia", &mallory).await?;
    founds(&mallory, "by a friend", &["mia", "carol"]).await?;
    comes_back(&mut mia).await?;
    names(&mia, "by a friend", &["carol", "mallory"], "bob").await?;
    held(mia.shows("welcome to the club") == 0, "Mia is in a group that she was not asked about")?;

    // Of people whom she knows nothing is asked; about whoever comes later she is asked again.
    founds(&bob, "two", &["mia"]).await?;
    carried_out(until(WAIT, || is_open(&mia, "two")).await, "a group of two friends")?;
    bob.client()?.group_add("two", &["carol".to_owned()]).await?;
    held(until(SOON, || mia.has_request("two")).await, "nobody asks Mia about Carol, who came later")?;
    names(&mia, "two", &["carol"], "").await?;
    bob.sends("meet Carol", "two").await?;
    carol.joins("two").await?;
    carol.reads("meet Carol").await?;
    comes_back(&mut mia).await?;
    held(mia.shows("meet Carol") == 0, "Mia is still in a group into which a stranger came")?;
    mia.accepts("two").await?;
    mia.reads("meet Carol").await?;

    mia.accepts("club").await?;
    mia.reads("welcome to the club").await?;
    Ok("two groups never came to her eyes, and three wait until she has seen who in them is a stranger"
        .into())
}

async fn founds(by: &Person, name: &str, people: &[&str]) -> Verdict<()> {
    let people: Vec<String> = people.iter().map(|&handle| handle.to_owned()).collect();
    Ok(by.client()?.group_create(name, &people).await?)
}

fn is_open(who: &Person, group: &str) -> bool {
    let groups = who.client().ok().and_then(|client| client.groups().ok()).unwrap_or_default();
    groups.iter().any(|known| known.name == group && known.state == "open")
}

/// A request for a group must come, and say these names and this friend.
async fn names(who: &Person, group: &str, people: &[&str], friend: &str) -> Verdict<()> {
    let came = until(WAIT, || who.has_request(group) || is_open(who, group)).await;
    carried_out(came, format!("{group} coming to {}", who.handle))?;
    if is_open(who, group) {
        return Err(Failure::Succeeded(format!("{} is in {group} without having been asked", who.handle)));
    }
    let Request { mut unconnected, via, notices, .. } = asked(who, group).await?;
    unconnected.sort();
    held(unconnected == people, format!("{group}: as not connected are named {unconnected:?}"))?;
    held(via == friend, format!("{group}: it came through {via:?}"))?;
    let said = people.iter().all(|name| notices.iter().any(|notice| notice.contains(name)));
    held(said, format!("{group}: the request says {notices:?}"))
}
