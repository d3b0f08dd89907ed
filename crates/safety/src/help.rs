//! Help lines by country, from a file that is part of the program: to look is to ask nobody.

use std::sync::LazyLock;

use serde::Deserialize;

use crate::{Language, Words};

const FILE: &str = include_str!("../data/help.toml");
/// Everywhere.
const EVERYWHERE: &str = "*";
/// Countries of the European Union.
const EU: &str = "eu";
const EU_COUNTRIES: [&str; 27] = [
    "at", "be", "bg", "cy", "cz", "de", "dk", "ee", "es", "fi", "fr", "gr", "hr", "hu", "ie", "it", "lt",
    "lu", "lv", "mt", "nl", "pl", "pt", "ro", "se", "si", "sk",
];

/// What is known about a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verified {
    /// Read on its own site, or its network's.
    Page,
    /// Read in somebody else's account of it.
    Account,
}

/// Somebody who helps.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HelpLine {
    /// Two small letters; `eu` and `*` for many.
    pub country: String,
    /// What it is called.
    pub name: String,
    /// For whom and what.
    pub what: Words,
    /// Its numbers, as people write them in the country.
    pub phones: Vec<String>,
    /// Its site.
    pub web: String,
    /// When somebody is there.
    pub hours: Words,
    /// Where this was read.
    pub source: String,
    /// How well that is known.
    pub verified: Verified,
}

/// Whom to call in danger.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Emergency {
    /// Two small letters each; `eu` for all of the European Union.
    countries: Vec<String>,
    /// The number.
    pub phone: String,
    /// Where, in words that follow "in".
    #[serde(rename = "where")]
    pub place: Words,
    /// Where this was read.
    pub source: String,
    /// How well that is known.
    pub verified: Verified,
}

/// The whole file.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Help {
    checked: String,
    emergency: Vec<Emergency>,
    line: Vec<HelpLine>,
}

impl HelpLine {
    /// Its numbers: as people write them, and as a telephone dials them.
    pub fn dialled(&self) -> impl Iterator<Item = (&str, String)> {
        let digits = |phone: &str| phone.chars().filter(char::is_ascii_digit).collect();
        self.phones.iter().map(move |phone| (phone.as_str(), digits(phone)))
    }
}

static HELP: LazyLock<Help> = LazyLock::new(|| toml::from_str(FILE).expect("the tests read it"));

impl Words {
    /// In this language.
    pub fn in_language(&self, language: Language) -> &str {
        match language {
            Language::English => &self.en,
            Language::Dutch => &self.nl,
        }
    }
}

/// The day when the lines were last looked up, `YYYY-MM-DD`.
pub fn help_checked() -> &'static str {
    &HELP.checked
}

/// Whom to call in danger in this country (two letters, large or small), if we know.
pub fn emergency(country: &str) -> Option<&'static Emergency> {
    let country = country.to_ascii_lowercase();
    let union = EU_COUNTRIES.contains(&country.as_str()).then_some(EU);
    let of = |wanted: &str| HELP.emergency.iter().find(|it| it.countries.iter().any(|one| one == wanted));
    of(&country).or_else(|| union.and_then(of))
}

/// Whom to call in danger, wherever we know.
pub fn emergencies() -> &'static [Emergency] {
    &HELP.emergency
}

/// The countries that have lines of their own, by two letters, in the order of the file.
pub fn help_countries() -> Vec<&'static str> {
    let mut countries: Vec<_> = HELP.line.iter().map(|line| line.country.as_str()).collect();
    countries.dedup();
    countries.retain(|country| ![EU, EVERYWHERE].contains(country));
    countries
}

/// The lines for a country (two letters, large or small), and those for everywhere after them. An unknown country and
/// none have those for everywhere.
pub fn help_lines(country: &str) -> Vec<&'static HelpLine> {
    let country = country.to_ascii_lowercase();
    let of = |wanted: &str| HELP.line.iter().filter(|line| line.country == wanted).collect::<Vec<_>>();
    let mut lines = match [EU, EVERYWHERE].contains(&country.as_str()) {
        true => Vec::new(),
        false => of(&country),
    };
    if lines.is_empty() && (country == EU || EU_COUNTRIES.contains(&country.as_str())) {
        lines = of(EU);
    }
    lines.extend(of(EVERYWHERE));
    lines
}

/// The country of a locale (`nl_BE.UTF-8`) or a language tag (`nl-BE`), in two small letters, if it names one.
pub fn country_of(locale: &str) -> Option<String> {
    let plain = locale.split(['.', '@']).next().unwrap_or_default();
    let mut parts = plain.split(['_', '-']).skip(1);
    parts
        .find(|part| part.len() == 2 && part.bytes().all(|b| b.is_ascii_alphabetic()))
        .map(str::to_ascii_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(country: &str) -> Vec<&str> {
        help_lines(country).iter().map(|line| line.name.as_str()).collect()
    }

    #[test]
    fn every_line_is_whole() {
        assert_eq!(help_checked().len(), "2026-11-22".len());
        for line in &HELP.line {
            let whole =
                [&line.name, &line.what.en, &line.what.nl, &line.hours.en, &line.hours.nl, &line.source];
            assert!(whole.iter().all(|text| !text.is_empty()), "{line:?}");
            assert!(line.web.starts_with("https://") && !line.web.contains(['"', ' ', '<']), "{line:?}");
            let written =
                |phone: &String| phone.bytes().all(|b| b.is_ascii_digit() || b == b'-' || b == b' ');
            assert!(line.phones.iter().all(written), "{line:?}");
            let known = line.country.bytes().all(|b| b.is_ascii_lowercase()) && line.country.len() == 2;
            assert!(known || line.country == EVERYWHERE, "{line:?}");
        }
    }

    #[test]
    fn in_danger_each_country_has_its_own_number() {
        for (country, phone) in [
            ("nl", "112"),
            ("PT", "112"),
            ("eu", "112"),
            ("ch", "112"),
            ("gb", "999"),
            ("US", "911"),
            ("au", "000"),
        ] {
            assert_eq!(emergency(country).map(|it| &*it.phone), Some(phone), "{country}");
        }
        for unknown in ["jp", "", "*", "usa"] {
            assert_eq!(emergency(unknown), None, "{unknown}");
        }
        // Who has help lines has a number to call.
        assert!(help_countries().iter().all(|country| emergency(country).is_some()));
        let whole = |it: &Emergency| {
            let texts = [&it.place.en, &it.place.nl, &it.source];
            texts.iter().all(|text| !text.is_empty()) && it.phone.bytes().all(|b| b.is_ascii_digit())
        };
        assert!(emergencies().iter().all(whole));
    }

    #[test]
    fn each_country_has_its_own_first() {
        assert_eq!(
            names("nl")[..4],
            ["Kindertelefoon", "Helpwanted (Offlimits)", "113 Zelfmoordpreventie", "Find A Helpline"]
        );
        assert_eq!(names("NL"), names("nl"));
        let childline: Vec<_> = help_lines("gb")[0].dialled().collect();
        assert_eq!(childline, [("0800 1111", "08001111".to_owned())]);
        for country in help_countries() {
            assert!(names(country).len() > names("*").len(), "{country}");
            assert!(!names(country).contains(&"116 111"), "{country} has its own");
        }
        assert_eq!(help_countries().iter().filter(|country| **country == "nl").count(), 1);
    }

    #[test]
    fn other_countries_have_what_is_there_for_all() {
        assert_eq!(names("pt")[0], "116 111");
        assert_eq!(names("EU")[0], "116 111");
        for unknown in ["jp", "", "*", "\u{1f600}", "netherlands"] {
            assert_eq!(names(unknown), ["Find A Helpline", "Take It Down (NCMEC)", "StopNCII"], "{unknown}");
        }
    }

    #[test]
    fn a_locale_names_a_country() {
        for (locale, country) in [
            ("nl_NL.UTF-8", Some("nl")),
            ("nl-BE", Some("be")),
            ("en_GB", Some("gb")),
            ("de_AT@euro", Some("at")),
            ("zh-Hans-CN", Some("cn")),
            ("nl", None),
            ("C.UTF-8", None),
            ("", None),
        ] {
            assert_eq!(country_of(locale).as_deref(), country, "{locale}");
        }
    }
}
