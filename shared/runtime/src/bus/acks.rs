//! Acknowledging in groups: everything below the oldest message in hand with one word, the rest
//! one by one, so that a slow job never holds the others' window.

use std::collections::BTreeSet;

/// The deliveries of one channel.
#[derive(Debug, Default)]
pub(super) struct Acks {
    in_hand: BTreeSet<u64>,
    done: BTreeSet<u64>,
}

/// One acknowledgement to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ack {
    /// All up to this delivery tag.
    UpTo(u64),
    /// This delivery tag alone.
    One(u64),
}

impl Acks {
    /// A message came in.
    pub(super) fn delivered(&mut self, tag: u64) {
        self.in_hand.insert(tag);
    }

    /// A message is done with. One that must stay with the broker is never reported: it remains
    /// in hand, and no group reaches over it.
    pub(super) fn done(&mut self, tag: u64) {
        self.in_hand.remove(&tag);
        self.done.insert(tag);
    }

    /// How many are in hand.
    pub(super) fn in_hand(&self) -> usize {
        self.in_hand.len()
    }

    /// What is to be sent now.
    pub(super) fn take(&mut self) -> Vec<Ack> {
        let oldest = self.in_hand.first().copied().unwrap_or(u64::MAX);
        let beyond = self.done.split_off(&oldest);
        let below = std::mem::take(&mut self.done);
        let group = below.last().map(|tag| Ack::UpTo(*tag));
        group.into_iter().chain(beyond.into_iter().map(Ack::One)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acks(delivered: u64, done: &[u64]) -> Acks {
        let mut acks = Acks::default();
        (1..=delivered).for_each(|tag| acks.delivered(tag));
        done.iter().for_each(|tag| acks.done(*tag));
        acks
    }

    #[test]
    fn a_gap_is_never_reached_over() {
        assert_eq!(acks(5, &[1, 2, 4, 5]).take(), [Ack::UpTo(2), Ack::One(4), Ack::One(5)]);
        assert_eq!(acks(3, &[2, 3]).take(), [Ack::One(2), Ack::One(3)]);
    }

    #[test]
    fn everything_done_goes_with_one_word() {
        let mut acks = acks(4, &[4, 3, 2, 1]);
        assert_eq!(acks.take(), [Ack::UpTo(4)]);
        assert_eq!(acks.take(), []);
    }
}
