//! Messages of a member, and stamps of a service, that do not hold together.

use zegel_content::{Content, LastSeen};
use zegel_franking::Context;
use zegel_proto::{room_uri, user_uri};

use super::{
    post::message,
    world::{ALICE, BOB, World},
};
use crate::db::{ConversationState, ItemKind};

/// The one hidden line of Alice since the last call begins with this cause.
fn assert_hidden(world: &World, count: usize, cause: &str) {
    let hidden = world.lines(ALICE, ItemKind::Hidden);
    assert_eq!(hidden.len(), count, "{hidden:?}");
    let last = hidden.last().expect("a line");
    assert_eq!(
        last.strip_prefix("A message could not be shown: ").and_then(|s| s.find(cause)),
        Some(0),
        "{last}"
    );
}

#[test]
fn garbage_of_a_member_silences_nobody() {
    let mut world = World::new();
    let group = world.group("club", &[BOB]);
    world.assert_talk(&group, &[ALICE, BOB]);
    let mut letter = world.write(BOB, &group, "garbled");
    let mut bytes = letter.submit.message.to_vec();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    letter.submit.message = bytes.into();
    let stamps = world.stamps(&letter);
    world.hand(ALICE, message(&group, &letter.submit.message, &stamps[0]));
    assert_hidden(&world, 1, "it could not be decrypted");
    assert_eq!(world.chat(ALICE, &group).stuck_ms, 0);
    world.confirm(&letter, &[]);
    world.restart(ALICE);
    world.assert_talk(&group, &[ALICE, BOB]);
}

fn content_of(world: &World, who: usize, group: &zegel_proto::GroupId, text: &str) -> Content {
    let me = &world.at(who).me;
    let room = room_uri(&me.domain, &zegel_proto::room_of(group));
    Content::text([5; 16], user_uri(&me.domain, &me.handle), room, me.account.0[0].into(), text)
}

#[test]
fn a_tag_commits_to_the_content_and_the_content_to_its_sender_and_room() {
    let mut world = World::new();
    let group = world.group("club", &[BOB]);
    let other = world.direct(ALICE, BOB);
    let honest = content_of(&world, BOB, &group, "bound");
    let bytes = honest.encode().expect("content");
    let letter = world.frame(BOB, &group, &honest.salt, &bytes);
    world.deliver(&letter);
    assert!(world.shows(ALICE, "bound"));

    let loose = content_of(&world, BOB, &group, "loose").encode().expect("content");
    let letter = world.frame(BOB, &group, &[6; 16], &loose);
    world.deliver(&letter);
    assert_hidden(&world, 1, "the franking tag is not that of the content");

    for (number, false_content) in [
        (2, Content { sender_uri: content_of(&world, ALICE, &group, "").sender_uri, ..honest.clone() }),
        (3, Content { room_uri: content_of(&world, BOB, &other, "").room_uri, ..honest.clone() }),
    ] {
        let bytes = false_content.encode().expect("content");
        let letter = world.frame(BOB, &group, &honest.salt, &bytes);
        world.deliver(&letter);
        assert_hidden(&world, number, "it claims another sender or conversation");
    }
    let letter = world.frame(BOB, &group, &[6; 16], b"not a content");
    world.deliver(&letter);
    assert_hidden(&world, 4, "its content cannot be read");
    assert!(!world.shows(ALICE, "loose"));
    world.assert_talk(&group, &[ALICE, BOB]);
}

#[test]
fn a_stamp_must_name_the_sender_the_room_the_epoch_and_the_ciphertext() {
    type Fault = (&'static str, fn(&mut Context));
    let faults: [Fault; 6] = [
        ("the stamp names another sender", |context| context.sender_account = [1; 16]),
        ("the stamp names another sender", |context| context.sender_device = [1; 16]),
        ("the stamp names another conversation", |context| context.room = [1; 32]),
        ("the stamp names another epoch", |context| context.epoch += 1),
        ("the stamp is for another ciphertext", |context| context.message_hash = [1; 32]),
        ("the franking tag is not that of the content", |context| context.franking_tag = [1; 32]),
    ];
    let mut world = World::new();
    let group = world.group("club", &[BOB]);
    world.assert_talk(&group, &[ALICE, BOB]);
    for (number, (cause, spoil)) in faults.into_iter().enumerate() {
        let letter = world.write(BOB, &group, "mis-stamped");
        let mut context = world.context(BOB, &group, &letter.submit.message);
        spoil(&mut context);
        let stamped = world.stamp(&group, &context);
        world.hand(ALICE, message(&group, &letter.submit.message, &stamped));
        assert_hidden(&world, number + 1, cause);
        world.confirm(&letter, &[]);
    }
    assert!(!world.shows(ALICE, "mis-stamped"));
    assert_eq!(world.state(ALICE, &group), ConversationState::Open);
    world.assert_talk(&group, &[ALICE, BOB]);
}

#[test]
fn a_sender_who_saw_another_past_raises_a_line() {
    let mut world = World::new();
    let group = world.group("club", &[BOB]);
    world.assert_talk(&group, &[ALICE, BOB, ALICE]);
    assert_eq!(world.lines(ALICE, ItemKind::Gap), [""; 0]);
    let chat = world.chat(ALICE, &group);
    let ours: [u8; 32] = chat.chain_prev.as_slice().try_into().expect("a hash");
    // The very last stamp, and an older one of a message that is held.
    for (server_seq, stamp_hash, lines) in [
        (chat.chain_next - 1, ours, 0),
        (chat.chain_next, [1; 32], 1),
        (chat.chain_next - 1, [1; 32], 2),
        (chat.chain_next + 1000, [1; 32], 2),
    ] {
        let mut content = content_of(&world, BOB, &group, "I saw");
        content.salt = [server_seq as u8; 16];
        content.last_seen = Some(LastSeen { server_seq, stamp_hash });
        let letter = world.frame(BOB, &group, &content.salt, &content.encode().expect("content"));
        world.deliver(&letter);
        let gaps = world.lines(ALICE, ItemKind::Gap);
        assert_eq!(gaps.len(), lines, "{gaps:?}");
        assert!(gaps.iter().all(|gap| gap.contains("showed bob another past")), "{gaps:?}");
    }
    assert_eq!(world.lines(ALICE, ItemKind::Hidden), [""; 0]);
}
