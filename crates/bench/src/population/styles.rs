//! How predators go about it: each style from a case or study, and one held out.
//!
//! `Bought` was held out first, until it had been run and `many-minors` was changed after that. `TakenOver` was chosen then,
//! and written before it was run; see [`Style::HELD_OUT`].

/// A way of going about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Style {
    Spray,
    Ring,
    Slow,
    Infiltrator,
    Position,
    Hopper,
    StolenCode,
    Bought,
    TakenOver,
}

/// What one does of it.
pub struct Plan {
    pub name: &'static str,
    /// What it is from.
    pub source: &'static str,
    /// Accounts at a time, from and to.
    pub accounts: (u32, u32),
    /// They are this old when first used, in days.
    pub age_days: (u32, u32),
    /// Introductions to strangers a day and account.
    pub a_day: (u32, u32),
    /// Contact codes of minors that come into their hands a day.
    pub codes: f64,
    /// Minors a day who are brought to write first (met in a game, a feed, a shared group).
    pub lured: f64,
    /// A person connected to so many minors looks for no more.
    pub enough: usize,
    /// After so many days, and after a block, an account is left for a fresh one.
    pub hops: Option<u32>,
    /// A suspended account is replaced, so many times.
    pub replaces: u32,
    /// Coerces victims into passing on friends.
    pub bridges: bool,
    /// Days from contact until it becomes bad.
    pub harm_days: (u32, u32),
    /// Looks only among the members of groups that they are in.
    pub in_groups: bool,
    /// Minors who know them by a position, and gave a code.
    pub position: (u32, u32),
    /// Accounts of minors that come into their hands a day, besides those that these lead to.
    pub taken: f64,
}

const PLAIN: Plan = Plan {
    name: "",
    source: "",
    accounts: (1, 1),
    age_days: (0, 0),
    a_day: (0, 0),
    codes: 0.0,
    lured: 0.0,
    enough: usize::MAX,
    hops: None,
    replaces: 0,
    bridges: false,
    harm_days: (0, 3),
    in_groups: false,
    position: (0, 0),
    taken: 0.0,
};

impl Style {
    /// Those that had been run when the rules were last changed.
    pub const KNOWN: [Self; 8] = [
        Self::Spray,
        Self::Ring,
        Self::Slow,
        Self::Infiltrator,
        Self::Position,
        Self::Hopper,
        Self::StolenCode,
        Self::Bought,
    ];
    /// The one that was not run until the rules were frozen.
    pub const HELD_OUT: Self = Self::TakenOver;

    /// What one does of it.
    pub fn plan(self) -> Plan {
        match self {
            Self::Spray => Plan {
                name: "mass introductions, young profile",
                source: "Wales 2021: one line to 119 children; 475 chats begun; 179 requests accepted by a fake teen. \
                         McCartney 2024: about 3500 victims",
                a_day: (15, 60),
                lured: 0.1,
                replaces: 5,
                ..PLAIN
            },
            Self::Ring => Plan {
                name: "sextortion ring, through friends",
                source: "NCMEC and Thorn 2024: false teens, minutes to hours, threats to tell friends. Meta 2024: 20 \
                         people ran 2500 accounts. Boshmaf 2011: friends of a contact accept three times as often. \
                         That friends are next is a guess",
                accounts: (2, 4),
                a_day: (5, 15),
                lured: 0.2,
                replaces: 20,
                bridges: true,
                harm_days: (0, 1),
                ..PLAIN
            },
            Self::Slow => Plan {
                name: "slow groomer of one or two",
                source: "NBC 2023: groomed for months (among 35 Discord cases); a fan group's false child, 6 months (2024)",
                a_day: (0, 1),
                lured: 0.05,
                enough: 2,
                harm_days: (14, 40),
                ..PLAIN
            },
            Self::Infiltrator => Plan {
                name: "joins groups, writes to members one by one",
                source: "NBC 2023 and the FBI on 764: groups around games; Thorn 2022: 65 % asked to move to a private chat",
                a_day: (2, 6),
                lured: 0.15,
                in_groups: true,
                harm_days: (3, 14),
                ..PLAIN
            },
            Self::Position => Plan {
                name: "coach or teacher who abuses the position",
                source: "Shakeshaft 2021: 222 convictions in schools; Abbott 2014: a third of 507 cases by social media",
                age_days: (100, 900),
                position: (10, 35),
                harm_days: (14, 60),
                ..PLAIN
            },
            Self::Hopper => Plan {
                name: "fresh account after every block",
                source: "Thorn 2021, 2023: about half were contacted again after a block; Mijangos 2010: 30 names",
                a_day: (3, 10),
                lured: 0.1,
                hops: Some(4),
                replaces: u32::MAX,
                ..PLAIN
            },
            Self::StolenCode => Plan {
                name: "codes of minors that others gave away",
                source: "guess: no case was found, the way exists only here",
                codes: 0.3,
                ..PLAIN
            },
            Self::Bought => Plan {
                name: "bought aged accounts in turn (held out first)",
                source: "Thomas 2013: 27 merchants sell aged accounts in bulk; that predators buy them is a guess",
                accounts: (3, 10),
                age_days: (60, 400),
                a_day: (3, 10),
                lured: 0.1,
                replaces: 10,
                ..PLAIN
            },
            Self::TakenOver => Plan {
                name: "accounts of minors' friends taken over (held out)",
                source: "Svara 2026: 4500 messages in the service's name, 571 codes given, 59 accounts entered in nine \
                         months. Lincoln: a friend's taken account asks a teen for theirs, and so on. Cybertip 2021: 27 \
                         reports of teens' accounts, some written to before. Sondi 2021: 574 victims, some minors. Who \
                         answers, and that tickets are used, are guesses",
                a_day: (0, 2),
                replaces: 5,
                harm_days: (0, 2),
                taken: 0.2,
                ..PLAIN
            },
        }
    }
}
