//! A member follows the order of a conversation.

use zegel_franking::{Chain, Context, Link, ZERO_TAG};

fn context(server_seq: u64, prev: &Context) -> Context {
    Context { server_seq, prev_stamp_hash: prev.hash(), ..prev.clone() }
}

fn origin() -> Context {
    Context {
        key_id: 1,
        sender_account: [1; 16],
        sender_device: [2; 16],
        room: [3; 32],
        epoch: 0,
        server_seq: 100,
        accepted_ms: 1,
        franking_tag: ZERO_TAG,
        message_hash: [4; 32],
        prev_stamp_hash: [0; 32],
    }
}

#[test]
fn messages_in_order_follow_each_other() {
    let first = origin();
    let second = context(101, &first);
    let third = context(102, &second);
    let mut chain = Chain::origin(&first);
    assert_eq!(chain.check(&second), Link::Next);
    assert_eq!(chain.check(&third), Link::Next);
    assert_eq!(chain, Chain { next_seq: 103, prev: third.hash() });
}

#[test]
fn what_is_missing_is_counted_and_the_chain_goes_on() {
    let first = origin();
    let fourth = context(103, &first);
    let fifth = context(104, &fourth);
    let mut chain = Chain::origin(&first);
    assert_eq!(chain.check(&fourth), Link::Gap { missing: 2 });
    assert_eq!(chain.check(&fifth), Link::Next);
}

#[test]
fn a_number_that_passed_is_a_repeat_and_moves_nothing() {
    let first = origin();
    let second = context(101, &first);
    let mut chain = Chain::origin(&first);
    assert_eq!(chain.check(&second), Link::Next);
    let before = chain;
    assert_eq!(chain.check(&second), Link::Repeat);
    assert_eq!(chain.check(&first), Link::Repeat);
    assert_eq!(chain, before);
}

#[test]
fn another_past_is_a_fork_and_the_chain_goes_on() {
    let first = origin();
    let hidden = Context { message_hash: [9; 32], ..first.clone() };
    let second = context(101, &hidden);
    let third = context(102, &second);
    let mut chain = Chain::origin(&first);
    assert_eq!(chain.check(&second), Link::Fork);
    assert_eq!(chain.check(&third), Link::Next);
}

#[test]
fn the_last_number_there_is_does_no_harm() {
    let last = Context { server_seq: u64::MAX, ..origin() };
    let mut chain = Chain::origin(&last);
    assert_eq!(chain.check(&context(u64::MAX, &last)), Link::Next);
    assert_eq!(Chain::origin(&origin()).check(&last), Link::Gap { missing: u64::MAX - 101 });
}
