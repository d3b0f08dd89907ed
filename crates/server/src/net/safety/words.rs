//! What the pages say around the rules and the help lines, in each language.

use zegel_safety::Language;

/// The parts of a page that are the same wherever they stand.
pub(super) struct Said {
    pub tag: &'static str,
    /// The other language: its tag, and its name in itself.
    pub other: (&'static str, &'static str),
    pub skip: &'static str,
    pub menu: &'static str,
    pub pages: [(&'static str, &'static str); 4],
    pub not_reviewed: &'static str,
    pub not_noted: &'static str,
    pub source: &'static str,
}

const ENGLISH: Said = Said {
    tag: "en",
    other: ("nl", "Nederlands"),
    skip: "Skip to the content",
    menu: "Safety",
    pages: [
        ("/safety", "The rules"),
        ("/safety/young", "For you"),
        ("/safety/guardians", "For guardians"),
        ("/safety/help", "Help"),
    ],
    not_reviewed: "The makers of Zegel wrote this page. Child-safety experts have not reviewed it yet.",
    not_noted: "These pages run no script and set no cookie, and the service does not note who reads them. Your browser \
                may remember them, and your network can see that you were at this site.",
    source: "Source",
};

const DUTCH: Said = Said {
    tag: "nl",
    other: ("en", "English"),
    skip: "Naar de inhoud",
    menu: "Veiligheid",
    pages: [
        ("/safety", "De regels"),
        ("/safety/young", "Voor jou"),
        ("/safety/guardians", "Voor begeleiders"),
        ("/safety/help", "Hulp"),
    ],
    not_reviewed: "De makers van Zegel schreven deze pagina. Deskundigen in de veiligheid van kinderen hebben haar nog \
                   niet beoordeeld.",
    not_noted: "Deze pagina's draaien geen script en zetten geen cookie, en de dienst onthoudt niet wie ze leest. Je \
                browser kan ze onthouden, en je netwerk kan zien dat je op deze site was.",
    source: "Bron",
};

/// In this language.
pub(super) fn said(language: Language) -> &'static Said {
    match language {
        Language::English => &ENGLISH,
        Language::Dutch => &DUTCH,
    }
}

/// What a rule is about; a rule without a title has its name.
pub(super) fn title(rule: &str, language: Language) -> &str {
    let titles = [
        ("age", "Your age group", "Je leeftijdsgroep"),
        ("first-contact", "Who can reach you", "Wie je kan bereiken"),
        ("codes", "Contact codes", "Contactcodes"),
        ("tokens", "Friends who bring somebody along", "Vrienden die iemand meebrengen"),
        ("strangers", "How many strangers in a day", "Hoeveel onbekenden op een dag"),
        ("groups", "Groups", "Groepen"),
        ("search", "No search for people", "Geen zoeken naar mensen"),
        ("notices", "What you are told about somebody new", "Wat je hoort over iemand die nieuw is"),
        ("unwanted", "When many people do not want somebody", "Als veel mensen iemand niet willen"),
        (
            "many-minors",
            "When a stranger tries many children",
            "Als een onbekende het bij veel kinderen probeert",
        ),
        ("block", "Blocking", "Blokkeren"),
        ("guardians", "Guardians", "Begeleiders"),
        ("quiet-hours", "Quiet hours", "Stille uren"),
        ("receipts", "No ticks, no green dot", "Geen vinkjes, geen groen bolletje"),
    ];
    pick(&titles, rule, language)
}

/// What a number of a rule is; one without words has its name in the file.
pub(super) fn number(name: &str, language: Language) -> &str {
    let words = [
        ("days", "days", "dagen"),
        ("per_friend", "tickets for each friend", "kaartjes per vriend"),
        ("new_a_day", "strangers in a day, while new", "onbekenden op een dag, zolang je nieuw bent"),
        ("a_day", "strangers in a day", "onbekenden op een dag"),
        ("new_days", "days that an account is new", "dagen dat een account nieuw is"),
        ("declined_people", "people who declined or blocked", "mensen die weigerden of blokkeerden"),
        ("reported_people", "people who reported", "mensen die meldden"),
        ("minors", "children and teens", "kinderen en tieners"),
        ("people", "people", "mensen"),
        ("then", "what follows", "wat er volgt"),
        ("for_days", "days that it lasts", "dagen dat het duurt"),
        ("until", "until the account is that of", "tot het account dat is van"),
        ("from_hour", "from the hour", "vanaf het uur"),
        ("to_hour", "to the hour", "tot het uur"),
    ];
    pick(&words, name, language)
}

/// What stands for a number in the file; most are one.
pub(super) fn value(value: &str, language: Language) -> &str {
    let words = [
        ("restrict", "a restriction", "een beperking"),
        ("desk", "a person looks at it", "een medewerker kijkt ernaar"),
        ("teen", "a teen", "een tiener"),
        ("adult", "an adult", "een volwassene"),
    ];
    pick(&words, value, language)
}

fn pick<'a>(words: &[(&str, &'static str, &'static str)], name: &'a str, language: Language) -> &'a str {
    let found = words.iter().find(|(known, ..)| *known == name);
    match (found, language) {
        (Some((_, english, _)), Language::English) => english,
        (Some((_, _, dutch)), Language::Dutch) => dutch,
        (None, _) => name,
    }
}

/// A country of the help lines.
pub(super) fn country_name(country: &str, language: Language) -> &str {
    let names = [
        ("nl", "Netherlands", "Nederland"),
        ("be", "Belgium", "België"),
        ("de", "Germany", "Duitsland"),
        ("at", "Austria", "Oostenrijk"),
        ("ch", "Switzerland", "Zwitserland"),
        ("gb", "United Kingdom", "Verenigd Koninkrijk"),
        ("ie", "Ireland", "Ierland"),
        ("fr", "France", "Frankrijk"),
        ("es", "Spain", "Spanje"),
        ("it", "Italy", "Italië"),
        ("us", "United States", "Verenigde Staten"),
        ("ca", "Canada", "Canada"),
        ("au", "Australia", "Australië"),
        ("eu", "Other countries of the EU", "Andere landen van de EU"),
        ("*", "Everywhere", "Overal"),
    ];
    pick(&names, country, language)
}

#[cfg(test)]
mod tests {
    use zegel_safety::{Policy, help_countries};

    use super::*;

    #[test]
    fn every_rule_and_country_has_a_name_in_each_language() {
        for language in [Language::English, Language::Dutch] {
            for rule in Policy::shipped().rule_names() {
                assert_ne!(title(rule, language), rule);
            }
            // One word of the file is the same in English.
            let numbers = Policy::shipped().rules(language).into_iter().flat_map(|rule| rule.numbers);
            for (name, plain) in numbers {
                assert!(!number(&name, language).contains('_'), "{name}");
                assert!(plain.parse::<u32>().is_ok() || value(&plain, language) != plain, "{name}: {plain}");
            }
            for country in help_countries().into_iter().chain(["eu", "*"]) {
                assert_ne!(country_name(country, language), country);
            }
        }
        assert_eq!(title("of-a-newer-release", Language::Dutch), "of-a-newer-release");
    }
}
