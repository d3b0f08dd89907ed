//! What a child's and a guardian's software tell each other: what is refused, each beside what is accepted.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use ciborium::Value;
use proptest::collection::vec;
use proptest::prelude::*;
use zegel_content::{
    Asked, Contacts, Content, ContentError, Fact, Facts, GUARDIAN_TYPE, Guardian, MAX_GUARDIAN, MAX_NAME,
    MAX_NAMES, Older, Shown, is_plain_name,
};

fn read(fields: Vec<Value>) -> Result<Guardian, ContentError> {
    let mut bytes = Vec::new();
    ciborium::into_writer(&Value::Array(fields), &mut bytes).unwrap();
    Guardian::decode(&bytes)
}

fn refused(fields: Vec<Value>, name: &'static str) {
    assert!(read(fields.clone()).err() == Some(ContentError::Field(name)), "{name}: {fields:?}");
}

fn bytes(n: usize) -> Value {
    Value::Bytes(vec![1; n])
}

fn array(values: &[Value]) -> Value {
    Value::Array(values.to_vec())
}

fn contact(handle: &str) -> Guardian {
    Guardian::Ask { id: [1; 16], what: Asked::Contact { handle: handle.into() }, facts: Facts::default() }
}

#[test]
fn fields_of_the_wrong_shape_are_refused() {
    assert!(read(vec![0.into(), true.into()]).unwrap() == Guardian::Link { as_child: true });
    assert!(read(vec![3.into(), bytes(16), array(&[2.into(), 3.into()]), array(&[])]).is_ok());
    assert!(read(vec![4.into(), bytes(16), false.into(), Value::Null, bytes(32)]).is_ok());
    refused(vec![7.into()], "kind");
    refused(vec!["link".into()], "kind");
    refused(vec![], "kind");
    refused(vec![0.into()], "as_child");
    refused(vec![0.into(), 1.into()], "as_child");
    refused(vec![2.into(), Value::Null], "guardian");
    refused(vec![1.into(), bytes(31)], "hash");
    refused(vec![3.into(), bytes(15), array(&[2.into(), 2.into()]), array(&[])], "id");
    refused(vec![3.into(), bytes(16), array(&[3.into()]), array(&[])], "what");
    refused(vec![3.into(), bytes(16), array(&[2.into(), 2.into(), 2.into()]), array(&[])], "what");
    refused(
        vec![3.into(), bytes(16), array(&[1.into(), "club".into(), "carol".into()]), array(&[])],
        "people",
    );
    for band in [0, 1, 4] {
        refused(vec![3.into(), bytes(16), array(&[2.into(), band.into()]), array(&[])], "band");
    }
    refused(vec![4.into(), bytes(16), true.into(), bytes(33), Value::Null], "secret");
    refused(vec![4.into(), bytes(16), true.into(), Value::Null], "next");
    refused(vec![5.into(), array(&[]), array(&[1.into()]), 0.into()], "groups");
    refused(vec![5.into(), array(&[]), array(&[]), (1u64 << 32).into()], "more");
    refused(vec![6.into(), false.into()], "secret");
}

#[test]
fn facts_come_in_order_and_each_once() {
    let ask = |facts: &[Value]| read(vec![3.into(), bytes(16), array(&[2.into(), 3.into()]), array(facts)]);
    let of_kim = |facts: &[Value]| ask(&[&["kim".into()], facts].concat());
    let all = [
        Fact::Via("bob".into()),
        Fact::ByCode,
        Fact::NewAccount,
        Fact::NobodyInCommon,
        Fact::DeclinedByMany,
        Fact::ReportedByMany,
        Fact::ManyMinors,
    ];
    let values: Vec<Value> =
        ["kim", "bob"].map(Value::from).into_iter().chain((1..7).map(Value::from)).collect();
    let others = [Fact::Via("ann".into())];
    let facts = Facts::new("kim", all.iter().rev().chain(&others).cloned());
    assert!(facts.iter().eq(&all) && facts.of() == "kim");
    assert_eq!(Facts::new("kim", []), Facts::default());
    let [new, code] = [Fact::NewAccount, Fact::ByCode].map(|fact| Facts::new("kim", [fact]));
    let both = new.clone().with(code.clone());
    assert_eq!(both, Facts::new("kim", [Fact::ByCode, Fact::NewAccount]));
    assert_eq!(Facts::default().with(new.clone()), new);
    assert!(both.say_more_than(&new) && new.say_more_than(&code) && new.say_more_than(&Facts::default()));
    assert!(!new.say_more_than(&both) && !Facts::default().say_more_than(&new));
    assert!(new.say_more_than(&Facts::new("ann", [Fact::NewAccount])));
    let (id, what) = ([1; 16], Asked::Age { band: Older::Adult });
    assert!(ask(&values).unwrap() == Guardian::Ask { id, what, facts });
    for odd in [[2, 1], [2, 2]] {
        assert!(of_kim(&odd.map(Value::from)).err() == Some(ContentError::NotDeterministic), "{odd:?}");
    }
    assert!(of_kim(&["bob".into(), "ann".into()]).err() == Some(ContentError::NotDeterministic));
    assert!(of_kim(&[5.into(), "bob".into()]).err() == Some(ContentError::NotDeterministic));
    for odd in [["kim".into()].as_slice(), &[1.into()], &["".into(), 1.into()], &[Value::Null, 1.into()]] {
        assert!(ask(odd).err() == Some(ContentError::Field("facts")), "{odd:?}");
    }
    for odd in [0.into(), 7.into(), Value::Null, "".into(), "a\u{202e}b".into(), array(&[])] {
        assert!(of_kim(&[odd]).err() == Some(ContentError::Field("facts")));
    }
}

#[test]
fn other_encodings_of_the_same_are_refused() {
    let written = Guardian::Linked.encode().unwrap();
    assert_eq!(written, [0x81, 2]);
    let refused = |bytes: &[u8]| Guardian::decode(bytes).err();
    assert!(refused(&[0x81, 2, 0]) == Some(ContentError::Trailing { extra: 1 }));
    assert!(refused(&[0x98, 1, 2]) == Some(ContentError::NotDeterministic));
    assert!(refused(&[0x81, 0x18, 2]) == Some(ContentError::NotDeterministic));
    assert!(refused(&[0x9F, 2, 0xFF]) == Some(ContentError::NotDeterministic));
    assert!(refused(&[]) == Some(ContentError::Malformed));
    assert!(refused(&[0x81; 4096]) == Some(ContentError::Malformed));
}

#[test]
fn names_are_plain_and_bounded() {
    for name in ["carol", "schaakclub ♞", &"x".repeat(MAX_NAME)] {
        assert!(is_plain_name(name) && contact(name).encode().is_ok(), "{name}");
    }
    let odd = [
        "",
        "  ",
        "a\nb",
        "a\u{1b}[2J",
        "a\u{0}",
        "\u{85}x",
        "\u{202e}ecila",
        "a\u{2066}b",
        "\u{200f}x",
        "\u{61c}x",
    ];
    for name in odd.into_iter().chain([&*"x".repeat(MAX_NAME + 1)]) {
        assert!(contact(name).encode().err() == Some(ContentError::Field("handle")), "{name:?}");
        refused(vec![3.into(), bytes(16), array(&[0.into(), name.into()]), array(&[])], "handle");
        refused(vec![5.into(), array(&[name.into()]), array(&[]), 0.into()], "people");
        refused(vec![5.into(), array(&[]), array(&[name.into()]), 0.into()], "groups");
        refused(vec![3.into(), bytes(16), array(&[1.into(), name.into(), array(&[])]), array(&[])], "name");
    }
}

#[test]
fn lists_are_bounded_both_ways() {
    let contacts = |count: usize, name: &str| {
        Guardian::Contacts(Contacts { people: vec![name.into(); count], ..Default::default() })
    };
    let most = contacts(MAX_NAMES, "kim").encode().unwrap();
    assert!(Guardian::decode(&most).unwrap() == contacts(MAX_NAMES, "kim"));
    assert!(contacts(MAX_NAMES + 1, "kim").encode() == Err(ContentError::Field("people")));
    let many = array(&vec!["kim".into(); MAX_NAMES + 1]);
    refused(vec![5.into(), many, array(&[]), 0.into()], "people");
    let large = contacts(MAX_NAMES, &"x".repeat(MAX_NAME)).encode();
    assert!(matches!(large, Err(ContentError::TooLarge { .. })));
    let got = MAX_GUARDIAN + 1;
    assert!(Guardian::decode(&vec![0; got]).err() == Some(ContentError::TooLarge { got }));
}

#[test]
fn what_cannot_be_read_is_unsupported_and_nothing_of_it_is_printed() {
    let content =
        |body: Vec<u8>| Content::of_type([7; 16], "mimi://z/u/a", "mimi://z/r/1", 1, GUARDIAN_TYPE, body);
    assert_eq!(content(vec![0x81, 9]).body(), Shown::Unsupported { content_type: GUARDIAN_TYPE });
    let said = content(contact("carol").encode().unwrap());
    assert!(said.body() == Shown::Guardian(Box::new(contact("carol"))));
    assert_eq!(format!("{:?}", said.body()), "Guardian(ask)");
}

fn names(most: usize) -> impl Strategy<Value = Vec<String>> {
    vec("[a-z][a-z0-9 é♞]{0,20}", 0..most)
}

/// It can hold a secret, so only a test prints it.
#[derive(Clone)]
struct Said(Guardian);

impl std::fmt::Debug for Said {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}", self.0.encode())
    }
}

fn said() -> impl Strategy<Value = Said> {
    let secrets = any::<(Option<[u8; 32]>, Option<[u8; 32]>)>();
    let things = (any::<(u8, [u8; 16], [u8; 32], u32)>(), secrets, ("[a-z]{1,32}", names(30), names(30)));
    things.prop_map(|((kind, id, hash, number), (secret, next), (name, people, groups))| {
        let flag = number % 2 == 0;
        let band = if flag { Older::Teen } else { Older::Adult };
        let all = [Fact::Via(groups.first().cloned().unwrap_or("bob".into())), Fact::ByCode];
        let facts = Facts::new("kim", all.into_iter().take(id[0] as usize % 3));
        Said(match kind % 9 {
            0 => Guardian::Link { as_child: flag },
            1 => Guardian::Key { hash },
            2 => Guardian::Linked,
            3 => Guardian::Ask { id, what: Asked::Contact { handle: name }, facts },
            4 => Guardian::Ask { id, what: Asked::Group { name, people }, facts },
            5 => Guardian::Ask { id, what: Asked::Age { band }, facts },
            6 => Guardian::Answer { id, allow: flag, secret, next },
            7 => Guardian::Contacts(Contacts { people, groups, more: number }),
            _ => Guardian::End { secret },
        })
    })
}

proptest! {
    #[test]
    fn what_is_said_is_what_is_read(Said(said) in said()) {
        let bytes = said.encode().unwrap();
        if let Guardian::Ask { what, facts, .. } = &said {
            prop_assert!(Asked::decode(&what.encode().unwrap()).unwrap() == *what);
            prop_assert_eq!(&Facts::decode(&facts.encode().unwrap()).unwrap(), facts);
        }
        prop_assert!(Guardian::decode(&bytes).unwrap() == said);
    }

    #[test]
    fn mutated_bytes_do_no_harm(
        Said(said) in said(),
        changes in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut in any::<prop::sample::Index>(),
    ) {
        let mut bytes = said.encode().unwrap();
        prop_assert!(Guardian::decode(&bytes[..cut.index(bytes.len())]).is_err());
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Ok(read) = Guardian::decode(&bytes) {
            prop_assert_eq!(read.encode().unwrap(), bytes);
        }
    }
}
