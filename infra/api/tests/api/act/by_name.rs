//! Who is told of an alarm because a policy names them acts on it, whatever else they see.

use domain::routing::incident::{self, Open};
use records::incidents::{self, Audience, Incident};

use super::*;

/// An incident of a policy's, in which somebody was told of the alarm.
async fn told_by_a_policy(site: &Site, person: &str) -> Versioned<Incident> {
    let alarm = alarms::get(&*site.table, ALARM).await.unwrap().unwrap().value;
    let alarms::Alarm { source, rule, severity, raised_at, .. } = alarm;
    let open = Open { source, rule, severity, since: raised_at, flaps: false };
    let state = incident::Incident {
        began: alarm.raised_at,
        open: [(ALARM.to_owned(), open)].into(),
        sequence: 1,
        ..incident::Incident::default()
    };
    let new = Incident::new(Audience::Policy("p".to_owned()), "g".to_owned(), "Hall".to_owned(), "t1", site.now());
    let people = [person.to_owned()].into();
    let incident = Versioned { value: Incident { id: "i1".to_owned(), state, people, ..new }, version: 0 };
    let mut writes = incidents::put(&incident, None, None, site.now()).unwrap();
    writes.extend(incidents::put_begun(&incident.value, [ALARM], site.now()).unwrap());
    writes.extend(incidents::put_told(person, &incident.value, site.now()).unwrap());
    assert!(site.table.transact(writes).await.unwrap().applied());
    incident
}

#[tokio::test]
async fn by_link_and_by_api_they_take_on_what_they_were_told_of_and_nobody_else_does() {
    for by_link in [true, false] {
        let site = told_of(OTHER).await;
        told_by_a_policy(&site, "ann").await;
        let ann = users::get(&*site.table, "ann").await.unwrap().unwrap();
        users::put(&*site.table, &users::User { user: "carl".to_owned(), ..ann }).await.unwrap();
        let alarm = format!("/api/alarms/{ALARM}");
        site.get(&alarm).by(&site.token("ann")).send().await.fine();
        for path in [alarm.clone(), format!("{alarm}/acknowledge")] {
            let ask = if path == alarm { site.get(&path) } else { site.post(&path) };
            assert_eq!(ask.by(&site.token("carl")).send().await.status, StatusCode::NOT_FOUND, "{path}");
        }
        if by_link {
            page(&site.post(&hers(&site)).send().await, StatusCode::OK);
        } else {
            site.post(&format!("{alarm}/acknowledge")).by(&site.token("ann")).send().await.fine();
        }
        assert_eq!(word(&site).await.unwrap().by, "ann");
    }
}

#[tokio::test]
async fn they_find_the_alarm_and_the_incident_in_their_lists_and_nobody_else_does() {
    let site = told_of(OTHER).await;
    let mut incident = told_by_a_policy(&site, "ann").await;
    let ids = async |user: &str, path: &str| {
        let listed = site.seen_by(user, path).await["items"].clone();
        listed.as_array().unwrap().iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    for path in ["/api/alarms", "/api/alarms?state=active", "/api/alarms?limit=1"] {
        assert_eq!((ids("ann", path).await, ids("bob", path).await), (vec![ALARM.to_owned()], vec![]), "{path}");
    }
    assert_eq!(ids("ann", "/api/alarms?state=cleared").await, Vec::<String>::new());
    let list = "/api/alerts/incidents";
    assert_eq!((ids("ann", list).await, ids("bob", list).await), (vec!["i1".to_owned()], vec![]));
    (incident.value.state.closed, incident.version) = (true, 1);
    assert!(site.table.transact(incidents::put(&incident, None, None, site.now()).unwrap()).await.unwrap().applied());
    assert_eq!((ids("ann", "/api/alarms").await, ids("ann", list).await), (vec![], vec!["i1".to_owned()]));
}

#[tokio::test]
async fn when_the_incident_is_over_it_is_theirs_no_more() {
    let site = told_of(OTHER).await;
    let mut incident = told_by_a_policy(&site, "ann").await;
    (incident.value.state.closed, incident.version) = (true, 1);
    assert!(site.table.transact(incidents::put(&incident, None, None, site.now()).unwrap()).await.unwrap().applied());
    assert_eq!(site.post(&hers(&site)).send().await.status, StatusCode::FORBIDDEN);
    let asked = site.get(&format!("/api/alarms/{ALARM}")).by(&site.token("ann")).send().await;
    assert_eq!(asked.status, StatusCode::NOT_FOUND);
    assert_eq!(word(&site).await, None);
}
