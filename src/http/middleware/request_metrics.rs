//! Counts and durations of answers, by method, route and status. Each series is looked up by name
//! once only: that costs more than a cached answer.

use std::collections::HashMap;
use std::time::Duration;

use metrics::{Counter, Histogram, counter, histogram};

use crate::base::lock::RwLock;

/// Series of the answers so far. The map stays small: methods and routes are a closed set, and
/// callers cannot choose a status.
#[derive(Default)]
pub struct RequestMetrics(RwLock<HashMap<(&'static str, &'static str, u16), Series>>);

#[derive(Clone)]
struct Series {
    requests: Counter,
    seconds: Histogram,
}

impl RequestMetrics {
    /// Records one answer.
    pub fn record(&self, method: &'static str, route: &'static str, status: u16, took: Duration) {
        let key = (method, route, status);
        // No code that can panic runs under the lock.
        let known = self.0.read().get(&key).cloned();
        let series = known.unwrap_or_else(|| {
            let label = status.to_string();
            let seconds = histogram!("http_request_duration_seconds", "route" => route, "status" => label.clone());
            let requests = counter!("http_requests_total", "method" => method, "route" => route, "status" => label);
            let series = Series { requests, seconds };
            self.0.write().insert(key, series.clone());
            series
        });
        series.requests.increment(1);
        series.seconds.record(took);
    }
}
