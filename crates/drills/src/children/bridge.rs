//! A minor's friend as the way to them.

use zegel_client::AgeBand;

use super::friends::{
    asked, comes_back, is_told, minor_with_friend, tells_tokens, tokens_held, vouches, waiting,
};
use crate::{
    drill::{Attacker, Drill, Verdict, carried_out, held},
    kit::{Person, Stage, WAIT, befriend, until},
};

/// A friend passes a token on, and it wanders.
pub const BRIDGE: Drill = Drill {
    name: "friend-as-bridge",
    attacker: Attacker::Member,
    attempt: "Bob, a friend of Mia's, passes a token of hers on to Ned, who uses it, and gives it to Max, who uses it and gives it back to Ned, who uses it again. Bob hands Sam a token of Carol's as Mia's, and Mia one of Carol's as his own.",
    defence: "Mia's device knows whom it gave each token, names that friend, and accepts nobody by itself; the service takes a token once, and for whose it is.",
    caught: "at once: Mia is asked once, about Ned, through Bob",
    run: |stage| Box::pin(bridge(stage)),
};

async fn bridge(stage: &Stage) -> Verdict {
    let (mut mia, bob) = minor_with_friend(stage, AgeBand::Child).await?;
    let [ned, max] = [stage.person("ned").await?, stage.person("max").await?];
    let [sam, carol] = [stage.person("sam").await?, stage.person("carol").await?];
    for (one, other) in [(&bob, &ned), (&ned, &max), (&bob, &sam), (&bob, &carol)] {
        befriend(one, other).await?;
    }
    vouches(&bob, "mia", &ned).await?;
    let hers = tokens_held(&ned, &mia)?;
    carried_out(hers.len() == 1, format!("having a token of Mia's, but {}", hers.len()))?;
    ned.sends("Bob knows me", "mia").await?;
    comes_back(&mut mia).await?;
    held(mia.shows("Bob knows me") == 0, "Ned writes to Mia unasked")?;
    let via = asked(&mia, "ned").await?.via;
    held(via == "bob", format!("Mia's device says that Ned comes through {via:?}"))?;

    // It was used, and goes on.
    for (from, to, text) in [(&ned, &max, "Ned knows me"), (&max, &ned, "and once more")] {
        tells_tokens(from, &to.handle, &mia, hers.clone()).await?;
        let words = format!("{} vouches for you", from.handle);
        carried_out(is_told(to, &words).await, format!("telling {} of the token", to.handle))?;
        shows_it(to, &mia, text).await?;
    }
    // A token of a third person.
    let carols = first_token(&bob, &carol).await?;
    tells_tokens(&bob, "sam", &mia, vec![carols]).await?;
    carried_out(is_told(&sam, "bob vouches for you").await, "telling Sam of a token")?;
    shows_it(&sam, &mia, "I am a friend of Bob's").await?;
    comes_back(&mut mia).await?;
    let waits = waiting(&mia)?;
    held(waits == ["ned"], format!("{waits:?} wait for Mia's answer"))?;

    tells_tokens(&bob, "mia", &bob, vec![carols]).await?;
    bob.sends("these are mine", "mia").await?;
    mia.reads("these are mine").await?;
    carried_out(tokens_held(&mia, &bob)?.contains(&carols), "handing Mia a token of Carol's")?;
    mia.client()?.group_create("us two", &["bob".to_owned()]).await?;
    carried_out(!tokens_held(&mia, &bob)?.contains(&carols), "showing a token to Bob")?;
    // That reaches nobody, which is Bob's own loss; they go on talking.
    mia.sends("are you there?", "bob").await?;
    bob.reads("are you there?").await?;
    let carols_requests = waiting(&carol)?;
    held(carols_requests.is_empty(), format!("Carol is asked about {carols_requests:?}"))?;

    // Whom Mia accepts is a contact, as if it had been nothing.
    mia.accepts("ned").await?;
    ned.sends("thank you", "mia").await?;
    mia.reads("thank you").await?;
    Ok("one token, shown three times by two people: one request, which says that Bob passed it on".into())
}

/// Their client shows the token that it holds, and the service takes what comes with it.
async fn shows_it(who: &Person, to: &Person, text: &str) -> Verdict<()> {
    carried_out(!tokens_held(who, to)?.is_empty(), format!("{} having a token", who.handle))?;
    who.sends(text, &to.handle).await?;
    carried_out(tokens_held(who, to)?.is_empty(), format!("{} showing a token", who.handle))
}

async fn first_token(of: &Person, owner: &Person) -> Verdict<[u8; 16]> {
    let has = || tokens_held(of, owner).is_ok_and(|tokens| !tokens.is_empty());
    carried_out(until(WAIT, has).await, "a friend's tokens")?;
    Ok(tokens_held(of, owner)?.remove(0))
}
