//! Combinations that cannot work do not start, and say why.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use telltale_tests::{Cluster, DynamoDb, Member, RedisServer, TableAt, refusal_of, starts};
use tempfile::TempDir;

use super::NOBODY;

/// DynamoDB as tests play it, a Redis, and a folder for processes that are not to start.
struct Start {
    dynamodb: DynamoDb,
    redis: RedisServer,
    folder: TempDir,
}

impl Start {
    async fn prepare() -> Result<Self> {
        Ok(Self { dynamodb: DynamoDb::start().await?, redis: RedisServer::start().await?, folder: TempDir::new()? })
    }

    /// What `part` says of why it does not start with this configuration.
    async fn refused(&self, part: &str, config: &str) -> Result<String> {
        let variables = telltale_tests::Aws::variables_at(self.dynamodb.way.url());
        let data = self.folder.path().join("data");
        let config = format!("data = '{}'\n{config}", data.display());
        refusal_of(part, self.folder.path(), &config, &variables).await
    }

    /// The same with the table of that name, and Redis.
    async fn refused_on(&self, table: &str, more: &str) -> Result<String> {
        self.refused("worker", &format!("table = '{table}'\n[redis]\nurl = '{}'\n{more}\n", self.redis.url())).await
    }
}

fn says(told: &str, words: &[&str]) {
    for word in words {
        assert!(told.contains(word), "no {word:?} in: {told}");
    }
}

fn key(name: &str, part: &str) -> Value {
    json!({ "AttributeName": name, "KeyType": part })
}

/// A table with a string and another key, and with what else is told.
fn table(names: [&str; 2], kind_of_second: &str, more: Value) -> Value {
    let mut table = json!({
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            { "AttributeName": names[0], "AttributeType": "S" },
            { "AttributeName": names[1], "AttributeType": kind_of_second },
        ],
        "KeySchema": [key(names[0], "HASH"), key(names[1], "RANGE")],
    });
    if let (Value::Object(table), Value::Object(more)) = (&mut table, more) {
        table.extend(more);
    }
    table
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_on_dynamodb_needs_redis_and_nobody_owns_it() -> Result<()> {
    let start = Start::prepare().await?;
    for part in ["serve", "broker", "worker", "api"] {
        let told = start.refused(part, "table = 'Table'\n").await?;
        says(&told, &["DynamoDB", "--redis", part]);
    }
    let redis = format!("[redis]\nurl = '{}'\n", start.redis.url());
    let told = start.refused("store", &format!("table = 'Table'\n{redis}")).await?;
    says(&told, &["nobody owns the table Table on DynamoDB", "leave `telltale store` out"]);
    let told = start.refused("broker", &format!("table = 'Table'\nimport = 'site.json'\n{redis}")).await?;
    says(&told, &["imports nothing", "telltale import"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_of_redis_without_where_it_is_is_refused_by_all_but_the_stores_owner() -> Result<()> {
    let folder = TempDir::new()?;
    let config = format!("data = '{}'\n", folder.path().join("data").display());
    let queue = [("TELLTALE_REDIS__QUEUE".to_owned(), "streams".to_owned())];
    for part in ["config", "serve", "broker", "worker", "api"] {
        let told = refusal_of(part, folder.path(), &config, &queue).await?;
        says(&told, &["redis.url is missing", "TELLTALE_REDIS__URL", "--redis redis://"]);
    }
    // It meets nobody there, and the others may be told on their command line where that is.
    starts("store", folder.path(), &config, &queue).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_is_not_there_or_is_made_otherwise_is_refused() -> Result<()> {
    let mut start = Start::prepare().await?;
    says(&start.refused_on("nowhere", "").await?, &["there is no table nowhere on DynamoDB"]);
    let expiring =
        |attribute: &str| json!({ "TimeToLiveSpecification": { "AttributeName": attribute, "Enabled": true } });
    let made = [
        ("keys", table(["id", "at"], "N", expiring("ttl")), "partition key id (a string), sort key at (a number)"),
        ("numbers", table(["pk", "sk"], "N", expiring("ttl")), "sort key sk (a number)"),
        ("keeps", table(["pk", "sk"], "S", json!({})), "TTL must be on"),
        ("others", table(["pk", "sk"], "S", expiring("expires")), "its TTL attribute must be ttl, and is expires"),
    ];
    for (name, properties, why) in made {
        start.dynamodb.aws.create_table(name, &properties).await?;
        says(&start.refused_on(name, "").await?, &[name, why]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_may_forget_is_refused_beside_dynamodb_as_well() -> Result<()> {
    let start = Start::prepare().await?;
    let redis = start.redis.connect().await?;
    let set = ["SET", "maxmemory-policy", "allkeys-lru"];
    redis.call::<()>(engine_redis::redis::cmd("CONFIG").arg(&set)).await?;
    says(&start.refused_on("Table", "").await?, &["would lose jobs", "maxmemory-policy"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_works_with_one_redis_is_refused_with_another_and_this_with_another_table() -> Result<()> {
    let cluster = Cluster::start_at(TableAt::DynamoDb, NOBODY, "streams", &json!({}), "").await?;
    let Cluster { redis: its_redis, dynamodb, api: _api, .. } = cluster;
    let mut start = Start { dynamodb: dynamodb.context("the table is on DynamoDB")?, ..Start::prepare().await? };
    says(&start.refused_on("Table", "").await?, &["another redis", "aws dynamodb delete-item --table-name Table"]);

    start.redis = its_redis;
    for other in ["namespace = 'other'", "queue = 'apalis-redis'"] {
        says(&start.refused_on("Table", other).await?, &["another namespace", "another redis.queue"]);
    }
    let expiry = json!({ "TimeToLiveSpecification": { "AttributeName": "ttl", "Enabled": true } });
    start.dynamodb.aws.create_table("Second", &table(["pk", "sk"], "S", expiry)).await?;
    let told = start.refused_on("Second", "").await?;
    says(&told, &["are of another store", "table/Table", "table/Second", "redis-cli DEL telltale:store"]);
    let told = start.refused("serve", &format!("[redis]\nurl = '{}'\n", start.redis.url())).await?;
    says(&told, &["are of another store", "table/Table", "embedded store"]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_embedded_store_is_not_left_behind_for_dynamodb_nor_is_its_redis_another_stores() -> Result<()> {
    let cluster = Cluster::start(NOBODY, "streams", &json!({}), "").await?;
    let start = Start::prepare().await?;
    let redis = cluster.redis.url();
    let told = start.refused("worker", &format!("table = 'Table'\n[redis]\nurl = '{redis}'\n")).await?;
    says(&told, &["are of another store", "embedded store", "table/Table"]);
    let told = start.refused("serve", &format!("[redis]\nurl = '{redis}'\n")).await?;
    says(&told, &["are of another store", "embedded store"]);

    std::fs::write(start.folder.path().join("data/queue"), "embedded\n")?;
    says(&start.refused_on("Table", "").await?, &["holds an embedded store", "another data folder"]);
    assert!(cluster.store.as_ref().and_then(Member::pid).is_some());
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_is_telltales_on_aws_or_a_clusters_and_never_both() -> Result<()> {
    let start = Start::prepare().await?;
    let _broker = start.dynamodb.aws.broker().await?;
    let told = start.refused_on("Table", "").await?;
    says(&told, &["belongs to Telltale on AWS", "aws dynamodb delete-item --table-name Table"]);

    let cluster = Cluster::start_at(TableAt::DynamoDb, NOBODY, "streams", &json!({}), "").await?;
    let its_table = cluster.dynamodb.as_ref().context("the table is on DynamoDB")?;
    assert!(its_table.aws.broker().await.is_err(), "a broker on AWS works on a cluster's table");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_in_a_store_that_was_alone_is_not_left_behind_by_the_parts_of_a_cluster() -> Result<()> {
    let cluster = Cluster::start(NOBODY, "streams", &json!({}), "").await?;
    std::fs::write(cluster.data().join("queue"), "embedded\n")?;
    let config = format!("data = '{}'\n[redis]\nurl = '{}'\n", cluster.data().display(), cluster.redis.url());
    let folder = TempDir::new()?;
    let told = refusal_of("worker", folder.path(), &config, &[]).await?;
    says(&told, &["was alone until now", "`telltale serve --redis …` on it once"]);
    Ok(())
}

/// What shows another time to a program, where the package `faketime` puts it; the loader knows `$LIB`.
const FAKETIME: &str = "/usr/$LIB/faketime/libfaketime.so.1";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_part_whose_clock_is_wrong_does_not_start_and_says_by_how_much() -> Result<()> {
    let cluster = Cluster::start(NOBODY, "streams", &json!({}), "").await?;
    let config = format!("data = '{}'\n[redis]\nurl = '{}'\n", cluster.data().display(), cluster.redis.url());
    let folder = TempDir::new()?;
    for (part, off, way) in [("worker", "+1h", "ahead of"), ("broker", "-6s", "behind")] {
        let clock =
            [("LD_PRELOAD", FAKETIME), ("FAKETIME", off)].map(|(name, value)| (name.to_owned(), value.to_owned()));
        let told = refusal_of(part, folder.path(), &config, &clock).await?;
        says(&told, &["the clock here is", way, "redis", "set it (NTP)", "Less than 5 s are borne"]);
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_another_version_laid_out_is_left_alone() -> Result<()> {
    let (redis, folder) = (RedisServer::start().await?, TempDir::new()?);
    redis.connect().await?.call::<()>(engine_redis::redis::cmd("SET").arg("telltale:layout").arg("2")).await?;
    let config = format!("data = '{}'\n[redis]\nurl = '{}'\n", folder.path().join("data").display(), redis.url());
    let told = refusal_of("serve", folder.path(), &config, &[]).await?;
    says(&told, &["another version", "\"2\"", "update all parts"]);
    assert_eq!(redis.size().await?, 1, "nothing else is there");
    Ok(())
}
