//! Where pushes stand: in one order, which is the same for every broker, and in which what was lost leaves a hole.

use engine_redis::redis::cmd;
use proptest::prelude::*;

use super::*;

fn pushes(count: usize) -> Vec<Push> {
    vec![push(Audience::Terminal(mac())); count]
}

/// The position of the next that is shown, and how many pushes are there.
async fn next_position(inbox: &mut mpsc::Receiver<ToBroker>) -> (Position, usize) {
    let ToBroker::Publish { pushes, position } = next(inbox).await else { panic!("only pushes were given") };
    (position.expect("it has a position"), pushes.len())
}

/// Each follows the one before it, in the same epoch, and JavaScript takes its number whole.
fn follow_one_another(positions: &[(Position, usize)]) -> bool {
    let whole = positions.iter().all(|(position, count)| {
        position.after < position.first && position.first + *count as u64 <= 1 << 53 && !position.epoch.is_empty()
    });
    let in_turn = positions.windows(2).all(|pair| {
        let [(before, count), (next, _)] = pair else { return false };
        next.after == before.first + *count as u64 - 1 && next.epoch == before.epoch
    });
    whole && in_turn
}

pub(super) async fn positions_follow_one_another(mut fixture: Fixture) {
    let mut positions = Vec::new();
    for count in [1, 3, 500, 1, 2] {
        fixture.link.publish(pushes(count)).await.unwrap();
        positions.push(next_position(&mut fixture.inbox).await);
    }
    assert!(follow_one_another(&positions), "{positions:?}");
}

pub(super) async fn what_many_publish_at_once_has_one_order(mut fixture: Fixture) {
    let publishers: Vec<_> = (1..=8)
        .map(|count| {
            let link = Arc::clone(&fixture.link);
            tokio::spawn(async move {
                for _ in 0..10 {
                    link.publish(pushes(count)).await.unwrap();
                }
            })
        })
        .collect();
    let mut positions = Vec::new();
    for _ in 0..80 {
        positions.push(next_position(&mut fixture.inbox).await);
    }
    for publisher in publishers {
        publisher.await.unwrap();
    }
    assert!(follow_one_another(&positions), "{positions:?}");
}

pub(super) async fn a_broker_that_starts_is_told_the_past_and_where_it_ends(mut fixture: Fixture) {
    let mut shown = Vec::new();
    for count in [2, 1, 300] {
        fixture.link.publish(pushes(count)).await.unwrap();
        shown.push(next_position(&mut fixture.inbox).await);
    }
    assert!(fixture.link.tells_the_past());
    let mut another = fixture.another_broker("broker-2").await;
    fixture.link.publish(pushes(1)).await.unwrap();
    let mut past = Vec::new();
    let end = loop {
        match timeout(PATIENCE, another.recv()).await.unwrap().unwrap() {
            ToBroker::Past { pushes, position } if pushes.is_empty() => break position,
            ToBroker::Past { pushes, position } => past.push((position, pushes.len())),
            told => panic!("the past comes first, not {told:?}"),
        }
    };
    assert_eq!(past, shown, "as others were shown it");
    let (position, _) = next_position(&mut another).await;
    assert_eq!((end.after, &end.epoch), (position.after, &position.epoch));
    assert_eq!(next_position(&mut fixture.inbox).await.0, position);
}

pub(super) async fn a_broker_that_starts_first_is_told_that_there_is_no_past(fixture: Fixture) {
    let mut another = fixture.another_broker("broker-2").await;
    let told = timeout(PATIENCE, another.recv()).await.unwrap().unwrap();
    assert!(matches!(&told, ToBroker::Past { pushes, .. } if pushes.is_empty()), "{told:?}");
}

pub(super) async fn what_could_not_be_published_leaves_a_hole(mut fixture: Fixture) {
    fixture.link.publish(pushes(2)).await.unwrap();
    let (before, _) = next_position(&mut fixture.inbox).await;
    lose_one(&fixture).await;
    eventually("the link is back", async || fixture.link.publish(pushes(1)).await.ok()).await;
    let (after, _) = next_position(&mut fixture.inbox).await;
    assert_eq!(after.epoch, before.epoch, "redis kept what it had");
    assert!(after.after > before.first + 1, "{after:?} does not follow {before:?}");
}

pub(super) async fn what_could_not_be_published_is_told_although_nothing_follows(mut fixture: Fixture) {
    fixture.link.publish(pushes(2)).await.unwrap();
    let (before, _) = next_position(&mut fixture.inbox).await;
    lose_one(&fixture).await;
    let (loss, count) = next_position(&mut fixture.inbox).await;
    assert!(count == 0 && loss.after > before.first + 1, "{loss:?} does not follow {before:?}");
    fixture.link.publish(pushes(1)).await.unwrap();
    let (next, _) = next_position(&mut fixture.inbox).await;
    assert_eq!(next.after, loss.after, "once");
    let mut another = fixture.another_broker("broker-2").await;
    let mut past = Vec::new();
    while let ToBroker::Past { pushes, position } = timeout(PATIENCE, another.recv()).await.unwrap().unwrap() {
        past.push((pushes.len(), position.after));
        if pushes.is_empty() {
            break;
        }
    }
    assert_eq!(past, [(2, before.after), (1, loss.after), (0, next.first)]);
}

/// Redis is away while something is published.
async fn lose_one(fixture: &Fixture) {
    let server = fixture.redis.as_ref().unwrap();
    server.kill().await.unwrap();
    assert!(fixture.link.publish(pushes(1)).await.is_err());
    server.restart().await.unwrap();
}

pub(super) async fn a_redis_that_lost_everything_begins_another_epoch(mut fixture: Fixture) {
    fixture.link.publish(pushes(2)).await.unwrap();
    let (before, _) = next_position(&mut fixture.inbox).await;
    let redis = fixture.redis.as_ref().unwrap().connect().await.unwrap();
    redis.call::<String>(&cmd("FLUSHALL")).await.unwrap();
    fixture.link.publish(pushes(1)).await.unwrap();
    let (after, _) = next_position(&mut fixture.inbox).await;
    assert_ne!(after.epoch, before.epoch);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    /// A broker that takes some and then, for a while, none: what was refused is missing in the numbers of what follows.
    #[test]
    fn in_one_process_what_the_broker_could_not_take_leaves_a_hole(counts in proptest::collection::vec(1..20_usize, 1..40), refused in 0..4_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (link, mut inbox) = link::in_process(BROKER);
            let mut positions = Vec::new();
            for count in counts {
                link.publish(pushes(count)).await.unwrap();
                positions.push(next_position(&mut inbox).await);
            }
            assert!(follow_one_another(&positions), "{positions:?}");
            assert_eq!(positions[0].0.after, 0);

            while link.publish(pushes(1)).await.is_ok() {}
            for _ in 0..refused {
                assert!(link.publish(pushes(1)).await.is_err());
            }
            let (mut last, _) = next_position(&mut inbox).await;
            while let Ok(told) = inbox.try_recv() {
                let ToBroker::Publish { position: Some(position), .. } = told else { panic!("only pushes were given") };
                assert_eq!(position.after, last.first);
                last = position;
            }
            link.publish(pushes(1)).await.unwrap();
            let (next, _) = next_position(&mut inbox).await;
            assert_eq!(next.after, last.first + 1 + refused as u64);
        });
    }
}
