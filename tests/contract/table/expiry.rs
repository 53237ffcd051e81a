//! Items that are gone from a moment on.

use std::time::Duration;

use records::{Clock, Condition, Item, Key, Outcome, Range, Write};

use super::{Fixture, item};

const SOON: Duration = Duration::from_secs(10);

impl Fixture {
    /// An item that is gone in ten seconds.
    fn brief(&self, sk: &str) -> Item {
        Item { expires: Some(self.clock.now().plus(SOON)), ..item("p", sk) }
    }

    fn just_before_it_is_gone(&self) {
        self.clock.advance(SOON.saturating_sub(Duration::from_millis(1)));
    }

    fn a_millisecond_later(&self) {
        self.clock.advance(Duration::from_millis(1));
    }
}

pub(super) async fn an_expired_item_is_not_read(fixture: Fixture) {
    fixture.put(fixture.brief("s")).await;
    fixture.just_before_it_is_gone();
    assert!(fixture.get("p", "s").await.is_some());
    fixture.a_millisecond_later();
    assert_eq!(fixture.get("p", "s").await, None);
    assert_eq!(fixture.table.get_many(&[Key::new("p", "s")]).await.unwrap(), []);
    assert_eq!(fixture.query(Range::all("p", 9)).await.items, []);
}

pub(super) async fn an_expired_item_counts_as_absent_for_conditions(fixture: Fixture) {
    fixture.put(fixture.brief("s")).await;
    assert!(!fixture.put_if(item("p", "s"), Condition::Absent).await.applied());
    fixture.just_before_it_is_gone();
    fixture.a_millisecond_later();
    let refused = fixture.put_if(item("p", "s"), Condition::Version(1)).await;
    assert_eq!(refused, Outcome::Refused { index: 0, found: None });
    let refused = fixture.table.transact(vec![Write::Delete(Key::new("p", "s"), Condition::Version(1))]).await.unwrap();
    assert_eq!(refused, Outcome::Refused { index: 0, found: None });
    assert!(fixture.put_if(item("p", "s"), Condition::Absent).await.applied());
}

pub(super) async fn expired_items_do_not_use_up_a_page(fixture: Fixture) {
    for sk in ["1", "2", "3", "5"] {
        fixture.put(fixture.brief(sk)).await;
    }
    fixture.fill("p", &["4", "6"]).await;
    fixture.just_before_it_is_gone();
    fixture.a_millisecond_later();
    let page = fixture.query(Range::all("p", 2)).await;
    assert_eq!(page.items, [item("p", "4"), item("p", "6")]);
    assert_eq!(page.next, None);
}

pub(super) async fn an_item_lives_as_its_last_writing_says(fixture: Fixture) {
    fixture.put(fixture.brief("longer")).await;
    fixture.put(fixture.brief("forever")).await;
    fixture.put(item("p", "brief")).await;
    fixture.just_before_it_is_gone();
    fixture.put(fixture.brief("longer")).await;
    fixture.put(item("p", "forever")).await;
    fixture.put(Item { expires: Some(fixture.clock.now()), ..item("p", "brief") }).await;
    fixture.a_millisecond_later();
    assert_eq!(fixture.places(Range::all("p", 9)).await, ["forever", "longer"]);
}
