//! The broker on ECS, behind its balancer.

use serde_json::{Value, json};

use super::stack::{entry, properties, resource, section, target};
use crate::sources::read;

/// For how long the broker finishes what it holds after SIGTERM, in seconds.
const DRAIN: u64 = 25;

#[test]
fn without_an_image_there_is_no_broker_and_nothing_that_costs_for_it() {
    let kinds = ["AWS::ECS::", "AWS::ElasticLoadBalancingV2::", "AWS::EC2::", "AWS::ApplicationAutoScaling::"];
    let mut seen = 0;
    for (name, resource) in section("Resources") {
        if kinds.iter().any(|kind| resource["Type"].as_str().unwrap().starts_with(kind)) {
            assert_eq!(resource["Condition"], "HasBroker", "{name}");
            seen += 1;
        }
    }
    assert_eq!(seen, 10);
    assert!(resource("BrokerRepository").get("Condition").is_none(), "an image needs a place before there is a broker");
}

#[test]
fn an_image_needs_a_network_and_a_certificate() {
    let rule = &section("Rules")["BrokerIsWhole"];
    assert_eq!(rule["RuleCondition"], json!({ "Fn::Not": [{ "Fn::Equals": [{ "Ref": "BrokerImage" }, ""] }] }));
    let assertions = rule["Assertions"].as_array().unwrap();
    for parameter in ["VpcId", "SubnetIds", "CertificateArn"] {
        let wanted = json!({ "Fn::Not": [{ "Fn::Equals": [{ "Ref": parameter }, ""] }] });
        assert!(assertions.iter().any(|assertion| assertion["Assert"] == wanted), "{parameter}");
    }
}

#[test]
fn a_broker_runs_on_arm64_and_is_told_what_it_asks_for() {
    let task = properties("AWS::ECS::TaskDefinition", "BrokerTask");
    assert_eq!(task["RuntimePlatform"], json!({ "CpuArchitecture": "ARM64", "OperatingSystemFamily": "LINUX" }));
    assert_eq!(task["RequiresCompatibilities"], json!(["FARGATE"]));
    let told = &task["ContainerDefinitions"][0]["Environment"];
    assert_eq!(target(entry(told, "TELLTALE_TABLE")), Some("Table"));
    assert_eq!(target(entry(told, "TELLTALE_QUEUES__PROCESS_RESULTS")), Some("ProcessResultsQueue"));
    assert_eq!(target(entry(told, "TELLTALE_LINK__TOPIC")), Some("BrowserTopic"));
    // The calculator takes it for that.
    let gather: f64 = entry(told, "TELLTALE_BROKER__GATHER_MS").as_str().unwrap().parse().unwrap();
    assert!((gather / 1000.0 - cost::Installation::default().gather).abs() < f64::EPSILON, "{gather}");
    assert_eq!(entry(told, "TELLTALE_BROKER__GATHER_REPORTS"), "200");
    // It makes its inbox where the functions look for it.
    let function = properties("AWS::Lambda::Function", "DispatchQueriesFunction");
    let theirs = &function["Environment"]["Variables"]["TELLTALE_LINK__INBOX_PREFIX"];
    assert_eq!(entry(told, "TELLTALE_LINK__INBOX_PREFIX"), theirs);
    assert_eq!(theirs, &json!({ "Fn::Sub": "${AWS::StackName}-inbox-" }));
}

#[test]
fn gateways_and_browsers_come_by_tls_alone() {
    let listener = properties("AWS::ElasticLoadBalancingV2::Listener", "BrokerListener");
    assert_eq!((&listener["Port"], &listener["Protocol"]), (&json!(443), &json!("TLS")));
    assert_eq!(target(&listener["Certificates"][0]["CertificateArn"]), Some("CertificateArn"));
    assert_eq!(target(&listener["DefaultActions"][0]["TargetGroupArn"]), Some("BrokerTargets"));
    assert_eq!(ports("BalancerSecurityGroup"), [(json!(443), None)]);
    // Nobody gets around the balancer, although a broker has a public address.
    assert_eq!(ports("BrokerSecurityGroup"), [(json!(8080), Some("BalancerSecurityGroup"))]);
}

#[test]
fn the_balancer_asks_for_health_keeps_addresses_and_finds_the_same_broker_again() {
    let targets = properties("AWS::ElasticLoadBalancingV2::TargetGroup", "BrokerTargets");
    assert_eq!(targets["HealthCheckProtocol"], "HTTP");
    assert_eq!(targets["HealthCheckPath"], "/health");
    assert_eq!(targets["TargetType"], "ip");
    let attributes = &targets["TargetGroupAttributes"];
    for (name, value) in
        [("preserve_client_ip.enabled", "true"), ("stickiness.enabled", "true"), ("stickiness.type", "source_ip")]
    {
        assert_eq!(entry(attributes, name), value, "{name}");
    }
}

#[test]
fn a_deployment_replaces_brokers_one_by_one_and_lets_them_finish() {
    let service = properties("AWS::ECS::Service", "BrokerService");
    let deployment = &service["DeploymentConfiguration"];
    assert_eq!((&deployment["MinimumHealthyPercent"], &deployment["MaximumPercent"]), (&json!(100), &json!(200)));
    assert_eq!(deployment["DeploymentCircuitBreaker"], json!({ "Enable": true, "Rollback": true }));
    assert!(service.get("DesiredCount").is_none(), "a deployment would undo what the scaling did");
    let container = &properties("AWS::ECS::TaskDefinition", "BrokerTask")["ContainerDefinitions"][0];
    assert!(container["StopTimeout"].as_u64().unwrap() > DRAIN, "{container}");
    let port = &service["LoadBalancers"][0]["ContainerPort"];
    assert_eq!(port, &container["PortMappings"][0]["ContainerPort"]);
    assert_eq!(port, &properties("AWS::ElasticLoadBalancingV2::TargetGroup", "BrokerTargets")["Port"]);
}

#[test]
fn there_are_as_many_brokers_as_the_connections_ask_for() {
    let count = properties("AWS::ApplicationAutoScaling::ScalableTarget", "BrokerCount");
    assert_eq!(target(&count["MinCapacity"]), Some("BrokerMinTasks"));
    assert_eq!(target(&count["MaxCapacity"]), Some("BrokerMaxTasks"));
    let policy = properties("AWS::ApplicationAutoScaling::ScalingPolicy", "BrokerScaling");
    let tracking = &policy["TargetTrackingScalingPolicyConfiguration"];
    assert_eq!(target(&tracking["TargetValue"]), Some("ConnectionsPerTask"));
    let metrics = tracking["CustomizedMetricSpecification"]["Metrics"].as_array().unwrap();
    let told: Vec<&Value> = metrics.iter().filter(|metric| metric["ReturnData"] == true).collect();
    assert_eq!(told.len(), 1);
    assert_eq!(told[0]["Expression"], "connections / brokers");
    let measured = |id: &str| {
        let metric = metrics.iter().find(|metric| metric["Id"] == id);
        metric.unwrap_or_else(|| panic!("{id} is not measured"))["MetricStat"]["Metric"]["MetricName"].clone()
    };
    assert_eq!([measured("connections"), measured("brokers")], ["ActiveFlowCount_TLS", "HealthyHostCount"]);
}

#[test]
fn the_image_is_the_broker_alone_run_by_nobody_and_built_by_no_toolchain_that_is_fetched() {
    let dockerfile = read("broker/Dockerfile");
    let (build, image) = dockerfile.split_once("FROM gcr.io/distroless/").unwrap();
    assert!(build.contains("cargo build --release --locked --package telltale-broker"), "{build}");
    assert!(read("broker/Dockerfile.dockerignore").lines().any(|line| line == "rust-toolchain.toml"));
    let container = &properties("AWS::ECS::TaskDefinition", "BrokerTask")["ContainerDefinitions"][0];
    let port = &container["PortMappings"][0]["ContainerPort"];
    for line in ["USER nonroot", "ENTRYPOINT [\"/telltale-broker\"]", &format!("EXPOSE {port}")] {
        assert!(image.lines().any(|found| found == line), "the image has no {line}");
    }
    assert!(container.get("HealthCheck").is_none(), "the image has nothing to check with");
}

/// Which ports of a security group are open, and to which group alone.
fn ports(group: &str) -> Vec<(Value, Option<&'static str>)> {
    let rules = properties("AWS::EC2::SecurityGroup", group)["SecurityGroupIngress"].as_array().unwrap();
    rules.iter().map(|rule| (rule["FromPort"].clone(), target(&rule["SourceSecurityGroupId"]))).collect()
}
