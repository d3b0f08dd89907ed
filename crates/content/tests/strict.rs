//! What is refused, each beside what is accepted.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use ciborium::Value;
use zegel_content::{
    Body, Content, ContentError, Disposition, Event, MAX_CONTENT, MAX_DEPTH, MAX_TEXT, Part, Semantics, Shown,
};

const ROOM: &str = "mimi://zegel.example/r/5eed";

fn text(said: &str) -> Content {
    Content::text([7; 16], "mimi://zegel.example/u/alice", ROOM, 1, said)
}

fn single(content_type: &str, content: &[u8]) -> Part {
    let body = Body::Single { content_type: content_type.into(), content: content.to_vec() };
    Part { disposition: Disposition::Render, language: String::new(), body }
}

fn multi(semantics: Semantics, parts: Vec<Part>) -> Part {
    let body = Body::Multi { semantics, parts };
    Part { disposition: Disposition::Render, language: String::new(), body }
}

fn with_part(part: Part) -> Content {
    Content { part, ..text("") }
}

fn nested(levels: usize) -> Part {
    (1..levels)
        .fold(single("a/b", b""), |part, _| multi(Semantics::ProcessAll, vec![part, single("a/b", b"")]))
}

/// The CBOR of a valid text after a change to its seven fields.
fn changed(change: impl FnOnce(&mut Vec<Value>)) -> Result<Content, ContentError> {
    let mut value: Value = ciborium::from_reader(text("hi").encode().unwrap().as_slice()).unwrap();
    change(value.as_array_mut().unwrap());
    let mut bytes = Vec::new();
    ciborium::into_writer(&value, &mut bytes).unwrap();
    Content::decode(&bytes)
}

fn with_extensions(map: Vec<(Value, Value)>) -> Result<Content, ContentError> {
    changed(|fields| {
        let said = fields[5].as_map().unwrap().clone();
        fields[5] = Value::Map(said.into_iter().chain(map).collect());
    })
}

#[test]
fn an_unchanged_content_is_accepted() {
    assert!(changed(|_| {}).unwrap() == text("hi"));
}

#[test]
fn fields_of_the_wrong_shape_are_refused() {
    let bytes = |n| Value::Bytes(vec![1; n]);
    let cases: [(&str, usize, Value); 10] = [
        ("salt", 0, bytes(15)),
        ("salt", 0, bytes(17)),
        ("salt", 0, Value::Null),
        ("replaces", 1, bytes(31)),
        ("topic", 2, Value::Text(String::new())),
        ("expires", 3, Value::Array(vec![true.into()])),
        ("expires", 3, Value::Array(vec![true.into(), (1u64 << 32).into()])),
        ("in_reply_to", 4, bytes(33)),
        ("extensions", 5, Value::Array(vec![])),
        ("part", 6, Value::Null),
    ];
    for (name, place, value) in cases {
        let refused = changed(|fields| fields[place] = value.clone());
        assert_eq!(refused, Err(ContentError::Field(name)), "{value:?}");
    }
    assert_eq!(changed(|fields| fields.push(Value::Null)), Err(ContentError::Field("content")));
    assert_eq!(changed(|fields| drop(fields.pop())), Err(ContentError::Field("part")));
    assert_eq!(changed(|fields| fields[5] = Value::Map(vec![])), Err(ContentError::Field("sender_uri")));
}

#[test]
fn parts_of_the_wrong_shape_are_refused() {
    let part = |change: fn(&mut Vec<Value>)| changed(|fields| change(fields[6].as_array_mut().unwrap()));
    assert_eq!(part(|part| part[0] = 256.into()), Err(ContentError::Field("disposition")));
    assert_eq!(part(|part| part[2] = 4.into()), Err(ContentError::Field("cardinality")));
    assert_eq!(part(|part| part[4] = "hi".into()), Err(ContentError::Field("content")));
    assert_eq!(part(|part| part.push(Value::Null)), Err(ContentError::Field("part")));
    let lonely = with_part(multi(Semantics::ChooseOne, vec![single("a/b", b"")]));
    assert_eq!(lonely.encode(), Err(ContentError::Field("parts")));
}

#[test]
fn trailing_and_missing_bytes_are_refused() {
    let mut bytes = text("hi").encode().unwrap();
    bytes.push(0);
    assert_eq!(Content::decode(&bytes), Err(ContentError::Trailing { extra: 1 }));
    bytes.truncate(bytes.len() - 2);
    assert_eq!(Content::decode(&bytes), Err(ContentError::Malformed));
    assert_eq!(Content::decode(&[]), Err(ContentError::Malformed));
}

#[test]
fn other_encodings_of_the_same_content_are_refused() {
    let bytes = text("hi").encode().unwrap();
    assert_eq!(bytes[0], 0x87);
    let long_length = [&[0x98, 7], &bytes[1..]].concat();
    assert_eq!(Content::decode(&long_length), Err(ContentError::NotDeterministic));
    let indefinite = [&[0x9F], &bytes[1..], &[0xFF]].concat();
    assert_eq!(Content::decode(&indefinite), Err(ContentError::NotDeterministic));
}

#[test]
fn unknown_extensions_are_ignored_and_known_ones_are_strict() {
    let unknown = vec![(0xF100.into(), Value::Array(vec![1.5.into()])), ("x".into(), Value::Null)];
    assert!(with_extensions(unknown).unwrap() == text("hi"));
    let negative = vec![((-1).into(), Value::Null)];
    assert!(with_extensions(negative).unwrap() == text("hi"));
    assert_eq!(with_extensions(vec![(0xF003.into(), 2.into())]), Err(ContentError::NotDeterministic));
    assert_eq!(with_extensions(vec![(3.into(), 2.into())]), Err(ContentError::NotDeterministic));
    let key = Value::Array(vec![]);
    assert_eq!(with_extensions(vec![(key, 2.into())]), Err(ContentError::Field("extensions")));
    let wrong = |key: u64, value: Value| {
        changed(|fields| {
            let map = fields[5].as_map_mut().unwrap();
            map.retain(|(known, _)| *known != key.into());
            map.push((key.into(), value));
            map.sort_by_key(|(key, _)| u64::try_from(key.as_integer().unwrap()).unwrap());
        })
    };
    assert_eq!(wrong(1, 1.into()), Err(ContentError::Field("sender_uri")));
    assert_eq!(wrong(2, Value::Null), Err(ContentError::Field("room_uri")));
    assert_eq!(wrong(0xF001, Value::Array(vec![1.into()])), Err(ContentError::Field("last_seen")));
    assert_eq!(wrong(0xF002, (1u64 << 32).into()), Err(ContentError::Field("forward_count")));
    assert_eq!(wrong(0xF003, (-1).into()), Err(ContentError::Field("sent_ms")));
    fn bytes(n: usize) -> Value {
        Value::Bytes(vec![1; n])
    }
    fn signers(endorsements: &[usize]) -> Value {
        let signer = |n: &usize| Value::Array(vec![bytes(32), bytes(*n)]);
        Value::Array(endorsements.iter().map(signer).collect())
    }
    let root = |change: fn(&mut Vec<Value>)| {
        let mut root = vec![7.into(), bytes(32), 0.into(), bytes(64), signers(&[0, 64])];
        change(&mut root);
        wrong(0xF004, Value::Array(root))
    };
    assert_eq!(root(|_| {}).unwrap().seen_root.unwrap().epoch, 7);
    assert_eq!(root(|root| root[4] = signers(&[64; 16])).unwrap().seen_root.unwrap().signers.len(), 16);
    let changes: [fn(&mut Vec<Value>); 12] = [
        |root| root[0] = (-1).into(),
        |root| root[1] = Value::Bytes(vec![1; 31]),
        |root| root[2] = (1u64 << 32).into(),
        |root| root[3] = Value::Bytes(vec![2; 65]),
        |root| root[4] = signers(&[]),
        |root| root[4] = signers(&[64; 17]),
        |root| root[4] = signers(&[0, 63]),
        |root| root[4] = Value::Array(vec![bytes(32)]),
        |root| root[4] = Value::Array(vec![Value::Array(vec![bytes(31), bytes(0)])]),
        |root| root[4] = Value::Array(vec![Value::Array(vec![bytes(32), bytes(0), bytes(0)])]),
        |root| drop(root.pop()),
        |root| root.push(Value::Null),
    ];
    for change in changes {
        assert_eq!(root(change), Err(ContentError::Field("seen_root")));
    }
    assert_eq!(wrong(0xF004, Value::Null), Err(ContentError::Field("seen_root")));
}

#[test]
fn size_is_bounded_both_ways() {
    assert!(Content::decode(&text(&"x".repeat(MAX_TEXT)).encode().unwrap()).is_ok());
    let long = text(&"x".repeat(MAX_TEXT + 1));
    assert_eq!(long.encode(), Err(ContentError::TextTooLong { got: MAX_TEXT + 1 }));
    let large = with_part(single("a/b", &vec![0; MAX_CONTENT]));
    assert!(matches!(large.encode(), Err(ContentError::TooLarge { .. })));
    let refused = Content::decode(&vec![0; MAX_CONTENT + 1]);
    assert_eq!(refused, Err(ContentError::TooLarge { got: MAX_CONTENT + 1 }));
    let long =
        changed(|fields| fields[6].as_array_mut().unwrap()[4] = Value::Bytes(vec![b'x'; MAX_TEXT + 1]));
    assert_eq!(long, Err(ContentError::TextTooLong { got: MAX_TEXT + 1 }));
}

#[test]
fn depth_is_bounded_both_ways() {
    let deepest = with_part(nested(MAX_DEPTH));
    assert!(Content::decode(&deepest.encode().unwrap()).unwrap() == deepest);
    assert_eq!(with_part(nested(MAX_DEPTH + 1)).encode(), Err(ContentError::TooDeep));
    assert_eq!(Content::decode(&[0x81; MAX_CONTENT]), Err(ContentError::Malformed));
    assert_eq!(Content::decode(&[0xC1; MAX_CONTENT]), Err(ContentError::Malformed));
    let deeper = changed(|fields| {
        let leaf = fields[6].clone();
        let wrap = |part| Value::Array(vec![1.into(), "".into(), 3.into(), 2.into(), part]);
        fields[6] = (0..MAX_DEPTH).fold(leaf.clone(), |part, _| wrap(Value::Array(vec![part, leaf.clone()])));
    });
    assert_eq!(deeper, Err(ContentError::TooDeep));
}

#[test]
fn a_text_must_be_utf8() {
    assert_eq!(with_part(single("text/plain", &[0xFF])).encode(), Err(ContentError::NotUtf8));
    let refused = changed(|fields| fields[6].as_array_mut().unwrap()[4] = Value::Bytes(vec![0xFF]));
    assert_eq!(refused, Err(ContentError::NotUtf8));
}

#[test]
fn what_is_shown_depends_on_the_media_type() {
    let types = [
        "text/plain",
        "Text/Plain; charset=\"UTF-8\"",
        "text/markdown;variant=GFM",
        "text/plain;charset=US-ASCII",
    ];
    for content_type in types {
        assert_eq!(with_part(single(content_type, b"hi")).body(), Shown::Text("hi"), "{content_type}");
    }
    for content_type in ["text/html", "text/plain;charset=utf-16", "text/plainer", ""] {
        assert_eq!(with_part(single(content_type, b"hi")).body(), Shown::Unsupported { content_type });
    }
    let event = "application/vnd.zegel.event";
    assert_eq!(with_part(single(event, b"leave")).body(), Shown::Event(Event::Leave));
    assert_eq!(with_part(single(event, b"later")).body(), Shown::Unsupported { content_type: event });
}

#[test]
fn of_parts_one_is_shown_only_where_one_is_meant() {
    let parts = || vec![single("text/html", b"<b>hi</b>"), single("text/plain", b"hi")];
    let body = |semantics| with_part(multi(semantics, parts()));
    assert_eq!(body(Semantics::ChooseOne).body(), Shown::Text("hi"));
    for semantics in [Semantics::SingleUnit, Semantics::ProcessAll] {
        assert_eq!(body(semantics).body(), Shown::Unsupported { content_type: "text/html" });
    }
}

#[test]
fn debug_prints_nothing_that_people_said() {
    let printed = format!("{:?} {:?}", text("geheim"), text("geheim").body());
    assert!(!printed.contains("geheim") && !printed.contains("alice"), "{printed}");
}
