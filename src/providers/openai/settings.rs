//! Settings of the client of `OpenAI`.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use crate::providers::openai::dialect::Dialect;
use crate::providers::wire::Timeouts;

/// Timeouts of one call: a model reads a picture and may think about it.
pub const TIMEOUTS: Timeouts = Timeouts { connect: Duration::from_secs(5), attempt: Duration::from_secs(90) };
/// Default for [`Settings::output_tokens_max`]: some thousand for a full transcription, the rest
/// for hidden reasoning.
pub const OUTPUT_TOKENS_MAX: u32 = 16_000;
/// Default for [`Settings::reasoning_effort`]: copying takes little thought.
pub const REASONING_EFFORT: &str = "low";

/// How to reach the server, and what to ask for.
#[derive(Debug, Clone)]
pub struct Settings {
    /// API key. May be empty only with a `base_url`: local servers often need none.
    pub api_key: SecretString,
    /// Another server that speaks the protocol, with its version path (`http://127.0.0.1:9000/v1`).
    pub base_url: Option<Url>,
    /// Whether `base_url` may be plain http beyond this machine.
    pub allow_insecure_endpoints: bool,
    /// Name of the model that reads pictures.
    pub model: String,
    /// Which parameters the model takes; `None` guesses from model and server.
    pub dialect: Option<Dialect>,
    /// How long a reasoning model may think (`none`, `minimal`, `low`, `medium`, `high`).
    pub reasoning_effort: String,
    /// Most tokens of an answer, hidden reasoning included.
    pub output_tokens_max: u32,
    /// Timeouts of one call.
    pub timeouts: Timeouts,
}
