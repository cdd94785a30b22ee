//! How much one caller may ask for: a fixed window per caller, in bounded memory.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::base::lock::Mutex;

/// Callers that are remembered at the same time. Beyond, unknown ones share one window until old ones are forgotten.
const CALLERS_MAX: usize = 20_000;

/// Who is counted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Counted {
    /// The holder of the n-th API key.
    Key(usize),
    /// A person, by the id of their `users` record.
    User(String),
    /// An address that showed no valid credentials; see [`Counted::stranger`].
    Address(IpAddr),
    /// Everybody for whom there is no room.
    Overflow,
}

impl Counted {
    /// Whoever asks from `address` without valid credentials. Of IPv6 the first 64 bits count: that many one subscriber has to
    /// themselves (RFC 6177), and could otherwise ask from another address each time.
    pub fn stranger(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// A number of requests in a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// How many requests.
    pub requests: u32,
    /// In which time.
    pub window: Duration,
}

impl Quota {
    /// `requests` a minute.
    pub const fn per_minute(requests: u32) -> Self {
        Self { requests, window: Duration::from_mins(1) }
    }
}

/// The quotas of the three kinds of callers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// For each API key.
    pub key: Quota,
    /// For each person.
    pub user: Quota,
    /// For each address without valid credentials, so also a bound on guessing them.
    pub address: Quota,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { key: Quota::per_minute(6_000), user: Quota::per_minute(120), address: Quota::per_minute(120) }
    }
}

/// What is left for a caller after a request was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    quota: Quota,
    remaining: u32,
    reset: Duration,
    /// Whether the request that was counted is within the quota.
    pub granted: bool,
}

impl Allowance {
    /// Writes the `RateLimit` fields (draft-ietf-httpapi-ratelimit-headers-10).
    pub fn write(&self, headers: &mut HeaderMap) {
        const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
        const LIMIT: HeaderName = HeaderName::from_static("ratelimit");
        let policy = format!("\"default\";q={};w={}", self.quota.requests, self.quota.window.as_secs());
        let limit = format!("\"default\";r={};t={}", self.remaining, self.reset_seconds());
        for (name, value) in [(POLICY, policy), (LIMIT, limit)] {
            // Without a copy: the text becomes the value.
            if let Ok(value) = HeaderValue::from_maybe_shared(Bytes::from(value)) {
                headers.insert(name, value);
            }
        }
    }

    /// Whole seconds until the quota is full again.
    pub fn reset_seconds(&self) -> u64 {
        self.reset.as_secs() + u64::from(self.reset.subsec_nanos() > 0)
    }
}

struct Window {
    began: Instant,
    used: u32,
}

/// Counts requests.
pub struct Limiter {
    quotas: Quotas,
    windows: Mutex<HashMap<Counted, Window>>,
}

impl Limiter {
    /// A limiter that has seen nobody.
    pub fn new(quotas: Quotas) -> Self {
        Self { quotas, windows: Mutex::default() }
    }

    /// Counts one request of `caller` at `now`.
    pub fn count(&self, caller: Counted, now: Instant) -> Allowance {
        self.charge(caller, 1, now)
    }

    /// What is left for `caller`, without counting anything.
    pub fn peek(&self, caller: Counted, now: Instant) -> Allowance {
        self.charge(caller, 0, now)
    }

    fn charge(&self, caller: Counted, requests: u32, now: Instant) -> Allowance {
        let quota = self.quota(&caller);
        // No code that can panic runs under the lock.
        let mut windows = self.windows.lock();
        let caller = self.room_for(caller, &mut windows, now);
        let window = windows.entry(caller).or_insert(Window { began: now, used: 0 });
        if now.saturating_duration_since(window.began) >= quota.window {
            *window = Window { began: now, used: 0 };
        }
        let granted = window.used.saturating_add(requests.max(1)) <= quota.requests;
        window.used = window.used.saturating_add(requests).min(quota.requests);
        Allowance {
            quota,
            remaining: quota.requests - window.used,
            reset: quota.window.saturating_sub(now.saturating_duration_since(window.began)),
            granted,
        }
    }

    fn quota(&self, caller: &Counted) -> Quota {
        match caller {
            Counted::Key(_) => self.quotas.key,
            Counted::User(_) => self.quotas.user,
            Counted::Address(_) | Counted::Overflow => self.quotas.address,
        }
    }

    /// `caller`, or [`Counted::Overflow`] when it is new and the memory is full of windows that still run.
    fn room_for(&self, caller: Counted, windows: &mut HashMap<Counted, Window>, now: Instant) -> Counted {
        if windows.len() >= CALLERS_MAX && !windows.contains_key(&caller) {
            windows.retain(|who, window| now.saturating_duration_since(window.began) < self.quota(who).window);
            if windows.len() >= CALLERS_MAX && !matches!(caller, Counted::Key(_)) {
                return Counted::Overflow;
            }
        }
        caller
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(requests: u32) -> Limiter {
        let quota = Quota::per_minute(requests);
        Limiter::new(Quotas { key: quota, user: quota, address: quota })
    }

    #[test]
    fn a_quota_ends_and_comes_back_with_the_next_window() {
        let limiter = limiter(2);
        let start = Instant::now();
        let ask = |seconds| limiter.count(Counted::Key(0), start + Duration::from_secs(seconds));
        assert!(ask(0).granted);
        assert!(ask(1).granted);
        let refused = ask(20);
        assert!(!refused.granted);
        assert_eq!(refused.reset_seconds(), 40);
        assert!(ask(60).granted);
    }

    #[test]
    fn callers_do_not_use_up_each_other() {
        let limiter = limiter(1);
        let now = Instant::now();
        assert!(limiter.count(Counted::Key(0), now).granted);
        assert!(limiter.count(Counted::Key(1), now).granted);
        assert!(limiter.count(Counted::User("a".into()), now).granted);
        assert!(!limiter.count(Counted::User("a".into()), now).granted);
    }

    #[test]
    fn a_stranger_is_an_address_or_what_one_subscriber_has_of_ipv6() {
        let stranger = |address: &str| Counted::stranger(address.parse().expect("address"));
        assert_eq!(stranger("2001:db8:1:2::1"), stranger("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(stranger("2001:db8:1:2::1"), stranger("2001:db8:1:3::1"));
        assert_ne!(stranger("203.0.113.7"), stranger("203.0.113.8"));
        assert_eq!(stranger("203.0.113.7"), stranger("::ffff:203.0.113.7"));
    }

    #[test]
    fn looking_counts_nothing() {
        let limiter = limiter(1);
        let now = Instant::now();
        assert!(limiter.peek(Counted::Key(0), now).granted);
        assert!(limiter.count(Counted::Key(0), now).granted);
        assert!(!limiter.peek(Counted::Key(0), now).granted);
    }

    #[test]
    fn memory_is_bounded_and_keys_always_have_room() {
        let limiter = limiter(1);
        let now = Instant::now();
        for i in 0..=u32::try_from(CALLERS_MAX).expect("fits") {
            limiter.count(Counted::Address(IpAddr::from(i.to_be_bytes())), now);
        }
        assert!(limiter.windows.lock().len() <= CALLERS_MAX + 1);
        let stranger = Counted::Address("2001:db8::1".parse().expect("address"));
        assert!(!limiter.count(stranger.clone(), now).granted, "strangers share what is left");
        assert!(limiter.count(Counted::Key(0), now).granted);
        assert!(limiter.count(stranger, now + Duration::from_secs(61)).granted);
    }

    #[test]
    fn the_headers_are_structured_fields() {
        let mut headers = HeaderMap::new();
        limiter(5).count(Counted::Key(0), Instant::now()).write(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"default\";q=5;w=60");
        assert_eq!(headers["ratelimit"], "\"default\";r=4;t=60");
    }
}
