//! Countries by what people call them.

use zegel_client::safety::help_countries;

/// The countries that help lines are known for: two letters, and their names in English and Dutch.
const NAMES: [(&str, [&str; 2]); 13] = [
    ("nl", ["the Netherlands", "Nederland"]),
    ("be", ["Belgium", "België"]),
    ("de", ["Germany", "Duitsland"]),
    ("at", ["Austria", "Oostenrijk"]),
    ("ch", ["Switzerland", "Zwitserland"]),
    ("gb", ["the United Kingdom", "het Verenigd Koninkrijk"]),
    ("ie", ["Ireland", "Ierland"]),
    ("fr", ["France", "Frankrijk"]),
    ("es", ["Spain", "Spanje"]),
    ("it", ["Italy", "Italië"]),
    ("us", ["the United States", "de Verenigde Staten"]),
    ("ca", ["Canada", "Canada"]),
    ("au", ["Australia", "Australië"]),
];
/// What people write for a country that has other letters.
const ALSO: [(&str, &str); 6] =
    [("uk", "gb"), ("england", "gb"), ("scotland", "gb"), ("wales", "gb"), ("usa", "us"), ("holland", "nl")];

/// The two letters of a country, from those or from its name; what is unknown comes back in small letters.
pub fn code(given: &str) -> String {
    let plain = |name: &str| {
        let name = name.trim().to_lowercase();
        let articles = ["the ", "het ", "de "].iter().find_map(|article| name.strip_prefix(article));
        articles.unwrap_or(&name).to_owned()
    };
    let given = plain(given);
    let named = NAMES.iter().find(|(_, names)| names.iter().any(|name| plain(name) == given));
    let also = || ALSO.iter().find(|(name, _)| *name == given).map(|(_, code)| *code);
    named.map(|(code, _)| *code).or_else(also).map_or(given, str::to_owned)
}

/// The countries that have lines of their own: `nl (the Netherlands)`.
pub fn list(dutch: bool) -> String {
    let name = |code: &str| {
        let names =
            NAMES.iter().find(|(known, _)| *known == code).map(|(_, names)| names[usize::from(dutch)]);
        names.map_or_else(|| code.to_owned(), |name| format!("{code} ({name})"))
    };
    let mut all: Vec<_> = help_countries().into_iter().map(name).collect();
    all.dedup();
    all.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_country_is_known_by_its_letters_and_its_name() {
        for (given, code_of_it) in [
            ("NL", "nl"),
            ("uk", "gb"),
            ("United Kingdom", "gb"),
            ("België", "be"),
            ("the netherlands", "nl"),
            ("Verenigde Staten", "us"),
            ("se", "se"),
            ("Atlantis", "atlantis"),
        ] {
            assert_eq!(code(given), code_of_it);
        }
    }

    #[test]
    fn every_country_with_lines_has_a_name() {
        for code in help_countries() {
            assert!(NAMES.iter().any(|(known, _)| *known == code), "{code}");
        }
    }
}
