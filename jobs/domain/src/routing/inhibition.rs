//! Inhibition: while one alarm stands, another is not told, since the first one says why.

use serde::{Deserialize, Serialize};

use super::silence::{Matcher, Subject};

/// While something that `standing` fits is active, what `mutes` fits is not told.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inhibition {
    /// What stands.
    pub standing: Matcher,
    /// What is not told meanwhile.
    pub mutes: Matcher,
    /// What the two have in common.
    #[serde(default)]
    pub same: Same,
}

/// What two alarms have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Same {
    /// The terminal.
    #[default]
    Terminal,
    /// The node.
    Node,
    /// Nothing.
    Anything,
}

impl Inhibition {
    /// Whether what stands keeps a subject from being told. Nothing keeps itself: what fits both sides is muted by what fits
    /// one of them only.
    pub fn mutes(&self, standing: &Subject<'_>, subject: &Subject<'_>) -> bool {
        let both = |subject: &Subject<'_>| self.standing.fits(subject) && self.mutes.fits(subject);
        let is_its_own = both(standing) && both(subject);
        let have_in_common = match self.same {
            Same::Terminal => standing.source.mac().is_some() && standing.source.mac() == subject.source.mac(),
            Same::Node => standing.node().is_some() && standing.node() == subject.node(),
            Same::Anything => true,
        };
        have_in_common && !is_its_own && self.standing.fits(standing) && self.mutes.fits(subject)
    }
}
