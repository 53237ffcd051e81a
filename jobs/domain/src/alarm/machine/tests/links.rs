//! Misses, lost links and lost parents.

use super::*;

#[test]
fn the_eleventh_miss_in_a_row_raises_and_an_answer_clears() {
    let mut source = Watched::by([silent(0)]);
    assert_eq!(source.sees(1, Fact::Missed { count: 10 }), NOTHING);
    let raised = source.changes(2, Fact::Missed { count: 11 }).remove(0);
    assert_eq!(raised.detail, "11 queries in a row without an answer");
    assert_eq!(source.sees(3, Fact::Missed { count: 12 }), NOTHING);
    assert_eq!(source.sees(4, Fact::Missed { count: 1 }), NOTHING, "a miss is never good news");
    assert_eq!(source.sees(5, Fact::LinkSeen), NOTHING, "the link is not the device");
    assert_eq!(source.sees(6, values([])), ["-timeout"]);
}

#[test]
fn a_lost_link_raises_after_its_delay_and_clears_when_seen() {
    let mut source = Watched::by([offline(60)]);
    assert_eq!(source.sees(1, link_lost()), NOTHING);
    assert_eq!(source.sees(60, Fact::LinkSeen), NOTHING);
    assert_eq!(source.sees(100, link_lost()), NOTHING);
    assert_eq!(source.sees(130, link_lost()), NOTHING);
    let raised = source.changes(160, Fact::Tick).remove(0);
    assert_eq!((raised.since, raised.detail.as_str()), (seconds(100), "link lost: terminalOff"));
    assert_eq!(source.sees(200, Fact::LinkSeen), ["-offline"]);
    assert_eq!(Watched::by([offline(0)]).sees(1, link_lost()), ["+offline"]);
}

#[test]
fn a_lost_parent_neither_raises_nor_clears() {
    let mut source = Watched::by([too_hot(0), silent(60)]);
    source.sees(1, hot(35.0));
    source.sees(2, Fact::Missed { count: 11 });
    assert_eq!(source.sees(3, parent_lost()), NOTHING);
    assert_eq!(source.state.unknown, Some(terminal()));
    assert_eq!(source.timer, None, "what rests on silence is no longer pending");
    assert_eq!(source.sees(70, Fact::Tick), NOTHING);
    assert_eq!(source.sees(80, Fact::Missed { count: 20 }), NOTHING);
    assert_eq!(source.sees(90, hot(36.0)), NOTHING, "still the same alarm");
    assert_eq!(source.state.unknown, None);
    assert_eq!(source.sees(91, hot(20.0)), ["-threshold:temperature"]);
}

#[test]
fn a_lost_parent_explains_a_silence_that_was_just_due() {
    let mut source = Watched::by([silent(60)]);
    source.sees(1, Fact::Missed { count: 11 });
    assert_eq!(source.sees(61, parent_lost()), NOTHING);
}

#[test]
fn misses_count_again_once_the_way_to_the_device_is_known() {
    for fact in [Fact::LinkSeen, link_lost(), values([])] {
        let mut source = Watched::by([silent(0)]);
        source.sees(1, parent_lost());
        assert_eq!(source.sees(2, Fact::Missed { count: 11 }), NOTHING);
        source.sees(3, fact.clone());
        assert_eq!(source.state.unknown, None, "{fact:?}");
        // An answer ends the row, the way there does not: eleven of it were explained.
        let (explained, enough) = if fact == values([]) { (10, 11) } else { (21, 22) };
        assert_eq!(source.sees(4, Fact::Missed { count: explained }), NOTHING, "{fact:?}");
        let raised = source.changes(5, Fact::Missed { count: enough }).remove(0);
        assert_eq!(raised.detail, "11 queries in a row without an answer", "{fact:?}");
    }
}

#[test]
fn misses_that_were_not_explained_count_on() {
    let mut source = Watched::by([silent(0)]);
    source.sees(1, Fact::Missed { count: 10 });
    source.sees(2, parent_lost());
    source.sees(3, Fact::LinkSeen);
    assert_eq!(source.sees(4, Fact::Missed { count: 11 }), ["+timeout"]);
    // A row that began since is not shortened by what was explained of another.
    let mut source = Watched::by([silent(0)]);
    source.sees(1, parent_lost());
    source.sees(2, Fact::Missed { count: 30 });
    source.sees(3, Fact::LinkSeen);
    source.sees(4, Fact::Missed { count: 1 });
    assert_eq!(source.sees(5, Fact::Missed { count: 11 }), ["+timeout"]);
    assert!(source.state.memories.is_empty(), "it is remembered no longer than it is needed");
}
