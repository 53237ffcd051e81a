//! The work that is left once the field is gone.

use std::time::Duration;

use anyhow::Result;
use jobs::{DispatchQueries, Job, PlanWindow, Sweep};
use serde_json::Value;
use telltale_tests::Session;
use tokio::time::sleep;

use super::load::look_until;

/// For how long nothing may come any more once all is done: what comes twice comes after what was waited for.
const QUIET: Duration = Duration::from_secs(3);

/// Waits until nothing is under way, and then for a while. Asserts that nothing was given up.
pub(crate) async fn is_all_done(admin: &Session) -> Result<()> {
    let look = async || {
        let jobs = admin.get("/api/jobs").await?;
        let mut jobs = jobs.as_array().cloned().unwrap_or_default();
        // What ticks goes on for ever, and the next tick does what one could not.
        jobs.retain(|job| job["job"] != Sweep::NAME && job["job"] != PlanWindow::NAME);
        Ok(jobs)
    };
    let is_none = |jobs: &Vec<Value>, which: &str| jobs.iter().all(|job| job[which] == 0);
    let jobs = look_until(look, |jobs| is_none(jobs, "waiting") && is_none(jobs, "running")).await?;
    let mut why = Vec::new();
    // A plan that nobody could be asked by in its window is given up after three runs, and the next window has its own.
    let given_up = jobs.iter().filter(|job| job["dead"] != 0 && job["job"] != DispatchQueries::NAME);
    for job in given_up.filter_map(|job| job["job"].as_str()) {
        why.push(admin.get(&format!("/api/jobs/{job}/dead-letters?limit=200")).await?);
    }
    let all_is_done = is_none(&jobs, "waiting") && is_none(&jobs, "running") && why.is_empty();
    assert!(!jobs.is_empty() && all_is_done, "work is left: {jobs:#?}, given up: {why:#?}");
    sleep(QUIET).await;
    Ok(())
}
