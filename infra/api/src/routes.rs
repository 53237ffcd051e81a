//! The routes, one file per subject.

mod act;
mod alarm_quality;
mod alarm_setups;
mod alarms;
mod alert_rules;
mod channels;
mod counters;
mod dead_letters;
mod health;
mod incidents;
mod inhibitions;
mod locales;
mod nodes;
mod notices;
mod notifications;
mod operations;
mod protocols;
mod readings;
mod routing;
mod sign_in;
mod silences;
mod terminals;
mod waiting_jobs;

use std::sync::Arc;

use engine_http::{
    Problem,
    axum::{Router, extract::DefaultBodyLimit, middleware::map_response},
    errors_as_problems,
};
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_swagger_ui::SwaggerUi;

pub(crate) use act::Pace as LinkPace;
pub(crate) use alarms::Explained;
pub(crate) use alert_rules::{RuleForm, alert_rule, is_id, named_by_nothing};

use crate::{
    documentation::{Document, add_problems},
    site::{ApiParts, Site},
};

const MOST_BODY_BYTES: usize = 256 * 1024;

/// The API, its document at `/api/openapi.json` and a page to try it at `/api/docs`. Unknown addresses are answered
/// too, so what is merged into it must bring no fallback of its own.
pub fn router(parts: ApiParts) -> Router {
    let (router, mut document) = OpenApiRouter::with_openapi(Document::openapi())
        .merge(health::router())
        .merge(sign_in::router())
        .merge(locales::router())
        .merge(terminals::router())
        .merge(readings::router())
        .merge(alarms::router())
        .merge(alarm_quality::router())
        .merge(alarm_setups::router())
        .merge(alert_rules::router())
        .merge(notices::router())
        .merge(notifications::router())
        .merge(silences::router())
        .merge(inhibitions::router())
        .merge(channels::router())
        .merge(incidents::router())
        .merge(routing::router())
        .merge(nodes::router())
        .merge(operations::router())
        .merge(counters::router())
        .merge(dead_letters::router())
        .merge(waiting_jobs::router())
        .merge(protocols::router())
        .split_for_parts();
    add_problems(&mut document);
    let site = Arc::new(Site::new(parts));
    router
        .with_state(Arc::clone(&site))
        .merge(SwaggerUi::new("/api/docs").url("/api/openapi.json", document))
        .fallback(async || Problem::not_found("There is nothing at this address."))
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .layer(map_response(errors_as_problems))
        // For people, so what goes wrong there is a page and no problem.
        .merge(act::router().with_state(site))
}
