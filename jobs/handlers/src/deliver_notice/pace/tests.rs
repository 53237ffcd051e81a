use domain::Source;
use records::notices::{Attempt, NoticeStatus, Way};

use super::*;

const NOON: Timestamp = Timestamp(1_700_000_000_000);

fn notice(channel: &str, attempts: &[Timestamp]) -> Notice {
    Notice {
        id: "n1".to_owned(),
        user: "ann".to_owned(),
        channel: channel.to_owned(),
        source: Source::Node("n".to_owned()),
        transition: "t1".to_owned(),
        transitions: Vec::new(),
        incident: String::new(),
        sequence: 0,
        subject: String::new(),
        text: String::new(),
        at: NOON,
        status: NoticeStatus::Waiting,
        attempts: attempts.iter().map(|&at| Attempt { at, outcome: String::new() }).collect(),
        way: Way::default(),
        facts: None,
    }
}

/// The pauses, in seconds, of a channel that never takes a letter.
fn pauses(channel: &str, roll: u64) -> Vec<u64> {
    let (mut attempts, mut pauses, mut at) = (Vec::new(), Vec::new(), NOON);
    while let Some(next) = Pace::of(&notice(channel, &attempts)).next(&notice(channel, &attempts), None, at, roll) {
        pauses.push(next.since(at).as_secs());
        attempts.push(at);
        at = next;
    }
    pauses
}

#[test]
fn a_webhook_is_tried_after_5_s_5_min_30_min_2_h_5_h_10_h_and_10_h_and_then_given_up() {
    let expected = [5, 300, 1800, 7200, 18_000, 36_000, 36_000];
    assert_eq!(pauses("webhook", 0), expected);
    assert_eq!(pauses("webhook/01J", 0), expected);
}

#[test]
fn the_dice_add_a_fifth_at_most() {
    for roll in [0, 1, 999, 123_456_789, u64::MAX] {
        for (jittered, pause) in pauses("webhook", roll).into_iter().zip(pauses("webhook", 0)) {
            assert!((pause..=pause + pause / 5).contains(&jittered), "{jittered} {pause}");
        }
    }
    assert_ne!(pauses("webhook", 123_456_789), pauses("webhook", 0));
}

#[test]
fn what_the_receiver_asks_for_is_honoured_when_it_is_longer() {
    let after = |asked| Pace::Webhook.next(&notice("webhook", &[]), Some(Duration::from_secs(asked)), NOON, 0);
    assert_eq!(after(100), Some(NOON.plus(Duration::from_secs(100))));
    assert_eq!(after(1), Some(NOON.plus(Duration::from_secs(5))));
    assert_eq!(after(u64::MAX), Some(NOON.plus(LONGEST_ASKED)), "and not for ever");
}

#[test]
fn the_operators_channels_are_tried_often_for_ten_hours() {
    let pauses = pauses("email", 0);
    assert_eq!(pauses[1..6], [1, 2, 4, 8, 16]);
    assert_eq!(pauses.iter().max(), Some(&150));
    assert!((36_000..36_300).contains(&pauses.iter().sum::<u64>()), "{}", pauses.iter().sum::<u64>());
}

#[test]
fn what_is_replayed_begins_anew() {
    let mut notice = notice("webhook", &[NOON; 7]);
    let later = NOON.plus(Duration::from_hours(50));
    assert_eq!(Pace::Webhook.next(&notice, None, later, 0), None);
    notice.way.since = Some(later);
    assert_eq!(Pace::Webhook.next(&notice, None, later, 0), Some(later.plus(Duration::from_secs(5))));
}
