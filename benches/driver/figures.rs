//! The figures of a run: percentiles of its times in milliseconds, its duration, and its cost to
//! `PocketBase`.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use serde_json::{Value, json};

/// Count, median, tail and maximum of `times`; no percentiles without times.
pub fn summary(mut times: Vec<Duration>) -> Value {
    times.sort_unstable();
    if times.is_empty() {
        return json!({ "count": 0 });
    }
    let at = |percent: usize| milliseconds(times[(times.len() - 1) * percent / 100]);
    json!({
        "count": times.len(),
        "p50": at(50),
        "p95": at(95),
        "p99": at(99),
        "max": at(100),
    })
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// Wall clock and CPU clock of a process, from the creation of this value.
pub struct Meter {
    began: Instant,
    process: Option<u32>,
    ticks: u64,
}

impl Meter {
    /// Starts both clocks; without a process only the first.
    pub fn start(process: Option<u32>) -> anyhow::Result<Self> {
        let ticks = process.map_or(Ok(0), cpu_ticks)?;
        Ok(Self { began: Instant::now(), process, ticks })
    }

    /// Adds the readings to `figures`: `seconds`, and `cpu_ticks` as the kernel counts them.
    pub fn read(&self, figures: &mut Value) -> anyhow::Result<()> {
        figures["seconds"] = self.began.elapsed().as_secs_f64().into();
        if let Some(process) = self.process {
            figures["cpu_ticks"] = (cpu_ticks(process)? - self.ticks).into();
        }
        Ok(())
    }
}

/// User and system time of a process so far.
fn cpu_ticks(process: u32) -> anyhow::Result<u64> {
    // Fields 14 and 15. The second field, a name in parentheses, may contain blanks.
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).context("the process to measure")?;
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    fields.skip(11).take(2).map(|field| field.parse::<u64>().context("a number of ticks")).sum()
}
