use std::time::Duration;

use domain::{
    alarm::{Condition, Rule, Severity, Target},
    protocol::{ConstantsDocument, ThresholdDocument},
};
use records::{
    alarm_setups::{self, AlarmSetup},
    alarms::{self, Which},
    alert_rules::{self, AlertRule, Change, Changed, Recipients, Replaced, Scope, rule_id},
    terminals,
    users::{self, Role},
};
use telltale_tests::flow::{Flow, mac};

const ID: &str = "01JZZZZZZZZZZZZZZZZZZZZZZ1";

/// From now on `user` wants the temperature below `max`.
async fn wants(flow: &Flow, user: &str, max: f64) {
    let table = flow.cx.table.as_ref();
    let terminal = terminals::get(table, &mac()).await.unwrap().unwrap();
    let threshold = ThresholdDocument { name: "temperature".to_owned(), min: None, max: Some(max), deadband: None };
    let protocol = terminal.devices[0].protocol.clone();
    let constants =
        ConstantsDocument { protocol, threshold: vec![threshold], alarm_stat: Vec::new(), operations: Vec::new() };
    alarm_setups::put(table, &AlarmSetup { user: user.to_owned(), since: flow.now(), constants }).await.unwrap();
    flow.after(Duration::from_secs(11)).await;
}

/// How many mails somebody got.
fn mails_to(flow: &Flow, user: &str) -> usize {
    let to = jobs::ports::Address::Email { to: format!("{user}@example.org") };
    flow.letters().iter().filter(|letter| letter.address == to).count()
}

async fn active(flow: &Flow) -> Vec<String> {
    let listed = alarms::list(flow.cx.table.as_ref(), Which::Active, 100, None).await.unwrap();
    let mut rules: Vec<String> = listed.items.into_iter().map(|alarm| alarm.rule).collect();
    rules.sort();
    rules
}

#[tokio::test]
async fn each_hears_of_what_they_call_abnormal_and_of_nothing_else() {
    let flow = Flow::with(|settings| settings.notices.topics = true).await;
    flow.hire("ann", Role::User).await;
    users::bind(flow.cx.table.as_ref(), "ann", &mac()).await.unwrap();
    wants(&flow, "ann", 38.0).await;
    flow.sensor_says(35.0).await;
    assert_eq!((mails_to(&flow, "tech"), mails_to(&flow, "ann")), (1, 0), "past the common limit, not past hers");
    flow.sensor_says(39.0).await;
    assert_eq!((mails_to(&flow, "tech"), mails_to(&flow, "ann")), (1, 1), "past hers");
    assert_eq!(active(&flow).await, ["threshold:temperature", "user:ann:threshold:temperature"]);
    flow.sensor_says(36.0).await;
    assert_eq!((mails_to(&flow, "tech"), mails_to(&flow, "ann")), (1, 2), "hers is over");
    flow.sensor_says(25.0).await;
    assert_eq!((mails_to(&flow, "tech"), mails_to(&flow, "ann")), (2, 2));
    let published = |letter: &jobs::ports::Letter| letter.address.channel() == "topic";
    assert_eq!(flow.letters().iter().filter(|letter| published(letter)).count(), 2, "hers is nobody else's");
}

#[tokio::test]
async fn a_setup_of_somebody_who_does_not_see_the_terminal_watches_nothing_there() {
    let flow = Flow::new().await;
    flow.hire("bob", Role::User).await;
    wants(&flow, "bob", 10.0).await;
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
    wants(&flow, "nobody", 10.0).await;
    flow.sensor_says(25.5).await;
    assert_eq!(active(&flow).await, Vec::<String>::new(), "a setup whose user is gone");
}

#[tokio::test]
async fn an_administrators_setup_holds_on_every_terminal_for_them_alone() {
    let flow = Flow::new().await;
    flow.hire("root", Role::Admin).await;
    wants(&flow, "root", 20.0).await;
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await, ["user:root:threshold:temperature"]);
    assert_eq!((mails_to(&flow, "root"), mails_to(&flow, "tech")), (1, 0));
}

#[tokio::test]
async fn a_setup_holds_also_where_a_rule_of_everybodys_stands_in_for_the_common_limit() {
    let flow = Flow::new().await;
    flow.hire("ann", Role::User).await;
    users::bind(flow.cx.table.as_ref(), "ann", &mac()).await.unwrap();
    wants(&flow, "ann", 38.0).await;
    let (limit, since) = ("threshold:temperature".to_owned(), flow.now());
    let condition = Condition::Outside { name: "temperature".to_owned(), min: None, max: Some(33.0), deadband: 0.0 };
    let everybodys = AlertRule {
        id: ID.to_owned(),
        name: "Ours".to_owned(),
        owner: None,
        target: Target::Device,
        scope: Scope::Everywhere,
        recipients: Recipients::default(),
        replaces: Some(Replaced { rule: limit, since }),
        enabled: true,
        rule: Rule::new(rule_id(None, ID), condition, Severity::Warning),
        version: 1,
        changed_at: since,
        changed_by: "root".to_owned(),
    };
    let changes = [Change::create(everybodys)];
    assert_eq!(alert_rules::change(flow.cx.table.as_ref(), &changes, since).await.unwrap(), Changed::Done);
    flow.after(Duration::from_secs(11)).await;
    flow.sensor_says(35.0).await;
    assert_eq!((mails_to(&flow, "tech"), mails_to(&flow, "ann")), (1, 0), "past everybody's limit, not past hers");
    flow.sensor_says(39.0).await;
    assert_eq!((mails_to(&flow, "tech"), mails_to(&flow, "ann")), (1, 1), "past hers");
    flow.sensor_says(25.0).await;
    assert_eq!((mails_to(&flow, "tech"), mails_to(&flow, "ann")), (2, 2));
}

#[tokio::test]
async fn a_setup_does_not_keep_its_owner_from_the_end_of_what_they_were_told_before() {
    let flow = Flow::new().await;
    flow.sensor_says(35.0).await;
    wants(&flow, "tech", 38.0).await;
    flow.sensor_says(25.0).await;
    assert_eq!(flow.mails().len(), 2, "one alarm, one recovery: {:?}", flow.mails());
}

#[tokio::test]
async fn a_setup_that_is_taken_back_ends_its_alarms_at_the_next_reading() {
    let flow = Flow::new().await;
    wants(&flow, "tech", 20.0).await;
    flow.sensor_says(25.0).await;
    assert_eq!(active(&flow).await, ["user:tech:threshold:temperature"]);
    let table = flow.cx.table.as_ref();
    let protocol = terminals::get(table, &mac()).await.unwrap().unwrap().devices[0].protocol.clone();
    alarm_setups::delete(table, "tech", &protocol).await.unwrap();
    flow.after(Duration::from_secs(11)).await;
    flow.sensor_says(25.5).await;
    assert_eq!(active(&flow).await, Vec::<String>::new());
}
