//! Reads chat completions, without the crate's closed enumerations: an unknown word must not make a
//! response useless.

use jiff::civil::Date;
use serde_json::Value;

use crate::providers::error::ProviderErrorKind;
use crate::providers::wire;
use crate::verification::check::Usage;
use crate::verification::rules::document::readings::transcription::Transcription;

/// The outcome of reading a picture.
#[derive(Debug, Clone, PartialEq)]
pub enum Reading {
    /// The model read the picture. (Boxed because it is large.)
    Transcribed(Box<Transcription>),
    /// The model declined to read the picture.
    Refused,
    /// The provider's content filter stopped the picture.
    ContentFiltered,
}

/// What the server says about the configured model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelStatus {
    /// Name of the model.
    pub id: String,
    /// Whether the server knows the model; `None` when the server cannot be asked (some compatible
    /// servers).
    pub known: Option<bool>,
    /// Announced day of the model's shutdown.
    pub shutdown_date: Option<Date>,
}

/// The reading in a completion.
pub(super) fn read(completion: &Value) -> Result<Reading, ProviderErrorKind> {
    let Some(choice) = completion["choices"].as_array().and_then(|choices| choices.first()) else {
        return Err(ProviderErrorKind::InvalidResponse("the answer has no choice in it"));
    };
    let message = &choice["message"];
    let refusal = message["refusal"].as_str().is_some_and(|text| !text.trim().is_empty());
    match choice["finish_reason"].as_str() {
        Some("content_filter") => return Ok(Reading::ContentFiltered),
        _ if refusal => return Ok(Reading::Refused),
        // A truncated text may be valid JSON by chance, with half of the suspicions.
        Some("length") => return Err(ProviderErrorKind::InvalidResponse("the answer was cut off at the token limit")),
        _ => {}
    }
    let content = text(&message["content"]);
    if content.trim().is_empty() {
        return Err(ProviderErrorKind::InvalidResponse("the answer is empty"));
    }
    let content: Value = serde_json::from_str(unfenced(&content))
        .map_err(|_| ProviderErrorKind::InvalidResponse("the model did not answer in JSON"))?;
    let transcription = Transcription::read(&content)
        .map_err(|_| ProviderErrorKind::InvalidResponse("the model's JSON does not have the properties asked for"))?;
    Ok(Reading::Transcribed(Box::new(transcription)))
}

/// Adds the charged tokens to `usage`.
pub(super) fn count(completion: &Value, usage: &mut Usage) {
    usage.input_tokens += completion["usage"]["prompt_tokens"].as_u64().unwrap_or(0);
    usage.output_tokens += completion["usage"]["completion_tokens"].as_u64().unwrap_or(0);
}

/// The exact model that answered; a name like `gpt-6-luna` leaves it open.
pub(super) fn model(completion: &Value) -> Option<String> {
    completion["model"].as_str().and_then(wire::plain_id)
}

/// The day of a model's shutdown: a date or an instant as text, or seconds since 1970.
pub(super) fn shutdown_date(model: &Value) -> Option<Date> {
    match &model["shutdown_date"] {
        Value::String(text) => text.get(..10)?.parse().ok(),
        Value::Number(seconds) => {
            let at = jiff::Timestamp::from_second(seconds.as_i64()?).ok()?;
            Some(at.to_zoned(jiff::tz::TimeZone::UTC).date())
        }
        _ => None,
    }
}

/// The text of a message, whole or in parts.
fn text(content: &Value) -> String {
    match content {
        Value::String(text) => text.clone(),
        Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect(),
        _ => String::new(),
    }
}

/// The text inside a Markdown code fence, which some compatible servers put around JSON.
fn unfenced(text: &str) -> &str {
    let text = text.trim();
    let Some(inner) = text.strip_prefix("```") else { return text };
    let inner = inner.strip_prefix("json").unwrap_or(inner);
    inner.trim().strip_suffix("```").unwrap_or(inner).trim()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn completion(message: &Value, finish_reason: &str) -> Value {
        json!({ "choices": [{ "message": message, "finish_reason": finish_reason }] })
    }

    fn transcription() -> String {
        json!({ "document_type": "passport", "issuing_state": null, "side": "front", "fields": {}, "mrz_lines": [],
                "readable": "good", "suspicions": [], "visible_text": [], "instructions_seen": false })
        .to_string()
    }

    #[test]
    fn a_transcription_is_read_plain_fenced_or_in_parts() {
        let plain = transcription();
        let fenced = format!("```json\n{plain}\n```");
        let (head, tail) = plain.split_at(20);
        for content in
            [json!(plain), json!(fenced), json!([{ "type": "text", "text": head }, { "type": "text", "text": tail }])]
        {
            let reading = read(&completion(&json!({ "content": content }), "stop")).unwrap();
            assert!(matches!(reading, Reading::Transcribed(_)));
        }
    }

    #[test]
    fn a_response_with_an_unknown_finish_reason_is_used() {
        let reading = read(&completion(&json!({ "content": transcription() }), "eos_token")).unwrap();
        assert!(matches!(reading, Reading::Transcribed(_)));
    }

    #[test]
    fn a_refusal_and_a_content_filter_are_readings() {
        let refused = completion(&json!({ "content": null, "refusal": "I cannot help with that." }), "stop");
        assert_eq!(read(&refused), Ok(Reading::Refused));
        let filtered = completion(&json!({ "content": "" }), "content_filter");
        assert_eq!(read(&filtered), Ok(Reading::ContentFiltered));
    }

    #[test]
    fn an_unusable_completion_is_an_invalid_response() {
        for unusable in [
            json!({}),
            json!({ "choices": [] }),
            json!({ "choices": "none" }),
            completion(&json!({ "content": transcription() }), "length"),
            completion(&json!({ "content": null }), "stop"),
            completion(&json!({ "content": "  " }), "stop"),
            completion(&json!({ "content": "The document is genuine." }), "stop"),
            completion(&json!({ "content": "{}" }), "stop"),
            completion(&json!({ "content": "[]" }), "stop"),
            completion(&json!({ "tool_calls": [] }), "tool_calls"),
        ] {
            assert!(matches!(read(&unusable), Err(ProviderErrorKind::InvalidResponse(_))), "{unusable}");
        }
    }

    #[test]
    fn tokens_and_model_are_read_where_present() {
        let mut usage = Usage { calls: 1, ..Usage::default() };
        let completion =
            json!({ "model": "gpt-6-luna-2026-09-01", "usage": { "prompt_tokens": 2600, "completion_tokens": 900 } });
        count(&completion, &mut usage);
        count(&json!({ "usage": null }), &mut usage);
        assert_eq!((usage.input_tokens, usage.output_tokens), (2600, 900));
        assert_eq!(model(&completion).as_deref(), Some("gpt-6-luna-2026-09-01"));
    }

    #[test]
    fn a_shutdown_date_is_read_in_each_spelling() {
        let date = |value: Value| shutdown_date(&json!({ "shutdown_date": value })).map(|d| d.to_string());
        assert_eq!(date(json!("2027-01-14")).as_deref(), Some("2027-01-14"));
        assert_eq!(date(json!("2027-01-14T00:00:00Z")).as_deref(), Some("2027-01-14"));
        assert_eq!(date(json!(1_800_000_000)).as_deref(), Some("2027-01-15"));
        assert_eq!(date(json!(null)), None);
        assert_eq!(date(json!("soon")), None);
    }
}
