use domain::alarm::Severity;
use jobs::ports::Address;
use records::{
    notices::{self, EVERYBODY, NoticeStatus},
    users,
};
use telltale_tests::flow::Flow;

/// The letters that went to such addresses: their subjects.
fn letters(flow: &Flow, is_wanted: impl Fn(&Address) -> bool) -> Vec<String> {
    flow.letters().into_iter().filter(|letter| is_wanted(&letter.address)).map(|letter| letter.subject).collect()
}

#[tokio::test]
async fn who_has_a_telephone_gets_a_text_message() {
    let flow = Flow::new().await;
    let table = flow.cx.table.as_ref();
    let mut technician = users::get(table, "tech").await.unwrap().unwrap();
    technician.phone = Some("+8613800138000".to_owned());
    users::put(table, &technician).await.unwrap();
    flow.sensor_says(40.0).await;
    let to = Address::Sms { to: "+8613800138000".to_owned() };
    assert_eq!(letters(&flow, |address| *address == to).len(), 1);
}

#[tokio::test]
async fn every_alarm_and_recovery_is_published_once_to_the_topic_of_its_severity() {
    let flow = Flow::with(|settings| settings.notices.topics = true).await;
    flow.sensor_says(40.0).await;
    flow.sensor_says(25.0).await;
    let topics = letters(&flow, |address| *address == Address::Topic { severity: Severity::Warning });
    assert_eq!(
        topics.iter().map(|subject| subject.split(':').next().unwrap()).collect::<Vec<_>>(),
        ["Alarm", "Recovered"]
    );
    assert_eq!(letters(&flow, |address| matches!(address, Address::Topic { .. })).len(), 2, "and to no other");
    let ledger = notices::list(flow.cx.table.as_ref(), EVERYBODY, 10, None).await.unwrap().items;
    assert_eq!(ledger.iter().map(|notice| notice.status).collect::<Vec<_>>(), [NoticeStatus::Sent; 2]);
}

#[tokio::test]
async fn where_there_are_no_topics_nothing_is_published() {
    let flow = Flow::new().await;
    flow.sensor_says(40.0).await;
    assert_eq!(letters(&flow, |address| matches!(address, Address::Topic { .. })), Vec::<String>::new());
}
