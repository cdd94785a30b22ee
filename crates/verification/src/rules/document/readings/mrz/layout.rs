//! Where ICAO 9303 puts what in a machine-readable zone, as far as a reader can use it.

/// A line, and the range of places in it: the first, and the one after the last.
type Field = (usize, usize, usize);

/// The lines of a format.
pub struct Layout {
    /// Number of lines.
    pub lines: usize,
    /// Characters of a line.
    pub length: usize,
    /// Fields in which only letters and fillers stand.
    letters: &'static [Field],
    /// Fields in which only digits and fillers stand.
    digits: &'static [Field],
}

/// Identity cards of the format of a credit card.
pub const TD1: Layout = Layout {
    lines: 3,
    length: 30,
    letters: &[(0, 0, 5), (1, 7, 8), (1, 15, 18), (2, 0, 30)],
    digits: &[(1, 0, 7), (1, 8, 15), (1, 29, 30)],
};
/// Larger identity cards, and visas of format B.
pub const TD2: Layout = Layout {
    lines: 2,
    length: 36,
    letters: &[(0, 0, 36), (1, 10, 13), (1, 20, 21)],
    digits: &[(1, 9, 10), (1, 13, 20), (1, 21, 28)],
};
/// Passports, and visas of format A.
pub const TD3: Layout = Layout {
    lines: 2,
    length: 44,
    letters: &[(0, 0, 44), (1, 10, 13), (1, 20, 21)],
    digits: &[(1, 9, 10), (1, 13, 20), (1, 21, 28)],
};

impl Layout {
    /// Whether only letters and fillers stand at a place.
    pub fn takes_letters(&self, line: usize, at: usize) -> bool {
        within(self.letters, line, at)
    }

    /// Whether only digits and fillers stand at a place.
    pub fn takes_digits(&self, line: usize, at: usize) -> bool {
        within(self.digits, line, at)
    }

    /// The line of names: the first of two, the last of three.
    pub fn line_of_names(&self) -> usize {
        if self.lines == 2 { 0 } else { self.lines - 1 }
    }
}

fn within(fields: &[Field], line: usize, at: usize) -> bool {
    fields.iter().any(|(of, from, to)| *of == line && (*from..*to).contains(&at))
}
