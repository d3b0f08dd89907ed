//! The exported log of the desk.

mod scene;

use scene::{DOMAIN, NOW, case, log, service, sign};
use zegel_cases::{
    LogHead,
    archive::{Apart, ExportError, check_log, export_log},
    verify_log,
};
use zegel_directory::Statement;

fn exported(lines: &[String], seed: u8) -> String {
    let (_, head) = verify_log(LogHead::default(), lines.iter().map(String::as_str)).expect("they are whole");
    let key = service(DOMAIN, seed);
    export_log(DOMAIN, key.links(), lines, &head, NOW, sign(&key, DOMAIN, Statement::Log))
}

#[test]
fn a_log_is_whole_or_refused() {
    let (lines, head) = log(case().number);
    let text = exported(&lines, 1);
    let checked = check_log(&text).expect("it is whole");
    assert_eq!((checked.domain.as_str(), checked.head, checked.entries.len()), (DOMAIN, head, 5));
    assert!(check_log(&exported(&[], 1)).is_ok());

    let all: Vec<&str> = text.lines().collect();
    let joined = |lines: &[&str]| check_log(&lines.join("\n"));
    assert!(matches!(check_log(""), Err(ExportError::Last(_))));
    assert!(matches!(joined(&all[..5]), Err(ExportError::Last(_))));
    assert!(matches!(joined(&[&all[1..]].concat()), Err(ExportError::Log(_))));
    assert!(matches!(joined(&[all[0], all[2], all[1], all[3], all[4], all[5]]), Err(ExportError::Log(_))));
    // The end is gone, and the signature stays.
    assert!(matches!(joined(&[&all[..4], &all[5..]].concat()), Err(ExportError::End)));
    assert!(matches!(
        check_log(&text.replace("chat.example.org", "evil.example")),
        Err(ExportError::Keys(_))
    ));
    let other = exported(&lines[..4], 1);
    let other = other.lines().last().expect("it has lines");
    assert!(matches!(joined(&[&all[..5], &[other]].concat()), Err(ExportError::End)));
    // A statement of another kind.
    let key = service(DOMAIN, 1);
    let forged = export_log(DOMAIN, key.links(), &lines, &head, NOW, sign(&key, DOMAIN, Statement::Evidence));
    assert!(matches!(check_log(&forged), Err(ExportError::Signature)));
}

#[test]
fn a_newer_log_goes_on_from_an_older_one() {
    let (lines, _) = log(case().number);
    let checked = |lines: &[String], seed| check_log(&exported(lines, seed)).expect("it is whole");
    let (older, newer) = (checked(&lines[..3], 1), checked(&lines, 1));
    assert_eq!(newer.continues(&older), Ok(()));
    assert_eq!(newer.continues(&newer), Ok(()));
    assert_eq!(newer.continues(&checked(&[], 1)), Ok(()));
    assert_eq!(older.continues(&newer), Err(Apart::Shorter(3)));
    assert_eq!(checked(&lines, 2).continues(&older), Err(Apart::Service));
    // The same places, other acts: the service wrote its log anew.
    let (other, _) = log(zegel_cases::CaseNumber::new(1));
    assert_eq!(checked(&other, 1).continues(&older), Err(Apart::Rewritten(3)));
    assert_eq!(checked(&other, 1).continues(&newer), Err(Apart::Rewritten(5)));
}
