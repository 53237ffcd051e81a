//! What people do about alarms: they take them on, put them on the shelf, take them out of service.

use super::*;
use crate::alarm::Level;

const RULE: &str = "threshold:temperature";

fn hot_since(second: i64) -> Watched {
    let mut source = Watched::by([too_hot(0)]);
    source.sees(second, hot(35.0));
    source
}

fn acknowledge(source: &Watched, until: Option<i64>) -> Deed {
    Deed::Acknowledge { alarm: source.alarm(RULE).alarm, until: until.map(seconds), void_up_to: None }
}

fn shelve(until: Option<i64>) -> Deed {
    Deed::Shelve { rule: RULE.into(), until: until.map(seconds), once: false }
}

fn unshelve() -> Deed {
    Deed::Unshelve { rule: RULE.into() }
}

fn take_out(rule: Option<&str>, until: Option<i64>) -> Deed {
    Deed::TakeOut { rule: rule.map(str::to_owned), until: until.map(seconds) }
}

#[test]
fn a_word_says_who_and_why_and_the_first_one_stands() {
    let mut source = hot_since(1);
    let word = source.acts(2, acknowledge(&source, None)).remove(0);
    assert_eq!((word.by.as_deref(), word.why.as_deref()), (Some("ann"), Some("on my way")));
    assert_eq!((word.kind, word.at, word.untold), (ChangeKind::Acknowledged, seconds(2), Some(Untold::Record)));
    assert_eq!(source.alarm(RULE).acknowledged.unwrap().by, "ann");
    assert_eq!(source.does(3, acknowledge(&source, Some(9))), NOTHING);
    assert_eq!(source.sees(4, hot(36.0)), NOTHING);
    assert_eq!(source.sees(5, hot(20.0)), [format!("-{RULE}")]);
}

#[test]
fn a_word_on_an_alarm_that_does_not_stand_changes_nothing() {
    let mut source = hot_since(1);
    let deed = acknowledge(&source, None);
    source.sees(2, hot(20.0));
    assert_eq!(source.does(3, deed), NOTHING);
}

#[test]
fn a_word_that_held_for_some_time_expires_though_nothing_arrives() {
    let mut source = hot_since(1);
    source.does(2, acknowledge(&source, Some(60)));
    assert_eq!(source.timer, Some(seconds(60)));
    assert_eq!(source.sees(59, Fact::Tick), NOTHING);
    let expired = source.changes(75, Fact::Tick).remove(0);
    assert_eq!((expired.kind, expired.at), (ChangeKind::AcknowledgementExpired, seconds(60)));
    assert_eq!(expired.detail, "the word of ann held until now");
    assert!(expired.is_told());
    assert_eq!((source.alarm(RULE).acknowledged, source.timer), (None, None));
    assert_eq!(
        source.does(80, acknowledge(&source, None)),
        [format!("({RULE} acknowledged)")],
        "it may be taken on again"
    );
}

#[test]
fn of_what_matters_more_since_somebody_may_say_it_anew() {
    let level = |limit, severity| Level { limit, severity, deadband: 0.0 };
    let above = vec![level(30.0, Severity::Warning), level(40.0, Severity::Critical)];
    let levels = Condition::Levels { name: "temperature".into(), above, below: Vec::new() };
    let mut source = Watched::by([Rule { condition: levels, ..too_hot(0) }]);
    source.sees(1, hot(35.0));
    source.does(2, acknowledge(&source, None));
    assert!(source.alarm(RULE).is_taken_on());
    source.sees(3, hot(45.0));
    assert!(!source.alarm(RULE).is_taken_on());
    assert_eq!(source.does(4, acknowledge(&source, None)), [format!("({RULE} acknowledged)")]);
    assert_eq!(source.does(5, acknowledge(&source, None)), NOTHING);
    source.sees(6, hot(35.0));
    assert!(source.alarm(RULE).is_taken_on(), "and it is for less as well");
}

#[test]
fn a_word_holds_as_long_as_the_rule_says_where_it_says_nothing() {
    let mut source = Watched::by([Rule { acknowledged_for: Duration::from_secs(30), ..too_hot(0) }]);
    source.sees(1, hot(35.0));
    assert_eq!(source.acts(10, acknowledge(&source, None)).remove(0).until, Some(seconds(40)));
    let changes = source.sees(41, hot(20.0));
    assert_eq!(changes, [format!("{RULE} acknowledgement_expired"), format!("-{RULE}")], "in their order");
}

#[test]
fn nobody_is_told_of_what_is_on_the_shelf_until_it_is_off_and_stands() {
    let mut source = hot_since(1);
    let put = source.acts(2, shelve(Some(60))).remove(0);
    assert_eq!((put.kind, put.until, put.by.as_deref()), (ChangeKind::Shelved, Some(seconds(60)), Some("ann")));
    assert_eq!(source.sees(3, hot(20.0)), [format!("(-{RULE})")]);
    assert_eq!(source.sees(4, hot(35.0)), [format!("(+{RULE})")]);
    assert_eq!(source.timer, Some(seconds(60)));
    let off = source.changes(60, Fact::Tick).remove(0);
    assert_eq!((off.kind, off.at, off.is_told()), (ChangeKind::Unshelved, seconds(60), true));
    assert_eq!((off.detail.as_str(), off.alarm), ("it stands", source.alarm(RULE).alarm));
    assert_eq!(source.sees(61, hot(20.0)), [format!("-{RULE}")]);
}

#[test]
fn nobody_is_told_that_it_stands_while_what_it_hangs_on_is_lost() {
    let mut source = hot_since(1);
    source.does(2, shelve(Some(60)));
    source.sees(30, parent_lost());
    let off = source.changes(60, Fact::Tick).remove(0);
    assert_eq!((off.kind, off.detail.as_str()), (ChangeKind::Unshelved, "it stood when it was last seen"));
    source.does(61, acknowledge(&source, Some(90)));
    let free = source.changes(90, Fact::Tick).remove(0);
    assert_eq!(free.detail, "the word of ann held until now, it stood when it was last seen");
    assert_eq!(source.sees(95, hot(20.0)), [format!("-{RULE}")]);
}

#[test]
fn people_who_knew_that_it_stood_are_told_when_it_is_off_the_shelf_and_over() {
    let mut source = hot_since(1);
    source.does(2, shelve(Some(60)));
    source.sees(31, hot(20.0));
    let off = source.changes(70, hot(21.0)).remove(0);
    assert_eq!((off.kind, off.at, off.is_told()), (ChangeKind::Unshelved, seconds(60), true));
    assert_eq!((off.detail.as_str(), off.lasted()), ("it is over", Some(Duration::from_secs(30))));
}

#[test]
fn nobody_is_told_when_what_is_off_the_shelf_is_nothing_that_they_knew_of() {
    let mut source = hot_since(1);
    source.sees(2, hot(20.0));
    source.does(3, shelve(None));
    source.sees(4, hot(35.0));
    source.sees(5, hot(20.0));
    assert_eq!(source.does(6, unshelve()), [format!("({RULE} unshelved)")]);
    assert_eq!(source.does(7, unshelve()), NOTHING);
    assert_eq!(source.sees(8, hot(35.0)), [format!("+{RULE}")]);
}

#[test]
fn a_rule_says_how_long_its_alarms_may_be_on_the_shelf() {
    let until = |most: u64, until| {
        let mut source = Watched::by([Rule { most_shelved: Duration::from_secs(most), ..too_hot(0) }]);
        source.sees(1, hot(35.0));
        source.acts(2, shelve(until)).remove(0).until.unwrap()
    };
    assert_eq!(until(30, Some(90)), seconds(32));
    assert_eq!(until(30, Some(20)), seconds(20));
    assert_eq!(until(30, None), seconds(32));
    assert_eq!(until(0, None), seconds(2 + 7 * 24 * 3600), "7 days");
}

#[test]
fn what_is_on_the_shelf_once_is_off_with_its_end() {
    let mut source = hot_since(1);
    source.does(2, Deed::Shelve { rule: RULE.into(), until: None, once: true });
    assert_eq!(source.sees(3, hot(20.0)), [format!("(-{RULE})"), format!("{RULE} unshelved")], "they knew of it");
    assert_eq!(source.sees(4, hot(35.0)), [format!("+{RULE}")]);
}

#[test]
fn an_alarm_of_before_lives_were_remembered_can_be_put_on_the_shelf() {
    let mut source = hot_since(1);
    source.state.lives.clear();
    assert_eq!(source.does(2, shelve(Some(60))), [format!("({RULE} shelved)")]);
    assert_eq!(source.sees(3, hot(20.0)), [format!("(-{RULE})")]);
    assert_eq!(source.sees(60, Fact::Tick), [format!("{RULE} unshelved")], "people were told that it stood");
    assert_eq!(source.does(61, Deed::Shelve { rule: "none".into(), until: None, once: false }), NOTHING);
}

#[test]
fn nobody_is_told_of_a_source_out_of_service_until_it_is_back() {
    let mut source = Watched::by([too_hot(0), running()]);
    assert_eq!(source.does(1, take_out(None, None)), ["( out_of_service)"]);
    assert_eq!(
        source.sees(2, values([degrees(35.0), observed("run", Datum::Number(0.0), "", "")])),
        ["(+threshold:temperature)", "(+state:run)"]
    );
    assert_eq!(source.sees(3, run(1.0, "")), ["(-state:run)"]);
    let back = source.acts(4, Deed::PutBack { rule: None });
    for change in &back {
        assert_eq!((change.by.as_deref(), change.why.as_deref()), (Some("ann"), Some("on my way")));
        assert_eq!(change.at, seconds(4));
    }
    let back: Vec<_> = back.iter().map(shown).collect();
    assert_eq!(back, ["( in_service)", "threshold:temperature in_service"]);
    assert_eq!(source.does(5, Deed::PutBack { rule: None }), NOTHING);
}

#[test]
fn a_rule_out_of_service_leaves_the_others_in_it_and_comes_back_by_itself() {
    let mut source = Watched::by([too_hot(0), running()]);
    let out = source.acts(1, take_out(Some(RULE), Some(60))).remove(0);
    assert_eq!((out.until, out.rule.as_str(), out.by.as_deref()), (Some(seconds(60)), RULE, Some("ann")));
    assert_eq!((out.severity, out.since, out.alarm.as_str()), (Severity::Info, seconds(1), ""));
    assert_eq!(source.timer, Some(seconds(60)));
    assert_eq!(source.sees(2, hot(35.0)), [format!("(+{RULE})")]);
    assert_eq!(source.sees(3, run(0.0, "")), ["+state:run"]);
    let back = source.sees(100, hot(35.0));
    assert_eq!(back, [format!("({RULE} in_service)"), format!("{RULE} in_service")]);
    assert!(source.state.out_of_service.is_empty());
}

#[test]
fn what_is_quiet_twice_is_told_when_neither_holds() {
    let mut source = hot_since(1);
    source.does(2, shelve(Some(60)));
    source.does(3, take_out(None, Some(90)));
    let off = source.changes(60, Fact::Tick).remove(0);
    assert_eq!(off.untold, Some(Untold::OutOfService));
    assert_eq!(source.sees(90, Fact::Tick), ["( in_service)".to_owned(), format!("{RULE} in_service")]);
}

#[test]
fn a_source_with_many_alarms_is_back_in_several_steps() {
    let bits = 1..=75;
    let rules = bits.clone().map(|bit| {
        let condition = Condition::NotIn { name: format!("bit {bit}"), normal: vec!["0".into()] };
        rule(&format!("state:{bit}"), condition, 0)
    });
    let mut source = Watched::by(rules);
    for bit in bits {
        source.sees(i64::from(bit), values([observed(&format!("bit {bit}"), Datum::Number(1.0), "", "")]));
    }
    source.does(100, take_out(None, None));
    let act = Act { by: "ann".into(), why: None, deed: Deed::PutBack { rule: None } };
    let evidence = Evidence::new("act", device(), seconds(200), Fact::Acted { act });
    let mut told = Vec::new();
    loop {
        let step = step(&source.state, &RuleSet::default(), &evidence, seconds(200));
        assert!(step.changes.len() <= MOST_CHANGES);
        source.state = step.state;
        told.extend(step.changes.into_iter().filter(Change::is_told).map(|change| change.rule));
        if step.is_whole {
            break;
        }
    }
    let rules: std::collections::BTreeSet<_> = told.iter().collect();
    assert_eq!((told.len(), rules.len()), (75, 75));
}

#[test]
fn an_end_is_told_of_nothing_that_nobody_knows() {
    let no_data = Condition::NoData { after: Duration::from_secs(10) };
    let mut source = Watched::by([rule("silence", no_data, 0)]);
    source.sees(30, values([]));
    source.does(39, take_out(None, None));
    assert_eq!(source.sees(40, Fact::Tick), ["(+silence)"]);
    assert_eq!(source.sees(35, values([])), ["(-silence)"], "of before it was out of service, and looked at later");
}

#[test]
fn what_somebody_takes_off_the_shelf_says_who_and_why() {
    let mut source = hot_since(1);
    source.does(2, shelve(None));
    let off = source.acts(3, unshelve()).remove(0);
    assert_eq!((off.by.as_deref(), off.why.as_deref()), (Some("ann"), Some("on my way")));
    assert!(off.is_told());
}

#[test]
fn the_same_act_twice_is_done_once() {
    let mut source = hot_since(1);
    source.does(5, shelve(Some(60)));
    source.does(6, unshelve());
    let before = source.state.clone();
    assert_eq!(source.does(5, shelve(Some(60))), NOTHING);
    assert_eq!(source.state, before);
}

#[test]
fn an_act_says_nothing_of_the_source() {
    let mut source = Watched::by([too_hot(0), silent(0)]);
    source.sees(1, hot(35.0));
    source.does(50, shelve(None));
    assert_eq!(source.sees(40, Fact::Missed { count: 11 }), ["+timeout"], "what was before it still counts");
    assert_eq!(source.sees(41, hot(20.0)), ["-threshold:temperature", "-timeout"], "and was not on the shelf then");
}

#[test]
fn an_act_leaves_what_waits_for_a_delay_alone() {
    let mut source = Watched::by([too_hot(60), running()]);
    source.sees(1, hot(35.0));
    source.sees(2, run(0.0, ""));
    source.does(70, Deed::Shelve { rule: "state:run".into(), until: None, once: false });
    assert_eq!(source.sees(71, Fact::Tick), [format!("+{RULE}")]);
}

#[test]
fn what_is_quiet_is_so_from_its_beginning_to_before_its_end() {
    let quiet = Quiet { by: "ann".into(), why: None, since: seconds(10), until: Some(seconds(20)), once: false };
    let covered: Vec<i64> = (8..22).filter(|second| quiet.covers(seconds(*second))).collect();
    assert_eq!(covered, (10..20).collect::<Vec<_>>());
    assert!(Quiet { until: None, ..quiet }.covers(seconds(1_000_000)));
}
