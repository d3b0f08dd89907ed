//! Who may come to whom: requests and their answers, blocks, codes, and vouching for a friend.

use std::time::Duration;

use serde_json::json;
use zegel_client::{AgeBand, Client, Outcome, Request, safety::Language};

use crate::{
    ask,
    commands::done,
    fail::{Fail, note},
    out::{Look, Out},
    read::catch_up,
    safe::word,
};

/// Shows who waits for an answer.
pub async fn requests(client: &Client, out: &mut Out) -> Result<(), Fail> {
    catch_up(client, out, Duration::ZERO).await?;
    let requests = client.requests()?;
    if requests.is_empty() && !out.is_json() {
        return out.plain("Nobody waits for your answer.");
    }
    requests.iter().try_for_each(|request| show_request(out, request))
}

/// One request: who, what, what is known about them, and what to type.
pub fn show_request(out: &mut Out, request: &Request) -> Result<(), Fail> {
    if out.is_json() {
        let mut object = serde_json::to_value(request).unwrap_or_default();
        object["kind"] = "request".into();
        return out.object(&object);
    }
    let from = (Look::Name, request.from.as_str());
    let name = if request.group.is_empty() {
        let text = if request.text.is_empty() { "…" } else { &request.text };
        out.line(&[from, (Look::Plain, " asks to write to you: "), (Look::Plain, text)])?;
        &request.from
    } else {
        out.line(&[from, (Look::Plain, " adds you to the group "), (Look::Name, &request.group)])?;
        &request.group
    };
    let age = match request.account_age {
        "" => String::new(),
        "older" => "account made more than a year ago; ".into(),
        known => format!("account made {known}; "),
    };
    let trust = match request.trust {
        "verified" => "you compared their number",
        "proven" => "their devices are proven by the directory",
        _ => "the service promises to put their devices into the directory",
    };
    out.line(&[(Look::Quiet, &format!("    {age}{trust}"))])?;
    request.notices.iter().try_for_each(|notice| out.line(&[(Look::Alarm, &format!("    ! {notice}"))]))?;
    if !request.waits_for.is_empty() {
        let waits = format!("    {} was asked, and has not answered yet", request.waits_for);
        out.line(&[(Look::Quiet, &waits)])?;
    }
    if !request.refused_by.is_empty() {
        let refused = format!("    {} said no; within a day nobody is asked again", request.refused_by);
        out.line(&[(Look::Quiet, &refused)])?;
    }
    let (name, from) = (word(name), word(&request.from));
    let type_this = format!(
        "    zegel accept {name} | zegel decline {name} | zegel block {from} | zegel report {from} --reason CATEGORY"
    );
    out.line(&[(Look::Quiet, &type_this)])
}

/// Accepts; a minor is first shown whom in a group they do not know, and asked.
pub async fn accept(name: &str, yes: bool, client: &Client, out: &mut Out) -> Result<(), Fail> {
    catch_up(client, out, Duration::ZERO).await?;
    if client.whoami().age == AgeBand::Adult {
        return accepted(client.accept(name).await?, name, out);
    }
    // What is accepted is what is asked about here, and nothing that comes while the person reads.
    let shown = client.requests_named(name)?;
    let strange: Vec<_> = shown.iter().filter(|request| !request.unconnected.is_empty()).collect();
    if !strange.is_empty() {
        ask::can_confirm("accepting", yes, !out.is_json())?;
    }
    strange.iter().try_for_each(|request| ask::join(&request.group, &request.unconnected, yes))?;
    accepted(client.accept_shown(&shown).await?, name, out)
}

fn accepted(outcome: Outcome, name: &str, out: &mut Out) -> Result<(), Fail> {
    match outcome {
        Outcome::Done => done(out, "accept", name, &format!("You accepted {name}.")),
        Outcome::AskedGuardian(guardian) => {
            let text = format!(
                "You asked {guardian}, who looks after you. If {guardian} allows it, {name} is accepted by itself."
            );
            asked(out, name, &guardian, &text)
        }
    }
}

/// That the guardian decides now.
pub fn asked(out: &mut Out, name: &str, guardian: &str, text: &str) -> Result<(), Fail> {
    out.either(&json!({"done": "ask", "name": name, "waits_for": guardian}), text)
}

/// Blocks somebody, and says where they still meet.
pub async fn block(handle: &str, client: &Client, out: &mut Out) -> Result<(), Fail> {
    let was_guardian = client.whoami().guardian == handle;
    client.block(handle).await?;
    let groups = client.shared_groups(handle)?;
    if out.is_json() {
        return out.object(&json!({"done": "block", "name": handle, "shared_groups": groups}));
    }
    blocked(out, handle, was_guardian, &groups)
}

/// That somebody is blocked, what they see of it, and where one still meets them.
pub fn blocked(out: &mut Out, handle: &str, was_guardian: bool, groups: &[String]) -> Result<(), Fail> {
    let see = if was_guardian { ", but see that they are no longer your guardian" } else { "" };
    out.plain(&format!("You blocked {handle}. They are not told{see}."))?;
    shared(out, handle, groups)
}

/// Groups that somebody is in whom one has blocked, and what to do about it.
fn shared(out: &mut Out, handle: &str, groups: &[String]) -> Result<(), Fail> {
    if groups.is_empty() {
        return Ok(());
    }
    out.plain(&format!(
        "They still read you in: {}. What they say there is not shown to you. You can leave, or warn the others:",
        groups.join(", ")
    ))?;
    groups.iter().try_for_each(|group| {
        let group = word(group);
        let type_this = format!("    zegel group leave {group} | zegel group warn {group} {}", word(handle));
        out.line(&[(Look::Quiet, &type_this)])
    })
}

/// A contact code, and what it is.
pub async fn code(client: &Client, out: &mut Out) -> Result<(), Fail> {
    let code = client.code().await?;
    let days = Language::English.days(client.policy().codes.numbers.days);
    let what = format!(
        "whoever has this code reaches you with it: one person, once, within {days}. Give it to one person whom you know, \
         best face to face; never put it where others can read it"
    );
    note(&what, out.is_json());
    out.either(&json!({"code": code}), &code)
}

/// Uses somebody's contact code.
pub async fn connect(code: &str, client: &Client, out: &mut Out) -> Result<(), Fail> {
    let handle = client.connect(code).await?;
    let text =
        format!("The code is shown to {handle}'s device: if it was not used before, you are connected.");
    done(out, "connect", &handle, &text)
}

/// Lets a newcomer come to a friend.
pub async fn vouch(friend: &str, newcomer: &str, client: &Client, out: &mut Out) -> Result<(), Fail> {
    client.vouch(friend, newcomer).await?;
    let text = format!(
        "{newcomer} can now write to {friend} once, who is asked, and sees that you, {}, vouch for them.",
        client.whoami().handle
    );
    out.either(&json!({"done": "vouch", "name": newcomer, "friend": friend}), &text)
}
