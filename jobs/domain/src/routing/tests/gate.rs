//! What is told now, later, and not at all.

use proptest::prelude::*;
use serde_json::json;

use super::*;

const NOON: &str = "2026-11-26T12:00:00Z";

fn minutes(after: i64) -> Timestamp {
    Timestamp(at(NOON).0 + after * 60_000)
}

fn once(from: i64, until: i64) -> Silence {
    let window = Window::Once { from: minutes(from), until: minutes(until) };
    Silence { matcher: Matcher::default(), window }
}

fn chosen(document: Value) -> Preferences {
    serde_json::from_value(document).unwrap()
}

/// Quiet from 13:00 to 14:00, with what passes.
fn quiet(passes: &Value) -> Preferences {
    let calendar = json!({ "zone": "UTC", "hours": [{ "from": "13:00", "until": "14:00" }] });
    chosen(json!({ "quiet": { "calendar": calendar, "passes": passes } }))
}

struct Asked<'a> {
    silences: &'a [Silence],
    preferences: &'a Preferences,
    severity: Severity,
    channel: &'a str,
    is_muted: bool,
}

impl Asked<'_> {
    /// What becomes of it at an instant; it was to be told at the other first.
    fn at(&self, first: Timestamp, now: Timestamp) -> Verdict {
        let silences: Vec<&Silence> = self.silences.iter().collect();
        let (preferences, is_muted) = (Some(self.preferences), self.is_muted);
        let moment = Moment { silences: &silences, is_muted, preferences, reachable: &["email"], first, now };
        let source = source(HALL, 1);
        let subject = subject(&source, None, "threshold:temperature", self.severity);
        decide(&moment, &subject, false, self.channel)
    }
}

fn asked<'a>(silences: &'a [Silence], preferences: &'a Preferences) -> Asked<'a> {
    Asked { silences, preferences, severity: Severity::Warning, channel: "email", is_muted: false }
}

fn held(until: i64, why: Why) -> Verdict {
    Verdict::Hold { until: minutes(until), why }
}

#[test]
fn what_holds_one_after_another_holds_until_the_last_of_it_is_over() {
    let (silences, preferences) = ([once(0, 30), once(20, 65)], quiet(&json!("critical")));
    let now = minutes(10);
    assert_eq!(asked(&silences, &preferences).at(now, now), held(120, Why::Silence));
    assert_eq!(asked(&silences[..1], &preferences).at(now, now), held(30, Why::Silence));
    assert_eq!(asked(&[], &preferences).at(now, now), Verdict::Tell);
}

#[test]
fn quiet_hours_let_through_what_matters_enough() {
    let now = minutes(90);
    for (passes, severity, passed) in [
        (json!("critical"), Severity::Critical, true),
        (json!("critical"), Severity::Warning, false),
        (json!("warning"), Severity::Warning, true),
        (json!(null), Severity::Critical, false),
    ] {
        let verdict = Asked { severity, ..asked(&[], &quiet(&passes)) }.at(now, now);
        assert_eq!(verdict == Verdict::Tell, passed, "{passes} {severity}");
    }
    let preferences = quiet(&json!(null));
    assert_eq!(Asked { channel: INBOX, ..asked(&[], &preferences) }.at(now, now), Verdict::Tell, "it makes no noise");
    assert_eq!(
        chosen(json!({ "quiet": { "calendar": { "zone": "UTC", "hours": [{ "from": "13:00", "until": "14:00" }] } } })),
        quiet(&json!("critical"))
    );
}

#[test]
fn what_is_muted_is_looked_at_again_in_a_minute() {
    let (now, preferences) = (minutes(10), Preferences::default());
    let muted = Asked { is_muted: true, ..asked(&[], &preferences) };
    assert_eq!(muted.at(now, now), held(11, Why::Inhibition));
}

#[test]
fn a_digest_waits_for_its_time_and_no_longer() {
    let preferences =
        chosen(json!({ "digest_at": "13:00", "ways": { "alarms": { "email": "digest", "sms": "off" } } }));
    let asked = asked(&[], &preferences);
    assert_eq!(asked.at(minutes(0), minutes(0)), held(60, Why::Digest));
    assert_eq!(asked.at(minutes(0), minutes(59)), held(60, Why::Digest));
    assert_eq!(asked.at(minutes(0), minutes(60)), Verdict::Tell);
    assert_eq!(asked.at(minutes(0), minutes(3000)), Verdict::Tell, "it is late, and not to wait for another");
    assert_eq!(Asked { channel: "sms", ..asked }.at(minutes(0), minutes(0)), Verdict::Drop);
}

#[test]
fn nobody_in_particular_has_no_quiet_hours() {
    let silence = once(0, 30);
    let source = source(HALL, 1);
    let subject = subject(&source, None, "timeout", Severity::Warning);
    let moment = |silences: &[&Silence]| {
        let (first, now) = (minutes(10), minutes(10));
        let moment = Moment { silences, is_muted: false, preferences: None, reachable: &[], first, now };
        decide(&moment, &subject, true, "topic/warning")
    };
    assert_eq!(moment(&[]), Verdict::Tell);
    assert_eq!(moment(&[&silence]), held(30, Why::Silence));
}

proptest! {
    /// What is held is told at the instant that was named and at none before, if nothing changes meanwhile.
    #[test]
    fn what_is_held_goes_when_it_was_said_to(
        windows in prop::collection::vec((0..3000_i64, 1..600_i64), 0..6),
        night in (0..24_u8, 0..24_u8),
        is_digest in any::<bool>(),
        first in 0..3000_i64,
    ) {
        prop_assume!(night.0 != night.1);
        let silences: Vec<Silence> = windows.iter().map(|(from, long)| once(*from, from + long)).collect();
        let hours = json!([{ "from": format!("{:02}:00", night.0), "until": format!("{:02}:00", night.1) }]);
        let way = if is_digest { "digest" } else { "now" };
        let preferences = chosen(json!({
            "zone": "America/New_York", "ways": { "alarms": { "email": way } },
            "quiet": { "calendar": { "zone": "Europe/Berlin", "hours": hours } } }));
        let (asked, first) = (asked(&silences, &preferences), minutes(first));
        match asked.at(first, first) {
            Verdict::Tell => prop_assert!(!is_digest && silences.iter().all(|silence| !silence.window.holds(first))),
            Verdict::Hold { until, .. } => {
                prop_assert!(until > first);
                for part in 0..20 {
                    let between = Timestamp(first.0 + (until.0 - first.0 - 1) * part / 19);
                    let verdict = asked.at(first, between);
                    prop_assert!(matches!(verdict, Verdict::Hold { until: same, .. } if same == until), "{:?}", verdict);
                }
                prop_assert_eq!(asked.at(first, until), Verdict::Tell);
            }
            Verdict::Drop => prop_assert!(false, "nobody turned it off"),
        }
    }
}
