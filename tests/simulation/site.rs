//! Where it happens: a node, two terminals, three sensors, and the people who are to hear of them, or are not.

use std::collections::BTreeMap;

use domain::{Mac, Pid, Source, Timestamp, protocol::ConstantsDocument, protocol::ThresholdDocument};
use records::{
    Table,
    alarm_setups::{self, AlarmSetup},
    locale::Locale,
    nodes,
    routing::{self, Policy, Written},
    terminals::{self, Device},
    users::{self, Role, User, Webhook},
};
use telltale_tests::flow;

use super::world::{World, at_once};

/// The one node.
pub(super) const NODE: &str = "n1";

/// The terminals, and the addresses of the sensors on the line of each.
pub(super) const TERMINALS: [(&str, &[Pid]); 2] = [(flow::MAC, &[1, 2]), ("98D863CC870E", &[1])];

/// Somebody.
pub(super) struct Person {
    /// What they sign in as.
    pub(super) name: &'static str,
    /// Whether they see everything.
    pub(super) is_admin: bool,
    /// The terminals that are bound to them.
    pub(super) sees: &'static [&'static str],
    /// Where they can be reached.
    pub(super) channels: &'static [&'static str],
    /// The most degrees that they call normal, where they have a setup of their own.
    pub(super) own_most: Option<f64>,
}

/// Everybody. `tech` is there already; `bob` sees nothing, so nobody may tell him anything.
pub(super) const PEOPLE: [Person; 4] = [
    Person {
        name: "tech",
        is_admin: false,
        sees: &[flow::MAC, "98D863CC870E"],
        channels: &["email", "webhook"],
        own_most: None,
    },
    Person { name: "ann", is_admin: false, sees: &[flow::MAC], channels: &["email"], own_most: Some(OWN_MOST) },
    Person { name: "root", is_admin: true, sees: &[], channels: &["webhook"], own_most: None },
    Person { name: "bob", is_admin: false, sees: &[], channels: &["email", "webhook"], own_most: None },
];

const OWN_MOST: f64 = 35.0;

/// The addresses of the sensors behind a terminal.
pub(super) fn pids(mac: &Mac) -> &'static [Pid] {
    TERMINALS.iter().find(|(known, _)| *known == mac.as_str()).map_or(&[], |(_, pids)| pids)
}

/// Whether somebody may see what a source says.
pub(super) fn may_see(person: &Person, source: &Source) -> bool {
    let is_seen = match source {
        // Everything hangs on the one node.
        Source::Node(_) => !person.sees.is_empty(),
        source => source.mac().is_some_and(|mac| person.sees.contains(&mac.as_str())),
    };
    person.is_admin || is_seen
}

/// Registers all of them.
pub(super) fn furnish(world: &World) {
    let table = world.table.as_ref();
    at_once(flow::furnish(table, world.now()));
    at_once(furnish_terminals(table));
    at_once(furnish_people(table));
    at_once(furnish_policy(table, world.now()));
    let setup = |own_most| ConstantsDocument {
        protocol: protocol(world),
        threshold: vec![ThresholdDocument {
            name: "temperature".to_owned(),
            min: None,
            max: Some(own_most),
            deadband: None,
        }],
        alarm_stat: Vec::new(),
        operations: Vec::new(),
    };
    for (person, own_most) in PEOPLE.iter().filter_map(|person| Some((person, person.own_most?))) {
        let setup = AlarmSetup { user: person.name.to_owned(), since: world.now(), constants: setup(own_most) };
        at_once(alarm_setups::put(table, &setup)).unwrap();
    }
}

/// The protocol that all sensors speak.
pub(super) fn protocol(world: &World) -> String {
    at_once(terminals::get(world.table.as_ref(), &flow::mac())).unwrap().unwrap().devices[0].protocol.clone()
}

/// Opens the node's session as its broker does.
pub(super) fn open_session(world: &World, connection: u64) {
    let session = nodes::Session {
        node: NODE.to_owned(),
        broker: BROKER.to_owned(),
        connection: connection.to_string(),
        since: world.now(),
        ready: true,
    };
    at_once(nodes::open_session(world.table.as_ref(), &session)).unwrap();
}

/// Closes it.
pub(super) fn close_session(world: &World, connection: u64) {
    let connection = connection.to_string();
    let _ = at_once(nodes::close_session(world.table.as_ref(), NODE, BROKER, &connection)).unwrap();
}

const BROKER: &str = "b1";

async fn furnish_terminals(table: &dyn Table) {
    let known = terminals::get(table, &flow::mac()).await.unwrap().unwrap();
    for (mac, pids) in TERMINALS {
        let devices = pids.iter().map(|pid| Device { pid: *pid, ..known.devices[0].clone() }).collect();
        let terminal = terminals::Terminal {
            mac: mac.parse().unwrap(),
            name: format!("Store {mac}"),
            devices,
            info: BTreeMap::new(),
            ..known.clone()
        };
        terminals::put(table, &terminal).await.unwrap();
    }
}

/// Names somebody who sees all of it anyway, at once: nothing more is told by it, whatever dies in the middle.
async fn furnish_policy(table: &dyn Table, now: Timestamp) {
    let policy = serde_json::json!({
        "name": "all", "scope": { "kind": "everywhere" }, "enabled": true, "least": "info",
        "steps": [{ "after_ms": 0, "users": ["tech"] }],
    });
    let value: Policy = serde_json::from_value(policy).unwrap();
    let written = Written { id: "all".to_owned(), version: 1, changed_at: now, changed_by: "root".to_owned(), value };
    assert!(routing::put(table, &written).await.unwrap());
}

async fn furnish_people(table: &dyn Table) {
    for person in PEOPLE {
        let is_reached = |channel: &str| person.channels.contains(&channel);
        let user = User {
            user: person.name.to_owned(),
            name: person.name.to_owned(),
            password_hash: String::new(),
            role: if person.is_admin { Role::Admin } else { Role::User },
            mail: is_reached("email").then(|| format!("{}@example.org", person.name)),
            phone: None,
            wechat: None,
            webhook: is_reached("webhook").then(|| Webhook {
                url: format!("https://example.org/{}", person.name),
                secret: "whsec_AAAA".to_owned(),
            }),
            locale: Locale::default(),
        };
        users::put(table, &user).await.unwrap();
        for mac in person.sees {
            users::bind(table, person.name, &mac.parse().unwrap()).await.unwrap();
        }
    }
}
