//! The HTTP API at the gateway.

use serde_json::json;

use super::stack::{properties, resource, target};

#[test]
fn every_request_goes_to_the_function_which_checks_the_token_itself() {
    let body = &properties("AWS::ApiGatewayV2::Api", "HttpApi")["Body"];
    let paths = body["paths"].as_object().unwrap();
    assert_eq!(paths.len(), 1, "{body}");
    let any = &paths["$default"]["x-amazon-apigateway-any-method"];
    assert!(any.get("security").is_none() && body.get("components").is_none(), "the gateway authorizes: {body}");
    let integration = &any["x-amazon-apigateway-integration"];
    assert_eq!(integration["payloadFormatVersion"], "2.0");
    assert!(integration["uri"].to_string().contains("${ApiFunction.Arn}"), "{integration}");
}

#[test]
fn the_function_says_itself_that_it_takes_too_long() {
    let timeout = properties("AWS::Lambda::Function", "ApiFunction")["Timeout"].as_u64().unwrap();
    assert!(timeout < 30, "the gateway gives up after 30 s, and the function after {timeout}");
}

#[test]
fn the_gateway_takes_no_more_requests_than_was_chosen() {
    let settings = &properties("AWS::ApiGatewayV2::Stage", "HttpApiApiGatewayDefaultStage")["DefaultRouteSettings"];
    assert_eq!(target(&settings["ThrottlingRateLimit"]), Some("ApiRateLimit"));
    assert_eq!(target(&settings["ThrottlingBurstLimit"]), Some("ApiBurstLimit"));
}

#[test]
fn requests_are_logged_without_what_they_carry() {
    let logs = &properties("AWS::ApiGatewayV2::Stage", "HttpApiApiGatewayDefaultStage")["AccessLogSettings"];
    properties("AWS::Logs::LogGroup", target(&logs["DestinationArn"]).unwrap());
    let line: serde_json::Value = serde_json::from_str(logs["Format"].as_str().unwrap()).unwrap();
    for value in line.as_object().unwrap().values() {
        let value = value.as_str().unwrap();
        assert!(value.starts_with("$context.") && !value.contains("authorizer"), "{value}");
        assert!(!value.contains("path"), "{value}: the path of a link in a notice is what its reader may do with it");
    }
}

#[test]
fn pages_of_one_origin_may_call_it_if_one_is_chosen_and_without_cookies() {
    let cors = &properties("AWS::ApiGatewayV2::Api", "HttpApi")["Body"]["x-amazon-apigateway-cors"]["Fn::If"];
    assert_eq!(cors[0], "AllowsOrigin");
    assert_eq!(cors[1]["allowOrigins"], json!([{ "Ref": "AllowedOrigin" }]));
    assert_ne!(cors[1]["allowCredentials"], true);
    assert_eq!(cors[2], json!({ "Ref": "AWS::NoValue" }));
    assert!(resource("HttpApi")["Properties"].get("CorsConfiguration").is_none());
}
