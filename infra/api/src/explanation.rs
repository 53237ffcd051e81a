//! Explanations as a command line shows them.

use domain::Timestamp;
use records::explanation::Explanation;

use crate::routes::Explained;

/// What `GET /api/alarms/{id}/explain` would answer now.
///
/// # Errors
/// Where it cannot be written as JSON.
pub fn as_json(explanation: Explanation, now: Timestamp) -> Result<serde_json::Value, serde_json::Error> {
    serde_json::to_value(Explained::of(explanation, now))
}
