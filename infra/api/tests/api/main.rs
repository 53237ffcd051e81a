//! The API as its callers see it: requests into the router, over a table in memory and a clock that stands still.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod act;
mod alarm_acts;
mod alarm_quality;
mod alarm_setups;
mod alarms;
mod alert_rules;
mod answer;
mod channels;
mod dead_letters;
mod document;
mod errors;
mod explanations;
mod health;
mod locales;
mod machine;
mod nodes;
mod notices;
mod notifications;
mod operations;
mod protocols;
mod readings;
mod removals;
mod routing;
mod sign_in;
mod silences;
mod site;
mod statistics;
mod tables;
mod terminals;
mod waiting_jobs;
