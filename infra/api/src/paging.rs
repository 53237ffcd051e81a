//! Lists, a page at a time.

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use engine_http::{Json, Problem};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

const DEFAULT_LIMIT: u32 = 50;
const MOST: u32 = 200;
const MOST_CURSOR_BYTES: usize = 600;

/// Which part of a list is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct Paging {
    /// How many items: 1 to 200, 50 when absent.
    #[param(minimum = 1, maximum = 200)]
    limit: Option<u32>,
    /// Where to go on: the `next` of the page before, as it was given.
    after: Option<String>,
}

/// A page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Listing<T> {
    /// The items.
    items: Vec<T>,
    /// What to give as `after` for the next page; null at the end.
    #[schema(required)]
    next: Option<String>,
}

impl Paging {
    /// How many items are wanted.
    pub(crate) fn limit(&self) -> Result<usize, Problem> {
        match self.limit.unwrap_or(DEFAULT_LIMIT) {
            limit @ 1..=MOST => Ok(limit as usize),
            _ => Err(Problem::bad_request("bad-limit", format!("limit must lie between 1 and {MOST}."))),
        }
    }

    /// The place in `list` behind which the page begins.
    pub(crate) fn after(&self, list: &str) -> Result<Option<String>, Problem> {
        let Some(cursor) = &self.after else { return Ok(None) };
        let place = place_in(list, cursor).ok_or_else(|| {
            let how =
                "after is not a place in this list: give the next of the page before, unchanged, or leave it out.";
            Problem::bad_request("bad-cursor", how)
        })?;
        Ok(Some(place))
    }
}

impl<T> Listing<T> {
    /// The answer that holds a page of `list`; `next` is the place where it ends, if more follows.
    pub(crate) fn answer(list: &str, items: Vec<T>, next: Option<String>) -> Json<Self> {
        let next = next.map(|place| BASE64_URL_SAFE_NO_PAD.encode(format!("{list}\n{place}")));
        Json(Self { items, next })
    }
}

fn place_in(list: &str, cursor: &str) -> Option<String> {
    if cursor.len() > MOST_CURSOR_BYTES {
        return None;
    }
    let text = String::from_utf8(BASE64_URL_SAFE_NO_PAD.decode(cursor).ok()?).ok()?;
    let (of_list, place) = text.split_once('\n')?;
    (of_list == list && !place.is_empty() && !place.contains('\0')).then(|| place.to_owned())
}

/// A page of what is at hand whole, in the order of `place_of`; and where it ends, if more follows.
pub(crate) fn page_of<T>(
    mut all: Vec<T>,
    place_of: impl Fn(&T) -> &str,
    limit: usize,
    after: Option<&str>,
) -> (Vec<T>, Option<String>) {
    all.retain(|item| after.is_none_or(|after| place_of(item) > after));
    all.sort_by(|a, b| place_of(a).cmp(place_of(b)));
    cut(all, place_of, limit)
}

/// As many as were asked for of what was found, which is more where more follows; and where that ends then.
pub(crate) fn cut<T>(mut found: Vec<T>, place_of: impl Fn(&T) -> &str, limit: usize) -> (Vec<T>, Option<String>) {
    let more = found.len() > limit;
    found.truncate(limit);
    let next = found.last().filter(|_| more).map(|last| place_of(last).to_owned());
    (found, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn going_on(after: &str) -> Paging {
        Paging { limit: None, after: Some(after.to_owned()) }
    }

    fn cursor(list: &str, place: &str) -> String {
        Listing::<()>::answer(list, Vec::new(), Some(place.to_owned())).0.next.unwrap()
    }

    #[test]
    fn a_cursor_leads_back_to_its_place() {
        let paging = going_on(&cursor("alarms", "01J"));
        assert_eq!(paging.after("alarms").unwrap().as_deref(), Some("01J"));
    }

    #[test]
    fn a_cursor_of_another_list_or_nobodys_is_refused() {
        let long = "A".repeat(10_000);
        for after in [cursor("notices", "01J"), cursor("alarms", ""), cursor("alarms", "\0"), "01J".to_owned(), long] {
            assert!(going_on(&after).after("alarms").is_err(), "{after}");
        }
    }

    #[test]
    fn pages_of_a_whole_follow_each_other_without_gap_or_repetition() {
        let all = || vec!["c", "a", "d", "b"];
        let (first, next) = page_of(all(), |item| item, 3, None);
        assert_eq!((first, next.as_deref()), (vec!["a", "b", "c"], Some("c")));
        let (second, next) = page_of(all(), |item| item, 3, Some("c"));
        assert_eq!((second, next), (vec!["d"], None));
    }
}
