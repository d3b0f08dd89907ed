//! The service's safety rules, as it last gave them out, and the language of what we are told.

use zegel_safety::{Language, Policy, RuleText};

use super::Core;
use crate::{
    Result,
    db::{Db, ItemKind, NewItem},
};

const POLICY: &str = "policy";
/// The hash that the service named them by.
const POLICY_NAME: &str = "policy name";
const LANGUAGE: &str = "language";

/// Keeps the language (BCP 47) of what the person is told.
pub(crate) fn keep_language(db: &Db, tag: &str) -> Result<()> {
    db.set_meta(LANGUAGE, tag.as_bytes())
}

/// The rules that a profile holds, or those that ship with Zegel.
pub(super) fn kept_policy(db: &Db) -> Policy {
    kept(db).unwrap_or_else(Policy::shipped)
}

fn kept(db: &Db) -> Option<Policy> {
    let kept = db.meta(POLICY).ok().flatten().and_then(|toml| String::from_utf8(toml).ok());
    kept.and_then(|toml| Policy::read(&toml).ok())
}

/// What changed in a rule: its numbers, new and old; its sentence where only that did. A service can call a rule what it
/// likes: its own words stand there as such, beside what this program does.
fn difference(before: &RuleText, now: &RuleText, language: Language) -> String {
    let old = |name: &str| before.numbers.iter().find(|(known, _)| known == name).map(|(_, value)| value);
    let changed = now.numbers.iter().filter_map(|(name, new)| {
        let old = old(name).filter(|old| *old != new)?;
        Some(format!("{name} {new} (was {old})"))
    });
    let numbers: Vec<_> = changed.collect();
    match (numbers.is_empty(), &now.service_says, language) {
        (false, ..) => format!("{}: {}.", now.name, numbers.join(", ")),
        (true, None, _) => format!("{}: {}", now.name, now.says),
        (true, Some(own), Language::English) => {
            format!(
                "{}: {} (The service's own words, which this app does not go by: {own})",
                now.name, now.says
            )
        }
        (true, Some(own), Language::Dutch) => {
            format!(
                "{}: {} (De eigen woorden van de dienst, die deze app niet volgt: {own})",
                now.name, now.says
            )
        }
    }
}

impl Core {
    /// The rules in force, as far as we know. All their numbers are within bounds.
    pub(crate) fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Whether the service's rules have to be fetched; it names them by their hash.
    pub(crate) fn wants_policy(&self, hash: &[u8]) -> Result<bool> {
        if hash.is_empty() {
            return Ok(false);
        }
        if hash == self.policy.hash() {
            // From now on a change is one, and is told.
            if self.db.meta(POLICY)?.is_none() {
                self.db.set_meta(POLICY, self.policy.to_toml().as_bytes())?;
            }
            return Ok(false);
        }
        let is_named = self.db.meta(POLICY_NAME)?.is_some_and(|name| name == hash);
        Ok(!is_named || kept(&self.db).is_none())
    }

    /// Takes the service's rules, which it names by `hash`, and says what changed. Those that are unsound change nothing.
    pub(crate) fn take_policy(&mut self, toml: &str, hash: &[u8]) -> Result<()> {
        let policy = match Policy::read(toml) {
            Ok(policy) => policy,
            Err(error) => {
                tracing::warn!(%error, event = "policy_refused");
                return Ok(());
            }
        };
        let language = self.language()?;
        self.step(|core| {
            let had = core.db.meta(POLICY)?.is_some();
            let changed = core.policy.changed(&policy);
            // As it came, with what only a later release of this program knows.
            core.db.set_meta(POLICY, toml.as_bytes())?;
            core.db.set_meta(POLICY_NAME, hash)?;
            if had && !changed.is_empty() {
                let (before, now) = (core.policy.rules(language), policy.rules(language));
                let pairs = before.iter().zip(&now).filter(|(_, now)| changed.contains(&now.name));
                let rules: Vec<_> = pairs.map(|(before, now)| difference(before, now, language)).collect();
                let text = match language {
                    Language::English => format!("The service's safety rules changed. {}", rules.join(" ")),
                    Language::Dutch => {
                        format!("De veiligheidsregels van de dienst zijn veranderd. {}", rules.join(" "))
                    }
                };
                core.db.add_item(&NewItem::line(0, ItemKind::Notice, &text))?;
            }
            Ok(())
        })?;
        self.policy = policy;
        Ok(())
    }

    /// The language of what we are told.
    pub(crate) fn language(&self) -> Result<Language> {
        let tag = self.db.meta(LANGUAGE)?.and_then(|tag| String::from_utf8(tag).ok());
        Ok(Language::of(&tag.unwrap_or_default()))
    }
}
