//! Notices that a journal lost rows: `PocketBase` was restored from a backup while this process
//! ran.

use std::collections::HashMap;

use tracing::error;

use crate::base::lock::Mutex;

/// Bound of the verifications that are remembered, some 50 bytes each. Beyond it all are forgotten.
const REMEMBERED_MAX: usize = 20_000;

/// The last journal row that this process stored, by verification.
#[derive(Debug, Default)]
pub(super) struct LastStored {
    by_id: Mutex<HashMap<String, u32>>,
}

impl LastStored {
    /// The row that was stored last for `id`, if it is remembered.
    ///
    /// Ask before the case is read: what another pass stores during the read need not be part of
    /// it.
    pub fn get(&self, id: &str) -> Option<u32> {
        self.by_id.lock().get(id).copied()
    }

    /// Remembers that row `seq` of `id` is stored. Two tasks may note their rows in either order:
    /// the higher number counts.
    pub fn note(&self, id: &str, seq: u32) {
        let mut by_id = self.by_id.lock();
        if by_id.len() >= REMEMBERED_MAX {
            by_id.clear();
        }
        let last = by_id.entry(id.to_owned()).or_insert(seq);
        *last = seq.max(*last);
    }

    /// Whether a journal of `id` that ends at row `found` lacks row `stored`. It is reported once:
    /// the row is forgotten, and what is due follows from the rows that are there, as always.
    pub fn lacks(&self, id: &str, stored: u32, found: u32) -> bool {
        if stored <= found {
            return false;
        }
        self.by_id.lock().remove(id);
        error!(verification = id, stored, found, "a journal went back in time; its work is done again");
        metrics::counter!("journals_went_back_total").increment(1);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_journal_that_lacks_a_stored_row_is_reported_once() {
        let last = LastStored::default();
        last.note("a", 7);
        let stored = last.get("a").expect("remembered");
        assert!(last.lacks("a", stored, 6));
        assert_eq!(last.get("a"), None);
    }

    #[test]
    fn a_journal_that_has_grown_or_stayed_is_whole() {
        let last = LastStored::default();
        last.note("a", 7);
        assert!(!last.lacks("a", 7, 7) && !last.lacks("a", 7, 9));
        assert_eq!((last.get("a"), last.get("b")), (Some(7), None));
    }

    #[test]
    fn a_row_noted_late_does_not_hide_a_later_one() {
        let last = LastStored::default();
        last.note("a", 8);
        last.note("a", 7);
        assert_eq!(last.get("a"), Some(8));
    }

    #[test]
    fn memory_is_bounded() {
        let last = LastStored::default();
        for number in 0..=REMEMBERED_MAX {
            last.note(&number.to_string(), 1);
        }
        assert_eq!((last.get("0"), last.get(&REMEMBERED_MAX.to_string())), (None, Some(1)));
    }
}
