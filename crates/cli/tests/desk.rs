//! From an abusive message over report, decision and appeal to the evidence: people at terminals, and people at the desk
//! in real browsers. The pictures are in `target/desk-screenshots`.

mod browser;
mod scene;

use std::{
    fs,
    io::{Read as _, Write as _},
    net::{SocketAddr, TcpListener},
    thread,
};

use browser::{Album, Browser};
use scene::{Person, Scene, text};
use serde_json::Value;
use thirtyfour::{Cookie, Key};

const EXPLANATION: &str = "You threatened to hurt someone. That is never allowed here.";

/// The desk of a scene's server.
struct Desk<'a> {
    scene: &'a Scene,
    album: &'a Album,
    /// Passkeys refuse bare addresses, so this is not where the people at terminals connect to.
    origin: String,
}

impl<'a> Desk<'a> {
    fn of(scene: &'a Scene, album: &'a Album) -> Self {
        Self { scene, album, origin: scene.url().replace("127.0.0.1", "localhost") }
    }
    /// The one-time link of somebody new.
    fn invites(&self, role: &str, name: &str) -> String {
        let printed =
            self.scene.operator_does("desk-invite", &[role, "--name", name, "--origin", &self.origin]);
        let link = printed.lines().find(|line| line.starts_with(&self.origin)).expect("a link");
        link.to_owned()
    }
    /// Somebody new, with a browser of their own and a passkey in it, signed in.
    fn takes_in(&self, role: &str, name: &str, first_page: &str) -> Browser<'a> {
        let browser = Browser::new(name, self.album);
        browser.goes_to(&self.invites(role, name));
        browser.sees_page("Join the desk");
        browser.sees(name);
        browser.clicks("Make your passkey");
        browser.sees_page("Sign in");
        browser.sees("Your passkey is made.");
        browser.clicks("Sign in with your passkey");
        browser.sees_page(first_page);
        browser
    }
    fn page(&self, path: &str) -> String {
        format!("{}/desk{path}", self.origin)
    }
}

/// Bob threatens Alice, who does not know him, and she reports it; the case.
fn threatened(alice: &Person, bob: &Person) -> Value {
    bob.sends("I know where you live.").to("alice");
    alice.accepts("bob");
    alice.sends("Who are you? Leave me alone.").to("bob");
    bob.sends("I will hurt you tonight.").to("alice");
    alice.waits_for("bob: I will hurt you tonight.");
    alice.asks_one(&["report", "bob", "--reason", "threats", "--note", "I am afraid.", "--yes"])
}

/// What the service decided about somebody, newest first.
fn decisions(person: &Person, about: &str) -> Vec<Value> {
    let mut statements = person.asks(&["decisions"]);
    statements.retain(|statement| text(statement, "about") == about);
    statements
}

#[test]
fn from_a_threat_to_the_evidence() {
    let album = Album::new("case");
    let (scene, [alice]) = Scene::of(["alice"]);
    let bob = scene.newcomer("bob");
    let mut register = bob.command(&["register", "bob", "--server", scene.url(), "--age", "adult"]);
    assert!(register.env("LC_ALL", "nl_NL.UTF-8").status().expect("zegel runs").success());

    let report = threatened(&alice, &bob);
    // What she answered is withheld, and so is what their devices told by themselves: that she accepted him, and the tokens
    // by which they would come back to each other.
    assert_eq!(["messages", "proven", "withheld"].map(|field| &report[field]), [2, 2, 4]);
    let case = text(&report, "case").to_owned();
    let this_case = format!("Case {case}");

    let desk = Desk::of(&scene, &album);
    let mia = desk.takes_in("moderator", "mia", "Open cases");
    let sam = desk.takes_in("senior", "sam", "Open cases");
    let ava = desk.takes_in("auditor", "ava", "Log");

    // The passkey is enough to come back.
    mia.clicks("Sign out");
    mia.sees_page("Sign in");
    mia.clicks("Sign in with your passkey");
    mia.sees_page("Open cases");

    // What is proven and what is not there can be told apart.
    assert_eq!(mia.texts("tbody td:first-of-type"), ["Danger"]);
    mia.clicks(&case);
    mia.sees_page(&this_case);
    assert_eq!(mia.texts(".badge"), ["proven", "withheld", "withheld", "withheld", "withheld", "proven"]);
    assert_eq!(mia.texts(".run .words"), ["I know where you live.", "I will hurt you tonight."]);
    assert_eq!(mia.texts("blockquote"), ["I am afraid."]);

    // The mouse is not needed.
    mia.tabs_to("Claim");
    mia.presses(Key::Enter);
    mia.waits_for("Release");
    mia.sees_page(&this_case);
    mia.sees("the person's language: Dutch");
    assert_eq!(text(&alice.asks_one(&["reports"]), "state"), "in-review");
    let mut following = bob.starts(&["follow"]);
    alice.sends("Stop it.").to("bob");
    while !following.line().ends_with("alice: Stop it.") {}
    suspend_by_keys(&mia);
    mia.sees("Suspended for 7 days");
    mia.sees_page(&this_case);

    // Bob is out, and knows why, in his language; it is the service that says so.
    assert_eq!(following.process.wait().expect("it ends").code(), Some(1));
    let refused = bob.sends("Still here.").to_in_vain("alice");
    assert!(refused.contains("zegel decisions"), "{refused}");
    let statement = &decisions(&bob, "decision")[0];
    assert_eq!((text(statement, "case"), text(statement, "language")), (case.as_str(), "nl"));
    assert_eq!(text(statement, "measure"), "suspend");
    let said = text(statement, "text");
    assert!(said.contains("Een besluit over je account") && said.contains("7 dagen"), "{said}");
    assert!(said.contains(EXPLANATION) && !said.contains("alice"), "{said}");
    let shown = bob.does(&["decisions"]);
    assert!(shown.contains("signed by the service") && shown.contains(EXPLANATION), "{shown}");
    bob.does(&["appeal", &case, "It was a line from a play."]);
    assert!(bob.fails(&["appeal", &case, "And again."]).contains("appealed before"));

    // Whoever decided first does not decide again.
    mia.clicks("Appeals");
    mia.sees_page("Appeals");
    mia.clicks(&case);
    mia.sees_page(&this_case);
    mia.sees("It was a line from a play.");
    mia.sees("Someone other than who decided first decides it.");
    assert!(!mia.is_offered("Claim") && !mia.is_offered("Decide the appeal"));
    sam.clicks("Appeals");
    sam.sees_page("Appeals");
    sam.clicks(&case);
    sam.sees_page(&this_case);
    sam.clicks("Claim");
    sam.waits_for("Release");
    sam.waits_for("Keep the decision: suspended for 7 days");
    sam.clicks("Warn");
    sam.fills(
        "Why, in plain words; the person reads this (at most 2000 bytes)",
        "A warning is enough this time.",
    );
    sam.clicks("Decide the appeal");
    sam.sees("A warning is enough this time.");
    sam.sees_page(&this_case);

    bob.sends("I am sorry.").to("alice");
    alice.waits_for("bob: I am sorry.");
    let second = &decisions(&bob, "appeal-decision")[0];
    assert_eq!((text(second, "case"), text(second, "measure")), (case.as_str(), "warn"));
    // It stands among the messages too, as nobody's.
    let heard = bob.asks(&["read"]);
    let from_service = heard.iter().filter(|line| text(line, "kind") == "service");
    assert!(from_service.clone().all(|line| text(line, "from").is_empty()));
    assert_eq!(from_service.count(), 3);
    let told = alice.asks_one(&["reports"]);
    let of_told = ["case", "state", "outcome"].map(|field| text(&told, field));
    assert_eq!(of_told, [case.as_str(), "decided", "action"]);
    let [outcome] = &decisions(&alice, "report-outcome")[..] else { panic!("she is told once") };
    assert_eq!(text(outcome, "language"), "en");

    let file = evidence(&desk, &case, &mia, &sam);
    log(&desk, &case, &ava);
    // What was let out is not changed by what is done later.
    assert_eq!(scene.auditor_tries(&["case", &file]).0, Some(0));
}

/// Fills in and sends the form by keys alone: a suspension of a week.
fn suspend_by_keys(browser: &Browser) {
    browser.tabs_to("Dismiss: no rule was broken, or it cannot be told");
    // Past the warning and the restriction.
    (0..3).for_each(|_| browser.presses(Key::Down));
    browser.tabs_to("Days, for a restriction or a suspension (1 to 365)");
    browser.types("7");
    browser.tabs_to("Why, in plain words; the person reads this (at most 2000 bytes)");
    browser.types(EXPLANATION);
    browser.tabs_to("Decide");
    browser.presses(Key::Enter);
}

/// Two people let the evidence out, and it can be checked without the service; the file.
fn evidence(desk: &Desk, case: &str, mia: &Browser, sam: &Browser) -> String {
    let (scene, this_case) = (desk.scene, format!("Case {case}"));
    mia.goes_to(&desk.page(&format!("/case/{case}")));
    mia.clicks("Ask for its export");
    mia.sees("It waits until a senior other than they allows it.");
    mia.sees_page(&this_case);
    assert!(!mia.is_offered("Allow its export") && !mia.is_offered("Download the evidence"));
    sam.goes_to(&desk.page(&format!("/case/{case}")));
    sam.clicks("Allow its export");
    sam.waits_for("Download the evidence");
    sam.sees_page(&this_case);
    sam.clicks("Download the evidence");
    let archive = sam.download();
    // There is no authority here.
    assert!(!sam.is_offered("File it with the authority"));

    let [file, changed] = ["evidence.zip", "changed.zip"].map(|name| scene.path(name));
    fs::write(&file, &archive).expect("written");
    for name in ["messages/1-1.txt", "content/1-1.cbor", "reports/1.json", "custody.jsonl", "manifest.json"] {
        let mut bytes = archive.clone();
        bytes[inside(&archive, name)] ^= 1;
        fs::write(&changed, &bytes).expect("written");
        let (status, said) = scene.auditor_tries(&["case", &changed.to_string_lossy()]);
        assert!(matches!(status, Some(1 | 2)), "{name}: {said}");
    }
    let file = file.to_string_lossy().into_owned();
    let (status, said) = scene.auditor_tries(&["case", &file]);
    assert_eq!(status, Some(0), "{said}");
    assert!(said.contains(case), "{said}");
    // Whoever follows the service's directory knows that the key is the service's.
    let state = scene.path("auditor.json").to_string_lossy().into_owned();
    let (status, said) = scene.auditor_tries(&["--server", scene.url(), "--state", &state, "--once"]);
    assert_eq!(status, Some(0), "{said}");
    let (status, said) = scene.auditor_tries(&["case", &file, "--state", &state]);
    assert_eq!(status, Some(0), "{said}");
    file
}

/// A place in a ZIP archive where a file of it is.
fn inside(archive: &[u8], name: &str) -> usize {
    const HEAD: usize = 30;
    let is_its_head = |at: &usize| {
        archive[*at..].starts_with(b"PK\x03\x04") && archive[at + HEAD..].starts_with(name.as_bytes())
    };
    let head = (0..archive.len() - HEAD).find(is_its_head).unwrap_or_else(|| panic!("there is no {name}"));
    let more = usize::from(u16::from_le_bytes([archive[head + 28], archive[head + 29]]));
    // Not at its very beginning, which tells how it is compressed.
    head + HEAD + name.len() + more + 4
}

/// The auditor sees what was done, never to whom, and can prove later that nothing was taken out.
fn log(desk: &Desk, case: &str, ava: &Browser) {
    let scene = desk.scene;
    ava.goes_to(&desk.page(""));
    ava.sees_page("Log");
    let acts = ava.texts("tbody td:nth-of-type(3)");
    for act in ["claim", "decide", "appeal", "ask-export", "allow-export"] {
        assert!(acts.iter().any(|done| done == act), "{act}: {acts:?}");
    }
    assert!(!ava.text().contains("bob") && !ava.text().contains("hurt you"), "{}", ava.text());
    ava.clicks("Export all of it");
    let first = ava.download();
    ava.clicks("Verify all of it");
    ava.sees_page("The log is whole");

    for path in [format!("/case/{case}"), "/appeals".into(), "/decided".into()] {
        ava.goes_to(&desk.page(&path));
        ava.sees_refusal("Not allowed", 403);
        ava.sees("Your role may not do this.");
    }
    ava.goes_to(&desk.page("/log"));
    ava.sees_page("Log");
    ava.clicks("Export all of it");
    let second = ava.download();

    let [old, new] = ["old.jsonl", "new.jsonl"].map(|name| scene.path(name).to_string_lossy().into_owned());
    fs::write(&old, &first).expect("written");
    fs::write(&new, &second).expect("written");
    let (status, said) = scene.auditor_tries(&["log", &new, "--before", &old]);
    assert_eq!(status, Some(0), "{said}");
    let (status, said) = scene.auditor_tries(&["log", &old, "--before", &new]);
    assert_ne!(status, Some(0), "{said}");
    let changed = String::from_utf8(second).expect("UTF-8").replacen("\"mia\"", "\"sam\"", 1);
    fs::write(&new, changed).expect("written");
    let (status, said) = scene.auditor_tries(&["log", &new]);
    assert_ne!(status, Some(0), "{said}");
}

/// A page of somebody else, whose one button sends a form to this address. It is served as long as the test runs.
fn trap(target: &str) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let page = format!(
        "<!doctype html><html lang=en><title>Prizes</title><link rel=icon href='data:,'><main><h1>Prizes</h1>\
         <form method=post action='{target}'><button>Take your prize</button></form></main></html>"
    );
    thread::spawn(move || {
        let length = page.len();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: {length}\r\n");
        let answer = format!("{head}Connection: close\r\n\r\n{page}");
        // Browsers open connections that they may need, and say nothing on them.
        for mut browser in listener.incoming().flatten() {
            let answer = answer.clone();
            thread::spawn(move || {
                browser.read(&mut [0; 4096]).and_then(|_| browser.write_all(answer.as_bytes()))
            });
        }
    });
    address
}

#[test]
fn nobody_comes_in_by_another_door() {
    let album = Album::new("doors");
    let (scene, [alice, bob]) = Scene::of(["alice", "bob"]);
    let case = text(&threatened(&alice, &bob), "case").to_owned();
    let desk = Desk::of(&scene, &album);
    let link = desk.invites("moderator", "mia");
    let mia = Browser::new("mia", &album);
    mia.goes_to(&link);
    mia.clicks("Make your passkey");
    mia.sees_page("Sign in");

    // A link is good once, and who made a passkey has yet to use it.
    mia.goes_to(&link);
    mia.sees_refusal("Not found", 404);
    mia.goes_to(&desk.page("/nothing/of/this"));
    mia.sees_refusal("Not found", 404);
    mia.goes_to(&desk.page(&format!("/case/{case}")));
    mia.sees_page("Sign in");
    // A session cannot be thought up.
    let mut cookie = Cookie::new("zegel-desk", "5e".repeat(32));
    cookie.set_path("/desk");
    mia.takes_cookie(cookie);
    mia.goes_to(&desk.page(&format!("/case/{case}")));
    mia.sees_page("Sign in");
    mia.sees("You were signed out");
    // Passkeys work at one address only; nobody is offered one at another.
    mia.goes_to(&format!("{}/desk/sign-in", scene.url()));
    mia.sees_page("Sign in");
    mia.sees("Passkeys work at one address only.");
    assert!(!mia.is_offered("Sign in with your passkey"));
    // Whoever was signed out comes back to where they were.
    mia.goes_to(&desk.page(&format!("/case/{case}")));
    mia.sees_page("Sign in");
    mia.clicks("Sign in with your passkey");
    mia.sees_page(&format!("Case {case}"));

    // Another site cannot make mia claim the case: not one elsewhere, nor one whose requests carry her cookie.
    let trap = trap(&desk.page(&format!("/case/{case}/claim")));
    for host in ["127.0.0.1", "localhost"] {
        mia.goes_to(&format!("http://{host}:{}/", trap.port()));
        mia.clicks("Take your prize");
        mia.sees_refusal("Not allowed", 403);
        mia.sees("This did not come from a page of the desk");
    }
    mia.goes_to(&desk.page(&format!("/case/{case}")));
    mia.sees_page(&format!("Case {case}"));
    mia.waits_for("Claim");

    // Who is removed is out with the next click, and the passkey opens nothing.
    scene.operator_does("desk-remove", &["mia"]);
    mia.clicks("Claim");
    mia.sees_page("Sign in");
    mia.clicks("Sign in with your passkey");
    mia.sees("This passkey was not accepted.");
    assert!(scene.operator_does("desk-staff", &[]).contains("removed"));
    assert_eq!(text(&alice.asks_one(&["reports"]), "state"), "received");
}
