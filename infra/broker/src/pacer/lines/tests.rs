use super::*;

const NOW: Timestamp = Timestamp(1_000_000);

fn mac() -> Mac {
    "98D863CC870D".parse().unwrap()
}

fn due(pid: Pid, at: Timestamp) -> Due {
    let query = PlannedQuery {
        at,
        mac: mac(),
        pid,
        line: 485,
        protocol: "modbusP".to_owned(),
        model: "dev".to_owned(),
        contents: vec!["0103".to_owned()],
        interval: 20_000,
    };
    Due { node: "n1".to_owned(), query }
}

fn after(millis: i64) -> Timestamp {
    Timestamp(NOW.0 + millis)
}

/// The devices that are asked, given what each turn says.
fn asked(turn: &Turn) -> Option<(Pid, Timestamp)> {
    turn.ask.as_ref().map(|ask| (ask.due.query.pid, ask.asked))
}

#[test]
fn one_query_is_on_the_line_and_the_others_wait_in_order() {
    let mut lines = Lines::default();
    assert_eq!(asked(&lines.due(due(1, NOW), NOW)), Some((1, NOW)));
    assert_eq!(lines.due(due(2, NOW), NOW), Turn::default());
    assert_eq!(lines.due(due(3, NOW), NOW), Turn::default());
    assert_eq!(asked(&lines.answered("n1", &mac(), NOW, after(50)).unwrap()), Some((2, after(50))));
    assert_eq!(asked(&lines.answered("n1", &mac(), after(50), after(90)).unwrap()), Some((3, after(90))));
    assert_eq!(lines.answered("n1", &mac(), after(90), after(95)), Some(Turn::default()));
}

#[test]
fn an_answer_to_another_query_frees_nothing() {
    let mut lines = Lines::default();
    lines.due(due(1, NOW), NOW);
    assert_eq!(lines.answered("n1", &mac(), after(-20_000), NOW), None);
    assert_eq!(lines.missed("n1", &mac(), 2, NOW), (Miss::New, None));
    assert_eq!(lines.missed("n1", &mac(), 1, NOW), (Miss::New, Some(Turn::default())));
}

#[test]
fn two_queries_never_share_an_instant() {
    let mut lines = Lines::default();
    lines.due(due(1, NOW), NOW);
    lines.due(due(2, NOW), NOW);
    assert_eq!(asked(&lines.answered("n1", &mac(), NOW, NOW).unwrap()), Some((2, after(1))));
}

#[test]
fn a_query_that_waited_longer_than_its_interval_is_dropped() {
    let mut lines = Lines::default();
    lines.due(due(1, NOW), NOW);
    lines.due(due(2, NOW), NOW);
    lines.due(due(3, after(15_000)), after(15_000));
    let turn = lines.answered("n1", &mac(), NOW, after(20_001)).unwrap();
    assert_eq!((asked(&turn), turn.dropped), (Some((3, after(20_001))), 1));
}

#[test]
fn a_device_waits_once_and_keeps_its_place() {
    let mut lines = Lines::default();
    lines.due(due(1, NOW), NOW);
    lines.due(due(2, NOW), NOW);
    lines.due(due(3, NOW), NOW);
    lines.due(due(2, after(20_000)), after(20_000));
    assert_eq!(asked(&lines.answered("n1", &mac(), NOW, after(30_000)).unwrap()), Some((2, after(30_000))));
}

#[test]
fn the_same_plan_again_is_dropped() {
    let mut lines = Lines::default();
    lines.due(due(1, NOW), NOW);
    lines.answered("n1", &mac(), NOW, after(50));
    assert_eq!(lines.due(due(1, NOW), after(60)), Turn { ask: None, dropped: 1 });
    assert_eq!(lines.due(due(1, after(-20_000)), after(60)), Turn { ask: None, dropped: 1 });
    assert_eq!(asked(&lines.due(due(1, after(20_000)), after(20_000))), Some((1, after(20_000))));
}

#[test]
fn a_clock_that_is_set_back_does_not_silence_a_device() {
    let mut lines = Lines::default();
    lines.due(due(1, NOW), NOW);
    lines.answered("n1", &mac(), NOW, NOW);
    let earlier = after(-3_600_000);
    assert!(lines.due(due(1, earlier), earlier).ask.is_some());
}

#[test]
fn a_busy_terminal_is_not_asked_until_it_is_free_or_silent_about_it_for_a_minute() {
    let mut lines = Lines::default();
    lines.due(due(1, NOW), NOW);
    lines.answered("n1", &mac(), NOW, NOW);
    lines.busy("n1", &mac(), Load::Busy, NOW);
    assert_eq!(lines.due(due(2, after(1)), after(1)), Turn { ask: None, dropped: 1 });
    lines.busy("n1", &mac(), Load::Free, after(2));
    assert!(lines.due(due(3, after(2)), after(2)).ask.is_some());
    lines.answered("n1", &mac(), after(2), after(3));
    lines.busy("n1", &mac(), Load::Busy, after(3));
    assert!(lines.due(due(4, after(60_003)), after(60_003)).ask.is_some());
}

#[test]
fn a_query_that_is_given_up_makes_room_and_is_missed_once() {
    let mut lines = Lines::default();
    lines.due(due(1, NOW), NOW);
    lines.due(due(2, NOW), NOW);
    let (pid, turn) = lines.overdue(&mac(), NOW, after(15_000)).unwrap();
    assert_eq!((pid, asked(&turn)), (1, Some((2, after(15_000)))));
    assert_eq!(lines.overdue(&mac(), NOW, after(15_000)), None);
    assert_eq!(lines.missed("n1", &mac(), 1, after(16_000)), (Miss::Known, None));
    assert_eq!(lines.missed("n1", &mac(), 1, after(17_000)), (Miss::New, None));
}

#[test]
fn what_waits_goes_with_the_terminal_or_its_node() {
    let mut lines = Lines::default();
    lines.due(due(1, NOW), NOW);
    lines.due(due(2, NOW), NOW);
    assert_eq!(lines.forget_node("n2"), 0);
    assert_eq!(lines.forget_node("n1"), 1);
    assert_eq!(lines.forget(&mac()), 0);
    assert_eq!(lines.answered("n1", &mac(), NOW, NOW), None);
}

#[test]
fn what_another_node_says_of_a_terminal_does_not_count() {
    let mut lines = Lines::default();
    lines.due(due(1, NOW), NOW);
    lines.busy("n2", &mac(), Load::Busy, NOW);
    assert_eq!(lines.answered("n2", &mac(), NOW, NOW), None);
    assert_eq!(lines.missed("n2", &mac(), 1, NOW), (Miss::New, None));
    assert!(!lines.is_on("n2", &mac()));
    assert_eq!(lines.answered("n1", &mac(), NOW, NOW), Some(Turn::default()));
    assert!(lines.due(due(2, after(1)), after(1)).ask.is_some(), "it is not busy");
}

#[test]
fn a_terminal_may_call_itself_busy_before_it_is_asked() {
    let mut lines = Lines::default();
    lines.busy("n1", &mac(), Load::Busy, NOW);
    assert_eq!(lines.due(due(1, NOW), NOW), Turn { ask: None, dropped: 1 });
}
