//! What rules may name of what speaks no protocol.

use domain::alarm::{Metric, Target};
use engine_http::{Json, Query};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::visitor::SignedIn;

/// Of what.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct Of {
    /// `device`, `terminal`, `node` or `platform`; all of them when absent.
    #[param(value_type = Option<String>)]
    target: Option<Target>,
}

/// What there is for rules to name.
#[derive(Serialize, ToSchema)]
pub(super) struct Catalogue {
    /// What rules may watch.
    items: Vec<Watchable>,
}

/// What rules may watch, and what they can say of it.
#[derive(Serialize, ToSchema)]
struct Watchable {
    /// What it is.
    #[schema(value_type = String, example = "terminal")]
    target: Target,
    /// The values that it has whatever protocol is spoken; devices have those of their protocols as well.
    metrics: Vec<MetricShown>,
    /// The rules that are watched on it always, and that another rule may take the place of.
    rules: Vec<&'static str>,
}

/// A value.
#[derive(Serialize, ToSchema)]
#[schema(as = Metric)]
struct MetricShown {
    /// What conditions call it.
    name: &'static str,
    /// Its unit; empty where it has none.
    unit: &'static str,
    /// What it says.
    meaning: &'static str,
}

/// What alert rules can name
///
/// A condition may name others: they are taken with a warning, and watch nothing.
#[utoipa::path(
    get, path = "/api/alerts/metrics", operation_id = "list_alert_metrics", tag = "alert rules", params(Of),
    responses((status = 200, description = "What each target has", body = Catalogue))
)]
pub(super) async fn list(_: SignedIn, Query(of): Query<Of>) -> Json<Catalogue> {
    let targets = Target::ALL.into_iter().filter(|target| of.target.is_none_or(|wanted| wanted == *target));
    let items = targets.map(|target| Watchable {
        target,
        metrics: target.metrics().iter().map(MetricShown::from).collect(),
        rules: target.common_rules().to_vec(),
    });
    Json(Catalogue { items: items.collect() })
}

impl From<&Metric> for MetricShown {
    fn from(Metric { name, unit, meaning }: &Metric) -> Self {
        Self { name, unit, meaning }
    }
}
