//! How a route fails.

use engine_http::{
    Problem,
    axum::response::{IntoResponse, Response},
};
use jobs::ports::{LinkError, QueueError};
use records::TableError;

/// Why a route has no answer.
#[derive(Debug)]
pub(crate) enum ApiError {
    /// The caller is told just this.
    Problem(Problem),
    /// The log is told what, the caller only whether to try again.
    Table(TableError),
    /// Likewise.
    Queue(QueueError),
    /// Likewise.
    Link(LinkError),
}

impl From<Problem> for ApiError {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

impl From<TableError> for ApiError {
    fn from(error: TableError) -> Self {
        Self::Table(error)
    }
}

impl From<QueueError> for ApiError {
    fn from(error: QueueError) -> Self {
        Self::Queue(error)
    }
}

impl From<LinkError> for ApiError {
    fn from(error: LinkError) -> Self {
        Self::Link(error)
    }
}

impl ApiError {
    /// What the caller is not told is told the log.
    pub(crate) fn log(&self) {
        match self {
            Self::Problem(_) => {}
            Self::Queue(error) => tracing::error!(%error, "A request failed at the queue"),
            Self::Link(error) => tracing::error!(%error, "A request failed at the link"),
            Self::Table(error) => tracing::error!(%error, "A request failed at the table"),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        self.log();
        let problem = match self {
            Self::Problem(problem) => problem,
            Self::Queue(error) => match error {
                QueueError::Away(_) => {
                    Problem::unavailable("queue-away", "The queue does not answer. Try again in a moment.")
                }
                QueueError::Invalid(why) => Problem::bad_request("queue-refuses", why),
            },
            Self::Link(_) => Problem::unavailable("broker-away", "The broker does not answer. Try again in a moment."),
            Self::Table(error) => match error {
                TableError::Away(_) | TableError::ReadOnly(_) => {
                    Problem::unavailable("store-away", "The store does not answer. Try again in a moment.")
                }
                TableError::Invalid(_) | TableError::Damaged(_) => Problem::internal(),
            },
        };
        problem.into_response()
    }
}
