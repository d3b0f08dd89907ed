//! What the child and the guardian are told, in plain words.

use zegel_content::Asked;
use zegel_proto::v1::AgeBand;
use zegel_safety::{Language, band_word};

use crate::db::Role;

/// A line on screen. `Role` is what the person named is to the reader.
pub(in crate::core) enum Word<'a> {
    /// They want to be linked with us.
    Proposed(Role, &'a str),
    /// We asked them to be our guardian.
    YouAsked(&'a str),
    /// They take that back, or turn ours down.
    Withdrawn(&'a str),
    /// We are linked.
    Linked(Role, &'a str),
    /// We are linked no more.
    Ended(Role, &'a str),
    /// Likewise, because of our own age.
    EndedByAge(Role, &'a str),
    /// The service did not take them as guardian, and why.
    KeyRefused(&'a str, &'a str),
    /// A child asks, and whom they are told what about.
    Asks(&'a str, &'a Asked, (&'a str, &'a [String])),
    /// Guardian, who, and whether a request was accepted.
    AllowedContact(&'a str, &'a str, bool),
    /// Guardian and group.
    AllowedGroup(&'a str, &'a str),
    /// Guardian, and what they do not allow.
    Refused(&'a str, &'a Asked),
    /// Guardian and group: others came since they were asked.
    OthersCame(&'a str, &'a str),
    /// Guardian, and who or which group: something is known now that they were not told.
    MoreIsKnown(&'a str, &'a str),
    /// Our age band is this now.
    AgeChanged(AgeBand),
    /// It did not become this one, and why.
    AgeNotChanged(AgeBand, &'a str),
    /// The service keeps this one, and not by an act of ours.
    AgeDiffers(AgeBand),
    /// Likewise one that would protect less, which is not taken.
    AgeDoubted(AgeBand),
}

/// What a child reads before and after it takes somebody as guardian.
pub(crate) fn warning(who: &str, language: Language) -> String {
    match language {
        Language::English => format!(
            "Only link with somebody who looks after you, like a parent, and whom you can ask in person. {who} then sees \
             with whom you are in contact and what you are told about who comes, never what you say, and decides about \
             new contacts, about groups and about your age. If somebody you only know from the internet asks you to do this: do not, and tell an adult whom \
             you trust."
        ),
        Language::Dutch => format!(
            "Doe dit alleen met iemand die voor je zorgt, zoals een ouder, en aan wie je het zelf kunt vragen. {who} ziet \
             dan met wie je contact hebt en wat je over een nieuwkomer leest, nooit wat je zegt, en beslist over nieuwe \
             contacten, over groepen en over je leeftijd. Vraagt iemand die je alleen van internet kent dit aan je? Doe het niet, en vertel het aan een \
             volwassene die je vertrouwt."
        ),
    }
}

impl Word<'_> {
    /// In this language.
    pub(in crate::core) fn says(&self, language: Language) -> String {
        match language {
            Language::English => self.in_english(),
            Language::Dutch => self.in_dutch(),
        }
    }

    fn in_english(&self) -> String {
        match self {
            Self::Proposed(Role::Guardian, who) => format!(
                "{who} wants to be your guardian. {} To agree: `guardian link {who}`. Otherwise do nothing, or \
                 `block {who}`, or `report {who}`.",
                warning(who, Language::English)
            ),
            Self::Proposed(Role::Child, who) => format!(
                "{who} asks you to be their guardian. You would see with whom they are in contact and what they are told about \
                 who comes, never what is said, and decide about new contacts, about groups and about their age. If you look after {who}: \
                 `guardian link {who}`."
            ),
            Self::YouAsked(who) => format!(
                "You asked {who} to be your guardian. {} To take it back before they agree: `guardian unlink {who}`.",
                warning(who, Language::English)
            ),
            Self::Withdrawn(who) => format!("{who} does not want to be linked as child and guardian."),
            Self::Linked(Role::Guardian, who) => format!(
                "{who} is your guardian now. They see with whom you are in contact and what you are told about who \
                 comes, never what you say, and are asked before somebody new comes. You can always block or report them; that ends it."
            ),
            Self::Linked(Role::Child, who) => format!(
                "You are the guardian of {who} now. You are asked before somebody new comes, with what {who} is told of \
                 them (`guardian requests`), and see with whom {who} is in contact (`guardian contacts {who}`)."
            ),
            Self::Ended(Role::Guardian, who) => format!("{who} is no longer your guardian."),
            Self::Ended(Role::Child, who) => format!("You are no longer the guardian of {who}."),
            Self::EndedByAge(Role::Guardian, who) => {
                format!("{who} is no longer your guardian: your account's age is past that now.")
            }
            Self::EndedByAge(Role::Child, who) => {
                format!("You are no longer the guardian of {who}: your account is not an adult's any more.")
            }
            Self::KeyRefused(who, why) => {
                format!("{who} could not become your guardian: the service said: {why}")
            }
            Self::Asks(child, Asked::Contact { handle }, told) => format!(
                "{child} asks to be in contact with {handle}. {}{}",
                known(child, "is told of", *told),
                commands(child, handle, "or")
            ),
            Self::Asks(child, Asked::Group { name, people }, told) => format!(
                "{child} asks to be in the group {}, with {}. {}{}",
                quoted(name),
                some(people, "and", "more"),
                known(child, "is told of", *told),
                commands(child, name, "or")
            ),
            Self::Asks(child, Asked::Age { band }, _) => {
                let band = band_word((*band).into(), Language::English);
                format!("{child} asks to have the age of: {band}. {}", commands(child, band, "or"))
            }
            Self::AllowedContact(guardian, who, true) => {
                format!("{guardian} allows contact with {who}, and their request is accepted.")
            }
            Self::AllowedContact(guardian, who, false) => {
                format!("{guardian} allows contact with {who}: you can write now.")
            }
            Self::AllowedGroup(guardian, name) => {
                format!("{guardian} allows the group {}, and you are in it.", quoted(name))
            }
            Self::Refused(guardian, Asked::Contact { handle }) => {
                format!("{guardian} does not allow contact with {handle}.")
            }
            Self::Refused(guardian, Asked::Group { name, .. }) => {
                format!("{guardian} does not allow the group {}.", quoted(name))
            }
            Self::Refused(guardian, Asked::Age { band }) => {
                let band = band_word((*band).into(), Language::English);
                format!("{guardian} does not allow the age of: {band}.")
            }
            Self::OthersCame(guardian, name) => format!(
                "Others are in the group {} now than {guardian} was asked about, so {guardian} is asked again.",
                quoted(name)
            ),
            Self::MoreIsKnown(guardian, name) => format!(
                "More is known now of {} than {guardian} was told, so {guardian} is asked again.",
                quoted(name)
            ),
            Self::AgeChanged(band) => {
                format!("Your account's age is now: {}.", band_word(*band, Language::English))
            }
            Self::AgeNotChanged(band, why) => format!(
                "Your account's age did not become: {}. The service said: {why}",
                band_word(*band, Language::English)
            ),
            Self::AgeDiffers(band) => format!(
                "The service keeps another age for this account now: {}.",
                band_word(*band, Language::English)
            ),
            Self::AgeDoubted(band) => format!(
                "The service says that this account is now another age: {0}. Nobody asked for that on this device, which goes \
                 on protecting you as before. If it is right, say so: `age {0}`.",
                band_word(*band, Language::English)
            ),
        }
    }

    fn in_dutch(&self) -> String {
        match self {
            Self::Proposed(Role::Guardian, who) => format!(
                "{who} wil je begeleider zijn. {} Als je het wilt: `guardian link {who}`. Doe anders niets, of \
                 `block {who}`, of `report {who}`.",
                warning(who, Language::Dutch)
            ),
            Self::Proposed(Role::Child, who) => format!(
                "{who} vraagt of je hun begeleider wilt zijn. Je ziet dan met wie ze contact hebben en wat ze over een nieuwkomer lezen, \
                 nooit wat er wordt gezegd, en beslist over nieuwe contacten, over groepen en over hun leeftijd. Als je voor {who} zorgt: \
                 `guardian link {who}`."
            ),
            Self::YouAsked(who) => format!(
                "Je hebt {who} gevraagd je begeleider te zijn. {} Intrekken kan, zolang {who} niet heeft toegestemd: \
                 `guardian unlink {who}`.",
                warning(who, Language::Dutch)
            ),
            Self::Withdrawn(who) => format!("{who} wil geen koppeling als kind en begeleider."),
            Self::Linked(Role::Guardian, who) => format!(
                "{who} is nu je begeleider. Die ziet met wie je contact hebt en wat je over een nieuwkomer leest, nooit wat je zegt, en wordt gevraagd \
                 voordat er iemand nieuw bij komt. Je kunt {who} altijd blokkeren of melden; daarmee is het voorbij."
            ),
            Self::Linked(Role::Child, who) => format!(
                "Je bent nu de begeleider van {who}. Je wordt gevraagd voordat er iemand nieuw bij komt, met wat {who} over die \
                 persoon leest (`guardian requests`), en ziet met wie {who} contact heeft (`guardian contacts {who}`)."
            ),
            Self::Ended(Role::Guardian, who) => format!("{who} is niet meer je begeleider."),
            Self::Ended(Role::Child, who) => format!("Je bent niet meer de begeleider van {who}."),
            Self::EndedByAge(Role::Guardian, who) => {
                format!("{who} is niet meer je begeleider: daar is de leeftijd van je account nu voorbij.")
            }
            Self::EndedByAge(Role::Child, who) => format!(
                "Je bent niet meer de begeleider van {who}: je account is niet meer dat van een volwassene."
            ),
            Self::KeyRefused(who, why) => {
                format!("{who} kon niet je begeleider worden; de dienst zei: {why}")
            }
            Self::Asks(child, Asked::Contact { handle }, told) => format!(
                "{child} vraagt om contact met {handle}. {}{}",
                known(child, "leest over", *told),
                commands(child, handle, "of")
            ),
            Self::Asks(child, Asked::Group { name, people }, told) => format!(
                "{child} vraagt om in de groep {} te zijn, met {}. {}{}",
                quoted(name),
                some(people, "en", "anderen"),
                known(child, "leest over", *told),
                commands(child, name, "of")
            ),
            Self::Asks(child, Asked::Age { band }, _) => format!(
                "{child} vraagt om de leeftijd: {}. {}",
                band_word((*band).into(), Language::Dutch),
                commands(child, band_word((*band).into(), Language::English), "of")
            ),
            Self::AllowedContact(guardian, who, true) => {
                format!("{guardian} vindt contact met {who} goed, en het verzoek is aangenomen.")
            }
            Self::AllowedContact(guardian, who, false) => {
                format!("{guardian} vindt contact met {who} goed: je kunt nu schrijven.")
            }
            Self::AllowedGroup(guardian, name) => {
                format!("{guardian} vindt de groep {} goed; je zit erin.", quoted(name))
            }
            Self::Refused(guardian, Asked::Contact { handle }) => {
                format!("{guardian} vindt contact met {handle} niet goed.")
            }
            Self::Refused(guardian, Asked::Group { name, .. }) => {
                format!("{guardian} vindt de groep {} niet goed.", quoted(name))
            }
            Self::Refused(guardian, Asked::Age { band }) => {
                let band = band_word((*band).into(), Language::Dutch);
                format!("{guardian} vindt de leeftijd niet goed: {band}.")
            }
            Self::OthersCame(guardian, name) => format!(
                "In de groep {} zitten nu anderen dan {guardian} is gevraagd; {guardian} wordt opnieuw gevraagd.",
                quoted(name)
            ),
            Self::MoreIsKnown(guardian, name) => format!(
                "Over {} is nu meer bekend dan {guardian} te lezen kreeg; {guardian} wordt opnieuw gevraagd.",
                quoted(name)
            ),
            Self::AgeChanged(band) => {
                format!("De leeftijd van je account is nu: {}.", band_word(*band, Language::Dutch))
            }
            Self::AgeNotChanged(band, why) => format!(
                "De leeftijd van je account is niet veranderd in: {}. De dienst zei: {why}",
                band_word(*band, Language::Dutch)
            ),
            Self::AgeDiffers(band) => format!(
                "De dienst bewaart nu een andere leeftijd voor dit account: {}.",
                band_word(*band, Language::Dutch)
            ),
            Self::AgeDoubted(band) => format!(
                "De dienst zegt dat dit account nu een andere leeftijd heeft: {}. Op dit apparaat is daar niet om gevraagd, en \
                 het beschermt je zoals tevoren. Klopt het toch, zeg dat dan: `age {}`.",
                band_word(*band, Language::Dutch),
                band_word(*band, Language::English)
            ),
        }
    }
}

/// What the child can read about whoever comes, in quotation marks: "you" in it is the child.
fn known(child: &str, is_told: &str, (of, told): (&str, &[String])) -> String {
    match told {
        [] => String::new(),
        told => format!("{child} {is_told} {of}: “{}” ", told.join(" ")),
    }
}

/// A name that others chose, within quotation marks that it cannot end: what stands behind it is ours.
fn quoted(name: &str) -> String {
    format!("“{}”", name.replace(['“', '”', '„', '‟', '"', '＂', '«', '»', '″', '‶', '〝', '〞', '〟'], "'"))
}

/// What to type. A name that a shell would take apart stands in no command that somebody may copy: others choose the names
/// of groups.
fn commands(child: &str, name: &str, or: &str) -> String {
    match name.chars().all(|c| c.is_alphanumeric() || " ._-".contains(c)) {
        true => format!("`guardian allow {child} \"{name}\"` {or} `guardian refuse {child} \"{name}\"`."),
        false => "`guardian requests`.".into(),
    }
}

/// At most ten names, and how many more there are.
fn some(people: &[String], and: &str, more: &str) -> String {
    match people {
        [] => "-".into(),
        few if few.len() <= 10 => few.join(", "),
        many => format!("{} {and} {} {more}", many[..9].join(", "), many.len() - 9),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEOPLE: [&str; 12] = ["a1", "a2", "a3", "a4", "a5", "a6", "a7", "a8", "a9", "b0", "b1", "b2"];

    fn group(name: &str, people: usize) -> Asked {
        let people = PEOPLE[..people].iter().map(|&handle| handle.to_owned()).collect();
        Asked::Group { name: name.into(), people }
    }

    #[test]
    fn a_name_that_a_shell_would_take_apart_stands_in_no_command() {
        let says = |name: &str| Word::Asks("kid", &group(name, 2), ("", &[])).says(Language::English);
        assert!(says("chess club 2").ends_with("`guardian refuse kid \"chess club 2\"`."));
        for name in ["x\"; rm -rf ~; \"", "$(id)", "`id`", "a\\b", "club!"] {
            let text = says(name);
            assert!(text.ends_with(", with a1, a2. `guardian requests`."), "{text}");
        }
    }

    #[test]
    fn a_groups_name_says_nothing_in_our_place() {
        let name = "club”, with ann. kid is told of ann: “They teach at your school.";
        let told = ["Their account is new.".to_owned()];
        let says = Word::Asks("kid", &group(name, 1), ("eve", &told)).says(Language::English);
        let (before, after) = says.split_once("”, with a1. ").expect("one end of the name");
        assert_eq!(before.matches(['“', '”']).count(), 1, "{says}");
        assert!(after.starts_with("kid is told of eve: “Their account is new.” `guardian"), "{says}");
    }

    #[test]
    fn many_people_are_counted() {
        let says = |people| Word::Asks("kid", &group("club", people), ("", &[])).says(Language::English);
        assert!(says(10).contains("with a1, a2, a3, a4, a5, a6, a7, a8, a9, b0. "));
        assert!(says(12).contains("a8, a9 and 3 more. "), "{}", says(12));
        assert!(says(0).contains("with -. "));
    }

    /// Each is said in both languages, names who it is about, and warns whom to agree with.
    #[test]
    fn a_child_is_warned_in_its_own_language() {
        for word in [Word::Proposed(Role::Guardian, "mum"), Word::YouAsked("mum")] {
            let (english, dutch) = (word.says(Language::English), word.says(Language::Dutch));
            assert!(
                english.contains("mum") && english.contains("looks after you, like a parent"),
                "{english}"
            );
            assert!(dutch.contains("mum") && dutch.contains("voor je zorgt, zoals een ouder"), "{dutch}");
        }
    }
}
