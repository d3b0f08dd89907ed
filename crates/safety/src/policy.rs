//! `safety.toml`: every rule with its numbers, what it says in words, and where it is from.
//!
//! What a rule says is what the program does, so an operator's file changes numbers and sources and no sentence
//! ([`Policy::read_own`]). Rules without a number cannot be changed at all; that strangers do not reach minors is one of
//! them. The numbers have bounds, and where they differ from those that ship, that is shown.

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};
use zegel_content::is_unseen;

use crate::{
    numbers::{Number, Numbers, Value},
    rules::{Always, Codes, Guardians, Notices, QuietHours, Strangers, Then, Tokens, Watched},
};

/// The rules that ship with Zegel.
const SHIPPED: &str = include_str!("../safety.toml");
/// The format that this release reads.
const VERSION: u32 = 1;
/// The longest file, in bytes: what a service sends is foreign.
const MAX_FILE: usize = 64 * 1024;
/// The longest sentence or source, in bytes.
const MAX_WORDS: usize = 1000;

/// A language that the rules are in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// English; also for whoever speaks none of the others.
    English,
    /// Dutch.
    Dutch,
}

impl Language {
    /// The one for a BCP 47 tag.
    pub fn of(tag: &str) -> Self {
        match tag.split(['-', '_']).next() {
            Some(language) if language.eq_ignore_ascii_case("nl") => Self::Dutch,
            _ => Self::English,
        }
    }
}

/// One plain sentence, in each language. `{name}` stands for the rule's number of that name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// English.
    pub en: String,
    /// Dutch.
    pub nl: String,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule<N> {
    /// What it says.
    pub says: Words,
    /// Where it is from.
    pub source: String,
    /// Its numbers.
    pub numbers: N,
}

/// The whole file. The rules stand in the order in which they are shown.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs, reason = "each says in the file what it is")]
pub struct Policy {
    pub version: u32,
    pub age: Rule<Always>,
    pub first_contact: Rule<Always>,
    pub codes: Rule<Codes>,
    pub tokens: Rule<Tokens>,
    pub strangers: Rule<Strangers>,
    pub groups: Rule<Always>,
    pub search: Rule<Always>,
    pub notices: Rule<Notices>,
    pub unwanted: Rule<Watched>,
    pub many_minors: Rule<Watched>,
    pub block: Rule<Always>,
    pub guardians: Rule<Guardians>,
    pub quiet_hours: Rule<QuietHours>,
    pub receipts: Rule<Always>,
}

/// A rule as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleText {
    /// Its name in the file.
    pub name: String,
    /// What this release does by it: the sentence that ships, with the numbers of these rules.
    pub says: String,
    /// What these rules say instead. It is the service's own word, and nothing that this release does.
    pub service_says: Option<String>,
    /// Where it is from.
    pub source: String,
    /// Its numbers, by name, as they stand in the file.
    pub numbers: Vec<(String, String)>,
}

impl RuleText {
    /// The numbers that are others than in `before`, the same rule at another time: name, then, and now.
    pub fn changed_numbers<'a>(
        &'a self,
        before: &'a Self,
    ) -> impl Iterator<Item = (&'a str, &'a str, &'a str)> {
        self.numbers.iter().filter_map(|(name, now)| {
            let (_, then) = before.numbers.iter().find(|(known, then)| known == name && then != now)?;
            Some((name.as_str(), then.as_str(), now.as_str()))
        })
    }
}

/// Why a policy file is refused.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// It cannot be read.
    #[error("while reading the safety rules: {0}; begin with the file that `zegel-server safety` prints")]
    Form(String),
    /// It is of another release.
    #[error("while reading the safety rules: version {0} is unknown; this release reads version {VERSION}")]
    Version(u32),
    /// A number or sentence is unsound.
    #[error(
        "while reading the safety rules: rule {rule}: {why}; change it, and try `zegel-server safety FILE`"
    )]
    Rule {
        /// Which.
        rule: String,
        /// What is wrong.
        why: String,
    },
}

impl Language {
    /// So many days, in words.
    pub fn days(self, days: u32) -> String {
        Value::Days(days).words(self)
    }
}

impl Policy {
    /// The rules that ship with Zegel.
    pub fn shipped() -> Self {
        Self::read(SHIPPED).expect("the tests read it")
    }

    /// The file that ships with Zegel.
    pub fn shipped_text() -> &'static str {
        SHIPPED
    }

    /// Reads what a service says, which may be newer: a whole rule that this release does not know is left out, so that
    /// the others hold.
    ///
    /// # Errors
    /// If something is missing, unsound, or unknown within a rule.
    pub fn read(text: &str) -> Result<Self, PolicyError> {
        let policy: Self = from_toml(text)?;
        if policy.version != VERSION {
            return Err(PolicyError::Version(policy.version));
        }
        policy.check()?;
        match policy.others(text)?.iter().find(|(_, value)| !value.is_table()) {
            Some((name, _)) => Err(PolicyError::Form(format!("`{}` is no rule", seen(name)))),
            None => Ok(policy),
        }
    }

    /// Reads an operator's file: its rules and their sentences are those that ship.
    ///
    /// # Errors
    /// As [`Self::read`], and if there are other rules, or one says something else than the program does.
    pub fn read_own(text: &str) -> Result<Self, PolicyError> {
        let policy = Self::read(text)?;
        match policy.each().iter().zip(Self::shipped().each()).find(|(own, shipped)| own.says != shipped.says) {
            Some((own, _)) => Err(own.refused(
                "its sentence is not the one that ships with this release; a file can change numbers and sources, not \
                 what the program does",
            )),
            None => match policy.others(text)?.keys().next() {
                Some(name) => Err(PolicyError::Form(format!("this release has no rule `{}`", seen(name)))),
                None => Ok(policy),
            },
        }
    }

    /// What stands beside our rules in a file.
    fn others(&self, text: &str) -> Result<toml::Table, PolicyError> {
        let mut all: toml::Table = from_toml(text)?;
        all.remove("version");
        self.each().iter().for_each(|rule| drop(all.remove(rule.name)));
        Ok(all)
    }

    /// What names it: the hash of what it says, however the file is laid out.
    pub fn hash(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        let mut part = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        };
        part("zegel safety rules");
        part(&self.version.to_string());
        for rule in self.each() {
            let numbers = rule.numbers.iter().map(|number| (number.name, number.value.plain()));
            let numbers: Vec<_> = numbers.map(|(name, value)| format!("{name}={value}")).collect();
            [rule.name, &rule.says.en, &rule.says.nl, rule.source, &numbers.join(" ")]
                .into_iter()
                .for_each(&mut part);
        }
        hash.finalize().into()
    }

    /// The file, laid out anew.
    pub fn to_toml(&self) -> String {
        toml::to_string(self).expect("a policy is a table of tables")
    }

    /// All rules in words, in the order of the file.
    pub fn rules(&self, language: Language) -> Vec<RuleText> {
        let shipped = Self::shipped();
        let text = |(rule, ships): (RuleRef<'_>, RuleRef<'_>)| {
            let (own, source, numbers) = (rule.sentence(language), rule.source.into(), rule.numbers.iter());
            let numbers = numbers.map(|number| (number.name.into(), number.value.plain())).collect();
            let says = RuleRef { says: ships.says, ..rule }.sentence(language);
            let service_says = (own != says).then_some(own);
            RuleText { name: ships.name.into(), says, service_says, source, numbers }
        };
        self.each().into_iter().zip(shipped.each()).map(text).collect()
    }

    /// The names of all rules, in the order of the file.
    pub fn rule_names(&self) -> Vec<&'static str> {
        self.each().into_iter().map(|rule| rule.name).collect()
    }

    /// The names of the rules that are not the same in `newer`, in the order of the file.
    pub fn changed(&self, newer: &Self) -> Vec<String> {
        let pairs = self.each().into_iter().zip(newer.each());
        pairs.filter(|(old, new)| old != new).map(|(old, _)| old.name.to_owned()).collect()
    }

    /// The numbers that protect less than in `other`: the rule's name, and the number's.
    pub fn weaker(&self, other: &Self) -> Vec<(&'static str, &'static str)> {
        let weaker = |(own, other): (RuleRef<'_>, RuleRef<'_>)| {
            let numbers = own.numbers.into_iter().zip(other.numbers);
            let less = numbers.filter(|(own, other)| own.strength < other.strength);
            less.map(|(number, _)| (own.name, number.name)).collect::<Vec<_>>()
        };
        self.each().into_iter().zip(other.each()).flat_map(weaker).collect()
    }

    fn check(&self) -> Result<(), PolicyError> {
        self.each().iter().try_for_each(RuleRef::check)?;
        match self.many_minors.numbers.then {
            Then::Desk => Ok(()),
            Then::Restrict => Err(self.many_minors.named("many-minors").refused(
                "`then` is \"desk\": who is told of a restriction would learn that some of those they tried are minors",
            )),
        }
    }

    /// All rules, in the order of the file.
    fn each(&self) -> [RuleRef<'_>; 14] {
        [
            self.age.named("age"),
            self.first_contact.named("first-contact"),
            self.codes.named("codes"),
            self.tokens.named("tokens"),
            self.strangers.named("strangers"),
            self.groups.named("groups"),
            self.search.named("search"),
            self.notices.named("notices"),
            self.unwanted.named("unwanted"),
            self.many_minors.named("many-minors"),
            self.block.named("block"),
            self.guardians.named("guardians"),
            self.quiet_hours.named("quiet-hours"),
            self.receipts.named("receipts"),
        ]
    }
}

/// A rule, whatever its numbers are.
#[derive(PartialEq, Eq)]
struct RuleRef<'a> {
    name: &'static str,
    says: &'a Words,
    source: &'a str,
    numbers: Vec<Number>,
    trouble: Option<&'static str>,
}

impl<N: Numbers> Rule<N> {
    /// What it says, with its numbers.
    pub fn sentence(&self, language: Language) -> String {
        self.named("").sentence(language)
    }

    fn named(&self, name: &'static str) -> RuleRef<'_> {
        let (numbers, trouble) = (self.numbers.numbers(), self.numbers.trouble());
        RuleRef { name, says: &self.says, source: &self.source, numbers, trouble }
    }
}

impl RuleRef<'_> {
    fn refused(&self, why: impl Into<String>) -> PolicyError {
        PolicyError::Rule { rule: self.name.into(), why: why.into() }
    }

    fn sentence(&self, language: Language) -> String {
        let blank = self.says.in_language(language).to_owned();
        let filled = |text: String, number: &Number| {
            text.replace(&format!("{{{}}}", number.name), &number.value.words(language))
        };
        self.numbers.iter().fold(blank, filled)
    }

    fn check(&self) -> Result<(), PolicyError> {
        for (what, text) in [("says.en", &*self.says.en), ("says.nl", &self.says.nl), ("source", self.source)]
        {
            if text.is_empty() || text.len() > MAX_WORDS || text.contains(is_unseen) {
                return Err(self.refused(format!(
                    "`{what}` is one line of 1 to {MAX_WORDS} bytes that can all be seen"
                )));
            }
        }
        for (language, text) in [("en", &self.says.en), ("nl", &self.says.nl)] {
            let named = placeholders(text);
            if let Some(unknown) = named.iter().find(|name| self.numbers.iter().all(|n| n.name != **name)) {
                return Err(
                    self.refused(format!("`says.{language}` names {{{unknown}}}, which is no number of it"))
                );
            }
            if let Some(unsaid) = self.numbers.iter().find(|n| n.said && !named.contains(&n.name)) {
                return Err(self.refused(format!("`says.{language}` does not name {{{}}}", unsaid.name)));
            }
        }
        for Number { name, value, sound, .. } in &self.numbers {
            if value.count().is_some_and(|count| !sound.contains(&count)) {
                let (least, most) = (sound.start(), sound.end());
                return Err(self.refused(format!("`{name}` is from {least} to {most}")));
            }
        }
        self.trouble.map_or(Ok(()), |why| Err(self.refused(why)))
    }
}

/// What stands in braces in a sentence; a brace without its partner gives something that is no number's name.
fn placeholders(text: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let (brace, behind) = rest[at..].split_at(1);
        let end = if brace == "{" { behind.find('}') } else { None };
        match end {
            Some(end) => {
                names.push(&behind[..end]);
                rest = &behind[end + 1..];
            }
            None => {
                names.push(brace);
                rest = behind;
            }
        }
    }
    names
}

fn from_toml<T: DeserializeOwned>(text: &str) -> Result<T, PolicyError> {
    if text.len() > MAX_FILE {
        return Err(PolicyError::Form(format!("it is longer than {MAX_FILE} bytes")));
    }
    toml::from_str(text).map_err(|error| {
        // Its own display would show the line as it stands.
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        PolicyError::Form(format!("line {line}: {}", seen(error.message())))
    })
}

/// Foreign text as it may be shown.
fn seen(text: &str) -> String {
    text.replace(is_unseen, "?")
}

#[cfg(test)]
mod tests;
