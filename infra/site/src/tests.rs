use std::sync::Arc;

use boot::{SystemClock, SystemDice};
use records::{nodes, sites, users};
use serde_json::{Value, json};
use table::MemoryTable;

use super::*;

fn table() -> MemoryTable {
    MemoryTable::new(Arc::new(SystemClock))
}

fn site(document: &Value) -> Site {
    Site::parse(document.to_string().as_bytes()).unwrap()
}

#[tokio::test]
async fn whatever_is_wrong_with_a_site_is_said_at_once_and_nothing_is_stored() {
    let table = table();
    let known = site(&json!({ "nodes": [{ "Name": "dale", "IP": "10.0.0.9" }] }));
    known.import(&table, &SystemClock, &SystemDice).await.unwrap();
    let site = site(&json!({
        "constants": [{ "Protocol": "nothing", "OprateInstruct": [{ "name": " ", "value": "06" }] }],
        "nodes": [
            { "Name": "a", "token": "same" }, { "Name": "b", "token": "same" },
            { "Name": "c", "IP": "10.0.0.1" }, { "Name": "d", "IP": "10.0.0.1" }, { "Name": "e", "IP": "10.0.0.9" },
        ],
        "terminals": [{ "DevMac": "AABBCCDDEE01", "name": "t", "mountNode": "a", "site": "a\nb" }],
        "users": [{
            "user": "root", "passwd": "x".repeat(2000), "userGroup": "root", "mail": "not a mail",
            "webhook": { "url": "ftp://x", "secret": "s" }, "tel": "12",
        }, { "user": "*", "passwd": "long enough", "userGroup": "user" }],
    }));
    let refused = site.import(&table, &SystemClock, &SystemDice).await.unwrap_err().to_string();
    for fault in [
        "constants of nothing: there is no such protocol",
        "constants of nothing: OprateInstruct[0]",
        "node b: node a is known by this token already",
        "node d: node c is known by this address already",
        "node e: node dale is known by this address already",
        "user root: a password has 8 to 1024 bytes",
        "user root: \"not a mail\" is no e-mail address",
        "user root: \"12\" is no telephone number",
        "terminal AABBCCDDEE01: a site has",
        "user *: this name stands for everybody",
        "user root: a webhook is http:// or https://",
    ] {
        assert!(refused.contains(fault), "{fault}:\n{refused}");
    }
    assert!(nodes::get(&table, "a").await.unwrap().is_none());
    assert!(!refused.contains("same"), "a token is not shown");
}

#[test]
fn what_is_no_object_of_known_parts_is_no_site() {
    for text in ["[]", "[[], [], [], [], []]", "null", "7", "\"a file?\"", "{\"nods\": []}", "{", ""] {
        assert!(matches!(Site::parse(text.as_bytes()), Err(SiteError::NotUnderstood(_))), "{text}");
    }
    assert_eq!(Site::parse(b"{}").unwrap().counts().users, 0);
}

#[tokio::test]
async fn a_users_telephone_number_is_kept_as_the_networks_write_it() {
    let table = table();
    let user =
        |name: &str, tel: &str| json!({ "user": name, "passwd": "long enough", "userGroup": "user", "tel": tel });
    let site = site(&json!({ "users": [user("ann", "13800138000"), user("bob", "")] }));
    site.import(&table, &SystemClock, &SystemDice).await.unwrap();
    let ann = users::get(&table, "ann").await.unwrap().unwrap();
    assert_eq!(ann.phone.as_deref(), Some("+8613800138000"));
    assert_eq!(users::get(&table, "bob").await.unwrap().unwrap().phone, None);
}

#[tokio::test]
async fn a_terminal_is_put_at_a_site_stays_there_and_is_taken_from_it() {
    let table = table();
    let mac = "AABBCCDDEE01".parse().unwrap();
    let told = |site: Option<&str>| {
        let mut terminal = json!({ "DevMac": "AABBCCDDEE01", "name": "t", "mountNode": "a" });
        terminal.as_object_mut().unwrap().extend(site.map(|site| ("site".to_owned(), json!(site))));
        json!({ "nodes": [{ "Name": "a", "token": "t" }], "terminals": [terminal] })
    };
    for (said, at) in [(None, None), (Some("North"), Some("North")), (None, Some("North")), (Some(""), None)] {
        site(&told(said)).import(&table, &SystemClock, &SystemDice).await.unwrap();
        assert_eq!(sites::of(&table, &mac).await.unwrap().as_deref(), at, "{said:?}");
    }
}
