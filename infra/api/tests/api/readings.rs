use std::time::Duration;

use domain::{
    DeviceId, Pid, Timestamp,
    reading::{Datum, Quality, Reading, Value},
};
use records::{Table, readings};
use serde_json::{Value as Json, json};

use crate::site::{HERS, Site, mac};

fn reading(pid: Pid, at: Timestamp) -> Reading {
    let value = |name: &str, value, display: &str, unit: &str, quality| Value {
        name: name.to_owned(),
        value,
        display: display.to_owned(),
        unit: unit.to_owned(),
        quality,
    };
    Reading {
        device: DeviceId { mac: mac(HERS), pid },
        asked: at.minus(Duration::from_secs(1)),
        at,
        arrived: at,
        late: false,
        values: vec![
            value("temperature", Datum::Number(23.5), "23.5", "℃", Quality::Good),
            value("state", Datum::Text("1".to_owned()), "running", "", Quality::Uncertain),
            value("humidity", Datum::None, "", "%", Quality::Bad),
        ],
    }
}

/// Stores a reading of each of `ats` as history, each in a batch of its own.
async fn said(site: &Site, pid: Pid, ats: &[Timestamp]) {
    for at in ats {
        let write = readings::append(&mac(HERS), &format!("b{pid}"), *at, &[reading(pid, *at)]).unwrap();
        assert!(site.table.transact(write).await.unwrap().applied());
    }
}

/// From 2026-05-28T20:10:00Z on.
fn five_seconds() -> Vec<Timestamp> {
    (0..5).map(|second| Timestamp(1_779_999_000_000 + second * 1000)).collect()
}

fn times(list: &Json) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|reading| reading["at"].as_str().unwrap()).collect()
}

fn path(rest: &str) -> String {
    format!("/api/terminals/{HERS}/devices/1/{rest}")
}

#[tokio::test]
async fn the_latest_is_what_the_device_said_last() {
    let site = Site::new().await;
    let silent = site.get(&path("latest")).by(&site.token("ann")).send().await;
    assert_eq!(silent.problem(404), "not-found");

    let mut latest = readings::latest(&*site.table, &mac(HERS)).await.unwrap();
    latest.value.devices.insert(1, reading(1, Timestamp(1_700_000_000_000)));
    let write = readings::put_latest(&mac(HERS), &latest).unwrap();
    assert!(site.table.write(write).await.unwrap().applied());

    let expected = json!({
        "mac": HERS,
        "pid": 1,
        "asked": "2023-11-14T22:13:19.000Z",
        "at": "2023-11-14T22:13:20.000Z",
        "arrived": "2023-11-14T22:13:20.000Z",
        "late": false,
        "values": [
            { "name": "temperature", "value": 23.5, "display": "23.5", "unit": "℃", "quality": "good" },
            { "name": "state", "value": "1", "display": "running", "unit": "", "quality": "uncertain" },
            { "name": "humidity", "value": null, "display": "", "unit": "%", "quality": "bad" },
        ],
    });
    assert_eq!(site.seen_by("ann", &path("latest")).await, expected);
}

#[tokio::test]
async fn the_history_is_the_last_days_newest_first_and_this_devices_alone() {
    let site = Site::new().await;
    let now = site.now();
    let [hour, day] = [Duration::from_hours(1), Duration::from_hours(25)];
    said(&site, 1, &[now.minus(day), now.minus(hour), now]).await;
    said(&site, 2, &[now]).await;
    let list = site.seen_by("ann", &path("history")).await;
    assert_eq!(times(&list), [now.rfc3339(), now.minus(hour).rfc3339()]);
    assert_eq!(list["next"], Json::Null);
}

#[tokio::test]
async fn the_history_of_a_given_time_is_found_in_either_form() {
    let site = Site::new().await;
    let seconds = five_seconds();
    said(&site, 1, &seconds).await;
    for query in [
        "history?from=1779999001000&to=1779999002999",
        "history?from=2026-05-28T20:10:01Z&to=2026-05-29T04:10:02.999%2B08:00",
    ] {
        let list = site.seen_by("ann", &path(query)).await;
        assert_eq!(times(&list), [seconds[2].rfc3339(), seconds[1].rfc3339()], "{query}");
    }
}

#[tokio::test]
async fn the_history_is_paged_without_gap_or_repetition() {
    let site = Site::new().await;
    let seconds = five_seconds();
    said(&site, 1, &seconds).await;
    let query = path("history?from=1779999000000&to=1779999010000&limit=2");
    let (mut seen, mut after) = (Vec::new(), String::new());
    for _ in 0..4 {
        let page = site.seen_by("ann", &format!("{query}{after}")).await;
        seen.extend(times(&page).into_iter().map(str::to_owned));
        let Some(next) = page["next"].as_str() else { break };
        after = format!("&after={next}");
    }
    let expected: Vec<_> = seconds.iter().rev().map(|at| at.rfc3339()).collect();
    assert_eq!(seen, expected);
}
