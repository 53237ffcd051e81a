//! What every adapter of a port must do, whichever it is.
//!
//! A suite is a list of cases over a `Fixture`. To add an adapter: a constructor of that fixture, and its name in the
//! suite's list.

macro_rules! made_at_once {
    ($adapter:ident) => {
        super::Fixture::$adapter()
    };
}

macro_rules! made_in_time {
    ($adapter:ident) => {
        super::Fixture::$adapter().await
    };
}

/// One module for each adapter, in it one test for each case, each on a fixture of its own. `async` where making the
/// fixture takes time.
macro_rules! suite {
    ([$($adapter:ident),+], async [$($slow:ident),+]; $cases:tt) => {
        $(suite!(@adapter made_at_once $adapter $cases);)+
        $(suite!(@adapter made_in_time $slow $cases);)+
    };
    (async [$($adapter:ident),+]; $cases:tt) => {
        $(suite!(@adapter made_in_time $adapter $cases);)+
    };
    ([$($adapter:ident),+]; $cases:tt) => {
        $(suite!(@adapter made_at_once $adapter $cases);)+
    };
    (@adapter $made:ident $adapter:ident [$($case:ident),+ $(,)?]) => {
        mod $adapter {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case($made!($adapter)).await;
                }
            )+
        }
    };
}

mod ambient;
mod apalis_redis;
mod aws;
mod link;
mod notifier;
mod queue;
mod store;
mod table;
mod workers;
