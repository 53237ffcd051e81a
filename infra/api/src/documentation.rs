//! The OpenAPI document: what is the same for all routes.

use engine_http::Problem;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        ContentBuilder, RefOr, Response, ResponseBuilder,
        path::{Operation, PathItem},
        schema::Ref,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};

/// What the document says besides the routes.
#[derive(OpenApi)]
#[openapi(
    info(title = "Telltale", description = "Terminals, readings, alarms and notices. Times are RFC 3339 in UTC."),
    components(schemas(Problem)),
    modifiers(&Doors),
    security(("bearer" = []), ("cookie" = [])),
)]
pub(crate) struct Document;

/// How a caller says who they are.
struct Doors;

impl Modify for Doors {
    fn modify(&self, document: &mut utoipa::openapi::OpenApi) {
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = document.components.get_or_insert_default();
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        components.add_security_scheme("cookie", SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::new("token"))));
    }
}

/// Says of every route that its errors are problems.
pub(crate) fn add_problems(document: &mut utoipa::openapi::OpenApi) {
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
            operation.responses.responses.insert("default".to_owned(), RefOr::T(problem()));
        }
    }
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
}

fn problem() -> Response {
    let content = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
    ResponseBuilder::new()
        .description("What went wrong; `code` tells the cases apart.")
        .content("application/problem+json", content)
        .build()
}
