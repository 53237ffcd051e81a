//! Posts whose bytes are chosen by whoever fuzzes: those kept in `__fuzz__`, and on each run some new ones.

use super::{DtuInfo, NodeInfo, QueryData, read};

#[test]
fn bodies() {
    bolero::check!(name = "bodies").for_each(|input: &[u8]| {
        if let Ok(data) = read::<QueryData>(input) {
            let identity = data.identity();
            if let Some(answer) = data.into_answer() {
                assert_eq!(identity, (answer.mac, answer.pid, answer.asked));
                assert!(!answer.replies.is_empty());
            }
        }
        let _ = read::<DtuInfo>(input).map(DtuInfo::into_terminal_info);
        let _ = read::<NodeInfo>(input);
    });
}
