use domain::{
    DeviceId, Source,
    alarm::{About, Change, ChangeKind, Severity},
    routing::incident::{News, Open, Raises},
};

use super::*;
use crate::body;

/// The most bytes that an item of DynamoDB holds.
const MOST_BYTES: usize = 400 * 1024;

#[test]
fn an_incident_that_remembers_as_much_as_it_may_can_be_stored() {
    let (mut state, now) = (incident::Incident::default(), Timestamp(1_800_000_000_000));
    for number in 0..1030_u32 {
        let mac = format!("98D863{number:06X}").parse().unwrap();
        let source = Source::Device(DeviceId { mac, pid: 1 });
        let at = Timestamp(now.0 + i64::from(number) * 7);
        let alarm = derived_id(at, &[&number.to_string()]);
        let rule = format!("user:somebody:rule:{number}");
        let about = About { alarm: &alarm, rule: &rule, severity: Severity::Critical, since: at, shadow: false };
        let detail = format!(
            "cold store temperature of evaporator {number}.125 ℃, limits 10 ~ 30 and 10 queries without an answer"
        );
        let transition = derived_id(at, &["transition", &number.to_string()]);
        state.news.push(News {
            transition,
            source: source.clone(),
            change: Change::of(ChangeKind::Raised, about, at, detail),
        });
        state.raises.insert(format!("{source} {rule}"), Raises { count: number, last: at });
        state.open.insert(alarm, Open { source, rule, severity: Severity::Critical, since: at, flaps: false });
    }
    let new = Incident::new(Audience::User("ann".to_owned()), "node:n1".to_owned(), "n1".to_owned(), "t", now);
    let size = body::encode(&Incident { state, ..new }).unwrap().len();
    assert!(size < MOST_BYTES * 3 / 4, "it takes {size} bytes");
}

#[test]
fn an_incident_of_before_its_raises_were_dated_is_read() {
    let now = Timestamp(1_800_000_000_000);
    let new = Incident::new(Audience::Topics, "node:n1".to_owned(), "n1".to_owned(), "t", now);
    let mut stored = serde_json::to_value(&new).unwrap();
    stored["state"]["raises"] = serde_json::json!({ "node:n1 offline": 3 });
    stored["state"].as_object_mut().unwrap().remove("apart");
    let read: Incident = serde_json::from_value(stored).unwrap();
    assert_eq!((read.state.raises["node:n1 offline"].count, read.state.apart), (3, 0));
}
