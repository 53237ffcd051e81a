//! Silences, quiet hours and digests at random, over alarms at random, with a queue that is away now and then.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    Timestamp,
    routing::{Matcher, Preferences, Silence, Way, Window},
};
use jobs::{DeliverNotice, Job};
use proptest::{
    prelude::*,
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use records::{Versioned, alarms, held, preferences, silences};
use telltale_tests::flow::Flow;

/// Something that happens.
#[derive(Debug, Clone)]
enum Happens {
    /// The sensor says this.
    Says(f64),
    /// Somebody silences it for so many seconds.
    Silence(u64),
    /// The technician turns their digests by mail on or off.
    Digest(bool),
    /// The queue is away once.
    Away,
    /// So many seconds pass.
    Passes(u64),
}

fn happens() -> impl Strategy<Value = Happens> {
    prop_oneof![
        3 => prop::sample::select(vec![40.0, 20.0]).prop_map(Happens::Says),
        1 => (1..90_u64).prop_map(Happens::Silence),
        1 => any::<bool>().prop_map(Happens::Digest),
        1 => Just(Happens::Away),
        3 => (1..40_u64).prop_map(Happens::Passes),
    ]
}

async fn let_happen(flow: &Flow, number: usize, happens: &Happens) {
    let table = flow.cx.table.as_ref();
    match happens {
        Happens::Says(celsius) => {
            flow.sensor_says(*celsius).await;
        }
        Happens::Silence(seconds) => {
            let window = Window::Once { from: flow.now(), until: flow.now().plus(Duration::from_secs(*seconds)) };
            let silence = Silence { matcher: Matcher::default(), window };
            let (id, why, by) = (format!("{number:026}"), String::new(), "root".to_owned());
            let kept = silences::Kept { id, owner: None, silence, why, by, at: flow.now() };
            assert!(silences::put(table, &Versioned { value: kept, version: 0 }).await.unwrap());
        }
        Happens::Digest(is_on) => {
            let soon = flow.now().plus(Duration::from_mins(2)).rfc3339()[11..16].to_owned();
            let way = if *is_on { Way::Digest } else { Way::Now };
            let ways = [("email".to_owned(), way)].into();
            let chosen = Preferences {
                digest_at: Some(soon.try_into().unwrap()),
                ways: [(domain::routing::Category::Alarms, ways)].into(),
                ..Preferences::default()
            };
            preferences::put(table, "tech", &chosen).await.unwrap();
            held::wake_all(table, Some("tech"), flow.now()).await.unwrap();
        }
        Happens::Away => flow.queue_is_away_once_for(DeliverNotice::NAME),
        Happens::Passes(seconds) => flow.after(Duration::from_secs(*seconds)).await,
    }
}

/// How often each channel told that an alarm began, stood, ended, or came and went; where the queue is never away, no end is
/// told before its beginning.
fn told(flow: &Flow, is_never_away: bool) -> BTreeMap<&'static str, (usize, usize)> {
    let mut told: BTreeMap<&'static str, (usize, usize)> = BTreeMap::new();
    for letter in flow.letters() {
        let (begun, ended) = told.entry(letter.address.channel()).or_default();
        for source in letter.text.split("\n\n") {
            let is_summed_up = ["standing: ", "recovered: ", "came and went: "].iter().any(|it| source.starts_with(it));
            let lines = source.lines().take(if is_summed_up { 1 } else { usize::MAX });
            for line in lines {
                match line.split([' ', ':']).next() {
                    Some("raised" | "standing") => *begun += 1,
                    Some("cleared" | "recovered") => *ended += 1,
                    Some("came") => {
                        *begun += 1;
                        *ended += 1;
                    }
                    _ => {}
                }
                assert!(!is_never_away || *ended <= *begun, "an end is told before its beginning: {}", letter.text);
            }
        }
    }
    told
}

async fn each_alarm_is_told_once(all: Vec<Happens>) {
    let flow = Flow::new().await;
    for (number, one) in all.iter().enumerate() {
        let_happen(&flow, number, one).await;
    }
    flow.sensor_says(20.0).await;
    let_happen(&flow, all.len(), &Happens::Digest(false)).await;
    flow.after(Duration::from_mins(6)).await;
    let table = flow.cx.table.as_ref();
    let ever = alarms::list(table, alarms::Which::All, 1000, None).await.unwrap().items.len();
    let is_never_away = !all.iter().any(|one| matches!(one, Happens::Away));
    for channel in ["email", "webhook"] {
        let of_channel = told(&flow, is_never_away).get(channel).copied().unwrap_or_default();
        assert_eq!(of_channel, (ever, ever), "{channel}: {all:#?} {:#?}", flow.letters());
    }
    assert_eq!(held::due(table, Timestamp(i64::MAX), 10).await.unwrap(), []);
    assert_eq!(flow.dead_letters().await, 0);
}

#[test]
fn whatever_holds_it_each_channel_tells_of_each_alarm_once_and_of_its_end_once() {
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let mut runner = TestRunner::new_with_rng(Config { failure_persistence: None, ..Config::with_cases(40) }, rng);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runner
        .run(&prop::collection::vec(happens(), 1..40), |all| {
            runtime.block_on(each_alarm_is_told_once(all));
            Ok(())
        })
        .unwrap();
}
