//! What endpoints and the API description share about answers.

use utoipa::IntoResponses;

use super::problem::ProblemBody;

/// Extension of a schema that lists the known values of a text. Later versions may add values.
pub const KNOWN_VALUES: &str = "x-extensible-enum";

/// Problems that any request with credentials can end with.
#[derive(IntoResponses)]
#[expect(dead_code, reason = "describes answers")]
pub enum Problems {
    /// The request cannot be read
    #[response(status = 400, content_type = "application/problem+json")]
    Malformed(ProblemBody),
    /// Credentials are missing or not valid
    #[response(status = 401, content_type = "application/problem+json")]
    Unauthorized(ProblemBody),
    /// The request took too long to arrive
    #[response(status = 408, content_type = "application/problem+json")]
    Timeout(ProblemBody),
    /// The request is too large
    #[response(status = 413, content_type = "application/problem+json")]
    TooLarge(ProblemBody),
    /// This kind of content is not accepted
    #[response(status = 415, content_type = "application/problem+json")]
    UnsupportedMediaType(ProblemBody),
    /// Too many requests; Retry-After and the `RateLimit` fields say when to continue
    #[response(status = 429, content_type = "application/problem+json")]
    RateLimited(ProblemBody),
    /// Internal error of the service
    #[response(status = 500, content_type = "application/problem+json")]
    Internal(ProblemBody),
    /// A dependency is unreachable, busy or unusable; Retry-After says when to try again
    #[response(status = 503, content_type = "application/problem+json")]
    Unavailable(ProblemBody),
}
