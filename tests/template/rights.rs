//! Who may do what. `rights.txt` has all of it: a change of rights shows there, and is meant or not.
//!
//! A right on more than one named thing (`*` in its resource, or all but some) has a line `# Wildcard: <why>` right above its
//! statement in the template. There is none on more than one named action.

use std::collections::BTreeSet;

use serde_json::Value;

use super::stack::{all, functions, properties, target};
use crate::sources::{camel, read};

/// A statement of a role's policy, and whose it is.
struct Right {
    role: &'static str,
    statement: &'static Value,
}

#[test]
fn nobody_may_do_more_than_is_written_down() {
    let mut now = String::new();
    let mut role = "";
    for right in rights() {
        if right.role != role {
            role = right.role;
            now = format!("{now}{}{role}\n", if now.is_empty() { "" } else { "\n" });
        }
        now = format!("{now}    {}\n", right.in_words());
    }
    assert!(now == include_str!("rights.txt"), "rights.txt is not what the template says, which is:\n{now}");
}

#[test]
fn nobody_may_do_all_of_anything() {
    for right in rights() {
        assert!(!right.in_words().split(" on ").next().unwrap().contains('*'), "{}: {}", right.role, right.in_words());
        assert!(right.statement.get("NotAction").is_none(), "{}: {}", right.role, right.in_words());
    }
}

#[test]
fn a_right_on_more_than_one_named_thing_says_why() {
    let template = read("template.yaml");
    let wide: Vec<Right> = rights().into_iter().filter(Right::is_wide).collect();
    for right in &wide {
        let why = right.comment(&template);
        assert!(why.is_some_and(|why| why.len() > 20), "{} has no # Wildcard: {}", right.role, right.in_words());
    }
    let said = template.lines().filter(|line| line.trim_start().starts_with("# Wildcard: ")).count();
    assert_eq!(said, wide.len(), "a # Wildcard: stands above a right that is not one");
}

#[test]
fn a_role_is_one_functions_alone_and_has_no_other_rights() {
    let mut taken = BTreeSet::new();
    for (program, name, function) in functions() {
        let role = target(&function["Role"]).unwrap_or_else(|| panic!("{name} has a role from elsewhere"));
        assert_eq!(role, format!("{}Role", camel(program)));
        assert!(taken.insert(role));
    }
    for (name, role) in all("AWS::IAM::Role") {
        assert!(role["Properties"].get("ManagedPolicyArns").is_none(), "{name}: what AWS gives with it is too wide");
    }
    for kind in ["AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy"] {
        assert!(all(kind).is_empty(), "a right stands outside its role");
    }
}

#[test]
fn a_function_may_write_its_own_log_and_no_other() {
    for (program, name, function) in functions() {
        let log = target(&function["LoggingConfig"]["LogGroup"]).unwrap();
        let words = format!("logs:CreateLogStream, logs:PutLogEvents on {log}");
        let role = format!("{}Role", camel(program));
        let theirs: Vec<String> = rights().iter().filter(|right| right.role == role).map(Right::in_words).collect();
        assert_eq!(theirs.iter().filter(|right| right.contains("logs:")).collect::<Vec<_>>(), [&words], "{name}");
    }
}

/// Every statement of every role, the roles by name. Of one that a condition decides about, what it says if it is there.
fn rights() -> Vec<Right> {
    let mut rights = Vec::new();
    for (role, _) in all("AWS::IAM::Role") {
        let policies = properties("AWS::IAM::Role", role)["Policies"].as_array().unwrap();
        for statement in policies.iter().flat_map(|policy| policy["PolicyDocument"]["Statement"].as_array().unwrap()) {
            let statement = if statement["Fn::If"].is_array() { &statement["Fn::If"][1] } else { statement };
            assert_eq!(statement["Effect"], "Allow", "{role}");
            rights.push(Right { role, statement });
        }
    }
    rights
}

impl Right {
    fn in_words(&self) -> String {
        let mut actions: Vec<&str> =
            list(&self.statement["Action"]).iter().map(|action| action.as_str().unwrap()).collect();
        actions.sort_unstable();
        let mut words = format!("{} on {}", actions.join(", "), self.resources().join(", "));
        for (operator, keys) in self.statement["Condition"].as_object().into_iter().flatten() {
            for (key, values) in keys.as_object().unwrap() {
                let values: Vec<String> = list(values).iter().map(|value| name(value)).collect();
                words = format!("{words}, if {key} {operator} {}", values.join(", "));
            }
        }
        words
    }

    fn resources(&self) -> Vec<String> {
        let (resources, all_but) = match self.statement.get("NotResource") {
            Some(excepted) => (excepted, "all but "),
            None => (&self.statement["Resource"], ""),
        };
        let mut names: Vec<String> =
            list(resources).iter().map(|resource| format!("{all_but}{}", name(resource))).collect();
        names.sort_unstable();
        names
    }

    fn is_wide(&self) -> bool {
        self.resources().iter().any(|resource| resource.contains('*') || resource.starts_with("all but "))
    }

    /// The reason that stands right above the statement in the template.
    fn comment(&self, template: &str) -> Option<String> {
        let sid = self.statement["Sid"].as_str()?;
        let role = template.split_once(&format!("\n  {}:\n", self.role))?.1;
        let lines: Vec<&str> = role.lines().map(str::trim).collect();
        let begins = |line: &&str| {
            let rest =
                line.trim_start_matches(['-', '{', ' ']).strip_prefix("Sid: ").and_then(|rest| rest.strip_prefix(sid));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(','))
        };
        let at = lines.iter().position(begins)?;
        let mut above = lines[..at].iter().rev().take_while(|line| line.starts_with('#'));
        above.find_map(|line| line.strip_prefix("# Wildcard: ")).map(str::to_owned)
    }
}

/// One value, or several.
fn list(value: &Value) -> Vec<&Value> {
    value.as_array().map_or_else(|| vec![value], |values| values.iter().collect())
}

/// What a resource is called in the template; of an ARN that is made up, its end.
fn name(value: &Value) -> String {
    let value = if value["Fn::If"].is_array() { &value["Fn::If"][1] } else { value };
    let text = value.as_str().or(value["Fn::Sub"].as_str());
    match (target(value), text) {
        (Some(name), _) => name.to_owned(),
        (None, Some(arn)) if arn.starts_with("arn:${AWS::Partition}:") => {
            arn["arn:${AWS::Partition}:".len()..].replace("${AWS::Region}:${AWS::AccountId}:", "")
        }
        (None, Some(text)) => text.to_owned(),
        (None, None) => panic!("a resource is not understood: {value}"),
    }
}
