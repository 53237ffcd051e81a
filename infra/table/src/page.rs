//! Cuts a page from the rows of a range.

use domain::Timestamp;
use records::{Item, Page, TableError};

use crate::rules::live;

/// The first `limit` live items, and where to go on when another follows them.
pub(crate) fn cut(
    items: impl Iterator<Item = Result<Item, TableError>>,
    limit: usize,
    now: Timestamp,
) -> Result<Page, TableError> {
    let mut page = Page::default();
    for item in items {
        let Some(item) = live(item?, now) else { continue };
        if page.items.len() == limit {
            page.next = page.items.last().map(|last| last.key.sk.clone());
            break;
        }
        page.items.push(item);
    }
    Ok(page)
}
