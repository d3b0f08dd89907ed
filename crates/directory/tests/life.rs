//! An honest directory from its first epoch on.

mod common;

use common::*;
use zegel_directory::publisher::{MemoryRecords, Publisher, PublisherError, Records, VrfKey};
use zegel_directory::*;

/// 100 handles over 12 epochs; each handle changes in every epoch that its number divides.
async fn lived() -> Service {
    let mut service = Service::new().await;
    assert!(service.publish((1..=100).map(|n| (label(n), entry(n, 0))).collect()).await);
    for change in 1..12u64 {
        let changed = (1..=100).filter(|n| change % u64::from(*n) == 0);
        assert!(service.publish(changed.map(|n| (label(n), entry(n, change))).collect()).await);
    }
    service
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_entry_and_its_past_are_proven() {
    let service = lived().await;
    let root = &service.newest().root;
    for n in (1..=100).step_by(7).chain(1..12) {
        let changes: Vec<u64> =
            (1..12).rev().filter(|change| change % u64::from(n) == 0).chain([0]).collect();
        let found = verify_lookup(root, &label(n), &service.lookup(n).await).expect("an honest proof");
        assert_eq!(found.entry, entry(n, changes[0]));
        assert_eq!((found.version, found.epoch), (changes.len() as u64, changes[0] + 1));

        for most_recent in [None, Some(1), Some(3)] {
            let proof = service.history(n, most_recent).await;
            let all = verify_history(root, &label(n), most_recent, &proof).expect("an honest proof");
            let expected: Vec<Entry> =
                changes.iter().take(most_recent.unwrap_or(usize::MAX)).map(|c| entry(n, *c)).collect();
            assert_eq!(all.iter().map(|found| found.entry).collect::<Vec<_>>(), expected);
            assert_eq!(all[0], found);
        }
    }
    assert_eq!(service.publisher.entry(&label(1)).await, Ok(Some(entry(1, 11))));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_epoch_can_be_audited() {
    let service = lived().await;
    for (before, proof) in service.audits.iter().enumerate() {
        let trees = [before, before + 1].map(|epoch| service.roots[epoch].root.tree);
        verify_append_only(before as u64 + 1, &trees[0], &trees[1], proof).expect("an honest epoch");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn views_follow_over_any_gap() {
    let service = lived().await;
    for from in 0..service.roots.len() {
        for to in from..service.roots.len() {
            let mut view = service.view(from);
            let path = service.path(to as u64, from as u64);
            view.advance(service.roots[to].clone(), &path).expect("an honest history");
            assert_eq!(view.latest(), &service.roots[to]);
            let seen = service.roots[from].seen();
            assert!(view.believes(&seen));
            view.compare(&seen, &path).expect("both saw one directory");
        }
    }
    let view = service.view(service.roots.len() - 1);
    let found = view.lookup(&handle(3), &service.lookup(3).await).expect("an honest proof");
    assert_eq!(found.entry, entry(3, 9));
    let history = view.history(&handle(3), None, &service.history(3, None).await).expect("an honest proof");
    assert_eq!(history.len(), 4);
}

#[tokio::test]
async fn what_is_the_same_is_no_epoch() {
    let mut service = Service::new().await;
    assert!(!service.publish(Vec::new()).await);
    assert!(service.publish(vec![(label(1), entry(1, 0)), (label(2), entry(2, 0))]).await);
    assert!(!service.publish(vec![(label(1), entry(1, 0))]).await);
    assert_eq!(service.publisher.tree().await, Ok((1, service.newest().root.tree)));
    let twice = vec![(label(1), entry(1, 1)), (label(1), entry(1, 2))];
    assert_eq!(service.publisher.publish(twice).await.err(), Some(PublisherError::Twice));
}

#[tokio::test]
async fn nobody_there_is_none() {
    let mut service = Service::new().await;
    assert_eq!(service.publisher.lookup(&label(1)).await, Ok(None));
    service.publish(vec![(label(1), entry(1, 0))]).await;
    assert_eq!(service.publisher.lookup(&label(2)).await, Ok(None));
    assert_eq!(service.publisher.entry(&label(2)).await, Ok(None));
    assert_eq!(service.publisher.history(&label(2), None).await, Ok(None));
    assert_eq!(service.publisher.history(&label(1), Some(0)).await, Ok(None));
}

#[tokio::test]
async fn a_tombstone_is_an_entry() {
    let mut service = Service::new().await;
    service.publish(vec![(label(1), entry(1, 0))]).await;
    service.publish(vec![(label(1), entry(1, 0).tombstone())]).await;
    let found =
        verify_lookup(&service.newest().root, &label(1), &service.lookup(1).await).expect("an honest proof");
    assert!(found.entry.ended && found.version == 2);
}

/// What was prepared and never stored leaves no trace: neither here nor after a restart.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_before_the_commit_changes_nothing() {
    let mut service = lived().await;
    let updates = || vec![(label(1), entry(1, 50)), (label(200), entry(200, 0))];
    let (epoch, before) = service.publisher.tree().await.expect("read");
    let lost = service.publisher.publish(updates()).await.expect("prepared").expect("something changed");
    let (tree, records) = (lost.tree, lost.records.clone());
    drop(lost);

    assert_eq!(service.publisher.tree().await, Ok((epoch, before)));
    assert_eq!(service.publisher.lookup(&label(200)).await, Ok(None));
    verify_lookup(&service.newest().root, &label(1), &service.lookup(1).await).expect("the old tree");

    let again = service.publisher.publish(updates()).await.expect("prepared").expect("something changed");
    assert_eq!((again.tree, &again.records), (tree, &records));
    drop(again);
    let restarted = open(&service.store).await;
    let again = restarted.publish(updates()).await.expect("prepared").expect("something changed");
    assert_eq!((again.tree, &again.records), (tree, &records));
    drop(again);

    assert!(service.publish(updates()).await);
    assert_eq!(open(&service.store).await.tree().await, Ok((epoch + 1, tree)));
    verify_lookup(&service.newest().root, &label(200), &service.lookup(200).await).expect("the new tree");
}

/// A cache that holds almost nothing gives the same answers.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_cache_is_only_slower() {
    let service = lived().await;
    let small = Publisher::open(service.store.clone(), VrfKey::new([7; 32]), 2_000).await.expect("opened");
    for n in 1..20 {
        let looked = small.lookup(&label(n)).await.expect("looked up").expect("there");
        assert_eq!(looked.proof, service.lookup(n).await);
    }
    let updates = || vec![(label(1), entry(1, 50))];
    let tree = small.publish(updates()).await.expect("prepared").expect("something changed").tree;
    let same = service.publisher.publish(updates()).await.expect("prepared").expect("something changed").tree;
    assert_eq!(tree, same);
}

/// Readers go on while an epoch is made, wait while it is being stored, and then see it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn readers_wait_for_what_is_being_stored() {
    let mut service = Service::new().await;
    service.publish(vec![(label(1), entry(1, 0))]).await;
    let prepared = service.publisher.publish(vec![(label(1), entry(1, 1))]).await;
    let prepared = prepared.expect("prepared").expect("something changed");
    {
        let label = label(1);
        let mut reader = std::pin::pin!(service.publisher.entry(&label));
        let soon = std::time::Duration::from_millis(50);
        assert!(
            tokio::time::timeout(soon, &mut reader).await.is_err(),
            "nothing is shown that is not stored"
        );
        service.store.apply(prepared.records.clone());
        prepared.commit();
        assert_eq!(reader.await, Ok(Some(entry(1, 1))));
    }
}

/// A tree with a hole gives an error or, where the hole does not matter, the same tree; never another one.
#[tokio::test]
async fn a_damaged_store_is_noticed() {
    let mut service = Service::new().await;
    service.publish((1..=12).map(|n| (label(n), entry(n, 0))).collect()).await;
    service.publish((1..=6).map(|n| (label(n), entry(n, 1))).collect()).await;
    let updates = || (1..=12).map(|n| (label(n), entry(n, 2))).collect();
    let tree = service.publisher.publish(updates()).await.expect("prepared").expect("something changed").tree;
    let whole = service.store.range(Vec::new()).await.expect("a store in memory can be read");

    let mut noticed = 0;
    // Keys of nodes below the root.
    for hole in whole.iter().filter(|(key, _)| key.len() > 3 && key[0] == 2) {
        let damaged = MemoryRecords::default();
        damaged.apply(whole.iter().filter(|record| *record != hole).cloned());
        let publisher = open(&damaged).await;
        match publisher.publish(updates()).await {
            Ok(prepared) => assert_eq!(prepared.expect("something changed").tree, tree, "{:?}", hole.0),
            Err(_) => noticed += 1,
        };
    }
    assert!(noticed > 20, "{noticed} of {}", whole.len());
}
