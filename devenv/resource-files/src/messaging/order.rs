//! The order of queues: a dead-letter queue before the queues that name it.

use super::queues::ReadQueue;

/// The first queue of each cycle of dead-letter queues, with the names along the cycle.
pub(super) fn cycles(queues: &[ReadQueue]) -> Vec<(&ReadQueue, Vec<&str>)> {
    let mut found: Vec<(&ReadQueue, Vec<&str>)> = Vec::new();
    for queue in queues {
        let mut path = vec![queue.name.name.as_str()];
        let mut at = next(queues, queue);
        while let Some(other) = at {
            let name = other.name.name.as_str();
            if path.contains(&name) {
                let is_known = found.iter().any(|(_, names)| names.contains(&name));
                if name == path[0] && !is_known {
                    found.push((queue, path));
                }
                break;
            }
            path.push(name);
            at = next(queues, other);
        }
    }
    found
}

/// Sorts the queues, none of which is in a cycle, and keeps the order of those that do not depend on each other.
pub(super) fn sorted(queues: &mut [ReadQueue]) {
    let depths: Vec<(String, usize)> =
        queues.iter().map(|queue| (queue.name.name.clone(), depth(queues, queue))).collect();
    let of = |name: &str| depths.iter().find(|(known, _)| known == name).map_or(0, |(_, depth)| *depth);
    queues.sort_by_key(|queue| of(&queue.name.name));
}

/// The number of queues along the chain of dead-letter queues; at most all of them, even in a cycle.
fn depth(queues: &[ReadQueue], queue: &ReadQueue) -> usize {
    let chain = std::iter::successors(Some(queue), |queue| next(queues, queue));
    chain.take(queues.len() + 1).count()
}

fn next<'q>(queues: &'q [ReadQueue], queue: &ReadQueue) -> Option<&'q ReadQueue> {
    let target = queue.dead_letter.as_ref()?;
    queues.iter().find(|other| other.name.name == target.name)
}
