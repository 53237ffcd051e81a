//! Who takes a notice on takes on its whole incident, however few of its alarms the notice names.

use std::collections::BTreeMap;

use domain::{
    DeviceId,
    routing::incident::{self, Apart, MOST_OPEN, Open},
};
use records::{
    alarms::Which,
    incidents::{self, Audience, Incident},
};

use super::*;

/// Alarms of a terminal's devices, a warning of so many rules on each of a hundred devices.
async fn alarms_of(site: &Site, terminal: &str, count: u32, raised_at: Timestamp) -> Vec<Alarm> {
    let mut alarms = Vec::new();
    for number in 0..count {
        let pid = u8::try_from(number % 100).unwrap();
        let id = domain::identity::derived_id(raised_at, &[terminal, &number.to_string()]);
        let rule = format!("threshold:r{}", number / 100);
        let about = About { alarm: &id, rule: &rule, severity: Severity::Warning, since: raised_at, shadow: false };
        let raised = Change::of(ChangeKind::Raised, about, raised_at, "r 1, limits 2 ~ 3");
        alarms.push(stands(site, Source::Device(DeviceId { mac: mac(terminal), pid }), raised).await);
    }
    alarms
}

/// The incident that Ann's notice tells of, with these alarms, of which it remembers as many as it does.
async fn incident_of(site: &Site, group: &str, alarms: &[Alarm]) {
    let of = |alarm: &Alarm| {
        let Alarm { id, source, rule, severity, raised_at, .. } = alarm.clone();
        (id, Open { source, rule, severity, since: raised_at, flaps: false })
    };
    let open: BTreeMap<String, Open> = alarms.iter().take(MOST_OPEN).map(of).collect();
    let began = alarms[0].raised_at;
    let new = Incident::new(Audience::User("ann".to_owned()), group.to_owned(), "Hall".to_owned(), "t1", site.now());
    let put: BTreeMap<String, Open> = alarms.iter().skip(MOST_OPEN).map(of).collect();
    let apart = u32::try_from(put.len()).unwrap();
    let state = incident::Incident { began, open, apart, sequence: 1, ..incident::Incident::default() };
    let incident = Versioned { value: Incident { id: "i1".to_owned(), state, ..new }, version: 0 };
    let mut writes = incidents::put(&incident, None, None, site.now()).unwrap();
    let apart = Apart { put, ..Apart::default() };
    writes.extend(incidents::put_apart(&incident.value.named(), &apart).unwrap());
    for some in writes.chunks(50) {
        assert!(site.table.transact(some.to_vec()).await.unwrap().applied());
    }
}

/// How many of a terminal's alarms somebody took on.
async fn taken(site: &Site, terminal: &str) -> usize {
    let (mut taken, mut after) = (0, None);
    loop {
        let page = alarms::list(&*site.table, Which::OfTerminal(&mac(terminal)), 500, after).await.unwrap();
        taken += page.items.iter().filter(|alarm| alarm.acknowledged.is_some()).count();
        after = page.next;
        if after.is_none() {
            return taken;
        }
    }
}

#[tokio::test]
async fn the_page_says_how_many_and_all_are_taken_on_that_its_user_may_see() {
    let site = told_of(HERS).await;
    let before = site.now().minus(Duration::from_mins(1));
    let mut alarms = alarms_of(&site, HERS, 60, before).await;
    alarms.extend(alarms_of(&site, OTHER, 5, before).await);
    incident_of(&site, "rule:threshold", &alarms).await;
    let asked = site.get(&hers(&site)).send().await;
    let shown = page(&asked, StatusCode::OK);
    assert!(shown.contains("This is about 61 alarms of one incident; nobody has 61 of them on yet."), "{shown}");
    assert_eq!(taken(&site, HERS).await, 0, "it asks");
    let done = site.post(&hers(&site)).send().await;
    assert!(page(&done, StatusCode::OK).contains("All 61 alarms of the incident are taken on."), "{}", done.text);
    assert_eq!((taken(&site, HERS).await, taken(&site, OTHER).await), (61, 0), "hers alone");
    page(&site.post(&hers(&site)).send().await, StatusCode::GONE);
}

#[tokio::test]
async fn an_incident_of_thousands_is_taken_on_in_pieces_and_each_try_goes_on_where_the_one_before_ended() {
    let site = told_of(HERS).await;
    let before = site.now().minus(Duration::from_mins(1));
    let alarms = alarms_of(&site, HERS, 2300, before).await;
    let group = Source::Terminal(mac(HERS)).to_string();
    incident_of(&site, &group, &alarms).await;
    // What began after the notice, and what is over or belongs elsewhere, is none of it.
    alarms_of(&site, HERS, 7, site.now().plus(Duration::from_secs(1))).await;
    alarms_of(&site, OTHER, 7, before).await;
    for (left, said) in [
        (1301, "1000 of 2301 alarms are taken on, 1301 are left."),
        (301, "2000 of 2301 alarms are taken on, 301 are left."),
        (0, "All 2301 alarms of the incident are taken on."),
    ] {
        let answer = site.post(&hers(&site)).send().await;
        let shown = page(&answer, StatusCode::OK);
        assert!(shown.contains(said), "{shown}");
        assert_eq!(shown.contains("<form method=\"post\">"), left > 0, "it asks to go on: {shown}");
        assert_eq!(taken(&site, HERS).await, 2301 - left);
    }
    page(&site.post(&hers(&site)).send().await, StatusCode::GONE);
    assert_eq!(taken(&site, OTHER).await, 0);
}

#[tokio::test]
async fn to_snooze_is_about_what_the_notice_names() {
    let site = told_of(HERS).await;
    let before = site.now().minus(Duration::from_mins(1));
    let alarms = alarms_of(&site, HERS, 60, before).await;
    incident_of(&site, "rule:threshold", &alarms).await;
    let path = path(&links(), &Link { action: Action::SnoozeHour, ..link(&site) });
    let asked = site.get(&path).send().await;
    assert!(!page(&asked, StatusCode::OK).contains("of one incident"), "{}", asked.text);
    page(&site.post(&path).send().await, StatusCode::OK);
    assert_eq!(silenced(&site).await.len(), 1);
}
