//! What each command does.

use std::{path::Path, time::Duration};

use serde_json::json;
use zegel_client::{Client, Me, Registration};

use crate::{
    age,
    args::{Command, Group, Use},
    ask, contacts,
    directory::{self, Bell},
    fail::Fail,
    follow, guardian,
    lines::readable,
    out::{Look, Out},
    read::{catch_up, read},
    reports, safety,
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
            let told = ready.and_then(|()| welcome(out, &client.whoami()));
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
        Command::Safety { command } => safety::safety(command, home, out).await,
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
        Use::Requests => contacts::requests(client, out).await,
        Use::Accept { handle, yes } => contacts::accept(&handle, yes, client, out).await,
        Use::Decline { handle } => {
            client.decline(&handle).await?;
            done(out, "decline", &handle, &format!("You declined {handle}. They are not told."))
        }
        Use::Block { handle } => contacts::block(&handle, client, out).await,
        Use::Unblock { handle } => {
            client.unblock(&handle).await?;
            done(
                out,
                "unblock",
                &handle,
                &format!(
                    "You no longer block {handle}, nor whoever else the service knows as the same person. Write to them to \
                     begin anew: what they wrote meanwhile did not reach you."
                ),
            )
        }
        Use::Code => contacts::code(client, out).await,
        Use::Connect { code } => contacts::connect(&code, client, out).await,
        Use::Vouch { friend, newcomer } => contacts::vouch(&friend, &newcomer, client, out).await,
        Use::Age { band: None, .. } => age::show(client, out).await,
        Use::Age { band: Some(band), invite } => age::change(band, invite.as_deref(), client, out).await,
        Use::Guardian { command } => guardian::guardian(command, client, out).await,
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
        Use::Whoami => who(out, client),
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
        Group::Warn { name, handle, yes } => {
            ask::can_confirm(ask::WARNING, yes, !out.is_json())?;
            catch_up(client, out, Duration::ZERO).await?;
            client.can_warn(&name, &handle)?;
            let me = client.whoami().handle;
            let groups = client.groups()?.into_iter().filter(|group| group.name == name);
            let mut members: Vec<_> = groups.flat_map(|group| group.members).collect();
            members.retain(|member| *member != me);
            ask::warn(&name, &handle, &members, yes)?;
            client.warn_group(&name, &handle).await?;
            let text = format!("Everybody in {name} can read that you blocked {handle}; {handle} can too.");
            done(out, "group warn", &name, &text)
        }
        Group::Rename { name, new } => {
            client.group_rename(&name, &new).await?;
            done(out, "group rename", &new, &format!("{name} is now {new}."))
        }
        Group::List => groups(client, out).await,
    }
}

/// What was done, and to or with whom.
pub fn done(out: &mut Out, what: &str, name: &str, text: &str) -> Result<(), Fail> {
    out.either(&json!({"done": what, "name": name}), text)
}

fn who(out: &mut Out, client: &Client) -> Result<(), Fail> {
    let me = &client.whoami();
    if out.is_json() {
        return out.object(me);
    }
    out.plain(&format!("{} at {} ({})", me.handle, me.server, me.uri))?;
    out.plain(&age::says(me))?;
    guardian::line(out, me)?;
    guardian::children(client, out)
}

fn welcome(out: &mut Out, me: &Me) -> Result<(), Fail> {
    if out.is_json() {
        return out.object(me);
    }
    out.plain(&format!("Welcome, {}. Others reach you as {}.", me.handle, me.uri))?;
    age::follows(me).iter().try_for_each(|row| out.plain(row))
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
