//! What every adapter of a port must do, whichever it is.
//!
//! A suite is a list of cases over a `Fixture`. To add an adapter: a constructor of that fixture, and its name in the
//! suite's list.

/// One module for each adapter, in it one test for each case, each on a fixture of its own.
macro_rules! suite {
    ([$($adapter:ident),+]; $cases:tt) => {
        $(suite!(@adapter $adapter $cases);)+
    };
    (@adapter $adapter:ident [$($case:ident),+ $(,)?]) => {
        mod $adapter {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    super::$case(super::Fixture::$adapter()).await;
                }
            )+
        }
    };
}

mod aws;
mod queue;
mod store;
mod table;
mod workers;
