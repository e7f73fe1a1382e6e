//! Which transactions of a round may start, run, are done. Pure bookkeeping.

use std::collections::BTreeSet;

use crate::plan::Transaction;

/// Where a transaction is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Waits for this many others.
    Waiting(usize),
    Running,
    Committed,
    /// Out of the round: it failed, or what it waits for did.
    Out,
}

/// The transactions of one round.
#[derive(Debug)]
pub(super) struct Board {
    states: Vec<State>,
    dependants: Vec<Vec<usize>>,
    ready: BTreeSet<usize>,
}

impl Board {
    pub(super) fn new(transactions: &[Transaction]) -> Self {
        let mut dependants = vec![Vec::new(); transactions.len()];
        for (index, transaction) in transactions.iter().enumerate() {
            for earlier in &transaction.after {
                if let Some(list) = dependants.get_mut(*earlier) {
                    list.push(index);
                }
            }
        }
        let waits = transactions
            .iter()
            .map(|transaction| transaction.after.len());
        let states: Vec<State> = waits.map(State::Waiting).collect();
        let free = |(index, state): (usize, &State)| (*state == State::Waiting(0)).then_some(index);
        let ready = states.iter().enumerate().filter_map(free).collect();
        Self {
            states,
            dependants,
            ready,
        }
    }

    /// The first transaction that waits for nothing.
    pub(super) fn ready(&self) -> Option<usize> {
        self.ready.first().copied()
    }

    pub(super) fn is_committed(&self, index: usize) -> bool {
        self.states.get(index) == Some(&State::Committed)
    }

    pub(super) fn start(&mut self, index: usize) {
        self.ready.remove(&index);
        self.set(index, State::Running);
    }

    pub(super) fn commit(&mut self, index: usize) {
        self.set(index, State::Committed);
        for later in self.dependants.get(index).into_iter().flatten() {
            if let Some(State::Waiting(count)) = self.states.get_mut(*later) {
                *count = count.saturating_sub(1);
                if *count == 0 {
                    self.ready.insert(*later);
                }
            }
        }
    }

    /// Takes a transaction and everything that waits for it out of the round:
    /// what builds on it was decided as if it had been committed.
    pub(super) fn fail(&mut self, index: usize) {
        let mut stack = vec![index];
        while let Some(index) = stack.pop() {
            match self.states.get_mut(index) {
                Some(state @ (State::Waiting(_) | State::Running)) => *state = State::Out,
                _ => continue,
            }
            self.ready.remove(&index);
            stack.extend(self.dependants.get(index).into_iter().flatten());
        }
    }

    fn set(&mut self, index: usize, state: State) {
        if let Some(slot) = self.states.get_mut(index) {
            *slot = state;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn board(after: &[&[usize]]) -> Board {
        let transactions: Vec<Transaction> = after
            .iter()
            .map(|after| Transaction {
                after: after.iter().copied().collect(),
                ..Transaction::default()
            })
            .collect();
        Board::new(&transactions)
    }

    fn drain(board: &mut Board) -> Vec<usize> {
        let mut started = Vec::new();
        while let Some(index) = board.ready() {
            board.start(index);
            started.push(index);
        }
        started
    }

    #[test]
    fn a_transaction_starts_when_all_it_waits_for_are_committed() {
        let mut board = board(&[&[], &[0], &[], &[1, 2]]);
        assert_eq!(drain(&mut board), [0, 2]);
        board.commit(2);
        assert_eq!(drain(&mut board), [0; 0]);
        board.commit(0);
        assert_eq!(drain(&mut board), [1]);
        board.commit(1);
        assert_eq!(drain(&mut board), [3]);
        assert!(board.is_committed(1) && !board.is_committed(3));
    }

    #[test]
    fn a_failure_takes_along_what_builds_on_it_and_nothing_else() {
        let mut board = board(&[&[], &[0], &[], &[1, 2], &[2]]);
        assert_eq!(drain(&mut board), [0, 2]);
        board.fail(0);
        board.commit(2);
        assert_eq!(drain(&mut board), [4], "3 builds on 1, and 1 on 0");
    }
}
