//! Whether a policy or a rota makes sense.

use std::collections::BTreeSet;

use engine_http::Problem;
use records::{
    routing::{self, Policy, StoredRota},
    users,
};

use crate::{error::ApiError, site::Site};

/// The most steps of an escalation.
const MOST_STEPS: usize = 20;
/// The longest that a step may wait.
const A_WEEK_MS: u64 = 7 * 24 * 3_600_000;

pub(super) async fn policy(site: &Site, policy: &Policy) -> Result<(), ApiError> {
    let mut faults = name(&policy.name);
    if policy.steps.len() > MOST_STEPS {
        faults.push(format!("steps: there may be at most {MOST_STEPS}"));
    }
    if policy.steps.windows(2).any(|pair| pair[0].after_ms > pair[1].after_ms) {
        faults.push("steps: after_ms is counted from when nobody acknowledged, and never less than before".to_owned());
    }
    for (place, step) in policy.steps.iter().take(MOST_STEPS).enumerate() {
        if step.after_ms > A_WEEK_MS {
            faults.push(format!("steps[{place}].after_ms: at most {A_WEEK_MS}, a week"));
        }
        if step.users.is_empty() && step.roles.is_empty() && step.rotas.is_empty() {
            faults.push(format!("steps[{place}]: it names nobody"));
        }
        faults.extend(strangers(site, step.users.iter().map(String::as_str), &format!("steps[{place}].users")).await?);
        for rota in &step.rotas {
            if routing::get::<StoredRota>(&*site.table, rota).await?.is_none() {
                faults.push(format!("steps[{place}].rotas: there is no rota {rota:?}"));
            }
        }
    }
    refuse(faults)
}

pub(super) async fn rota(site: &Site, rota: &StoredRota) -> Result<(), ApiError> {
    let mut faults = name(&rota.name);
    let people: BTreeSet<&str> = rota.rota.everybody().collect();
    faults.extend(strangers(site, people, "people").await?);
    refuse(faults)
}

fn name(name: &str) -> Vec<String> {
    let fault = "name: a name is 1 to 200 bytes without control characters";
    if domain::is_name(name) { Vec::new() } else { vec![fault.to_owned()] }
}

async fn strangers(site: &Site, people: impl IntoIterator<Item = &str>, place: &str) -> Result<Vec<String>, ApiError> {
    let mut strangers = Vec::new();
    for user in people {
        if users::get(&*site.table, user).await?.is_none() {
            strangers.push(format!("{place}: there is no user {user:?}"));
        }
    }
    Ok(strangers)
}

fn refuse(faults: Vec<String>) -> Result<(), ApiError> {
    if faults.is_empty() {
        return Ok(());
    }
    Err(Problem::faults("bad-routing", "Nothing was stored: errors says what is wrong, and where.", faults).into())
}
