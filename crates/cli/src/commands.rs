//! What each command does.

use std::{path::Path, time::Duration};

use serde_json::json;
use zegel_client::{AgeBand, Client, Me, Registration, Request};

use crate::{
    args::{Command, Group, Use},
    ask,
    directory::{self, Bell},
    fail::Fail,
    follow,
    lines::readable,
    out::{Look, Out},
    read::{catch_up, read},
    reports,
};

/// How long `sync` goes on.
const SYNC: Duration = Duration::from_secs(60);

/// Carries out a command with the profile in `home`.
pub async fn run(command: Command, home: &Path, out: &mut Out) -> Result<(), Fail> {
    match command {
        Command::Register { handle, server, age, invite } => {
            let age = ask::age(age)?;
            let registration = Registration { handle, age, language: ask::language(), invite };
            let client = Client::register(home, &server, &registration).await?;
            // Its key packages go to the service, so that others can write to this person at once.
            let ready = catch_up(&client, out, Duration::from_secs(30)).await;
            let told = ready
                .and_then(|()| out.either(&client.whoami(), &welcome(&client.whoami(), registration.age)));
            client.close().await;
            told
        }
        Command::DeleteAccount { handle, yes } => {
            let client = Client::open(home).await?;
            ask::delete_account(&handle, yes)?;
            client.delete_account(&handle).await?;
            done(out, "delete-account", &handle, &format!("{handle} is deleted, here and at the service."))
        }
        Command::Follow => follow::follow(home, out).await,
        Command::Use(Use::Send { to, text }) => {
            // Read before the profile is opened: whoever types it may take long.
            let text = ask::text(text)?;
            with(home, out, Some(Bell::default()), async |client, out| {
                use_client(Use::Send { to, text }, client, out).await
            })
            .await
        }
        Command::Use(Use::Appeal { case, text }) => {
            let text = ask::text(text)?;
            with(home, out, Some(Bell::default()), async |client, out| {
                use_client(Use::Appeal { case, text }, client, out).await
            })
            .await
        }
        Command::Use(command) => {
            // `alarms` prints them itself.
            let bell = (!matches!(command, Use::Alarms { .. })).then(Bell::default);
            with(home, out, bell, async |client, out| use_client(command, client, out).await).await
        }
    }
}

/// Opens the profile, does something with it, and closes it whatever happened.
async fn with(
    home: &Path,
    out: &mut Out,
    bell: Option<Bell>,
    work: impl AsyncFnOnce(&Client, &mut Out) -> Result<(), Fail>,
) -> Result<(), Fail> {
    let client = Client::open(home).await?;
    let mut bell = bell;
    let mut sound = |client: &Client, json| bell.iter_mut().for_each(|bell| bell.sound(client, json));
    sound(&client, out.is_json());
    let result = work(&client, out).await;
    // The work itself may have found something.
    sound(&client, out.is_json());
    client.close().await;
    result
}

async fn use_client(command: Use, client: &Client, out: &mut Out) -> Result<(), Fail> {
    match command {
        Use::Send { to, text } => {
            let id = client.send(&to, &text).await?;
            out.either(&json!({"id": id, "to": to}), &id)
        }
        Use::Requests => requests(client, out).await,
        Use::Accept { handle } => {
            client.accept(&handle).await?;
            done(out, "accept", &handle, &format!("You accepted {handle}."))
        }
        Use::Decline { handle } => {
            client.decline(&handle).await?;
            done(out, "decline", &handle, &format!("You declined {handle}. They are not told."))
        }
        Use::Block { handle } => {
            client.block(&handle).await?;
            done(out, "block", &handle, &format!("You blocked {handle}. They are not told."))
        }
        Use::Unblock { handle } => {
            client.unblock(&handle).await?;
            done(
                out,
                "unblock",
                &handle,
                &format!(
                    "You no longer block {handle}. Write to them to begin anew: what they wrote meanwhile did not reach you."
                ),
            )
        }
        Use::Code => {
            let code = client.code().await?;
            out.either(&json!({"code": code}), &code)
        }
        Use::Connect { code } => {
            let handle = client.connect(&code).await?;
            done(
                out,
                "connect",
                &handle,
                &format!(
                    "The code is shown to {handle}'s device: if it was not used before, you are connected."
                ),
            )
        }
        Use::Read { with, new, wait } => {
            read(client, out, with.as_deref(), new, Duration::from_secs(wait.into())).await
        }
        Use::Report(report) => reports::report(report, client, out).await,
        Use::Reports => reports::reports(client, out).await,
        Use::Decisions => reports::decisions(client, out).await,
        Use::Appeal { case, text } => reports::appeal(&case, &text, client, out).await,
        Use::Group(command) => group(command, client, out).await,
        Use::Verify { handle, theirs } => directory::verify(client, out, &handle, &theirs).await,
        Use::Directory(command) => directory::directory(command, client, out).await,
        Use::Devices { command } => directory::devices(command, client, out).await,
        Use::Alarms { all, seen } => directory::alarms(client, out, all, seen),
        Use::Whoami => {
            let me = client.whoami();
            out.either(&me, &who(&me))
        }
        Use::Sync => {
            client.sync(SYNC).await?;
            out.either(&json!({"done": "sync"}), "All that waited is read and sent.")
        }
        Use::Export => export(client, out).await,
    }
}

async fn group(command: Group, client: &Client, out: &mut Out) -> Result<(), Fail> {
    match command {
        Group::Create { name, handles } => {
            client.group_create(&name, &handles).await?;
            done(out, "group create", &name, &format!("You created {name}."))
        }
        Group::Add { name, handles } => {
            client.group_add(&name, &handles).await?;
            done(out, "group add", &name, &format!("You added {} to {name}.", handles.join(", ")))
        }
        Group::Remove { name, handles } => {
            client.group_remove(&name, &handles).await?;
            done(out, "group remove", &name, &format!("You removed {} from {name}.", handles.join(", ")))
        }
        Group::Leave { name } => {
            client.group_leave(&name).await?;
            done(out, "group leave", &name, &format!("You left {name}."))
        }
        Group::Rename { name, new } => {
            client.group_rename(&name, &new).await?;
            done(out, "group rename", &new, &format!("{name} is now {new}."))
        }
        Group::List => groups(client, out).await,
    }
}

fn done(out: &mut Out, what: &str, name: &str, text: &str) -> Result<(), Fail> {
    out.either(&json!({"done": what, "name": name}), text)
}

fn who(me: &Me) -> String {
    format!("{} at {} ({})", me.handle, me.server, me.uri)
}

fn welcome(me: &Me, age: AgeBand) -> String {
    let welcome = format!("Welcome, {}. Others reach you as {}.", me.handle, me.uri);
    match age {
        AgeBand::Adult => welcome,
        _ => format!("{welcome} Strangers do only with a contact code of yours: `code`."),
    }
}

async fn requests(client: &Client, out: &mut Out) -> Result<(), Fail> {
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
        "older" => "more than a year ago",
        known => known,
    };
    let declined = match request.declined_lately {
        0 => "",
        1 | 2 => "; declined by someone else this week",
        _ => "; declined by several others this week",
    };
    let trust = match request.trust {
        "verified" => "you compared their number",
        "proven" => "their devices are proven by the directory",
        _ => "the service promises to put their devices into the directory",
    };
    let known = format!("    account made {age}{declined}; {trust}");
    out.line(&[(Look::Quiet, &known)])?;
    let from = &request.from;
    let type_this = format!(
        "    zegel accept {name} | zegel decline {name} | zegel block {from} | zegel report {from} --reason CATEGORY"
    );
    out.line(&[(Look::Quiet, &type_this)])
}

async fn groups(client: &Client, out: &mut Out) -> Result<(), Fail> {
    catch_up(client, out, Duration::ZERO).await?;
    let groups = client.groups()?;
    if groups.is_empty() && !out.is_json() {
        return out.plain("You are in no group.");
    }
    for group in groups {
        if out.is_json() {
            out.object(&group)?;
            continue;
        }
        let state = match (group.state, group.admin) {
            ("open", true) => "you administer it",
            ("open", false) => "you are in it",
            ("request", _) => "waits for your answer",
            _ => "over",
        };
        let members = if group.members.is_empty() { String::new() } else { group.members.join(", ") };
        out.line(&[
            (Look::Name, &group.name),
            (Look::Quiet, &format!("  ({state})  ")),
            (Look::Plain, &members),
        ])?;
    }
    Ok(())
}

/// Lines for programs, or one indented array for people.
async fn export(client: &Client, out: &mut Out) -> Result<(), Fail> {
    let all = readable(client.export().await?.into());
    let serde_json::Value::Array(lines) = &all else { return Ok(()) };
    if out.is_json() {
        return lines.iter().try_for_each(|line| out.object(line));
    }
    out.pretty(&all)
}
