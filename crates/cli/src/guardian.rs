//! Guardians: who looks after whom, what a child asks, and what the guardian answers.

use std::time::Duration;

use serde_json::json;
use zegel_client::{
    AgeBand, Approval, AskKind, Client, GuardianLink, GuardianState, Me, Role, safety::is_past,
};

use crate::{
    args::{Age, Guardian},
    ask,
    commands::done,
    fail::Fail,
    lines::readable,
    out::{Look, Out},
    read::catch_up,
    safe::word,
    time,
};

/// What a guardian is, after their name.
const IS_GUARDIAN: &str = " is your guardian, who allows new contacts and groups, and sees whom you know and what you \
     are told about who comes, never what is said.";

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
            let is_age = |it: &Approval| it.child == child && it.what == AskKind::Age;
            let ends = client.approvals()?.iter().any(is_age) && ends_link(&name, client);
            client.answer_child(&child, &name, true).await?;
            let end = if ends {
                format!(" With that you are no longer {child}'s guardian.")
            } else {
                String::new()
            };
            done(out, "guardian allow", &name, &format!("You allowed: {name}. {child} is told.{end}"))
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
        guardian => out.line(&[(Look::Name, guardian), (Look::Plain, IS_GUARDIAN)]),
    }
}

/// The children whom this person looks after.
pub fn children(client: &Client, out: &mut Out) -> Result<(), Fail> {
    let linked = |link: &GuardianLink| link.role == Role::Child && link.state == GuardianState::Linked;
    let children = client.guardians()?.into_iter().filter(linked);
    children.into_iter().try_for_each(|link| {
        out.line(&[(Look::Name, &link.handle), (Look::Plain, " is a child whom you look after.")])
    })
}

/// Whether a child of this age has no guardian any more.
fn ends_link(name: &str, client: &Client) -> bool {
    let band = name.strip_prefix("age:").unwrap_or(name);
    Age::read(band).is_ok_and(|band| is_past(&client.policy().guardians.numbers, band.into()))
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
        (Role::Guardian, GuardianState::Linked) => (
            IS_GUARDIAN,
            format!("zegel block {name}, or zegel report {name}, if you are not safe: both end it"),
        ),
        (Role::Guardian, GuardianState::TheyAsk) => (
            " wants to be your guardian. Only agree if it is somebody who looks after you.",
            format!("zegel guardian link {name} | zegel block {name}"),
        ),
        (Role::Guardian, GuardianState::WeAsk) => {
            (" was asked to be your guardian, and has not agreed yet.", unlink(&name))
        }
        (Role::Child, GuardianState::Linked) => (
            " is a child whom you look after.",
            format!(
                "zegel guardian requests | zegel guardian contacts {name} | zegel guardian unlink {name}"
            ),
        ),
        (Role::Child, GuardianState::TheyAsk) => (
            " wants you as their guardian.",
            format!("zegel guardian link {name} | zegel guardian unlink {name}"),
        ),
        (Role::Child, GuardianState::WeAsk) => (
            " was asked to have you as guardian, and has not agreed yet; only a child's account can.",
            unlink(&name),
        ),
    };
    out.line(&[(Look::Name, &link.handle), (Look::Plain, text)])?;
    out.line(&[(Look::Quiet, &format!("    {type_this}"))])
}

fn unlink(name: &str) -> String {
    format!("zegel guardian unlink {name}")
}

async fn link(handle: &str, yes: bool, client: &Client, out: &mut Out) -> Result<(), Fail> {
    catch_up(client, out, Duration::ZERO).await?;
    let child = client.whoami().age == AgeBand::Child;
    let warning = client.guardian_warning(handle);
    if child {
        if !client.talks_with(handle)? {
            let why = format!("you and {handle} do not talk here yet");
            return Err(Fail::own(ask::LINKING, why, "`send` first, and again when they accepted"));
        }
        ask::can_confirm(ask::LINKING, yes, !out.is_json())?;
        ask::guardian(handle, &warning, yes)?;
    }
    let wanted =
        client.guardians()?.iter().any(|link| link.handle == handle && link.state == GuardianState::TheyAsk);
    let state = client.link_guardian(handle).await?;
    if out.is_json() {
        return out.object(&json!({"done": "guardian link", "name": handle, "state": state}));
    }
    if child && yes {
        out.plain(&warning)?;
    }
    let me = client.whoami().handle;
    match (state, wanted, child) {
        (GuardianState::Linked, _, true) => {
            out.plain(&format!("{handle} is your guardian now. You see that at all times."))
        }
        (GuardianState::Linked, _, false) => out.plain(&format!("You are {handle}'s guardian now.")),
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
    approvals.iter().try_for_each(|approval| {
        show_approval(out, approval)?;
        match approval.what == AskKind::Age && ends_link(&approval.name, client) && !out.is_json() {
            true => out.line(&[(Look::Alarm, "    ! to allow it ends that you are their guardian")]),
            false => Ok(()),
        }
    })
}

/// What a child asks, and what to type.
fn show_approval(out: &mut Out, approval: &Approval) -> Result<(), Fail> {
    if out.is_json() {
        return out.object(approval);
    }
    let what = match approval.what {
        AskKind::Contact => " asks to be in contact with ",
        AskKind::Group => " asks to join the group ",
        AskKind::Age => " asks for another age: ",
    };
    out.line(&[(Look::Name, &approval.child), (Look::Plain, what), (Look::Name, &approval.name)])?;
    if !approval.people.is_empty() {
        out.line(&[(Look::Quiet, &format!("    in it: {}", approval.people.join(", ")))])?;
    }
    for line in &approval.told {
        let Approval { child, about, .. } = approval;
        out.line(&[(Look::Alarm, &format!("    ! {child} is told of {about}: {line}"))])?;
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
