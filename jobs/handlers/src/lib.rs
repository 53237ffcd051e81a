//! What happens, once: the jobs, and the ports through which they touch the world.
//!
//! A job is a serde struct plus one impl of [`Job`]; [`execute`] runs it and says [`Verdict`]; the shells around it (apalis
//! workers, Lambda) only translate that verdict. To add a job: a file named by its verb, a line in `local`'s worker list,
//! a row in `docs/JOBS.md`; on AWS also a bin in `functions/` and its resources in `template.yaml`. `tests/shape` and
//! `tests/template` compare them.

pub mod backtest;
pub mod bound;
mod catalog;
pub mod comes_and_goes;
mod deliver_notice;
mod dispatch_queries;
mod evaluate_alarms;
mod execute;
mod fan_out;
mod gate;
mod heartbeat;
pub mod inbox_events;
mod known;
pub mod links;
mod pace;
mod plan_window;
pub mod ports;
mod process_results;
pub mod report;
mod settings;
pub mod snooze;
mod stationery;
mod store_proof;
mod sweep;
pub mod told_by_name;
pub mod whole_incident;
pub mod words;

pub use catalog::Catalog;
pub use deliver_notice::{DeliverNotice, EVENTS, TEST_EVENT};
pub use dispatch_queries::DispatchQueries;
pub use evaluate_alarms::EvaluateAlarms;
pub use execute::{Context, Job, JobError, Verdict, execute};
pub use fan_out::FanOut;
pub use heartbeat::HeartbeatSettings;
pub use plan_window::PlanWindow;
pub use process_results::ProcessResults;
pub use settings::{
    AdoptionSettings, AlarmSettings, BadWords, Brief, NoticeSettings, ReadingSettings, ScheduleSettings, Settings,
    WordSettings,
};
pub use stationery::Stationery;
pub use store_proof::StoreProof;
pub use sweep::Sweep;

/// Every job's name, which is its queue's, in the order of a poll's way.
pub const JOB_NAMES: [&str; 7] = [
    PlanWindow::NAME,
    DispatchQueries::NAME,
    ProcessResults::NAME,
    EvaluateAlarms::NAME,
    FanOut::NAME,
    DeliverNotice::NAME,
    Sweep::NAME,
];
