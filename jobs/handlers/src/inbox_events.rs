//! What a person's browsers are told of their inbox, so that all of them show the same (docs/WIRE.md, 7).

use records::inbox::Entry;
use serde_json::{Value, json};

use crate::ports::{Audience, Push};

const EVENT: &str = "notification";

/// An entry came.
pub fn new(user: &str, entry: &Entry, unread: usize) -> Push {
    push(user, json!({ "change": "new", "notification": shown(entry), "unread": unread }))
}

/// Entries were read.
pub fn read(user: &str, ids: &[String], unread: usize) -> Push {
    push(user, json!({ "change": "read", "ids": ids, "unread": unread }))
}

/// All entries were read.
pub fn read_all(user: &str, unread: usize) -> Push {
    push(user, json!({ "change": "read_all", "unread": unread }))
}

/// Entries were deleted.
pub fn deleted(user: &str, ids: &[String], unread: usize) -> Push {
    push(user, json!({ "change": "deleted", "ids": ids, "unread": unread }))
}

/// An entry as the API shows it.
fn shown(entry: &Entry) -> Value {
    json!({
        "id": entry.id,
        "type": entry.category,
        "priority": entry.severity,
        "title": entry.title,
        "content": entry.content,
        "source": entry.source.as_ref().map(ToString::to_string),
        "transition": entry.transition,
        "alarms": entry.alarms,
        "created_at": entry.at.rfc3339(),
        "is_read": entry.read_at.is_some(),
        "read_at": entry.read_at.map(domain::Timestamp::rfc3339),
    })
}

fn push(user: &str, data: Value) -> Push {
    Push { event: EVENT.to_owned(), audience: Audience::User(user.to_owned()), data }
}
