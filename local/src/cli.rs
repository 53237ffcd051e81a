//! The command line.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use clap::{Args, Parser, Subcommand};
use field::{FaultRates, FieldSettings};
use reqwest::Url;

/// Asks the devices behind your serial gateways how they are, keeps what they say, and tells the right person.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Serve: broker, API, workers and schedule on an embedded store. With --redis, other processes may work beside it.
    Serve(ServeArguments),
    /// Only own the embedded store, for processes of this machine that meet over Redis.
    Store(ServeArguments),
    /// Only a broker: the sockets of gateway programs and browsers. Any number, each on a port of its own, meet over Redis.
    Broker(ServeArguments),
    /// Only the API. Any number, each on a port of its own.
    Api(ServeArguments),
    /// Only workers, and a schedule that stands in for others'. Any number meet over Redis.
    Worker(ServeArguments),
    /// Show the whole path on this machine: a server on temporary data, and a virtual field that speaks the real wire.
    Demo(DemoArguments),
    /// Only the virtual field, against any server.
    Field(FieldArguments),
    /// Check the configuration, or explain every key of it.
    Config(ConfigArguments),
    /// Check a site file and store it. No server may be running on the same folder; on a table on DynamoDB any may.
    Import(ImportArguments),
    /// What an alert rule would have raised over what was read, and whom it would have told how often. Like an import, it needs the
    /// store for itself; a running server answers the same at POST /api/alerts/rules/backtest.
    Backtest(BacktestArguments),
    /// How an alarm came about: what came over the line, what was read, by which writing of which rule it was raised, who was told, and
    /// what became of that. It needs the store for itself, as an import does; a running server answers the same at GET
    /// /api/alarms/{id}/explain.
    Explain(ExplainArguments),
    /// What an installation on AWS costs a month, line by line.
    Cost(CostArguments),
}

#[derive(Debug, Args)]
pub(crate) struct ServeArguments {
    /// The configuration (TOML). Without it, the defaults and the TELLTALE_… variables hold; `telltale config --explain` lists them.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where several processes meet, such as `redis://host:6379`. Stands over `redis.url` of the configuration.
    #[arg(long, value_name = "URL")]
    pub redis: Option<String>,
    /// Where to listen: 127.0.0.1:8080. Stands over listen of the configuration. A worker, and `store`, answer /health and
    /// /health/ready there, and listen nowhere without it.
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// The data folder. Stands over data of the configuration.
    #[arg(long, value_name = "FOLDER")]
    pub data: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct ConfigArguments {
    /// The configuration to check (TOML), together with the TELLTALE_… variables.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// What the parts are given as --redis, where the configuration leaves `redis.url` to that.
    #[arg(long, value_name = "URL")]
    pub redis: Option<String>,
    /// Print every key, its default, its variable and its meaning, and do nothing else.
    #[arg(long)]
    pub explain: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// The configuration of the server whose store it is.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Only say what is wrong, or what would be imported.
    #[arg(long)]
    pub dry_run: bool,
    /// The site file (JSON).
    pub site: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct BacktestArguments {
    /// The configuration of the server whose store it is.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// How far back: 90m, 12h, 30d. Readings are kept for 30 days.
    #[arg(long, value_name = "TIME", default_value = "7d", value_parser = time_back)]
    pub last: Duration,
    /// Whose own rule it is: it watches what they see, and what it raises is told to them alone. Everybody's without it.
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// Draw the device with the most alarms into this file (SVG).
    #[arg(long, value_name = "FILE")]
    pub plot: Option<PathBuf>,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
    /// The rule, as POST /api/alerts/rules takes it (JSON).
    pub rule: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// The configuration of the server whose store it is.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Print JSON, as the API answers.
    #[arg(long)]
    pub json: bool,
    /// The alarm's id.
    pub alarm: String,
}

/// Reads 90m, 12h, 30d.
fn time_back(text: &str) -> Result<Duration, String> {
    let wrong = || format!("`{text}` is no time: give a number and m, h or d, such as 30d, of at most 31 days");
    let (number, unit) = text.split_at_checked(text.len().saturating_sub(1)).ok_or_else(wrong)?;
    let minutes = match unit {
        "m" => 1,
        "h" => 60,
        "d" => 24 * 60,
        _ => return Err(wrong()),
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    let time = number.checked_mul(minutes).filter(|minutes| (1..=31 * 24 * 60).contains(minutes)).ok_or_else(wrong)?;
    Ok(Duration::from_secs(time * 60))
}

#[derive(Debug, Args)]
pub(crate) struct CostArguments {
    /// How many terminals.
    #[arg(long, default_value_t = 1000.0)]
    pub terminals: f64,
    /// How many devices on each.
    #[arg(long, default_value_t = 1.0)]
    pub devices: f64,
    /// How many values each device has.
    #[arg(long, default_value_t = 3.0)]
    pub values: f64,
    /// How often a device is asked, in seconds.
    #[arg(long, default_value_t = 60.0)]
    pub interval: f64,
    /// The share of readings that say nothing new, from 0 to 1.
    #[arg(long, default_value_t = 0.9)]
    pub suppressed: f64,
    /// For how long a reading that says nothing new is not stored, in seconds. 0 stores every reading.
    #[arg(long, default_value_t = 300.0)]
    pub silence: f64,
    /// How many devices of one terminal come in one batch. Without it, as many as a broker gathers of what gateways post.
    #[arg(long)]
    pub together: Option<f64>,
    /// How many gateway programs. Without it, one for a hundred terminals.
    #[arg(long)]
    pub nodes: Option<f64>,
    /// How many brokers.
    #[arg(long, default_value_t = 2.0)]
    pub brokers: f64,
    /// How long a broker gathers a batch, in seconds.
    #[arg(long, default_value_t = 1.0)]
    pub gather: f64,
    /// How many messages a function is given at once: one, or up to ten where they have to wait for it.
    #[arg(long, default_value_t = 1.0)]
    pub messages_per_run: f64,
    /// How many alarms each device has in a month.
    #[arg(long, default_value_t = 1.0)]
    pub alarms: f64,
    /// How many text messages go out for an alarm and its end.
    #[arg(long, default_value_t = 2.0)]
    pub sms: f64,
    /// What a text message costs, in US dollars: by country, see AWS's list.
    #[arg(long, default_value_t = 0.03)]
    pub sms_price: f64,
    /// How many e-mails go out for an alarm and its end.
    #[arg(long, default_value_t = 2.0)]
    pub emails: f64,
    /// Print JSON.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct DemoArguments {
    /// The port of the API and the sockets.
    #[arg(long, default_value_t = 8080)]
    pub port: u16,
    #[command(flatten)]
    pub field: VirtualField,
}

#[derive(Debug, Args)]
pub(crate) struct FieldArguments {
    /// The server, as gateways reach it: http://host:port
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub server: String,
    #[command(flatten)]
    pub field: VirtualField,
    #[command(flatten)]
    pub faults: FaultArguments,
    /// Print the site file that lets a server know this field, and do nothing else.
    #[arg(long)]
    pub print_site: bool,
}

/// What goes wrong in a virtual field. Each kind of fault has the common rate, unless it is given one of its own.
#[derive(Debug, Args)]
pub(crate) struct FaultArguments {
    /// How often each kind of thing goes wrong, from 0 (never) to 0.25.
    #[arg(long, default_value_t = 0.02)]
    pub fault_rate: f64,
    /// The share of devices that never answer.
    #[arg(long, value_name = "SHARE")]
    pub dead_devices: Option<f64>,
    /// The share of replies whose bytes are damaged.
    #[arg(long, value_name = "SHARE")]
    pub damaged_replies: Option<f64>,
    /// The share of replies that answer something else.
    #[arg(long, value_name = "SHARE")]
    pub foreign_replies: Option<f64>,
    /// The share of replies that refuse: a Modbus exception, or `(NAK`.
    #[arg(long, value_name = "SHARE")]
    pub refusing_replies: Option<f64>,
    /// The share of instructions that a living device leaves unanswered.
    #[arg(long, value_name = "SHARE")]
    pub withheld_replies: Option<f64>,
    /// The share of the time in which a UPS has a fault of its own, and says so.
    #[arg(long, value_name = "SHARE")]
    pub faulty_ups: Option<f64>,
    /// How often an hour each terminal loses its connection and comes back.
    #[arg(long, value_name = "TIMES")]
    pub terminal_drops: Option<f64>,
    /// How often an hour each node's transport is cut, without a goodbye.
    #[arg(long, value_name = "TIMES")]
    pub transport_cuts: Option<f64>,
}

impl FaultArguments {
    /// The rates of a field.
    pub(crate) fn rates(&self) -> FaultRates {
        let all = FaultRates::uniform(self.fault_rate);
        FaultRates {
            dead_devices: self.dead_devices.unwrap_or(all.dead_devices),
            damaged_replies: self.damaged_replies.unwrap_or(all.damaged_replies),
            foreign_replies: self.foreign_replies.unwrap_or(all.foreign_replies),
            refusing_replies: self.refusing_replies.unwrap_or(all.refusing_replies),
            withheld_replies: self.withheld_replies.unwrap_or(all.withheld_replies),
            faulty_ups: self.faulty_ups.unwrap_or(all.faulty_ups),
            terminal_drops_per_hour: self.terminal_drops.unwrap_or(all.terminal_drops_per_hour),
            transport_cuts_per_hour: self.transport_cuts.unwrap_or(all.transport_cuts_per_hour),
        }
    }
}

/// The virtual field that `demo` and `field` play, and for how long.
#[derive(Debug, Args)]
pub(crate) struct VirtualField {
    /// How many gateway programs.
    #[arg(long, default_value_t = 2)]
    pub nodes: u16,
    /// How many terminals on each.
    #[arg(long, default_value_t = 5)]
    pub terminals: u16,
    /// How many devices on each terminal.
    #[arg(long, default_value_t = 2)]
    pub devices: u8,
    /// Makes the field behave the same every time.
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Stop after so many seconds; run until Ctrl-C without it.
    #[arg(long, value_name = "SECONDS")]
    pub seconds: Option<u64>,
}

impl VirtualField {
    /// A field of this size that talks to `server`.
    pub(crate) fn settings(&self, server: Url, faults: FaultRates) -> FieldSettings {
        FieldSettings {
            nodes: self.nodes,
            terminals_per_node: self.terminals,
            devices_per_terminal: self.devices,
            seed: self.seed,
            faults,
            ..FieldSettings::new(server)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_back_is_a_number_and_its_unit() {
        assert_eq!(time_back("90m"), Ok(Duration::from_mins(90)));
        assert_eq!(time_back("30d"), Ok(Duration::from_hours(30 * 24)));
        for wrong in ["", "d", "30", "0h", "-1d", "1.5h", "40d", "3天", "99999999999999999999d"] {
            assert!(time_back(wrong).is_err(), "{wrong}");
        }
    }
}
