//! Opening the stream, and what happens when it is lost.

use std::time::Duration;

use crate::base::backoff::Backoff;
use crate::pocketbase::realtime::{Connection, End};
use crate::pocketbase::records::Collection;
use crate::pocketbase::{Client, PocketbaseError, Remedy};

/// Age at which a stream is replaced, before the limit of `PocketBase` at 30 minutes.
pub(super) const REPLACE_AT: Duration = Duration::from_secs(25 * 60);
/// Delay before the next connection. One try per second is no load for a `PocketBase` that comes
/// back, and its return is noticed within two seconds.
const RECONNECT: Backoff = Backoff { first: Duration::from_millis(250), cap: Duration::from_secs(1) };
/// Duration of a good watch: the loss of such a watch counts as the first failure.
const GOOD_AFTER: Duration = Duration::from_secs(60);

/// The subscribed collections: everything that a verification depends on, and the heartbeats.
const WATCHED: &[Collection] = &[
    Collection::Verifications,
    Collection::Documents,
    Collection::LivenessSessions,
    Collection::DeviceSignals,
    Collection::Actions,
    Collection::Policies,
    Collection::Users,
    Collection::WebhookEndpoints,
    Collection::Heartbeats,
];

/// Why a watch was lost.
#[derive(Debug, thiserror::Error)]
pub(super) enum Lost {
    #[error("could not connect")]
    Connect(#[source] PocketbaseError),
    #[error("the stream ended: {0:?}")]
    Ended(End),
    #[error("a heartbeat did not come back: the stream is open and delivers nothing")]
    NoEcho,
    #[error("the heartbeat could not be written")]
    Heartbeat(#[source] PocketbaseError),
    #[error("what is open could not be listed")]
    Sweep(#[source] PocketbaseError),
}

impl Lost {
    /// What `PocketBase` needs before it serves again; `None` if only the stream is to blame.
    pub fn remedy(&self) -> Option<Remedy> {
        match self {
            Self::Connect(error) | Self::Heartbeat(error) | Self::Sweep(error) => Some(error.remedy()),
            Self::Ended(_) | Self::NoEcho => None,
        }
    }
}

/// Opens a stream. When this returns, the subscription is in force.
pub(super) async fn connect(client: &Client) -> Result<Connection, Lost> {
    client.connect(WATCHED).await.map_err(Lost::Connect)
}

/// The failures in a row, for the delay before the next connection.
#[derive(Debug, Default)]
pub(super) struct Reconnects {
    failures: u32,
}

impl Reconnects {
    /// The delay after a watch that was lost after `lasted`. `dice` is uniform in 0..1 and spreads
    /// retries.
    pub fn delay(&mut self, lasted: Duration, dice: f64) -> Duration {
        self.failures = if lasted >= GOOD_AFTER { 1 } else { self.failures + 1 };
        RECONNECT.delay(self.failures, dice, None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delay_grows_with_each_short_watch_and_begins_again_after_a_good_one() {
        let mut reconnects = Reconnects::default();
        let mut delay = |seconds| reconnects.delay(Duration::from_secs(seconds), 1.0).as_millis();
        assert_eq!([delay(0), delay(59), delay(5), delay(5)], [250, 500, 1000, 1000]);
        assert_eq!([delay(60), delay(0)], [250, 500]);
    }

    #[test]
    fn only_an_error_of_pocketbase_says_something_about_pocketbase() {
        let operation = "write the heartbeat";
        let lost = Lost::Heartbeat(PocketbaseError::Unauthorized { operation, status: 401 });
        assert_eq!(lost.remedy(), Some(Remedy::Login));
        assert_eq!((Lost::NoEcho.remedy(), Lost::Ended(End::Closed).remedy()), (None, None));
    }
}
