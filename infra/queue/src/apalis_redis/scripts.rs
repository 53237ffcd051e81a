//! What apalis-redis has no call for, each in one step.

use engine_redis::redis::Script;

pub(super) struct Scripts {
    pub(super) depth: Script,
    pub(super) promote: Script,
    pub(super) leave: Script,
    pub(super) tidy: Script,
    pub(super) bury: Script,
    pub(super) letters: Script,
    pub(super) discard: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        Self {
            depth: Script::new(include_str!("depth.lua")),
            promote: Script::new(include_str!("promote.lua")),
            leave: Script::new(include_str!("leave.lua")),
            tidy: Script::new(include_str!("tidy.lua")),
            bury: Script::new(include_str!("bury.lua")),
            letters: Script::new(include_str!("letters.lua")),
            discard: Script::new(include_str!("discard.lua")),
        }
    }
}
