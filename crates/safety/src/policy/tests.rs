//! What a policy file may say.

use proptest::prelude::*;

use super::*;
use crate::rules::{Then, Until, Watched};

const LANGUAGES: [Language; 2] = [Language::English, Language::Dutch];

/// The shipped file with one thing in its words replaced, which must be there once.
fn with(old: &str, new: &str) -> String {
    assert_eq!(SHIPPED.matches(old).count(), 1, "{old}");
    SHIPPED.replace(old, new)
}

/// The shipped file with other numbers: what ships is tuned now and then.
fn numbered(change: impl FnOnce(&mut Policy)) -> String {
    let mut policy = Policy::shipped();
    change(&mut policy);
    policy.to_toml()
}

fn refused(text: &str) -> String {
    Policy::read(text).expect_err("unsound").to_string()
}

fn sentence(policy: &Policy, rule: &str, language: Language) -> String {
    let rules = policy.rules(language);
    rules.into_iter().find(|text| text.name == rule).expect("a rule").says
}

#[test]
fn the_shipped_rules_are_sound_and_in_the_order_of_the_file() {
    let policy = Policy::read_own(SHIPPED).expect("sound");
    let names: Vec<_> = policy.rules(Language::English).into_iter().map(|rule| rule.name).collect();
    let in_file: Vec<_> = SHIPPED
        .lines()
        .filter_map(|line| line.strip_prefix('[')?.strip_suffix(']'))
        .filter(|name| !name.contains('.'))
        .collect();
    assert_eq!(names, in_file);
    for (english, dutch) in policy.rules(Language::English).iter().zip(policy.rules(Language::Dutch)) {
        assert_eq!((&english.name, &english.numbers), (&dutch.name, &dutch.numbers));
        assert_ne!(english.says, dutch.says);
        for says in [&english.says, &dutch.says] {
            assert!(!says.contains(['{', '}']) && says.ends_with('.'), "{says}");
        }
    }
}

#[test]
fn sentences_hold_the_numbers_in_words() {
    let mut policy = Policy::shipped();
    (policy.codes.numbers.days, policy.codes.numbers.minor_days) = (28, 2);
    policy.guardians.numbers.until = Until::Teen;
    let watched = Watched { people: 8, days: 7, then: Then::Restrict, for_days: 1 };
    policy.unwanted.numbers = watched;
    let says = sentence(&policy, "codes", Language::Dutch);
    assert!(says.ends_with("De code werkt 28 dagen; die van een kind of tiener werkt 2 dagen."), "{says}");
    assert!(sentence(&policy, "guardians", Language::English).contains("that of a teen."));
    let says = sentence(&policy, "unwanted", Language::English);
    assert!(says.starts_with("If 8 people or more decline or block you within 7 days, you cannot"), "{says}");
    assert!(says.contains("strangers for 1 day. You are told"), "{says}");
    policy.codes.numbers.minor_days = 1;
    policy.guardians.numbers.until = Until::Adult;
    policy.unwanted.numbers = Watched { then: Then::Desk, for_days: 0, ..watched };
    assert!(sentence(&policy, "codes", Language::English).ends_with("made works for 1 day."));
    assert!(sentence(&policy, "codes", Language::Dutch).ends_with("werkt 1 dag."));
    assert!(sentence(&policy, "guardians", Language::Dutch).contains("dat van een volwassene wordt"));
    assert!(sentence(&policy, "unwanted", Language::Dutch).contains("verder gebeurt er niets vanzelf"));
    let numbers = policy.rules(Language::English).swap_remove(8).numbers;
    let numbers: Vec<_> = numbers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(numbers, [("people", "8"), ("days", "7"), ("then", "desk"), ("for_days", "0")]);
}

#[test]
fn numbers_have_bounds() {
    let restrict = Watched { people: 12, days: 7, then: Then::Restrict, for_days: 7 };
    let desk = Watched { then: Then::Desk, for_days: 0, ..restrict };
    type Change = fn(&mut Policy);
    let unsound: [(Change, &str); 7] = [
        (|p| p.quiet_hours.numbers.from_hour = 24, "rule quiet-hours: `from_hour` is from 0 to 23"),
        (
            |p| p.quiet_hours.numbers.to_hour = p.quiet_hours.numbers.from_hour,
            "rule quiet-hours: from an hour to",
        ),
        (|p| p.strangers.numbers.new_a_day = 0, "rule strangers: `new_a_day` is from 1 to 1000"),
        (|p| p.strangers.numbers.new_a_day = p.strangers.numbers.a_day + 1, "rule strangers: a new account"),
        (|p| p.tokens.numbers.per_friend = 17, "rule tokens: `per_friend` is from 1 to 16"),
        (|p| p.codes.numbers.days = 1, "rule codes: a minor's code"),
        (|p| p.notices.numbers.declined_people = 1, "rule notices: `declined_people` is from 3 to 50"),
    ];
    for (change, why) in unsound {
        let said = refused(&numbered(change));
        assert!(said.contains(why), "{why}: {said}");
    }
    for (watched, why) in [
        (Watched { people: 2, ..restrict }, "`people` is from 3 to 50"),
        (Watched { days: 29, ..restrict }, "`days` is from 1 to 28"),
        (Watched { for_days: 0, ..restrict }, "`for_days` is from 1 to 28"),
        (Watched { for_days: 7, ..desk }, "`for_days` is from 0 to 0"),
    ] {
        let said = refused(&numbered(|policy| policy.unwanted.numbers = watched));
        assert!(said.contains(&format!("rule unwanted: {why}")), "{why}: {said}");
    }
    for sound in [restrict, desk] {
        assert!(Policy::read_own(&numbered(|policy| policy.unwanted.numbers = sound)).is_ok());
    }
}

/// A statement says which rule it was: "many minors" would say that there are some among a few whom one tried.
#[test]
fn no_restriction_tells_anybody_who_may_be_a_minor() {
    let restrict = Watched { people: 12, days: 7, then: Then::Restrict, for_days: 7 };
    let said = refused(&numbered(|policy| policy.many_minors.numbers = restrict));
    assert!(said.contains("rule many-minors: `then` is \"desk\": who is told"), "{said}");
    let desk = Watched { then: Then::Desk, for_days: 0, ..restrict };
    assert!(Policy::read_own(&numbered(|policy| policy.many_minors.numbers = desk)).is_ok());
}

#[test]
fn a_sentence_names_every_number_and_no_other() {
    let unsaid = refused(&with("It works for {days};", "It works for a while;"));
    assert!(unsaid.contains("rule codes: `says.en` does not name {days}"), "{unsaid}");
    let dutch = refused(&with("(vanaf {minors})", ""));
    assert!(dutch.contains("rule notices: `says.nl` does not name {minors}"), "{dutch}");
    for odd in ["{weeks}", "{", "}", "{{days}}"] {
        let said = refused(&with("It works for {days};", &format!("It works for {{days}}, {odd};")));
        assert!(said.contains("`says.en` names {"), "{odd}: {said}");
    }
}

#[test]
fn nothing_may_be_missing_unknown_or_unseen() {
    assert!(refused("").contains("missing field `version`"));
    assert!(refused(&with("version = 1", "version = 2")).contains("version 2 is unknown"));
    let unknown = refused(&format!("{SHIPPED}\n[search.numbers]\n"));
    assert!(unknown.contains("line "), "{unknown}");
    assert!(refused(&format!("{SHIPPED}\n[sarch]\nx = 1\n")).contains("unknown field `sarch`"));
    assert!(refused(&with("[search]", "[serch]")).contains("unknown field `serch`"));
    for unseen in ["\\u001b[2J", "\\u202e", "\\n", "\\u200b"] {
        let said = refused(&with("You can always look.", unseen));
        assert!(said.contains("rule quiet-hours: `says.en` is one line"), "{said}");
    }
    assert!(refused(&" ".repeat(MAX_FILE + 1)).contains("longer than"));
}

#[test]
fn an_operator_changes_numbers_and_sources_and_no_sentence() {
    let shipped = Policy::shipped();
    let own = Policy::read_own(&numbered(|policy| policy.strangers.numbers.a_day += 1)).expect("sound");
    assert_eq!(shipped.changed(&own), ["strangers"]);
    let own = Policy::read_own(&with("a short life, so that", "as our school board decided, so that"))
        .expect("sound");
    assert_eq!(shipped.changed(&own), ["codes"]);
    // A client believes what a newer service says; an operator's file cannot say that strangers come to children.
    let reworded = with("A stranger cannot send anything", "A stranger can send anything");
    assert_eq!(shipped.changed(&Policy::read(&reworded).expect("sound")), ["first-contact"]);
    let said = Policy::read_own(&reworded).expect_err("not what the program does").to_string();
    assert!(said.contains("rule first-contact: its sentence is not the one that ships"), "{said}");
}

#[test]
fn the_hash_is_of_what_is_said() {
    let shipped = Policy::shipped();
    let again = Policy::read(&shipped.to_toml()).expect("its own layout");
    assert_eq!((&again, again.hash()), (&shipped, shipped.hash()));
    assert_eq!(shipped.changed(&again), [""; 0]);
    let mut hashes = vec![shipped.hash()];
    for other in [
        numbered(|policy| policy.tokens.numbers.per_friend += 1),
        numbered(|policy| policy.guardians.numbers.until = Until::Adult),
        with("Kijken kan altijd.", "Kijken mag altijd."),
        with("the hours are Zegel's own", "the hours are ours"),
    ] {
        let other = Policy::read(&other).expect("sound");
        assert_eq!(shipped.changed(&other).len(), 1);
        hashes.push(other.hash());
    }
    let all = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), all);
}

#[test]
fn languages_go_by_their_tag() {
    for tag in ["nl", "nl-BE", "NL", "nl_NL.UTF-8"] {
        assert_eq!(Language::of(tag), Language::Dutch, "{tag}");
    }
    for tag in ["en", "", "de", "nlx"] {
        assert_eq!(Language::of(tag), Language::English, "{tag}");
    }
}

/// The shipped file with bytes changed: nearly right is where a parser errs.
fn torn() -> impl Strategy<Value = String> {
    let cut = (0..SHIPPED.len(), 0..SHIPPED.len(), any::<String>());
    cut.prop_map(|(from, to, put)| {
        let (from, to) = (from.min(to), from.max(to));
        let start = SHIPPED.get(..from).unwrap_or_default();
        format!("{start}{put}{}", SHIPPED.get(to..).unwrap_or_default())
    })
}

proptest! {
    #[test]
    fn foreign_text_is_refused_or_sound(text in prop_oneof![any::<String>(), torn()]) {
        if let Ok(policy) = Policy::read(&text) {
            prop_assert_eq!(Policy::read(&policy.to_toml()).expect("its own layout"), policy.clone());
            for language in LANGUAGES {
                prop_assert!(policy.rules(language).iter().all(|rule| !rule.says.contains(is_unseen)));
            }
        }
    }

    #[test]
    fn any_numbers_are_refused_or_sound(people: u32, strangers: u32, hour: u32, small in 0..60u32) {
        for (people, strangers, hour) in [(people, strangers, hour), (small, small, small)] {
            let text = numbered(|policy| {
                policy.many_minors.numbers.people = people;
                policy.strangers.numbers.a_day = strangers;
                policy.strangers.numbers.new_a_day = strangers;
                policy.quiet_hours.numbers.to_hour = hour;
            });
            let from = Policy::shipped().quiet_hours.numbers.from_hour;
            let hours = hour <= 23 && hour != from;
            let sound = (3..=50).contains(&people) && (1..=1000).contains(&strangers) && hours;
            prop_assert_eq!(Policy::read(&text).is_ok(), sound);
        }
    }
}
