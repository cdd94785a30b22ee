//! The device check: the Fingerprint event that a device signal names.

use std::time::Duration;

use crate::base::failpoints::{Point, reached};
use crate::checks::context::Context;
use crate::checks::error::CheckError;
use crate::checks::finding::{sum, trace};
use crate::checks::work::{WorkItem, WorkOutcome};
use crate::providers::limiter::Urgency;
use crate::providers::{ProviderError, ProviderResponse, fingerprint};
use crate::verification::Provider;
use crate::verification::rules::device::{self, DeviceEvent};
use crate::verification::{DeviceSignal, Finding};

/// Time from the submission of a signal to the claim below which its event may not be readable yet.
/// (Both times are `PocketBase`'s.)
const EVENT_YOUNG: jiff::SignedDuration = jiff::SignedDuration::from_secs(10);
/// The pauses before a young event is asked for again.
const EVENT_PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(2)];

pub(super) async fn run(context: &Context, item: &WorkItem<'_>, signal: &str) -> Result<WorkOutcome, CheckError> {
    let record = item.case.signals.iter().find(|s| s.id == signal).ok_or(CheckError::RecordMissing)?;
    let response = match context.cached(item).event {
        Some(response) => response,
        None => event(context, item, record).await?,
    };
    reached(Point::DeviceAnswered);
    context.cache(item, |cached| cached.event = Some(response.clone()));
    let judgement = device::judge(response.value.as_ref(), record, &item.case.record, item.policy);
    Ok(WorkOutcome::finding(Finding {
        judgement,
        evidence: vec![signal.to_owned()],
        provider: trace(Provider::Fingerprint, &response),
        usage: response.usage,
        ..Finding::default()
    }))
}

/// The event that `signal` names. The provider may not find an event that it has just made, so a
/// young one is asked for again before it counts as missing.
async fn event(
    context: &Context,
    item: &WorkItem<'_>,
    signal: &DeviceSignal,
) -> Result<ProviderResponse<Option<DeviceEvent>>, ProviderError> {
    let begin_by = item.latest_start(fingerprint::TIMEOUTS.attempt);
    let limiter = context.providers.limiters.of(Provider::Fingerprint);
    let ask = || {
        let event = context.providers.fingerprint.event(&signal.event_id);
        limiter.call("GetEvent", Urgency::Background, begin_by, event)
    };
    let young = item.now.duration_since(signal.created) < EVENT_YOUNG;
    let mut response = ask().await?;
    for pause in EVENT_PAUSES.into_iter().filter(|_| young) {
        if response.value.is_some() {
            break;
        }
        tokio::time::sleep(pause).await;
        let later = ask().await?;
        let request_ids = [response.request_ids, later.request_ids].concat();
        response = ProviderResponse { request_ids, usage: sum(response.usage, later.usage), ..later };
    }
    Ok(response)
}
