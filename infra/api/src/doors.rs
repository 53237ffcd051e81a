//! The brokers' doors as the API shows them: from what each broker writes down.

use std::{cmp::Reverse, sync::Arc};

use async_trait::async_trait;
use jobs::ports::{Door, Table};
use records::{
    TableError,
    doors::{self, Seen},
};

/// What all brokers wrote down.
pub struct StoredDoors(pub Arc<dyn Table>);

#[async_trait]
impl Door for StoredDoors {
    async fn seen(&self) -> Result<Seen, TableError> {
        Ok(joined(doors::all(self.0.as_ref()).await?))
    }
}

/// Counts are added up; those turned away stand in the order of their instants, newest first.
fn joined(doors: Vec<Seen>) -> Seen {
    let mut all = Seen::default();
    for door in doors {
        all.turned_away.extend(door.turned_away);
        for (name, count) in door.counts {
            *all.counts.entry(name).or_default() += count;
        }
    }
    all.turned_away.sort_by_key(|turned_away| Reverse(turned_away.at));
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use domain::Timestamp;
    use records::doors::TurnedAway;

    use super::*;

    fn seen(at: i64, posts: u64) -> Seen {
        let turned_away = TurnedAway {
            address: [192, 0, 2, 1].into(),
            code: "taken".to_owned(),
            reason: String::new(),
            at: Timestamp(at),
            times: 1,
        };
        Seen { turned_away: vec![turned_away], counts: BTreeMap::from([("posts".to_owned(), posts)]) }
    }

    #[test]
    fn what_several_doors_saw_is_shown_as_one() {
        let all = joined(vec![seen(1, 3), seen(2, 4)]);
        assert_eq!(all.counts["posts"], 7);
        assert_eq!(all.turned_away.iter().map(|turned_away| turned_away.at.0).collect::<Vec<_>>(), [2, 1]);
    }
}
