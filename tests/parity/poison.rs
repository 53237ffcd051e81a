//! Messages that can never be done.

use anyhow::Result;
use domain::Source;
use jobs::{DeliverNotice, FanOut, Job, ports::Message};
use telltale_tests::flow;

use super::{
    home::{Home, in_both_homes},
    outcome::Outcome,
    scene::{cool, hot, hot_then_cool, texts},
};

const POISON: [&str; 6] = [
    "{",
    " ",
    "null",
    r#"{"what":7}"#,
    r#"{"batch":"b","reports":[{"node":"n1","at":1,"event":{"event":"exploded"}}]}"#,
    r#"{"batch":"b","reports":"all"}"#,
];

#[tokio::test(flavor = "multi_thread")]
async fn work_on_what_is_not_there_is_a_dead_letter_with_its_reason() -> Result<()> {
    let scenario = async |home: &mut dyn Home| {
        let told = FanOut::Transition { source: Source::Device(flow::device(1)), transition: "none".to_owned() };
        let delivered = DeliverNotice { user: "tech".to_owned(), notice: "none".to_owned() };
        home.give(vec![told.message(), delivered.message()]).await?;
        home.settle().await
    };
    let dead = texts([
        r#"deliver_notice {"user":"tech","notice":"none"}: the notice is not stored"#,
        r#"fan_out {"source":{"device":{"mac":"98D863CC870D","pid":1}},"transition":"none"}: the transition is not stored"#,
    ]);
    in_both_homes(scenario, Outcome { dead, ..Outcome::default() }).await
}

#[tokio::test(flavor = "multi_thread")]
async fn poison_is_a_dead_letter_with_its_reason_and_holds_up_nothing() -> Result<()> {
    let scenario = async |home: &mut dyn Home| {
        let poison =
            |body: &str| Message { key: format!("poison {body}"), body: body.to_owned().into(), ..hot(home.base()) };
        let messages: Vec<Message> = POISON.into_iter().map(poison).chain([hot(home.base())]).collect();
        home.give(messages).await?;
        home.settle().await?;
        home.give(vec![cool(home.base())]).await?;
        home.settle().await
    };
    let mut expected = hot_then_cool();
    expected.dead = texts([
        "process_results  : the message is not a process_results job: EOF while parsing a value at line 1 column 1",
        "process_results null: the message is not a process_results job: invalid type: null",
        r#"process_results {"batch":"b","reports":"all"}: the message is not a process_results job: invalid type: string "all""#,
        r#"process_results {"batch":"b","reports":[{"node":"n1","at":1,"event":{"event":"exploded"}}]}: the message is not a process_results job: unknown variant `exploded`"#,
        r#"process_results {"what":7}: the message is not a process_results job: missing field `batch` at line 1 column 10"#,
        "process_results {: the message is not a process_results job: EOF while parsing an object at line 1 column 1",
    ]);
    in_both_homes(scenario, expected).await
}
