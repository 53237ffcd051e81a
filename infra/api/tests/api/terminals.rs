use records::{
    Table,
    terminals::{self, Presence},
};
use serde_json::{Value, json};

use crate::site::{HERS, OTHER, Site, mac};

fn macs(list: &Value) -> Vec<&str> {
    list["items"].as_array().unwrap().iter().map(|terminal| terminal["mac"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn everybody_sees_the_terminals_that_are_theirs() {
    let site = Site::new().await;
    for (user, expected) in [("root", vec![HERS, OTHER]), ("ann", vec![HERS]), ("bob", vec![])] {
        assert_eq!(macs(&site.seen_by(user, "/api/terminals").await), expected, "{user}");
    }
}

#[tokio::test]
async fn a_terminal_is_shown_with_its_standing_and_its_devices() {
    let site = Site::new().await;
    let path = format!("/api/terminals/{HERS}");
    let never_heard_of = site.seen_by("ann", &path).await;
    assert_eq!((&never_heard_of["presence"], &never_heard_of["since"]), (&json!("unknown"), &Value::Null));

    let mut standing = terminals::standing(&*site.table, &mac(HERS)).await.unwrap();
    standing.value.presence = Presence::Online;
    standing.value.since = domain::Timestamp(1_700_000_000_000);
    let write = terminals::put_standing(&mac(HERS), &standing).unwrap();
    assert!(site.table.write(write).await.unwrap().applied());

    let expected = json!({
        "mac": HERS,
        "name": format!("terminal {HERS}"),
        "node": "node-1",
        "presence": "online",
        "since": "2023-11-14T22:13:20.000Z",
        "devices": [
            { "pid": 1, "model": "sensor model", "kind": "sensor", "protocol": "sensor protocol" },
            { "pid": 2, "model": "UPS model", "kind": "UPS", "protocol": "UPS protocol" },
        ],
    });
    assert_eq!(site.seen_by("ann", &path).await, expected);
    assert_eq!(site.seen_by("ann", &path.to_lowercase()).await, expected);
    assert_eq!(site.seen_by("ann", "/api/terminals").await["items"], json!([expected]));
}

#[tokio::test]
async fn pages_go_on_where_they_ended() {
    let site = Site::new().await;
    records::users::bind(&*site.table, "ann", &mac(OTHER)).await.unwrap();
    for user in ["root", "ann"] {
        let first = site.seen_by(user, "/api/terminals?limit=1").await;
        assert_eq!(macs(&first), [HERS]);
        let next = first["next"].as_str().unwrap();
        let second = site.seen_by(user, &format!("/api/terminals?limit=10&after={next}")).await;
        assert_eq!((macs(&second), &second["next"]), (vec![OTHER], &Value::Null), "{user}");
        let of_another_list = format!("/api/alarms?after={next}");
        let answer = site.get(&of_another_list).by(&site.token(user)).send().await;
        assert_eq!(answer.problem(400), "bad-cursor");
    }
}
