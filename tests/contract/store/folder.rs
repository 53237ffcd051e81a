//! The folder and its engine.

use engine_embedded::{Engine, EngineError};
use futures::{FutureExt, future::join_all};
use telltale_tests::eventually;
use tempfile::TempDir;

#[tokio::test]
async fn a_folder_that_is_in_use_is_not_opened_twice() {
    let folder = TempDir::new().unwrap();
    let engine = Engine::open(folder.path()).unwrap();
    let refused = Engine::open(folder.path()).err().unwrap();
    assert_eq!(refused, EngineError::InUse(folder.path().to_owned()));
    assert!(refused.to_string().contains("another telltale process is using"));
    drop(engine);
    Engine::open(folder.path()).unwrap();
}

#[tokio::test]
async fn a_folder_that_cannot_be_is_refused_with_its_name() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let refused = Engine::open(file.path().join("store")).err().unwrap();
    assert!(matches!(&refused, EngineError::CannotOpen { folder, .. } if folder.starts_with(file.path())), "{refused}");
}

#[tokio::test]
async fn what_was_committed_is_there_again() {
    let folder = TempDir::new().unwrap();
    {
        let engine = Engine::open(folder.path()).unwrap();
        let (left, right) = (engine.space("left").unwrap(), engine.space("right").unwrap());
        engine
            .commit(move |batch| {
                batch.put(&left, "key", "l");
                batch.put(&right, "key", "r");
                Ok(())
            })
            .await
            .unwrap();
    }
    let engine = Engine::open(folder.path()).unwrap();
    assert_eq!(engine.space("left").unwrap().get(b"key").unwrap().as_deref(), Some(&b"l"[..]));
    assert_eq!(engine.space("right").unwrap().get(b"key").unwrap().as_deref(), Some(&b"r"[..]));
}

#[tokio::test]
async fn a_change_that_fails_leaves_nothing_and_harms_no_other() {
    let folder = TempDir::new().unwrap();
    let engine = Engine::open(folder.path()).unwrap();
    let space = engine.space("space").unwrap();
    let put = |key: &'static str, outcome: Result<(), EngineError>| {
        let space = space.clone();
        engine.commit(move |batch| {
            batch.put(&space, key, "x");
            outcome
        })
    };
    let failed = EngineError::Damaged("made up".to_owned());
    let (first, second, third) = tokio::join!(put("1", Ok(())), put("2", Err(failed.clone())), put("3", Ok(())));
    assert_eq!((first, second, third), (Ok(()), Err(failed), Ok(())));
    let there = ["1", "2", "3"].map(|key| space.get(key.as_bytes()).unwrap().is_some());
    assert_eq!(there, [true, false, true]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_see_those_before_them_and_share_their_fsync() {
    let folder = TempDir::new().unwrap();
    let engine = Engine::open(folder.path()).unwrap();
    let space = engine.space("space").unwrap();
    let count = 2000;
    let changes = (0..count).map(|_| {
        let space = space.clone();
        engine.commit(move |batch| {
            let before = batch.get(&space, b"count")?.map_or(0, |bytes| bytes.len());
            batch.put(&space, "count", vec![0; before + 1]);
            Ok(())
        })
    });
    for change in join_all(changes).await {
        change.unwrap();
    }
    assert_eq!(space.get(b"count").unwrap().unwrap().len(), count);
    let stats = engine.stats();
    assert_eq!(stats.changes, count as u64);
    assert!(stats.commits < stats.changes, "{stats:?}");
}

#[tokio::test]
async fn a_change_that_was_handed_over_is_done_though_nobody_waits_for_it() {
    let folder = TempDir::new().unwrap();
    {
        let engine = Engine::open(folder.path()).unwrap();
        let space = engine.space("space").unwrap();
        let change = engine.commit(move |batch| {
            batch.put(&space, "key", "value");
            Ok(())
        });
        let _ = change.now_or_never();
    }
    let engine = Engine::open(folder.path()).unwrap();
    assert!(engine.space("space").unwrap().get(b"key").unwrap().is_some());
}

#[tokio::test]
async fn a_store_whose_thread_died_says_that_it_has_failed() {
    let folder = TempDir::new().unwrap();
    let engine = Engine::open(folder.path()).unwrap();
    assert!(!engine.has_failed());
    let died = engine.commit::<(), _>(|_| panic!("what the engine below does when the disk fails")).await;
    assert_eq!(died, Err(EngineError::Closed));
    eventually("it is seen", async || engine.has_failed().then_some(())).await;
}
