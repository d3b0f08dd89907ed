//! What is assumed about people. Each number has a range, and says what backs it or that it is a guess.

/// All of them. Parts are from 0 to 1.
#[derive(Clone, Copy, Debug)]
pub struct Assumptions {
    pub silent: f64,
    pub says_adult: f64,
    pub guarded: f64,
    pub accepts_stranger: f64,
    pub accepts_friends_friend: f64,
    pub after_notice: f64,
    pub guardian_allows: f64,
    pub blocks: f64,
    pub reports: f64,
    pub lured: f64,
    pub bridges: f64,
    pub by_handle: f64,
    pub organiser_declined: f64,
    pub desk_acts: f64,
    pub report_acts: f64,
    pub usual_a_day: f64,
    pub scanned: f64,
}

/// One of them, in words.
pub struct Assumption {
    pub what: &'static str,
    pub low: f64,
    pub value: f64,
    pub high: f64,
    pub backed: &'static str,
    pub field: fn(&mut Assumptions) -> &mut f64,
}

/// The table, in the order in which it is shown.
pub const ALL: [Assumption; 17] = [
    Assumption {
        what: "people who do not say their age",
        low: 0.05,
        value: 0.15,
        high: 0.3,
        backed: "guess",
        field: |a| &mut a.silent,
    },
    Assumption {
        what: "minors who say that they are adults, and lose the protection",
        low: 0.1,
        value: 0.32,
        high: 0.4,
        backed: "Ofcom 2022: 32 % of 8 to 17 with a profile have an adult's age there",
        field: |a| &mut a.says_adult,
    },
    Assumption {
        what: "children with a guardian linked",
        low: 0.1,
        value: 0.3,
        high: 0.6,
        backed: "guess",
        field: |a| &mut a.guarded,
    },
    Assumption {
        what: "minors who accept a stranger's request",
        low: 0.1,
        value: 0.2,
        high: 0.33,
        backed: "Boshmaf 2011: 19 % of 5053 (adults, Facebook); ONS 2024: a third of 10 to 15 did so within a year",
        field: |a| &mut a.accepts_stranger,
    },
    Assumption {
        what: "... if a friend of theirs is a contact of the stranger",
        low: 0.3,
        value: 0.59,
        high: 0.8,
        backed: "Boshmaf 2011: 59 % of 3517",
        field: |a| &mut a.accepts_friends_friend,
    },
    Assumption {
        what: "of those, who still accept after a notice",
        low: 0.4,
        value: 0.7,
        high: 1.0,
        backed: "guess; Meta 2025 gives blocks after notices, but no rate",
        field: |a| &mut a.after_notice,
    },
    Assumption {
        what: "guardians who allow somebody whom they do not know",
        low: 0.05,
        value: 0.15,
        high: 0.5,
        backed: "guess",
        field: |a| &mut a.guardian_allows,
    },
    Assumption {
        what: "minors who block once it becomes bad",
        low: 0.4,
        value: 0.68,
        high: 0.8,
        backed: "Thorn 2023: 68 %",
        field: |a| &mut a.blocks,
    },
    Assumption {
        what: "minors who report once it becomes bad",
        low: 0.1,
        value: 0.25,
        high: 0.5,
        backed: "Thorn 2023: 50 % did at some time; halved, since 1 in 5 tell nobody (Thorn 2022)",
        field: |a| &mut a.reports,
    },
    Assumption {
        what: "how often minors are brought to write first, beside each style's own number",
        low: 0.33,
        value: 1.0,
        high: 3.0,
        backed: "guess; Thorn 2022: 65 % were asked to move to a private chat",
        field: |a| &mut a.lured,
    },
    Assumption {
        what: "coerced minors who pass on friends (a usual service lists them)",
        low: 0.1,
        value: 0.3,
        high: 0.6,
        backed: "guess",
        field: |a| &mut a.bridges,
    },
    Assumption {
        what: "of a class or club, whom an honest leader adds by handle instead of by code",
        low: 0.05,
        value: 0.15,
        high: 0.4,
        backed: "guess",
        field: |a| &mut a.by_handle,
    },
    Assumption {
        what: "people who decline an organiser's introduction",
        low: 0.06,
        value: 0.12,
        high: 0.24,
        backed: "guess",
        field: |a| &mut a.organiser_declined,
    },
    Assumption {
        what: "cases that a rule brought and the desk decides against a predator",
        low: 0.3,
        value: 0.6,
        high: 0.9,
        backed: "guess",
        field: |a| &mut a.desk_acts,
    },
    Assumption {
        what: "reports of something bad that are decided against a predator, on either service",
        low: 0.2,
        value: 0.5,
        high: 0.9,
        backed: "guess",
        field: |a| &mut a.report_acts,
    },
    Assumption {
        what: "usual service: introductions that it lets an account make a day",
        low: 25.0,
        value: 50.0,
        high: 100.0,
        backed: "Boshmaf 2011: 25 a day raised no alarm; else a guess",
        field: |a| &mut a.usual_a_day,
    },
    Assumption {
        what: "usual service: contacts that became bad and that its scan of texts finds, and acts on at once",
        low: 0.0,
        value: 0.1,
        high: 0.3,
        backed: "guess",
        field: |a| &mut a.scanned,
    },
];

impl Default for Assumptions {
    fn default() -> Self {
        let mut all = Self {
            silent: 0.0,
            says_adult: 0.0,
            guarded: 0.0,
            accepts_stranger: 0.0,
            accepts_friends_friend: 0.0,
            after_notice: 0.0,
            guardian_allows: 0.0,
            blocks: 0.0,
            reports: 0.0,
            lured: 0.0,
            bridges: 0.0,
            by_handle: 0.0,
            organiser_declined: 0.0,
            desk_acts: 0.0,
            report_acts: 0.0,
            usual_a_day: 0.0,
            scanned: 0.0,
        };
        ALL.iter().for_each(|assumption| *(assumption.field)(&mut all) = assumption.value);
        all
    }
}
