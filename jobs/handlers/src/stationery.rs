//! What letters are made with, beside their words.

use std::{fmt, sync::Arc};

use crate::{links::Links, ports::Illustrator};

/// What letters are made with. Without it they have no links, and no pictures.
#[derive(Clone, Default)]
pub struct Stationery {
    /// Who signs links; none where nobody said at which address people reach us.
    pub links: Option<Arc<Links>>,
    /// Who draws.
    pub illustrator: Option<Arc<dyn Illustrator>>,
}

impl fmt::Debug for Stationery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let draws = self.illustrator.is_some();
        f.debug_struct("Stationery").field("links", &self.links).field("draws", &draws).finish()
    }
}
