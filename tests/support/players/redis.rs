//! A Redis of a test's own, from the system's packages. It can be killed, and started again on what it kept.

use std::{
    path::{Path, PathBuf},
    process::Stdio,
    sync::Arc,
};

use anyhow::{Context, Result};
use boot::{SystemClock, SystemDice};
use engine_redis::{Redis, RedisSettings};
use jobs::ports::Dice;
use queue::{ApalisRedisQueue, RedisQueue};
use records::Clock;
use rustix::process::Signal;
use tempfile::TempDir;
use tokio::{
    process::{Child, Command},
    sync::Mutex,
};

use crate::{eventually, process::signal};

const SOCKET: &str = "redis.sock";

/// A Redis that keeps everything it is given, on a socket in a folder of its own. It ends when this is dropped.
pub struct RedisServer {
    folder: TempDir,
    process: Mutex<Child>,
}

impl RedisServer {
    /// Starts it, and waits until it answers.
    pub async fn start() -> Result<Self> {
        let folder = TempDir::new()?;
        let process = Mutex::new(spawn(folder.path(), &folder.path().join(SOCKET))?);
        let server = Self { folder, process };
        server.until_it_answers().await;
        Ok(server)
    }

    /// Kills it, as `kill -9` does, and waits until it is gone.
    pub async fn kill(&self) -> Result<()> {
        Ok(self.process.lock().await.kill().await?)
    }

    /// It takes connections and answers nothing, until [`RedisServer::goes_on`].
    pub async fn hangs(&self) -> Result<()> {
        signal(self.process.lock().await.id(), Signal::STOP)
    }

    /// It answers again, also what it was asked meanwhile.
    pub async fn goes_on(&self) -> Result<()> {
        signal(self.process.lock().await.id(), Signal::CONT)
    }

    /// Starts it again on what it kept, and waits until it answers.
    pub async fn restart(&self) -> Result<()> {
        *self.process.lock().await = spawn(self.folder.path(), &self.socket())?;
        self.until_it_answers().await;
        Ok(())
    }

    /// Kills it, and starts one in its place that knows nothing, until the one of before is brought back.
    pub async fn is_replaced_by_an_empty_one(&self) -> Result<()> {
        self.kill().await?;
        let place = self.folder.path().join("another");
        std::fs::create_dir(&place)?;
        *self.process.lock().await = spawn(&place, &self.socket())?;
        self.until_it_answers().await;
        Ok(())
    }

    /// Brings the one back that was replaced.
    pub async fn is_brought_back(&self) -> Result<()> {
        self.kill().await?;
        std::fs::remove_dir_all(self.folder.path().join("another"))?;
        self.restart().await
    }

    /// Its process; none while it is dead.
    pub fn pid(&self) -> Option<u32> {
        self.process.try_lock().ok().and_then(|process| process.id())
    }

    /// Where it is.
    pub fn url(&self) -> String {
        format!("redis+unix://{}", self.socket().display())
    }

    /// A connection to it.
    pub async fn connect(&self) -> Result<Redis> {
        Ok(Redis::connect(&RedisSettings::new(self.url())).await?)
    }

    /// A queue on it, as a process of its own would have one.
    pub async fn queue(&self, clock: Arc<dyn Clock>) -> Result<RedisQueue> {
        let process = format!("test-{:x}", SystemDice.roll());
        Ok(RedisQueue::new(self.connect().await?, process).by(clock))
    }

    /// A queue of apalis-redis on it, as a process of its own would have one.
    pub async fn apalis_redis_queue(&self) -> Result<ApalisRedisQueue> {
        let process = format!("test-{:x}", SystemDice.roll());
        Ok(ApalisRedisQueue::open(self.connect().await?, Arc::new(SystemClock), &process).await?)
    }

    /// It is called so, as parts that begin on it call it.
    pub async fn is_called(&self, name: &str) -> Result<()> {
        let redis = self.connect().await?;
        Ok(redis.call(engine_redis::redis::cmd("SET").arg(redis.key_of_name()).arg(name)).await?)
    }

    /// How much there is in it.
    pub async fn size(&self) -> Result<usize> {
        Ok(self.connect().await?.call(&engine_redis::redis::cmd("DBSIZE")).await?)
    }

    /// All that it holds is gone.
    pub async fn forget_everything(&self) -> Result<()> {
        Ok(self.connect().await?.call(&engine_redis::redis::cmd("FLUSHALL")).await?)
    }

    /// Sets a directive while it runs.
    pub async fn set(&self, directive: &str, value: &str) -> Result<()> {
        let mut set = engine_redis::redis::cmd("CONFIG");
        set.arg("SET").arg(directive).arg(value);
        Ok(self.connect().await?.call(&set).await?)
    }

    /// From now on it takes half a minute to write its append-only file anew, as one does that holds much.
    pub async fn takes_long_to_write_its_file_anew(&self) -> Result<()> {
        let fill = "for key = 1, 30000 do redis.call('SET', 'filler' .. key, '') end";
        self.connect().await?.call::<()>(engine_redis::redis::cmd("EVAL").arg(fill).arg(0)).await?;
        // In microseconds for each key.
        self.set("rdb-key-save-delay", "1000").await
    }

    /// It becomes the replica of one that cannot be reached.
    pub async fn follows_another(&self) -> Result<()> {
        self.replica_of(["127.0.0.1", "1"]).await
    }

    /// It is the one that counts again.
    pub async fn follows_none(&self) -> Result<()> {
        self.replica_of(["NO", "ONE"]).await
    }

    async fn replica_of(&self, whom: [&str; 2]) -> Result<()> {
        Ok(self.connect().await?.call(engine_redis::redis::cmd("REPLICAOF").arg(&whom)).await?)
    }

    /// The socket it listens on.
    pub fn socket(&self) -> PathBuf {
        self.folder.path().join(SOCKET)
    }

    async fn until_it_answers(&self) {
        eventually("redis answers", async || {
            let redis = self.connect().await.ok()?;
            redis.call::<String>(&engine_redis::redis::cmd("PING")).await.ok()
        })
        .await;
    }
}

fn spawn(folder: &Path, socket: &Path) -> Result<Child> {
    let server = Command::new("redis-server")
        .current_dir(folder)
        .args(["--port", "0", "--unixsocketperm", "700", "--unixsocket"])
        .arg(socket)
        .args(["--appendonly", "yes", "--appendfsync", "always", "--save", "", "--loglevel", "warning"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    server.context("there is no redis-server: run `tests/run` once, it installs what the tests need")
}
