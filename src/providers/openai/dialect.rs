//! The request, in three dialects: models refuse parameters that they do not know.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use url::Url;

use crate::providers::openai::image::Image;
use crate::providers::openai::prompt;

/// The parameters that a model takes. Each dialect contains some that another one refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    /// `OpenAI`'s reasoning models: `developer`, `max_completion_tokens`, `reasoning_effort`, no
    /// temperature.
    Reasoning,
    /// `OpenAI`'s older models: `developer`, `max_completion_tokens`, temperature 0.
    Classic,
    /// Other servers: `system`, `max_tokens`, temperature 0, nothing that only `OpenAI` knows.
    Compatible,
}

impl Dialect {
    /// The dialect spelled `text`; `None` for `auto` and anything else.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "reasoning" => Some(Self::Reasoning),
            "classic" => Some(Self::Classic),
            "compatible" => Some(Self::Compatible),
            _ => None,
        }
    }

    /// The dialect that `model` at `base` most likely takes.
    pub(super) fn guess(base: &Url, model: &str) -> Self {
        let openai = base.host_str().is_some_and(|host| host == "openai.com" || host.ends_with(".openai.com"));
        let model = model.trim().strip_prefix("ft:").unwrap_or(model.trim());
        let classic = ["gpt-3", "gpt-4", "chatgpt-4o"].iter().any(|old| model.starts_with(old));
        match (openai, classic) {
            (false, _) => Self::Compatible,
            (true, true) => Self::Classic,
            (true, false) => Self::Reasoning,
        }
    }
}

/// The chat completion that asks `model` to read `images`.
pub(super) fn request(
    dialect: Dialect,
    model: &str,
    reasoning_effort: &str,
    output_tokens_max: u32,
    safety_identifier: &str,
    images: &[Image],
) -> Value {
    let instructions_role = match dialect {
        Dialect::Reasoning | Dialect::Classic => "developer",
        Dialect::Compatible => "system",
    };
    let mut content = vec![json!({ "type": "text", "text": prompt::QUESTION })];
    content.extend(images.iter().map(picture));
    let mut request = json!({
        "model": model,
        "messages": [
            { "role": instructions_role, "content": prompt::INSTRUCTIONS },
            { "role": "user", "content": content },
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": { "name": "document_transcription", "strict": true, "schema": prompt::schema() },
        },
    });
    match dialect {
        Dialect::Reasoning => {
            request["max_completion_tokens"] = json!(output_tokens_max);
            request["reasoning_effort"] = json!(reasoning_effort);
        }
        Dialect::Classic => {
            request["max_completion_tokens"] = json!(output_tokens_max);
            request["temperature"] = json!(0);
        }
        Dialect::Compatible => {
            request["max_tokens"] = json!(output_tokens_max);
            request["temperature"] = json!(0);
        }
    }
    if dialect != Dialect::Compatible {
        // The provider must not archive pictures of documents.
        request["store"] = json!(false);
        if !safety_identifier.is_empty() {
            request["safety_identifier"] = json!(safety_identifier);
        }
    }
    request
}

fn picture(image: &Image) -> Value {
    let url = format!("data:{};base64,{}", image.media_type.as_str(), STANDARD.encode(&image.bytes));
    json!({ "type": "image_url", "image_url": { "url": url, "detail": "high" } })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::openai::image::MediaType;

    fn asked(dialect: Dialect) -> Value {
        let image = Image { media_type: MediaType::Png, bytes: bytes::Bytes::from_static(b"\x89PNG") };
        request(dialect, "model-1", "low", 4096, "hash", &[image])
    }

    fn names(request: &Value) -> Vec<&str> {
        request.as_object().unwrap().keys().map(String::as_str).collect()
    }

    #[test]
    fn each_dialect_sends_exactly_its_own_parameters() {
        let shared = ["model", "messages", "response_format"];
        for (dialect, own, role) in [
            (
                Dialect::Reasoning,
                vec!["max_completion_tokens", "reasoning_effort", "store", "safety_identifier"],
                "developer",
            ),
            (Dialect::Classic, vec!["max_completion_tokens", "temperature", "store", "safety_identifier"], "developer"),
            (Dialect::Compatible, vec!["max_tokens", "temperature"], "system"),
        ] {
            let request = asked(dialect);
            assert_eq!(names(&request), [shared.as_slice(), &own].concat());
            assert_eq!(request["messages"][0]["role"], role);
            assert_eq!(request["messages"][1]["content"][1]["image_url"]["url"], "data:image/png;base64,iVBORw==");
            assert_eq!(request["response_format"]["json_schema"]["strict"], true);
        }
        assert_eq!(asked(Dialect::Reasoning)["store"], false);
    }

    #[test]
    fn the_dialect_is_guessed_from_server_and_model() {
        let openai = Url::parse("https://api.openai.com/v1").unwrap();
        let europe = Url::parse("https://eu.api.openai.com/v1").unwrap();
        let local = Url::parse("http://127.0.0.1:9000/v1").unwrap();
        assert_eq!(Dialect::guess(&openai, "gpt-6-luna"), Dialect::Reasoning);
        assert_eq!(Dialect::guess(&europe, "gpt-5.6-terra"), Dialect::Reasoning);
        assert_eq!(Dialect::guess(&openai, "gpt-4.1-mini"), Dialect::Classic);
        assert_eq!(Dialect::guess(&local, "gpt-6-luna"), Dialect::Compatible);
    }
}
