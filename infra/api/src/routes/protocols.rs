//! Protocols and their constants, for administrators.
//!
//! What goes in and out is the document itself, in the form that earlier servers exchange, so that an export of theirs
//! can be taken in as it is.

mod constants;
mod import;
mod proof;

use std::sync::Arc;

use domain::protocol::{Line, ProtocolDocument};
use engine_http::{
    Json, Path, Problem, Query,
    axum::{
        self,
        extract::{DefaultBodyLimit, State},
        http::StatusCode,
    },
};
use records::{protocols, terminals};
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

use self::proof::Offered;
use crate::{
    error::ApiError,
    paging::{Listing, Paging},
    site::Site,
    visitor::Admin,
};

const LIST: &str = "protocols";
/// An import holds many documents: several of the largest there are.
const MOST_IMPORT_BYTES: usize = 4 * 1024 * 1024;

pub(crate) fn router() -> OpenApiRouter<Arc<Site>> {
    let import = OpenApiRouter::new().routes(routes!(import::import)).layer(DefaultBodyLimit::max(MOST_IMPORT_BYTES));
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get, put, delete))
        .routes(routes!(constants::get, constants::put, constants::delete))
        .merge(import)
}

/// A protocol in short.
#[derive(Serialize, ToSchema)]
struct ProtocolSummary {
    /// Its name.
    name: String,
    /// The kind of line its devices hang on: 485 or 232.
    #[schema(example = 485)]
    line: u16,
    /// The kind of device: `ups`, `air`, `em`, `th`, `io`.
    kind: String,
    /// How many instructions one query sends.
    instructions: usize,
    /// The names of the values that a query brings.
    values: Vec<String>,
}

/// What became of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Change {
    /// There was none of that name.
    Created,
    /// It stands in place of another of that name.
    Replaced,
    /// It was there, word for word.
    Unchanged,
}

/// A document that was taken in.
#[derive(Serialize, ToSchema)]
struct Taken {
    /// The protocol's name.
    name: String,
    /// What became of the document.
    change: Change,
    /// What is stored as it is, and can hardly be meant.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
}

impl Taken {
    fn new<T: PartialEq>(name: &str, stored: Option<&T>, offered: &T) -> Self {
        let change = match stored {
            None => Change::Created,
            Some(stored) if stored == offered => Change::Unchanged,
            Some(_) => Change::Replaced,
        };
        Self { name: name.to_owned(), change, warnings: Vec::new() }
    }
}

/// Every protocol
///
/// In the order of their names. For administrators.
#[utoipa::path(
    get, path = "/api/protocols", operation_id = "list_protocols", tag = "protocols", params(Paging),
    responses((status = 200, description = "A page of protocols", body = Listing<ProtocolSummary>))
)]
async fn list(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Query(paging): Query<Paging>,
) -> Result<Json<Listing<ProtocolSummary>>, ApiError> {
    let page = protocols::list(&*site.table, paging.limit()?, paging.after(LIST)?).await?;
    Ok(Listing::answer(LIST, page.items.into_iter().map(ProtocolSummary::from).collect(), page.next))
}

/// One protocol
///
/// The document as it was put. For administrators.
#[utoipa::path(
    get, path = "/api/protocols/{name}", operation_id = "get_protocol", tag = "protocols",
    params(("name" = String, Path, description = "The protocol")),
    responses((status = 200, description = "The document", body = Object))
)]
async fn get(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path(name): Path<String>,
) -> Result<Json<ProtocolDocument>, ApiError> {
    Ok(Json(protocol(&site, &name).await?))
}

/// Put a protocol
///
/// In place of one of the same name, or as a new one. It is proven first: an instruction or a field that makes no sense is
/// refused with its place. Devices are asked by it within 10 seconds. For administrators.
#[utoipa::path(
    put, path = "/api/protocols/{name}", operation_id = "put_protocol", tag = "protocols",
    params(("name" = String, Path, description = "The protocol")),
    request_body(content = Object, description = "The document; its `Protocol` is the name"),
    responses((status = 200, description = "It is stored", body = Taken))
)]
async fn put(
    State(site): State<Arc<Site>>,
    Admin: Admin,
    Path(name): Path<String>,
    Json(document): Json<ProtocolDocument>,
) -> Result<Json<Taken>, ApiError> {
    proof::name_is(&name, &document.protocol)?;
    let offered = Offered { protocols: vec![document], constants: Vec::new() }.proven(&site).await?;
    let taken = offered.compared(&site).await?.protocols;
    offered.store(&site).await?;
    taken.into_iter().next().map(Json).ok_or_else(|| Problem::internal().into())
}

/// Delete a protocol
///
/// Its constants go with it. 409 while a device speaks it. For administrators.
#[utoipa::path(
    delete, path = "/api/protocols/{name}", operation_id = "delete_protocol", tag = "protocols",
    params(("name" = String, Path, description = "The protocol")),
    responses((status = 204, description = "It is gone"))
)]
async fn delete(State(site): State<Arc<Site>>, Admin: Admin, Path(name): Path<String>) -> Result<StatusCode, ApiError> {
    protocol(&site, &name).await?;
    if let Some(mac) = terminals::first_with_protocol(&*site.table, &name).await? {
        let how = format!("A device of terminal {mac} speaks this protocol: give it another one first.");
        return Err(Problem::conflict("protocol-in-use", how).into());
    }
    protocols::delete(&*site.table, &name).await?;
    tracing::info!(protocol.name = name, "A protocol was deleted");
    Ok(StatusCode::NO_CONTENT)
}

async fn protocol(site: &Site, name: &str) -> Result<ProtocolDocument, ApiError> {
    let nowhere = || Problem::not_found("There is no such protocol.");
    if !domain::is_name(name) {
        return Err(nowhere().into());
    }
    Ok(protocols::get(&*site.table, name).await?.ok_or_else(nowhere)?)
}

impl From<ProtocolDocument> for ProtocolSummary {
    fn from(document: ProtocolDocument) -> Self {
        let in_use: Vec<_> = document.instruct.into_iter().filter(|instruct| instruct.is_use).collect();
        Self {
            name: document.protocol,
            line: Line::code(document.line),
            kind: document.protocol_type,
            instructions: in_use.len(),
            values: in_use.into_iter().flat_map(|instruct| instruct.form_resize).map(|field| field.name).collect(),
        }
    }
}
