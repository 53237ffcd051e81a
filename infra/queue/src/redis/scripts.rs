//! The scripts, each behind what all of them use.

use engine_redis::redis::Script;

const BASE: &str = include_str!("base.lua");

pub(super) struct Scripts {
    pub(super) enqueue: Script,
    pub(super) claim: Script,
    pub(super) settle: Script,
    pub(super) bury: Script,
    pub(super) depth: Script,
    pub(super) letters: Script,
    pub(super) waiting: Script,
    pub(super) cancel: Script,
    pub(super) redrive: Script,
    pub(super) discard: Script,
}

impl Scripts {
    pub(super) fn new() -> Self {
        let script = |code: &str| Script::new(&format!("{BASE}\n{code}"));
        Self {
            enqueue: script(include_str!("enqueue.lua")),
            claim: script(include_str!("claim.lua")),
            settle: script(include_str!("settle.lua")),
            bury: script(include_str!("bury.lua")),
            depth: script(include_str!("depth.lua")),
            letters: script(include_str!("letters.lua")),
            waiting: script(include_str!("waiting.lua")),
            cancel: script(include_str!("cancel.lua")),
            redrive: script(include_str!("redrive.lua")),
            discard: script(include_str!("discard.lua")),
        }
    }
}
