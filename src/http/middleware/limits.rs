//! Rate limits: a fixed window per client, in bounded memory.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::base::lock::Mutex;

/// Most clients with a window of their own. Beyond it, new clients share one window until old
/// windows end.
const CLIENTS_MAX: usize = 20_000;

/// Client whose requests are counted together.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Client {
    /// Holder of the API key with this index.
    Key(usize),
    /// A person, by the id of their `users` record.
    User(String),
    /// Address without valid credentials; see [`Client::anonymous`].
    Address(IpAddr),
    /// All clients beyond [`CLIENTS_MAX`].
    Overflow,
}

impl Client {
    /// A client at `address` without valid credentials. Only the first 64 bits of an IPv6 address
    /// count: one subscriber has all addresses below them (RFC 6177), and could otherwise use a new
    /// address for each request.
    pub fn anonymous(address: IpAddr) -> Self {
        Self::Address(match address.to_canonical() {
            IpAddr::V6(address) => Ipv6Addr::from(u128::from(address) >> 64 << 64).into(),
            address @ IpAddr::V4(_) => address,
        })
    }
}

/// Limit on the number of requests in a time window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Most requests in one window.
    pub requests: u32,
    /// Length of the window.
    pub window: Duration,
}

impl Quota {
    /// Allows `requests` per minute.
    pub const fn per_minute(requests: u32) -> Self {
        Self { requests, window: Duration::from_mins(1) }
    }
}

/// Quota of each kind of client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quotas {
    /// Quota of each API key.
    pub key: Quota,
    /// Quota of each person.
    pub user: Quota,
    /// Quota of each address without valid credentials; it also limits guessing of credentials.
    pub address: Quota,
}

impl Default for Quotas {
    fn default() -> Self {
        Self { key: Quota::per_minute(6_000), user: Quota::per_minute(120), address: Quota::per_minute(120) }
    }
}

/// What is left of a client's quota after a request was counted.
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

    /// Whole seconds until the next window, rounded up.
    pub fn reset_seconds(&self) -> u64 {
        self.reset.as_secs() + u64::from(self.reset.subsec_nanos() > 0)
    }
}

struct Window {
    began: Instant,
    used: u32,
}

/// Counts requests against quotas.
pub struct RateLimiter {
    quotas: Quotas,
    windows: Mutex<HashMap<Client, Window>>,
}

impl RateLimiter {
    /// Creates a limiter without any counted request.
    pub fn new(quotas: Quotas) -> Self {
        Self { quotas, windows: Mutex::default() }
    }

    /// Counts one request of `client` at `now`.
    pub fn count(&self, client: Client, now: Instant) -> Allowance {
        self.charge(client, 1, now)
    }

    /// Returns what is left for `client`, without counting a request.
    pub fn peek(&self, client: Client, now: Instant) -> Allowance {
        self.charge(client, 0, now)
    }

    fn charge(&self, client: Client, requests: u32, now: Instant) -> Allowance {
        let quota = self.quota(&client);
        // No code that can panic runs under the lock.
        let mut windows = self.windows.lock();
        let client = self.counted_as(client, &mut windows, now);
        let window = windows.entry(client).or_insert(Window { began: now, used: 0 });
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

    fn quota(&self, client: &Client) -> Quota {
        match client {
            Client::Key(_) => self.quotas.key,
            Client::User(_) => self.quotas.user,
            Client::Address(_) | Client::Overflow => self.quotas.address,
        }
    }

    /// Returns `client`, or [`Client::Overflow`] when it is new and [`CLIENTS_MAX`] windows are
    /// still running.
    fn counted_as(&self, client: Client, windows: &mut HashMap<Client, Window>, now: Instant) -> Client {
        if windows.len() >= CLIENTS_MAX && !windows.contains_key(&client) {
            windows.retain(|client, window| now.saturating_duration_since(window.began) < self.quota(client).window);
            if windows.len() >= CLIENTS_MAX && !matches!(client, Client::Key(_)) {
                return Client::Overflow;
            }
        }
        client
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limiter(requests: u32) -> RateLimiter {
        let quota = Quota::per_minute(requests);
        RateLimiter::new(Quotas { key: quota, user: quota, address: quota })
    }

    #[test]
    fn a_quota_ends_and_comes_back_with_the_next_window() {
        let limiter = limiter(2);
        let start = Instant::now();
        let ask = |seconds| limiter.count(Client::Key(0), start + Duration::from_secs(seconds));
        assert!(ask(0).granted);
        assert!(ask(1).granted);
        let refused = ask(20);
        assert!(!refused.granted);
        assert_eq!(refused.reset_seconds(), 40);
        assert!(ask(60).granted);
    }

    #[test]
    fn clients_have_separate_quotas() {
        let limiter = limiter(1);
        let now = Instant::now();
        assert!(limiter.count(Client::Key(0), now).granted);
        assert!(limiter.count(Client::Key(1), now).granted);
        assert!(limiter.count(Client::User("a".into()), now).granted);
        assert!(!limiter.count(Client::User("a".into()), now).granted);
    }

    #[test]
    fn an_anonymous_client_is_an_ipv4_address_or_an_ipv6_subscriber() {
        let client = |address: &str| Client::anonymous(address.parse().expect("address"));
        assert_eq!(client("2001:db8:1:2::1"), client("2001:db8:1:2:ffff:ffff:ffff:ffff"));
        assert_ne!(client("2001:db8:1:2::1"), client("2001:db8:1:3::1"));
        assert_ne!(client("203.0.113.7"), client("203.0.113.8"));
        assert_eq!(client("203.0.113.7"), client("::ffff:203.0.113.7"));
    }

    #[test]
    fn peeking_does_not_count() {
        let limiter = limiter(1);
        let now = Instant::now();
        assert!(limiter.peek(Client::Key(0), now).granted);
        assert!(limiter.count(Client::Key(0), now).granted);
        assert!(!limiter.peek(Client::Key(0), now).granted);
    }

    #[test]
    fn memory_is_bounded_and_keys_always_have_their_own_window() {
        let limiter = limiter(1);
        let now = Instant::now();
        for i in 0..=u32::try_from(CLIENTS_MAX).expect("fits") {
            limiter.count(Client::Address(IpAddr::from(i.to_be_bytes())), now);
        }
        assert!(limiter.windows.lock().len() <= CLIENTS_MAX + 1);
        let new = Client::Address("2001:db8::1".parse().expect("address"));
        assert!(!limiter.count(new.clone(), now).granted, "new addresses share one window");
        assert!(limiter.count(Client::Key(0), now).granted);
        assert!(limiter.count(new, now + Duration::from_secs(61)).granted);
    }

    #[test]
    fn the_headers_are_structured_fields() {
        let mut headers = HeaderMap::new();
        limiter(5).count(Client::Key(0), Instant::now()).write(&mut headers);
        assert_eq!(headers["ratelimit-policy"], "\"default\";q=5;w=60");
        assert_eq!(headers["ratelimit"], "\"default\";r=4;t=60");
    }
}
