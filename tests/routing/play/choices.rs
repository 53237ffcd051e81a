//! What people choose in a play, and what the ways to them do.
//!
//! ```text
//! 0s  tech silences sensor 1 for 1h
//! 0s  tech silences hot for 1h
//! 0s  everybody silences weekly {"zone": "Europe/Berlin", "hours": [{"from": "01:00", "until": "04:00"}]}
//! 0s  tech prefers {"quiet": {"calendar": {"zone": "UTC", "hours": [{"from": "12:00", "until": "13:00"}]}}}
//! 0s  tech tries sms email
//! 0s  tech has no address
//! 0s  tech snoozes for 1h
//! 0s  mail refused
//! 0s  tech calls it hot above 10
//! ```

use std::time::Duration;

use domain::{
    Source,
    alarm::{Comparison, Condition, Severity},
    identity::derived_id,
    routing::{Inhibition, Matcher, Preferences, Same, Silence, Window},
};
use jobs::{NoticeSettings, ports::Delivery, snooze};
use records::{
    Versioned,
    alarms::{self, Which},
    alert_rules::rule_id,
    channels::{self, Order},
    inhibitions, preferences,
    silences::{self, Kept},
    users::{self, User},
};
use serde::de::DeserializeOwned;
use telltale_tests::flow::device;

use super::{Play, duration};

/// Whose silences hold for all.
const EVERYBODY: &str = "everybody";

impl Play {
    /// A play in which topics tell, too.
    pub(in crate::routing) async fn of_topics() -> Self {
        let choose = |notices: &mut NoticeSettings| notices.topics = true;
        Self::with("2026-06-01T12:00:00Z", Duration::from_secs(1), choose).await
    }

    /// Plays what somebody chooses, or what becomes of a way to them.
    pub(super) async fn chooses(&self, what: &[&str]) {
        let table = self.flow.cx.table.as_ref();
        match what {
            ["mail", how] => self.way("email", how),
            ["texts", how] => self.way("sms", how),
            [person, "silences", "sensor", pid, "for", time] => {
                let source = Some(Source::Device(device(pid.parse().unwrap())));
                let window = Window::Once { from: self.flow.now(), until: self.flow.now().plus(duration(time)) };
                self.silence(person, Silence { matcher: Matcher { source, ..Matcher::default() }, window }).await;
            }
            [person, "silences", rule, "for", time] => {
                let rule = Some(rule_id(None, rule));
                let window = Window::Once { from: self.flow.now(), until: self.flow.now().plus(duration(time)) };
                self.silence(person, Silence { matcher: Matcher { rule, ..Matcher::default() }, window }).await;
            }
            [person, "snoozes", "for", time] => self.snooze(person, duration(time)).await,
            [person, "silences", "weekly", calendar @ ..] => {
                let window = Window::Weekly { calendar: json(calendar), from: None, until: None };
                self.silence(person, Silence { matcher: Matcher::default(), window }).await;
            }
            [person, "prefers", chosen @ ..] => {
                preferences::put(table, person, &json::<Preferences>(chosen)).await.unwrap();
            }
            [person, "has", "no", "address"] => {
                let user = users::get(table, person).await.unwrap().unwrap();
                users::put(table, &User { mail: None, phone: None, webhook: None, ..user }).await.unwrap();
            }
            [person, "tries", ways @ ..] => {
                let phone = Some(phone(person));
                let user = users::get(table, person).await.unwrap().unwrap();
                users::put(table, &User { phone, webhook: None, ..user }).await.unwrap();
                let order = Order { channels: ways.iter().map(ToString::to_string).collect(), one_by_one: true };
                channels::put_order(table, person, &order).await.unwrap();
            }
            [person, "calls", "it", rule, "above", limit] => {
                let (name, is, to) = ("temperature".to_owned(), Comparison::Greater, limit.parse().unwrap());
                let above = Condition::Compare { name, is, to, deadband: 0.0 };
                self.rule(Some(*person), rule, above, Severity::Critical).await;
            }
            [standing, "mutes", muted] => {
                let rule = |rule: &str| Matcher { rule: Some(rule_id(None, rule)), ..Matcher::default() };
                let inhibition = Inhibition { standing: rule(standing), mutes: rule(muted), same: Same::Terminal };
                let (id, by) = (derived_id(self.start, &[standing, muted]), "root".to_owned());
                let kept = inhibitions::Kept { id, inhibition, why: String::new(), by, at: self.flow.now() };
                assert!(inhibitions::put_new(table, &kept).await.unwrap());
            }
            _ => panic!("nobody knows how to play {what:?}"),
        }
    }

    /// As a letter's link does it.
    async fn snooze(&self, person: &str, time: std::time::Duration) {
        let (table, now) = (self.flow.cx.table.as_ref(), self.flow.now());
        let user = users::get(table, person).await.unwrap().unwrap();
        for alarm in alarms::list(table, Which::Active, 100, None).await.unwrap().items {
            let (matcher, window) = (snooze::what(&alarm), Window::Once { from: now, until: now.plus(time) });
            self.silence(person, Silence { matcher, window }).await;
            snooze::ring_again(table, &user, ("n", "t"), &alarm, (now, now.plus(time))).await.unwrap();
        }
    }

    fn way(&self, channel: &'static str, how: &str) {
        let delivery = match how {
            "refused" => Some(Delivery::Refused { why: "550 no".to_owned() }),
            "busy" => Some(Delivery::TryLater { after: None, why: "451 busy".to_owned() }),
            "well" => None,
            _ => panic!("a way is not {how}"),
        };
        self.flow.notifier().refuse_channel(channel, delivery);
    }

    async fn silence(&self, person: &str, silence: Silence) {
        let at = self.flow.now();
        let owner = (person != EVERYBODY).then(|| person.to_owned());
        let id = derived_id(at, &["silence", person]);
        let kept = Kept { id, owner, silence, why: String::new(), by: person.to_owned(), at };
        let is_new = silences::put(self.flow.cx.table.as_ref(), &Versioned { value: kept, version: 0 }).await.unwrap();
        assert!(is_new);
    }
}

/// The number that somebody gets text messages on.
pub(super) fn phone(person: &str) -> String {
    let digits: u32 = person.bytes().map(u32::from).sum();
    format!("+86138{digits:08}")
}

fn json<T: DeserializeOwned>(words: &[&str]) -> T {
    serde_json::from_str(&words.join(" ")).unwrap_or_else(|error| panic!("{words:?}: {error}"))
}
