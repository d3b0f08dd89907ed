//! What each role is shown, and what becomes of what they do.

mod kit;

use kit::{
    Scene,
    memory::{self, BOB, MALLORY, MINUTE, NOW, report, shown},
};
use zegel_cases::{Appeal, Case, Finding, Measure, Report, Role, Ruled, Subject};

const DECISION: [(&str, &str); 5] = [
    ("seen", "1"),
    ("measure", "suspend"),
    ("days", "30"),
    ("ground", "threats"),
    ("explanation", "You threatened Bob."),
];

/// What filing asks for.
const LOOKED: [(&str, &str); 1] = [("looked", "yes")];

#[tokio::test]
async fn a_case_shows_what_is_proven_and_what_is_missing() {
    let scene = Scene::new();
    let mut gap = shown(Finding::Proven, BOB, "bob", "leave me alone");
    gap.gap = 2;
    let mut claimed =
        shown(Finding::Unproven("the stamp is not ours".into()), MALLORY, "", "I know where you live");
    (claimed.sender, claimed.accepted_ms) = (String::new(), 0);
    let run = vec![
        shown(Finding::Proven, MALLORY, "mallory", "first line\n  second line"),
        shown(Finding::Withheld, MALLORY, "mallory", "never shown"),
        shown(Finding::Change, MALLORY, "mallory", ""),
        gap,
        claimed,
    ];
    let mut case = memory::case(1);
    case.reports = 7;
    let number = scene.office.put(case, vec![report(run)]);
    let mut closed = memory::case(2);
    closed.opened_ms -= 1;
    scene.office.put(closed, Vec::new());
    let mut ada = scene.person("ada", Role::Moderator).await;
    let page = ada.get(&format!("/desk/case/{number}")).await;
    page.shows("Report 1 by <bdi>bob</bdi>: threats")
        .shows("please help")
        .hides("this is page")
        .shows("Proven 2 of 3 disclosed.")
        .shows("3 of 4 decided earlier reports led to a measure")
        .shows("account younger than a week")
        .shows("4 reports within an hour, 3 from accounts younger than a week; volume decides nothing")
        .shows("<span class=\"badge proven\">proven</span>")
        .shows("<span class=\"badge withheld\">withheld</span>")
        .shows("<span class=\"badge unproven\">not proven: the stamp is not ours</span>")
        .shows("2 messages between, neither shown nor named")
        .shows("Named, not disclosed: a message, or what their device tells by itself (such as that they accepted).")
        .hides("never shown")
        .shows("<span class=\"badge change\">nothing said</span>")
        .shows("This is no message: the conversation&#39;s keys or members changed.")
        .shows("<div class=\"words\" dir=\"auto\">first line\n  second line</div>")
        .shows("<span class=\"mark reported\">the person reported</span>")
        .shows("<span class=\"mark reporter\">the reporter themself</span>")
        .shows("unknown sender")
        .shows("time not proven")
        .shows("2026-09-21 12:33 UTC")
        .shows("Reports hold texts only for now")
        .shows("Other cases about the same")
        .shows("/desk/case/00000-00002");
}

#[tokio::test]
async fn all_reports_of_a_case_can_be_reached() {
    let scene = Scene::new();
    let mut case = memory::case(1);
    case.reports = 51;
    let reports = (0..51).map(|n| Report { note: format!("note {n}."), ..report(Vec::new()) });
    let number = scene.office.put(case, reports.collect());
    let mut ada = scene.person("ada", Role::Moderator).await;
    let page = ada.get(&format!("/desk/case/{number}")).await;
    page.shows("Of 51 reports this is page 1 of 3").shows("note 24.").hides("note 25.").hides("Page before");
    page.shows(&format!("href=\"/desk/case/{number}?page=2\" rel=\"next\""));
    let page = ada.get(&format!("/desk/case/{number}?page=2")).await;
    page.shows("note 25.").shows("note 49.").hides("note 50.").shows("Page before").shows("Next page");
    let page = ada.get(&format!("/desk/case/{number}?page=3")).await;
    page.shows("note 50.").hides("Next page");
    for odd in ["0", "x", "-1", "1&page=2"] {
        ada.get(&format!("/desk/case/{number}?page={odd}")).await.shows("page 1 of 3");
    }
}

#[tokio::test]
async fn the_queue_comes_in_parts() {
    let scene = Scene::new();
    for number in 0..120 {
        let mut case = memory::case(number);
        case.proven = u32::from(number % 2 == 0);
        if number == 3 {
            case.subject = Subject::Room([3; 32]);
        }
        scene.office.put(case, Vec::new());
    }
    let mut ada = scene.person("ada", Role::Moderator).await;
    let page = ada.get("/desk").await;
    page.shows("<span class=\"count\">120 cases</span>")
        .shows("<span class=\"urgency danger\">Danger</span>");
    page.shows("<span class=\"mark\">doubtful</span>").shows("<bdi>mallory</bdi>").shows("<td>group</td>");
    page.shows("<td>1 h</td>").shows("<td>1 of 3</td>").shows("href=\"/desk?from=50\"").hides("First part");
    let page = ada.get("/desk?from=50").await;
    page.shows("First part").shows("href=\"/desk?from=100\"");
    ada.get("/desk?from=100").await.hides("Next part").shows("First part");
    ada.get("/desk/appeals").await.shows("No appeal waits.");
}

#[tokio::test]
async fn a_moderator_claims_and_decides_in_one_step() {
    let scene = Scene::new();
    let number = scene.office.put(memory::case(1), vec![report(Vec::new())]);
    let (mut ada, mut ben) =
        (scene.person("ada", Role::Moderator).await, scene.person("ben", Role::Moderator).await);
    let path = format!("/desk/case/{number}");
    let decide = format!("{path}/decide");
    ada.get(&path).await.shows("Claim <kbd>c</kbd>").hides("name=\"measure\"").hides("Release");
    let page = ada.post(&path, &decide, &DECISION).await;
    assert_eq!(page.status, 409);
    page.shows("Nothing was changed: claim the case first.").shows("You threatened Bob.");
    ada.post(&path, &format!("{path}/claim"), &[]).await.leads_to(&path);
    let page = ada.get(&path).await;
    page.shows("Release <kbd>c</kbd>")
        .shows("value=\"suspend\"")
        .hides("value=\"ban\"")
        .hides("name=\"against\"");
    page.shows("<option value=\"threats\" selected>").shows("max=\"365\" value=\"7\"");
    page.shows("Do not name who reported").shows("in the person's language: Dutch.");
    ben.get(&path)
        .await
        .shows("<bdi>ada</bdi>")
        .hides("/claim\"")
        .hides("/release\"")
        .hides("name=\"measure\"");
    let page = ben.post(&path, &format!("{path}/claim"), &[]).await;
    assert_eq!(page.status, 409);
    // Where something went wrong, the menu stays.
    page.shows("Ada works on this case")
        .shows(&format!("Back to case {number}"))
        .shows("<a href=\"/desk/appeals\"")
        .shows("<bdi>ben</bdi>, moderator");
    let page = ben.post(&path, &decide, &DECISION).await;
    assert_eq!(page.status, 409);
    page.shows("Nothing was changed: ada works on this case");

    for (field, value, why) in [
        ("days", "0", "a measure lasts from 1 to 365 days"),
        ("days", "many", "a measure lasts from 1 to 365 days"),
        ("days", "99999999999", "a measure lasts from 1 to 365 days"),
        ("explanation", "  ", "say why, in at most 2000 bytes"),
        ("ground", "boredom", "choose which rule was broken"),
        ("measure", "shame", "choose a measure"),
    ] {
        let fields = DECISION.map(|(name, given)| (name, if name == field { value } else { given }));
        let page = ada.post(&path, &decide, &fields).await;
        assert_eq!(page.status, 422, "{field}");
        page.shows(why).shows("name=\"measure\"");
    }
    let fields = DECISION.map(|(name, given)| (name, if name == "measure" { "ban" } else { given }));
    assert_eq!(ada.post(&path, &decide, &fields).await.status, 403, "a ban is a senior's");

    let long = [("explanation", "one\r\ntwo")];
    ada.post(&path, &decide, &[&DECISION[..4], &long].concat()).await.leads_to(&path);
    let page = ada.get(&path).await;
    page.shows("Decided: Suspended for 30 days")
        .shows("one\ntwo")
        .hides("name=\"measure\"")
        .hides("/claim\"");
    let decision = scene.office.inner().cases[&number].0.decision.clone().expect("it was decided");
    assert_eq!((decision.measure, decision.against), (Measure::Suspend { days: 30 }, MALLORY));
    assert_eq!(ada.post(&path, &decide, &DECISION).await.status, 409);
}

#[tokio::test]
async fn an_appeal_is_decided_by_someone_else() {
    let scene = Scene::new();
    let mut ada = scene.person("ada", Role::Senior).await;
    let mut ben = scene.person("ben", Role::Moderator).await;
    let number = scene.office.put(memory::case(1), vec![report(Vec::new())]);
    let path = format!("/desk/case/{number}");
    ada.post(&path, &format!("{path}/claim"), &[]).await.leads_to(&path);
    ada.get(&path).await.shows("value=\"ban\"");
    let ban = DECISION.map(|(name, given)| (name, if name == "measure" { "ban" } else { given }));
    ada.post(&path, &format!("{path}/decide"), &ban).await.leads_to(&path);
    if let Some((case, _)) = scene.office.inner().cases.get_mut(&number) {
        case.appeal =
            Some(Appeal { text: "It was a <i>joke</i>".into(), at_ms: NOW + MINUTE, decision: None });
    }
    ben.get("/desk/appeals").await.shows(&number.to_string());
    let page = ada.get(&path).await;
    page.shows("It was a &lt;i&gt;joke&lt;/i&gt;").hides("/claim\"").hides("name=\"measure\"");
    ben.post(&path, &format!("{path}/claim"), &[]).await.leads_to(&path);
    // A moderator may leave a ban as it is.
    ben.get(&path)
        .await
        .shows("Decide the appeal")
        .shows("Keep the decision: banned")
        .shows("Lift it: no rule was broken")
        .hides("Dismiss:")
        .hides("value=\"ban\"");
    let lift = DECISION.map(|(name, given)| (name, if name == "measure" { "dismiss" } else { given }));
    ben.post(&path, &format!("{path}/decide"), &lift).await.leads_to(&path);
    ben.get(&path).await.shows("Decision on the appeal").shows("Closed: Lifted");
    ben.get("/desk/closed").await.shows(&number.to_string());
}

#[tokio::test]
async fn an_appeals_form_offers_what_was_decided_and_what_is_milder() {
    let scene = Scene::new();
    let (mut ada, mut ben) =
        (scene.person("ada", Role::Moderator).await, scene.person("ben", Role::Moderator).await);
    let number = scene.office.put(memory::case(1), vec![report(Vec::new())]);
    let path = format!("/desk/case/{number}");
    let decide = format!("{path}/decide");
    ada.post(&path, &format!("{path}/claim"), &[]).await.leads_to(&path);
    ada.post(&path, &decide, &DECISION).await.leads_to(&path);
    if let Some((case, _)) = scene.office.inner().cases.get_mut(&number) {
        case.appeal = Some(Appeal { text: "A joke".into(), at_ms: NOW + MINUTE, decision: None });
    }
    ben.post(&path, &format!("{path}/claim"), &[]).await.leads_to(&path);
    let page = ben.get(&path).await;
    let first = page.text().split("type=\"radio\"").nth(1).expect("a first choice");
    assert!(first.contains("value=\"keep\"") && first.contains("Keep the decision: suspended for 30 days"));
    page.shows("An appeal never makes it worse")
        .shows("Suspend, for fewer days")
        .shows("(1 to 30)")
        .shows("max=\"30\" value=\"30\"")
        .hides("value=\"ban\"");
    let longer = DECISION.map(|(name, given)| (name, if name == "days" { "31" } else { given }));
    let page = ben.post(&path, &decide, &longer).await;
    assert_eq!(page.status, 422);
    page.shows("an appeal never makes it worse").shows("name=\"measure\"");
    // What stands in the other fields does not matter then.
    let keep = longer.map(|(name, given)| (name, if name == "measure" { "keep" } else { given }));
    ben.post(&path, &decide, &keep).await.leads_to(&path);
    let appeal = scene.office.inner().cases[&number].0.appeal.clone().expect("it was appealed");
    assert_eq!(appeal.decision.expect("it was decided").measure, Measure::Suspend { days: 30 });
}

/// A case that nobody reported, and what a rule counted.
fn counted(number: u64) -> (Case, Ruled) {
    let case = Case { reports: 0, disclosed: 0, proven: 0, ..memory::case(number) };
    let says = "If <8> people or more block you within 7 days, you wait.".into();
    (case, Ruled { rule: "unwanted".into(), says, least: 8, days: 7, counted: 11, at_ms: NOW })
}

#[tokio::test]
async fn what_a_rule_asks_to_look_at_is_shown_as_that() {
    let scene = Scene::new();
    let (mut case, ruled) = counted(1);
    case.bring(ruled);
    let number = scene.office.put(case, Vec::new());
    let mut ada = scene.person("ada", Role::Moderator).await;
    ada.get("/desk").await.shows("<td>0 <span class=\"mark\">by a rule</span></td>");
    let path = format!("/desk/case/{number}");
    ada.get(&path)
        .await
        .shows("Brought by a rule")
        .shows("<code>unwanted</code> asks that a person looks")
        .shows("It counts people and reads nothing")
        .shows("If &lt;8&gt; people or more block you")
        .shows("at least 11 different people within 7 days; the rule says 8 or more")
        .shows("Do not tell the person how many there were")
        .shows("Nobody reported this: 0 reports.")
        .shows("a rule counted people, and nothing is proven")
        .hides("No report is kept any more")
        .hides("mostly wrong before");
    ada.post(&path, &format!("{path}/claim"), &[]).await.leads_to(&path);
    ada.get(&path).await.hides("and so are those who reported").shows("name=\"seen\" value=\"0\"");
    let nothing_seen = DECISION.map(|(name, given)| (name, if name == "seen" { "0" } else { given }));
    // Somebody reports meanwhile.
    if let Some((case, _)) = scene.office.inner().cases.get_mut(&number) {
        case.join(case.category, 1, 0);
    }
    let page = ada.post(&path, &format!("{path}/decide"), &nothing_seen).await;
    page.shows("reports came in that were not on your page");
    let page = ada.get(&path).await;
    page.shows("Brought by a rule").hides("Nobody reported this").shows("and so are those who reported");
    ada.post(&path, &format!("{path}/decide"), &DECISION).await.leads_to(&path);
    ada.get(&path).await.shows("<dt>By</dt><dd><bdi>ada</bdi>");
}

#[tokio::test]
async fn what_a_rule_decided_is_shown_as_no_persons_and_a_person_decides_the_appeal() {
    let scene = Scene::new();
    let (mut case, ruled) = counted(1);
    case.restrict_by_rule(ruled, 7, "Als 8 of meer mensen je blokkeren, wacht je.".into()).expect("it may");
    case.appeal(&MALLORY, "I am the new teacher", NOW).expect("it may be appealed");
    let number = scene.office.put(case, Vec::new());
    let mut ada = scene.person("ada", Role::Moderator).await;
    ada.get("/desk/appeals").await.shows("by a rule").shows("No first contact for 7 days");
    let path = format!("/desk/case/{number}");
    ada.get(&path)
        .await
        .shows("<code>unwanted</code> decided this by itself")
        .shows("<dt>By</dt><dd>a rule of the service, no person")
        .shows("Als 8 of meer mensen je blokkeren, wacht je.")
        .shows("A rule decided first; a person decides now.")
        .shows("I am the new teacher")
        .hides("Someone other than who decided first")
        .hides("safety-rules");
    ada.post(&path, &format!("{path}/claim"), &[]).await.leads_to(&path);
    ada.get(&path).await.shows("Keep the decision: no first contact for 7 days").hides("value=\"suspend\"");
    let lift = DECISION.map(|(name, given)| match name {
        "measure" => (name, "dismiss"),
        "seen" => (name, "0"),
        _ => (name, given),
    });
    ada.post(&path, &format!("{path}/decide"), &lift).await.leads_to(&path);
    ada.get(&path).await.shows("Closed: Lifted").shows("<bdi>ada</bdi>");
}

#[tokio::test]
async fn in_a_group_only_a_proven_sender_can_be_named() {
    let scene = Scene::new();
    let mut case = memory::case(1);
    case.subject = Subject::Room([1; 32]);
    case.handle = String::new();
    let run = vec![
        shown(Finding::Proven, MALLORY, "mallory", "a"),
        shown(Finding::Unproven("moved".into()), BOB, "bob", "b"),
        shown(Finding::Proven, MALLORY, "mallory", "c"),
    ];
    let number = scene.office.put(case.clone(), vec![report(run)]);
    let mut ada = scene.person("ada", Role::Moderator).await;
    let path = format!("/desk/case/{number}");
    let decide = format!("{path}/decide");
    ada.post(&path, &format!("{path}/claim"), &[]).await.leads_to(&path);
    let (mallory, bob) = (MALLORY.to_hex(), BOB.to_hex());
    let page = ada.get(&path).await;
    page.shows(&format!("value=\"{mallory}\""))
        .shows("mallory, 2 proven messages")
        .hides(&format!("value=\"{bob}\""));
    // There is nothing to keep yet.
    let keep = DECISION.map(|(name, given)| (name, if name == "measure" { "keep" } else { given }));
    ada.post(&path, &decide, &keep).await.shows("choose a measure");
    for wrong in ["", bob.as_str(), "zz"] {
        let page = ada.post(&path, &decide, &[&DECISION[..], &[("against", wrong)]].concat()).await;
        assert_eq!(page.status, 422);
        page.shows("choose whom the decision is about");
    }
    ada.post(&path, &decide, &[&DECISION[..], &[("against", &mallory)]].concat()).await.leads_to(&path);
    ada.get(&path).await.shows("<dt>Against</dt><dd><bdi>mallory</bdi></dd>");

    case.number = zegel_cases::CaseNumber::new(2);
    let number = scene.office.put(case, vec![report(Vec::new())]);
    let path = format!("/desk/case/{number}");
    ada.post(&path, &format!("{path}/claim"), &[]).await.leads_to(&path);
    ada.get(&path).await.shows("this can only be dismissed");
    let dismiss = DECISION.map(|(name, given)| (name, if name == "measure" { "dismiss" } else { given }));
    ada.post(&path, &format!("{path}/decide"), &dismiss).await.leads_to(&path);
}

#[tokio::test]
async fn evidence_leaves_when_two_people_want_it() {
    let scene = Scene::new();
    let number = scene.office.put(memory::case(13), vec![report(Vec::new())]);
    let mut ada = scene.person("ada", Role::Moderator).await;
    let mut ben = scene.person("ben", Role::Senior).await;
    let mut zoe = scene.person("zoe", Role::Senior).await;
    let path = format!("/desk/case/{number}");
    let to = |act: &str| format!("{path}/{act}");
    ada.get(&path).await.shows("/ask-export").hides("/allow-export").hides("/evidence\"").hides("/file\"");
    assert_eq!(ada.post(&path, &to("evidence"), &[]).await.status, 409);
    assert_eq!(ada.post(&path, &to("file"), &LOOKED).await.status, 409);
    assert_eq!(ada.post(&path, &to("allow-export"), &[]).await.status, 403);
    ben.post(&path, &to("ask-export"), &[]).await.leads_to(&path);
    ben.get(&path).await.shows("Asked by <bdi>ben</bdi>").hides("/allow-export").hides("/ask-export");
    assert_eq!(ben.post(&path, &to("allow-export"), &[]).await.status, 409);
    zoe.get(&path).await.shows("/allow-export");
    zoe.post(&path, &to("allow-export"), &[]).await.leads_to(&path);
    ada.get(&path).await.shows("Allowed by <bdi>zoe</bdi>").hides("/evidence\"").hides("/file\"");
    for act in ["evidence", "file"] {
        let page = ada.post(&path, &to(act), &LOOKED).await;
        assert_eq!(page.status, 409);
        page.shows("Only ben, who asked for it, and zoe, who allowed it, may take the evidence out");
    }
    zoe.get(&path).await.shows("/evidence\"").hides("/file\"");
    scene.office.inner().authority = true;
    zoe.get(&path).await.shows("/evidence\"").shows("/file\"").shows("I have looked at the evidence");
    let page = ben.post(&path, &to("evidence"), &[]).await;
    assert_eq!(
        (page.status, page.bytes.as_slice(), page.header("content-type")),
        (200, &b"PK"[..], "application/zip")
    );
    assert_eq!(
        page.header("content-disposition"),
        format!("attachment; filename=\"zegel-case-{number}.zip\"")
    );
    let page = zoe.post(&path, &to("file"), &[]).await;
    assert_eq!(page.status, 422);
    page.shows("Nobody files what they have not looked at.");
    let page = zoe.post(&path, &to("file"), &LOOKED).await;
    assert_eq!(page.status, 502);
    page.shows("The authority said &lt;no&gt;.");
    let (case, reports) = scene.office.inner().cases[&number].clone();
    let number =
        scene.office.put(zegel_cases::Case { number: zegel_cases::CaseNumber::new(14), ..case }, reports);
    zoe.post(&path, &format!("/desk/case/{number}/file"), &LOOKED).await.shows("<bdi>4711</bdi>");
    // What came in later, nobody wanted out.
    scene.office.inner().cases.get_mut(&number).expect("it is there").0.reports += 1;
    let path = format!("/desk/case/{number}");
    zoe.get(&path).await.shows("Reports came in since").shows("/ask-export").hides("/evidence\"");
    let page = zoe.post(&path, &format!("{path}/evidence"), &[]).await;
    assert_eq!(page.status, 409);
    page.shows("Reports came in after this was allowed; ask for it anew.");
}

#[tokio::test]
async fn nobody_decides_on_reports_that_were_not_on_their_page() {
    let scene = Scene::new();
    let number = scene.office.put(memory::case(1), vec![report(Vec::new())]);
    let mut ada = scene.person("ada", Role::Moderator).await;
    let path = format!("/desk/case/{number}");
    ada.post(&path, &format!("{path}/claim"), &[]).await.leads_to(&path);
    ada.get(&path).await.shows("name=\"seen\" value=\"1\"");
    // While they write, another report comes in.
    scene.office.inner().cases.get_mut(&number).expect("it is there").0.reports += 1;
    assert_eq!(ada.post(&path, &format!("{path}/decide"), &DECISION[1..]).await.status, 409);
    let page = ada.post(&path, &format!("{path}/decide"), &DECISION).await;
    assert_eq!(page.status, 409);
    page.shows("Nothing was changed: reports came in that were not on your page; look at them, then decide.")
        .shows("You threatened Bob.")
        .shows("name=\"seen\" value=\"2\"");
    let fields = DECISION.map(|(name, given)| (name, if name == "seen" { "2" } else { given }));
    ada.post(&path, &format!("{path}/decide"), &fields).await.leads_to(&path);
}

#[tokio::test]
async fn an_auditor_sees_the_log_and_no_case() {
    let scene = Scene::new();
    let number = scene.office.put(memory::case(1), vec![report(Vec::new())]);
    let mut ada = scene.person("ada", Role::Moderator).await;
    let path = format!("/desk/case/{number}");
    ada.post(&path, &format!("{path}/claim"), &[]).await.leads_to(&path);
    ada.get("/desk").await.hides("/desk/log");
    for refused in [ada.get("/desk/log").await, ada.post(&path, "/desk/log/export", &[]).await] {
        assert_eq!(refused.status, 403);
        refused.shows("Your role may not do this.");
    }
    let mut eve = scene.person("eve", Role::Auditor).await;
    eve.get("/desk").await.leads_to("/desk/log");
    for path in ["/desk/appeals", "/desk/decided", "/desk/closed", path.as_str()] {
        assert_eq!(eve.get(path).await.status, 403, "{path}");
    }
    for act in ["claim", "release", "decide", "ask-export", "allow-export", "evidence", "file"] {
        assert_eq!(eve.post("/desk/log", &format!("{path}/{act}"), &LOOKED).await.status, 403, "{act}");
    }
    let page = eve.get("/desk/log").await;
    page.shows("<td>claim</td>")
        .shows(&format!("<td>{number}</td>"))
        .shows("<bdi>ada</bdi>")
        .hides("/desk/appeals");
    page.shows("3 lines").hides(&format!("href=\"{path}\""));
    eve.post("/desk/log", "/desk/log/verify", &[]).await.shows("The log is whole").shows("3 lines");
    let page = eve.post("/desk/log", "/desk/log/export", &[]).await;
    assert_eq!(page.header("content-disposition"), "attachment; filename=\"zegel-desk-log.jsonl\"");
    assert_eq!(page.text().lines().count(), 4);
    scene.office.inner().log.remove(1);
    let page = eve.post("/desk/log", "/desk/log/verify", &[]).await;
    assert_eq!(page.status, 409);
    page.shows("line 2 of the log does not follow");
}

#[tokio::test]
async fn a_senior_ends_anothers_claim() {
    let scene = Scene::new();
    let number = scene.office.put(memory::case(1), vec![report(Vec::new())]);
    let mut ada = scene.person("ada", Role::Moderator).await;
    let mut ben = scene.person("ben", Role::Senior).await;
    let path = format!("/desk/case/{number}");
    ada.post(&path, &format!("{path}/claim"), &[]).await.leads_to(&path);
    ben.get(&path).await.shows("End their claim");
    ben.post(&path, &format!("{path}/release"), &[]).await.leads_to(&path);
    ada.get(&path).await.shows("Claim <kbd>c</kbd>");
}
