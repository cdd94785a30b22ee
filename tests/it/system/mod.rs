//! Stories about the whole system: a real PocketBase, the sandbox, sidecars as processes, persons
//! with tokens of their own.
//!
//! Stories that crash and break nothing share a stack: each verification is independent of all
//! others. Every story ends with the [`oracle`], which reads what is stored and what was paid for,
//! and knows the promises.

mod local_ocr;
mod oracle;
mod partner;
mod person;
mod process;
pub mod sandbox;
pub mod sidecar;
mod specimen;
mod stack;

mod approval;
mod boot;
mod crash;
mod crash_points;
mod deadlines;
mod duplicates;
mod faults;
mod flaws;
mod fleet;
mod paid_calls;
mod planted_bugs;
mod polling;
mod privacy;
mod provider_faults;
mod provider_outages;
mod restore;
mod review;
mod shutdown;
mod soak;
mod upgrade;

use std::time::{Duration, Instant};

/// Time limit of anything for which a person waits, on a machine that is busy with other things.
const PATIENCE: Duration = Duration::from_secs(60);

/// Waits until `read` succeeds, for at most `bound`. Panics with `what` and the last status after
/// that.
async fn wait_for<T>(what: &str, bound: Duration, mut read: impl AsyncFnMut() -> Result<T, String>) -> T {
    const LONGEST_PAUSE: Duration = Duration::from_millis(250);
    let started = Instant::now();
    let mut pause = Duration::from_millis(20);
    loop {
        match read().await {
            Ok(found) => return found,
            Err(status) => {
                assert!(started.elapsed() < bound, "not within {} s: {what}; at last: {status}", bound.as_secs());
            }
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 3 / 2).min(LONGEST_PAUSE);
    }
}

/// Prints a line for the reader of a test's output: figures, a seed.
#[expect(clippy::print_stdout, reason = "figures and seeds are shown")]
fn tell(line: std::fmt::Arguments<'_>) {
    println!("{line}");
}

/// A random record id.
fn record_id() -> String {
    use rand::Rng as _;
    const LETTERS: &[u8; 36] = b"abcdefghijklmnopqrstuvwxyz0123456789";
    let mut dice = rand::rng();
    (0..15).map(|_| char::from(LETTERS[dice.random_range(0..LETTERS.len())])).collect()
}
