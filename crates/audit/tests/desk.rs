//! Evidence and logs of a desk, checked by the real program.

mod scene;

use std::{fs, path::Path, process::Command};

use scene::{DOMAIN, Desk, House, Said, Service};
use zegel_cases::{
    Case, CaseNumber, Category, Claim, Decision, Export, Finding, LogEntry, LogHead, Measure, Report, Ruled,
    Shown, StaffId, Subject, archive,
};
use zegel_directory::{SignerKey, Statement};
use zegel_identity::SigningKey;
use zegel_proto::AccountId;

const NOW: u64 = 1_795_320_000_000;

fn case() -> Case {
    let claim = |name: &str| Claim { by: StaffId(name.into()), at_ms: NOW };
    Case {
        number: CaseNumber::new(77),
        subject: Subject::Account(AccountId([4; 16])),
        handle: "mallory".into(),
        opened_ms: NOW,
        category: Category::Threats,
        reports: 1,
        disclosed: 1,
        proven: 0,
        claim: None,
        decision: None,
        appeal: None,
        export: Some(Export { asked: claim("ada"), allowed: Some(claim("sue")), reports: 1 }),
        rule: None,
    }
}

fn report(finding: Finding) -> Report {
    let text = |text: &str| text.to_owned();
    let sender = if finding == Finding::Proven { AccountId([4; 16]).to_hex() } else { String::new() };
    let shown = Shown {
        finding,
        gap: 0,
        sender,
        handle: String::new(),
        accepted_ms: 0,
        seq: 0,
        text: text("I will find you"),
        content: text("00"),
        context: text("00"),
        stamp: text("00"),
    };
    Report {
        reporter: AccountId([1; 16]),
        handle: text("alice"),
        category: Category::Threats,
        note: String::new(),
        made_ms: NOW,
        room: String::new(),
        run: vec![shown],
        earlier: (0, 0),
        young: false,
    }
}

fn evidence(key: &SignerKey, domain: &str, finding: Finding) -> Vec<u8> {
    evidence_of(key, domain, &case(), &report(finding))
}

fn evidence_of(key: &SignerKey, domain: &str, case: &Case, report: &Report) -> Vec<u8> {
    let sign = |body: &[u8]| key.sign_statement(domain, Statement::Evidence, body);
    archive::build(domain, key.links(), case, std::slice::from_ref(report), &[], NOW, sign)
        .expect("it is small")
}

fn unproven() -> Finding {
    Finding::Unproven("this service did not stamp it so".into())
}

fn log(key: &SignerKey, acts: &[&str]) -> String {
    log_of(key, DOMAIN, acts, NOW + acts.len() as u64)
}

fn log_of(key: &SignerKey, domain: &str, acts: &[&str], made_ms: u64) -> String {
    let (mut head, mut lines) = (LogHead::default(), Vec::new());
    for act in acts {
        let (who, act) = (StaffId("ada".into()), (*act).to_owned());
        let (detail, prev) = (String::new(), String::new());
        let (line, next) = head.append(LogEntry { seq: 0, at_ms: NOW, who, act, case: None, detail, prev });
        lines.push(line);
        head = next;
    }
    let sign = |body: &[u8]| key.sign_statement(domain, Statement::Log, body);
    archive::export_log(domain, key.links(), &lines, &head, made_ms, sign)
}

fn run(what: &str, file: &Path, more: &[&Path]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_zegel-audit"));
    Said::from(command.arg(what).arg(file).args(more).output().expect("the program runs"))
}

fn lied(said: &Said, what: &str) {
    assert_eq!(said.code, Some(2), "{said:?}");
    assert!(said.err.starts_with("zegel-audit: LIE: the service ") && said.err.contains(what), "{said:?}");
}

fn other_key() -> SignerKey {
    SignerKey::first(SigningKey::from_bytes(&[8; 32]))
}

#[test]
fn evidence_is_checked_and_says_what_it_proves() {
    let house = House::new();
    let desk = Desk::new();
    let file = desk.path("case.zip");
    fs::write(&file, evidence(&house.key, DOMAIN, unproven())).expect("a folder");
    let said = run("case", &file, &[]).fine();
    for part in [
        "case 00000-0002D of zegel.example",
        "mallory",
        "0 proven, 0 withheld, 1 not proven",
        "asked by ada, allowed by sue",
        "--state would tell",
        "It proves what this service stated",
    ] {
        assert!(said.out.contains(part), "{part:?} is not in {said:?}");
    }
    run("case", &desk.path("none.zip"), &[]).failed("while checking");
    let mut bytes = fs::read(&file).expect("it is there");
    // In the data of the first file, behind its header of 30 bytes, its name and what else the header holds.
    let length = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
    let data = 30 + length(26) + length(28);
    bytes[data + 4] ^= 1;
    fs::write(&file, &bytes).expect("a folder");
    run("case", &file, &[]).failed("try a copy");
    fs::write(&file, &bytes[..bytes.len() / 2]).expect("a folder");
    run("case", &file, &[]).failed("ZIP");
}

#[test]
fn evidence_says_what_was_decided_and_for_how_long() {
    let house = House::new();
    let desk = Desk::new();
    let file = desk.path("case.zip");
    for (measure, stated) in [
        (Measure::Warn, "decided: warn for threats, by mia"),
        (Measure::Suspend { days: 7 }, "decided: suspend, 7 days, for threats, by mia"),
        (Measure::RestrictFirstContact { days: 1 }, "restrict-first-contact, 1 day, for threats, by mia"),
    ] {
        let decision = Decision {
            measure,
            against: AccountId([4; 16]),
            ground: Category::Threats,
            explanation: "You threatened someone.".into(),
            by: StaffId("mia".into()),
            at_ms: NOW,
        };
        let decided = Case { decision: Some(decision), ..case() };
        let bytes = evidence_of(&house.key, DOMAIN, &decided, &report(unproven()));
        fs::write(&file, bytes).expect("a folder");
        let said = run("case", &file, &[]).fine();
        assert!(said.out.contains(stated), "{stated:?} is not in {said:?}");
    }
}

#[test]
fn evidence_says_what_a_rule_did() {
    let house = House::new();
    let desk = Desk::new();
    let file = desk.path("case.zip");
    let mut case = Case { reports: 0, disclosed: 0, ..case() };
    let (rule, says) = ("unwanted".to_owned(), "If 8 people or more block you, you wait.".to_owned());
    let ruled = Ruled { rule, says, least: 8, days: 7, counted: 11, at_ms: NOW };
    case.restrict_by_rule(ruled, 7, "Als 8 of meer mensen je blokkeren, wacht je.".into()).expect("it may");
    let sign = |body: &[u8]| house.key.sign_statement(DOMAIN, Statement::Evidence, body);
    let bytes = archive::build(DOMAIN, house.key.links(), &case, &[], &[], NOW, sign).expect("it is small");
    fs::write(&file, bytes).expect("a folder");
    let said = run("case", &file, &[]).fine();
    for part in [
        "0 reports;",
        "brought by the rule unwanted: from 8 people in 7 days; at least 11 were counted",
        "decided: restrict-first-contact, 7 days, for threats, by a rule of the service",
    ] {
        assert!(said.out.contains(part), "{part:?} is not in {said:?}");
    }
}

#[test]
fn evidence_is_held_against_the_service_that_was_followed() {
    let mut house = House::new();
    house.grow(2);
    let service = Service::of(&house);
    let desk = Desk::new();
    desk.once(&service.url, &[]).fine();
    let (file, state) = (desk.path("case.zip"), desk.state());
    let check = |key: &SignerKey, domain: &str, finding| {
        fs::write(&file, evidence(key, domain, finding)).expect("a folder");
        run("case", &file, &[Path::new("--state"), &state])
    };
    let said = check(&house.key, DOMAIN, unproven()).fine();
    assert!(said.out.contains("the service which was followed"), "{said:?}");
    // Anybody can make up a service: that accuses nobody.
    check(&other_key(), DOMAIN, unproven()).failed("another service");
    check(&other_key(), DOMAIN, Finding::Proven).failed("another service");
    check(&house.key, "evil.example", unproven()).failed("another service");
    // A key that came after what was seen is fine.
    let next = |seed: u8| {
        SignerKey::first(SigningKey::from_bytes(&[9; 32])).rotate(DOMAIN, SigningKey::from_bytes(&[seed; 32]))
    };
    check(&next(10), DOMAIN, unproven()).fine();
    // The service's own key under what cannot be true.
    lied(&check(&house.key, DOMAIN, Finding::Proven), "message 1");
    run("case", &file, &[]).failed("--state");
    run("case", &file, &[Path::new("--state"), &desk.path("nothing")]).failed("there is none");
}

#[test]
fn a_log_is_checked_and_continues_an_older_one() {
    let house = House::new();
    let desk = Desk::new();
    let put = |name: &str, text: &str| {
        fs::write(desk.path(name), text).expect("a folder");
        desk.path(name)
    };
    let newer = put("newer", &log(&house.key, &["sign-in", "claim", "decide"]));
    let older = put("older", &log(&house.key, &["sign-in", "claim"]));
    let before = Path::new("--before");
    let said = run("log", &newer, &[]).fine();
    assert!(said.out.contains("desk log of zegel.example") && said.out.contains("3 lines"), "{said:?}");
    let said = run("log", &newer, &[before, &older]).fine();
    assert!(said.out.contains("continues the older log, which ends with line 2"), "{said:?}");
    assert!(said.out.contains("--state would tell"), "{said:?}");
    run("log", &older, &[before, &newer]).failed("they are swapped");
    let other = put("other", &log(&other_key(), &["sign-in", "claim", "decide"]));
    run("log", &other, &[before, &older]).failed("different services");
    // Whoever makes up a service can make up two logs of it: that accuses nobody.
    let rewritten = put("rewritten", &log(&house.key, &["sign-in", "look", "decide"]));
    run("log", &rewritten, &[before, &older])
        .failed("the two logs contradict each other")
        .failed("try --state");
    let text = fs::read_to_string(&newer).expect("it is there").replace("\"claim\"", "\"look\"");
    run("log", &put("changed", &text), &[]).failed("line 3 of the log");
    run("log", &newer, &[before, &desk.path("changed")]).failed("changed");
}

#[test]
fn a_log_is_held_against_the_service_that_was_followed() {
    let mut house = House::new();
    house.grow(2);
    let service = Service::of(&house);
    let desk = Desk::new();
    desk.once(&service.url, &[]).fine();
    let put = |name: &str, text: &str| {
        fs::write(desk.path(name), text).expect("a folder");
        desk.path(name)
    };
    let check = |newer: &Path, older: &Path| {
        run("log", newer, &[Path::new("--before"), older, Path::new("--state"), &desk.state()])
    };
    let newer = put("newer", &log(&house.key, &["sign-in", "claim", "decide"]));
    let older = put("older", &log(&house.key, &["sign-in", "claim"]));
    let said = check(&newer, &older).fine();
    assert!(said.out.contains("the service which was followed"), "{said:?}");
    // What was exported once cannot be taken back.
    check(&older, &newer).failed("they are swapped");
    let shorter = put("shorter", &log_of(&house.key, DOMAIN, &["sign-in", "claim"], NOW + 9));
    lied(&check(&shorter, &newer), "ends before the older one");
    let rewritten = put("rewritten", &log(&house.key, &["sign-in", "look", "decide"]));
    lied(&check(&rewritten, &older), "is not in the newer one");
    // Two made up logs of a made up service of the same name.
    let (one, two) = (log(&other_key(), &["sign-in", "claim"]), log(&other_key(), &["look", "look", "look"]));
    check(&put("two", &two), &put("one", &one)).failed("another service");
}

#[test]
fn no_name_in_a_file_reaches_the_terminal_raw() {
    let house = House::new();
    let desk = Desk::new();
    let check = |what: &str, bytes: &[u8]| {
        fs::write(desk.path("file"), bytes).expect("a folder");
        let said = run(what, &desk.path("file"), &[]);
        assert_eq!(said.code, Some(1), "{said:?}");
        let raw = |c: char| c != '\n' && c.is_control() || c == '\u{202e}';
        assert!(!said.out.contains(raw) && !said.err.contains(raw), "{said:?}");
        assert_eq!((said.out.as_str(), said.err.lines().count()), ("", 1), "{said:?}");
        said.err
    };
    for name in ["a\x1b[2Jb", "a\u{202e}b", "zegel.example\nsigned with the key that was followed"] {
        let said = check("case", &evidence(&house.key, name, unproven()));
        assert!(said.contains("its domain cannot be one"), "{said}");
        let said = check("log", log_of(&house.key, name, &["look"], NOW).as_bytes());
        assert!(said.contains("its domain cannot be one"), "{said}");
        let named = |change: &dyn Fn(&mut Case, &mut Report)| {
            let (mut case, mut report) = (case(), report(unproven()));
            change(&mut case, &mut report);
            check("case", &evidence_of(&house.key, DOMAIN, &case, &report))
        };
        let said = named(&|case, _| case.handle = name.into());
        assert!(said.contains("case.json: the handle cannot be one"), "{said}");
        let said = named(&|case, _| case.export.as_mut().expect("asked").asked.by.0 = name.into());
        assert!(said.contains("case.json: it names somebody"), "{said}");
        let said = named(&|_, report| report.run[0].handle = name.into());
        assert!(said.contains("reports/1.json: message 1 has a handle"), "{said}");
    }
    // What cannot be read is quoted when that is said.
    let text = log(&house.key, &["look"]).replacen("\"seq\"", "\"s\u{202e}eq\"", 1);
    check("log", text.as_bytes());
}
