//! The rings of a graph, and what is in none.
//!
//! ```text
//! 0 → 1 → 2 → 1,  3 → 0    →    {1 2} {0} {3}
//! ```

/// The order of a node that was not met yet.
const UNSEEN: usize = usize::MAX;

#[derive(Clone, Copy)]
struct Node {
    order: usize,
    low: usize,
    on_stack: bool,
}

/// Strongly connected components, each ascending (Tarjan 1972, with an
/// explicit stack: a chain of 100,000 must not exhaust the thread's).
pub(super) fn components(edges: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let mut nodes = vec![
        Node {
            order: UNSEEN,
            low: 0,
            on_stack: false
        };
        edges.len()
    ];
    let mut stack = Vec::new();
    let mut result = Vec::new();
    let mut counter = 0;
    for root in 0..edges.len() {
        if nodes.get(root).is_none_or(|node| node.order != UNSEEN) {
            continue;
        }
        let mut path = vec![(root, 0)];
        while let Some((node, next)) = path.last_mut() {
            let here = *node;
            let Some(state) = nodes.get_mut(here) else {
                break;
            };
            if *next == 0 {
                *state = Node {
                    order: counter,
                    low: counter,
                    on_stack: true,
                };
                counter += 1;
                stack.push(here);
            }
            let target = edges
                .get(here)
                .and_then(|targets| targets.get(*next))
                .copied();
            *next += 1;
            match target {
                Some(target) => match nodes.get(target).copied() {
                    Some(other) if other.order == UNSEEN => path.push((target, 0)),
                    Some(other) if other.on_stack => {
                        lower(&mut nodes, here, other.order);
                    }
                    _ => {}
                },
                None => {
                    path.pop();
                    let Some(state) = nodes.get(here).copied() else {
                        break;
                    };
                    if let Some((parent, _)) = path.last() {
                        lower(&mut nodes, *parent, state.low);
                    }
                    if state.low == state.order {
                        let mut component = Vec::new();
                        while let Some(member) = stack.pop() {
                            if let Some(node) = nodes.get_mut(member) {
                                node.on_stack = false;
                            }
                            component.push(member);
                            if member == here {
                                break;
                            }
                        }
                        component.sort_unstable();
                        result.push(component);
                    }
                }
            }
        }
    }
    result
}

fn lower(nodes: &mut [Node], index: usize, low: usize) {
    if let Some(node) = nodes.get_mut(index) {
        node.low = node.low.min(low);
    }
}
