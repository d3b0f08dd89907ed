//! The pages on a real store: from an invitation to a decision, an archive and a checked log.

#[path = "../../desk/tests/kit/browser.rs"]
#[allow(dead_code, reason = "the desk's own tests use the rest")]
mod browser;
mod desk_help;
#[path = "../../desk/tests/kit/html.rs"]
mod html;
#[path = "../../desk/tests/kit/key.rs"]
mod key;
mod service_help;

use std::sync::Arc;

use axum::Router;
use browser::Browser;
use desk_help::*;
use key::Key;
use zegel_cases::{Case, Measure, Subject, archive, archive::check_log};
use zegel_desk::{Office as _, Origin};
use zegel_server::{
    service::Desk,
    store::{AccountState, DeskInvite},
};

const ORIGIN: &str = "http://localhost:8420";

/// Invited, enrolled and signed in.
async fn person(floor: &Floor, router: &Router, name: &'static str, role: &'static str) -> Browser {
    let invite = DeskInvite { name: name.into(), role: role.into(), expires_ms: now() + DAY_MS };
    let hash = zegel_proto::token_hash(name.as_bytes());
    floor.world.write(move |tx| tx.put_desk_invite(&hash, &invite)).await;
    let (mut browser, mut key) = (Browser::new(router.clone()), Key::new(ORIGIN));
    browser.get(&format!("/desk/join/{name}")).await.shows(name);
    assert_eq!(browser.join(name, &mut key).await.status, 200);
    assert_eq!(browser.enter(&mut key).await.status, 200);
    browser
}

#[tokio::test]
async fn a_case_is_dealt_with_in_the_browser() {
    let floor = Floor::new().await;
    let desk = Arc::new(Desk::new(floor.world.service.clone()));
    let router = zegel_desk::router(desk, Origin::parse(ORIGIN).expect("an origin"));
    let number = floor.case(|_| ()).await;
    let mut mia = person(&floor, &router, "mia", "moderator").await;
    let mut zoe = person(&floor, &router, "zoe", "senior").await;
    let mut aud = person(&floor, &router, "max", "auditor").await;
    mia.get("/desk").await.shows(&number.to_string()).shows(&floor.bob.handle);
    assert_eq!(aud.get("/desk").await.status, 303, "an auditor is led to the log");
    assert_eq!(aud.get(&format!("/desk/case/{number}")).await.status, 403);

    let case = format!("/desk/case/{number}");
    mia.get(&case).await.shows(NOTE);
    mia.post(&case, &format!("{case}/claim"), &[]).await.leads_to(&case);
    let against = floor.bob.account.to_hex();
    let fields = [
        ("seen", "2"),
        ("measure", "suspend"),
        ("days", "14"),
        ("against", against.as_str()),
        ("ground", "grooming"),
        ("explanation", "You asked a child for pictures."),
    ];
    let decided = mia.post(&case, &format!("{case}/decide"), &fields).await;
    assert_eq!(decided.status, 303, "{}", decided.text());
    assert_eq!(floor.account().await.state, AccountState::Suspended);

    mia.post(&case, &format!("{case}/ask-export"), &[]).await.leads_to(&case);
    zoe.post(&case, &format!("{case}/allow-export"), &[]).await.leads_to(&case);
    let evidence = zoe.post(&case, &format!("{case}/evidence"), &[]).await;
    assert_eq!(archive::check(&evidence.bytes).expect("it verifies").case.number, number);

    let log = aud.post("/desk/log", "/desk/log/export", &[]).await;
    let log = check_log(log.text()).expect("it verifies");
    let acts: Vec<_> = log.entries.iter().map(|entry| (entry.who.0.as_str(), entry.act.as_str())).collect();
    for act in [
        ("mia", "joined-desk"),
        ("mia", "sign-in"),
        ("mia", "see"),
        ("mia", "claim"),
        ("mia", "decide"),
        ("max", "refused"),
    ] {
        assert!(acts.contains(&act), "{act:?}: {acts:?}");
    }
}

#[tokio::test]
async fn a_crowd_hides_no_victim() {
    let floor = Floor::new().await;
    let crowd = floor.crowd(300).await;
    let desk = Arc::new(Desk::new(floor.world.service.clone()));
    let router = zegel_desk::router(desk, Origin::parse(ORIGIN).expect("an origin"));
    let mut mia = person(&floor, &router, "mia", "moderator").await;
    let page = mia.get(&format!("/desk/case/{crowd}")).await;
    page.shows("Of 301 reports this is page 1 of 13").shows("I am eleven");
    // All of them can be reached.
    let page = mia.get(&format!("/desk/case/{crowd}?page=13")).await;
    page.shows("page 13 of 13").hides("I am eleven").hides("rel=\"next\"");
    mia.get(&format!("/desk/case/{crowd}?page=999")).await.shows("page 13 of 13");
}

#[tokio::test]
async fn beside_a_groups_case_are_those_about_who_wrote_in_it() {
    let floor = Floor::new().await;
    let warned = floor.case(|case| appealed(case, &ada(), Measure::Warn)).await;
    let group = |case: &mut Case| (case.subject, case.handle) = (Subject::Room([7; 32]), String::new());
    let (wrote, silent) = (floor.crowd_in(group, 1).await, floor.case(group).await);
    let whole = floor.desk.whole(&ada(), wrote).await.expect("shown");
    let others: Vec<_> = whole.others.iter().map(|line| line.case.number).collect();
    assert_eq!(others.len(), 2);
    assert!(others.contains(&warned) && others.contains(&silent));
    assert_eq!(whole.language, None, "it is not clear yet whose");
    let whole = floor.desk.whole(&ada(), silent).await.expect("shown");
    assert_eq!(whole.others.len(), 1, "nothing is proven there");
}
