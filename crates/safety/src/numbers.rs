//! The numbers of every rule, listed: how each is named, what it is in words, and what values make sense.

use std::ops::RangeInclusive;

use crate::{
    Language,
    rules::{Always, Codes, Guardians, Notices, QuietHours, Strangers, Then, Tokens, Until, Watched},
    signals::MOST_DAYS,
};

/// A number of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Number {
    /// Its name in the file.
    pub name: &'static str,
    /// What it is.
    pub value: Value,
    /// What it may be, if it counts something.
    pub sound: RangeInclusive<u32>,
    /// Whether the rule's sentence has to name it.
    pub said: bool,
    /// Of two values of it the one with the higher strength protects more.
    pub strength: i64,
}

/// Which way a number protects more.
#[derive(Clone, Copy)]
enum Safer {
    Fewer,
    More,
}

impl Number {
    fn safer(self, way: Safer) -> Self {
        let count = self.value.count().map_or(0, i64::from);
        let strength = match way {
            Safer::Fewer => -count,
            Safer::More => count,
        };
        Self { strength, ..self }
    }
}

/// What a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Value {
    /// So many.
    Count(u32),
    /// So many days.
    Days(u32),
    /// What follows, and for how many days.
    Then(Then, u32),
    /// Up to which age.
    Until(Until),
}

/// The numbers of one rule, in the order of the file.
pub trait Numbers {
    /// All of them.
    fn numbers(&self) -> Vec<Number>;
    /// What is wrong with them together.
    fn trouble(&self) -> Option<&'static str> {
        None
    }
}

impl Value {
    /// As it stands in the file.
    pub fn plain(self) -> String {
        match self {
            Self::Count(number) | Self::Days(number) => number.to_string(),
            Self::Then(Then::Restrict, _) => "restrict".into(),
            Self::Then(Then::Desk, _) => "desk".into(),
            Self::Until(Until::Teen) => "teen".into(),
            Self::Until(Until::Adult) => "adult".into(),
        }
    }

    /// What stands in a sentence.
    pub fn words(self, language: Language) -> String {
        use Language::{Dutch, English};
        match (self, language) {
            (Self::Count(number), _) => number.to_string(),
            (Self::Days(1), English) => "1 day".into(),
            (Self::Days(1), Dutch) => "1 dag".into(),
            (Self::Days(number), English) => format!("{number} days"),
            (Self::Days(number), Dutch) => format!("{number} dagen"),
            // How many more people it takes is `Signals`' secret.
            (Self::Then(Then::Restrict, for_days), English) => format!(
                "you cannot introduce yourself to strangers for {}. You are told so, and if you appeal, a person decides. \
                 It may take up to twice as many people; how many is a secret that is drawn anew each time, so that \
                 nobody can find out what one person did",
                Self::Days(for_days).words(English)
            ),
            (Self::Then(Then::Restrict, for_days), Dutch) => format!(
                "kun je je {} niet aan onbekenden voorstellen. Je krijgt dat te horen, en als je bezwaar maakt, beslist een \
                 mens. Er kunnen tot twee keer zoveel mensen nodig zijn; hoeveel is een geheim dat elke keer nieuw wordt getrokken, \
                 zodat niemand kan uitvinden wat één persoon deed",
                Self::Days(for_days).words(Dutch)
            ),
            (Self::Then(Then::Desk, _), English) => {
                "a person at the desk looks at it; nothing else happens by itself".into()
            }
            (Self::Then(Then::Desk, _), Dutch) => {
                "kijkt een medewerker ernaar; verder gebeurt er niets vanzelf".into()
            }
            (Self::Until(Until::Teen), English) => "a teen".into(),
            (Self::Until(Until::Teen), Dutch) => "een tiener".into(),
            (Self::Until(Until::Adult), English) => "an adult".into(),
            (Self::Until(Until::Adult), Dutch) => "een volwassene".into(),
        }
    }

    /// What is counted, if anything is.
    pub fn count(self) -> Option<u32> {
        match self {
            Self::Count(number) | Self::Days(number) => Some(number),
            Self::Then(..) | Self::Until(_) => None,
        }
    }
}

fn count(name: &'static str, value: u32, sound: RangeInclusive<u32>) -> Number {
    Number { name, value: Value::Count(value), sound, said: true, strength: 0 }
}

fn days(name: &'static str, value: u32, sound: RangeInclusive<u32>) -> Number {
    Number { name, value: Value::Days(value), sound, said: true, strength: 0 }
}

fn choice(name: &'static str, value: Value) -> Number {
    let strength = i64::from(matches!(value, Value::Then(Then::Restrict, _)));
    Number { name, value, sound: 0..=0, said: true, strength }
}

impl Numbers for Always {
    fn numbers(&self) -> Vec<Number> {
        Vec::new()
    }
}

impl Numbers for Codes {
    fn numbers(&self) -> Vec<Number> {
        vec![days("days", self.days, 1..=28).safer(Safer::Fewer)]
    }
}

impl Numbers for Tokens {
    fn numbers(&self) -> Vec<Number> {
        vec![
            count("per_friend", self.per_friend, 1..=16).safer(Safer::Fewer),
            days("days", self.days, 1..=366).safer(Safer::Fewer),
        ]
    }
}

impl Numbers for Strangers {
    fn numbers(&self) -> Vec<Number> {
        vec![
            count("new_a_day", self.new_a_day, 1..=100_000).safer(Safer::Fewer),
            count("a_day", self.a_day, 1..=100_000).safer(Safer::Fewer),
            days("new_days", self.new_days, 1..=90).safer(Safer::More),
        ]
    }

    fn trouble(&self) -> Option<&'static str> {
        (self.new_a_day > self.a_day).then_some("a new account must not reach more strangers than others")
    }
}

impl Numbers for Notices {
    fn numbers(&self) -> Vec<Number> {
        vec![
            days("new_days", self.new_days, 1..=90).safer(Safer::More),
            days("days", self.days, 1..=MOST_DAYS).safer(Safer::More),
            count("declined_people", self.declined_people, 3..=50).safer(Safer::Fewer),
            count("reported_people", self.reported_people, 3..=50).safer(Safer::Fewer),
            count("minors", self.minors, 3..=50).safer(Safer::Fewer),
        ]
    }
}

impl Numbers for Watched {
    fn numbers(&self) -> Vec<Number> {
        // Two people, or one with two accounts, must not be enough to act on; and the fewer it takes, the sooner whoever is
        // restricted can tell who it was.
        let (least, lasts) = match self.then {
            Then::Restrict => (8, 1..=28),
            Then::Desk => (3, 0..=0),
        };
        vec![
            count("people", self.people, least..=50).safer(Safer::Fewer),
            days("days", self.days, 1..=MOST_DAYS).safer(Safer::More),
            choice("then", Value::Then(self.then, self.for_days)),
            // What follows says it.
            Number { said: false, ..days("for_days", self.for_days, lasts).safer(Safer::More) },
        ]
    }
}

impl Numbers for Guardians {
    fn numbers(&self) -> Vec<Number> {
        vec![choice("until", Value::Until(self.until))]
    }
}

impl Numbers for QuietHours {
    fn numbers(&self) -> Vec<Number> {
        // The night is counted from noon: to begin earlier and to end later protects more.
        let from_noon = |hour: u32| i64::from((hour + 12) % 24);
        vec![
            Number { strength: -from_noon(self.from_hour), ..count("from_hour", self.from_hour, 0..=23) },
            Number { strength: from_noon(self.to_hour), ..count("to_hour", self.to_hour, 0..=23) },
        ]
    }

    fn trouble(&self) -> Option<&'static str> {
        (self.from_hour == self.to_hour).then_some("from an hour to the same hour there are no quiet hours")
    }
}
