//! `telltale cost`: what an installation on AWS costs a month.

use cost::{Bill, Consumption, Installation, Line};

use crate::cli::CostArguments;

/// `telltale cost`.
pub(crate) fn command(arguments: &CostArguments) -> anyhow::Result<()> {
    let installation = Installation {
        terminals: arguments.terminals,
        devices_per_terminal: arguments.devices,
        values: arguments.values,
        interval: arguments.interval,
        suppressed: arguments.suppressed,
        silence: arguments.silence,
        together: arguments.together,
        nodes: arguments.nodes.unwrap_or_else(|| (arguments.terminals / 100.0).ceil()),
        brokers: arguments.brokers,
        gather: arguments.gather,
        messages_per_run: arguments.messages_per_run,
        kept_days: 30.0,
        alarms: arguments.alarms,
        sms: arguments.sms,
        sms_price: arguments.sms_price,
        emails: arguments.emails,
    };
    installation.check()?;
    let bill = cost::bill(installation);
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&bill)?);
    } else {
        print!("{}", text(&bill));
    }
    Ok(())
}

fn text(bill: &Bill) -> String {
    let installation = &bill.installation;
    let head = format!(
        "{:.0} devices asked every {} s: {:.2} million readings a month, {:.0} % of them with nothing new, {:.0} % stored\n\
         a batch of a broker: {:.1} readings, {:.1} of each terminal in it\n\
         a thousand readings: {}\n\
         an alarm with its end: {}\n",
        installation.devices(),
        installation.interval,
        bill.readings / 1e6,
        installation.suppressed * 100.0,
        installation.stored() * 100.0,
        bill.batch.readings,
        bill.batch.of_a_terminal,
        consumption(&bill.thousand_readings),
        consumption(&bill.alarm),
    );
    let parts = [("readings", &bill.usage), ("alarms", &bill.alarms), ("fixed", &bill.fixed)];
    let parts: String = parts.into_iter().map(|(heading, lines)| part(heading, lines)).collect();
    let end = format!(
        "\na month {:>66.2} $\na device and month {:>55.4} $\n\n\
         List prices of us-east-1, November 2026, without free tiers. docs/COST.md says how it is reckoned.\n",
        bill.dollars, bill.dollars_per_device,
    );
    [head, parts, end].concat()
}

fn consumption(consumed: &Consumption) -> String {
    let Consumption { writes, reads, queue_requests, gigabyte_seconds, published } = consumed;
    format!(
        "{writes:.0} write and {reads:.0} read units, {queue_requests:.0} SQS requests, {gigabyte_seconds:.2} Lambda GB-s, \
         {published:.0} SNS messages"
    )
}

fn part(heading: &str, lines: &[Line]) -> String {
    let sum: f64 = lines.iter().map(|line| line.dollars).sum();
    let rows: String = lines.iter().map(row).collect();
    format!("\n{heading:<62}{sum:>12.2} $\n{rows}")
}

fn row(line: &Line) -> String {
    let Line { what, amount, unit, price, dollars } = line;
    format!("  {what:<32}{amount:>12.3} {unit:<11} × {price:<12}{dollars:>8.2} $\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_shows_every_line_and_the_price_of_a_device() {
        let bill = cost::bill(Installation::default());
        let text = text(&bill);
        for line in bill.usage.iter().chain(&bill.alarms).chain(&bill.fixed) {
            assert!(text.contains(line.what), "{}", line.what);
        }
        assert!(text.contains(&format!("{:.4} $", bill.dollars_per_device)), "{text}");
    }
}
