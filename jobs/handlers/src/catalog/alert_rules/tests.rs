use std::collections::BTreeMap;

use domain::{
    DeviceId, Need,
    alarm::{Comparison, Condition, Severity},
    script::NoScripts,
};
use records::{alert_rules::rule_id, terminals::Device};
use serde_json::json;

use super::*;
use crate::catalog::{Stored, model};

fn rule(id: &str, target: Target, scope: Scope) -> AlertRule {
    let rule = Rule::new(rule_id(None, id), Condition::Missed { more_than: 1 }, Severity::Info);
    let (name, by, at) = (id.to_owned(), "root".to_owned(), Timestamp(0));
    AlertRule {
        id: id.to_owned(),
        name,
        owner: None,
        target,
        scope,
        replaces: None,
        recipients: Recipients::default(),
        enabled: true,
        rule,
        version: 1,
        changed_at: at,
        changed_by: by,
    }
}

fn terminal(mac: &str, kind: &str) -> Terminal {
    let (model, kind, protocol) = ("m".to_owned(), kind.to_owned(), "p".to_owned());
    Terminal {
        mac: mac.parse().unwrap(),
        name: mac.to_owned(),
        node: "n".to_owned(),
        devices: vec![Device { pid: 1, model, kind, protocol, min_interval_ms: 0 }],
        iccid: None,
        data_plan: None,
        info: BTreeMap::new(),
    }
}

fn found<'a>(rules: &'a AlertRules, source: &Source, terminal: Option<&Terminal>) -> Vec<&'a str> {
    let places = rules.concerning(source, terminal, None);
    places.into_iter().map(|place| rules.at(place).unwrap().rule.id.as_str()).collect()
}

#[test]
fn a_device_is_concerned_by_the_enabled_rules_of_its_scopes() {
    let one = terminal("AABBCCDDEE01", "th");
    let (mac, device) = (one.mac.clone(), one.device_id(1));
    let of = |id: &str, scope: Scope| Ok(rule(id, Target::Device, scope));
    let rules = AlertRules::of(vec![
        of("all", Scope::Everywhere),
        Ok(AlertRule { enabled: false, ..rule("off", Target::Device, Scope::Everywhere) }),
        of("kind", Scope::DeviceType { device_type: "th".to_owned() }),
        of("node", Scope::Node { node: "n".to_owned() }),
        of("terminal", Scope::Terminal { mac: mac.clone() }),
        of("device", Scope::Device(device.clone())),
        Ok(rule("lost", Target::Terminal, Scope::Terminal { mac })),
        Err(TableError::Damaged("a rule".to_owned())),
    ]);
    let all = ["rule:all", "rule:kind", "rule:node", "rule:terminal", "rule:device"];
    assert_eq!(found(&rules, &Source::Device(device), Some(&one)), all);
    let ups = terminal("AABBCCDDEE02", "ups");
    let other = Source::Device(DeviceId { mac: ups.mac.clone(), pid: 1 });
    assert_eq!(found(&rules, &other, Some(&ups)), ["rule:all", "rule:node"]);
    assert_eq!(found(&rules, &Source::Terminal(one.mac.clone()), Some(&one)), ["rule:lost"]);
}

#[test]
fn what_devices_hang_on_is_concerned_by_rules_of_its_own_kind_alone() {
    let rules = AlertRules::of(
        Target::ALL
            .map(|target| Ok(rule(&format!("{target:?}"), target, Scope::Everywhere)))
            .into_iter()
            .chain([
                Ok(rule("node", Target::Node, Scope::Node { node: "n".to_owned() })),
                Ok(rule("part", Target::Platform, Scope::Part { part: "broker:1".to_owned() })),
            ])
            .collect(),
    );
    let need = |part: &str| Source::Platform(Need { part: part.to_owned(), needs: "queue".to_owned() });
    assert_eq!(found(&rules, &Source::Node("n".to_owned()), None), ["rule:Node", "rule:node"]);
    assert_eq!(found(&rules, &Source::Node("m".to_owned()), None), ["rule:Node"]);
    assert_eq!(found(&rules, &need("broker:1"), None), ["rule:Platform", "rule:part"]);
    assert_eq!(found(&rules, &need("broker:2"), None), ["rule:Platform"]);
}

#[test]
fn a_rule_that_is_tried_out_or_off_takes_the_place_of_none() {
    let since = Timestamp(5);
    let instead = Some(Replaced { rule: "offline".to_owned(), since });
    let own = AlertRule {
        owner: Some("ann".to_owned()),
        replaces: instead,
        ..rule("a", Target::Terminal, Scope::Everywhere)
    };
    let mut shadow = own.clone();
    shadow.rule.shadow = true;
    let off = AlertRule { enabled: false, ..own.clone() };
    let one = terminal("AABBCCDDEE01", "th");
    let source = Source::Terminal(one.mac.clone());
    let replacing = |rule: AlertRule| AlertRules::of(vec![Ok(rule)]).replacing(&source, Some(&one), None);
    let setup = Setup { user: "ann".to_owned(), since, replaces: ["offline".to_owned()].into(), rules: Vec::new() };
    assert_eq!(replacing(own), [setup]);
    assert_eq!((replacing(shadow), replacing(off)), (Vec::new(), Vec::new()));
}

#[test]
fn what_is_watched_alike_is_made_once() {
    let rules = AlertRules::of(vec![Ok(rule("all", Target::Device, Scope::Everywhere))]);
    let watched = |places: &[usize]| Watched { protocol: "p".to_owned(), rules: places.to_vec(), ..Watched::default() };
    let mut made = 0;
    for places in [&[0][..], &[0], &[], &[0]] {
        rules.set(watched(places), None, |_| {
            made += 1;
            RuleSet::default()
        });
    }
    assert_eq!(made, 2);
}

#[test]
fn a_device_is_concerned_by_the_rules_that_look_at_what_its_protocol_tells_of_and_at_silence() {
    let field = json!({ "name": "warmth", "enName": "w", "regx": "1-2", "bl": "0.1", "unit": "" });
    let instruct = json!({ "name": "0300000001", "isUse": true, "resultType": "hex", "formResize": [field] });
    let protocol = serde_json::from_value(json!({ "Protocol": "p", "Type": 485, "instruct": [instruct] })).unwrap();
    let model = model(&Stored { protocol, constants: None, setups: Vec::new() }, &NoScripts).unwrap();
    let above =
        |name: &str| Condition::Compare { name: name.to_owned(), is: Comparison::Greater, to: 5.0, deadband: 0.0 };
    let silence = || Condition::NoData { after: std::time::Duration::from_mins(5) };
    let conditions = [
        ("other", above("damp")),
        ("this", above("warmth")),
        ("silence", silence()),
        ("both", Condition::All { of: vec![above("damp"), above("warmth")] }),
        ("or silence", Condition::Any { of: vec![above("damp"), silence()] }),
        ("fault", above("ups_fault")),
    ];
    let rules = AlertRules::of(
        conditions
            .map(|(id, condition)| {
                let mut rule = rule(id, Target::Device, Scope::Everywhere);
                rule.rule.condition = condition;
                Ok(rule)
            })
            .into(),
    );
    let one = terminal("AABBCCDDEE01", "th");
    let device = Source::Device(one.device_id(1));
    let concerned = |model: Option<&Model>| rules.concerning(&device, Some(&one), model);
    assert_eq!(concerned(Some(&model)), [1, 2, 3, 4, 5]);
    assert_eq!(concerned(None), [0, 1, 2, 3, 4, 5], "nobody knows what it has");
}
