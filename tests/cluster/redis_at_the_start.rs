//! What a process makes of the Redis that it finds when it starts.

use std::path::PathBuf;

use anyhow::Result;
use engine_redis::redis::cmd;
use serde_json::json;
use telltale_tests::{RedisServer, Server, refusal};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixStream},
};

/// How many connections are broken, and how many more are told that Redis is loading what it had.
const BROKEN: usize = 3;
const LOADING: usize = 3;

/// The way to a Redis that is away at first, then loads, and is there at last.
async fn comes_back(listener: TcpListener, redis: PathBuf) {
    let mut contacts = 0..;
    while let (Ok((mut near, _)), Some(contact)) = (listener.accept().await, contacts.next()) {
        match contact {
            ..BROKEN => drop(near),
            _ if contact < BROKEN + LOADING => drop(tokio::spawn(loads(near))),
            _ => {
                let redis = redis.clone();
                tokio::spawn(async move {
                    let mut far = UnixStream::connect(redis).await?;
                    copy_bidirectional(&mut near, &mut far).await
                });
            }
        }
    }
}

/// Answers each command as a Redis that loads what it had.
async fn loads(mut near: TcpStream) -> std::io::Result<()> {
    let mut asked = [0; 4096];
    loop {
        let read = near.read(&mut asked).await?;
        if read == 0 {
            return Ok(());
        }
        for _ in asked[..read].iter().filter(|byte| **byte == b'*') {
            near.write_all(b"-LOADING Redis is loading the dataset in memory\r\n").await?;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_process_that_starts_while_redis_is_away_or_loads_waits_for_it() -> Result<()> {
    let redis = RedisServer::start().await?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let settings = format!("[redis]\nurl = 'redis://{}'\n", listener.local_addr()?);
    let way = tokio::spawn(comes_back(listener, redis.socket()));
    Server::start(&json!({}), &settings).await?;
    way.abort();
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_that_does_not_tell_when_it_writes_is_refused_unless_it_is_trusted() -> Result<()> {
    let (redis, folder) = (RedisServer::start().await?, TempDir::new()?);
    let settings = format!("[redis]\nurl = '{}'\n", redis.url());
    let config = format!("data = '{}'\n{settings}", folder.path().join("data").display());
    redis.set("no-appendfsync-on-rewrite", "yes").await?;
    let told = refusal(folder.path(), &config).await?;
    assert!(told.contains("no-appendfsync-on-rewrite is yes"), "{told}");

    redis.connect().await?.call::<()>(cmd("ACL").arg(&["SETUSER", "default", "-config"])).await?;
    let told = refusal(folder.path(), &config).await?;
    assert!(told.contains("would lose jobs") && told.contains("redis.trust_durability = true"), "{told}");
    Server::start(&json!({}), &format!("{settings}trust_durability = true\n")).await?;
    Ok(())
}

/// What `telltale serve` says of why it does not start on this Redis as `user`.
async fn refusal_as(user: &str, redis: &RedisServer, folder: &TempDir) -> Result<String> {
    let data = folder.path().join("data");
    refusal(folder.path(), &format!("data = '{}'\n{}", data.display(), as_user(user, redis))).await
}

/// The settings with which a server is this user, whose password is `known`.
fn as_user(user: &str, redis: &RedisServer) -> String {
    format!("[redis]\nurl = '{}?user={user}&pass=known'\n", redis.url())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redis_whose_acl_refuses_to_tell_of_itself_is_refused_for_that_and_with_the_way_out() -> Result<()> {
    let (redis, folder) = (RedisServer::start().await?, TempDir::new()?);
    let admin = redis.connect().await?;
    let allow = async |user: &str, rules: &[&str]| {
        let all = ["SETUSER", user, "on", ">known", "~*", "&*", "+@all"];
        admin.call::<()>(cmd("ACL").arg(&all).arg(rules)).await
    };
    allow("shy", &["-info"]).await?;
    allow("mute", &["-info", "-config"]).await?;
    allow("blind", &["-get"]).await?;
    allow("deaf", &["resetchannels"]).await?;
    allow("short", &["resetkeys", "~telltale:*"]).await?;
    for (user, words) in [
        ("shy", vec!["would lose jobs", "refuses INFO", "+info", "redis.trust_durability = true"]),
        ("mute", vec!["refuses INFO", "+info", "refuses CONFIG GET", "+config|get", "redis.trust_durability = true"]),
        ("blind", vec!["does not let us in, or not do what we must", "ACL", "GET"]),
        ("deaf", vec!["does not let us in, or not do what we must", "channels", "&telltale:*"]),
        ("short", vec!["does not let us in, or not do what we must", "~{telltale:*"]),
        ("nobody", vec!["does not let us in", "user and password"]),
    ] {
        let told = refusal_as(user, &redis, &folder).await?;
        assert!(words.iter().all(|word| told.contains(word)) && !told.contains("cannot reach redis"), "{user}: {told}");
    }
    Server::start(&json!({}), &format!("{}trust_durability = true\n", as_user("mute", &redis))).await?;
    Ok(())
}
