//! A case is filed with an authority: against a stand-in that enforces what NCMEC's interface requires.

#[path = "desk_help/authority.rs"]
mod authority;
mod desk_help;
mod service_help;

use std::path::PathBuf;

use authority::{Authority, Stage, element};
use axum::http::StatusCode;
use desk_help::*;
use zegel_cases::{CaseNumber, Category, LogEntry, LogHead, archive};
use zegel_desk::{Office as _, OfficeError};
use zegel_server::{
    config::{Config, Filing},
    service::Desk,
};

struct Scene {
    floor: Floor,
    authority: Authority,
    dir: tempfile::TempDir,
}

impl Scene {
    async fn new() -> Self {
        let authority = Authority::start().await;
        let dir = tempfile::tempdir().expect("a folder");
        let floor = Floor::with(config(&authority.url, password(&dir, "s3cret\n"))).await;
        Self { floor, authority, dir }
    }

    async fn case(&self) -> CaseNumber {
        self.floor.case(|case| case.export = allowed(0)).await
    }

    async fn refused(&self, number: CaseNumber) -> String {
        match self.floor.desk.file(&ada(), number).await {
            Err(OfficeError::Filing(text)) => text,
            other => panic!("{other:?}"),
        }
    }

    async fn last(&self) -> LogEntry {
        self.floor.log().await.pop().expect("a line")
    }
}

fn password(dir: &tempfile::TempDir, text: &str) -> PathBuf {
    let path = dir.path().join("password");
    std::fs::write(&path, text).expect("written");
    path
}

fn config(url: &str, password_file: PathBuf) -> Config {
    let filing = Filing {
        url: url.into(),
        user: "zegel".into(),
        password_file,
        reporter_name: "Noor de Vries".into(),
        reporter_email: "desk@zegel.example".into(),
    };
    let mut config = Config::default();
    config.desk.filing = Some(filing);
    config
}

#[tokio::test]
async fn a_case_is_submitted_uploaded_described_and_finished_once() {
    let scene = Scene::new().await;
    let number = scene.case().await;
    let id = scene.floor.desk.file(&ada(), number).await.expect("filed");
    assert_eq!(scene.authority.asked(), ["submit", "upload", "fileinfo", "finish"]);
    assert_eq!(scene.authority.stages(), [Stage::Finished]);
    {
        let state = scene.authority.state.lock().expect("whole");
        let [report, details] = &state.documents[..] else { panic!("two documents") };
        assert_eq!(element(report, "screenName"), Some(scene.floor.bob.handle.as_str()));
        assert_eq!(element(report, "incidentType"), Some("Online Enticement of Children for Sexual Acts"));
        assert_eq!(element(report, "lastName"), Some("de Vries"));
        assert_eq!(element(details, "originalFileName"), Some(format!("{number}.zip").as_str()));
        let checked = archive::check(&state.files[0]).expect("the archive came whole");
        assert_eq!(checked.case.number, number);
    }
    let last = scene.last().await;
    assert_eq!((last.act.as_str(), last.case), ("filed", Some(number)));
    assert!(last.detail.starts_with(&format!("as {id}, sha256 ")), "{}", last.detail);
    // Once is enough, also when somebody else asks.
    let text = scene.refused(number).await;
    assert!(text.contains(&id), "{text}");
    assert_eq!(scene.authority.asked().len(), 4);
}

#[tokio::test]
async fn two_who_file_at_once_file_once() {
    let scene = Scene::new().await;
    let number = scene.case().await;
    let (a, b) = (ada(), sia());
    let both = tokio::join!(scene.floor.desk.file(&a, number), scene.floor.desk.file(&b, number));
    assert!(both.0.is_ok() != both.1.is_ok());
    assert_eq!(scene.authority.stages(), [Stage::Finished]);
}

#[tokio::test]
async fn it_is_filed_and_logged_also_when_the_browser_is_gone() {
    let scene = Scene::new().await;
    let number = scene.case().await;
    let (desk, who) = (&scene.floor.desk, ada());
    // The pages' handler is dropped with its connection.
    let gone = tokio::time::timeout(std::time::Duration::ZERO, desk.file(&who, number)).await;
    assert!(gone.is_err());
    for _ in 0..500 {
        if scene.floor.log().await.last().is_some_and(|entry| entry.act == "filed") {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    assert_eq!(scene.last().await.act, "filed");
    assert_eq!(scene.authority.stages(), [Stage::Finished]);
}

#[tokio::test]
async fn a_step_that_is_refused_leaves_nothing_filed() {
    let scene = Scene::new().await;
    let number = scene.case().await;
    for step in ["submit", "upload", "fileinfo", "finish"] {
        scene.authority.refuse(step);
        let text = scene.refused(number).await;
        assert!(
            text.starts_with("while ") && text.contains("code 4100") && text.contains("; try "),
            "{text}"
        );
        assert!(text.contains("SECRET WORDS"), "whoever files it is told what the authority said: {text}");
        let asked = scene.authority.asked();
        assert_eq!(
            asked.last().map(String::as_str),
            Some(if step == "submit" { "submit" } else { "retract" })
        );
        assert!(scene.authority.stages().iter().all(|stage| *stage == Stage::Retracted));
        let last = scene.last().await;
        assert_eq!(last.act, "not-filed");
        assert!(last.detail.contains("4100") && !last.detail.contains("SECRET"), "{}", last.detail);
        scene.authority.take_all();
    }
    // And none of that is in the way later.
    scene.floor.desk.file(&ada(), number).await.expect("filed");
}

#[tokio::test]
async fn what_is_no_answer_is_no_yes() {
    let scene = Scene::new().await;
    let number = scene.case().await;
    for (step, status) in [
        ("submit", StatusCode::OK),
        ("upload", StatusCode::INTERNAL_SERVER_ERROR),
        ("finish", StatusCode::FOUND),
        ("finish", StatusCode::OK),
    ] {
        scene.authority.state.lock().expect("whole").breaks = Some((step, status));
        let text = scene.refused(number).await;
        assert!(text.starts_with("while "), "{text}");
        assert!(!scene.authority.stages().contains(&Stage::Finished));
        scene.authority.take_all();
    }
    // Not even taken back: then the number is named, so that somebody can ask for it.
    scene.authority.refuse("upload");
    scene.authority.state.lock().expect("whole").breaks = Some(("retract", StatusCode::BAD_GATEWAY));
    let text = scene.refused(number).await;
    assert!(text.contains("could not be taken back"), "{text}");
    assert!(scene.last().await.detail.ends_with(" was not taken back"));
}

#[tokio::test]
async fn what_the_authority_may_have_is_not_filed_again() {
    let scene = Scene::new().await;
    let number = scene.case().await;
    scene.authority.state.lock().expect("whole").loses = Some("finish");
    let text = scene.refused(number).await;
    let id = scene.authority.state.lock().expect("whole").reports.keys().next().cloned().expect("a report");
    assert!(text.contains(&format!("may have it as {id}; try to check there")), "{text}");
    assert!(!text.contains("nothing was filed"), "{text}");
    assert_eq!(scene.authority.stages(), [Stage::Finished]);
    let last = scene.last().await;
    assert!(last.act == "perhaps-filed" && last.detail.starts_with(&format!("as {id}; ")), "{last:?}");
    scene.authority.take_all();
    for _ in 0..3 {
        let text = scene.refused(number).await;
        assert!(text.contains(&id), "{text}");
        assert_eq!(scene.last().await.act, "not-filed");
    }
    assert!(scene.authority.asked().is_empty());
}

#[tokio::test]
async fn what_began_and_did_not_end_is_not_filed_again() {
    let scene = Scene::new().await;
    let number = scene.case().await;
    // Of a server that was ended meanwhile, the log has only the beginning.
    scene
        .floor
        .world
        .write(move |tx| {
            let (seq, hash) = tx.log_head()?;
            let entry = LogEntry {
                seq: 0,
                at_ms: now(),
                who: ada().id,
                act: "file".into(),
                case: Some(number),
                detail: String::new(),
                prev: String::new(),
            };
            let (line, head) = LogHead { seq, hash }.append(entry);
            tx.append_log(head.seq, &line, &head.hash)
        })
        .await;
    for _ in 0..3 {
        let text = scene.refused(number).await;
        assert!(text.contains("does not say how that ended"), "{text}");
    }
    assert!(scene.authority.asked().is_empty());
}

#[tokio::test]
async fn a_wrong_password_or_address_is_said_clearly() {
    let scene = Scene::new().await;
    let number = scene.case().await;
    password(&scene.dir, "other");
    let text = scene.refused(number).await;
    assert!(text.contains("user and password"), "{text}");
    std::fs::remove_file(scene.dir.path().join("password")).expect("removed");
    let text = scene.refused(number).await;
    assert!(text.contains("password file") && text.contains("; try "), "{text}");
    assert!(scene.authority.asked().is_empty());

    let nobody = Floor::with(config("http://127.0.0.1:9", password(&scene.dir, "s3cret"))).await;
    let number = nobody.case(|case| case.export = allowed(0)).await;
    let answer = nobody.desk.file(&ada(), number).await;
    assert!(
        matches!(&answer, Err(OfficeError::Filing(text)) if text.contains("cannot be reached")),
        "{answer:?}"
    );
    let open = Floor::with(config("http://report.example.org", password(&scene.dir, "s3cret"))).await;
    let number = open.case(|case| case.export = allowed(0)).await;
    let answer = open.desk.file(&ada(), number).await;
    assert!(matches!(&answer, Err(OfficeError::Filing(text)) if text.contains("https")), "{answer:?}");
}

#[tokio::test]
async fn nothing_is_sent_that_two_people_did_not_want_or_that_is_not_the_authoritys_matter() {
    let scene = Scene::new().await;
    let number = scene.floor.case(|_| ()).await;
    assert!(matches!(scene.floor.desk.file(&sia(), number).await, Err(OfficeError::WhyNot(_))));
    let spam = scene.floor.case(|case| (case.export, case.category) = (allowed(0), Category::Spam)).await;
    let text = scene.refused(spam).await;
    assert!(text.contains("spam"), "{text}");
    assert!(scene.authority.asked().is_empty());
    // Another process of the same service knows as well what was filed.
    let number = scene.case().await;
    scene.floor.desk.file(&ada(), number).await.expect("filed");
    let again = Desk::new(scene.floor.world.service.clone());
    assert!(again.file(&ada(), number).await.is_err());
}

#[tokio::test]
async fn filing_is_offered_where_somebody_takes_it() {
    let scene = Scene::new().await;
    let number = scene.case().await;
    let spam = scene.floor.case(|case| case.category = Category::Spam).await;
    let offered = async |floor: &Floor, number| floor.desk.whole(&ada(), number).await.expect("shown").filing;
    assert!(offered(&scene.floor, number).await);
    assert!(!offered(&scene.floor, spam).await, "no authority takes that");
    let nowhere = Floor::new().await;
    let number = nowhere.case(|_| ()).await;
    assert!(!offered(&nowhere, number).await, "none is configured");
}
