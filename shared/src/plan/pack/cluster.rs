//! Which steps have to do with each other.
//!
//! Two steps are in one cluster when one writes an item that the other touches,
//! or when a chain of such steps joins them: the users of a request and the group
//! that names them, all changes of one resource. Steps of different clusters may
//! be carried out in any order, and side by side. This file must not know what
//! an item is, nor how large.
//!
//! ```text
//! user 1, user 2, group {1 2}, user 3   →   {user 1, user 2, group}, {user 3}
//! ```

use std::collections::HashMap;

use crate::plan::read_set::Want;
use crate::plan::step::Step;

/// By step, the first step of its cluster. What writes nothing is alone.
pub(super) fn clusters(steps: &[Step]) -> Vec<usize> {
    let mut forest = Forest::new(steps.len());
    let mut uses: HashMap<&Want, Uses> = HashMap::new();
    let writing = steps.iter().enumerate();
    for (index, step) in writing.filter(|(_, step)| !step.changes.is_empty()) {
        for item in &step.touched {
            let uses = uses.entry(item).or_default();
            if step.written.contains(item) {
                for reader in uses.readers.drain(..) {
                    forest.join(reader, index);
                }
                forest.join(*uses.writer.get_or_insert(index), index);
            } else if let Some(writer) = uses.writer {
                forest.join(writer, index);
            } else {
                uses.readers.push(index);
            }
        }
    }
    (0..steps.len()).map(|index| forest.first(index)).collect()
}

/// Who has touched an item so far: readers only until somebody writes it.
#[derive(Default)]
struct Uses {
    writer: Option<usize>,
    readers: Vec<usize>,
}

/// Disjoint sets, each named by its lowest element.
struct Forest {
    parents: Vec<usize>,
}

impl Forest {
    fn new(len: usize) -> Self {
        Self {
            parents: (0..len).collect(),
        }
    }

    fn first(&mut self, index: usize) -> usize {
        let mut index = index;
        while let Some(parent) = self.parents.get(index).copied()
            && parent != index
        {
            // Every second element is hung higher, so that paths stay short.
            let above = self.parents.get(parent).copied().unwrap_or(parent);
            if let Some(slot) = self.parents.get_mut(index) {
                *slot = above;
            }
            index = above;
        }
        index
    }

    fn join(&mut self, one: usize, other: usize) {
        let (one, other) = (self.first(one), self.first(other));
        if let Some(slot) = self.parents.get_mut(one.max(other)) {
            *slot = one.min(other);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::plan::pack::tests::{Made, made, overlap, steps};

    /// Whoever can be reached from each step, found by trying every pair again
    /// and again.
    fn reached(made: &[Made]) -> Vec<usize> {
        let mut names: Vec<usize> = (0..made.len()).collect();
        for _ in made {
            for (one, left) in made.iter().enumerate() {
                for (other, right) in made.iter().enumerate() {
                    if overlap(left, right) {
                        let first = names[one].min(names[other]);
                        names[one] = first;
                        names[other] = first;
                    }
                }
            }
        }
        names
    }

    proptest! {
        #[test]
        fn steps_are_together_if_a_chain_of_writes_joins_them(made in made(8)) {
            prop_assert_eq!(clusters(&steps(&made)), reached(&made));
        }
    }

    #[test]
    fn who_only_reads_joins_nobody() {
        let reads = |item| Made {
            reads: vec![item],
            writes: vec![],
            grows: false,
        };
        let writes = |item, reads| Made {
            reads,
            writes: vec![item],
            grows: false,
        };
        let made = [
            reads(0),
            writes(1, vec![0]),
            writes(2, vec![0]),
            writes(1, vec![2]),
        ];
        assert_eq!(clusters(&steps(&made)), [0, 1, 1, 1]);
        let apart = [writes(1, vec![0]), writes(2, vec![0]), reads(1), reads(2)];
        assert_eq!(clusters(&steps(&apart)), [0, 1, 2, 3]);
    }
}
