//! `OpenAI`, or another server with its protocol.

use secrecy::SecretString;
use url::Url;

use super::parsers::{self, one_of};
use super::reader::Reader;
use super::setting::{Setting, optional, required};

pub const MODEL: Setting<String> = required("OPENAI_MODEL", "Vision model that transcribes documents", parsers::text);
pub const API_KEY: Setting<SecretString> = required("OPENAI_API_KEY", "OpenAI API key", parsers::secret);
pub const BASE_URL: Setting<Option<Url>> =
    optional("OPENAI_BASE_URL", "", "Another server that speaks OpenAI's protocol", parsers::opt_url);
pub const DIALECT: Setting<String> =
    optional("OPENAI_DIALECT", "auto", "Form of the requests: auto, reasoning, classic or compatible", |text| {
        one_of(text, &["auto", "reasoning", "classic", "compatible"])
    });

/// Settings of `OpenAI`, or of another server with its protocol.
#[derive(Debug, Clone)]
pub struct OpenAi {
    /// Name of the model.
    pub model: String,
    /// API key.
    pub api_key: SecretString,
    /// Server other than `OpenAI`'s own.
    pub base_url: Option<Url>,
    /// `auto`, `reasoning`, `classic` or `compatible`.
    pub dialect: String,
}

impl OpenAi {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let (model, api_key) = (reader.get(&MODEL), reader.get(&API_KEY));
        let (base_url, dialect) = (reader.get(&BASE_URL), reader.get(&DIALECT));
        Some(Self { model: model?, api_key: api_key?, base_url: base_url?, dialect: dialect? })
    }
}
