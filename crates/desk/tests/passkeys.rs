//! Invitations, passkeys, sessions.

mod kit;

use kit::{ORIGIN, Scene, key::Key, memory::MINUTE};
use serde_json::json;
use zegel_cases::{Role, StaffId};

#[tokio::test]
async fn an_invitation_is_good_once_and_its_passkey_signs_in() {
    let scene = Scene::new();
    scene.office.invite("c0de", "ada", Role::Senior);
    let mut browser = scene.browser();
    let page = browser.get("/desk/join/c0de").await;
    page.shows("<bdi>ada</bdi>")
        .shows("senior: also bans, and lets evidence out")
        .shows("/desk/join/c0de/finish");
    let (mut key, mut other) = (Key::new(ORIGIN), Key::new(ORIGIN));
    assert_eq!(browser.join("c0de", &mut key).await.json()["go"], "/desk/sign-in?joined");
    assert_eq!(browser.join("c0de", &mut other).await.status, 404);
    browser.get("/desk/join/c0de").await.shows("This invitation is not known, was used, or is over.");
    browser.get("/desk/sign-in?joined").await.shows("Your passkey is made.");

    browser.get("/desk").await.leads_to("/desk/sign-in");
    let page = browser.enter(&mut key).await;
    assert_eq!(page.json()["go"], "/desk");
    let cookie = page.header("set-cookie");
    for part in ["zegel-desk=", "; Path=/desk", "; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure"), "plain localhost");
    browser.get("/desk").await.shows("<bdi>ada</bdi>, senior").shows("Nothing waits.");
    browser.get("/desk/sign-in").await.leads_to("/desk");
    browser.post("/desk", "/desk/sign-out", &[]).await.leads_to("/desk/sign-in");
    assert!(browser.cookie.is_empty());
    let acts: Vec<_> = scene.office.inner().entries.iter().map(|entry| entry.act.clone()).collect();
    assert_eq!(acts, ["sign-in", "sign-out"]);
}

#[tokio::test]
async fn what_is_signed_out_stays_out() {
    let scene = Scene::new();
    let mut browser = scene.person("ada", Role::Moderator).await;
    let mut stolen = browser.clone();
    browser.post("/desk", "/desk/sign-out", &[]).await;
    stolen.get("/desk").await.leads_to("/desk/sign-in?out=yes");
}

#[tokio::test]
async fn only_a_verified_person_with_the_enrolled_key_at_the_right_place_gets_in() {
    let scene = Scene::new();
    scene.office.invite("c0de", "ada", Role::Moderator);
    let mut browser = scene.browser();
    let mut unverified = Key::new(ORIGIN);
    unverified.verifies = false;
    assert_eq!(browser.join("c0de", &mut unverified).await.status, 403);
    assert_eq!(browser.join("c0de", &mut Key::new("https://evil.example")).await.status, 403);
    let mut key = Key::new(ORIGIN);
    assert_eq!(browser.join("c0de", &mut key).await.status, 200);

    let mut refused = Vec::new();
    let mut wrong = key.clone();
    wrong.verifies = false;
    refused.push(browser.enter(&mut wrong).await);
    let mut wrong = key.clone();
    wrong.origin = "http://localhost:1".into();
    refused.push(browser.enter(&mut wrong).await);
    // A key that nobody enrolled, with a handle of its own.
    scene.office.invite("other", "eve", Role::Moderator);
    let mut stranger = Key::new(ORIGIN);
    assert_eq!(browser.join("other", &mut stranger).await.status, 200);
    scene.office.inner().members.retain(|member| member.staff.id != StaffId("eve".into()));
    refused.push(browser.enter(&mut stranger).await);
    for page in &refused {
        assert_eq!((page.status, &page.bytes), (403, &refused[0].bytes), "all are told the same");
        assert_eq!(page.header("set-cookie"), "");
    }

    assert_eq!(browser.enter(&mut key).await.status, 200);
    let mut copy = key.clone();
    assert_eq!(browser.enter(&mut key).await.status, 200);
    assert_eq!(browser.enter(&mut copy).await.status, 403, "its counter tells a copy");
}

#[tokio::test]
async fn a_ceremony_is_good_once_and_for_five_minutes() {
    let scene = Scene::new();
    scene.office.invite("c0de", "ada", Role::Moderator);
    scene.office.invite("other", "ben", Role::Moderator);
    let mut browser = scene.browser();
    let mut key = Key::new(ORIGIN);
    let began = browser.json("/desk/join/c0de/start", &json!({})).await.json();
    let made = json!({ "attempt": began["attempt"], "credential": key.make(&began["options"]["publicKey"]) });
    let page = browser.json("/desk/join/other/finish", &made).await;
    assert_eq!(page.status, 409, "it was begun with another invitation");
    assert_eq!(browser.join("c0de", &mut key).await.status, 200);

    let began = browser.json("/desk/sign-in/start", &json!({})).await.json();
    let used =
        json!({ "attempt": began["attempt"], "credential": key.use_it(&began["options"]["publicKey"]) });
    assert_eq!(browser.json("/desk/sign-in/finish", &used).await.status, 200);
    assert_eq!(browser.json("/desk/sign-in/finish", &used).await.status, 409);
    let began = browser.json("/desk/sign-in/start", &json!({})).await.json();
    let used =
        json!({ "attempt": began["attempt"], "credential": key.use_it(&began["options"]["publicKey"]) });
    scene.office.inner().later_ms += 5 * MINUTE;
    assert_eq!(browser.json("/desk/sign-in/finish", &used).await.status, 409);
    for body in ["", "{", "[]", "{\"attempt\":\"x\"}", "{\"attempt\":1,\"credential\":{}}"] {
        let page =
            browser.ask(axum::http::Method::POST, "/desk/sign-in/finish", "application/json", body).await;
        assert_eq!((page.status, page.json()["error"].is_string()), (400, true), "{body}");
    }
}

#[tokio::test]
async fn who_is_removed_is_out_at_once_and_a_new_role_counts_at_once() {
    let scene = Scene::new();
    let mut browser = scene.person("ada", Role::Moderator).await;
    assert_eq!(browser.get("/desk").await.status, 200);
    scene.office.inner().members[0].staff.role = Role::Auditor;
    browser.get("/desk").await.leads_to("/desk/log");
    let members = std::mem::take(&mut scene.office.inner().members);
    browser.get("/desk/log").await.leads_to("/desk/sign-in?out=yes&next=/desk/log");
    scene.office.inner().members = members;
    browser.get("/desk/log").await.leads_to("/desk/sign-in?out=yes&next=/desk/log");
}

#[tokio::test]
async fn a_session_ends_by_itself() {
    let scene = Scene::new();
    scene.office.invite("c0de", "ada", Role::Moderator);
    let (mut browser, mut key) = (scene.browser(), Key::new(ORIGIN));
    assert_eq!(browser.join("c0de", &mut key).await.status, 200);
    assert_eq!(browser.enter(&mut key).await.status, 200);
    scene.office.inner().later_ms += 29 * MINUTE;
    assert_eq!(browser.get("/desk").await.status, 200);
    scene.office.inner().later_ms += 30 * MINUTE;
    browser.get("/desk").await.leads_to("/desk/sign-in?out=yes");
    // They are told, and come back to where they were.
    let case = "/desk/case/00000-00001";
    let door = format!("/desk/sign-in?out=yes&next={case}");
    browser.send(&format!("{case}/decide"), &[("csrf", "")]).await.leads_to(&door);
    let finish = format!("/desk/sign-in/finish?next={case}");
    browser.get(&door).await.shows("You were signed out").shows(&format!("data-finish=\"{finish}\""));
    for (next, goes) in [
        (case, case),
        ("/desk/log", "/desk/log"),
        ("//evil.example", "/desk"),
        ("https://evil.example/desk/case/00000-00001", "/desk"),
        ("/desk/case/00000-00001/..//..//evil", case),
        ("/desk/log&next=/desk/closed", "/desk"),
    ] {
        let page = browser.get(&format!("/desk/sign-in?next={next}")).await;
        page.hides("You were signed out").hides("evil");
        let began = browser.json("/desk/sign-in/start", &json!({})).await.json();
        let used =
            json!({ "attempt": began["attempt"], "credential": key.use_it(&began["options"]["publicKey"]) });
        let page = browser.json(&format!("/desk/sign-in/finish?next={next}"), &used).await;
        assert_eq!(page.json()["go"], goes, "{next}");
        browser.get(&format!("/desk/sign-in?next={next}")).await.leads_to(goes);
        browser.post("/desk", "/desk/sign-out", &[]).await.leads_to("/desk/sign-in");
    }
}

#[tokio::test]
async fn the_page_says_where_passkeys_work() {
    let scene = Scene::at("https://desk.example.org");
    scene.office.invite("c0de", "ada", Role::Moderator);
    let mut away = scene.browser().says("host", "127.0.0.1:8420");
    away.get("/desk/sign-in")
        .await
        .shows("data-origin=\"https://desk.example.org\">")
        .shows("Open <a href=\"https://desk.example.org/desk/sign-in\">");
    away.get("/desk/join/c0de").await.shows("https://desk.example.org/desk/join/c0de");
    let mut there = scene.browser().says("host", "desk.example.org");
    there.get("/desk/sign-in").await.shows("data-origin=\"https://desk.example.org\" hidden>");
    let mut key = Key::new("https://desk.example.org");
    assert_eq!(there.join("c0de", &mut key).await.status, 200);
    let page = there.enter(&mut key).await;
    let cookie = page.header("set-cookie");
    assert!(cookie.starts_with("__Host-zegel-desk="), "{cookie}");
    // Browsers take that name only with these.
    assert!(
        cookie.contains("; Secure") && cookie.contains("; Path=/;") && !cookie.contains("Domain"),
        "{cookie}"
    );
    assert_eq!(there.get("/desk").await.status, 200);
}
