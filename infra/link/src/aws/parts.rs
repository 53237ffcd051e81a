//! Messages in parts that SQS and SNS take: 256 KB at most, attributes included.

use jobs::ports::{NodeCommand, Plan, Push};

/// The most bytes of one message, with room for what stands around its list.
const MOST_BYTES: usize = 200 * 1024;

/// A command, or a plan in several.
pub(super) fn of_command(command: NodeCommand) -> Vec<NodeCommand> {
    let NodeCommand::Plan(Plan { node, window, queries }) = command else { return vec![command] };
    let plan = |queries| NodeCommand::Plan(Plan { node: node.clone(), window: window.clone(), queries });
    in_parts(queries, size).into_iter().map(plan).collect()
}

/// Pushes, in their order.
pub(super) fn of_pushes(pushes: Vec<Push>) -> Vec<Vec<Push>> {
    in_parts(pushes, size)
}

fn size<T: serde::Serialize>(item: &T) -> usize {
    // What cannot be written fails when it is sent.
    serde_json::to_vec(item).map_or(0, |json| json.len() + 1)
}

fn in_parts<T>(items: Vec<T>, size: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let mut parts: Vec<Vec<T>> = Vec::new();
    let mut bytes = 0;
    for item in items {
        let more = size(&item);
        match parts.last_mut() {
            Some(part) if bytes + more <= MOST_BYTES => {
                part.push(item);
                bytes += more;
            }
            _ => {
                parts.push(vec![item]);
                bytes = more;
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_as_few_as_fit_and_hold_everything_in_order() {
        let sizes = [150, 40, 20, 190, 300, 1].map(|kilobytes| kilobytes * 1024);
        let parts = in_parts(sizes.to_vec(), |size| *size);
        assert_eq!(parts, [vec![sizes[0], sizes[1]], vec![sizes[2]], vec![sizes[3]], vec![sizes[4]], vec![sizes[5]]]);
        assert_eq!(in_parts(Vec::<usize>::new(), |size| *size), Vec::<Vec<usize>>::new());
    }
}
