//! Where workers get their jobs from.

use std::sync::Arc;

use jobs::ports::Consume;

/// A queue that gives jobs out.
#[derive(Clone)]
pub enum Source {
    /// One that leases messages.
    Leases(Arc<dyn Consume>),
    /// One of apalis-redis, which is an apalis backend itself.
    #[cfg(feature = "apalis-redis")]
    ApalisRedis(Arc<crate::ApalisRedisQueue>),
}

impl From<Arc<dyn Consume>> for Source {
    fn from(consume: Arc<dyn Consume>) -> Self {
        Self::Leases(consume)
    }
}

#[cfg(feature = "apalis-redis")]
impl From<Arc<crate::ApalisRedisQueue>> for Source {
    fn from(queue: Arc<crate::ApalisRedisQueue>) -> Self {
        Self::ApalisRedis(queue)
    }
}
