//! Requests that wait for a verification to change.

pub(crate) mod notify;

use std::time::Duration;

use http::{HeaderMap, Uri};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::http::api::problem::{FieldError, Kind, Problem, Result};
use crate::http::long_poll::notify::{Notifier, Subscription};

/// Pause before a waiter reads again without being woken, because a notification can be lost. It
/// doubles up to the longest.
const READ_AGAIN: Duration = Duration::from_secs(1);
const READ_AGAIN_MAX: Duration = Duration::from_secs(5);

/// Limit on how long a request may wait.
#[derive(Debug, Clone)]
pub struct WaitBudget {
    /// Latest time to answer.
    pub deadline: Instant,
    /// Ends every wait when the service stops.
    pub shutdown: CancellationToken,
}

/// Pauses between reads of a verification: until it changes, and within the request's
/// [`WaitBudget`].
///
/// ```text
/// let mut poll = LongPoll::begin(..);          // subscribes, so no change after the first read is missed
/// loop {
///     if let Some(seen) = poll.tolerate(read().await)? && enough(seen) { break Some(seen) }
///     if !poll.wait().await { break None }
/// }
/// ```
#[derive(Debug)]
pub struct LongPoll {
    subscription: Subscription,
    budget: WaitBudget,
    pause: Duration,
    has_read: bool,
}

impl LongPoll {
    /// Subscribes to `verification`. Call this before the first read.
    pub fn begin(changes: &Notifier, verification: &str, budget: WaitBudget) -> Self {
        Self { subscription: changes.subscribe(verification), budget, pause: READ_AGAIN, has_read: false }
    }

    /// Passes on the result of a read. An unreachable `PocketBase` is an error at the first read;
    /// later it is `None`, and the wait goes on.
    pub fn tolerate<T>(&mut self, read: Result<T>) -> Result<Option<T>> {
        match read {
            Err(problem) if self.has_read && problem.kind == Kind::Unavailable => Ok(None),
            read => {
                self.has_read = true;
                read.map(Some)
            }
        }
    }

    /// Waits until the next read is due; the last one is at the deadline. Returns false when the
    /// budget is used up.
    pub async fn wait(&mut self) -> bool {
        let now = Instant::now();
        if now >= self.budget.deadline {
            return false;
        }
        tokio::select! {
            () = self.subscription.changed() => self.pause = READ_AGAIN,
            () = sleep_until(self.budget.deadline.min(now + self.pause)) => self.pause = (self.pause * 2).min(READ_AGAIN_MAX),
            () = self.budget.shutdown.cancelled() => return false,
        }
        true
    }
}

/// Reads the seconds of `Prefer: wait=N` (RFC 7240). A preference that cannot be read is ignored.
pub fn preferred(headers: &HeaderMap) -> Option<Duration> {
    headers
        .get_all("prefer")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split([',', ';']))
        .find_map(|preference| {
            let (name, value) = preference.split_once('=')?;
            let seconds = value.trim().trim_matches('"').parse().ok()?;
            name.trim().eq_ignore_ascii_case("wait").then_some(Duration::from_secs(seconds))
        })
}

/// Reads the seconds of `?wait=N`.
pub fn asked(uri: &Uri) -> Result<Option<Duration>> {
    match parameter(uri, "wait") {
        None => Ok(None),
        Some(value) => match value.parse::<u16>() {
            Ok(seconds) => Ok(Some(Duration::from_secs(seconds.into()))),
            Err(_) => {
                Err(Problem::invalid(vec![FieldError::parameter("wait", "must be whole seconds between 0 and 65535")]))
            }
        },
    }
}

/// Returns the first query parameter `name`.
pub fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn budget(seconds: u64) -> WaitBudget {
        WaitBudget { deadline: Instant::now() + Duration::from_secs(seconds), shutdown: CancellationToken::new() }
    }

    /// Times of all reads, in milliseconds.
    async fn reads(poll: &mut LongPoll) -> Vec<u128> {
        let start = Instant::now();
        let mut reads = vec![0];
        while poll.wait().await {
            reads.push(start.elapsed().as_millis());
        }
        reads
    }

    #[tokio::test(start_paused = true)]
    async fn a_change_means_a_read_at_once() {
        let changes = Notifier::new();
        let mut poll = LongPoll::begin(&changes, "v", budget(20));
        let start = Instant::now();
        changes.publish("v");
        assert!(poll.wait().await);
        assert_eq!(start.elapsed(), Duration::ZERO);
        drop(poll);
        assert!(changes.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn without_a_change_it_reads_again_and_ends_in_time() {
        let mut poll = LongPoll::begin(&Notifier::new(), "v", budget(20));
        assert_eq!(reads(&mut poll).await, [0, 1000, 3000, 7000, 12000, 17000, 20000]);
    }

    #[tokio::test(start_paused = true)]
    async fn stopping_the_service_ends_every_wait() {
        let budget = budget(20);
        budget.shutdown.cancel();
        assert_eq!(reads(&mut LongPoll::begin(&Notifier::new(), "v", budget)).await, [0]);
    }

    #[tokio::test]
    async fn an_unreachable_pocketbase_is_tolerated_except_at_the_first_read() {
        let away = || Err::<(), _>(Problem::new(Kind::Unavailable, "away"));
        let mut poll = LongPoll::begin(&Notifier::new(), "v", budget(20));
        assert!(poll.tolerate(away()).is_err());
        assert_eq!(poll.tolerate(Ok(1)), Ok(Some(1)));
        assert_eq!(poll.tolerate(away()), Ok(None));
        assert!(poll.tolerate(Err::<(), _>(Problem::not_found())).is_err());
    }

    #[test]
    fn waits_are_read_and_unreadable_preferences_ignored() {
        for (value, seconds) in [
            ("wait=20", Some(20)),
            ("respond-async, Wait=5", Some(5)),
            ("handling=lenient; wait=\"7\"", Some(7)),
            ("wait", None),
            ("wait=soon", None),
            ("wait=-1", None),
            ("await=3", None),
        ] {
            let headers =
                HeaderMap::from_iter([(http::HeaderName::from_static("prefer"), HeaderValue::from_static(value))]);
            assert_eq!(preferred(&headers), seconds.map(Duration::from_secs), "{value}");
        }
        let uri = |text: &str| text.parse::<Uri>().expect("uri");
        assert_eq!(asked(&uri("/x?a=1&wait=20")), Ok(Some(Duration::from_secs(20))));
        assert_eq!(asked(&uri("/x")), Ok(None));
        assert!(asked(&uri("/x?wait=")).is_err());
        assert!(asked(&uri("/x?wait=1.5")).is_err());
    }
}
