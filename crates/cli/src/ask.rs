//! Questions to the person at the terminal, and what else standard input and the environment say.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use clap::ValueEnum;
use zegel_client::AgeBand;

use crate::{args::Age, fail::Fail, safe};

/// More than any message may hold, so that the client can say how long it may be.
const MAX_STDIN: u64 = 1 << 20;

/// The age band: as given, or as answered at a terminal, or unknown.
pub fn age(given: Option<Age>) -> Result<AgeBand, Fail> {
    if let Some(age) = given {
        return Ok(age.into());
    }
    if !io::stdin().is_terminal() {
        return Ok(AgeBand::Unknown);
    }
    loop {
        let question = "How old are you: child (up to 12), teen (13 to 17) or adult? Only that is kept. (Enter: rather \
                        not say; you are protected like a child then, and cannot become older without an invite.) ";
        let answer = answer(question)?;
        match Age::from_str(&answer, true) {
            Ok(age) => return Ok(age.into()),
            Err(_) if answer.is_empty() => return Ok(AgeBand::Unknown),
            Err(_) => {}
        }
    }
}

/// Whether the person wants their account deleted.
pub fn delete_account(handle: &str, yes: bool) -> Result<(), Fail> {
    let question = format!("Delete {handle} for ever, with all its messages on this device? [y/N] ");
    confirm("deleting the account", &question, "changed", yes)
}

/// Whether the person takes the directory as the service shows it now, after it was caught at a lie.
pub fn trust_anew(yes: bool) -> Result<(), Fail> {
    let question = "A directory that contradicts itself may show other people's devices in place of your friends'. \
                    Begin anew with what the service shows now? [y/N] ";
    confirm("trusting the directory anew", question, "changed", yes)
}

/// Whether a minor joins a group with people whom they do not know.
pub fn join(group: &str, unconnected: &[String], yes: bool) -> Result<(), Fail> {
    let question = format!(
        "In {group} are people who are not connected to you: {}. They will read what you write there, and see your name. \
         Join? [y/N] ",
        unconnected.join(", ")
    );
    confirm("accepting", &question, "accepted", yes)
}

/// Whether the person tells a group whom they blocked.
pub fn warn(group: &str, handle: &str, members: &[String], yes: bool) -> Result<(), Fail> {
    let question = format!(
        "Everybody in {group} will read, from you, that you blocked {handle}: {}. {handle} reads it too, and knows then. \
         Send it? [y/N] ",
        members.join(", ")
    );
    confirm(WARNING, &question, "sent", yes)
}

pub const WARNING: &str = "warning a group";

/// Whether a child wants this person as their guardian, after the warning.
pub fn guardian(handle: &str, warning: &str, yes: bool) -> Result<(), Fail> {
    let question = format!("{warning} Is {handle} somebody who looks after you? [y/N] ");
    confirm(LINKING, &question, "linked", yes)
}

pub const LINKING: &str = "linking with a guardian";

/// Whether the person wants to send the report that they were shown.
pub fn report(to: &str, yes: bool) -> Result<(), Fail> {
    confirm("reporting", &format!("Disclose this to the service at {to}? [y/N] "), "sent", yes)
}

/// Whether there is somebody to ask, or no need to; `shown`: what is asked about can be shown to them.
pub fn can_confirm(doing: &'static str, yes: bool, shown: bool) -> Result<(), Fail> {
    match yes || shown && io::stdin().is_terminal() {
        true => Ok(()),
        false => Err(Fail::own(doing, "it was not confirmed", "--yes")),
    }
}

/// `done`: what is not, if they say no.
fn confirm(doing: &'static str, question: &str, done: &str, yes: bool) -> Result<(), Fail> {
    if yes {
        return Ok(());
    }
    can_confirm(doing, yes, true)?;
    match answer(question)?.to_lowercase().as_str() {
        "y" | "yes" => Ok(()),
        _ => Err(Fail::own(
            doing,
            format!("it was not confirmed; nothing was {done}"),
            "again once you know more",
        )),
    }
}

/// The text to send: as given, or standard input for `-`, without the line's end.
pub fn text(given: String) -> Result<String, Fail> {
    if given != "-" {
        return Ok(given);
    }
    let mut text = String::new();
    io::stdin()
        .lock()
        .take(MAX_STDIN)
        .read_to_string(&mut text)
        .map_err(|error| Fail::own("reading standard input", error, "a text in UTF-8"))?;
    let end = text.trim_end_matches(['\n', '\r']).len();
    text.truncate(end);
    Ok(text)
}

/// The language that the environment names, as BCP 47.
pub fn language() -> String {
    let set = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().filter_map(|name| std::env::var(name).ok());
    from_locale(set.into_iter().find(|value| !value.is_empty()).as_deref().unwrap_or_default())
}

/// `nl_NL.UTF-8` is `nl-NL`.
fn from_locale(locale: &str) -> String {
    let tag = locale.split(['.', '@']).next().unwrap_or_default().replace('_', "-");
    let known = |word: &str| (2..=3).contains(&word.len()) && word.bytes().all(|b| b.is_ascii_alphabetic());
    let mut words = tag.splitn(2, '-');
    match (words.next(), words.next()) {
        (Some(language), None) if known(language) => tag,
        (Some(language), Some(region)) if known(language) && known(region) => tag,
        _ => "en".into(),
    }
}

fn answer(question: &str) -> Result<String, Fail> {
    let failed = |error: io::Error| Fail::own("asking at the terminal", error, "again");
    let mut terminal = io::stderr();
    // A service's domain can be part of it.
    write!(terminal, "{}", safe::line(question)).and_then(|()| terminal.flush()).map_err(failed)?;
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line).map_err(failed)? {
        0 => Err(Fail::own("asking at the terminal", "it was closed", "again")),
        _ => Ok(line.trim().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::from_locale;

    #[test]
    fn locales_become_language_tags() {
        for (locale, tag) in [
            ("nl_NL.UTF-8", "nl-NL"),
            ("en", "en"),
            ("ca_ES@valencia", "ca-ES"),
            ("C", "en"),
            ("C.UTF-8", "en"),
            ("POSIX", "en"),
            ("", "en"),
        ] {
            assert_eq!(from_locale(locale), tag, "{locale}");
        }
    }
}
