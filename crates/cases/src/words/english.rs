//! In English.

use super::{Basis, Change, Facts, Held, News, Reported, appeal_command, day, quoted};
use crate::{CaseNumber, Category, Measure};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

pub(super) fn text(number: CaseNumber, news: &News<'_>) -> String {
    match news {
        News::Decided(facts) => {
            let (held, basis) = (held(&facts.held), basis(facts));
            let mut text = format!("A decision about your account (case {number})\n\n{held}\n\n{basis}");
            if facts.appeal_until_ms != 0 {
                text += &appeal(number, facts);
                text += OTHER_WAYS;
            }
            text
        }
        News::AppealTaken(before) => format!(
            "We have your appeal (case {number})\n\n\
             {}. You need not do anything, and you will be told here what they decide.\n\n\
             Until then, the first decision holds. {}\n",
            match before.rule_first {
                true => "A rule decided first; now a person will look at it",
                false => "Someone else than the person who decided first will look at it again",
            },
            held(before)
        ),
        News::AppealDecided(facts, change) => {
            let outcome = match change {
                Change::Upheld => "They came to the same decision. It stays as it was.",
                Change::Changed => "They decided otherwise. This takes the place of the first decision:",
                Change::Lifted => {
                    "They decided otherwise. The first decision is taken back: it no longer holds."
                }
            };
            let (held, basis) = (held(&facts.held), basis(facts));
            let who = match facts.held.rule_first {
                true => "A rule decided first; now a person looked at your case.",
                false => "Someone else than the person who decided first looked at your case again.",
            };
            format!(
                "The decision on your appeal (case {number})\n\n\
                 {who} {outcome}\n\n\
                 {held}\n\n{basis}\
                 There is no second appeal with us. {OTHER_WAYS}"
            )
        }
        News::Outcome { acted } => {
            let outcome = match acted {
                true => {
                    "The messages or the conduct you reported broke our rules, and we did something about it."
                }
                false => {
                    "They did not find that our rules were broken, or could not tell. We did nothing about it."
                }
            };
            format!(
                "What became of your report (case {number})\n\n\
                 Thank you for reporting. A person looked at it, not a machine. {outcome} What exactly we do about \
                 other people, we tell only them. They are never told who reported them.\n\n\
                 What you can do:\n\
                 - Block the person: they can then no longer reach you.\n    zegel block HANDLE\n\
                 - Report again if something new happens, or if you can show more messages.\n\
                 - If you think we decided wrongly, you can turn to a certified body that settles disputes out of \
                 court, or to a court. With a crime you can always go to the police.\n"
            )
        }
        News::Nothing => format!("Nothing has been decided in case {number} yet.\n"),
    }
}

const OTHER_WAYS: &str = "You can also turn to a body that is certified to settle such disputes out of court, or \
                          go to a court.\n";

fn held(held: &Held) -> String {
    let until = day(held.until_ms, &MONTHS);
    match held.measure {
        Measure::Dismiss => "In this case, nothing is done against you.".into(),
        Measure::Warn => {
            "You are warned. Nothing else changes for your account. If it happens again, more may follow."
                .into()
        }
        Measure::RestrictFirstContact { days: number } => format!(
            "For {}, until {until}, you cannot write to people who do not know you yet. Your other conversations go \
             on as before.",
            days(number)
        ),
        Measure::Suspend { days: number } => format!(
            "Your account is suspended for {}, until {until}. Until then you can neither send nor receive messages.",
            days(number)
        ),
        Measure::Ban => {
            "Your account is banned, for good: you can no longer send or receive messages with it.".into()
        }
    }
}

fn days(days: u32) -> String {
    if days == 1 { "1 day".to_owned() } else { format!("{days} days") }
}

/// The rule, the facts, who decided, and their words.
fn basis(facts: &Facts<'_>) -> String {
    let (reported, brought) = match &facts.basis {
        Basis::Rule(ruled) => {
            return format!(
                "A rule of this service decided this, not a person. The rule:\n{}\n\
                 What this rests on: at least {} different people, within {}. The service counts them for some weeks and \
                 does not keep who they were. It cannot read what you write, and nobody has looked at it yet.\n\n",
                quoted(facts.explanation),
                ruled.least,
                days(ruled.days),
            );
        }
        Basis::Person { reported, brought } => (reported, brought),
    };
    let rule = match facts.held.measure {
        Measure::Dismiss => String::new(),
        _ => format!("The rule that was broken: {}.\n\n", rule(facts.ground)),
    };
    let brought = match brought {
        true => "A rule of this service, which counts people and reads nothing, brought this case. ",
        false => "",
    };
    let shown = reported.as_ref().map(|reported| shown(reported) + " ").unwrap_or_default();
    format!(
        "{rule}What this rests on: {brought}{shown}We cannot read messages that nobody shows us.\n\n\
         A person decided this, not a machine. In their words:\n{}\n",
        quoted(facts.explanation)
    )
}

fn shown(reported: &Reported) -> String {
    match (reported.disclosed, reported.proven) {
        (0, _) => "Someone reported you to us. They showed us no messages.".to_owned(),
        (1, 1) => "Someone who received a message reported it to us. We could prove which account sent it."
            .to_owned(),
        (1, _) => {
            "Someone who received a message reported it to us. We could not prove who sent it.".to_owned()
        }
        (disclosed, proven) => {
            let proven = match proven {
                0 => "For none of them".to_owned(),
                all if all == disclosed => "For all of them".to_owned(),
                some => format!("For {some} of them"),
            };
            format!(
                "Someone who received messages reported {disclosed} of them to us. {proven} we could prove which \
                 account sent it."
            )
        }
    }
}

fn appeal(number: CaseNumber, facts: &Facts<'_>) -> String {
    let until = day(facts.appeal_until_ms, &MONTHS);
    let command = appeal_command(number, "Why you see it otherwise, in your own words");
    let who = if facts.held.rule_first { "a person" } else { "someone else" };
    format!(
        "If you do not agree, you can ask us to look again, until {until}. It costs nothing, and {who} will \
         decide. Write:\n{command}This works also while your account is suspended or banned.\n\n"
    )
}

fn rule(category: Category) -> &'static str {
    match category {
        Category::ChildAbuse => "no sexual images of children, and no sexual abuse of a child",
        Category::Grooming => "nobody may try to win a child's trust for sex or for pictures",
        Category::SexualExtortion => {
            "nobody may threaten to spread intimate pictures of someone, or press them for more"
        }
        Category::Terrorism => "nobody may call for attacks, praise them or prepare them",
        Category::Threats => "nobody may threaten to hurt or kill someone",
        Category::SelfHarm => "nobody may urge someone to hurt or kill themself",
        Category::Harassment => {
            "nobody may insult, stalk or humiliate someone, or attack people for what they are"
        }
        Category::Fraud => "nobody may try to get money, accounts or identities by deceit",
        Category::Election => "nobody may lie about how, when or where to vote, or keep people from voting",
        Category::Spam => "nobody may send to many people what they did not ask for",
        Category::Other => "another rule of this service; the explanation below says which",
    }
}
