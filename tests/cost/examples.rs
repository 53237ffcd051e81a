//! The examples of `docs/COST.md`, as `telltale cost` prints them.

use anyhow::{Context, Result};
use serde_json::Value;
use telltale_tests::telltale_command;

use super::docs::{cells_of, first_number};

#[test]
fn every_example_is_what_the_calculator_says() -> Result<()> {
    let examples = cells_of("a device and month");
    assert!(examples.len() > 3, "{examples:?}");
    for cells in examples {
        let arguments = cells[0].split('`').nth(1).context("an example has arguments")?;
        let output = telltale_command()?.args(["cost", "--json"]).args(arguments.split(' ')).output()?;
        let bill: Value = serde_json::from_slice(&output.stdout).with_context(|| format!("{arguments}: {output:?}"))?;
        let says = |name: &str| bill[name].as_f64().with_context(|| format!("{name} of {arguments}"));
        let told = |cell: usize| first_number(&cells[cell]).with_context(|| format!("{cells:?}"));
        let of_batch = bill["batch"]["readings"].as_f64().context("a batch")?;
        for (told, found, most) in [
            (told(1)?, says("readings")? / 1e6, 0.5),
            (told(2)?, of_batch, 0.05),
            (told(3)?, says("dollars")?, 0.5),
            (told(4)?, says("dollars_per_device")?, 0.005),
        ] {
            assert!((told - found).abs() <= most + 1e-9, "{arguments}: {told}, and it is {found}");
        }
    }
    Ok(())
}
