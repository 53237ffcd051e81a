//! Settings by which everything is told at once: each transition in a notice of its own, nothing repeated, nothing left out.

use jobs::{Brief, NoticeSettings};

/// For jobs of a test's own.
pub fn told_at_once() -> NoticeSettings {
    NoticeSettings {
        wait_critical_ms: 0,
        wait_warning_ms: 0,
        wait_info_ms: 0,
        interval_critical_ms: 0,
        interval_warning_ms: 0,
        interval_info_ms: 0,
        repeat_critical_ms: 0,
        repeat_warning_ms: 0,
        repeat_info_ms: 0,
        reopen_ms: 0,
        brief: Brief::Tell,
        ..NoticeSettings::default()
    }
}

/// The same for a process.
pub const AT_ONCE: [(&str, &str); 11] = [
    ("TELLTALE_NOTICES__WAIT_CRITICAL_MS", "0"),
    ("TELLTALE_NOTICES__WAIT_WARNING_MS", "0"),
    ("TELLTALE_NOTICES__WAIT_INFO_MS", "0"),
    ("TELLTALE_NOTICES__INTERVAL_CRITICAL_MS", "0"),
    ("TELLTALE_NOTICES__INTERVAL_WARNING_MS", "0"),
    ("TELLTALE_NOTICES__INTERVAL_INFO_MS", "0"),
    ("TELLTALE_NOTICES__REPEAT_CRITICAL_MS", "0"),
    ("TELLTALE_NOTICES__REPEAT_WARNING_MS", "0"),
    ("TELLTALE_NOTICES__REPEAT_INFO_MS", "0"),
    ("TELLTALE_NOTICES__REOPEN_MS", "0"),
    ("TELLTALE_NOTICES__BRIEF", "tell"),
];
