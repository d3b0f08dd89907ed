//! What somebody is told about whoever comes to them: facts about accounts and introductions, never about what is said.

use crate::{Language, Policy};

/// A fact about somebody new, and what it rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Their account is young.
    NewAccount,
    /// Nobody whom one knows vouches for them, and no group is shared.
    NobodyInCommon,
    /// Many declined or blocked them lately.
    DeclinedByMany,
    /// Many reported them lately, with proof.
    ReportedByMany,
    /// They came to many minors lately.
    ManyMinors,
    /// A friend passed a ticket to one (a connection token) on to them.
    Via(String),
    /// They had a contact code of one's own.
    ByCode,
    /// These people of a group are no contacts of one's own.
    Unconnected(Vec<String>),
    /// These people came into a group of one's own, and are no contacts of one's own. Each is named: nobody comes unseen
    /// behind a crowd.
    Joined(Vec<String>),
}

/// So many names of a group that one is not in yet are spelled out at most.
const MOST_NAMES: usize = 20;

impl Notice {
    /// In words: what is known, from where, and what one can do. (It is the same for every receiver, so it tells nothing
    /// of them.)
    pub fn says(&self, policy: &Policy, language: Language) -> String {
        format!("{} {}", self.what_is_known(policy, language), self.what_to_do(language))
    }

    /// What is known, and from where.
    pub fn what_is_known(&self, policy: &Policy, language: Language) -> String {
        let numbers = &policy.notices.numbers;
        let [days, new] = [numbers.days, numbers.new_days].map(|days| language.days(days));
        match language {
            Language::English => match self {
                Self::NewAccount => {
                    format!("Their account is younger than {new}, the service says.")
                }
                Self::NobodyInCommon => {
                    "Nobody whom you know vouches for them, and you share no group with them, as far as this device knows."
                        .into()
                }
                Self::DeclinedByMany => format!(
                    "Within {days} many people ({} or more) declined or blocked them, the service counted.",
                    numbers.declined_people
                ),
                Self::ReportedByMany => format!(
                    "Within {days} several people ({} or more) reported them with proof, the service counted.",
                    numbers.reported_people
                ),
                Self::ManyMinors => format!(
                    "Within {days} they introduced themself to many minors ({} or more), the service counted.",
                    numbers.minors
                ),
                Self::Via(friend) => {
                    format!("{friend} passed a ticket to you on to them. If you are not sure, ask {friend}.")
                }
                Self::ByCode => {
                    "They came with your contact code. If you did not give it to them yourself, somebody passed it on.".into()
                }
                Self::Unconnected(people) => {
                    format!("Not connected to you: {}.", names(people, "and", "more"))
                }
                Self::Joined(people) => format!("Not connected to you: {}.", people.join(", ")),
            },
            Language::Dutch => match self {
                Self::NewAccount => {
                    format!("Het account is jonger dan {new}, zegt de dienst.")
                }
                Self::NobodyInCommon => {
                    "Niemand die je kent staat voor deze persoon in, en jullie zitten samen in geen groep, voor zover dit apparaat weet."
                        .into()
                }
                Self::DeclinedByMany => format!(
                    "Binnen {days} hebben veel mensen ({} of meer) deze persoon geweigerd of geblokkeerd, telde de dienst.",
                    numbers.declined_people
                ),
                Self::ReportedByMany => format!(
                    "Binnen {days} hebben meerdere mensen ({} of meer) deze persoon met bewijs gemeld, telde de dienst.",
                    numbers.reported_people
                ),
                Self::ManyMinors => format!(
                    "Binnen {days} stelde deze persoon zich aan veel minderjarigen ({} of meer) voor, telde de dienst.",
                    numbers.minors
                ),
                Self::Via(friend) => {
                    format!("{friend} gaf een kaartje naar jou aan deze persoon door. Twijfel je? Vraag het aan {friend}.")
                }
                Self::ByCode => {
                    "Deze persoon kwam met jouw contactcode. Gaf je die niet zelf? Dan heeft iemand die doorgegeven.".into()
                }
                Self::Unconnected(people) => {
                    format!("Geen contact van jou: {}.", names(people, "en nog", ""))
                }
                Self::Joined(people) => format!("Geen contact van jou: {}.", people.join(", ")),
            },
        }
    }

    fn what_to_do(&self, language: Language) -> &'static str {
        match (language, self) {
            (Language::English, Self::Unconnected(_) | Self::Joined(_)) => {
                "You can decline or leave the group, block or report somebody, or get help."
            }
            (Language::English, _) => "You can block or report them, or get help.",
            (Language::Dutch, Self::Unconnected(_) | Self::Joined(_)) => {
                "Je kunt de groep weigeren of verlaten, iemand blokkeren of melden, of hulp zoeken."
            }
            (Language::Dutch, _) => "Je kunt deze persoon blokkeren of melden, of hulp zoeken.",
        }
    }
}

fn names(people: &[String], and: &str, more: &str) -> String {
    let shown = people.iter().take(MOST_NAMES).cloned().collect::<Vec<_>>().join(", ");
    match people.len().saturating_sub(MOST_NAMES) {
        0 => shown,
        rest => format!("{shown} {and} {rest} {more}").trim_end().to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_day_is_one_day() {
        let mut policy = Policy::shipped();
        (policy.notices.numbers.new_days, policy.notices.numbers.days) = (1, 1);
        for (notice, english, dutch) in [
            (Notice::NewAccount, "younger than 1 day,", "jonger dan 1 dag,"),
            (Notice::DeclinedByMany, "Within 1 day many", "Binnen 1 dag hebben veel"),
            (Notice::ReportedByMany, "Within 1 day several", "Binnen 1 dag hebben meerdere"),
            (Notice::ManyMinors, "Within 1 day they", "Binnen 1 dag stelde"),
        ] {
            for (language, wanted) in [(Language::English, english), (Language::Dutch, dutch)] {
                let says = notice.says(&policy, language);
                assert!(says.contains(wanted), "{says}");
            }
        }
    }

    #[test]
    fn each_notice_says_what_it_rests_on_and_what_one_can_do() {
        let mut policy = Policy::shipped();
        policy.notices.numbers.declined_people = 41;
        policy.notices.numbers.reported_people = 42;
        policy.notices.numbers.minors = 43;
        policy.notices.numbers.new_days = 44;
        let people: Vec<String> = (0..MOST_NAMES + 3).map(|n| format!("p{n}")).collect();
        let cases = [
            (Notice::NewAccount, "44", "44"),
            (Notice::NobodyInCommon, "no group", "geen groep"),
            (Notice::DeclinedByMany, "41", "41"),
            (Notice::ReportedByMany, "42", "42"),
            (Notice::ManyMinors, "43", "43"),
            (Notice::Via("bob".into()), "ask bob", "aan bob"),
            (Notice::ByCode, "your contact code", "jouw contactcode"),
            (Notice::Unconnected(people.clone()), "p19 and 3 more.", "p19 en nog 3."),
            (Notice::Joined(people), "p19, p20, p21, p22.", "p19, p20, p21, p22."),
        ];
        for (notice, english, dutch) in cases {
            for (language, wanted, ways) in [
                (Language::English, english, ["block", "report", "help"]),
                (Language::Dutch, dutch, ["blokkeren", "melden", "hulp"]),
            ] {
                let says = notice.says(&policy, language);
                assert!(says.contains(wanted), "{says}");
                assert!(ways.iter().all(|way| says.contains(way)), "{says}");
            }
        }
    }
}
