//! The bytes of this version, pinned. The files were made by another encoder, not by this crate; a file that no
//! longer matches means that old messages, ids and reports would break.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use zegel_content::{
    Asked, Body, Contacts, Content, Disposition, Event, Expires, External, Fact, Facts, GUARDIAN_TYPE,
    Guardian, LastSeen, MessageId, Older, Part, SeenRoot, SeenSigner, Semantics, Shown, TOKENS_TYPE, Tokens,
    message_id,
};

const ALICE: &str = "mimi://zegel.example/u/alice";
const BOB: &str = "mimi://zegel.example/u/bob";
const ROOM: &str = "mimi://zegel.example/r/5eed";
const SENT: u64 = 1_700_000_000_000;

fn salt(first: u8) -> [u8; 16] {
    std::array::from_fn(|i| first + i as u8)
}

fn id(fill: u8) -> MessageId {
    let mut id = [fill; 32];
    id[0] = 1;
    MessageId(id)
}

fn pinned(file: &[u8], content: &Content) {
    assert_eq!(hex::encode(content.encode().unwrap()), hex::encode(file), "encodes to the golden bytes");
    assert!(&Content::decode(file).unwrap() == content, "the golden bytes decode to the content");
}

#[test]
fn a_text() {
    let content = Content::text(salt(0), ALICE, ROOM, SENT, "Dag Bob, tot zo ✉");
    pinned(include_bytes!("golden/text.cbor"), &content);
    assert_eq!(content.body(), Shown::Text("Dag Bob, tot zo ✉"));
}

#[test]
fn a_reply() {
    let mut content = Content::text(salt(16), BOB, ROOM, SENT + 1, "Tot zo");
    content.topic = b"thread".to_vec();
    content.expires = Some(Expires { relative: true, time: 86400 });
    content.in_reply_to = Some(id(0x22));
    content.last_seen = Some(LastSeen { server_seq: (1 << 40) + 1, stamp_hash: [0x33; 32] });
    content.forward_count = 3;
    pinned(include_bytes!("golden/reply.cbor"), &content);
}

#[test]
fn an_event() {
    let content = Content::event(salt(32), ALICE, ROOM, SENT + 2, Event::Leave);
    pinned(include_bytes!("golden/event.cbor"), &content);
    assert_eq!(content.body(), Shown::Event(Event::Leave));
}

#[test]
fn connection_tokens() {
    let tokens = Tokens { of: [0x44; 16], last_day: 20_000, tokens: vec![salt(0), salt(16)] };
    let body = tokens.encode().unwrap();
    let content = Content::of_type(salt(112), ALICE, ROOM, SENT + 22, TOKENS_TYPE, body);
    pinned(include_bytes!("golden/tokens.cbor"), &content);
    assert!(content.body() == Shown::Tokens(tokens));
}

#[test]
fn a_seen_root() {
    let mut content = Content::text(salt(80), BOB, ROOM, SENT + 5, "Gezien");
    let signers = vec![
        SeenSigner { key: [0xAA; 32], endorsement: None },
        SeenSigner { key: [0xBB; 32], endorsement: Some([0xCC; 64]) },
    ];
    let (hash, signature) = ([0x88; 32], [0x99; 64]);
    content.seen_root = Some(SeenRoot { epoch: 70_000, hash, signer: 1, signature, signers });
    pinned(include_bytes!("golden/seen_root.cbor"), &content);
}

/// What a child's and a guardian's software tell each other.
fn guardian(first: u8, sender: &str, said: &Guardian) -> Content {
    let sent = SENT + 6 + u64::from(first - 96);
    Content::of_type(salt(first), sender, ROOM, sent, GUARDIAN_TYPE, said.encode().unwrap())
}

#[test]
fn a_child_and_a_guardian() {
    let id = salt(0);
    let people = vec!["carol".to_owned(), "dave".to_owned()];
    let club = "schaakclub ♞".to_owned();
    let contacts =
        Contacts { people: vec!["alice".into(), "carol".into()], groups: vec![club.clone()], more: 300 };
    let ask = |what, facts| Guardian::Ask { id, what, facts: Facts::new("carol", facts) };
    let answer = Guardian::Answer { id, allow: true, secret: Some([0x22; 32]), next: Some([0x33; 32]) };
    let cases: [(&[u8], &str, Guardian); 9] = [
        (include_bytes!("golden/guardian_link.cbor"), BOB, Guardian::Link { as_child: true }),
        (include_bytes!("golden/guardian_key.cbor"), ALICE, Guardian::Key { hash: [0x11; 32] }),
        (include_bytes!("golden/guardian_linked.cbor"), BOB, Guardian::Linked),
        (
            include_bytes!("golden/guardian_ask_contact.cbor"),
            BOB,
            ask(Asked::Contact { handle: "carol".into() }, vec![Fact::NewAccount, Fact::Via("dave".into())]),
        ),
        (
            include_bytes!("golden/guardian_ask_group.cbor"),
            BOB,
            ask(Asked::Group { name: club, people }, vec![Fact::ManyMinors]),
        ),
        (include_bytes!("golden/guardian_ask_age.cbor"), BOB, ask(Asked::Age { band: Older::Teen }, vec![])),
        (include_bytes!("golden/guardian_answer.cbor"), ALICE, answer),
        (include_bytes!("golden/guardian_contacts.cbor"), BOB, Guardian::Contacts(contacts)),
        (include_bytes!("golden/guardian_end.cbor"), ALICE, Guardian::End { secret: None }),
    ];
    for (first, (file, sender, said)) in (96..).zip(cases) {
        let content = guardian(first, sender, &said);
        pinned(file, &content);
        assert!(content.body() == Shown::Guardian(Box::new(said)));
    }
}

#[test]
fn a_file_with_a_caption() {
    let caption =
        Body::Single { content_type: "text/markdown;charset=utf-8".into(), content: b"*Kijk*".to_vec() };
    let picture = Body::External(Box::new(External {
        content_type: "image/png".into(),
        url: "https://zegel.example/b/1".into(),
        expires: 0,
        size: 70000,
        enc_alg: 1,
        key: vec![0x44; 16],
        nonce: vec![0x55; 12],
        aad: vec![],
        hash_alg: 1,
        content_hash: vec![0x66; 32],
        description: "een kat".into(),
        filename: "kat.png".into(),
    }));
    let parts = vec![
        Part { disposition: Disposition::Render, language: "nl".into(), body: caption },
        Part { disposition: Disposition::Attachment, language: String::new(), body: picture },
    ];
    let body = Body::Multi { semantics: Semantics::SingleUnit, parts };
    let mut content = Content::text(salt(48), ALICE, ROOM, SENT + 3, "");
    content.part = Part { disposition: Disposition::Render, language: "nl".into(), body };
    pinned(include_bytes!("golden/file.cbor"), &content);
}

#[test]
fn a_deletion() {
    let mut content = Content::text(salt(64), ALICE, ROOM, SENT + 4, "");
    content.replaces = Some(id(0x77));
    content.part = Part { disposition: Disposition::Unspecified, language: String::new(), body: Body::Null };
    pinned(include_bytes!("golden/deletion.cbor"), &content);
    assert_eq!(content.body(), Shown::Unsupported { content_type: "" });
}

/// The draft's own first example, and the id that it prints for it.
#[test]
fn the_drafts_message_id() {
    let salt = hex::decode("5eed9406c2545547ab6f09f20a18b003").unwrap().try_into().unwrap();
    let alice = "mimi://example.com/u/alice-smith";
    let room = "mimi://example.com/r/engineering_team";
    let said = "Hi everyone, we just shipped release 2.0. __Good  work__!";
    let mut content = Content::text(salt, alice, room, 0, said);
    content.part.body = Body::Single {
        content_type: "text/markdown;variant=GFM-MIMI".into(),
        content: said.as_bytes().to_vec(),
    };
    let id = message_id(&content, &content.encode().unwrap());
    assert_eq!(id.to_string(), "017ce54837404c3696e0c747b985cb172716d0ed0a3d249ca63ace7d82a096f4");
    assert_eq!(content.body(), Shown::Text(said));
}

#[test]
fn an_id_is_read_as_it_is_written() {
    assert_eq!(id(0xAB).to_string().parse(), Ok(id(0xAB)));
    for wrong in ["", "01", &"g".repeat(64), &"0".repeat(63), &"0".repeat(66), &"é".repeat(32)] {
        assert!(wrong.parse::<MessageId>().is_err(), "{wrong}");
    }
}
