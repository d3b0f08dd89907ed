//! What nobody may do from outside, and what no request may break. (Headers and HTML are checked with every answer of
//! every test: `kit::html`.)

mod kit;

use axum::http::Method;
use kit::{
    Scene,
    browser::strangers,
    memory::{self, MALLORY, report, shown},
};
use zegel_cases::{Finding, Role};

const PAGES: [&str; 7] = [
    "/desk",
    "/desk/appeals",
    "/desk/decided",
    "/desk/closed",
    "/desk/case?number=1",
    "/desk/case/x",
    "/desk/log",
];

#[tokio::test]
async fn without_a_session_every_page_leads_to_the_door() {
    let scene = Scene::new();
    let number = scene.office.put(memory::case(1), vec![report(Vec::new())]);
    let mut nobody = scene.browser();
    for path in ["/desk", "/desk/case?number=1", "/desk/case/x"] {
        nobody.get(path).await.leads_to("/desk/sign-in");
    }
    for path in ["/desk/appeals", "/desk/decided", "/desk/closed", "/desk/log"] {
        nobody.get(path).await.leads_to(&format!("/desk/sign-in?next={path}"));
    }
    let (page, door) = (format!("/desk/case/{number}"), format!("/desk/sign-in?next=/desk/case/{number}"));
    nobody.get(&page).await.leads_to(&door);
    for act in ["claim", "release", "decide", "ask-export", "allow-export", "evidence", "file"] {
        nobody.send(&format!("{page}/{act}"), &[("csrf", "")]).await.leads_to(&door);
    }
    for path in ["/desk/log/export", "/desk/log/verify"] {
        nobody.send(path, &[]).await.leads_to("/desk/sign-in?next=/desk/log");
    }
    nobody.send("/desk/sign-out", &[]).await.leads_to("/desk/sign-in");
    for cookie in ["zegel-desk=", "zegel-desk", "__Host-zegel-desk=x", "zegel-desk=é"] {
        nobody.cookie = cookie.into();
        nobody.get("/desk").await.leads_to("/desk/sign-in");
    }
    nobody.cookie = "zegel-desk=00".into();
    nobody.get("/desk").await.leads_to("/desk/sign-in?out=yes");
}

#[tokio::test]
async fn only_the_two_pages_for_passkeys_have_a_script() {
    let scene = Scene::new();
    scene.office.invite("c0de", "eve", Role::Auditor);
    let number = scene.office.put(memory::case(1), vec![report(Vec::new())]);
    let mut ada = scene.person("ada", Role::Senior).await;
    for path in
        PAGES.into_iter().chain([format!("/desk/case/{number}").as_str(), "/desk/nowhere", "/desk/join/no"])
    {
        ada.get(path).await.hides("<script");
    }
    let mut nobody = scene.browser();
    for path in ["/desk/sign-in", "/desk/join/c0de"] {
        nobody.get(path).await.shows("<script src=\"/desk/passkey.js\" defer></script>");
    }
    assert_eq!(nobody.get("/desk/style.css").await.header("content-type"), "text/css; charset=utf-8");
    assert_eq!(nobody.get("/desk/passkey.js").await.header("content-type"), "text/javascript; charset=utf-8");
}

#[tokio::test]
async fn no_form_is_taken_from_elsewhere_or_without_its_token() {
    let scene = Scene::new();
    let number = scene.office.put(memory::case(1), vec![report(Vec::new())]);
    let ada = scene.person("ada", Role::Moderator).await;
    let mut ben = scene.person("ben", Role::Moderator).await;
    let (page, path) = (format!("/desk/case/{number}"), format!("/desk/case/{number}/claim"));
    for (site, origin) in strangers() {
        let mut elsewhere = ada.clone().says("sec-fetch-site", site).says("origin", origin);
        let page = elsewhere.post(&page, &path, &[]).await;
        assert_eq!(page.status, 403, "{site} {origin}");
        page.shows("This did not come from a page of the desk");
        assert_eq!(elsewhere.json("/desk/sign-in/start", &serde_json::json!({})).await.status, 403);
    }
    let text = ben.get(&page).await.text().to_owned();
    let of_ben =
        text.split("name=\"csrf\" value=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("a token");
    let mut ada = ada;
    for fields in
        [vec![], vec![("csrf", "")], vec![("csrf", of_ben)], vec![("csrf", of_ben), ("csrf", of_ben)]]
    {
        assert_eq!(ada.send(&path, &fields).await.status, 403);
    }
    assert!(scene.office.inner().cases[&number].0.claim.is_none());
    ada.clone()
        .says("sec-fetch-site", "")
        .says("origin", kit::ORIGIN)
        .post(&page, &path, &[])
        .await
        .leads_to(&page);
}

#[tokio::test]
async fn hostile_text_stays_text() {
    let scene = Scene::new();
    let evil = "<script>alert(1)</script>'\"&\u{202e}gnp.\u{200b}x\0";
    let mut case = memory::case(1);
    case.handle = evil.into();
    let mut told = report(vec![
        shown(Finding::Proven, MALLORY, evil, evil),
        shown(Finding::Unproven(evil.into()), MALLORY, evil, evil),
    ]);
    told.note = evil.into();
    told.handle = evil.into();
    told.room = evil.into();
    let number = scene.office.put(case, vec![told]);
    let mut ada = scene.person("ada", Role::Senior).await;
    let path = format!("/desk/case/{number}");
    let safe = "&lt;script&gt;alert(1)&lt;/script&gt;&#39;&quot;&amp;<span class=\"unseen\">U+202E</span>gnp.\
                <span class=\"unseen\">U+200B</span>x<span class=\"unseen\">U+0000</span>";
    for page in [ada.get(&path).await, ada.get("/desk").await] {
        page.shows(safe).hides("<script").hides("alert(1)<").hides("\u{202e}").hides("\0");
    }
    ada.post(&path, &format!("{path}/claim"), &[]).await.leads_to(&path);
    let fields =
        [("measure", evil), ("days", evil), ("ground", evil), ("against", evil), ("explanation", evil)];
    let page = ada.post(&path, &format!("{path}/decide"), &fields).await;
    assert_eq!(page.status, 422);
    page.shows("choose a measure").hides("<script");
    for query in ["/desk?from=%3Cscript%3E", "/desk/case?number=%3Cscript%3E", "/desk/case/%3Cscript%3E"] {
        ada.get(query).await.hides("<script");
    }
}

#[tokio::test]
async fn nonsense_gives_a_clear_page() {
    let scene = Scene::new();
    let number = scene.office.put(memory::case(1), vec![report(Vec::new())]);
    let mut ada = scene.person("ada", Role::Senior).await;
    let page = format!("/desk/case/{number}");
    for (path, what) in [
        ("/desk/case/1", "is no case number"),
        ("/desk/case/%ff", "is no case number"),
        ("/desk/case/00000-00009", "There is no such case."),
        ("/desk/case?number=", "is no case number"),
        ("/desk/case?number=U&number=V", "is no case number"),
        ("/desk?from=%ff", "There is no such part of this list."),
        ("/desk/nowhere/at/all", "There is no such page."),
        ("/desk/join/%ff", "This invitation is not known"),
    ] {
        let page = ada.get(path).await;
        assert_eq!(page.status, 404, "{path}");
        page.shows(what).shows("<a href=\"/desk\">");
    }
    assert_eq!(ada.get("/desk/").await.status, 308);
    ada.get(&format!("/desk/case?number={}", number.to_string().to_lowercase())).await.leads_to(&page);
    assert_eq!(ada.post("/desk", &format!("{page}/dance"), &[]).await.status, 404);
    assert_eq!(ada.post("/desk", "/desk/case/%ff/claim", &[]).await.status, 404);
    assert_eq!(ada.post("/desk", &format!("{page}/%ff"), &[]).await.status, 404);
    for path in ["/desk/sign-out", "/desk/log/export", "/desk/sign-in/start", &format!("{page}/claim")] {
        let page = ada.get(path).await;
        assert_eq!(page.status, 405, "{path}");
        page.shows("This page cannot be opened like that.");
    }
    for body in ["x".repeat(70_000), "%".repeat(99), "csrf=%00&csrf".into(), String::new()] {
        let status = ada.ask(Method::POST, &format!("{page}/claim"), "text/plain", body).await.status;
        assert!(matches!(status, 403 | 413), "{status}");
    }
    scene.office.inner().broken = true;
    for path in ["/desk", page.as_str()] {
        let page = ada.get(path).await;
        assert_eq!(page.status, 503);
        page.shows("The service could not read or write; try again later.");
    }
}
