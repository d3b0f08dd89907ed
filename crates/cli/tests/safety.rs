//! Ages, and the rules in people's hands: told in their language, announced when they change; help, quiet hours, no receipts.

mod scene;

use std::time::Instant;

use scene::{Scene, befriend, settle, text};
use serde_json::{Value, json};

#[test]
fn younger_at_once_and_older_with_an_invite_that_says_so() {
    let (scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    assert_eq!(alice.asks_one(&["age"]), json!({"age": "adult", "guardian": ""}));
    assert_eq!(alice.asks_one(&["age", "teen"]), json!({"done": "age", "name": "teen"}));
    assert_eq!(text(&alice.asks_one(&["whoami"]), "age"), "teen");
    assert!(alice.does(&["age"]).starts_with("Age: teen.\nStrangers cannot reach you."));
    bob.sends("hi").to("alice");
    alice.does(&["sync"]);
    assert!(alice.requests().is_empty(), "it holds at once");

    let said = alice.fails(&["age", "adult"]);
    assert!(said.contains("invite"), "{said}");
    let teens = scene.invite(&["--age", "teen"]);
    let said = alice.fails(&["age", "adult", "--invite", &teens]);
    assert!(said.contains("invite"), "{said}");
    assert_eq!(text(&alice.asks_one(&["age"]), "age"), "teen");
    let adults = scene.invite(&["--age", "adult"]);
    let told = alice.does(&["age", "adult", "--invite", &adults]);
    assert_eq!(told, "You are an adult here now.\n");
    let carol = scene.adult("carol");
    carol.sends("hi").to("alice");
    assert_eq!(alice.requests(), ["carol"]);
    // It was for one.
    let tim = scene.register("tim", "teen");
    let said = tim.fails(&["age", "adult", "--invite", &adults]);
    assert!(said.contains("invite"), "{said}");
    assert_eq!(tim.tries(&["age", "grown-up"]).status.code(), Some(2));
}

#[test]
fn an_invite_says_the_age_whatever_is_typed() {
    let scene = Scene::new();
    let code = scene.invite(&["--age", "child"]);
    let tim = scene.invited("tim", &code);
    assert_eq!(text(&tim.asks_one(&["whoami"]), "age"), "child");
}

#[test]
fn who_does_not_say_their_age_is_told_what_follows() {
    let scene = Scene::new();
    let una = scene.newcomer("una");
    let told = una.does(&["register", "una", "--server", scene.url()]);
    assert!(told.contains("You did not say how old you are, so you are protected like a child"), "{told}");
    assert!(told.contains("Strangers cannot reach you") && told.contains("zegel code"), "{told}");
    assert!(told.contains("you need an invite") && told.contains("zegel safety help"), "{told}");
    assert!(una.fails(&["age", "adult"]).contains("invite"));
    let kim = scene.newcomer("kim");
    let told = kim.does(&["register", "kim", "--server", scene.url(), "--age", "child"]);
    assert!(told.contains("guardian") && told.contains("Strangers cannot reach you"), "{told}");
}

#[test]
fn the_rules_are_told_in_english_and_dutch_with_an_account_and_without() {
    let mut scene = Scene::new();
    let nobody = scene.newcomer("nobody");
    let english = nobody.does(&["safety"]);
    assert!(english.contains("first-contact: A stranger cannot send anything to a child"), "{english}");
    assert!(!english.contains('{'), "{english}");
    let dutch = nobody.does_where(("LC_ALL", "nl_NL.UTF-8"), &["safety"]);
    assert!(dutch.contains("Een onbekende") && !dutch.contains("A stranger cannot"), "{dutch}");
    assert!(!nobody.home.exists(), "nothing was made");

    let rules = nobody.asks(&["safety", "rules"]);
    assert_eq!(rules, nobody.asks(&["safety"]));
    let codes = rules.iter().find(|rule| text(rule, "rule") == "codes").expect("there is one about codes");
    assert!(!text(codes, "source").is_empty());
    let days = text(&codes["numbers"], "days");
    assert!(text(codes, "says").contains(days), "{codes}");
    assert!(nobody.does(&["safety", "rules"]).contains(&format!("days = {days}")));

    // A service may have others.
    scene.rules_become(&[("strangers", "a_day", "41")]);
    let alice = scene.adult("alice");
    let shown = alice.does(&["safety"]);
    assert!(shown.contains(scene.url()) && shown.contains("at most 41 people"), "{shown}");
    assert_eq!(shown.matches("! this service has its own; Zegel ships: a_day = ").count(), 1, "{shown}");
    scene.server_dies();
    assert!(alice.does(&["safety"]).contains("at most 41 people"), "this device has them");
}

#[test]
fn a_change_of_the_rules_is_announced_once() {
    let (mut scene, [alice]) = Scene::of(["alice"]);
    let tim = scene.register("tim", "teen");
    assert!(alice.sees_of_the_service().is_empty(), "the first rules are no change");
    scene.rules_become(&[("strangers", "a_day", "41"), ("quiet-hours", "from_hour", "20")]);
    for who in [&alice, &tim] {
        let news = who.sees_of_the_service();
        assert_eq!(news.len(), 1, "{news:?}");
        assert!(
            news[0].contains("strangers: a_day 41 (was ")
                && news[0].contains("quiet-hours: from_hour 20 (was 21)."),
            "{news:?}"
        );
    }
    assert!(alice.does(&["safety", "rules"]).contains("a_day = 41"));
    scene.server_stops();
    scene.server_returns();
    assert_eq!(alice.sees_of_the_service().len(), 1, "it is no news any more");
}

#[test]
fn help_is_there_without_an_account_and_without_the_net() {
    let scene = Scene::new();
    let nobody = scene.newcomer("nobody");
    let help = nobody.does(&["safety", "help", "--country", "nl"]);
    for name in ["Kindertelefoon", "Offlimits", "113"] {
        assert!(help.contains(name), "{help}");
    }
    let here = nobody.does_where(("LC_ALL", "nl_NL.UTF-8"), &["safety", "help"]);
    assert!(here.contains("Kindertelefoon") && here.starts_with("Nu in gevaar? Bel 112.\n"), "{here}");
    let lines = nobody.asks(&["safety", "help", "--country", "NL"]);
    assert_eq!((text(&lines[0], "country"), text(&lines[0], "name")), ("nl", "Kindertelefoon"));
    assert!(lines[0]["phones"].as_array().is_some_and(|phones| !phones.is_empty()), "{lines:?}");
    // The number of another country may reach nobody.
    let far = nobody.does_where(("LC_ALL", "en_US.UTF-8"), &["safety", "help"]);
    assert!(far.starts_with("In danger right now? Call 911.\n") && !far.contains("112"), "{far}");
    // Where no line is known there is what is there for everybody, and which countries have their own.
    let elsewhere = nobody.does(&["safety", "help", "--country", "zz"]);
    assert!(
        elsewhere.contains("Find A Helpline") && elsewhere.contains("nl (the Netherlands), "),
        "{elsewhere}"
    );
    let told = nobody.tries(&["safety", "help", "--country", "zz"]);
    let told = String::from_utf8(told.stderr).expect("UTF-8");
    assert!(
        told.contains("no lines are known for \"zz\"") && told.contains("gb (the United Kingdom)"),
        "{told}"
    );
    let kingdom = nobody.tries(&["safety", "help", "--country", "uk"]);
    assert!(kingdom.stderr.is_empty() && kingdom.stdout.starts_with(b"In danger right now? Call 999.\n"));
    assert!(!elsewhere.contains("Kindertelefoon"), "{elsewhere}");
    assert!(elsewhere.contains("112 in the EU and Switzerland, 999 in"), "{elsewhere}");
    assert!(!nobody.home.exists(), "nothing was made");
}

#[test]
fn reading_tells_nobody() {
    let (scene, [alice]) = Scene::of(["alice"]);
    let mia = scene.register("mia", "teen");
    befriend(&mia, &alice);
    settle(&mia, &alice);
    alice.sends("have you seen this?").to("mia");
    mia.does(&["sync"]);
    alice.does(&["sync"]);
    let (said, written) = (alice.asks(&["read"]), scene.measures("zegel_calls_total{call=\"submit\"}"));
    assert!(written > 0);
    assert_eq!(mia.hears().last().map(String::as_str), Some("alice: have you seen this?"));
    mia.does(&["read"]);
    mia.does(&["sync"]);
    assert_eq!(scene.measures("zegel_calls_total{call=\"submit\"}"), written, "nothing was sent to anybody");
    alice.does(&["sync"]);
    assert_eq!(alice.asks(&["read"]), said);
    // It is not that nothing is counted.
    mia.sends("yes").to("alice");
    assert_eq!(scene.measures("zegel_calls_total{call=\"submit\"}"), written + 1);
}

#[test]
fn at_night_a_minors_device_shows_nothing_by_itself_and_catches_up() {
    let (scene, [bob]) = Scene::of(["bob"]);
    let mia = scene.register("mia", "teen");
    befriend(&mia, &bob);
    mia.does(&["read"]);
    bob.does(&["read"]);
    let begun = Instant::now();
    let mut night = mia.starts_at((6, 59, 35), &["follow"]);
    let quiet = night.line();
    assert!(quiet.starts_with("It is quiet until 07:00: ") && quiet.contains("zegel read"), "{quiet}");
    bob.sends("wake up").to("mia");
    let shown = night.line();
    assert!(shown.ends_with("bob: wake up") && begun.elapsed().as_secs() >= 23, "at seven: {shown}");
    assert_eq!(night.interrupted(), Some(0));

    // Whoever wants to read does.
    let mut night = mia.starts_at((23, 0, 0), &["--json", "follow"]);
    let quiet: Value = serde_json::from_str(&night.line()).expect("JSON");
    assert_eq!(quiet, json!({"kind": "quiet", "until": "07:00"}));
    bob.sends("are you awake?").to("mia");
    mia.waits_for("bob: are you awake?");
    drop(night);

    let mut day = mia.starts_at((12, 0, 0), &["follow"]);
    bob.sends("lunch?").to("mia");
    assert!(day.line().ends_with("bob: lunch?"));
    let mut evening = bob.starts_at((23, 0, 0), &["follow"]);
    mia.sends("a late answer").to("bob");
    assert!(evening.line().ends_with("mia: a late answer"), "adults have no quiet hours");
}
