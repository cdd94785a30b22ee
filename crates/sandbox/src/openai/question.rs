//! What both endpoints have in common: a model, text, pictures and a format in; an answer and its price out.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::errors::OpenaiError;
use super::usage::{Usage, image_tokens, text_tokens, thinking_tokens};
use super::{models, reading, schema_fill};
use crate::eyes::Seen;
use crate::faults::{Fault, FaultKind};
use crate::journal::{ImageNote, Notes};
use crate::json::merge;
use crate::state::Sandbox;

/// Longest name of a schema.
const MOST_NAME_CHARACTERS: usize = 64;

/// A question to a model.
#[derive(Debug, Default)]
pub struct Question {
    /// Which model.
    pub model: String,
    /// Everything that was said to it.
    pub text: String,
    /// Everything that was shown to it.
    pub pictures: Vec<Arc<Seen>>,
    /// How the answer is to look.
    pub format: Format,
    /// How long it may think.
    pub effort: String,
    /// How long thinking and answer together may be.
    pub most_tokens: Option<u64>,
    image_tokens: u64,
}

/// How an answer is to look.
#[derive(Debug, Default, Clone)]
pub enum Format {
    /// Anything.
    #[default]
    Text,
    /// Some JSON.
    JsonObject,
    /// JSON that satisfies a schema.
    Schema(Value),
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// By itself.
    Stop,
    /// It grew too long.
    Length,
    /// The filter stopped it.
    ContentFilter,
}

/// What a model answered.
#[derive(Debug)]
pub struct Answer {
    /// What it says, if it does not refuse.
    pub content: Option<String>,
    /// Why it refuses.
    pub refusal: Option<String>,
    /// How it ended.
    pub ending: Ending,
    /// Its price.
    pub usage: Usage,
}

impl Question {
    /// A question to a model that must exist.
    pub fn to(sandbox: &Sandbox, request: &Value, notes: &mut Notes) -> Result<Self, OpenaiError> {
        let model = request["model"]
            .as_str()
            .ok_or_else(|| OpenaiError::invalid("model", None, "you must provide a model parameter"))?;
        notes.subject = Some(model.to_owned());
        models::retrieve(sandbox, model)?;
        Ok(Self { model: model.to_owned(), ..Self::default() })
    }

    /// Says something.
    pub fn say(&mut self, text: &str) {
        self.text.push_str(text);
        self.text.push('\n');
    }

    /// Shows a picture, given as a data URL.
    pub fn show(&mut self, sandbox: &Sandbox, url: &str, detail: &str, notes: &mut Notes) -> Result<(), OpenaiError> {
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
        let seen = sandbox.look(&bytes).map_err(|_| unsupported())?;
        self.image_tokens += image_tokens(&self.model, &seen, detail);
        self.pictures.push(seen);
        Ok(())
    }

    /// Asks for JSON that satisfies a schema, given as `{name, schema, strict}`.
    pub fn ask_for_schema(&mut self, named: &Value, param: &str) -> Result<(), OpenaiError> {
        let name = named["name"].as_str().unwrap_or_default();
        let letters = |letter: char| letter.is_ascii_alphanumeric() || "_-".contains(letter);
        if name.is_empty() || name.len() > MOST_NAME_CHARACTERS || !name.chars().all(letters) {
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
        self.format = Format::Schema(named["schema"].clone());
        Ok(())
    }

    /// What the model answers, or what a fault makes of it.
    pub fn answer(&self, sandbox: &Sandbox, fault: Option<&Fault>) -> Answer {
        let content = self.content(sandbox, fault);
        match fault.map(|fault| fault.kind) {
            Some(FaultKind::Refusal) => self.refuse(),
            Some(FaultKind::ContentFilter) => self.ended(String::new(), Ending::ContentFilter),
            Some(FaultKind::Truncated) => {
                let half = content.chars().take(content.chars().count() / 2).collect();
                self.ended(half, Ending::Length)
            }
            _ => self.within_limit(content),
        }
    }

    fn content(&self, sandbox: &Sandbox, fault: Option<&Fault>) -> String {
        let obey = sandbox.state().settings.obey_instructions;
        let reading = reading::read(&self.pictures, obey);
        let mut json = match &self.format {
            Format::Schema(schema) => schema_fill::fill(schema, &reading),
            Format::Text | Format::JsonObject => reading,
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
            Format::Text => format!(
                "I see {} picture(s). The first document on them: {}.",
                self.pictures.len(),
                json["document_type"]
            ),
            Format::JsonObject | Format::Schema(_) => json.to_string(),
        }
    }

    fn refuse(&self) -> Answer {
        let refusal = "I'm sorry, but I can't help with identifying people or reading their documents.".to_owned();
        Answer { refusal: Some(refusal), content: None, ..self.ended(String::new(), Ending::Stop) }
    }

    /// Thinking counts against the limit too, so a tight one leaves nothing to say.
    fn within_limit(&self, content: String) -> Answer {
        let room = self.most_tokens.map(|most| most.saturating_sub(self.thinking()));
        match room {
            Some(room) if room < text_tokens(&content) => {
                let characters = usize::try_from(room.saturating_mul(4)).unwrap_or(usize::MAX);
                self.ended(content.chars().take(characters).collect(), Ending::Length)
            }
            _ => self.ended(content, Ending::Stop),
        }
    }

    fn ended(&self, content: String, ending: Ending) -> Answer {
        let usage = Usage {
            text: text_tokens(&self.text),
            image: self.image_tokens,
            answer: text_tokens(&content),
            reasoning: self.most_tokens.map_or(self.thinking(), |most| most.min(self.thinking())),
        };
        Answer { content: Some(content), refusal: None, ending, usage }
    }

    fn thinking(&self) -> u64 {
        if models::reasons(&self.model) { thinking_tokens(&self.effort) } else { 0 }
    }
}

/// Refuses parameters that a model does not take, as the API words it.
pub fn check_dialect(request: &Value, model: &str) -> Result<(), OpenaiError> {
    let unsupported = |name: &str, hint: &str| {
        let message = format!("Unsupported parameter: '{name}' is not supported with this model.{hint}");
        Err(OpenaiError::invalid(name, Some("unsupported_parameter"), message))
    };
    if !models::reasons(model) {
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
    fn reasoning_models_and_plain_models_take_different_parameters() {
        let code = |request: Value, model| check_dialect(&request, model).err().and_then(|error| error.param);
        assert_eq!(code(json!({"max_tokens": 5}), "gpt-6-luna").as_deref(), Some("max_tokens"));
        assert_eq!(code(json!({"temperature": 0}), "o3").as_deref(), Some("temperature"));
        assert_eq!(code(json!({"temperature": 1, "reasoning_effort": "low"}), "o3"), None);
        assert_eq!(code(json!({"temperature": 0, "max_tokens": 5}), "gpt-4o"), None);
        assert_eq!(code(json!({"reasoning_effort": "low"}), "gpt-4o").as_deref(), Some("reasoning_effort"));
    }

    #[test]
    fn a_tight_limit_is_eaten_by_thinking() {
        let question = Question { model: "gpt-6-luna".to_owned(), most_tokens: Some(300), ..Question::default() };
        let answer = question.within_limit("x".repeat(1000));
        assert_eq!(answer.ending, Ending::Length);
        assert_eq!(answer.content.map(|content| content.len()), Some(44 * 4));
        assert_eq!(answer.usage.reasoning, 256);
    }
}
