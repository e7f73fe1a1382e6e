//! In what order operations are carried out, and which of them together: found
//! by trying, sharing nothing with the planner.

use std::collections::BTreeSet;

use super::operation::{Op, contend, depends};

/// What is carried out at once: an operation, or groups that name each other in
/// a ring, be it one that names itself; in the client's order.
pub(super) type Step = Vec<usize>;

fn steps(operations: &[Op]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for index in 0..operations.len() {
        let ring = |step: &Step| {
            let first = step[0];
            depends(operations, first, index) && depends(operations, index, first)
        };
        match steps.iter().position(ring) {
            Some(found) => steps[found].push(index),
            None => steps.push(vec![index]),
        }
    }
    steps
}

/// Again and again the lowest step whose prerequisites are done, those that
/// only keep the client's order included; where these are in the way of all that
/// is left, the lowest whose references are done.
pub(super) fn canonical_order(operations: &[Op]) -> Vec<Step> {
    let mut left = steps(operations);
    let mut order: Vec<Step> = Vec::new();
    while !left.is_empty() {
        let elsewhere = |index: usize, step: &Step| {
            !step.contains(&index) && left.iter().any(|other| other.contains(&index))
        };
        let hard = |step: &Step| {
            let needs = step
                .iter()
                .flat_map(|index| operations[*index].references());
            needs.into_iter().all(|need| !elsewhere(need, step))
        };
        let soft = |step: &Step| {
            step.iter().all(|index| {
                let mut earlier = (0..*index).filter(|earlier| elsewhere(*earlier, step));
                earlier.all(|earlier| !contend(&operations[earlier], &operations[*index]))
            })
        };
        let next = left.iter().position(|step| hard(step) && soft(step));
        let next = next.or_else(|| left.iter().position(hard)).unwrap();
        order.push(left.remove(next));
    }
    order
}

/// The operations that references connect, sets that have to wait for each
/// other joined; in canonical order of the sets, each in that of its steps.
pub(super) fn connected(operations: &[Op]) -> Vec<Vec<Step>> {
    let all = 0..operations.len();
    let mut sets: Vec<BTreeSet<usize>> = all.map(|index| [index].into()).collect();
    let refers = |from: &BTreeSet<usize>, to: &BTreeSet<usize>| {
        from.iter()
            .any(|index| !operations[*index].references().is_disjoint(to))
    };
    let waits = |later: &BTreeSet<usize>, earlier: &BTreeSet<usize>| {
        later.iter().any(|index| {
            let before = earlier.range(..index);
            let mut before =
                before.map(|earlier| contend(&operations[*earlier], &operations[*index]));
            before.any(|contends| contends)
        })
    };
    while let Some((a, b)) = pair(sets.len(), |a, b| {
        refers(&sets[a], &sets[b]) || (reaches(&sets, a, b, &waits) && reaches(&sets, b, a, &waits))
    }) {
        let joined = sets.remove(a.max(b));
        sets[a.min(b)].extend(joined);
    }
    let canonical = canonical_order(operations);
    let mut ordered: Vec<Vec<Step>> = Vec::new();
    while !sets.is_empty() {
        sets.sort_by_key(|set| set.first().copied());
        let free = |set: &BTreeSet<usize>| {
            let mut others = sets.iter().filter(|other| *other != set);
            others.all(|other| !waits(set, other))
        };
        let next = sets.iter().position(free).unwrap();
        let set = sets.remove(next);
        let within = canonical.iter().filter(|step| set.contains(&step[0]));
        ordered.push(within.cloned().collect());
    }
    ordered
}

fn pair(count: usize, joins: impl Fn(usize, usize) -> bool) -> Option<(usize, usize)> {
    let pairs = (0..count).flat_map(|a| (0..count).map(move |b| (a, b)));
    pairs.into_iter().find(|(a, b)| a != b && joins(*a, *b))
}

fn reaches(
    sets: &[BTreeSet<usize>],
    from: usize,
    to: usize,
    waits: &dyn Fn(&BTreeSet<usize>, &BTreeSet<usize>) -> bool,
) -> bool {
    let mut seen = BTreeSet::from([from]);
    let mut stack = vec![from];
    while let Some(set) = stack.pop() {
        for next in 0..sets.len() {
            if waits(&sets[set], &sets[next]) && seen.insert(next) {
                stack.push(next);
            }
        }
    }
    seen.contains(&to)
}
