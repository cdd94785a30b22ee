//! `GET /api/v1/status/{id}`: the state of a verification.

use http::{HeaderMap, HeaderName, StatusCode, header};

use crate::http::api::problem::{FieldError, Problem, ProblemBody, Result};
use crate::http::api::reply::Reply;
use crate::http::api::responses::Problems;
use crate::http::api::view::{VerificationView, etag};
use crate::http::context::{Call, Service};
use crate::http::long_poll as wait;
use crate::http::long_poll::{LongPoll, WaitBudget};
use crate::http::middleware::auth::Caller;
use crate::http::status_cache::CachedStatus;
use crate::pocketbase::records::StoredVerification;

/// State of a verification.
///
/// Without `wait` the answer comes at once. With `wait` it comes as soon as `version` differs from
/// the one in `If-None-Match` (without that header: from the one at the time of the request), or
/// after that many seconds, at most 60. A final verification is answered at once.
#[utoipa::path(
    get,
    path = "/api/v1/status/{id}",
    operation_id = "status",
    tag = "verifications",
    params(
        ("id" = String, Path, description = "Id of the verification", pattern = "^[a-z0-9]{15}$"),
        ("wait" = Option<u16>, Query, maximum = 65535, description = "Seconds to wait for a change; more than 60 is 60"),
        ("detail" = inline(Option<Detail>), Query, description = "`full` adds scores and extracted data; only with an API key"),
        ("If-None-Match" = Option<String>, Header, description = "The `ETag` of an earlier answer"),
        ("Prefer" = Option<String>, Header, description = "`wait=N` does what the parameter `wait` does"),
    ),
    responses(
        (status = 200, description = "State of the verification", body = VerificationView, headers(
            ("ETag" = String, description = "`version` in quotes"),
            ("Preference-Applied" = Option<String>, description = "The wait that was applied"),
        )),
        (status = 304, description = "The caller has the current version"),
        (status = 404, description = "The caller has no such verification", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "A parameter cannot be accepted", body = ProblemBody, content_type = "application/problem+json"),
        Problems,
    ),
    security(("api_key" = []), ("user_token" = [])),
)]
pub async fn status(service: &Service, call: &mut Call<'_>) -> Result<Reply> {
    let full = wants_detail(call)?;
    let asked = wait::asked(call.uri)?.or_else(|| wait::preferred(call.headers));
    let known = KnownVersions::of(call.headers);
    let id = call.id.unwrap_or_default();
    if asked.is_none() && !full {
        return at_once(service, call.caller, id, &known).await;
    }
    let stored = service.visible(call.caller, id).await?;
    let stored = match service.wait_budget(asked) {
        Some(budget) if !stored.is_final && (known.has(stored.version) || known == KnownVersions::None) => {
            wait_for_change(service, stored, budget).await?
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

/// Answers the most frequent request, the current state, from the cache if possible.
async fn at_once(service: &Service, caller: &Caller, id: &str, known: &KnownVersions) -> Result<Reply> {
    let cached = service.pocketbase.cache_epoch().and_then(|epoch| service.status_cache.get(id, epoch));
    if let Some(cached) =
        cached.filter(|cached| caller.may_see_user(&cached.user) && !known.is_newer_than(cached.version))
    {
        return Ok(tagged(known, cached.version, || Reply::serialized(cached.body)));
    }
    let (stored, pending) = service.read(caller, id).await?;
    let reply = Reply::json(StatusCode::OK, &service.view(&stored).await?);
    // Before the first reconciliation, the requested inputs follow from a policy that may still
    // change.
    if let Some(pending) = pending.filter(|_| stored.version > 0) {
        let answer = CachedStatus { version: stored.version, user: stored.user.as_str().into(), body: reply.body() };
        service.status_cache.insert(pending, answer);
    }
    Ok(tagged(known, stored.version, || reply))
}

fn tagged(known: &KnownVersions, version: u32, whole: impl FnOnce() -> Reply) -> Reply {
    let reply = if known.has(version) { Reply::empty(StatusCode::NOT_MODIFIED) } else { whole() };
    reply.with(header::ETAG, &etag(version))
}

/// Waits until the version of `seen` changes. Returns `seen` when the budget is used up.
async fn wait_for_change(
    service: &Service,
    seen: StoredVerification,
    budget: WaitBudget,
) -> Result<StoredVerification> {
    let mut poll = LongPoll::begin(&service.changes, &seen.id, budget);
    loop {
        if let Some(stored) = poll.tolerate(service.stored(&seen.id).await)?
            && (stored.version != seen.version || stored.is_final)
        {
            return Ok(stored);
        }
        if !poll.wait().await {
            return Ok(seen);
        }
    }
}

/// Amount of detail in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, utoipa::ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes the values of a query parameter")]
pub enum Detail {
    /// Adds scores and extracted data.
    Full,
}

fn wants_detail(call: &Call<'_>) -> Result<bool> {
    let wrong = |detail: &str| Err(Problem::invalid(vec![FieldError::parameter("detail", detail)]));
    match wait::parameter(call.uri, "detail").as_deref() {
        None => Ok(false),
        Some("full") if matches!(call.caller, Caller::Server { .. }) => Ok(true),
        Some("full") => wrong("is allowed only with an API key"),
        Some(_) => wrong("must be `full` or be left out"),
    }
}

async fn view(service: &Service, stored: &StoredVerification, full: bool) -> Result<VerificationView> {
    let mut view = service.view(stored).await?;
    if full {
        view.add_details(service.pocketbase.check_details(&stored.id).await?);
    }
    Ok(view)
}

/// Versions that the caller has, according to `If-None-Match`.
#[derive(Debug, Clone, PartialEq, Eq)]
enum KnownVersions {
    /// The header is absent.
    None,
    /// `*`
    Any,
    Versions(Vec<u32>),
}

impl KnownVersions {
    fn of(headers: &HeaderMap) -> Self {
        let values: Vec<&str> =
            headers.get_all(header::IF_NONE_MATCH).iter().filter_map(|value| value.to_str().ok()).collect();
        if values.is_empty() {
            return Self::None;
        }
        let tags = || values.iter().flat_map(|value| value.split(',')).map(str::trim);
        if tags().any(|tag| tag == "*") {
            return Self::Any;
        }
        let version = |tag: &str| {
            // A cache in between may have made the validator weak. For a GET that makes no
            // difference.
            let tag = tag.strip_prefix("W/").unwrap_or(tag);
            tag.strip_prefix('"')?.strip_suffix('"')?.parse().ok()
        };
        Self::Versions(tags().filter_map(version).collect())
    }

    /// Whether the caller has a version above `version`.
    fn is_newer_than(&self, version: u32) -> bool {
        match self {
            Self::None | Self::Any => false,
            Self::Versions(versions) => versions.iter().any(|seen| *seen > version),
        }
    }

    fn has(&self, version: u32) -> bool {
        match self {
            Self::None => false,
            Self::Any => true,
            Self::Versions(versions) => versions.contains(&version),
        }
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn if_none_match_is_read_weak_or_strong_one_or_many() {
        let known = |value: &'static str| {
            KnownVersions::of(&HeaderMap::from_iter([(header::IF_NONE_MATCH, HeaderValue::from_static(value))]))
        };
        assert!(known("\"3\"").has(3));
        assert!(known("W/\"3\"").has(3));
        assert!(known("\"2\", \"3\"").has(3));
        assert!(known("*").has(3));
        assert!(!known("\"33\"").has(3));
        assert!(!known("3").has(3));
        assert!(!known("\"abc\"").has(0));
        assert!(!KnownVersions::of(&HeaderMap::new()).has(0));
    }
}
