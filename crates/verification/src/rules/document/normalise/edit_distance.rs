//! The edit distance of two texts.

/// How many letters have to be changed, added or left out to turn one text into the other. `same`
/// says which letters are equal.
pub fn edits<A: Copy, B: Copy>(ours: &[A], theirs: &[B], same: impl Fn(A, B) -> bool) -> usize {
    let mut row: Vec<usize> = (0..=theirs.len()).collect();
    for (at, ours) in ours.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = at + 1;
        for (place, theirs) in theirs.iter().enumerate() {
            let changed = diagonal + usize::from(!same(*ours, *theirs));
            let cheapest = changed.min(row[place] + 1).min(row[place + 1] + 1);
            diagonal = row[place + 1];
            row[place + 1] = cheapest;
        }
    }
    row.last().copied().unwrap_or_default()
}
