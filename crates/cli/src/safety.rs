//! `safety`: the rules that protect people, in words, and who helps. Help needs no profile and no network.

use std::{path::Path, time::Duration};

use serde_json::{Map, json};
use zegel_client::{
    Client, Error,
    safety::{HelpLine, Language, Policy, RuleText, country_of, help_checked, help_countries, help_lines},
};

use crate::{
    args::Safety,
    ask,
    fail::Fail,
    out::{Look, Out},
    read::catch_up,
};

/// Carries out `zegel safety …`.
pub async fn safety(command: Option<Safety>, home: &Path, out: &mut Out) -> Result<(), Fail> {
    let language = Language::of(&ask::language());
    match command {
        Some(Safety::Help { country }) => help(country, language, out),
        None => rules(false, language, home, out).await,
        Some(Safety::Rules) => rules(true, language, home, out).await,
    }
}

/// The service's rules as this device has them, or those that Zegel begins with; and of which service they are.
async fn in_force(home: &Path, out: &Out) -> Result<(Policy, String), Fail> {
    match Client::open(home).await {
        // There is no account here.
        Err(Error::Profile { .. }) => Ok((Policy::shipped(), String::new())),
        Err(error) => Err(error.into()),
        Ok(client) => {
            // Whoever is suspended reads the rules too, as this device has them.
            let _ = catch_up(&client, out, Duration::ZERO).await;
            let (policy, server) = (client.policy(), client.whoami().server);
            client.close().await;
            Ok((policy, server))
        }
    }
}

async fn rules(numbers: bool, language: Language, home: &Path, out: &mut Out) -> Result<(), Fail> {
    let (policy, server) = in_force(home, out).await?;
    let rules = policy.rules(language);
    if out.is_json() {
        return rules.iter().try_for_each(|rule| out.object(&object(rule)));
    }
    let dutch = language == Language::Dutch;
    let title = match (server.as_str(), dutch) {
        ("", false) => "The rules that Zegel ships with; each service may have its own:".into(),
        ("", true) => "De regels waarmee Zegel komt; elke dienst kan eigen regels hebben:".into(),
        (server, false) => format!("The rules at {server}:"),
        (server, true) => format!("De regels bij {server}:"),
    };
    out.plain(&title)?;
    rules.iter().try_for_each(|rule| show_rule(out, rule, numbers))?;
    let more = match dutch {
        false => "Who helps: zegel safety help. Numbers and sources: zegel safety rules",
        true => "Wie er helpt: zegel safety help. Getallen en bronnen: zegel safety rules",
    };
    out.line(&[(Look::Quiet, more)])
}

fn object(rule: &RuleText) -> serde_json::Value {
    let numbers: Map<_, _> =
        rule.numbers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    json!({"rule": rule.name, "says": rule.says, "source": rule.source, "numbers": numbers})
}

fn show_rule(out: &mut Out, rule: &RuleText, numbers: bool) -> Result<(), Fail> {
    out.line(&[(Look::Name, &rule.name), (Look::Plain, ": "), (Look::Plain, &rule.says)])?;
    if !numbers {
        return Ok(());
    }
    if !rule.numbers.is_empty() {
        let all: Vec<_> = rule.numbers.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        out.line(&[(Look::Quiet, &format!("    {}", all.join(", ")))])?;
    }
    out.line(&[(Look::Quiet, &format!("    {}", rule.source))])
}

fn help(country: Option<String>, language: Language, out: &mut Out) -> Result<(), Fail> {
    let country = country.or_else(|| country_of(&ask::language())).unwrap_or_default();
    let lines = help_lines(&country);
    if out.is_json() {
        return lines.iter().try_for_each(|line| {
            out.object(&json!({
                "country": line.country, "name": line.name, "what": line.what.in_language(language),
                "phones": line.phones, "web": line.web, "hours": line.hours.in_language(language),
                "source": line.source, "checked": help_checked(),
            }))
        });
    }
    let (danger, seen, others) = match language {
        Language::English => (
            "In danger right now? Call the emergency number: 112 in all of Europe and many other countries.",
            "Nobody sees that you looked here. Last checked",
            "Countries with lines of their own, for `zegel safety help --country CC`",
        ),
        Language::Dutch => (
            "Nu in gevaar? Bel het alarmnummer: 112 in heel Europa en in veel andere landen.",
            "Niemand ziet dat je hier keek. Laatst nagekeken",
            "Landen met eigen hulplijnen, voor `zegel safety help --country CC`",
        ),
    };
    out.plain(danger)?;
    lines.iter().try_for_each(|line| show_line(out, line, language))?;
    out.line(&[(Look::Quiet, &format!("{others}: {}", help_countries().join(", ")))])?;
    out.line(&[(Look::Quiet, &format!("{seen}: {}", help_checked()))])
}

fn show_line(out: &mut Out, line: &HelpLine, language: Language) -> Result<(), Fail> {
    let what = line.what.in_language(language);
    out.line(&[(Look::Name, &line.name), (Look::Plain, ": "), (Look::Plain, what)])?;
    let hours = line.hours.in_language(language);
    let ways = [line.phones.join(", "), line.web.clone(), hours.to_owned()];
    let ways: Vec<&str> = ways.iter().map(String::as_str).filter(|way| !way.is_empty()).collect();
    out.plain(&format!("    {}", ways.join("  ")))
}
