//! What both endpoints have in common: model, text, pictures and format in; a completion and its
//! usage out.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::errors::OpenaiError;
use super::usage::{Usage, image_tokens, reasoning_tokens, text_tokens};
use super::{models, reading, schema_fill};
use crate::faults::{Fault, FaultKind};
use crate::json::merge;
use crate::request_log::{ImageNote, Notes};
use crate::state::Sandbox;
use crate::vision::Analysis;

/// Longest name of a schema.
const NAME_CHARACTERS_MAX: usize = 64;

/// A prompt to a model.
#[derive(Debug, Default)]
pub struct Prompt {
    pub model: String,
    /// All text of all messages.
    pub text: String,
    /// All pictures of all messages.
    pub pictures: Vec<Arc<Analysis>>,
    pub format: ResponseFormat,
    /// The reasoning effort, as the request names it.
    pub effort: String,
    /// Most tokens of reasoning and answer together.
    pub tokens_max: Option<u64>,
    image_tokens: u64,
}

/// The form of an answer.
#[derive(Debug, Default, Clone)]
pub enum ResponseFormat {
    #[default]
    Text,
    /// Any JSON object.
    JsonObject,
    /// JSON that satisfies a schema.
    Schema(Value),
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishReason {
    /// The model finished.
    Stop,
    /// The limit of tokens was reached.
    Length,
    /// The content filter stopped the model.
    ContentFilter,
}

/// What a model answered.
#[derive(Debug)]
pub struct Completion {
    /// The text, unless the model refuses.
    pub content: Option<String>,
    /// The refusal's text, if the model refuses.
    pub refusal: Option<String>,
    pub finish_reason: FinishReason,
    pub usage: Usage,
}

impl Prompt {
    /// An empty prompt to the model of the request, which must exist.
    pub fn for_model(sandbox: &Sandbox, request: &Value, notes: &mut Notes) -> Result<Self, OpenaiError> {
        let model = request["model"]
            .as_str()
            .ok_or_else(|| OpenaiError::invalid("model", None, "you must provide a model parameter"))?;
        notes.subject = Some(model.to_owned());
        models::retrieve(sandbox, model)?;
        Ok(Self { model: model.to_owned(), ..Self::default() })
    }

    /// Adds the text of a message.
    pub fn add_text(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// Adds a picture, given as a data URL.
    pub fn add_image(
        &mut self,
        sandbox: &Sandbox,
        url: &str,
        detail: &str,
        notes: &mut Notes,
    ) -> Result<(), OpenaiError> {
        let refused = |code, message: &str| OpenaiError::invalid("", Some(code), message);
        let Some(data) = url.strip_prefix("data:") else {
            return Err(refused("invalid_image_url", "the sandbox fetches nothing: show pictures as data URLs"));
        };
        let malformed = "Expected a base64-encoded data URL with an image MIME type (e.g. 'data:image/png;base64,aW1nIGJ5dGVzIGhlcmU=').";
        let (kind, text) = data.split_once(";base64,").ok_or_else(|| refused("invalid_image_url", malformed))?;
        let unsupported = || {
            let formats = "You uploaded an unsupported image. Please make sure your image has of one the following formats: ['png', 'jpeg', 'gif', 'webp'].";
            refused("invalid_image_format", formats)
        };
        if !["image/png", "image/jpeg", "image/gif", "image/webp"].contains(&kind) {
            return Err(unsupported());
        }
        let bytes = STANDARD.decode(text).map_err(|_| refused("invalid_base64_image", "Invalid base64 image_url."))?;
        notes.images.push(ImageNote::of(&bytes));
        let analysis = sandbox.analyse(&bytes).map_err(|_| unsupported())?;
        self.image_tokens += image_tokens(&self.model, &analysis, detail);
        self.pictures.push(analysis);
        Ok(())
    }

    /// Requires an answer that satisfies a schema, given as `{name, schema, strict}`.
    pub fn require_schema(&mut self, named: &Value, param: &str) -> Result<(), OpenaiError> {
        let name = named["name"].as_str().unwrap_or_default();
        let letters = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
        if name.is_empty() || name.len() > NAME_CHARACTERS_MAX || !name.chars().all(letters) {
            let message = format!(
                "Invalid '{param}.name': expected a string of 1 to 64 letters, digits, underscores and hyphens."
            );
            return Err(OpenaiError::invalid(&format!("{param}.name"), Some("invalid_value"), message));
        }
        let strict = named["strict"] == true;
        if let (true, Some(problem)) = (strict, schema_fill::problem(&named["schema"])) {
            let message = format!("Invalid schema for {param} '{name}': {problem}");
            return Err(OpenaiError::invalid(param, Some("invalid_json_schema"), message));
        }
        self.format = ResponseFormat::Schema(named["schema"].clone());
        Ok(())
    }

    /// The model's completion, with a fault applied to it.
    pub fn complete(&self, sandbox: &Sandbox, fault: Option<&Fault>) -> Completion {
        let content = self.content(sandbox, fault);
        match fault.map(|fault| fault.kind) {
            Some(FaultKind::Refusal) => self.refused(),
            Some(FaultKind::ContentFilter) => self.ended(String::new(), FinishReason::ContentFilter),
            Some(FaultKind::Truncated) => {
                let half = content.chars().take(content.chars().count() / 2).collect();
                self.ended(half, FinishReason::Length)
            }
            _ => self.within_limit(content),
        }
    }

    fn content(&self, sandbox: &Sandbox, fault: Option<&Fault>) -> String {
        let obey = sandbox.state().settings.obey_instructions;
        let reading = reading::read(&self.pictures, obey);
        let mut json = match &self.format {
            ResponseFormat::Schema(schema) => schema_fill::fill(schema, &reading),
            ResponseFormat::Text | ResponseFormat::JsonObject => reading,
        };
        match (fault.map(|fault| fault.kind), fault.and_then(|fault| fault.body.as_ref())) {
            (Some(FaultKind::Merge), Some(patch)) => merge(&mut json, patch),
            (Some(FaultKind::WrongSchema), _) => return json!({"verdict": "approved", "fields": 7}).to_string(),
            (Some(FaultKind::NotJson), _) => {
                return "Sure! Here is what I found on the document you sent me.".to_owned();
            }
            _ => {}
        }
        match self.format {
            ResponseFormat::Text => format!(
                "I see {} picture(s). The first document on them: {}.",
                self.pictures.len(),
                json["document_type"]
            ),
            ResponseFormat::JsonObject | ResponseFormat::Schema(_) => json.to_string(),
        }
    }

    fn refused(&self) -> Completion {
        let refusal = "I'm sorry, but I can't help with identifying people or reading their documents.".to_owned();
        Completion { refusal: Some(refusal), content: None, ..self.ended(String::new(), FinishReason::Stop) }
    }

    /// The content, cut to the limit. Reasoning counts against the limit, so a low limit leaves no
    /// tokens for content.
    fn within_limit(&self, content: String) -> Completion {
        let left = self.tokens_max.map(|max| max.saturating_sub(self.reasoning_tokens()));
        match left {
            Some(left) if left < text_tokens(&content) => {
                let characters = usize::try_from(left.saturating_mul(4)).unwrap_or(usize::MAX);
                self.ended(content.chars().take(characters).collect(), FinishReason::Length)
            }
            _ => self.ended(content, FinishReason::Stop),
        }
    }

    fn ended(&self, content: String, finish_reason: FinishReason) -> Completion {
        let usage = Usage {
            text: text_tokens(&self.text),
            image: self.image_tokens,
            answer: text_tokens(&content),
            reasoning: self.tokens_max.map_or(self.reasoning_tokens(), |max| max.min(self.reasoning_tokens())),
        };
        Completion { content: Some(content), refusal: None, finish_reason, usage }
    }

    fn reasoning_tokens(&self) -> u64 {
        if models::is_reasoning(&self.model) { reasoning_tokens(&self.effort) } else { 0 }
    }
}

/// Refuses parameters that a model does not accept, with the API's own messages.
pub fn check_dialect(request: &Value, model: &str) -> Result<(), OpenaiError> {
    let unsupported = |name: &str, hint: &str| {
        let message = format!("Unsupported parameter: '{name}' is not supported with this model.{hint}");
        Err(OpenaiError::invalid(name, Some("unsupported_parameter"), message))
    };
    if !models::is_reasoning(model) {
        return if request["reasoning_effort"].is_null() { Ok(()) } else { unsupported("reasoning_effort", "") };
    }
    if !request["max_tokens"].is_null() {
        return unsupported("max_tokens", " Use 'max_completion_tokens' instead.");
    }
    for name in ["temperature", "top_p"] {
        if request[name].as_f64().is_some_and(|value| (value - 1.0).abs() > f64::EPSILON) {
            let value = &request[name];
            let message = format!(
                "Unsupported value: '{name}' does not support {value} with this model. Only the default (1) value is supported."
            );
            return Err(OpenaiError::invalid(name, Some("unsupported_value"), message));
        }
    }
    let others = ["presence_penalty", "frequency_penalty", "logit_bias", "logprobs", "top_logprobs"];
    match others.into_iter().find(|name| !request[*name].is_null()) {
        Some(name) => unsupported(name, ""),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasoning_models_and_plain_models_accept_different_parameters() {
        let code = |request: Value, model| check_dialect(&request, model).err().and_then(|error| error.param);
        assert_eq!(code(json!({"max_tokens": 5}), "gpt-6-luna").as_deref(), Some("max_tokens"));
        assert_eq!(code(json!({"temperature": 0}), "o3").as_deref(), Some("temperature"));
        assert_eq!(code(json!({"temperature": 1, "reasoning_effort": "low"}), "o3"), None);
        assert_eq!(code(json!({"temperature": 0, "max_tokens": 5}), "gpt-4o"), None);
        assert_eq!(code(json!({"reasoning_effort": "low"}), "gpt-4o").as_deref(), Some("reasoning_effort"));
    }

    #[test]
    fn reasoning_uses_up_a_low_limit() {
        let prompt = Prompt { model: "gpt-6-luna".to_owned(), tokens_max: Some(300), ..Prompt::default() };
        let completion = prompt.within_limit("x".repeat(1000));
        assert_eq!(completion.finish_reason, FinishReason::Length);
        assert_eq!(completion.content.map(|content| content.len()), Some(44 * 4));
        assert_eq!(completion.usage.reasoning, 256);
    }
}
