//! Requests that wait for something to happen to a verification.

pub(crate) mod notify;

use std::time::Duration;

use http::{HeaderMap, Uri};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::http::api::problem::{FieldError, Kind, Problem, Result};
use crate::http::long_poll::notify::{Notifier, Subscription};

/// The pause before a waiter reads again although nobody woke it, doubled up to the longest: news can be lost, a wait cannot.
const READ_AGAIN: Duration = Duration::from_secs(1);
const READ_AGAIN_MAX: Duration = Duration::from_secs(5);

/// For how long a request may wait, and what ends all waits.
#[derive(Debug, Clone)]
pub struct WaitBudget {
    /// When to answer at the latest.
    pub deadline: Instant,
    /// Ends every wait: the service stops.
    pub shutdown: CancellationToken,
}

/// The pauses between looks at a verification: as long as no news comes of it, and no longer than the request's wait_budget.
///
/// ```text
/// let mut poll = LongPoll::begin(..);          // subscribes, so nothing that happens after the first look is missed
/// loop {
///     if let Some(seen) = poll.heed(look().await)? && enough(seen) { break Some(seen) }
///     if !poll.again().await { break None }
/// }
/// ```
#[derive(Debug)]
pub struct LongPoll {
    subscription: Subscription,
    wait_budget: WaitBudget,
    pause: Duration,
    looked: bool,
}

impl LongPoll {
    /// Begins before the first look.
    pub fn begin(changes: &Notifier, verification: &str, wait_budget: WaitBudget) -> Self {
        Self { subscription: changes.subscribe(verification), wait_budget, pause: READ_AGAIN, looked: false }
    }

    /// What a look brought. The first one's errors are the caller's; later, a `PocketBase` that is away is waited for like
    /// everything else.
    pub fn heed<T>(&mut self, look: Result<T>) -> Result<Option<T>> {
        match look {
            Err(problem) if self.looked && problem.kind == Kind::Unavailable => Ok(None),
            look => {
                self.looked = true;
                look.map(Some)
            }
        }
    }

    /// Waits until another look is worth it, the last one at the deadline; false when the time is over.
    pub async fn again(&mut self) -> bool {
        let now = Instant::now();
        if now >= self.wait_budget.deadline {
            return false;
        }
        tokio::select! {
            () = self.subscription.changed() => self.pause = READ_AGAIN,
            () = sleep_until(self.wait_budget.deadline.min(now + self.pause)) => self.pause = (self.pause * 2).min(READ_AGAIN_MAX),
            () = self.wait_budget.shutdown.cancelled() => return false,
        }
        true
    }
}

/// The seconds that `Prefer: wait=N` (RFC 7240) asks for. What cannot be read is no preference.
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

/// The seconds that `?wait=N` asks for.
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

/// The first query parameter `name`.
pub fn parameter(uri: &Uri, name: &str) -> Option<String> {
    let pairs = url::form_urlencoded::parse(uri.query()?.as_bytes());
    pairs.into_iter().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn wait_budget(seconds: u64) -> WaitBudget {
        WaitBudget { deadline: Instant::now() + Duration::from_secs(seconds), shutdown: CancellationToken::new() }
    }

    /// The instants of all looks, in milliseconds.
    async fn looks(poll: &mut LongPoll) -> Vec<u128> {
        let start = Instant::now();
        let mut looks = vec![0];
        while poll.again().await {
            looks.push(start.elapsed().as_millis());
        }
        looks
    }

    #[tokio::test(start_paused = true)]
    async fn news_means_a_look_at_once() {
        let changes = Notifier::new();
        let mut poll = LongPoll::begin(&changes, "v", wait_budget(20));
        let start = Instant::now();
        changes.publish("v");
        assert!(poll.again().await);
        assert_eq!(start.elapsed(), Duration::ZERO);
        drop(poll);
        assert!(changes.is_empty());
    }

    #[tokio::test(start_paused = true)]
    async fn without_news_it_looks_again_and_ends_in_time() {
        let mut poll = LongPoll::begin(&Notifier::new(), "v", wait_budget(20));
        assert_eq!(looks(&mut poll).await, [0, 1000, 3000, 7000, 12000, 17000, 20000]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_ends_every_wait() {
        let wait_budget = wait_budget(20);
        wait_budget.shutdown.cancel();
        assert_eq!(looks(&mut LongPoll::begin(&Notifier::new(), "v", wait_budget)).await, [0]);
    }

    #[tokio::test]
    async fn an_absence_in_the_middle_is_waited_out_but_not_one_at_the_start() {
        let away = || Err::<(), _>(Problem::new(Kind::Unavailable, "away"));
        let mut poll = LongPoll::begin(&Notifier::new(), "v", wait_budget(20));
        assert!(poll.heed(away()).is_err());
        assert_eq!(poll.heed(Ok(1)), Ok(Some(1)));
        assert_eq!(poll.heed(away()), Ok(None));
        assert!(poll.heed(Err::<(), _>(Problem::not_found())).is_err());
    }

    #[test]
    fn preferences_are_read_and_nonsense_is_ignored() {
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
