//! Accounts: how they begin, connect, change and end.

mod service_help;

use service_help::*;
use zegel_identity::{Action, SignedLink, Signer, new_signing_key, sign_link};
use zegel_proto::{
    AccountId, Code, DeviceId, token_hash,
    v1::{self, AgeBand, client_frame as ask, server_frame as tell},
};
use zegel_server::{
    config::{Config, Rate, Registration},
    hub::Note,
    store::{AccountState, Invite},
};

fn code(error: v1::Error) -> Code {
    Code::from_wire(error.code)
}

#[tokio::test]
async fn hello_comes_first_and_names_versions() {
    let world = World::new().await;
    let mut session = world.service.open([127, 0, 0, 1].into());
    let early = world.service.call(&mut session, ask::Body::FetchHolding(v1::FetchHolding {})).await;
    assert!(matches!(early, Some(tell::Body::Error(e)) if code(e.clone()) == Code::BadRequest));
    let hello = |versions| ask::Body::Hello(v1::Hello { versions, ..Default::default() });
    let Some(tell::Body::Error(error)) = world.service.call(&mut session, hello(vec![7, 9])).await else {
        panic!()
    };
    assert!(error.message.contains('1') && error.message.contains('7'), "{}", error.message);
    assert_eq!(code(error), Code::Version);
    let Some(tell::Body::Hello(answer)) = world.service.call(&mut session, hello(vec![1, 7])).await else {
        panic!()
    };
    assert_eq!((answer.version, answer.nonce.len(), answer.domain.as_str()), (1, 32, "localhost"));
    let next = world.service.call(&mut session, ask::Body::FetchHolding(v1::FetchHolding {})).await;
    assert!(matches!(next, Some(tell::Body::Error(e)) if code(e.clone()) == Code::NotAuthenticated));
}

#[tokio::test]
async fn look_alike_handles_are_refused() {
    let world = World::new().await;
    world.adult("modern.alice").await;
    for handle in
        ["modern.alice", "modern-alice", "modernalice", "modern.a1ice", "rnodern.alice", "m0dern.aiice"]
    {
        let mut other = Person::unregistered(&world, handle).await;
        let refused = other.register(AgeBand::Adult, "").await.expect_err("refused");
        assert_eq!(code(refused), Code::HandleTaken, "{handle}");
    }
    world.adult("modern.bob").await;
}

#[tokio::test]
async fn a_chain_must_be_about_this_service() {
    let world = World::new().await;
    let mut alice = Person::unregistered(&world, "alice").await;
    alice.handle = "alicia".into();
    assert_eq!(alice.register(AgeBand::Adult, "").await.map_err(code), Err(Code::BadChain));
    alice.handle = "alice".into();
    for (app, domain) in [("zegel", "elsewhere.example"), ("other", "localhost")] {
        let action = Action::Create {
            handle: "alice".into(),
            app: app.into(),
            domain: domain.into(),
            device: alice.info(),
            recovery: [1; 32],
        };
        alice.chain = vec![alice.signs((0, [0; 32]), action)];
        assert_eq!(alice.register(AgeBand::Adult, "").await.map_err(code), Err(Code::BadChain));
    }
    alice.handle = "Alice".into();
    assert_eq!(alice.register(AgeBand::Adult, "").await.map_err(code), Err(Code::HandleForm));
}

#[tokio::test]
async fn a_queue_key_that_nobody_can_seal_to_is_refused() {
    let world = World::new().await;
    let mut alice = Person::unregistered(&world, "alice").await;
    alice.queue_key = vec![0xff; 1216];
    let action = Action::Create {
        handle: "alice".into(),
        app: "zegel".into(),
        domain: "localhost".into(),
        device: alice.info(),
        recovery: [1; 32],
    };
    alice.chain = vec![alice.signs((0, [0; 32]), action)];
    assert_eq!(alice.register(AgeBand::Adult, "").await.map_err(code), Err(Code::BadChain));
}

#[tokio::test]
async fn invites_are_needed_and_set_the_age_band() {
    let config = Config { registration: Registration::Invite, ..Config::default() };
    let world = World::with(config).await;
    let today = zegel_server::clock::Now::get().day();
    let invite = Invite { uses: 1, age_band: Some(AgeBand::Child), for_one: false, expires_day: today };
    let old = Invite { expires_day: today - 1, ..invite.clone() };
    world
        .write(move |tx| {
            tx.put_invite(&token_hash(b"old"), &old)?;
            tx.put_invite(&token_hash(b"good"), &invite)
        })
        .await;
    let mut cody = Person::unregistered(&world, "cody").await;
    for bad in ["", "guess", "old"] {
        assert_eq!(cody.register(AgeBand::Adult, bad).await.map_err(code), Err(Code::InviteNeeded));
    }
    cody.register(AgeBand::Adult, " GOOD ").await.expect("registered");
    let id = cody.account;
    let account = world.read(move |tx| tx.account(&id)).await.expect("there");
    assert_eq!(account.age_band, AgeBand::Child);
    let mut dora = Person::unregistered(&world, "dora").await;
    assert_eq!(dora.register(AgeBand::Adult, "good").await.map_err(code), Err(Code::InviteNeeded), "used up");
}

#[tokio::test]
async fn only_the_devices_own_key_connects() {
    let world = World::new().await;
    let mut alice = world.adult("alice").await;
    alice.session = world.session().await;
    let key = std::mem::replace(&mut alice.key, new_signing_key());
    assert_eq!(alice.connect().await.map_err(code), Err(Code::AuthFailed));
    alice.key = key;
    let device = std::mem::replace(&mut alice.device, DeviceId::random());
    assert_eq!(alice.connect().await.map_err(code), Err(Code::AuthFailed));
    alice.device = device;
    let account = std::mem::replace(&mut alice.account, AccountId::random());
    assert_eq!(alice.connect().await.map_err(code), Err(Code::AuthFailed));
    alice.account = account;
    assert!(alice.session.device.is_none());
    let answer = alice.connect().await.expect("connected");
    assert_eq!(alice.session.device, Some((alice.account, alice.device)));
    assert_eq!(alice.session.first_seq, answer.first_seq);
    assert!(alice.connect().await.is_err(), "once for each connection");
}

#[tokio::test]
async fn the_suspended_cannot_connect_and_are_disconnected() {
    let mut config = Config::default();
    config.limits.lookup_per_account = Rate { burst: 10_000, per_hour: 10_000 };
    let world = World::with(config).await;
    let (mut alice, bob) = (world.adult("alice").await, world.adult("bob").await);
    let (mut hers, mut his) = (world.hub.connect(alice.device), world.hub.connect(bob.device));
    world.service.check_foreign_changes().await;
    // Another process: an operator's command.
    let beside =
        zegel_server::store::SqliteStore::open_beside(&world.dir.path().join("data")).expect("opened");
    let id = alice.account;
    let job =
        move |tx: &mut dyn zegel_server::store::Tx| tx.set_account_state(&id, AccountState::Suspended, 0);
    zegel_server::store::write(&beside, job).await.expect("suspended");
    world.service.check_foreign_changes().await;
    assert!(matches!(hers.try_next(), Some(Note::Ended)));
    assert!(his.try_next().is_none());
    alice.session = world.session().await;
    assert_eq!(alice.connect().await.map_err(code), Err(Code::Suspended));
}

#[tokio::test]
async fn chains_grow_link_by_link() {
    let world = World::new().await;
    let mut alice = world.adult("alice").await;
    let late = alice.head();
    let mut phone = alice.sibling(&world).await;
    // Signed for a head that has moved on.
    let stale = alice.signs(late, Action::RevokeDevice(phone.device));
    assert_eq!(alice.append(stale).await.map_err(code), Err(Code::BadChain));
    let revoke = alice.signs(alice.head(), Action::RevokeDevice(phone.device));
    alice.append(revoke).await.expect("revoked");
    phone.session = world.session().await;
    assert_eq!(phone.connect().await.map_err(code), Err(Code::AuthFailed));

    let fetch = |handle: &str| {
        ask::Body::FetchAccount(v1::FetchAccount { handle: handle.into(), ..Default::default() })
    };
    let Ok(Some(tell::Body::Account(answer))) = phone.call(fetch("alice")).await else { panic!() };
    assert_eq!((answer.chain.len(), answer.account), (3, alice.account.to_field()));
    phone.refused(Code::NotFound, fetch("nobody")).await;
}

#[tokio::test]
async fn the_recovery_key_works_without_a_device() {
    let world = World::new().await;
    let mut alice = Person::unregistered(&world, "alice").await;
    let recovery = new_signing_key();
    let action = Action::Create {
        handle: "alice".into(),
        app: "zegel".into(),
        domain: "localhost".into(),
        device: alice.info(),
        recovery: recovery.verifying_key().to_bytes(),
    };
    alice.chain = vec![alice.signs((0, [0; 32]), action)];
    alice.register(AgeBand::Adult, "").await.expect("registered");
    let mut fresh = Person::unregistered(&world, "alice").await;
    fresh.account = alice.account;
    fresh.chain = alice.chain.clone();
    let add = Action::AddDevice(fresh.info());
    let link = sign_link(alice.account, alice.head(), 1, add, Signer::Recovery, &recovery);
    fresh.append(link).await.expect("appended by who is not connected");
    fresh.connect().await.expect("connected");
}

#[tokio::test]
async fn a_deleted_account_leaves_its_handle_and_id_taken() {
    let world = World::new().await;
    let mut alice = world.adult("alice").await;
    let mut ear = world.hub.connect(alice.device);
    let delete = |handle: &str| ask::Body::DeleteAccount(v1::DeleteAccount { handle: handle.into() });
    alice.refused(Code::BadRequest, delete("alicia")).await;
    alice.call(delete("alice")).await.expect("deleted");
    assert!(matches!(ear.try_next(), Some(Note::Ended)));
    let id = alice.account;
    assert_eq!(world.read(move |tx| tx.account(&id)).await, None);
    let mut again = Person::unregistered(&world, "a1ice").await;
    assert_eq!(again.register(AgeBand::Adult, "").await.map_err(code), Err(Code::HandleTaken));
    // The id neither: old friends must not take a new person for the old one.
    let mut ghost = Person::unregistered(&world, "ghost").await;
    ghost.account = alice.account;
    let action = Action::Create {
        handle: "ghost".into(),
        app: "zegel".into(),
        domain: "localhost".into(),
        device: ghost.info(),
        recovery: [1; 32],
    };
    ghost.chain = vec![ghost.signs((0, [0; 32]), action)];
    assert_eq!(ghost.register(AgeBand::Adult, "").await.map_err(code), Err(Code::BadChain));
}

#[tokio::test]
async fn a_deleted_account_can_still_be_verified_by_id() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.adult("alice").await, world.adult("bob").await);
    let mut phone = alice.sibling(&world).await;
    alice.publish(2).await;
    alice.publish_last_resort().await;
    alice
        .call(ask::Body::DeleteAccount(v1::DeleteAccount { handle: "alice".into() }))
        .await
        .expect("deleted");

    let by_id = |id: AccountId| {
        ask::Body::FetchAccount(v1::FetchAccount { account: id.to_field(), ..Default::default() })
    };
    let Ok(Some(tell::Body::Account(answer))) = bob.call(by_id(alice.account)).await else { panic!() };
    let links: Vec<_> = answer.chain.into_iter().map(SignedLink::from).collect();
    assert_eq!((links, answer.handle.as_str()), (alice.chain.clone(), "alice"));
    let by_handle = v1::FetchAccount { handle: "alice".into(), ..Default::default() };
    bob.refused(Code::NotFound, ask::Body::FetchAccount(by_handle)).await;

    // Nothing begins anew: no package comes or goes, no link follows, no device connects.
    let package = v1::StockedKeyPackage {
        key_package: vec![1; 100].into(),
        address: zegel_proto::Address::random().to_field(),
    };
    let late = v1::PublishKeyPackages { packages: vec![package], ..Default::default() };
    alice.refused(Code::AuthFailed, ask::Body::PublishKeyPackages(late)).await;
    assert!(bob.take(&alice).await.is_empty());
    let revoke = alice.signs(alice.head(), Action::RevokeDevice(phone.device));
    assert_eq!(alice.append(revoke).await.map_err(code), Err(Code::NotFound));
    phone.session = world.session().await;
    assert_eq!(phone.connect().await.map_err(code), Err(Code::AuthFailed));
}

#[tokio::test]
async fn the_chain_of_a_deleted_account_goes_when_nothing_of_it_can_be_reported() {
    let world = World::new().await;
    let (alice, bob, mut carol) =
        (world.adult("alice").await, world.adult("bob").await, world.adult("carol").await);
    world.service.publish_all().await;
    let ids = [alice.account, bob.account];
    let today = zegel_server::clock::Now::get().day();
    world
        .write(move |tx| {
            tx.remove_account(&ids[0], today - 99)?;
            tx.remove_account(&ids[1], today - 98)
        })
        .await;
    world.service.sweep_once().await;
    let by_id = |id: AccountId| {
        ask::Body::FetchAccount(v1::FetchAccount { account: id.to_field(), ..Default::default() })
    };
    carol.refused(Code::NotFound, by_id(ids[0])).await;
    carol.call(by_id(ids[1])).await.expect("still there");
    carol.call(by_id(carol.account)).await.expect("still there");
}

#[tokio::test]
async fn a_person_is_told_what_is_held() {
    let world = World::new().await;
    let mut alice = world.adult("alice").await;
    alice.publish(3).await;
    let Ok(Some(tell::Body::Holding(holding))) =
        alice.call(ask::Body::FetchHolding(v1::FetchHolding {})).await
    else {
        panic!()
    };
    let json: serde_json::Value = serde_json::from_str(&holding.json).expect("JSON");
    assert_eq!(json["account"]["handle"], "alice");
    assert_eq!(json["account"]["age_band"], "ADULT");
    assert_eq!(json["account"]["guarded"], false);
    assert_eq!(json["account"]["blocked_with"], "no other account");
    assert_eq!(json["devices"][0]["key_packages"], 3);
    assert_eq!(json["sigchain_links"], 1);
}

#[tokio::test]
async fn registrations_from_one_place_are_limited() {
    let mut config = Config::default();
    config.limits.register_per_address = Rate { burst: 2, per_hour: 1 };
    let world = World::with(config).await;
    world.adult("one").await;
    world.adult("two").await;
    let mut three = Person::unregistered(&world, "three").await;
    let error = three.register(AgeBand::Adult, "").await.expect_err("refused");
    assert!(error.retry_after_ms > 3_000_000);
    assert_eq!(code(error), Code::RateLimited);
}
