//! Connection tokens: what is refused, each beside what is accepted.

#![allow(clippy::unwrap_used, reason = "a test may fail")]

use ciborium::Value;
use proptest::collection::vec;
use proptest::prelude::*;
use zegel_content::{Content, ContentError, MAX_TOKENS, Shown, TOKENS_TYPE, Tokens};

fn bytes(fields: Vec<Value>) -> Vec<u8> {
    let mut bytes = Vec::new();
    ciborium::into_writer(&Value::Array(fields), &mut bytes).unwrap();
    bytes
}

fn id(length: usize) -> Value {
    Value::Bytes(vec![1; length])
}

fn tokens(count: usize) -> Value {
    Value::Array(vec![id(16); count])
}

#[test]
fn fields_of_the_wrong_shape_are_refused() {
    assert!(Tokens::decode(&bytes(vec![id(16), 9.into(), tokens(MAX_TOKENS)])).is_ok());
    let refused = [
        (vec![id(15), 9.into(), tokens(1)], "of"),
        (vec![id(16), (1_u64 << 32).into(), tokens(1)], "last_day"),
        (vec![id(16), (-1).into(), tokens(1)], "last_day"),
        (vec![id(16), 9.into(), tokens(0)], "tokens"),
        (vec![id(16), 9.into(), tokens(MAX_TOKENS + 1)], "tokens"),
        (vec![id(16), 9.into(), Value::Array(vec![id(17)])], "tokens"),
        (vec![id(16), 9.into()], "tokens"),
        (vec![id(16), 9.into(), tokens(1), 1.into()], "tokens"),
    ];
    for (fields, name) in refused {
        assert_eq!(Tokens::decode(&bytes(fields)).err(), Some(ContentError::Field(name)));
    }
}

#[test]
fn there_is_one_way_to_write_them_and_a_bound() {
    let good = bytes(vec![id(16), 9.into(), tokens(2)]);
    assert!(Tokens::decode(&good).is_ok());
    let trailing = [good.as_slice(), &[0]].concat();
    assert_eq!(Tokens::decode(&trailing).err(), Some(ContentError::Trailing { extra: 1 }));
    // The day in two bytes instead of one.
    let mut long = good.clone();
    long.splice(18..19, [0x18, 9]);
    assert_eq!(Tokens::decode(&long).err(), Some(ContentError::NotDeterministic));
    assert!(matches!(Tokens::decode(&vec![0x81; 5000]).err(), Some(ContentError::TooLarge { got: 5000 })));
    assert_eq!(Tokens::decode(&[0x81; 1000]).err(), Some(ContentError::Malformed));
    let many = Tokens { of: [1; 16], last_day: 9, tokens: vec![[2; 16]; MAX_TOKENS + 1] };
    assert_eq!(many.encode().err(), Some(ContentError::Field("tokens")));
}

#[test]
fn malformed_ones_are_shown_as_unsupported_and_none_are_printed() {
    let content =
        |body: Vec<u8>| Content::of_type([1; 16], "mimi://a/u/b", "mimi://a/r/c", 1, TOKENS_TYPE, body);
    let bad = content(b"tokens".to_vec());
    assert!(bad.body() == Shown::Unsupported { content_type: TOKENS_TYPE });
    let good = Tokens { of: [0xab; 16], last_day: 9, tokens: vec![[0xcd; 16]] };
    let shown = content(good.encode().unwrap());
    assert_eq!(format!("{:?}", shown.body()), "Tokens(1)");
}

proptest! {
    #[test]
    fn what_is_written_is_read(of: [u8; 16], last_day: u32, some in vec(any::<[u8; 16]>(), 1..=MAX_TOKENS)) {
        let tokens = Tokens { of, last_day, tokens: some };
        prop_assert!(Tokens::decode(&tokens.encode().unwrap()).unwrap() == tokens);
    }

    #[test]
    fn no_bytes_panic(bytes in vec(any::<u8>(), 0..600)) {
        if let Ok(tokens) = Tokens::decode(&bytes) {
            prop_assert_eq!(tokens.encode().unwrap(), bytes);
        }
    }
}
