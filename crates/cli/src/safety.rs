//! `safety`: the rules that protect people, in words, and who helps. Help needs no profile and no network.

use std::{path::Path, time::Duration};

use serde_json::{Map, json};
use zegel_client::{
    Client, Error,
    safety::{
        Emergency, HelpLine, Language, Policy, RuleText, country_of, emergencies, emergency, help_checked,
        help_lines,
    },
};

use crate::{
    args::Safety,
    ask, country,
    fail::{Fail, note},
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
    // Without an account there is no service whose rules could differ.
    let differ = if server.is_empty() { Vec::new() } else { Policy::shipped().changed(&policy) };
    rules.iter().try_for_each(|rule| {
        show_rule(out, rule, numbers)?;
        match differ.contains(&rule.name) {
            true => show_shipped(out, rule, language),
            false => Ok(()),
        }
    })?;
    let more = match dutch {
        false => "Who helps: zegel safety help. Numbers and sources: zegel safety rules",
        true => "Wie er helpt: zegel safety help. Getallen en bronnen: zegel safety rules",
    };
    out.line(&[(Look::Quiet, more)])
}

fn object(rule: &RuleText) -> serde_json::Value {
    let numbers: Map<_, _> =
        rule.numbers.iter().map(|(name, value)| (name.clone(), value.as_str().into())).collect();
    json!({
        "rule": rule.name, "says": rule.says, "service_says": rule.service_says, "source": rule.source,
        "numbers": numbers,
    })
}

fn show_rule(out: &mut Out, rule: &RuleText, numbers: bool) -> Result<(), Fail> {
    out.line(&[(Look::Name, &rule.name), (Look::Plain, ": "), (Look::Plain, &rule.says)])?;
    if let Some(own) = &rule.service_says {
        let text = format!("    In the service's own words, which this app does not go by: {own}");
        out.line(&[(Look::Alarm, &text)])?;
    }
    if !numbers {
        return Ok(());
    }
    if !rule.numbers.is_empty() {
        let all: Vec<_> = rule.numbers.iter().map(|(name, value)| format!("{name} = {value}")).collect();
        out.line(&[(Look::Quiet, &format!("    {}", all.join(", ")))])?;
    }
    out.line(&[(Look::Quiet, &format!("    {}", rule.source))])
}

/// What Zegel ships in the place of a rule that this service has otherwise.
fn show_shipped(out: &mut Out, rule: &RuleText, language: Language) -> Result<(), Fail> {
    let shipped = Policy::shipped().rules(language);
    let Some(shipped) = shipped.iter().find(|it| it.name == rule.name) else { return Ok(()) };
    let differ = shipped.numbers.iter().filter(|number| !rule.numbers.contains(number));
    let numbers: Vec<_> = differ.map(|(name, value)| format!("{name} = {value}")).collect();
    let what = if numbers.is_empty() { shipped.says.clone() } else { numbers.join(", ") };
    let text = match language {
        Language::English => format!("    ! this service has its own; Zegel ships: {what}"),
        Language::Dutch => format!("    ! deze dienst heeft dit anders; Zegel heeft: {what}"),
    };
    out.line(&[(Look::Alarm, &text)])
}

fn help(country: Option<String>, language: Language, out: &mut Out) -> Result<(), Fail> {
    let given = country.is_some();
    let named = country.map(|name| country::code(&name));
    let country = named.or_else(|| country_of(&ask::language())).unwrap_or_default();
    let lines = help_lines(&country);
    if given && lines == help_lines("") {
        let countries = country::list(language == Language::Dutch);
        let text = match language {
            Language::English => format!("no lines are known for \"{country}\"; they are for: {countries}"),
            Language::Dutch => {
                format!("er zijn geen hulplijnen bekend voor \"{country}\"; wel voor: {countries}")
            }
        };
        note(&text, out.is_json());
    }
    if out.is_json() {
        return lines.iter().try_for_each(|line| {
            out.object(&json!({
                "country": line.country, "name": line.name, "what": line.what.in_language(language),
                "phones": line.phones, "web": line.web, "hours": line.hours.in_language(language),
                "source": line.source, "checked": help_checked(),
            }))
        });
    }
    let (danger, call, elsewhere, seen, others) = match language {
        Language::English => (
            "In danger right now?",
            "Call",
            "Call the emergency number of your country:",
            "Nobody sees that you looked here. Last checked",
            "Countries with lines of their own, for `zegel safety help --country COUNTRY`",
        ),
        Language::Dutch => (
            "Nu in gevaar?",
            "Bel",
            "Bel het alarmnummer van je land:",
            "Niemand ziet dat je hier keek. Laatst nagekeken",
            "Landen met eigen hulplijnen, voor `zegel safety help --country LAND`",
        ),
    };
    let number = match emergency(&country) {
        Some(own) => format!("{call} {}", own.phone),
        None => {
            let place = |it: &Emergency| format!("{} in {}", it.phone, it.place.in_language(language));
            format!("{elsewhere} {}", emergencies().iter().map(place).collect::<Vec<_>>().join(", "))
        }
    };
    out.plain(&format!("{danger} {number}."))?;
    lines.iter().try_for_each(|line| show_line(out, line, language))?;
    out.line(&[(Look::Quiet, &format!("{others}: {}", country::list(language == Language::Dutch)))])?;
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
