use domain::{Source, Timestamp};
use records::{
    Table,
    notices::{self, Attempt, Notice, NoticeStatus},
};
use serde_json::{Value, json};

use crate::site::{HERS, Site, mac};

async fn told(site: &Site, user: &str, id: &str) {
    let notice = Notice {
        id: id.to_owned(),
        user: user.to_owned(),
        channel: "email".to_owned(),
        source: Source::Terminal(mac(HERS)),
        transition: "t1".to_owned(),
        transitions: vec!["t1".to_owned()],
        incident: "i1".to_owned(),
        sequence: 1,
        subject: "offline".to_owned(),
        text: "The terminal is offline.".to_owned(),
        at: site.now(),
        status: NoticeStatus::Sent,
        attempts: vec![Attempt { at: Timestamp(1_700_000_000_000), outcome: "250 ok".to_owned() }],
        way: notices::Way::default(),
        facts: None,
    };
    assert!(site.table.write(notices::put_new(&notice).unwrap()).await.unwrap().applied());
}

#[tokio::test]
async fn everybody_sees_what_they_were_told_and_how_that_went() {
    let site = Site::new().await;
    told(&site, "ann", "n1").await;
    told(&site, "root", "n2").await;
    let list = site.seen_by("ann", "/api/notices").await;
    let expected = json!([{
        "id": "n1",
        "channel": "email",
        "source": { "kind": "terminal", "mac": HERS },
        "transition": "t1",
        "transitions": ["t1"],
        "incident": "i1",
        "sequence": 1,
        "alarms": [],
        "subject": "offline",
        "text": "The terminal is offline.",
        "at": site.now().rfc3339(),
        "status": "sent",
        "next": null,
        "instead_of": null,
        "told_by": null,
        "attempts": [{ "at": "2023-11-14T22:13:20.000Z", "outcome": "250 ok" }],
    }]);
    assert_eq!(list["items"], expected);
    assert_eq!(site.seen_by("bob", "/api/notices").await["items"], json!([]));
}

#[tokio::test]
async fn notices_are_paged_newest_first() {
    let site = Site::new().await;
    for id in ["n1", "n2", "n3"] {
        told(&site, "ann", id).await;
    }
    let first = site.seen_by("ann", "/api/notices?limit=2").await;
    let next = first["next"].as_str().unwrap();
    let second = site.seen_by("ann", &format!("/api/notices?limit=2&after={next}")).await;
    let ids = |page: &Value| page["items"].as_array().unwrap().iter().map(|n| n["id"].clone()).collect::<Vec<_>>();
    assert_eq!((ids(&first), ids(&second)), (vec![json!("n3"), json!("n2")], vec![json!("n1")]));
    assert_eq!(second["next"], Value::Null);
}
