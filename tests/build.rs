//! What runs only where somebody says so is built only then: nothing is shown as passed that did not run.

fn main() {
    for (switch, tests) in
        [("ACCEPT_DYNAMODB_LOCAL_LICENSE", "dynamodb_local"), ("TELLTALE_TEST_AWS", "dynamodb_on_aws")]
    {
        println!("cargo::rerun-if-env-changed={switch}");
        println!("cargo::rustc-check-cfg=cfg({tests})");
        if std::env::var_os(switch).is_some_and(|said| said == "1") {
            println!("cargo::rustc-cfg={tests}");
        }
    }
}
