//! The scripts, each behind what all of them use.

use engine_redis::redis::Script;

const BASE: &str = include_str!("base.lua");

/// While its memory is full, Redis takes nothing new; what it holds must be worked off all the same.
const EVEN_WHEN_FULL: &str = "#!lua flags=allow-oom";
const NOT_WHEN_FULL: &str = "#!lua";

pub(super) struct Scripts {
    pub(super) enqueue: Script,
    /// For what comes of work under way: without it, that could not end.
    pub(super) enqueue_when_full: Script,
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
        let enqueue = |when: &str| Script::new(&format!("{when}\n{BASE}\n{}", include_str!("enqueue.lua")));
        let script = |code: &str| Script::new(&format!("{EVEN_WHEN_FULL}\n{BASE}\n{code}"));
        Self {
            enqueue: enqueue(NOT_WHEN_FULL),
            enqueue_when_full: enqueue(EVEN_WHEN_FULL),
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

/// Sets a sign of life.
pub(super) fn sign() -> Script {
    Script::new(&format!("{EVEN_WHEN_FULL}\nredis.call('SET', KEYS[1], '', 'PX', ARGV[1])"))
}
