//! Reports to an authority.

mod scene;

use scene::{MALLORY, NOW, case, decide, report, staff};
use zegel_cases::{
    Case, Category, Finding, Measure, Role, Subject,
    ncmec::{self, Answer, Filer, NcmecError},
};

const INCIDENT: &str = "Online Enticement of Children for Sexual Acts";

fn filer() -> Filer {
    Filer { name: "Trust & Safety Team".into(), email: "safety@example.org".into() }
}

fn filed(case: &Case, reports: &[zegel_cases::Report]) -> String {
    ncmec::report(scene::DOMAIN, case, reports, &filer()).expect("it may be filed")
}

#[test]
fn a_report_has_what_the_interface_needs_in_its_order() {
    let xml = filed(&case(), &[report()]);
    let mut rest = xml.as_str();
    for part in [
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><report><incidentSummary><incidentType>",
        INCIDENT,
        "</incidentType><incidentDateTime>2026-11-21T",
        "Z</incidentDateTime><incidentDateTimeDescription>",
        "</incidentSummary><internetDetails><chatImIncident><chatClient>Zegel (chat.example.org)</chatClient><content>",
        "mallory, proven]\n  &gt; send me a picture\n[",
        "withheld",
        "unknown, not proven: this service did not stamp it so]\n  &gt; made up\n",
        "</content><additionalInfo>",
        "</chatImIncident></internetDetails><reporter><reportingPerson><firstName>Trust",
        "</firstName><lastName>&amp; Safety Team</lastName><email>safety@example.org</email></reportingPerson></reporter>",
        "<personOrUserReported><espIdentifier>",
        &MALLORY.to_hex(),
        "<screenName>mallory</screenName>",
        "</personOrUserReported><additionalInfo>Case ",
        "zegel-audit case",
        "</additionalInfo></report>",
    ] {
        let at = rest.find(part).unwrap_or_else(|| panic!("{part:?} is not in its place in\n{xml}"));
        rest = &rest[at + part.len()..];
    }
    assert!(rest.is_empty());
    assert!(!xml.contains("alice"), "who reported is in the archive alone");
}

#[test]
fn only_what_the_authority_is_there_for_is_filed() {
    for category in Category::ALL {
        let case = Case { category: *category, ..case() };
        let made = ncmec::report(scene::DOMAIN, &case, &[report()], &filer());
        match category {
            Category::ChildAbuse => {
                assert!(made.expect("it may be filed").contains("<incidentType>Child Pornography (possession,"));
            }
            Category::Grooming => assert!(made.expect("it may be filed").contains(INCIDENT)),
            Category::SexualExtortion => assert!(made.expect("it may be filed").contains(
                "</incidentType><reportAnnotations><sextortion></sextortion></reportAnnotations><incidentDateTime>"
            )),
            other => assert_eq!(made, Err(NcmecError::Category(*other))),
        }
    }
    // What was decided counts more than what was reported.
    let mut decided = case();
    decide(&mut decided, &staff("ada", Role::Senior), Measure::Ban, Category::Fraud, NOW);
    let made = ncmec::report(scene::DOMAIN, &decided, &[], &filer());
    assert_eq!(made, Err(NcmecError::Category(Category::Fraud)));
    let mut group = Case { subject: Subject::Room([7; 32]), handle: String::new(), ..case() };
    assert_eq!(ncmec::report(scene::DOMAIN, &group, &[report()], &filer()), Err(NcmecError::Nobody));
    decide(&mut group, &staff("ada", Role::Senior), Measure::Ban, Category::Grooming, NOW);
    let xml = filed(&group, &[report()]);
    assert!(xml.contains("<screenName>mallory</screenName><groupIdentifier>0707"), "{xml}");
}

#[test]
fn hostile_texts_stay_texts() {
    let mut hostile = report();
    hostile.run[0].text =
        "</content></chatImIncident><x a=\"1\">&amp; ]]> \0\u{8}\u{1b}\u{ffff} é 🙂\ttab".into();
    hostile.run[0].handle = "<b>".into();
    hostile.run[2].finding = Finding::Unproven("<i>".into());
    let xml = filed(&case(), &[hostile]);
    assert!(xml.contains("&lt;/content&gt;&lt;/chatImIncident&gt;"), "{xml}");
    assert!(xml.contains("\\u{0}\\u{8}\\u{1b}\u{fffd} é 🙂\\ttab"), "{xml}");
    assert_eq!(
        (xml.matches("</content>").count(), xml.matches("<x").count(), xml.matches('\0').count()),
        (1, 0, 0)
    );
    let mut long = report();
    long.run[0].text = "é".repeat(200_000);
    let xml = filed(&case(), &[long]);
    assert!(xml.contains("[shortened; the whole is in the archive]</content>"));
    assert!(xml.chars().count() < 105_000);
    let details = ncmec::file_details("7855775", "e3897339", "<case>.zip", &"a&".repeat(5000));
    assert!(details.starts_with(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?><fileDetails><reportId>7855775</reportId><fileId>e3897339</fileId>\
         <originalFileName>&lt;case&gt;.zip</originalFileName><additionalInfo>a&amp;a"
    ));
}

#[test]
fn nobody_forges_a_line_of_the_services() {
    const LINE: &str = "[report 1, 2026-11-21T00:00:00Z, bob, proven] I did it";
    for end in [
        "\n", "\r", "\r\n", "\u{b}", "\u{c}", "\u{85}", "\u{2028}", "\u{2029}", "\n\n", "\u{202e}",
        "\u{200f}",
    ] {
        let mut hostile = report();
        hostile.run[0].text = format!("hello{end}{LINE}");
        hostile.run[0].handle = format!("mallory{end}{LINE}");
        hostile.run[2].finding = Finding::Unproven(format!("why{end}{LINE}"));
        let xml = filed(&case(), &[hostile]);
        let (_, content) = xml.split_once("<content>").expect("messages");
        let (content, _) = content.split_once("</content>").expect("an end");
        let breaks =
            |c| matches!(c, '\r' | '\u{b}' | '\u{c}' | '\u{85}' | '\u{2028}'..='\u{202e}' | '\u{200f}');
        assert!(!content.contains(breaks), "{content:?}");
        let own: Vec<_> = content.lines().filter(|line| !line.starts_with("  &gt; ")).collect();
        let said = report().run.iter().filter(|shown| shown.finding != Finding::Change).count();
        assert_eq!(own.len(), said, "{content}");
        assert!(
            own.iter().all(|line| line.starts_with("[report 1, ") && !line.starts_with(LINE)),
            "{content}"
        );
    }
}

#[test]
fn the_time_and_the_name_are_proven_ones_of_the_person() {
    let mut mixed = report();
    let mut own = mixed.run[0].clone();
    own.sender = "09".repeat(16);
    own.accepted_ms -= 5 * 86_400_000;
    mixed.run.insert(0, own);
    assert!(filed(&case(), &[mixed.clone()]).contains("<incidentDateTime>2026-11-21T"));
    // A name that nothing proves is not theirs.
    let mut group = Case { subject: Subject::Room([7; 32]), handle: String::new(), ..case() };
    decide(&mut group, &staff("ada", Role::Senior), Measure::Ban, Category::Grooming, NOW);
    mixed.run[1..].iter_mut().for_each(|shown| shown.finding = Finding::Unproven("no".into()));
    let xml = filed(&group, &[mixed]);
    assert!(!xml.contains("<screenName>") && xml.contains("When it was reported"), "{xml}");
}

#[test]
fn nothing_disclosed_is_said() {
    let mut empty = report();
    empty.run.clear();
    let xml = filed(&case(), &[empty]);
    assert!(xml.contains("<content>No message was disclosed.</content>"));
    assert!(xml.contains("When it was reported"));
}

#[test]
fn answers_are_read() {
    let head = "<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>";
    let ok = "<responseCode>0</responseCode><responseDescription>Success</responseDescription>";
    let read = |body: &str| Answer::read(format!("{head}{body}").as_bytes());
    let some = |text: &str| Some(text.to_owned());
    let submitted = read(&format!("<reportResponse>{ok}<reportId>7855775</reportId></reportResponse>"));
    assert_eq!(submitted, Ok(Answer { report_id: some("7855775"), ..Answer::default() }));
    let uploaded = read(&format!(
        "<reportResponse>\n {ok}\n <reportId>7855775</reportId><fileId>e38973</fileId><hash>af3d</hash></reportResponse>"
    ));
    let expected = Answer { report_id: some("7855775"), file_id: some("e38973"), hash: some("af3d") };
    assert_eq!(uploaded, Ok(expected));
    let done = read(
        "<reportDoneResponse><responseCode>0</responseCode><reportId>7</reportId><files><fileId>a</fileId>\
         <fileId>b</fileId></files></reportDoneResponse>",
    );
    assert_eq!(done, Ok(Answer { report_id: some("7"), file_id: some("a"), hash: None }));
    assert!(read("<reportDoneResponse><responseCode>0</responseCode><files/></reportDoneResponse>").is_ok());
    let refused = read(
        "<reportResponse><responseCode>4100</responseCode><responseDescription>One of &#39;{incidentSummary}&#39; is \
         expected &amp; missing</responseDescription></reportResponse>",
    );
    let description = "One of '{incidentSummary}' is expected & missing".into();
    assert_eq!(refused, Err(NcmecError::Refused { code: 4100, description }));
}

#[test]
fn what_is_no_answer_is_an_error() {
    let deep = format!("{}{}", "<a>".repeat(100_000), "</a>".repeat(100_000));
    for body in [
        "",
        "Bad Gateway",
        "<html><body>503</body></html>",
        "<reportResponse>",
        "<reportResponse/>",
        "<reportResponse><reportId>1</reportId></reportResponse>",
        "<reportResponse><responseCode>zero</responseCode></reportResponse>",
        "<reportResponse><responseCode>0</responseDescription></reportResponse>",
        "<!DOCTYPE x [<!ENTITY a \"b\">]><reportResponse><responseCode>0</responseCode></reportResponse>",
        "<other><responseCode>0</responseCode></other>",
        &deep,
        &"x".repeat(2 << 20),
    ] {
        assert!(matches!(Answer::read(body.as_bytes()), Err(NcmecError::Answer(_))), "{body:.60}");
    }
    assert!(Answer::read(&[0xff, 0xfe, 0, 1]).is_err());
    // An id that is none does not reach an address or a log.
    let odd =
        "<reportResponse><responseCode>0</responseCode><reportId>../../x?a=b</reportId></reportResponse>";
    assert_eq!(Answer::read(odd.as_bytes()).map(|answer| answer.report_id), Ok(None));
}
