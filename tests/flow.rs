//! The jobs together: in one process, with a clock that is turned by hand, and in `aws` as they are deployed there.

mod alarm_acts;
mod alarm_setups;
mod alarms;
mod alert_rules;
mod aws;
mod backtest;
mod channels;
mod explanations;
mod failover;
mod heartbeat;
mod held;
mod many_alarms;
mod notices;
mod operations;
mod order;
mod platform;
mod polling;
mod readings;
mod removals;
mod shown;
mod silences;
mod sims;
mod storm;
mod targets;
mod ups;
mod webhooks;
