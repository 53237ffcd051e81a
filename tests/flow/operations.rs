use domain::{Source, frame::Proof};
use jobs::{
    Job,
    report::{Event, OperationEnd, OperationVerdict},
};
use records::{
    operations::{self, End, Ended, Operation, What},
    protocols,
};
use telltale_tests::flow::{Flow, mac};

fn about() -> Source {
    Source::Terminal(mac())
}

/// Somebody has the sensor do something.
async fn begun(flow: &Flow, what: What) -> String {
    let (id, node, by) = ("o1".to_owned(), "n1".to_owned(), "tech".to_owned());
    let operation =
        Operation { id: id.clone(), about: about(), node, broker: None, what, by, at: flow.now(), ended: None };
    assert!(operations::put_new(flow.cx.table.as_ref(), &operation).await.unwrap());
    id
}

fn write(proof: Proof) -> What {
    let (protocol, content) = ("温湿度传感器".to_owned(), "01060001000119ca".to_owned());
    What::Device { pid: 1, protocol, name: "set".to_owned(), value: None, content, proof }
}

fn ended(id: &str, verdict: OperationVerdict, said: &str) -> Event {
    let end = OperationEnd { verdict, said: said.to_owned(), reply: vec![1, 6] };
    Event::Operated { about: about(), id: id.to_owned(), end }
}

async fn logged(flow: &Flow) -> Operation {
    operations::get(flow.cx.table.as_ref(), &about(), "o1").await.unwrap().unwrap().value
}

#[tokio::test]
async fn the_end_of_an_operation_is_logged_with_its_instant_and_reply() {
    let flow = Flow::new().await;
    let id = begun(&flow, write(Proof::Rtu)).await;
    flow.reports([ended(&id, OperationVerdict::Done, "confirmed")]).await;
    flow.settle().await;
    let end = logged(&flow).await.ended.unwrap();
    assert_eq!((end.done, end.said.as_str(), end.reply.as_deref()), (true, "confirmed", Some("0106")));
    assert_eq!(end.at, flow.now());
}

#[tokio::test]
async fn the_first_end_of_an_operation_stands() {
    let flow = Flow::new().await;
    let id = begun(&flow, write(Proof::Rtu)).await;
    let batch = flow.reports([ended(&id, OperationVerdict::Failed, "no answer")]).await;
    flow.settle().await;
    flow.cx.queue.enqueue(vec![batch.message()]).await.unwrap();
    flow.reports([ended(&id, OperationVerdict::Done, "late")]).await;
    flow.settle().await;
    assert_eq!(logged(&flow).await.ended.unwrap().said, "no answer");
}

#[tokio::test]
async fn the_end_of_what_nobody_began_is_no_error() {
    let flow = Flow::new().await;
    flow.reports([ended("nobody's", OperationVerdict::Done, "")]).await;
    flow.sensor_says(25.3).await;
    assert_eq!(flow.dead_letters().await, 0);
}

#[tokio::test]
async fn what_only_a_script_can_prove_is_not_done_where_the_protocol_has_none() {
    let flow = Flow::new().await;
    let id = begun(&flow, write(Proof::Scripted)).await;
    flow.reports([ended(&id, OperationVerdict::Unproven, "")]).await;
    flow.settle().await;
    assert!(!logged(&flow).await.ended.unwrap().done);
}

/// A protocol whose frames are made and proven by scripts: 7e, address, what is asked; the echo ends with 0d.
async fn with_scripts(flow: &Flow) {
    let made = "function (pid, asked) { return '7e0' + pid + asked }";
    let proven = "function (content, bytes) { return bytes[0] === 0x7e && bytes[bytes.length - 1] === 0x0d }";
    let instruct = serde_json::json!([
        { "name": "01", "noStandard": true, "scriptStart": made, "scriptEnd": proven, "resultType": "hex" },
    ]);
    let document = serde_json::json!({ "Type": 485, "Protocol": "scripted", "instruct": instruct });
    protocols::put(flow.cx.table.as_ref(), &serde_json::from_value(document).unwrap()).await.unwrap();
}

#[tokio::test]
async fn the_script_of_the_protocol_judges_what_only_it_can_prove() {
    for (reply, done) in [(vec![0x7e, 1, 0x0d], true), (vec![0x7e, 1], false)] {
        let flow = Flow::new().await;
        with_scripts(&flow).await;
        let model = flow.cx.catalog.model(flow.cx.table.as_ref(), "scripted", flow.now()).await.unwrap().unwrap();
        let made = model.protocol.operation(1, "05").unwrap();
        assert_eq!((made.content.as_str(), made.proof), ("7e0105", Proof::Scripted));
        let (protocol, content, proof) = ("scripted".to_owned(), made.content, made.proof);
        let id =
            begun(&flow, What::Device { pid: 1, protocol, name: "on".to_owned(), value: None, content, proof }).await;
        let end = OperationEnd { verdict: OperationVerdict::Unproven, said: String::new(), reply };
        flow.reports([Event::Operated { about: about(), id, end }]).await;
        flow.settle().await;
        assert_eq!(logged(&flow).await.ended.unwrap().done, done);
    }
}

#[tokio::test]
async fn an_operation_without_an_end_is_lost_after_ten_minutes() {
    let flow = Flow::new().await;
    begun(&flow, What::Restart).await;
    let operation = logged(&flow).await;
    assert!(!operation.is_lost(operation.at.plus(operations::LONGEST)));
    assert!(operation.is_lost(operation.at.plus(operations::LONGEST * 2)));
}

#[tokio::test]
async fn what_a_broker_says_of_an_operation_stands_where_it_was_only_supposed_to_have_failed() {
    let flow = Flow::new().await;
    let id = begun(&flow, write(Proof::Rtu)).await;
    let said = "the broker cannot be reached".to_owned();
    let supposed = Ended { at: flow.now(), done: false, said, reply: None, supposed: true };
    let table = flow.cx.table.as_ref();
    assert_eq!(operations::end(table, &about(), &id, &supposed).await.unwrap(), End::Stored);
    flow.reports([ended(&id, OperationVerdict::Done, "confirmed")]).await;
    flow.settle().await;
    assert_eq!(operations::end(table, &about(), &id, &supposed).await.unwrap(), End::EndedBefore);
    let end = logged(&flow).await.ended.unwrap();
    assert_eq!((end.done, end.said.as_str()), (true, "confirmed"));
}
