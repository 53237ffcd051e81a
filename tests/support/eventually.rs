//! Waiting for what must happen, and no longer than it may take.

use std::time::Duration;

use tokio::time;

use crate::PATIENCE;

/// How often to look.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Waits until `look` finds what is `wanted`, and gives it.
///
/// # Panics
/// When that takes longer than [`PATIENCE`].
pub async fn eventually<T>(wanted: &str, look: impl AsyncFnMut() -> Option<T>) -> T {
    eventually_within(PATIENCE, wanted, look).await
}

/// As [`eventually`], for what may take longer, or must not take that long.
///
/// # Panics
/// When it takes longer than the `limit`.
#[expect(clippy::panic, reason = "this is how a test fails")]
pub async fn eventually_within<T>(limit: Duration, wanted: &str, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let found = time::timeout(limit, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            time::sleep(LOOK_EVERY).await;
        }
    });
    found.await.unwrap_or_else(|_| panic!("not within {limit:?}: {wanted}"))
}
