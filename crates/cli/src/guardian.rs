//! Guardians: who looks after whom, what a child asks, and what the guardian answers.

use std::time::Duration;

use serde_json::json;
use zegel_client::{Approval, Client, GuardianLink, Me};

use crate::{
    args::Guardian,
    ask,
    commands::done,
    fail::Fail,
    lines::readable,
    out::{Look, Out},
    read::catch_up,
    safe::word,
    time,
};

/// Carries out `zegel guardian …`.
pub async fn guardian(command: Option<Guardian>, client: &Client, out: &mut Out) -> Result<(), Fail> {
    match command {
        None => links(client, out).await,
        Some(Guardian::Link { handle, yes }) => link(&handle, yes, client, out).await,
        Some(Guardian::Unlink { handle }) => {
            client.unlink_guardian(&handle).await?;
            done(out, "guardian unlink", &handle, &format!("You and {handle} are not linked any more."))
        }
        Some(Guardian::Requests) => approvals(client, out).await,
        Some(Guardian::Allow { child, name }) => {
            client.answer_child(&child, &name, true).await?;
            done(out, "guardian allow", &name, &format!("You allowed: {name}. {child} is told."))
        }
        Some(Guardian::Refuse { child, name }) => {
            client.answer_child(&child, &name, false).await?;
            done(out, "guardian refuse", &name, &format!("You refused: {name}. {child} is told."))
        }
        Some(Guardian::Contacts { child }) => contacts(&child, client, out).await,
    }
}

/// Who looks after this person, where it has to be seen at all times.
pub fn line(out: &mut Out, me: &Me) -> Result<(), Fail> {
    match me.guardian.as_str() {
        "" => Ok(()),
        guardian if out.is_json() => out.object(&json!({"kind": "guardian", "name": guardian})),
        guardian => out.line(&[
            (Look::Name, guardian),
            (Look::Plain, " is your guardian, who allows new contacts and groups, and sees whom you know, never what is said."),
        ]),
    }
}

async fn links(client: &Client, out: &mut Out) -> Result<(), Fail> {
    catch_up(client, out, Duration::ZERO).await?;
    let links = client.guardians()?;
    if out.is_json() {
        return links.iter().try_for_each(|link| out.object(link));
    }
    if links.is_empty() {
        return out.plain(
            "You are linked with nobody. A child and somebody who looks after them both type `zegel guardian link` with \
             the other's name.",
        );
    }
    links.iter().try_for_each(|link| show_link(out, link))
}

fn show_link(out: &mut Out, link: &GuardianLink) -> Result<(), Fail> {
    let name = word(&link.handle);
    let (text, type_this) = match (link.role, link.state) {
        ("guardian", "linked") => (
            " is your guardian, who allows new contacts and groups, and sees whom you know, never what is said.",
            format!("zegel block {name}, or zegel report {name}, if you are not safe: both end it"),
        ),
        ("guardian", "asks") => (
            " wants to be your guardian. Only agree if it is somebody who looks after you.",
            format!("zegel guardian link {name} | zegel block {name}"),
        ),
        ("guardian", _) => (" was asked to be your guardian, and has not agreed yet.", unlink(&name)),
        (_, "linked") => (
            " is a child whom you look after.",
            format!(
                "zegel guardian requests | zegel guardian contacts {name} | zegel guardian unlink {name}"
            ),
        ),
        (_, "asks") => (
            " wants you as their guardian.",
            format!("zegel guardian link {name} | zegel guardian unlink {name}"),
        ),
        _ => (" is a child whom you asked to look after, and has not agreed yet.", unlink(&name)),
    };
    out.line(&[(Look::Name, &link.handle), (Look::Plain, text)])?;
    out.line(&[(Look::Quiet, &format!("    {type_this}"))])
}

fn unlink(name: &str) -> String {
    format!("zegel guardian unlink {name}")
}

async fn link(handle: &str, yes: bool, client: &Client, out: &mut Out) -> Result<(), Fail> {
    catch_up(client, out, Duration::ZERO).await?;
    let child = client.whoami().age == "child";
    if child {
        ask::can_confirm(ask::LINKING, yes, !out.is_json())?;
        ask::guardian(handle, yes)?;
    }
    let wanted = client.guardians()?.iter().any(|link| link.handle == handle && link.state == "asks");
    let state = client.link_guardian(handle).await?;
    if out.is_json() {
        return out.object(&json!({"done": "guardian link", "name": handle, "state": state}));
    }
    if child && yes {
        out.plain(&ask::guardian_warning(handle))?;
    }
    let me = client.whoami().handle;
    match (state, wanted, child) {
        ("linked", _, true) => {
            out.plain(&format!("{handle} is your guardian now. You see that at all times."))
        }
        ("linked", _, false) => out.plain(&format!("You are {handle}'s guardian now.")),
        (_, true, _) => {
            out.plain(&format!("You both want it: it holds as soon as {handle}'s device is connected."))
        }
        _ => out.plain(&format!("{handle} has to agree, and types: zegel guardian link {me}")),
    }
}

async fn approvals(client: &Client, out: &mut Out) -> Result<(), Fail> {
    catch_up(client, out, Duration::ZERO).await?;
    let approvals = client.approvals()?;
    if approvals.is_empty() && !out.is_json() {
        return out.plain("No child asks you anything.");
    }
    approvals.iter().try_for_each(|approval| show_approval(out, approval))
}

/// What a child asks, and what to type.
fn show_approval(out: &mut Out, approval: &Approval) -> Result<(), Fail> {
    if out.is_json() {
        return out.object(approval);
    }
    let what = match approval.what {
        "contact" => " asks to be in contact with ",
        "group" => " asks to join the group ",
        _ => " asks for another age: ",
    };
    out.line(&[(Look::Name, &approval.child), (Look::Plain, what), (Look::Name, &approval.name)])?;
    if !approval.people.is_empty() {
        out.line(&[(Look::Quiet, &format!("    in it: {}", approval.people.join(", ")))])?;
    }
    let (child, name) = (word(&approval.child), word(&approval.name));
    let type_this = format!("    zegel guardian allow {child} {name} | zegel guardian refuse {child} {name}");
    out.line(&[(Look::Quiet, &type_this)])
}

async fn contacts(child: &str, client: &Client, out: &mut Out) -> Result<(), Fail> {
    catch_up(client, out, Duration::ZERO).await?;
    let Some(contacts) = client.child_contacts(child)? else {
        let text = format!("{child}'s device has not said yet whom they are in contact with.");
        return if out.is_json() { Ok(()) } else { out.plain(&text) };
    };
    if out.is_json() {
        let mut object = readable(serde_json::to_value(&contacts).unwrap_or_default());
        object["child"] = child.into();
        return out.object(&object);
    }
    let when = time::local(contacts.at_ms).unwrap_or_default();
    out.line(&[(Look::Name, child), (Look::Quiet, &format!("  as of {when}"))])?;
    for (what, names) in [("people", &contacts.people), ("groups", &contacts.groups)] {
        let names = if names.is_empty() { "none".into() } else { names.join(", ") };
        out.plain(&format!("    {what}: {names}"))?;
    }
    match contacts.more {
        0 => Ok(()),
        more => out.plain(&format!("    and {more} more")),
    }
}
