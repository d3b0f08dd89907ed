//! Who has which devices, and who says so: `verify`, `directory`, `devices`, `alarms`.

use qrcode::{QrCode, render::unicode::Dense1x2};
use serde_json::json;
use zegel_client::{Alarm, Client, Device, DirectoryEntry, HistoryEntry};

use crate::{
    args::{Devices, Directory},
    ask,
    fail::Fail,
    out::{Look, Out},
    safe, time,
};

/// Shows what both people compare, or compares it.
pub async fn verify(client: &Client, out: &mut Out, handle: &str, theirs: &[String]) -> Result<(), Fail> {
    if !theirs.is_empty() {
        let theirs = &theirs.join(" ");
        if !is_comparable(theirs) {
            let why = "that is neither a number of 60 digits nor the text of a code";
            return Err(Fail::own("comparing", why, "the whole number, or what stands below the code"));
        }
        if client.compare(handle, theirs).await? {
            let text = format!(
                "It is the same: {handle} and you see each other's true devices. That is remembered."
            );
            return out.either(&json!({"handle": handle, "same": true}), &text);
        }
        let why = format!(
            "it is NOT the same; if it stays so, somebody stands between you and {handle}: write nothing to them \
             here, and tell them in another way"
        );
        return Err(Fail::own("comparing", why, "reading it to each other once more"));
    }
    let number = client.verify(handle).await?;
    if out.is_json() {
        return out.object(&number);
    }
    let known = if number.checked { "; you compared it before" } else { "" };
    out.plain(&format!("{handle} sees this same number with `zegel verify` and your handle{known}:"))?;
    let groups: Vec<&str> = number.number.split(' ').collect();
    for row in groups.chunks(4) {
        out.line(&[(Look::Name, &format!("    {}", row.join(" ")))])?;
    }
    let code =
        QrCode::new(number.qr.as_bytes()).map_err(|error| Fail::own("drawing the code", error, "--json"))?;
    // Light modules are drawn: most terminals are dark, and readers want dark on light.
    let mut renderer = code.render::<Dense1x2>();
    let drawn = renderer.quiet_zone(true).dark_color(Dense1x2::Light).light_color(Dense1x2::Dark).build();
    drawn.lines().try_for_each(|row| out.plain(row))?;
    out.line(&[(Look::Quiet, &number.qr)])?;
    let text = format!("Compare by voice or in person, or: zegel verify {handle} THEIR NUMBER OR CODE");
    out.line(&[(Look::Quiet, &text)])
}

/// Whether this could be somebody's number or code: a slip of the hand accuses nobody.
fn is_comparable(given: &str) -> bool {
    let hex = |text: &str| text.len() == 64 && text.bytes().all(|b| b.is_ascii_hexdigit());
    let mut digits = given.chars().filter(|c| !c.is_whitespace() && *c != '-');
    given.trim().strip_prefix("zegel:verify/1/").is_some_and(hex)
        || (digits.clone().count() == 60 && digits.all(|c| c.is_ascii_digit()))
}

/// Carries out `zegel directory …`.
pub async fn directory(command: Directory, client: &Client, out: &mut Out) -> Result<(), Fail> {
    match command {
        Directory::Show { handle: Some(handle) } => show(out, &client.directory_show(&handle).await?),
        Directory::Show { handle: None } => {
            let root = client.directory_root()?.ok_or_else(|| {
                Fail::own("showing the directory", "this device has seen nothing of it yet", "`zegel sync`")
            })?;
            let at = time::local(root.at).unwrap_or_default();
            out.either(&root, &format!("epoch {}, published at {at}, has root {}", root.epoch, root.root))
        }
        Directory::History { handle } => {
            let history = client.directory_history(&handle).await?;
            if history.is_empty() && !out.is_json() {
                return out.plain(
                    "Nothing is published yet; the service has promised to. Ask again in some seconds.",
                );
            }
            history.iter().try_for_each(|entry| history_line(out, entry))
        }
        Directory::TrustAnew { yes } => {
            ask::trust_anew(yes)?;
            client.trust_directory_anew().await?;
            let text = "From here on, what the service shows now counts; when it contradicts that, you are told again.";
            out.either(&json!({"done": "directory trust-anew"}), text)
        }
    }
}

fn show(out: &mut Out, entry: &DirectoryEntry) -> Result<(), Fail> {
    if out.is_json() {
        return out.object(entry);
    }
    let state = match (entry.state, entry.by_epoch) {
        ("proven", _) => format!("proven since epoch {} (version {})", entry.epoch, entry.version),
        ("promised", Some(by)) => {
            format!("promised by the service: proven by epoch {by}, within some seconds")
        }
        ("ended", _) => format!("deleted in epoch {}; the handle is never given out again", entry.epoch),
        (other, _) => other.to_owned(),
    };
    out.line(&[(Look::Name, &entry.handle), (Look::Plain, "  "), (Look::Plain, &state)])?;
    out.line(&[(Look::Quiet, &format!("    account {}, {}", entry.account, links(entry.links)))])?;
    entry.devices.iter().try_for_each(|device| device_line(out, device))?;
    let seen = format!("    newest root seen: epoch {}, {}", entry.root_epoch, entry.root);
    out.line(&[(Look::Quiet, &seen)])
}

fn history_line(out: &mut Out, entry: &HistoryEntry) -> Result<(), Fail> {
    if out.is_json() {
        return out.object(entry);
    }
    let mut text = format!("version {} in epoch {}: {}", entry.version, entry.epoch, links(entry.links));
    for (what, devices) in [("added", &entry.added), ("removed", &entry.removed)] {
        for device in devices {
            text += &format!("; {what} device {}", short(device));
        }
    }
    if entry.ended {
        text += "; the account was deleted";
    }
    out.plain(&text)
}

/// Carries out `zegel devices …`.
pub async fn devices(command: Option<Devices>, client: &Client, out: &mut Out) -> Result<(), Fail> {
    match command {
        None => client.devices()?.iter().try_for_each(|device| match out.is_json() {
            true => out.object(device),
            false => device_line(out, device),
        }),
        Some(Devices::Revoke { id }) => {
            client.revoke_device(&id).await?;
            let text = format!("Device {id} is revoked: it can never come back.");
            out.either(&json!({"done": "devices revoke", "device": id}), &text)
        }
    }
}

fn device_line(out: &mut Out, device: &Device) -> Result<(), Fail> {
    let this = if device.this { "  (this one)" } else { "" };
    let since = time::local(device.since).unwrap_or_default();
    out.line(&[
        (Look::Plain, &format!("    device {}", device.id)),
        (Look::Quiet, &format!("  since {since}{this}")),
    ])
}

/// Carries out `zegel alarms`.
pub fn alarms(client: &Client, out: &mut Out, all: bool, seen: bool) -> Result<(), Fail> {
    let alarms = client.alarms(all)?;
    if alarms.is_empty() && !out.is_json() {
        out.plain(if all { "There was never an alarm." } else { "There is no alarm." })?;
    }
    if !out.is_json() && !client.is_directory_trusted()? {
        let text = "The service's directory is not believed since an alarm (`alarms --all`). Your chats go on; nobody new can \
                    be written to before `directory trust-anew`.";
        out.plain(text)?;
    }
    for alarm in &alarms {
        match out.is_json() {
            true => out.object(alarm)?,
            false => written(alarm).iter().try_for_each(|row| out.plain(row))?,
        }
    }
    if seen {
        // What came while this was being read stays.
        let shown = alarms.iter().map(|alarm| alarm.id).max().unwrap_or(0);
        let count = client.acknowledge_alarms(shown)?;
        out.either(&json!({"done": "alarms", "seen": count}), &acknowledged(count))?;
    }
    Ok(())
}

fn acknowledged(count: usize) -> String {
    match count {
        0 => "There was none to acknowledge.".into(),
        1 => "1 alarm is acknowledged.".into(),
        _ => format!("{count} alarms are acknowledged."),
    }
}

/// What cannot be missed: every command says it on standard error, until it is acknowledged.
#[derive(Default)]
pub struct Bell {
    told: i64,
}

impl Bell {
    /// Tells the alarms that it did not tell yet.
    pub fn sound(&mut self, client: &Client, json: bool) {
        let Ok(mut alarms) = client.alarms(false) else { return };
        alarms.retain(|alarm| alarm.id > self.told);
        self.told = alarms.iter().map(|alarm| alarm.id).max().unwrap_or(self.told);
        tell(&alarms, json);
    }
}

fn tell(alarms: &[Alarm], json: bool) {
    for alarm in alarms {
        if json {
            eprintln!("{}", safe::json(&json!({"alarm": alarm}).to_string()));
        } else {
            written(alarm).iter().for_each(|row| eprintln!("{}", safe::line(row)));
        }
    }
    if !alarms.is_empty() && !json {
        eprintln!("This is shown until you type: zegel alarms --seen\n");
    }
}

fn written(alarm: &Alarm) -> Vec<String> {
    let at = time::local(alarm.at).unwrap_or_default();
    let again = match alarm.repeats {
        0 => String::new(),
        1 => ", and once more".to_owned(),
        more => format!(", and {more} times more"),
    };
    let mut rows = vec![format!("ALARM ({}, {at}{again}): {}", alarm.kind, alarm.text)];
    let numbered = alarm.steps.iter().enumerate();
    rows.extend(numbered.map(|(at, step)| format!("    {}. {step}", at + 1)));
    rows
}

fn links(count: u64) -> String {
    if count == 1 { "1 link".into() } else { format!("{count} links") }
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}
