//! A space: an ordered map of bytes, with the commit log shared by all.

use std::ops::Bound;

use bytes::Bytes;

use crate::EngineError;

/// A key and what lies there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The key.
    pub key: Bytes,
    /// What lies there.
    pub value: Bytes,
}

/// One ordered map of the store. Cheap to clone. Reads see what has been acknowledged, and nothing that is not durable.
#[derive(Clone)]
pub struct Space(fjall::Keyspace);

impl Space {
    pub(crate) fn new(keyspace: fjall::Keyspace) -> Self {
        Self(keyspace)
    }

    pub(crate) fn keyspace(&self) -> &fjall::Keyspace {
        &self.0
    }

    /// What lies at `key`.
    pub fn get(&self, key: &[u8]) -> Result<Option<Bytes>, EngineError> {
        let value = self.0.get(key).map_err(EngineError::reading)?;
        Ok(value.map(Bytes::from))
    }

    /// The rows between two bounds, smallest key first; from the back for the greatest first. Empty when the bounds
    /// leave no room.
    pub fn range(
        &self,
        from: Bound<Vec<u8>>,
        to: Bound<Vec<u8>>,
    ) -> impl DoubleEndedIterator<Item = Result<Row, EngineError>> + use<> {
        let rows = has_room(&from, &to).then(|| self.0.range((from, to)));
        rows.into_iter().flatten().map(|guard| {
            let (key, value) = guard.into_inner().map_err(EngineError::reading)?;
            Ok(Row { key: key.into(), value: value.into() })
        })
    }
}

impl std::fmt::Debug for Space {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Space").field(self.0.name()).finish()
    }
}

fn has_room(from: &Bound<Vec<u8>>, to: &Bound<Vec<u8>>) -> bool {
    match (from, to) {
        (Bound::Unbounded, _) | (_, Bound::Unbounded) => true,
        (Bound::Included(from), Bound::Included(to)) => from <= to,
        (Bound::Included(from) | Bound::Excluded(from), Bound::Included(to) | Bound::Excluded(to)) => from < to,
    }
}
