//! Being brought into a conversation again: as at first, by whoever does it now.

mod service_help;

use service_help::*;
use zegel_proto::{
    Address, Token,
    v1::{AgeBand, entry::Body},
};
use zegel_server::config::Config;

/// Whoever owns `to` gets it in the group again, from `from`, who shows `token`.
async fn adds_again(from: &mut Person, group: &mut Group, to: Address, token: Option<Token>) {
    let mut submit = group.adds(&[to], &[]);
    let welcome = submit.welcome.as_mut().expect("a commit that adds");
    welcome.newcomers[0].token = token.map(Token::to_field).unwrap_or_default();
    from.submit(submit).await.expect("sent");
}

#[tokio::test]
async fn whoever_was_in_a_conversation_is_no_easier_to_bring_back() {
    let world = World::new().await;
    let mut pest = world.adult("pest").await;
    // Whether the one who left ended it, as clients do, or not.
    for ended in [true, false] {
        let mut alice = world.adult(&format!("alice{ended}")).await;
        let to = alice.publish_last_resort().await;
        let (mut group, _) = introduces(&mut pest, to, None).await;
        alice.accept(&to, &group.id).await.expect("accepted");
        alice.block(pest.account, false).await;
        if ended {
            alice.end(&to, &group.id).await;
        }
        alice.ack_all().await;
        adds_again(&mut pest, &mut group, to, None).await;
        let code = alice.leave_token().await;
        adds_again(&mut pest, &mut group, to, Some(code)).await;
        assert!(alice.bodies().await.is_empty(), "{ended}");
    }
}

#[tokio::test]
async fn a_minor_who_left_is_brought_back_by_nobody_who_has_nothing_to_show() {
    let world = World::new().await;
    let (mut friend, mut child) = (world.adult("friend").await, world.person("cody", AgeBand::Child).await);
    let to = child.publish_last_resort().await;
    let tokens = child.leave_tokens(2, true).await;
    let (mut group, _) = introduces(&mut friend, to, Some(tokens[0])).await;
    child.accept(&to, &group.id).await.expect("accepted");
    for ended in [false, true] {
        child.ack_all().await;
        if ended {
            child.end(&to, &group.id).await;
        }
        for token in [None, Some(tokens[0]), Some(Token::random())] {
            adds_again(&mut friend, &mut group, to, token).await;
        }
        assert!(child.bodies().await.is_empty(), "{ended}");
    }
    adds_again(&mut friend, &mut group, to, Some(tokens[1])).await;
    assert!(matches!(child.bodies().await[..], [Body::Introduction(_)]));
}

/// A blocked member of a group that somebody stays in cannot cut them off from it.
#[tokio::test]
async fn what_is_dropped_later_takes_nothing_away_from_what_was_accepted() {
    let world = World::new().await;
    let [mut pest, mut friend, mut alice] =
        [world.adult("pest").await, world.adult("friend").await, world.adult("alice").await];
    let to = alice.publish_last_resort().await;
    let (mut group, _) = introduces(&mut friend, to, None).await;
    alice.accept(&to, &group.id).await.expect("accepted");
    alice.block(pest.account, false).await;
    alice.ack_all().await;
    adds_again(&mut pest, &mut group, to, None).await;
    friend.submit(group.says("still there?", &[to])).await.expect("sent");
    assert!(matches!(alice.bodies().await[..], [Body::Message(_)]));
}

#[tokio::test]
async fn who_is_brought_back_is_asked_as_at_first() {
    let mut config = Config::default();
    config.limits.unaccepted_entries = 3;
    let world = World::with(config).await;
    let (mut pest, mut alice) = (world.adult("pest").await, world.adult("alice").await);
    let to = alice.publish_last_resort().await;
    let (mut group, _) = introduces(&mut pest, to, None).await;
    alice.accept(&to, &group.id).await.expect("accepted");
    alice.end(&to, &group.id).await;
    alice.ack_all().await;
    pest.submit(group.says("gone?", &[to])).await.expect("sent");
    assert!(alice.bodies().await.is_empty());
    adds_again(&mut pest, &mut group, to, None).await;
    for n in 0..5 {
        pest.submit(group.says(&format!("{n}"), &[to])).await.expect("sent");
    }
    assert_eq!(alice.bodies().await.len(), 1 + 3);
}
