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

/// What is said of an unsound number.
fn refusal(why: &str) -> String {
    format!("while reading the safety rules: rule {why}; change it, and try `zegel-server safety FILE`")
}

fn unread(why: &str) -> String {
    format!("while reading the safety rules: {why}; begin with the file that `zegel-server safety` prints")
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
    policy.codes.numbers.days = 28;
    policy.guardians.numbers.until = Until::Teen;
    let watched = Watched { people: 8, days: 7, then: Then::Restrict, for_days: 1 };
    policy.unwanted.numbers = watched;
    let says = sentence(&policy, "codes", Language::Dutch);
    assert!(says.contains("De code werkt 28 dagen, van wie die ook is,"), "{says}");
    assert!(sentence(&policy, "guardians", Language::English).contains("that of a teen."));
    let says = sentence(&policy, "unwanted", Language::English);
    assert!(says.starts_with("If 8 people or more decline or block you within 7 days, you cannot"), "{says}");
    assert!(says.contains("strangers for 1 day. You are told"), "{says}");
    policy.codes.numbers.days = 1;
    policy.guardians.numbers.until = Until::Adult;
    policy.unwanted.numbers = Watched { then: Then::Desk, for_days: 0, ..watched };
    assert!(sentence(&policy, "codes", Language::English).contains("It works for 1 day, whoever"));
    assert!(sentence(&policy, "codes", Language::Dutch).contains("werkt 1 dag,"));
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
        (|p| p.quiet_hours.numbers.from_hour = 24, "quiet-hours: `from_hour` is from 0 to 23"),
        (
            |p| p.quiet_hours.numbers.to_hour = p.quiet_hours.numbers.from_hour,
            "quiet-hours: from an hour to the same hour there are no quiet hours",
        ),
        (|p| p.strangers.numbers.new_a_day = 0, "strangers: `new_a_day` is from 1 to 100000"),
        (
            |p| p.strangers.numbers.new_a_day = p.strangers.numbers.a_day + 1,
            "strangers: a new account must not reach more strangers than others",
        ),
        (|p| p.tokens.numbers.per_friend = 17, "tokens: `per_friend` is from 1 to 16"),
        (|p| p.codes.numbers.days = 29, "codes: `days` is from 1 to 28"),
        (|p| p.notices.numbers.declined_people = 1, "notices: `declined_people` is from 3 to 50"),
    ];
    for (change, why) in unsound {
        assert_eq!(refused(&numbered(change)), refusal(why));
    }
    for (watched, why) in [
        (Watched { people: 7, ..restrict }, "`people` is from 8 to 50"),
        (Watched { people: 2, ..desk }, "`people` is from 3 to 50"),
        (Watched { days: 29, ..restrict }, "`days` is from 1 to 28"),
        (Watched { for_days: 0, ..restrict }, "`for_days` is from 1 to 28"),
        (Watched { for_days: 7, ..desk }, "`for_days` is from 0 to 0"),
    ] {
        let said = refused(&numbered(|policy| policy.unwanted.numbers = watched));
        assert_eq!(said, refusal(&format!("unwanted: {why}")));
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
    let unsaid = refused(&with("It works for {days},", "It works for a while,"));
    assert!(unsaid.contains("rule codes: `says.en` does not name {days}"), "{unsaid}");
    let dutch = refused(&with("(vanaf {minors})", ""));
    assert!(dutch.contains("rule notices: `says.nl` does not name {minors}"), "{dutch}");
    for odd in ["{weeks}", "{", "}", "{{days}}"] {
        let said = refused(&with("It works for {days},", &format!("It works for {{days}} {odd},")));
        assert!(said.contains("`says.en` names {"), "{odd}: {said}");
    }
}

#[test]
fn nothing_may_be_missing_unknown_or_unseen() {
    assert!(refused("").contains("missing field `version`"));
    assert!(refused(&with("version = 1", "version = 2")).contains("version 2 is unknown"));
    let unknown = refused(&format!("{SHIPPED}\n[search.numbers]\n"));
    assert!(unknown.contains("line "), "{unknown}");
    assert!(refused(&with("[search]", "[serch]")).contains("missing field `search`"));
    assert!(refused(&with("per_friend = 5", "per_friend = 5\nx = 1")).contains("unknown field `x`"));
    for value in ["1", "[]", "\"a rule\""] {
        let said = refused(&with("version = 1", &format!("version = 1\n\"m\\u202eore\" = {value}")));
        assert_eq!(said, unread("`m?ore` is no rule"));
    }
    for unseen in ["\\u001b[2J", "\\u202e", "\\n", "\\u200b"] {
        let said = refused(&with("You can always look.", unseen));
        assert!(said.contains("rule quiet-hours: `says.en` is one line"), "{said}");
    }
    assert!(refused(&" ".repeat(MAX_FILE + 1)).contains("longer than"));
}

/// A client that is older than its service keeps the rules that it knows; an operator's file says what the program does.
#[test]
fn a_rule_of_a_newer_release_is_left_out_and_an_operator_has_none() {
    let newer = format!("{SHIPPED}\n[\"ri\u{202e}ngs\"]\nx = 1\n");
    assert_eq!(Policy::read(&newer).expect("the others hold"), Policy::shipped());
    let said = Policy::read_own(&newer).expect_err("not what the program does").to_string();
    assert_eq!(said, unread("this release has no rule `ri?ngs`"));
}

#[test]
fn an_operator_changes_numbers_and_sources_and_no_sentence() {
    let shipped = Policy::shipped();
    let own = Policy::read_own(&numbered(|policy| policy.strangers.numbers.a_day += 1)).expect("sound");
    assert_eq!(shipped.changed(&own), ["strangers"]);
    let own = Policy::read_own(&with("a short life, so that", "as our school board decided, so that"))
        .expect("sound");
    assert_eq!(shipped.changed(&own), ["codes"]);
    // A service may say that strangers come to children; a client shows it as the service's own word, beside what holds.
    let reworded = with("A stranger cannot send anything", "A stranger can send anything");
    let read = Policy::read(&reworded).expect("sound");
    assert_eq!(shipped.changed(&read), ["first-contact"]);
    let texts = read.rules(Language::English).into_iter().zip(shipped.rules(Language::English));
    for (text, ships) in texts {
        assert_eq!((&text.name, &text.says), (&ships.name, &ships.says));
        let own = text.service_says.is_some_and(|own| own.contains("A stranger can send anything"));
        assert_eq!(own, text.name == "first-contact");
        assert_eq!(ships.service_says, None);
    }
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

/// Numbers within bounds, at them, just beyond them, and anything.
fn around(least: u32, most: u32) -> impl Strategy<Value = u32> {
    let edges = [least.saturating_sub(1), least, most, most + 1];
    prop_oneof![6 => least..=most, 3 => prop::sample::select(edges.to_vec()), 1 => any::<u32>()]
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
    fn any_numbers_are_refused_or_sound(
        people in around(3, 50), few in around(1, 100_000), many in around(1, 100_000), hour in around(0, 23),
    ) {
        let text = numbered(|policy| {
            policy.many_minors.numbers.people = people;
            policy.strangers.numbers.new_a_day = few;
            policy.strangers.numbers.a_day = many;
            policy.quiet_hours.numbers.to_hour = hour;
        });
        let from = Policy::shipped().quiet_hours.numbers.from_hour;
        let hours = hour <= 23 && hour != from;
        let strangers = 1 <= few && few <= many && many <= 100_000;
        let sound = (3..=50).contains(&people) && strangers && hours;
        prop_assert_eq!(Policy::read(&text).is_ok(), sound);
    }
}

#[test]
fn a_number_that_protects_less_is_named() {
    let shipped = Policy::shipped();
    assert_eq!(shipped.weaker(&shipped), []);
    type Change = fn(&mut Policy);
    let weaker: [(Change, &[(&str, &str)]); 7] = [
        (|p| p.codes.numbers.days += 1, &[("codes", "days")]),
        (|p| p.strangers.numbers.new_days -= 1, &[("strangers", "new_days")]),
        (|p| p.notices.numbers.minors += 1, &[("notices", "minors")]),
        (|p| p.quiet_hours.numbers.from_hour = 0, &[("quiet-hours", "from_hour")]),
        (|p| p.quiet_hours.numbers.to_hour = 6, &[("quiet-hours", "to_hour")]),
        (
            |p| (p.unwanted.numbers.then, p.unwanted.numbers.for_days) = (Then::Desk, 0),
            &[("unwanted", "then"), ("unwanted", "for_days")],
        ),
        // For how long a guardian is there protects some and hems others in.
        (|p| p.guardians.numbers.until = Until::Adult, &[]),
    ];
    for (change, named) in weaker {
        let mut own = Policy::shipped();
        change(&mut own);
        assert_eq!(own.weaker(&shipped), named);
        let back: Vec<_> = shipped.weaker(&own);
        assert_eq!(back, [], "the other way it protects more");
    }
}

#[test]
fn what_changed_in_a_rule_is_said_with_what_it_was() {
    let mut own = Policy::shipped();
    own.tokens.numbers.days += 5;
    let [before, now] = [Policy::shipped(), own].map(|policy| policy.rules(Language::English).swap_remove(3));
    let changed: Vec<_> = now.changed_numbers(&before).collect();
    let (then, now) = (&before.numbers[1].1, &now.numbers[1].1);
    assert_eq!(changed, [("days", then.as_str(), now.as_str())]);
}
