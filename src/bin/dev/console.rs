//! What the developer sees: our own words and the parts' output, each line whole and named.
//!
//! Standard output carries only what a script may want to read (the `ready` line, the demo); the rest goes to standard error.

use std::io::{IsTerminal as _, Write as _};

/// A line of our own, on standard error.
pub fn note(line: &str) {
    part("dev", line);
}

/// A line of one part, on standard error, under the part's name.
pub fn part(name: &str, line: &str) {
    let stderr = std::io::stderr();
    let (dim, plain) = if stderr.is_terminal() { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
    // A closed terminal must not stop the parts from being stopped in order.
    let _ = writeln!(stderr.lock(), "{dim}{name:>10} |{plain} {line}");
}

/// A line on standard output.
pub fn say(line: &str) {
    // As above.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
