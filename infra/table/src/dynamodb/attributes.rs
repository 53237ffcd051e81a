//! How an item lies in DynamoDB.
//!
//! | attribute | type | holds |
//! |---|---|---|
//! | `pk`, `sk` | S | the key |
//! | `v` | N | the version |
//! | `expires` | N | when the item counts as gone, in milliseconds; absent when it never does |
//! | `ttl` | N | the same in seconds, rounded up: when the engine may remove it |
//! | `b` | B | the body |

use std::collections::HashMap;

use aws_sdk_dynamodb::{primitives::Blob, types::AttributeValue};
use domain::Timestamp;
use records::{Item, Key, TableError};

/// An item, or a key, as the SDK has it.
pub(super) type Attributes = HashMap<String, AttributeValue>;

/// The attributes of an item.
pub(super) fn of_item(item: &Item) -> Attributes {
    let mut attributes = of_key(&item.key);
    attributes.insert("v".to_owned(), number(item.version));
    attributes.insert("b".to_owned(), AttributeValue::B(Blob::new(item.body.as_ref())));
    if let Some(expires) = item.expires {
        attributes.insert("expires".to_owned(), number(expires.0));
        attributes.insert("ttl".to_owned(), number(ttl(expires)));
    }
    attributes
}

/// When the engine may remove what expires then, in seconds.
pub(super) fn ttl(expires: Timestamp) -> i64 {
    expires.0.saturating_add(999).div_euclid(1000)
}

/// The attributes of a key.
pub(super) fn of_key(key: &Key) -> Attributes {
    of_place(&key.pk, &key.sk)
}

/// The attributes of the key `pk`, `sk`.
pub(super) fn of_place(pk: &str, sk: &str) -> Attributes {
    HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}

/// A string.
pub(super) fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

/// A number.
pub(super) fn number(number: impl Into<i128>) -> AttributeValue {
    AttributeValue::N(number.into().to_string())
}

/// The item that [`of_item`] made these attributes of.
pub(super) fn to_item(mut attributes: Attributes) -> Result<Item, TableError> {
    let mut take = |name: &str| attributes.remove(name);
    let (Some(AttributeValue::S(pk)), Some(AttributeValue::S(sk))) = (take("pk"), take("sk")) else {
        return Err(TableError::Damaged("an item has no key".to_owned()));
    };
    let key = Key::new(pk, sk);
    let (Some(AttributeValue::N(version)), Some(AttributeValue::B(body))) = (take("v"), take("b")) else {
        return Err(damaged(&key, "its version or its body is missing"));
    };
    let version = version.parse().map_err(|_| damaged(&key, "its version is no such number"))?;
    let expires = match take("expires") {
        None => None,
        Some(AttributeValue::N(millis)) => {
            Some(Timestamp(millis.parse().map_err(|_| damaged(&key, "its expiry is no such number"))?))
        }
        Some(_) => return Err(damaged(&key, "its expiry is no number")),
    };
    Ok(Item { key, version, expires, body: body.into_inner().into() })
}

fn damaged(key: &Key, what: &str) -> TableError {
    TableError::Damaged(format!("{} / {}: {what}", key.pk, key.sk))
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn item(expires: Option<Timestamp>) -> Item {
        Item { key: Key::new("p", "s"), version: u64::MAX, expires, body: Bytes::from_static(&[0, 255]) }
    }

    #[test]
    fn an_item_comes_back_as_it_was() {
        for expires in [None, Some(Timestamp(-1)), Some(Timestamp(1_795_424_466_001)), Some(Timestamp(i64::MAX))] {
            assert_eq!(to_item(of_item(&item(expires))).unwrap(), item(expires));
        }
    }

    #[test]
    fn the_engine_removes_nothing_before_its_time() {
        for (millis, seconds) in [(5_000, 5), (5_001, 6), (5_999, 6), (-500, 0)] {
            assert_eq!(of_item(&item(Some(Timestamp(millis))))["ttl"], number(seconds));
        }
    }

    #[test]
    fn what_another_wrote_there_is_damaged_not_guessed() {
        let broken = [
            ("v", None),
            ("b", None),
            ("v", Some(AttributeValue::N("1.5".to_owned()))),
            ("b", Some(text("x"))),
            ("expires", Some(text("soon"))),
        ];
        for (name, value) in broken {
            let mut attributes = of_item(&item(None));
            attributes.remove(name);
            attributes.extend(value.map(|value| (name.to_owned(), value)));
            assert!(matches!(to_item(attributes), Err(TableError::Damaged(_))), "{name}");
        }
    }
}
