//! What the developer sees: the messages of `dev` and the output of the parts, each line whole and
//! with a name.
//!
//! Standard output has only what a script may want to read (the `ready` line, the demo); the rest
//! goes to standard error.

use std::io::{IsTerminal as _, Write as _};

/// Prints a message of `dev` on standard error.
pub fn note(line: &str) {
    part("dev", line);
}

/// Prints a line of a part on standard error, under the part's name.
pub fn part(name: &str, line: &str) {
    let stderr = std::io::stderr();
    let (dim, plain) = if stderr.is_terminal() { ("\x1b[2m", "\x1b[0m") } else { ("", "") };
    // Ignore errors: `dev` must stop the parts in order even if the terminal is closed.
    let _ = writeln!(stderr.lock(), "{dim}{name:>10} |{plain} {line}");
}

/// Prints a line on standard output.
pub fn say(line: &str) {
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}
