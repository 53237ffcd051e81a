//! How much of Redis's memory what browsers are shown may take, and what becomes of it while that is full.

use engine_redis::{Redis, redis::cmd};

use super::*;

const MIB: usize = 1024 * 1024;

/// A push of about so many bytes.
fn large(bytes: usize) -> Vec<Push> {
    vec![Push { data: json!({ "msg": "x".repeat(bytes) }), ..push(Audience::Terminal(mac())) }]
}

async fn connected(fixture: &Fixture) -> Redis {
    fixture.redis.as_ref().unwrap().connect().await.unwrap()
}

/// What the pushes take, by what Redis says.
async fn taken(redis: &Redis) -> usize {
    let mut sum = 0;
    for of in ["stream", "sizes", "head"] {
        let mut usage = cmd("MEMORY");
        usage.arg("USAGE").arg(format!("{}:{of}", redis.keys_of("pushes"))).arg("SAMPLES").arg(0);
        sum += redis.call::<Option<usize>>(&usage).await.unwrap().unwrap_or_default();
    }
    sum
}

async fn memory_is_full(redis: &Redis, full: bool) {
    let mut limit = cmd("CONFIG");
    limit.arg("SET").arg("maxmemory").arg(if full { "1mb" } else { "0" });
    redis.call::<String>(&limit).await.unwrap();
}

/// The position of the next that is shown, and its text's length.
async fn next_shown(inbox: &mut mpsc::Receiver<ToBroker>) -> (Position, usize) {
    let ToBroker::Publish { pushes, position } = next(inbox).await else { panic!("only pushes were given") };
    let length = pushes.iter().map(|push| push.data["msg"].as_str().unwrap().len()).sum();
    (position.expect("it has a position"), length)
}

pub(super) async fn what_is_shown_takes_no_more_memory_than_is_written(mut fixture: Fixture) {
    let redis = connected(&fixture).await;
    for _ in 0..100 {
        fixture.link.publish(large(MIB / 2)).await.unwrap();
        next_shown(&mut fixture.inbox).await;
    }
    let (bytes, kept) = (taken(&redis).await, length(&redis).await);
    assert!(bytes <= 24 * MIB, "{bytes} bytes are taken");
    assert!(kept >= 28, "as much as fits is kept, not {kept}");
    // Many small ones take more beside their text.
    for _ in 0..1000 {
        fixture.link.publish(vec![push(Audience::Terminal(mac())); 40]).await.unwrap();
        next(&mut fixture.inbox).await;
    }
    let bytes = taken(&redis).await;
    assert!(bytes <= 24 * MIB, "{bytes} bytes are taken");
}

async fn length(redis: &Redis) -> usize {
    redis.call(cmd("XLEN").arg(format!("{}:stream", redis.keys_of("pushes")))).await.unwrap()
}

pub(super) async fn much_at_once_goes_in_parts_and_in_order(mut fixture: Fixture) {
    let pushes: Vec<Push> = (1..=9).flat_map(|number| large(number * MIB / 10)).collect();
    fixture.link.publish(pushes.clone()).await.unwrap();
    let (mut shown, mut last): (Vec<Push>, Option<u64>) = (Vec::new(), None);
    while shown.len() < pushes.len() {
        let ToBroker::Publish { pushes, position } = fixture.next().await else { panic!("only pushes were given") };
        let position = position.unwrap();
        assert!(last.is_none_or(|last| last == position.after), "nothing is missing in between");
        last = Some(position.first + pushes.len() as u64 - 1);
        shown.extend(pushes);
    }
    assert_eq!(shown, pushes);
}

pub(super) async fn a_push_that_is_too_large_leaves_a_hole(mut fixture: Fixture) {
    fixture.link.publish(large(1)).await.unwrap();
    let (before, _) = next_shown(&mut fixture.inbox).await;
    fixture.link.publish([large(2), large(2 * MIB), large(3)].concat()).await.unwrap();
    let (first, _) = next_shown(&mut fixture.inbox).await;
    assert_eq!(first.after, before.first);
    let (second, length) = next_shown(&mut fixture.inbox).await;
    assert_eq!(length, 3);
    assert!(second.after > first.first, "{second:?} does not follow {first:?}");
}

pub(super) async fn while_memory_is_full_the_oldest_make_room_for_what_is_shown(mut fixture: Fixture) {
    let redis = connected(&fixture).await;
    for _ in 0..20 {
        fixture.link.publish(large(MIB / 2)).await.unwrap();
        next_shown(&mut fixture.inbox).await;
    }
    memory_is_full(&redis, true).await;
    let mut last = None;
    for _ in 0..20 {
        fixture.link.publish(large(MIB / 4)).await.unwrap();
        let (position, length) = next_shown(&mut fixture.inbox).await;
        assert_eq!(length, MIB / 4);
        assert!(last.is_none_or(|last| last == position.after), "nothing is missing for who reads");
        last = Some(position.first);
    }
    let bytes = taken(&redis).await;
    assert!(bytes <= 3 * MIB, "{bytes} bytes are taken, which the jobs need");
    memory_is_full(&redis, false).await;
}

pub(super) async fn what_an_older_version_left_makes_room_too(mut fixture: Fixture) {
    let redis = connected(&fixture).await;
    for number in 1..=50 {
        let mut entry = cmd("XADD");
        entry.arg(format!("{}:stream", redis.keys_of("pushes"))).arg(format!("{number}-0"));
        redis.call::<String>(entry.arg("message").arg("x".repeat(MIB / 2))).await.unwrap();
    }
    fixture.link.publish(large(1)).await.unwrap();
    next_shown(&mut fixture.inbox).await;
    assert_eq!(length(&redis).await, 1);
}
