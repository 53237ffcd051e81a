//! Every key of the configuration, from the comments and defaults of the settings themselves: they cannot drift apart.

use std::fmt::Write;

use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::Config;

/// How wide a line is at most.
const WIDTH: usize = 100;

/// One key that can be set.
#[derive(Debug, PartialEq)]
struct Setting {
    /// `notify.smtp.url`.
    key: String,
    /// As TOML has it; none when it must be given.
    default: Option<String>,
    /// What it means.
    meaning: String,
}

/// Every key, its default, its variable and its meaning.
pub(super) fn text() -> String {
    let mut text = String::from(
        "# Every key of the configuration (TOML), its default, and the variable that stands over it.\n\
         # A group of which every key must be given may be left out as a whole.\n",
    );
    for setting in settings() {
        let default = setting.default.as_deref().unwrap_or("must be given");
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n{} = {default}\n    {}", setting.key, variable(&setting.key));
        for line in wrapped(&setting.meaning) {
            let _ = writeln!(text, "    {line}");
        }
    }
    text
}

fn variable(key: &str) -> String {
    format!("TELLTALE_{}", key.to_uppercase().replace('.', "__"))
}

fn settings() -> Vec<Setting> {
    let schema = SchemaSettings::default().with(|settings| settings.inline_subschemas = true);
    let schema = Value::from(schema.into_generator().into_root_schema_for::<Config>());
    let mut settings = Vec::new();
    collect("", &schema, &mut settings);
    settings
}

/// The settings in a table's schema, its own before those of the tables in it.
fn collect(table: &str, schema: &Value, found: &mut Vec<Setting>) {
    let Some(properties) = schema["properties"].as_object() else { return };
    let (tables, keys): (Vec<_>, Vec<_>) = properties.iter().partition(|(_, schema)| table_in(schema).is_some());
    let path = |name: &str| if table.is_empty() { name.to_owned() } else { format!("{table}.{name}") };
    for (name, schema) in keys {
        let meaning = schema["description"].as_str().unwrap_or_default().split_whitespace();
        let meaning = meaning.collect::<Vec<_>>().join(" ");
        found.push(Setting { key: path(name), default: default(schema), meaning });
    }
    for (name, schema) in tables {
        collect(&path(name), table_in(schema).unwrap_or(schema), found);
    }
}

/// The table that a key holds, though it may be left out.
fn table_in(schema: &Value) -> Option<&Value> {
    let choices = schema["anyOf"].as_array().into_iter().flatten();
    std::iter::once(schema).chain(choices).find(|schema| schema["properties"].is_object())
}

fn default(schema: &Value) -> Option<String> {
    match schema.get("default")? {
        Value::Null => Some("none".to_owned()),
        default => Some(default.to_string()),
    }
}

fn wrapped(text: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < WIDTH => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    fn setting(key: &str) -> Setting {
        settings().into_iter().find(|setting| setting.key == key).unwrap()
    }

    #[test]
    fn every_key_says_what_it_means() {
        for setting in settings() {
            assert!(setting.meaning.len() > 10, "{} says nothing", setting.key);
        }
        assert!(settings().len() > 12);
    }

    #[test]
    fn a_default_is_what_holds_without_the_key() {
        assert_eq!(setting("listen").default.as_deref(), Some("\"127.0.0.1:8080\""));
        assert_eq!(setting("import").default.as_deref(), Some("none"));
        assert_eq!(setting("notify.smtp.url").default, None);
        let window = Config::default().schedule.window_ms;
        assert_eq!(setting("schedule.window_ms").default, Some(window.to_string()));
    }

    #[test]
    fn every_key_of_the_defaults_is_explained_and_none_else_but_those_of_groups_that_are_left_out() {
        fn keys(path: &str, value: &Value, found: &mut Vec<String>) {
            match value {
                Value::Object(members) => {
                    let path = |name: &str| if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") };
                    members.iter().for_each(|(name, member)| keys(&path(name), member, found));
                }
                _ => found.push(path.to_owned()),
            }
        }
        let mut there = Vec::new();
        keys("", &serde_json::to_value(Config::default()).unwrap(), &mut there);
        let groups = ["notify.smtp", "notify.aliyun_sms", "notify.wechat", "platform.webhook", "redis"];
        there.retain(|key| !groups.contains(&key.as_str()));
        let of =
            |group: &'static str, keys: &'static str| keys.split(' ').map(move |key| format!("notify.{group}.{key}"));
        there.extend(of("aliyun_sms", "access_key_id access_key_secret sign_name zone endpoint"));
        there.extend(of("aliyun_sms.templates", "code device terminal argument"));
        there.extend(of("wechat", "app_id app_secret template_id mini_program zone endpoint"));
        there.extend(["notify.smtp.url", "notify.smtp.from"].map(str::to_owned));
        there.extend(["platform.webhook.url", "platform.webhook.secret"].map(str::to_owned));
        there.extend(
            ["redis.url", "redis.namespace", "redis.may_forget", "redis.trust_durability", "redis.queue"]
                .map(str::to_owned),
        );
        there.sort();
        let mut explained: Vec<String> = settings().into_iter().map(|setting| setting.key).collect();
        explained.sort();
        assert_eq!(explained, there);
    }

    #[test]
    fn a_key_is_explained_with_its_variable() {
        let text = text();
        assert!(
            text.contains("\nschedule.window_ms = 5000\n    TELLTALE_SCHEDULE__WINDOW_MS\n    How much work"),
            "{text}"
        );
    }
}
