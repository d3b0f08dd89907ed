//! People with real clients: friends, vouching, child and guardian, and what a changed client tells another's.

use std::time::{Duration, Instant};

use zegel_client::{AgeBand, AskKind, GuardianState, Request};
use zegel_content::{Content, GUARDIAN_TYPE, Guardian, TOKENS_TYPE, Tokens};
use zegel_franking::franking_tag;
use zegel_proto::v1::client_frame::Body as Call;

use crate::{
    drill::{Verdict, carried_out},
    kit::{Person, SOON, Stage, WAIT, account_of, befriend, until},
};

/// A minor, and a friend to whom they wrote first.
pub async fn minor_with_friend(stage: &Stage, band: AgeBand) -> Verdict<(Person, Person)> {
    let mia = Person::registers_as(band, "mia", stage.url()).await?;
    let bob = stage.person("bob").await?;
    befriend(&mia, &bob).await?;
    Ok((mia, bob))
}

/// Reads all that came while they were away: also what the service would push later.
pub async fn comes_back(who: &mut Person) -> Verdict<()> {
    who.closes().await;
    who.connects().await
}

/// The names of what waits for somebody's answer.
pub fn waiting(who: &Person) -> Verdict<Vec<String>> {
    let name = |request: Request| if request.group.is_empty() { request.from } else { request.group };
    Ok(who.client()?.requests()?.into_iter().map(name).collect())
}

/// A request that must come, from this person or for this group.
pub async fn asked(who: &Person, name: &str) -> Verdict<Request> {
    let came = until(WAIT, || who.has_request(name)).await;
    carried_out(came, format!("a request from {name} to {}", who.handle))?;
    let mut requests = who.client()?.requests()?;
    requests.retain(|request| request.from == name || request.group == name);
    Ok(requests.pop().ok_or("the request went away")?)
}

/// Waits for a notice with these words.
pub async fn is_told(who: &Person, words: &str) -> bool {
    until(SOON, || who.texts("notice").iter().any(|line| line.contains(words))).await
}

/// Passes a friend's token on, as soon as their device gave some.
pub async fn vouches(by: &Person, friend: &str, newcomer: &Person) -> Verdict<()> {
    let begun = Instant::now();
    while let Err(error) = by.client()?.vouch(friend, &newcomer.handle).await {
        carried_out(begun.elapsed() < WAIT, format!("vouching: {error}"))?;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let words = format!("{} vouches for you", by.handle);
    carried_out(is_told(newcomer, &words).await, format!("telling {} of it", newcomer.handle))
}

/// The tokens of somebody that another's device holds.
pub fn tokens_held(by: &Person, of: &Person) -> Verdict<Vec<[u8; 16]>> {
    let owner = account_of(of)?;
    let rows = by.client()?.rogue_rows()?.into_iter().filter(|(table, _)| table == "friend_token");
    let token = |(_, cells): (_, Vec<Vec<u8>>)| {
        let [whose, token, ..] = &cells[..] else { return None };
        (*whose == owner.0).then(|| token.as_slice().try_into().ok()).flatten()
    };
    Ok(rows.filter_map(token).collect())
}

/// Says as a friend's software would that these are tokens of somebody's.
pub async fn tells_tokens(by: &Person, to: &str, of: &Person, tokens: Vec<[u8; 16]>) -> Verdict<()> {
    let last_day = u32::try_from(crate::kit::now_ms() / 86_400_000)? + 1;
    let tokens = Tokens { of: account_of(of)?.0, last_day, tokens };
    tells(by, to, TOKENS_TYPE, tokens.encode()?).await
}

/// Says as a child's or a guardian's software would.
pub async fn tells_guardian(by: &Person, to: &str, said: &Guardian) -> Verdict<()> {
    tells(by, to, GUARDIAN_TYPE, said.encode()?).await
}

async fn tells(by: &Person, to: &str, content_type: &str, body: Vec<u8>) -> Verdict<()> {
    let Content { salt, sender_uri, room_uri, sent_ms, .. } = by.client()?.rogue_content(to, "")?;
    let content = Content::of_type(salt, sender_uri, room_uri, sent_ms, content_type, body);
    let bytes = content.encode()?;
    let submit = by.client()?.rogue_frame(to, Some(franking_tag(&salt, &bytes)), &bytes)?;
    by.client()?.rogue_call(Call::Submit(submit)).await?;
    Ok(())
}

/// Links a child and an adult who are in contact.
pub async fn links(child: &Person, guardian: &Person) -> Verdict<()> {
    guardian.client()?.link_guardian(&child.handle).await?;
    carried_out(
        until(WAIT, || link(child, guardian) == Some(GuardianState::TheyAsk)).await,
        "asking a child",
    )?;
    child.client()?.link_guardian(&guardian.handle).await?;
    let linked = || [link(child, guardian), link(guardian, child)] == [Some(GuardianState::Linked); 2];
    carried_out(until(WAIT, linked).await, "linking child and guardian")
}

/// How far a link is; `None` for none.
pub fn link(of: &Person, with: &Person) -> Option<GuardianState> {
    let links = of.client().ok().and_then(|client| client.guardians().ok()).unwrap_or_default();
    links.iter().find(|link| link.handle == with.handle).map(|link| link.state)
}

/// Who a child's guardian is, by their own device.
pub fn guardian_of(child: &Person) -> Verdict<String> {
    Ok(child.client()?.whoami().guardian)
}

/// What a child asks, by kind and name.
pub async fn asks(guardian: &Person, kind: AskKind, name: &str) -> Verdict<()> {
    let came = || {
        let all = guardian.client().ok().and_then(|client| client.approvals().ok()).unwrap_or_default();
        all.iter().any(|approval| (approval.what, approval.name.as_str()) == (kind, name))
    };
    carried_out(until(WAIT, came).await, format!("asking the guardian for {} {name}", kind.word()))
}
