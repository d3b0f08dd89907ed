//! A child and who looks after them: linked by both, seen by the child, asked by the child's device, and ended.

mod scene;

use scene::{Person, Scene, befriend, settle, text, until};
use serde_json::{Value, json};

/// A child and a parent who are linked.
fn family(scene: &Scene) -> (Person, Person) {
    let (mia, pat) = (scene.register("mia", "child"), scene.adult("pat"));
    befriend(&mia, &pat);
    settle(&mia, &pat);
    pat.does(&["guardian", "link", "mia"]);
    mia.does(&["sync"]);
    mia.does(&["guardian", "link", "pat", "--yes"]);
    settle(&mia, &pat);
    assert_eq!((state(&mia, "pat"), state(&pat, "mia")), ("linked".into(), "linked".into()));
    (mia, pat)
}

/// How a link stands; empty for none.
fn state(who: &Person, with: &str) -> String {
    let links = who.asks(&["guardian"]);
    links
        .iter()
        .find(|link| text(link, "handle") == with)
        .map(|link| text(link, "state").to_owned())
        .unwrap_or_default()
}

fn guardian_of(child: &Person) -> String {
    text(&child.asks_one(&["whoami"]), "guardian").to_owned()
}

/// What a child asks, once it has come: `what name`.
fn asks(guardian: &Person) -> Vec<String> {
    let mut asked = Vec::new();
    until("something is asked", || {
        asked = guardian.asks(&["guardian", "requests"]);
        !asked.is_empty()
    });
    asked.iter().map(|it| format!("{} {}", text(it, "what"), text(it, "name"))).collect()
}

/// The people or groups of a child, as its guardian sees them.
fn listed(guardian: &Person, child: &str, what: &str) -> Vec<String> {
    guardian.does(&["sync"]);
    let contacts = guardian.asks(&["guardian", "contacts", child]);
    contacts.first().map(|it| list(it, what)).unwrap_or_default()
}

fn list(object: &Value, field: &str) -> Vec<String> {
    let texts = object[field].as_array().cloned().unwrap_or_default();
    texts.iter().filter_map(Value::as_str).map(str::to_owned).collect()
}

#[test]
fn both_have_to_want_it_and_the_child_is_warned() {
    let scene = Scene::new();
    let (mia, pat) = (scene.register("mia", "child"), scene.adult("pat"));
    let said = pat.fails(&["guardian", "link", "mia"]);
    assert!(said.contains("mia"), "only in a chat that both accepted: {said}");
    befriend(&mia, &pat);
    settle(&mia, &pat);
    let told = pat.does(&["guardian", "link", "mia"]);
    assert!(told.contains("mia has to agree, and types: zegel guardian link pat"), "{told}");
    mia.does(&["sync"]);
    assert_eq!((state(&mia, "pat"), state(&pat, "mia")), ("asks".into(), "asked".into()));
    assert!(guardian_of(&mia).is_empty(), "one alone is no link");
    let shown = mia.does(&["guardian"]);
    assert!(shown.contains("Only agree if it is somebody who looks after you"), "{shown}");
    let said = mia.fails(&["guardian", "link", "pat"]);
    assert!(said.contains("it was not confirmed; try --yes"), "{said}");
    let told = mia.does(&["guardian", "link", "pat", "--yes"]);
    assert!(
        told.starts_with("Only link with somebody who looks after you")
            && told.contains("never what you say"),
        "{told}"
    );
    assert!(told.ends_with("You both want it: it holds as soon as pat's device is connected.\n"), "{told}");
    settle(&mia, &pat);

    // She sees it wherever she looks.
    assert_eq!(guardian_of(&mia), "pat");
    assert!(mia.does(&["whoami"]).contains("pat is your guardian"), "{}", mia.does(&["whoami"]));
    let mut follow = mia.starts_at((12, 0, 0), &["follow"]);
    assert!(follow.line().starts_with("pat is your guardian"));
    drop(follow);
    assert_eq!(mia.asks_one(&["guardian"]), json!({"handle": "pat", "role": "guardian", "state": "linked"}));
    assert_eq!(pat.asks_one(&["guardian"]), json!({"handle": "mia", "role": "child", "state": "linked"}));
    assert!(listed(&pat, "mia", "people").is_empty(), "nobody but themself");
}

#[test]
fn only_a_child_and_an_adult_and_one_guardian() {
    let scene = Scene::new();
    let (mia, _pat) = family(&scene);
    let [tim, sam] =
        ["tim", "sam"].map(|handle| scene.register(handle, if handle == "tim" { "teen" } else { "adult" }));
    befriend(&tim, &sam);
    assert!(tim.fails(&["guardian", "link", "sam"]).contains("child"));
    let ann = scene.adult("ann");
    befriend(&ann, &sam);
    // Neither learns how old the other is: what comes of it is that nobody ever agrees.
    ann.does(&["guardian", "link", "sam"]);
    sam.does(&["sync"]);
    assert!(guardian_of(&sam).is_empty() && guardian_of(&ann).is_empty());
    let said = mia.fails(&["guardian", "link", "sam", "--yes"]);
    assert!(said.contains("; try "), "{said}");
}

#[test]
fn a_new_contact_waits_for_the_guardian() {
    let scene = Scene::new();
    let [bob, carol] = ["bob", "carol"].map(|handle| scene.adult(handle));
    let (mia, pat) = family(&scene);
    // Somebody has a code of hers: that is not yet her guardian's word.
    bob.does(&["connect", mia.does(&["code"]).trim_end()]);
    mia.does(&["sync"]);
    assert_eq!(mia.requests(), ["bob"]);
    let asked = mia.asks_one(&["accept", "bob"]);
    assert_eq!(asked, json!({"done": "ask", "name": "bob", "waits_for": "pat"}));
    assert_eq!(mia.requests(), ["bob"]);
    assert_eq!(text(&mia.asks_one(&["requests"]), "waits_for"), "pat");
    assert!(mia.does(&["requests"]).contains("pat was asked, and has not answered yet"));
    assert_eq!(asks(&pat), ["contact bob"]);
    let shown = pat.does(&["guardian", "requests"]);
    assert!(shown.starts_with("mia asks to be in contact with bob\n"), "{shown}");
    assert!(shown.contains("zegel guardian allow mia bob | zegel guardian refuse mia bob"), "{shown}");
    // What she is told of him, her guardian is told too.
    let notices = list(&mia.asks_one(&["requests"]), "notices");
    let told = list(&pat.asks_one(&["guardian", "requests"]), "told");
    assert!(
        told.len() == 2 && told[0].contains("your contact code") && told[1].contains("younger than"),
        "{told:?}"
    );
    assert!(told.iter().all(|told| notices.iter().any(|notice| notice.starts_with(told))), "{notices:?}");
    assert!(shown.contains("    ! mia is told of bob: They came with your contact code."), "{shown}");
    pat.does(&["guardian", "allow", "mia", "bob"]);
    // What she typed before is carried out.
    mia.does(&["sync"]);
    assert!(mia.requests().is_empty());
    mia.sends("hello").to("bob");
    bob.waits_for("mia: hello");
    assert_eq!(listed(&pat, "mia", "people"), ["bob"]);

    // Writing to somebody new asks too, and a refusal holds.
    let said = mia.sends("hi").to_in_vain("carol");
    assert!(said.contains("pat"), "{said}");
    assert_eq!(asks(&pat), ["contact carol"]);
    pat.does(&["guardian", "refuse", "mia", "carol"]);
    assert!(pat.asks(&["guardian", "requests"]).is_empty());
    mia.does(&["sync"]);
    carol.does(&["sync"]);
    assert!(carol.requests().is_empty());
    let seen = mia.sees("pat");
    assert!(seen.iter().any(|line| line.contains("carol")), "she is told: {seen:?}");
    assert_eq!(listed(&pat, "mia", "people"), ["bob"]);
    let said = pat.fails(&["guardian", "allow", "mia", "carol"]);
    assert!(said.contains("; try "), "it was answered: {said}");
}

#[test]
fn whom_the_guardian_allows_the_child_writes_to() {
    let scene = Scene::new();
    let carol = scene.adult("carol");
    let (mia, pat) = family(&scene);
    mia.sends("hi").to_in_vain("carol");
    assert_eq!(asks(&pat), ["contact carol"]);
    pat.does(&["guardian", "allow", "mia", "carol"]);
    mia.does(&["sync"]);
    mia.sends("hi").to("carol");
    assert_eq!(carol.requests(), ["mia"]);
}

#[test]
fn a_group_waits_for_the_guardian_who_sees_who_is_in_it() {
    let scene = Scene::new();
    let [bob, carol] = ["bob", "carol"].map(|handle| scene.adult(handle));
    let (mia, pat) = family(&scene);
    mia.sends("hi").to_in_vain("bob");
    asks(&pat);
    pat.does(&["guardian", "allow", "mia", "bob"]);
    befriend(&mia, &bob);
    befriend(&bob, &carol);
    settle(&mia, &bob);
    bob.does(&["group", "create", "chess", "mia", "carol"]);
    mia.does(&["sync"]);
    assert_eq!(mia.requests(), ["bob/chess"]);
    mia.does(&["accept", "chess", "--yes"]);
    assert_eq!(asks(&pat), ["group chess"]);
    let people = pat.asks(&["guardian", "requests"])[0]["people"].to_string();
    assert!(people.contains("bob") && people.contains("carol"), "{people}");
    bob.sends("welcome").to("chess");
    mia.does(&["sync"]);
    assert!(mia.asks(&["read"]).iter().all(|line| text(line, "text") != "welcome"));
    pat.does(&["guardian", "allow", "mia", "chess"]);
    mia.waits_for("bob: welcome");
    assert_eq!(listed(&pat, "mia", "groups"), ["chess"]);
}

#[test]
fn with_the_guardians_word_a_child_becomes_a_teen_and_the_link_ends() {
    let scene = Scene::new();
    let (mia, pat) = family(&scene);
    let asked = mia.asks_one(&["age", "teen"]);
    assert_eq!(asked, json!({"done": "ask", "name": "teen", "waits_for": "pat"}));
    assert_eq!(text(&mia.asks_one(&["age"]), "age"), "child");
    assert_eq!(asks(&pat), ["age teen"]);
    pat.does(&["guardian", "allow", "mia", "teen"]);
    until("the age has changed", || {
        mia.does(&["sync"]);
        text(&mia.asks_one(&["age"]), "age") == "teen"
    });
    settle(&mia, &pat);
    assert!(guardian_of(&mia).is_empty());
    assert_eq!((state(&mia, "pat"), state(&pat, "mia")), (String::new(), String::new()));
    // Nobody is asked any more; and whom she knows now is nobody's business.
    let carol = scene.adult("carol");
    mia.sends("hi").to("carol");
    assert_eq!(carol.requests(), ["mia"]);
    assert!(pat.asks(&["guardian", "requests"]).is_empty());
    assert!(pat.fails(&["guardian", "contacts", "mia"]).contains("mia"));
}

#[test]
fn a_child_whose_guardian_refuses_stays_a_child() {
    let scene = Scene::new();
    let (mia, pat) = family(&scene);
    let said = mia.fails(&["age", "adult"]);
    assert!(said.contains("one step at a time") && said.contains("try `age teen`"), "{said}");
    mia.does(&["age", "teen"]);
    assert_eq!(asks(&pat), ["age teen"]);
    pat.does(&["guardian", "refuse", "mia", "teen"]);
    mia.does(&["sync"]);
    mia.does(&["sync"]);
    assert_eq!(text(&mia.asks_one(&["age"]), "age"), "child");
    assert_eq!(guardian_of(&mia), "pat");
}

#[test]
fn the_guardian_ends_it() {
    let scene = Scene::new();
    let (mia, pat) = family(&scene);
    pat.does(&["guardian", "unlink", "mia"]);
    settle(&mia, &pat);
    assert!(guardian_of(&mia).is_empty() && state(&mia, "pat").is_empty() && state(&pat, "mia").is_empty());
    let carol = scene.adult("carol");
    mia.sends("hi").to("carol");
    assert_eq!(carol.requests(), ["mia"]);
    // And the chat goes on.
    pat.sends("still here").to("mia");
    mia.waits_for("pat: still here");
}

#[test]
fn a_child_who_blocks_the_guardian_is_free() {
    let scene = Scene::new();
    let (mia, pat) = family(&scene);
    let said = mia.fails(&["guardian", "unlink", "pat"]);
    assert!(said.contains("block"), "{said}");
    let told = mia.does(&["block", "pat"]);
    assert_eq!(told, "You blocked pat. They are not told, but see that they are no longer your guardian.\n");
    assert!(guardian_of(&mia).is_empty() && state(&mia, "pat").is_empty());
    pat.does(&["sync"]);
    assert_ne!(state(&pat, "mia"), "linked");
    let carol = scene.adult("carol");
    mia.sends("help me").to("carol");
    assert_eq!(carol.requests(), ["mia"]);
}
