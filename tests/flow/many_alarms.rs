//! Incidents of more alarms than they remember themselves.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    Source,
    alarm::Severity,
    identity::derived_id,
    routing::incident::{self, MOST_OPEN, Open},
};
use jobs::NoticeSettings;
use records::{
    Versioned,
    alarms::{self, Acknowledgement, Alarm, AlarmLife},
    incidents::{self, Audience, Incident},
};
use telltale_tests::flow::{Flow, device, mac};

/// As many alarms as an incident remembers, of another device of the terminal.
fn alarms(flow: &Flow, severity: Severity) -> Vec<Alarm> {
    let raised_at = flow.now().minus(Duration::from_mins(10));
    let alarm = |number: usize| Alarm {
        id: derived_id(raised_at, &[&number.to_string()]),
        source: Source::Device(device(9)),
        rule: format!("threshold:{number}"),
        severity,
        detail: "1, limits 2 ~ 3".to_owned(),
        raised_at,
        cleared_at: None,
        cleared_by: None,
        acknowledged: None,
        severities: Vec::new(),
        shadow: false,
        life: AlarmLife::default(),
    };
    (0..MOST_OPEN).map(alarm).collect()
}

/// The technician's incident of the terminal, of which the beginning of these was told.
async fn incident_of(flow: &Flow, alarms: &[Alarm]) {
    let open = |alarm: &Alarm| {
        let Alarm { id, source, rule, severity, raised_at: since, .. } = alarm.clone();
        (id, Open { source, rule, severity, since, flaps: false })
    };
    let open: BTreeMap<String, Open> = alarms.iter().map(open).collect();
    let now = flow.now();
    let (audience, group) = (Audience::User("tech".to_owned()), Source::Terminal(mac()).to_string());
    let began = alarms[0].raised_at;
    let state = incident::Incident { began, open, sequence: 1, told_at: Some(began), ..incident::Incident::default() };
    let new = Incident::new(audience, group, "Cold store".to_owned(), "t1", now);
    let incident = Versioned { value: Incident { state, ..new }, version: 0 };
    let writes = incidents::put(&incident, None, None, now).unwrap();
    assert!(flow.cx.table.transact(writes).await.unwrap().applied());
}

async fn state(flow: &Flow) -> incident::Incident {
    let group = Source::Terminal(mac()).to_string();
    let audience = Audience::User("tech".to_owned());
    let incident = incidents::current(flow.cx.table.as_ref(), &audience, &group).await.unwrap();
    incident.unwrap().value.state
}

async fn write(flow: &Flow, alarm: &Alarm, version: u64) {
    let writes = alarms::put(&Versioned { value: alarm.clone(), version }).unwrap();
    assert!(flow.cx.table.transact(writes).await.unwrap().applied());
}

/// A technician's incident of as many alarms as it remembers itself.
async fn of_as_many_as_it_remembers(severity: Severity) -> (Flow, Vec<Alarm>) {
    let flow = Flow::with(|settings| settings.notices = NoticeSettings::default()).await;
    let seeded = alarms(&flow, severity);
    for alarm in &seeded {
        write(&flow, alarm, 0).await;
    }
    incident_of(&flow, &seeded).await;
    (flow, seeded)
}

#[tokio::test]
async fn what_an_incident_cannot_remember_itself_holds_up_its_end_which_is_told_once() {
    let (flow, seeded) = of_as_many_as_it_remembers(Severity::Info).await;
    flow.sensor_says(40.0).await;
    flow.after(Duration::from_secs(15)).await;
    assert_eq!(flow.mails(), ["Alarm: Cold store / 1 TH-10"]);
    let begun = state(&flow).await;
    assert_eq!((begun.open.len(), begun.apart, begun.open_count()), (MOST_OPEN, 1, MOST_OPEN + 1));
    for alarm in &seeded {
        let cleared_at = Some(flow.now().minus(Duration::from_mins(1)));
        write(&flow, &Alarm { cleared_at, ..alarm.clone() }, 1).await;
    }
    // Nobody tells their ends. The incident is looked at when something is new, and once a day.
    flow.after(Duration::from_mins(11)).await;
    flow.sleeps(Duration::from_hours(24));
    flow.after(Duration::from_secs(5)).await;
    let left = state(&flow).await;
    assert_eq!((left.open.len(), left.apart), (1, 0), "it came back");
    assert_eq!(left.over, None);
    flow.sensor_says(20.0).await;
    flow.after(Duration::from_mins(10)).await;
    let ends = flow.mails().into_iter().filter(|mail| mail.starts_with("Recovered")).count();
    assert_eq!((ends, flow.dead_letters().await), (1, 0), "{:?}", flow.mails());
}

#[tokio::test]
async fn what_comes_and_goes_and_is_remembered_apart_is_no_more_when_it_is_calm() {
    let (flow, _) = of_as_many_as_it_remembers(Severity::Critical).await;
    for _ in 0..6 {
        flow.sensor_says(40.0).await;
        flow.sensor_says(20.0).await;
    }
    assert_eq!(state(&flow).await.apart, 1, "it comes and goes");
    flow.sensor_says(40.0).await;
    flow.sensor_says(20.0).await;
    flow.after(Duration::from_mins(16)).await;
    assert_eq!((state(&flow).await.open.len(), state(&flow).await.apart), (MOST_OPEN, 0));
}

#[tokio::test]
async fn what_nobody_has_on_is_said_again_where_somebody_has_on_all_that_the_incident_remembers_itself() {
    let (flow, seeded) = of_as_many_as_it_remembers(Severity::Warning).await;
    flow.sensor_says(40.0).await;
    flow.after(Duration::from_secs(15)).await;
    assert_eq!(state(&flow).await.apart, 1);
    let (by, at, until) = ("root".to_owned(), flow.now(), Some(flow.now().plus(Duration::from_hours(48))));
    let acknowledged = Some(Acknowledgement { by, at, note: None, until, severity: Some(Severity::Warning) });
    for alarm in &seeded {
        write(&flow, &Alarm { acknowledged: acknowledged.clone(), ..alarm.clone() }, 1).await;
    }
    for _ in 0..3 {
        flow.sleeps(Duration::from_hours(4));
        flow.after(Duration::from_mins(6)).await;
    }
    assert_eq!(flow.mails().last().map(String::as_str), Some("Still open: Cold store / 1 TH-10"));
    let state = state(&flow).await;
    assert_eq!((state.open_count(), flow.dead_letters().await), (MOST_OPEN + 1, 0));
}
