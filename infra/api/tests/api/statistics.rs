//! Statistics and a summary of alarms: of those that the one who asks may see.

use std::time::Duration;

use domain::{Source, Timestamp, alarm::Severity, identity::derived_id};
use records::{
    Table, Versioned,
    alarms::{self, Acknowledgement, Alarm},
};
use serde_json::{Value, json};

use crate::site::{HERS, OTHER, Site, mac};

/// An alarm of a terminal that began so long ago, was acknowledged and ended so long after.
async fn alarm(site: &Site, terminal: &str, ago: u64, severity: Severity, after: [Option<u64>; 2]) {
    let raised_at = site.now().minus(Duration::from_secs(ago));
    let later = |seconds: u64| raised_at.plus(Duration::from_secs(seconds));
    let acknowledged = after[0].map(|seconds| Acknowledgement {
        by: "ann".to_owned(),
        at: later(seconds),
        note: None,
        until: None,
        severity: None,
    });
    let alarm = Alarm {
        id: derived_id(raised_at, &[terminal, &ago.to_string()]),
        source: Source::Terminal(mac(terminal)),
        rule: "offline".to_owned(),
        severity,
        detail: String::new(),
        raised_at,
        cleared_at: after[1].map(later),
        cleared_by: None,
        acknowledged,
        severities: Vec::new(),
        shadow: false,
        life: records::alarms::AlarmLife::default(),
    };
    put(site, alarm).await;
}

async fn put(site: &Site, alarm: Alarm) {
    let writes = alarms::put(&Versioned { value: alarm, version: 0 }).unwrap();
    assert!(site.table.transact(writes).await.unwrap().applied());
}

async fn furnished() -> Site {
    let site = Site::new().await;
    alarm(&site, HERS, 3600, Severity::Critical, [Some(60), Some(600)]).await;
    alarm(&site, HERS, 1800, Severity::Warning, [Some(120), None]).await;
    alarm(&site, HERS, 60, Severity::Warning, [None, None]).await;
    alarm(&site, OTHER, 60, Severity::Critical, [None, Some(30)]).await;
    alarm(&site, HERS, 3 * 86_400, Severity::Info, [None, Some(10)]).await;
    site
}

#[tokio::test]
async fn alarms_of_a_period_are_counted_by_what_they_are() {
    let site = furnished().await;
    let told = site.seen_by("root", "/api/alerts/statistics").await;
    let expected = json!({
        "total": 4,
        "by_status": { "active": 1, "acknowledged": 1, "cleared": 2 },
        "by_severity": { "critical": 2, "warning": 2 },
        "by_source": [
            { "source": format!("terminal:{HERS}"), "alarms": 3 }, { "source": format!("terminal:{OTHER}"), "alarms": 1 }
        ],
        "mean_time_to_acknowledge_s": 90.0,
        "mean_time_to_resolve_s": 315.0,
        "truncated": false
    });
    assert_eq!(told, expected);
    assert_eq!(site.seen_by("root", "/api/alerts/statistics?period=7d").await["total"], 5);
}

#[tokio::test]
async fn nobody_is_told_of_alarms_that_they_may_not_see() {
    let site = furnished().await;
    let of = async |user: &str| site.seen_by(user, "/api/alerts/statistics?period=90d").await["total"].clone();
    assert_eq!([of("ann").await, of("bob").await], [json!(4), json!(0)]);
    let summary = site.seen_by("bob", "/api/alerts/summary").await;
    assert_eq!((&summary["active"], &summary["oldest"]), (&json!(0), &Value::Null));
    for path in ["/api/alerts/statistics", "/api/alerts/summary"] {
        assert_eq!(site.get(path).send().await.problem(401), "not-signed-in");
    }
    let bad = site.get("/api/alerts/statistics?period=1y").by(&site.token("ann")).send().await;
    assert_eq!(bad.problem(400), "bad-query");
}

#[tokio::test]
async fn the_summary_says_what_stands() {
    let site = furnished().await;
    let oldest: Timestamp = site.now().minus(Duration::from_mins(30));
    let expected = json!({
        "active": 2, "unacknowledged": 1, "by_severity": { "warning": 2 }, "raised_24h": 3, "oldest": oldest.rfc3339()
    });
    assert_eq!(site.seen_by("ann", "/api/alerts/summary").await, expected);
}

#[tokio::test]
async fn a_word_that_holds_no_more_or_was_given_for_less_leaves_an_alarm_to_be_acknowledged() {
    let site = Site::new().await;
    let (raised_at, rose) = (site.now().minus(Duration::from_mins(30)), Severity::Critical);
    let by_ann =
        |until, severity| Some(Acknowledgement { by: "ann".to_owned(), at: raised_at, note: None, until, severity });
    let holds = Some(site.now().plus(Duration::from_mins(1)));
    let words =
        [by_ann(holds, Some(rose)), by_ann(None, Some(Severity::Warning)), by_ann(Some(site.now()), Some(rose))];
    for (number, acknowledged) in (0..).zip(words) {
        alarm(&site, HERS, 60 + number, rose, [None, None]).await;
        let listed = alarms::list(&*site.table, alarms::Which::Active, 10, None).await.unwrap().items;
        let new = listed.into_iter().find(|alarm| alarm.acknowledged.is_none()).unwrap();
        let mut of = alarms::get(&*site.table, &new.id).await.unwrap().unwrap();
        of.value.acknowledged = acknowledged;
        assert!(site.table.transact(alarms::put(&of).unwrap()).await.unwrap().applied());
    }
    let summary = site.seen_by("ann", "/api/alerts/summary").await;
    assert_eq!((&summary["active"], &summary["unacknowledged"]), (&json!(3), &json!(2)));
    let statistics = site.seen_by("ann", "/api/alerts/statistics").await;
    assert_eq!(statistics["by_status"], json!({ "acknowledged": 1, "active": 2 }));
}
