//! The face comparison: the reference image of the liveness check against the portrait of the
//! document.

use bytes::Bytes;

use crate::base::failpoints::{Point, reached};
use crate::checks::context::Context;
use crate::checks::error::CheckError;
use crate::checks::finding::{trace, unpaid};
use crate::checks::pictures;
use crate::checks::work::{WorkItem, WorkOutcome};
use crate::pocketbase::records::Collection;
use crate::providers::limiter::Urgency;
use crate::providers::{ProviderResponse, rekognition};
use crate::verification::Provider;
use crate::verification::check::Check;
use crate::verification::faces::Comparison;
use crate::verification::rules::face_match;
use crate::verification::{Case, Code, Finding, Kind, Reason};

pub(super) async fn run(context: &Context, item: &WorkItem<'_>) -> Result<WorkOutcome, CheckError> {
    let (live, document) = compared_checks(item.case)?;
    // A finding that was stored in the same batch that made this work due has no file name here
    // yet.
    if live.reference_image.is_empty() || document.portrait.is_empty() {
        return match context.client.read_case(item.case.id()).await? {
            Some((stored, _)) if stored.seq() >= item.case.seq() => {
                compare(context, &WorkItem { case: &stored, ..*item }).await
            }
            _ => Err(CheckError::RecordMissing),
        };
    }
    compare(context, item).await
}

/// The liveness check and the document check in force.
fn compared_checks(case: &Case) -> Result<(&Check, &Check), CheckError> {
    let effective = |kind| case.effective_check(kind).ok_or(CheckError::RecordMissing);
    Ok((effective(Kind::Liveness)?, effective(Kind::Document)?))
}

async fn compare(context: &Context, item: &WorkItem<'_>) -> Result<WorkOutcome, CheckError> {
    let (live, document) = compared_checks(item.case)?;
    let evidence = vec![live.id.clone(), document.id.clone()];
    if live.reference_image.is_empty() || document.portrait.is_empty() {
        let reason = Reason::new(Code::FaceComparisonNotPossible, "no portrait was kept of the document");
        return Ok(unpaid(vec![reason], evidence));
    }
    let response = match context.cached(item).comparison {
        Some(response) => response,
        None => compare_stored(context, item, live, document).await?,
    };
    context.cache(item, |cached| cached.comparison = Some(response.clone()));
    let judgement = face_match::judge(&response.value, item.policy);
    let provider = trace(Provider::Rekognition, &response);
    Ok(WorkOutcome::finding(Finding { judgement, evidence, provider, usage: response.usage, ..Finding::default() }))
}

/// Compares the stored pictures of two checks.
async fn compare_stored(
    context: &Context,
    item: &WorkItem<'_>,
    live: &Check,
    document: &Check,
) -> Result<ProviderResponse<Comparison>, CheckError> {
    let (reference, portrait) =
        tokio::join!(face(context, &live.id, &live.reference_image), face(context, &document.id, &document.portrait));
    let (reference, portrait) = (reference?, portrait?);
    let compared = context.providers.rekognition.compare_faces(&reference, &portrait);
    reached(Point::FacesFetched);
    let begin_by = item.latest_start(rekognition::TIMEOUTS.attempt);
    let limiter = context.providers.limiters.of(Provider::Rekognition);
    let response = limiter.call("CompareFaces", Urgency::Background, begin_by, compared).await?;
    reached(Point::FacesCompared);
    Ok(response)
}

/// The picture stored as `file` of the `checks` record `check`, from the cache or from
/// `PocketBase`.
async fn face(context: &Context, check: &str, file: &str) -> Result<Bytes, CheckError> {
    match context.faces.take(check, file) {
        Some(picture) => Ok(picture),
        None => pictures::download(&context.client, Collection::Checks, check, file).await,
    }
}
