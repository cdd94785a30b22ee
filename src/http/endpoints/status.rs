//! `GET /api/v1/status/{id}`: where a verification stands.

use http::{HeaderMap, HeaderName, StatusCode, header};

use crate::http::api::problem::{FieldError, Problem, ProblemBody, Result};
use crate::http::api::reply::Reply;
use crate::http::api::view::{VerificationView, etag};
use crate::http::dispatch::{Call, Service};
use crate::http::long_poll as wait;
use crate::http::long_poll::{LongPoll, WaitBudget};
use crate::http::middleware::auth::Caller;
use crate::http::openapi::Problems;
use crate::http::status_cache::CachedStatus;
use crate::pocketbase::records::StoredVerification;

/// Where a verification stands.
///
/// Without `wait` the answer comes at once. With it, the answer comes as soon as `version` differs from the one in
/// `If-None-Match` (without that header: from the one at the time of asking), or after that many seconds, at most 60. A
/// final verification is answered at once.
#[utoipa::path(
    get,
    path = "/api/v1/status/{id}",
    operation_id = "status",
    tag = "verifications",
    params(
        ("id" = String, Path, description = "The verification", pattern = "^[a-z0-9]{15}$"),
        ("wait" = Option<u16>, Query, maximum = 65535, description = "Seconds to wait for a change; more than 60 is 60"),
        ("detail" = inline(Option<Detail>), Query, description = "`full` adds scores and extracted data; only with an API key"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of an earlier answer"),
        ("Prefer" = Option<String>, Header, description = "`wait=N` does what the parameter `wait` does"),
    ),
    responses(
        (status = 200, description = "Where it stands", body = VerificationView, headers(
            ("ETag" = String, description = "Made of `version`"),
            ("Preference-Applied" = Option<String>, description = "The wait that was taken into account"),
        )),
        (status = 304, description = "Nothing changed"),
        (status = 404, description = "No such verification is known to the caller", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "A parameter cannot be accepted", body = ProblemBody, content_type = "application/problem+json"),
        Problems,
    ),
    security(("api_key" = []), ("user_token" = [])),
)]
pub async fn status(service: &Service, call: &mut Call<'_>) -> Result<Reply> {
    let full = wants_detail(call)?;
    let asked = wait::asked(call.uri)?.or_else(|| wait::preferred(call.headers));
    let known = Known::of(call.headers);
    let id = call.id.unwrap_or_default();
    if asked.is_none() && !full {
        return at_once(service, call.caller, id, &known).await;
    }
    let stored = service.visible(call.caller, id).await?;
    let stored = match service.wait_budget(asked) {
        Some(wait_budget) if !stored.is_final && (known.has(stored.version) || known == Known::Nothing) => {
            changed(service, stored, wait_budget).await?
        }
        _ => stored,
    };
    let view = view(service, &stored, full).await?;
    let reply = tagged(&known, stored.version, || Reply::json(StatusCode::OK, &view));
    Ok(match asked {
        Some(wait) => reply.with(
            HeaderName::from_static("preference-applied"),
            &format!("wait={}", wait.min(service.settings.wait_max).as_secs()),
        ),
        None => reply,
    })
}

/// The answer to what most callers ask most of the time: how does it stand now?
async fn at_once(service: &Service, caller: &Caller, id: &str, known: &Known) -> Result<Reply> {
    let kept = service.pocketbase.cache_epoch().and_then(|epoch| service.status_cache.get(id, epoch));
    if let Some(kept) = kept.filter(|kept| caller.may_see_of(&kept.user) && !known.beyond(kept.version)) {
        return Ok(tagged(known, kept.version, || Reply::written(kept.body)));
    }
    let (stored, reading) = service.read(caller, id).await?;
    let reply = Reply::json(StatusCode::OK, &service.view(&stored).await?);
    // Before the first pass, what is owed follows from a policy that may still change.
    if let Some(reading) = reading.filter(|_| stored.version > 0) {
        let answer = CachedStatus { version: stored.version, user: stored.user.as_str().into(), body: reply.body() };
        service.status_cache.insert(reading, answer);
    }
    Ok(tagged(known, stored.version, || reply))
}

fn tagged(known: &Known, version: u32, whole: impl FnOnce() -> Reply) -> Reply {
    let reply = if known.has(version) { Reply::empty(StatusCode::NOT_MODIFIED) } else { whole() };
    reply.with(header::ETAG, &etag(version))
}

/// `seen` as soon as its version is another, or as it is when the time is over.
async fn changed(service: &Service, seen: StoredVerification, wait_budget: WaitBudget) -> Result<StoredVerification> {
    let mut poll = LongPoll::begin(&service.changes, &seen.id, wait_budget);
    loop {
        if let Some(stored) = poll.heed(service.stored(&seen.id).await)?
            && (stored.version != seen.version || stored.is_final)
        {
            return Ok(stored);
        }
        if !poll.again().await {
            return Ok(seen);
        }
    }
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, utoipa::ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the values of a query parameter")]
pub enum Detail {
    /// Everything.
    Full,
}

fn wants_detail(call: &Call<'_>) -> Result<bool> {
    let wrong = |detail: &str| Err(Problem::invalid(vec![FieldError::parameter("detail", detail)]));
    match wait::parameter(call.uri, "detail").as_deref() {
        None => Ok(false),
        Some("full") if matches!(call.caller, Caller::Server { .. }) => Ok(true),
        Some("full") => wrong("is for callers with an API key"),
        Some(_) => wrong("must be full, or be left out"),
    }
}

async fn view(service: &Service, stored: &StoredVerification, full: bool) -> Result<VerificationView> {
    let mut view = service.view(stored).await?;
    if full {
        view.add_details(service.pocketbase.check_details(&stored.id).await?);
    }
    Ok(view)
}

/// Which versions the caller has, as `If-None-Match` says.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Known {
    Nothing,
    Everything,
    Versions(Vec<u32>),
}

impl Known {
    fn of(headers: &HeaderMap) -> Self {
        let values: Vec<&str> =
            headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).collect();
        if values.is_empty() {
            return Self::Nothing;
        }
        let tags = || values.iter().flat_map(|value| value.split(',')).map(str::trim);
        if tags().any(|tag| tag == "*") {
            return Self::Everything;
        }
        let version = |tag: &str| {
            // A cache in between may have made the validator weak; for a GET that is the same.
            let tag = tag.strip_prefix("W/").unwrap_or(tag);
            tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
        };
        Self::Versions(tags().filter_map(version).collect())
    }

    /// Whether the caller has seen a version above `version`.
    fn beyond(&self, version: u32) -> bool {
        match self {
            Self::Nothing | Self::Everything => false,
            Self::Versions(versions) => versions.iter().any(|seen| *seen > version),
        }
    }

    fn has(&self, version: u32) -> bool {
        match self {
            Self::Nothing => false,
            Self::Everything => true,
            Self::Versions(versions) => versions.contains(&version),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn validators_are_read_weak_or_strong_one_or_many() {
        let known = |value: &'static str| {
            Known::of(&HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(value))]))
        };
        assert!(known("\"3\"").has(3));
        assert!(known("W/\"3\"").has(3));
        assert!(known("\"2\", \"3\"").has(3));
        assert!(known("*").has(3));
        assert!(!known("\"33\"").has(3));
        assert!(!known("3").has(3));
        assert!(!known("\"abc\"").has(0));
        assert!(!Known::of(&HeaderMap::new()).has(0));
    }
}
