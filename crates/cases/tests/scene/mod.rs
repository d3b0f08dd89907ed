//! A case with its reports, and a service that signs.
#![allow(dead_code, reason = "not every test needs all of it")]

use ed25519_dalek::SigningKey;
use zegel_cases::{
    Act, Case, CaseNumber, Category, Finding, LogEntry, LogHead, Measure, Report, Role, Shown, Staff,
    StaffId, Subject,
};
use zegel_content::Content;
use zegel_directory::{SignedStatement, SignerKey, Statement};
use zegel_franking::{Context, ZERO_TAG, franking_tag};
use zegel_proto::{AccountId, RoomId, room_uri, user_uri};

pub const DOMAIN: &str = "chat.example.org";
/// 22 November 2026.
pub const NOW: u64 = 1_795_320_000_000;
pub const DAY: u64 = 24 * 60 * 60 * 1000;
pub const MALLORY: AccountId = AccountId([0xee; 16]);
pub const ALICE: AccountId = AccountId([0xaa; 16]);
const ROOM: RoomId = RoomId([7; 32]);

pub fn staff(name: &str, role: Role) -> Staff {
    Staff { id: StaffId(name.into()), role }
}

/// A directory whose key was rotated once.
pub fn service(domain: &str, seed: u8) -> SignerKey {
    let secret = |more| SigningKey::from_bytes(&[seed.wrapping_add(more); 32]);
    SignerKey::first(secret(0)).rotate(domain, secret(100))
}

pub fn sign<'a>(
    key: &'a SignerKey,
    domain: &'a str,
    what: Statement,
) -> impl Fn(&[u8]) -> SignedStatement + 'a {
    move |body| key.sign_statement(domain, what, body)
}

pub fn case() -> Case {
    Case {
        number: CaseNumber::new(0x1234_5678_9abc),
        subject: Subject::Account(MALLORY),
        handle: "mallory".into(),
        opened_ms: NOW,
        category: Category::Grooming,
        reports: 1,
        disclosed: 3,
        proven: 2,
        claim: None,
        decision: None,
        appeal: None,
        export: None,
        rule: None,
    }
}

pub fn decide(case: &mut Case, who: &Staff, measure: Measure, ground: Category, now_ms: u64) {
    case.act(who, Act::Claim, now_ms).expect("it waits");
    let explanation = "You asked a child for pictures.\nThat is never allowed.".into();
    let act = Act::Decide { measure, against: MALLORY, ground, explanation, seen: case.reports };
    case.act(who, act, now_ms).expect("they may");
}

pub fn content(text: &str) -> Vec<u8> {
    let content =
        Content::text([9; 16], user_uri(DOMAIN, "mallory"), room_uri(DOMAIN, &ROOM), NOW - DAY, text);
    content.encode().expect("it is short")
}

pub fn context(seq: u64, content: Option<&[u8]>, before: [u8; 32]) -> Context {
    Context {
        key_id: 1,
        sender_account: MALLORY.0,
        sender_device: [1; 16],
        room: ROOM.0,
        epoch: 3,
        server_seq: seq,
        accepted_ms: NOW - DAY + seq,
        franking_tag: content.map_or(ZERO_TAG, |content| franking_tag(&[9; 16], content)),
        message_hash: [2; 32],
        prev_stamp_hash: before,
    }
}

pub fn shown(context: &Context, text: &str, content: &[u8], finding: Finding, gap: u64) -> Shown {
    Shown {
        finding,
        gap,
        sender: MALLORY.to_hex(),
        handle: "mallory".into(),
        accepted_ms: context.accepted_ms,
        seq: context.server_seq,
        text: text.into(),
        content: hex::encode(content),
        context: hex::encode(context.to_bytes()),
        stamp: hex::encode([5; 32]),
    }
}

/// Two proven messages with a withheld one and a gap between them, one that is forged, and at the end a change of keys.
pub fn report() -> Report {
    let (first, last) = (content("send me a picture"), content("or I tell your mother"));
    let one = context(10, Some(&first), [0; 32]);
    let two = context(11, Some(&first), one.hash());
    let four = context(14, Some(&last), [8; 32]);
    let five = context(15, None, four.hash());
    let forged = Shown {
        finding: Finding::Unproven("this service did not stamp it so".into()),
        gap: 0,
        sender: String::new(),
        handle: String::new(),
        accepted_ms: 0,
        seq: 0,
        text: "made up".into(),
        content: hex::encode(content("made up")),
        context: "00ff".into(),
        stamp: String::new(),
    };
    Report {
        reporter: ALICE,
        handle: "alice".into(),
        category: Category::Grooming,
        note: "he does not stop".into(),
        made_ms: NOW,
        room: ROOM.to_hex(),
        run: vec![
            shown(&one, "send me a picture", &first, Finding::Proven, 0),
            shown(&two, "", &[], Finding::Withheld, 0),
            forged,
            shown(&four, "or I tell your mother", &last, Finding::Proven, 2),
            shown(&five, "", &[], Finding::Change, 0),
        ],
        earlier: (1, 1),
        young: false,
    }
}

/// A log with lines about the case and about others, and where it ends.
pub fn log(case: CaseNumber) -> (Vec<String>, LogHead) {
    let mut head = LogHead::default();
    let mut lines = Vec::new();
    for (act, about) in [
        ("sign-in", None),
        ("claim", Some(case)),
        ("decide", Some(case)),
        ("look", None),
        ("export", Some(case)),
    ] {
        let (who, act) = (StaffId("ada".into()), act.to_owned());
        let (detail, prev) = (String::new(), String::new());
        let (line, next) = head.append(LogEntry { seq: 0, at_ms: NOW, who, act, case: about, detail, prev });
        lines.push(line);
        head = next;
    }
    (lines, head)
}

/// The lines about the case.
pub fn custody(case: CaseNumber) -> Vec<String> {
    let (lines, _) = log(case);
    lines.into_iter().filter(|line| line.contains(&case.to_string())).collect()
}
