//! Key packages, rejoin requests, sealed files and retention.

mod service_help;

use bytes::Bytes;
use service_help::*;
use zegel_proto::{
    Address, BlobName, Code, KEY_PACKAGE_STOCK, room_of,
    v1::{self, client_frame as ask, entry::Body, server_frame as tell},
};
use zegel_server::{
    config::{Config, Rate},
    store::Head,
};

#[tokio::test]
async fn each_package_is_handed_out_once_and_the_last_resort_for_ever() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.adult("alice").await, world.adult("bob").await);
    assert!(alice.take(&bob).await.is_empty());
    bob.publish(3).await;
    bob.publish_last_resort().await;
    let mut taken = Vec::new();
    for _ in 0..3 {
        let [package] = &alice.take(&bob).await[..] else { panic!("one for each device") };
        assert_eq!(package.device, bob.device.to_field());
        taken.push(package.key_package[0]);
    }
    taken.sort_unstable();
    assert_eq!(taken, [0, 1, 2]);
    for _ in 0..2 {
        assert_eq!(alice.take(&bob).await[0].key_package[0], 200);
    }
    // One for each device, but not for the one that asks.
    let mut phone = bob.sibling(&world).await;
    phone.publish(1).await;
    assert_eq!(alice.take(&bob).await.len(), 2);
    let of_bob = v1::FetchKeyPackages { accounts: vec![bob.account.to_field()] };
    let Ok(Some(tell::Body::KeyPackages(own))) = phone.call(ask::Body::FetchKeyPackages(of_bob)).await else {
        panic!()
    };
    assert!(own.packages.iter().all(|p| p.device == bob.device.to_field()));
}

#[tokio::test]
async fn the_stock_is_bounded_and_addresses_are_fresh() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.adult("alice").await, world.adult("bob").await);
    // What does not fit is ignored, in one call and beside what is there already; the last resort always fits.
    bob.publish(KEY_PACKAGE_STOCK as u8 - 1).await;
    bob.publish(KEY_PACKAGE_STOCK as u8 + 5).await;
    bob.publish_last_resort().await;
    for _ in 0..KEY_PACKAGE_STOCK {
        assert_ne!(alice.take(&bob).await[0].key_package[0], 200);
    }
    assert_eq!(alice.take(&bob).await[0].key_package[0], 200, "the stock was full and no more");
    bob.publish(KEY_PACKAGE_STOCK as u8).await;
    let package = |address: Address| v1::StockedKeyPackage {
        key_package: Bytes::from_static(b"package"),
        address: address.to_field(),
    };
    let publish = |packages, replace| {
        ask::Body::PublishKeyPackages(v1::PublishKeyPackages { packages, replace, ..Default::default() })
    };
    let fresh = Address::random();
    bob.call(publish(vec![package(fresh)], false)).await.expect("ignored");
    bob.call(publish(vec![package(fresh)], true)).await.expect("its address was not used up");
    let again = bob.refused(Code::BadRequest, publish(vec![package(fresh)], true)).await;
    assert!(again.message.contains("fresh"));
    let large =
        v1::StockedKeyPackage { key_package: vec![0; (16 << 10) + 1].into(), ..package(Address::random()) };
    bob.refused(Code::TooLarge, publish(vec![large], true)).await;
    bob.session = world.session().await;
    let answer = bob.connect().await.expect("connected");
    assert_eq!((answer.key_packages, answer.last_resort), (1, false), "refusals changed nothing");
}

#[tokio::test]
async fn a_connecting_device_learns_what_is_good_only() {
    let world = World::new().await;
    let mut bob = world.adult("bob").await;
    bob.publish(2).await;
    let device = bob.device;
    // What does not open is handed out as little as what is too old.
    world
        .write(move |tx| {
            tx.put_key_package(&device, false, b"spoilt")?;
            tx.put_key_package(&device, true, b"spoilt")
        })
        .await;
    bob.session = world.session().await;
    let answer = bob.connect().await.expect("connected");
    assert_eq!((answer.key_packages, answer.last_resort), (2, false));
    assert_eq!(world.read(move |tx| tx.key_packages(&device)).await, (2, false));
    bob.publish_last_resort().await;
    bob.session = world.session().await;
    let answer = bob.connect().await.expect("connected");
    assert_eq!((answer.key_packages, answer.last_resort), (2, true));
}

#[tokio::test]
async fn a_device_asks_three_times_to_rejoin() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.adult("alice").await, world.adult("bob").await);
    let mut group = Group::new();
    let to_alice = alice.bind(&group.id).await;
    alice.submit(group.commits(&[])).await.expect("founded");
    alice.ack_all().await;
    let copy =
        |address: Address| v1::RejoinCopy { address: address.to_field(), sealed: vec![7; 2000].into() };
    let request = v1::RequestRejoin {
        group_id: group.id.to_field(),
        copies: vec![copy(to_alice), copy(Address::random())],
    };
    for _ in 0..3 {
        bob.call(ask::Body::RequestRejoin(request.clone())).await.expect("sent");
    }
    let error = bob.refused(Code::RateLimited, ask::Body::RequestRejoin(request.clone())).await;
    assert!(error.retry_after_ms > 7 * 3_600_000);
    let bodies = alice.bodies().await;
    assert!(
        matches!(&bodies[..], [Body::Rejoin(a), Body::Rejoin(_), Body::Rejoin(_)] if a.sealed == [7; 2000][..])
    );
    // Another conversation's address is not reached.
    let mut other = Group::new();
    bob.submit(other.commits(&[])).await.expect("founded");
    let elsewhere = v1::RequestRejoin { group_id: other.id.to_field(), ..request.clone() };
    bob.call(ask::Body::RequestRejoin(elsewhere)).await.expect("sent, to nobody");
    assert_eq!(alice.bodies().await.len(), 3);
    let unknown = v1::RequestRejoin { group_id: Group::new().id.to_field(), ..request };
    bob.refused(Code::UnknownConversation, ask::Body::RequestRejoin(unknown)).await;
}

#[tokio::test]
async fn an_address_takes_three_requests_from_all_together() {
    let world = World::new().await;
    let (mut alice, mut bob, mut carol) =
        (world.adult("alice").await, world.adult("bob").await, world.adult("carol").await);
    let mut group = Group::new();
    let to_alice = alice.bind(&group.id).await;
    alice.submit(group.commits(&[])).await.expect("founded");
    alice.ack_all().await;
    let copy = v1::RejoinCopy { address: to_alice.to_field(), sealed: vec![7; 2000].into() };
    let request = v1::RequestRejoin { group_id: group.id.to_field(), copies: vec![copy; 2] };
    for person in [&mut bob, &mut carol] {
        person.call(ask::Body::RequestRejoin(request.clone())).await.expect("sent");
    }
    assert_eq!(alice.bodies().await.len(), 3);
}

#[tokio::test]
async fn nobody_puts_a_file_in_the_place_of_a_payload() {
    let world = World::new().await;
    let mut alice = world.adult("alice").await;
    let [payload, file, both] = [(); 3].map(|()| BlobName::random());
    let put = |name: BlobName| {
        let data = Bytes::from_static(b"false");
        ask::Body::PutBlob(v1::PutBlob { name: name.to_field(), offset: 0, data, last: true })
    };
    let get = |name: BlobName| ask::Body::GetBlob(v1::GetBlob { name: name.to_field(), offset: 0 });
    alice.call(put(file)).await.expect("put");
    alice.call(put(both)).await.expect("put");
    world
        .write(move |tx| {
            tx.put_payload(&payload, u32::MAX >> 9, b"true")?;
            tx.put_payload(&both, u32::MAX >> 9, b"true")
        })
        .await;
    alice.refused(Code::BadRequest, put(payload)).await;
    for (name, data) in [(payload, "true"), (both, "true"), (file, "false")] {
        let Ok(Some(tell::Body::BlobPart(part))) = alice.call(get(name)).await else { panic!() };
        assert_eq!(part.data, data);
    }
}

#[tokio::test]
async fn a_part_of_a_file_costs_four_kibibytes_at_least() {
    let mut config = Config::default();
    config.limits.blob_kib_per_account = Rate { burst: 8, per_hour: 1 };
    let world = World::with(config).await;
    let mut alice = world.adult("alice").await;
    let put = || {
        let name = BlobName::random().to_field();
        ask::Body::PutBlob(v1::PutBlob { name, offset: 0, data: Bytes::from_static(b"x"), last: false })
    };
    alice.call(put()).await.expect("put");
    alice.call(put()).await.expect("put");
    alice.refused(Code::RateLimited, put()).await;
}

#[tokio::test]
async fn sealed_files_come_back_whole() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.adult("alice").await, world.adult("bob").await);
    let name = BlobName::random();
    let put = |offset, data: Vec<u8>, last| {
        ask::Body::PutBlob(v1::PutBlob { name: name.to_field(), offset, data: data.into(), last })
    };
    let get = |offset| ask::Body::GetBlob(v1::GetBlob { name: name.to_field(), offset });
    alice.call(put(0, vec![1; 1000], false)).await.expect("taken");
    bob.refused(Code::NotFound, get(0)).await;
    alice.refused(Code::BadRequest, put(2000, vec![2; 10], true)).await;
    alice.call(put(1000, vec![2; 10], true)).await.expect("taken");
    let Ok(Some(tell::Body::BlobPart(part))) = bob.call(get(995)).await else { panic!() };
    assert_eq!((part.total, &part.data[..]), (1010, &[[1; 5].as_slice(), &[2; 10]].concat()[..]));
    alice.refused(Code::TooLarge, put(0, vec![0; (256 << 10) + 1], true)).await;
    let mut nobody = Person::unregistered(&world, "nobody").await;
    nobody.refused(Code::NotAuthenticated, get(0)).await;
}

#[tokio::test]
async fn a_sweep_takes_what_is_old_and_nothing_else() {
    let world = World::new().await;
    let (mut alice, mut bob) = (world.adult("alice").await, world.adult("bob").await);
    let to_bob = bob.publish(1).await[0];
    let mut group = Group::new();
    alice.submit(group.founds(&[to_bob], "hi")).await.expect("founded");
    let old = BlobName::random();
    world.write(move |tx| tx.put_payload(&old, 1, b"old")).await;
    let dusty = room_of(&Group::new().id);
    let head = Head::Live { epoch: 1, token_hash: [0; 32], seq: 1, stamp_hash: [0; 32], month: 1 };
    world.write(move |tx| tx.put_head(&dusty, &head)).await;
    // An address that was deleted long ago, and one today.
    let long_ago = zegel_server::clock::Now::get().day() - 57;
    world.write(move |tx| tx.bury_address(&[1; 32], b"dead", long_ago)).await;
    world.write(move |tx| tx.bury_address(&[2; 32], b"dead", long_ago + 1)).await;
    world.service.sweep_once().await;
    let dead = world.read(|tx| Ok([tx.address(&[1; 32])?.is_some(), tx.address(&[2; 32])?.is_some()])).await;
    assert_eq!(dead, [false, true]);
    assert_eq!(world.read(move |tx| tx.payload(&old)).await, None);
    assert_eq!(world.read(move |tx| tx.head(&dusty)).await, Some(Head::Tombstone));
    assert_eq!(bob.bodies().await.len(), 2);
    // Entries of the hour still open with keys that the sweep left.
    alice.submit(group.says("more", &[to_bob])).await.expect("sent");
    assert_eq!(bob.bodies().await.len(), 3);
}
