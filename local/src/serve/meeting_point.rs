//! Which queue belongs to a store, and to which store a Redis belongs. All processes that work on a store must meet at the
//! same Redis, and what waits in one queue is not seen through another: so the store says which it is, Redis says whose it is,
//! and nobody starts on another by accident.

use anyhow::{Context, bail, ensure};
use engine_redis::{AppendOnlyFile, QueueKind, Redis, RedisError, redis::cmd, unmet};
use jobs::ports::{Dice, Enqueue};
use queue::EmbeddedQueue;
use records::meeting_point::ON_AWS;

use super::store::{EMBEDDED, Store};

/// The way in which keys and values lie in Redis: it changes with them, so that no version takes those of another for what they are not.
const LAYOUT: &str = "1";

/// Sees that the embedded queue is the store's.
pub(super) async fn embedded(store: &Store) -> anyhow::Result<()> {
    let stores = match store.queue().await? {
        Some(queue) => queue,
        None => store.give(EMBEDDED).await?,
    };
    ensure!(
        stores == EMBEDDED,
        "this store's jobs wait in a redis: start with --redis as before. (To leave what waits there behind, {}.)",
        store.how_to_forget_its_queue()
    );
    Ok(())
}

/// Sees that nothing waits where only the store's owner would see it, which this process is not.
pub(super) async fn is_not_alone(store: &Store) -> anyhow::Result<()> {
    ensure!(
        store.queue().await?.as_deref() != Some(EMBEDDED),
        "this store was alone until now, and jobs may wait in its embedded queue: start `telltale serve --redis …` on it once, \
         which moves them to redis, and the parts then"
    );
    Ok(())
}

/// Sees that this Redis, and this kind of queue on it, is where those who work on the store meet.
pub(super) async fn redis(store: &Store, redis: &Redis, name: &str, kind: QueueKind) -> anyhow::Result<()> {
    let kind = match kind {
        QueueKind::Streams => "redis",
        QueueKind::ApalisRedis => "apalis-redis",
    };
    let ours = format!("{kind} {name}");
    if let Some(queue) = store.queue().await?.filter(|queue| queue != EMBEDDED) {
        is_where_it_was(store, &queue, &ours)?;
    }
    // Whose this Redis is comes first: a store that is refused here is not bound to it.
    let _: String = redis.kept(&owner_key(redis), &store.known_by).await?;
    is_free_for(store, redis).await?;
    is_where_it_was(store, &store.give(&ours).await?, &ours)
}

/// Sees that the queue that the store names is ours.
fn is_where_it_was(store: &Store, stores: &str, ours: &str) -> anyhow::Result<()> {
    let how_to_forget = store.how_to_forget_its_queue();
    ensure!(
        stores != ON_AWS,
        "this table belongs to Telltale on AWS: its functions and its broker work on it. (If they are gone for good: {how_to_forget})"
    );
    ensure!(
        stores == ours,
        "this is another redis than the one (or another namespace in it, or another redis.queue) that the store's jobs wait \
         in, or it has lost everything. (If that is meant: {how_to_forget})"
    );
    Ok(())
}

/// By what this Redis may lose what it is given; empty if by nothing.
pub(super) async fn losses(redis: &Redis, trust_durability: bool, file: AppendOnlyFile) -> Result<String, RedisError> {
    let unmet = unmet(redis, trust_durability, file).await?;
    Ok(unmet.into_iter().map(|demand| demand.what).collect::<Vec<_>>().join("; "))
}

/// Sees that no other store has this Redis.
async fn is_free_for(store: &Store, redis: &Redis) -> anyhow::Result<()> {
    let key = owner_key(redis);
    let belongs_to: Option<String> = redis.call(cmd("GET").arg(&key)).await?;
    match belongs_to.filter(|other| *other != store.known_by) {
        None => Ok(()),
        Some(other) => bail!(
            "the jobs in this redis are of another store: {other}, and not {}. Start on that one, or with a redis.namespace of \
             this one's own. (If the other is gone for good: redis-cli DEL {key})",
            store.known_by
        ),
    }
}

/// Moves what waits in the embedded queue to where the others are. A store that was alone is not any more.
pub(super) async fn move_over(
    store: &Store,
    redis: &Redis,
    from: &EmbeddedQueue,
    to: &dyn Enqueue,
) -> anyhow::Result<()> {
    if store.queue().await?.as_deref() == Some(EMBEDDED) {
        is_free_for(store, redis).await?;
        let moved = from.move_to(to).await.context("what waits in the embedded queue cannot be moved to redis")?;
        tracing::info!(jobs = moved, "what waited in the embedded queue waits in redis");
    }
    Ok(())
}

/// A name that this Redis keeps for this namespace, if that is no other store's.
pub(super) async fn name(store: &Store, redis: &Redis, dice: &dyn Dice) -> anyhow::Result<String> {
    is_free_for(store, redis).await?;
    is_laid_out_for_us(redis).await?;
    Ok(redis.kept(&redis.key_of_name(), format!("{:016x}", dice.roll())).await?)
}

/// Sees that what is in this Redis lies there as this version has it.
async fn is_laid_out_for_us(redis: &Redis) -> anyhow::Result<()> {
    let layout: String = redis.kept(&redis.key("layout"), LAYOUT).await?;
    ensure!(
        layout == LAYOUT,
        "what waits in this redis lies there in another version's way ({layout:?}, and this one's is {LAYOUT}): update all parts"
    );
    Ok(())
}

/// Where this Redis keeps whose it is.
fn owner_key(redis: &Redis) -> String {
    redis.key("store")
}
