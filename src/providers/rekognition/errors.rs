//! Turns SDK errors into [`ProviderError`]. AWS's messages are not read; its error codes are
//! compared with those that are known here.

use std::error::Error;
use std::time::Duration;

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_rekognition::config::http::HttpResponse;
use aws_sdk_rekognition::error::{ProvideErrorMetadata, SdkError};
use http_body_util::LengthLimitError;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::providers::error::{ProviderError, ProviderErrorKind};
use crate::providers::rekognition::body_limit::TooLong;
use crate::providers::wire;
use crate::verification::Provider;

/// The provider error for `error` of `operation`.
pub(super) fn provider_error<E>(operation: &'static str, error: &SdkError<E, HttpResponse>) -> ProviderError
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    let response = error.raw_response();
    let headers = response.map(headers).unwrap_or_default();
    let request_id = ["x-amzn-requestid", "x-amz-request-id"].iter().find_map(|name| wire::request_id(&headers, name));
    let retry_after = wire::retry_after(&headers);
    let kind = match error {
        SdkError::TimeoutError(_) => ProviderErrorKind::Timeout,
        SdkError::DispatchFailure(failure) if failure.is_timeout() => ProviderErrorKind::Timeout,
        // The SDK signs before it sends, so missing keys can appear as either of the two.
        SdkError::ConstructionFailure(_) | SdkError::DispatchFailure(_) if caused_by::<CredentialsError>(error) => {
            ProviderErrorKind::Credentials("no AWS credentials were found: set them or give the machine a role")
        }
        SdkError::ConstructionFailure(_) => ProviderErrorKind::Rejected("the request could not be built"),
        SdkError::DispatchFailure(_) => {
            ProviderErrorKind::Unavailable { what: "no connection to the server", retry_after: None }
        }
        SdkError::ServiceError(service) => {
            answered(service.err().code().unwrap_or_default(), service.raw().status().as_u16(), retry_after)
        }
        SdkError::ResponseError(broken) => unreadable(error, broken.raw().status().as_u16(), retry_after),
        _ => ProviderErrorKind::InvalidResponse("the answer could not be read"),
    };
    ProviderError { provider: Provider::Rekognition, operation, kind, request_id }
}

/// The meaning of an error response: by its code, else by its status.
fn answered(code: &str, status: u16, retry_after: Option<Duration>) -> ProviderErrorKind {
    match code {
        "ThrottlingException"
        | "Throttling"
        | "ThrottledException"
        | "RequestThrottledException"
        | "ProvisionedThroughputExceededException"
        | "LimitExceededException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "SlowDown" => ProviderErrorKind::Throttled { retry_after },
        "AccessDeniedException" | "AccessDenied" => ProviderErrorKind::Credentials(
            "AWS denies access: check the IAM policy of the keys and of the browser role",
        ),
        "ExpiredToken" | "ExpiredTokenException" | "TokenRefreshRequired" => {
            ProviderErrorKind::Credentials("the AWS session token has expired")
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "MissingAuthenticationToken"
        | "MissingAuthenticationTokenException"
        | "NotAuthorized" => ProviderErrorKind::Credentials(
            "AWS does not know the access key: check AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN",
        ),
        "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature"
        | "IncompleteSignatureException"
        | "RequestExpired"
        | "RequestTimeTooSkewed"
        | "RequestInTheFuture" => ProviderErrorKind::Credentials(
            "AWS refuses the signature: check AWS_SECRET_ACCESS_KEY and this machine's clock",
        ),
        "OptInRequired" | "SubscriptionRequiredException" | "RegionDisabledException" => {
            ProviderErrorKind::Misconfigured("the service is not enabled for the account in this region")
        }
        "UnknownOperationException" => ProviderErrorKind::Misconfigured(
            "the server does not know the operation: check AWS_ENDPOINT_URL and the region",
        ),
        "InvalidImageFormatException" | "ImageTooLargeException" => {
            ProviderErrorKind::Rejected("AWS does not accept the picture: format or size")
        }
        _ => by_status(status, retry_after),
    }
}

fn by_status(status: u16, retry_after: Option<Duration>) -> ProviderErrorKind {
    match status {
        429 => ProviderErrorKind::Throttled { retry_after },
        401 | 403 => ProviderErrorKind::Credentials("AWS refuses the keys"),
        404 | 405 | 300..=399 => ProviderErrorKind::Misconfigured(
            "the server is not this AWS service: check AWS_ENDPOINT_URL and the region",
        ),
        408 | 500..=599 => ProviderErrorKind::Unavailable { what: "the server failed", retry_after },
        400..=499 => ProviderErrorKind::Rejected("the request was refused"),
        _ => ProviderErrorKind::InvalidResponse("the answer could not be read"),
    }
}

/// The meaning of a response that broke off, grew too long, or could not be parsed.
fn unreadable<E, R>(error: &SdkError<E, R>, status: u16, retry_after: Option<Duration>) -> ProviderErrorKind
where
    SdkError<E, R>: Error + 'static,
{
    if caused_by::<LengthLimitError>(error) || caused_by::<TooLong>(error) {
        return ProviderErrorKind::InvalidResponse("the answer is longer than any real one");
    }
    if caused_by::<hyper::Error>(error) || caused_by::<std::io::Error>(error) {
        return ProviderErrorKind::Unavailable {
            what: "the connection broke before the answer was complete",
            retry_after: None,
        };
    }
    if (200..300).contains(&status) {
        return ProviderErrorKind::InvalidResponse("the answer could not be read");
    }
    by_status(status, retry_after)
}

/// Whether a `T` is among the causes of `error`.
fn caused_by<T: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    std::iter::successors(Some(error), |error| (**error).source()).any(<dyn Error>::is::<T>)
}

/// The response's headers in the type that the other clients use.
fn headers(response: &HttpResponse) -> HeaderMap {
    response
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?)))
        .collect()
}
