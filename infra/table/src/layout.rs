//! How items lie in an ordered map of bytes: `pk`, a NUL, `sk`, so that a partition is one range in the order of `sk`.

use std::ops::Bound;

use bytes::{BufMut, Bytes, BytesMut};
use domain::Timestamp;
use records::{Item, Key, Order, Range, TableError};

/// The two ends of a part of an ordered map.
pub(crate) type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// Which form of [`encode`] this is, in the first byte.
const FORM: u8 = 1;
/// The form, the version and the expiry.
const HEAD_BYTES: usize = 1 + 8 + 8;
/// The expiry of what never expires.
const NEVER: i64 = i64::MAX;

/// Where the item of `key` lies.
pub(crate) fn place(key: &Key) -> Vec<u8> {
    place_of(&key.pk, &key.sk)
}

fn place_of(pk: &str, sk: &str) -> Vec<u8> {
    [pk.as_bytes(), &[0], sk.as_bytes()].concat()
}

/// The key of what lies at `place`.
pub(crate) fn key_at(place: &[u8]) -> Result<Key, TableError> {
    let text = std::str::from_utf8(place).ok();
    let (pk, sk) = text.and_then(|text| text.split_once('\0')).ok_or_else(|| damaged(place))?;
    Ok(Key::new(pk, sk))
}

/// The part of the map that holds what is left of `range`; none when that is nothing.
pub(crate) fn bounds(range: &Range) -> Option<Bounds> {
    let mut from = Bound::Included(place_of(&range.pk, &range.from));
    let mut to = match &range.to {
        Some(to) => Bound::Included(place_of(&range.pk, to)),
        None => Bound::Excluded([range.pk.as_bytes(), &[1]].concat()),
    };
    if let Some(after) = &range.after {
        let after = place_of(&range.pk, after);
        match range.order {
            Order::Ascending if is_beyond(&from, &after) => {}
            Order::Ascending => from = Bound::Excluded(after),
            Order::Descending if is_before(&to, &after) => {}
            Order::Descending => to = Bound::Excluded(after),
        }
    }
    has_room(&from, &to).then_some((from, to))
}

fn is_beyond(from: &Bound<Vec<u8>>, after: &[u8]) -> bool {
    matches!(from, Bound::Included(from) if from.as_slice() > after)
}

fn is_before(to: &Bound<Vec<u8>>, after: &[u8]) -> bool {
    matches!(to, Bound::Included(to) | Bound::Excluded(to) if to.as_slice() < after)
}

fn has_room(from: &Bound<Vec<u8>>, to: &Bound<Vec<u8>>) -> bool {
    match (from, to) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => true,
        (Bound::Included(from), Bound::Included(to)) => from <= to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => from < to,
    }
}

/// The item without its key, as bytes.
pub(crate) fn encode(item: &Item) -> Bytes {
    let mut bytes = BytesMut::with_capacity(HEAD_BYTES + item.body.len());
    bytes.put_u8(FORM);
    bytes.put_u64(item.version);
    bytes.put_i64(item.expires.map_or(NEVER, |expires| expires.0));
    bytes.put_slice(&item.body);
    bytes.freeze()
}

/// The item that [`encode`] made `bytes` of.
pub(crate) fn decode(key: Key, bytes: &Bytes) -> Result<Item, TableError> {
    let (&[form], rest) = bytes.split_first_chunk().ok_or_else(|| damaged(&place(&key)))?;
    let (version, rest) = rest.split_first_chunk().ok_or_else(|| damaged(&place(&key)))?;
    let (expires, body) = rest.split_first_chunk().ok_or_else(|| damaged(&place(&key)))?;
    if form != FORM {
        return Err(damaged(&place(&key)));
    }
    let expires = i64::from_be_bytes(*expires);
    Ok(Item {
        key,
        version: u64::from_be_bytes(*version),
        expires: (expires != NEVER).then_some(Timestamp(expires)),
        body: bytes.slice_ref(body),
    })
}

/// Where the reminder lies that the item at `place` goes at `expires`: in the order of time.
pub(crate) fn reminder(expires: Timestamp, place: &[u8]) -> Vec<u8> {
    [&sortable(expires), place].concat()
}

/// Behind every reminder that is due at `now`.
pub(crate) fn reminders_until(now: Timestamp) -> Bounds {
    (Bound::Unbounded, Bound::Excluded(sortable(Timestamp(now.0.saturating_add(1))).to_vec()))
}

/// The place that `reminder` reminds of.
pub(crate) fn reminded_of(reminder: &[u8]) -> Result<&[u8], TableError> {
    let (_, place) = reminder.split_first_chunk::<8>().ok_or_else(|| damaged(reminder))?;
    Ok(place)
}

/// Eight bytes whose order is the order of time, before 1970 too.
fn sortable(at: Timestamp) -> [u8; 8] {
    (at.0 ^ i64::MIN).to_be_bytes()
}

fn damaged(place: &[u8]) -> TableError {
    TableError::Damaged(String::from_utf8_lossy(place).replace('\0', " / "))
}
