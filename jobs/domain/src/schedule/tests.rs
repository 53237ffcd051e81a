use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn device(mac: &str, pid: u8) -> DeviceId {
    DeviceId { mac: mac.parse().unwrap(), pid }
}

fn plan(name: &str, version: &str, flow_kb: u64) -> Uplink {
    Uplink::Sim(Some(DataPlan { name: name.into(), version: version.into(), flow_kb, ..DataPlan::default() }))
}

#[test]
fn the_interval_follows_the_load_of_the_line() {
    let none = Duration::ZERO;
    for (instructions, uplink, device_minimum, millis) in [
        (0, Uplink::Wired, none, 5_000),
        (5, Uplink::Wired, none, 5_000),
        (10, Uplink::Wired, none, 10_000),
        (0, Uplink::Sim(None), none, 5_000),
        (10, Uplink::Sim(None), none, 20_000),
        (10, Uplink::Wired, Duration::from_secs(30), 30_000),
        // 30 MB: 524288 / 30720 × 2 = 34.1 times as long
        (10, plan("ali_1", "", 30_720), none, 682_666),
        (10, plan("", "ali_1", 262_144), none, 80_000),
        (10, plan("ali_2", "ali_2", 30_720), none, 20_000),
        (10, plan("ali_1", "ali_1", 524_288), none, 20_000),
        (10, plan("ali_1", "ali_1", 0), none, 20_000),
    ] {
        let load = LineLoad { instructions, uplink, device_minimum, ..LineLoad::default() };
        assert_eq!(interval(&load), Duration::from_millis(millis), "{load:?}");
    }
}

#[test]
fn an_operator_may_allow_shorter_intervals() {
    let load = LineLoad { instructions: 2, least: Duration::from_millis(100), ..LineLoad::default() };
    assert_eq!(interval(&load), Duration::from_secs(2));
}

#[test]
fn a_phase_never_changes_between_versions() {
    let millis = |mac, pid| phase(&device(mac, pid), Duration::from_secs(5)).as_millis();
    assert_eq!([millis("98D863CC870D", 1), millis("98D863CC870D", 2), millis("861477040000", 0)], [4931, 908, 2318]);
}

#[test]
fn phases_of_one_interval_spread_over_it() {
    let interval = Duration::from_secs(5);
    let mut seconds = [0; 5];
    for number in 0..1000 {
        let phase = phase(&device(&format!("98D863CC{number:04}"), 1), interval);
        seconds[usize::try_from(phase.as_secs()).unwrap()] += 1;
    }
    assert!(seconds.iter().all(|devices| (150..250).contains(devices)), "{seconds:?}");
}

#[test]
fn an_interval_of_nothing_is_never_due() {
    assert_eq!(phase(&device("98D863CC870D", 1), Duration::ZERO), Duration::ZERO);
    assert_eq!(due(Duration::ZERO, Duration::ZERO, Timestamp(0), Timestamp(10)).count(), 0);
    assert_eq!(due(Duration::from_nanos(1), Duration::ZERO, Timestamp(0), Timestamp(10)).count(), 0);
}

#[test]
fn the_edges_of_time_are_no_trouble() {
    let year = Duration::from_hours(24 * 365);
    assert_eq!(due(year, Duration::ZERO, Timestamp(i64::MAX - 1), Timestamp(i64::MAX)).count(), 0);
    assert!(due(year, Duration::MAX, Timestamp(i64::MIN), Timestamp(i64::MAX)).take(3).count() == 3);
}

#[test]
fn a_silent_device_is_asked_at_most_once_a_minute_and_a_busy_one_less_often() {
    let five = Duration::from_secs(5);
    assert_eq!(backed_off(five, 10, 0), five);
    assert_eq!(backed_off(five, 11, 0), Duration::from_mins(1));
    assert_eq!(backed_off(Duration::from_secs(90), 11, 0), Duration::from_secs(90));
    assert_eq!(slowed(five, 0), five);
    assert_eq!(slowed(five, 3), Duration::from_millis(6500));
}

#[test]
fn a_silent_device_with_neighbours_is_asked_less_with_each_miss() {
    let five = Duration::from_secs(5);
    let seconds = |interval, misses| backed_off(interval, misses, 1).as_secs();
    assert_eq!([0, 1, 2, 3, 4, 10, 11].map(|misses| seconds(five, misses)), [5, 5, 10, 20, 30, 30, 60]);
    assert_eq!([2, 10, 11].map(|misses| seconds(Duration::from_secs(45), misses)), [45, 45, 60]);
}

proptest! {
    #[test]
    fn windows_that_follow_each_other_neither_miss_nor_double_an_instant(
        interval in 1_u64..200_000,
        phase in 0_u64..400_000,
        start in -1_000_000_i64..2_000_000_000_000,
        windows in prop::collection::vec(0_i64..100_000, 1..20),
    ) {
        let (every, after) = (Duration::from_millis(interval), Duration::from_millis(phase));
        let mut from = Timestamp(start);
        let mut instants = Vec::new();
        for window in windows {
            let until = Timestamp(from.0 + window);
            instants.extend(due(every, after, from, until).take(10_000));
            from = until;
        }
        prop_assume!(instants.len() < 10_000);
        let whole: Vec<_> = due(every, after, Timestamp(start), from).collect();
        prop_assert_eq!(&instants, &whole);
        prop_assert_eq!(whole.len(), whole.iter().collect::<BTreeSet<_>>().len());
        for instant in whole {
            prop_assert!(instant >= Timestamp(start) && instant < from);
            prop_assert_eq!((instant.0 - i64::try_from(phase).unwrap()).rem_euclid(i64::try_from(interval).unwrap()), 0);
        }
    }

    #[test]
    fn a_window_of_one_interval_holds_each_device_once(interval in 1_u64..200_000, start in 0_i64..2_000_000_000_000, pid: u8) {
        let every = Duration::from_millis(interval);
        let after = phase(&device("98D863CC870D", pid), every);
        prop_assert!(after < every);
        let until = Timestamp(start).plus(every);
        prop_assert_eq!(due(every, after, Timestamp(start), until).count(), 1);
    }
}
