//! Reads of many, and the edges of ranges and pages.

use records::{Condition, Key, Range, Write};

use super::{Fixture, item};

pub(super) async fn many_are_got_at_once_each_one_time(fixture: Fixture) {
    let places: Vec<String> = (0..150).map(|n| format!("{n:03}")).collect();
    for sk in &places {
        fixture.put(item("p", sk)).await;
    }
    let mut wanted: Vec<Key> = places.iter().map(|sk| Key::new("p", sk)).collect();
    wanted.extend([Key::new("p", "000"), Key::new("p", "999"), Key::new("q", "000")]);

    let mut got: Vec<String> =
        fixture.table.get_many(&wanted).await.unwrap().into_iter().map(|item| item.key.sk).collect();
    got.sort_unstable();
    assert_eq!(got, places);
    assert_eq!(fixture.table.get_many(&[]).await.unwrap(), []);
}

pub(super) async fn a_partition_is_read_in_the_order_of_its_bytes(fixture: Fixture) {
    fixture.fill("p", &["b", "é", "aa", "B", "a", "\u{10FFFF}", "a!", "\u{1}"]).await;
    assert_eq!(fixture.places(Range::all("p", 3)).await, ["\u{1}", "B", "a", "a!", "aa", "b", "é", "\u{10FFFF}"]);
}

pub(super) async fn partitions_do_not_mix(fixture: Fixture) {
    for pk in ["p", "p\u{1}", "p ", "pp", "o", "p\u{10FFFF}"] {
        fixture.fill(pk, &["1", "2"]).await;
    }
    assert_eq!(fixture.places(Range::all("p", 10)).await, ["1", "2"]);
    assert_eq!(fixture.places(Range::all("p", 10).newest_first()).await, ["2", "1"]);
    assert_eq!(fixture.places(Range::all("q", 10)).await, [""; 0]);
}

pub(super) async fn a_range_includes_both_its_ends(fixture: Fixture) {
    fixture.fill("p", &["1", "2", "3", "3x", "4"]).await;
    assert_eq!(fixture.places(Range::all("p", 2).between("2", "3")).await, ["2", "3"]);
    assert_eq!(fixture.places(Range::all("p", 2).between("2", "2")).await, ["2"]);
    assert_eq!(fixture.places(Range::all("p", 2).between("15", "35")).await, ["2", "3"]);
    assert_eq!(fixture.places(Range::all("p", 2).between("", "1")).await, ["1"]);
    assert_eq!(fixture.places(Range::all("p", 2).between("5", "9")).await, [""; 0]);
}

pub(super) async fn a_range_turned_round_is_empty(fixture: Fixture) {
    fixture.fill("p", &["1", "2", "3"]).await;
    assert_eq!(fixture.places(Range::all("p", 2).between("3", "1")).await, [""; 0]);
    assert_eq!(fixture.places(Range::all("p", 2).between("3", "1").newest_first()).await, [""; 0]);
}

pub(super) async fn a_prefix_ends_where_it_ends(fixture: Fixture) {
    fixture.fill("p", &["ab", "abc", "ab~", "abé", "ab\u{10FFFF}", "ac", "a", "b"]).await;
    assert_eq!(fixture.places(Range::all("p", 2).prefix("ab")).await, ["ab", "abc", "ab~", "abé", "ab\u{10FFFF}"]);
    assert_eq!(fixture.places(Range::all("p", 9).prefix("x")).await, [""; 0]);
    assert_eq!(fixture.places(Range::all("p", 9).prefix("")).await.len(), 8);
}

pub(super) async fn newest_first_is_the_reverse(fixture: Fixture) {
    fixture.fill("p", &["1", "2", "3", "4", "5"]).await;
    assert_eq!(fixture.places(Range::all("p", 2).newest_first()).await, ["5", "4", "3", "2", "1"]);
    assert_eq!(fixture.places(Range::all("p", 1).between("2", "4").newest_first()).await, ["4", "3", "2"]);
    assert_eq!(fixture.places(Range::all("p", 2).prefix("3").newest_first()).await, ["3"]);
}

pub(super) async fn pages_join_without_gap_or_repeat(fixture: Fixture) {
    let places: Vec<String> = (0..23).map(|n| format!("{n:02}")).collect();
    for sk in &places {
        fixture.put(item("p", sk)).await;
    }
    for limit in 1..=24 {
        assert_eq!(fixture.places(Range::all("p", limit)).await, places, "pages of {limit}");
        let mut reverse = fixture.places(Range::all("p", limit).newest_first()).await;
        reverse.reverse();
        assert_eq!(reverse, places, "pages of {limit}, newest first");
    }
}

pub(super) async fn a_full_last_page_says_it_is_the_last(fixture: Fixture) {
    fixture.fill("p", &["1", "2", "3", "4"]).await;
    let first = fixture.query(Range::all("p", 2)).await;
    assert_eq!(first.next.as_deref(), Some("2"));
    let last = fixture.query(Range::all("p", 2).after(first.next)).await;
    assert_eq!((last.items.len(), last.next), (2, None));
    assert_eq!(fixture.query(Range::all("p", 2).between("1", "2")).await.next, None);
}

pub(super) async fn a_page_goes_on_where_an_item_was_removed(fixture: Fixture) {
    fixture.fill("p", &["1", "2", "3", "4"]).await;
    let first = fixture.query(Range::all("p", 2)).await;
    let removed = fixture.table.write(Write::Delete(Key::new("p", "2"), Condition::Always)).await.unwrap();
    assert!(removed.applied());
    let rest = fixture.query(Range::all("p", 9).after(first.next)).await;
    assert_eq!(rest.items, [item("p", "3"), item("p", "4")]);
}

pub(super) async fn a_page_goes_on_from_outside_the_range(fixture: Fixture) {
    fixture.fill("p", &["1", "2", "3", "4"]).await;
    let middle = || Range::all("p", 9).between("2", "3");
    let after = |sk: &str| Some(sk.to_owned());
    assert_eq!(fixture.query(middle().after(after("0"))).await.items, [item("p", "2"), item("p", "3")]);
    assert_eq!(fixture.query(middle().after(after("9"))).await.items, []);
    assert_eq!(fixture.query(middle().newest_first().after(after("9"))).await.items, [item("p", "3"), item("p", "2")]);
    assert_eq!(fixture.query(middle().newest_first().after(after("0"))).await.items, []);
    assert_eq!(fixture.query(Range::all("p", 9).after(after("4"))).await.items, []);
}
