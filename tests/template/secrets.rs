//! No secret stands in the template, in its parameters or in what anybody is told in the clear.

use serde_json::{Value, json};

use super::stack::{functions, properties, section, target};
use crate::sources::read;

#[test]
fn no_parameter_is_a_secret() {
    for (name, parameter) in section("Parameters") {
        assert!(parameter.get("NoEcho").is_none(), "{name} is a secret: have its ARN told instead");
    }
    assert!(!read("template.yaml").contains("{{resolve:"), "a secret would stand where it is resolved to");
}

#[test]
fn a_function_is_told_where_a_secret_is_and_never_what_it_is() {
    for (_, name, function) in functions() {
        for (variable, value) in function["Environment"]["Variables"].as_object().unwrap() {
            assert!(!variable.ends_with("_KEY") && !variable.ends_with("PASSWORD"), "{name}: {variable}");
            if variable.ends_with("_SECRET") {
                let told = if value["Fn::If"].is_array() { &value["Fn::If"][1] } else { value };
                let told = target(told).unwrap_or_else(|| panic!("{name}: {variable} is {value}"));
                let known = ["SigningKey", "SmtpUrlSecretArn", "AliyunSmsSecretArn", "WeChatSecretArn"];
                assert!(known.contains(&told), "{name}: {variable} is {told}");
            }
        }
    }
}

#[test]
fn the_signing_key_is_made_by_aws_and_long_enough() {
    let made = &properties("AWS::SecretsManager::Secret", "SigningKey")["GenerateSecretString"];
    assert_eq!(made, &json!({ "PasswordLength": 64, "ExcludePunctuation": true }));
}

#[test]
fn the_broker_gets_the_signing_key_from_ecs_and_not_in_the_clear() {
    let container = &properties("AWS::ECS::TaskDefinition", "BrokerTask")["ContainerDefinitions"][0];
    assert_eq!(container["Secrets"], json!([{ "Name": "TELLTALE_SIGNING_KEY", "ValueFrom": { "Ref": "SigningKey" } }]));
    let told: Vec<&Value> = container["Environment"].as_array().unwrap().iter().collect();
    assert!(told.iter().all(|variable| variable["Name"] != "TELLTALE_SIGNING_KEY"), "{told:?}");
}
