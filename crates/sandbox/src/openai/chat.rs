//! `POST /v1/chat/completions`.

use serde_json::{Value, json};

use super::errors::OpenaiError;
use super::prompt::{Completion, FinishReason, Prompt, ResponseFormat, check_dialect};
use crate::faults::{Fault, FaultKind};
use crate::request_log::Notes;
use crate::seed::ALPHANUMERIC;
use crate::state::Sandbox;

const PARAMETERS: [&str; 33] = [
    "messages",
    "model",
    "audio",
    "frequency_penalty",
    "function_call",
    "functions",
    "logit_bias",
    "logprobs",
    "max_completion_tokens",
    "max_tokens",
    "metadata",
    "modalities",
    "n",
    "parallel_tool_calls",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "seed",
    "service_tier",
    "stop",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "tool_choice",
    "tools",
    "top_logprobs",
    "top_p",
    "user",
    "verbosity",
];
const ROLES: [&str; 6] = ["developer", "system", "user", "assistant", "tool", "function"];
const CHOICES_MAX: u64 = 8;

/// Answers the request with as many choices as it asks for.
pub fn complete(
    sandbox: &Sandbox,
    request: &Value,
    fault: Option<&Fault>,
    notes: &mut Notes,
) -> Result<Value, OpenaiError> {
    let prompt = read(sandbox, request, notes)?;
    let completion = prompt.complete(sandbox, fault);
    let number = sandbox.next_request();
    let empty = fault.is_some_and(|fault| fault.kind == FaultKind::EmptyChoices);
    let choices = if empty { 0 } else { request["n"].as_u64().unwrap_or(1) };
    notes.usage = Some(completion.usage.of_chat());
    Ok(json!({
        "id": format!("chatcmpl-{}", sandbox.seed.word(ALPHANUMERIC, 29, "chat completion", number)),
        "object": "chat.completion",
        "created": sandbox.now().as_second(),
        "model": prompt.model,
        "choices": (0..choices.min(CHOICES_MAX)).map(|index| choice(index, &completion)).collect::<Vec<_>>(),
        "usage": completion.usage.of_chat(),
        "service_tier": "default",
        "system_fingerprint": "fp_sandbox",
    }))
}

fn read(sandbox: &Sandbox, request: &Value, notes: &mut Notes) -> Result<Prompt, OpenaiError> {
    let mut names = request.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    if let Some(name) = names.find(|name| !PARAMETERS.contains(name)) {
        return Err(OpenaiError::invalid("", None, format!("Unrecognized request argument supplied: {name}")));
    }
    if request["stream"] == true {
        return Err(OpenaiError::invalid("stream", Some("unsupported_value"), "the sandbox does not stream"));
    }
    let mut prompt = Prompt::for_model(sandbox, request, notes)?;
    check_dialect(request, &prompt.model)?;
    request["reasoning_effort"].as_str().unwrap_or_default().clone_into(&mut prompt.effort);
    prompt.tokens_max = request["max_completion_tokens"].as_u64().or(request["max_tokens"].as_u64());
    let empty =
        "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.";
    let messages = request["messages"]
        .as_array()
        .filter(|messages| !messages.is_empty())
        .ok_or_else(|| OpenaiError::invalid("messages", Some("empty_array"), empty))?;
    for (index, message) in messages.iter().enumerate() {
        read_message(sandbox, &mut prompt, message, index, notes)?;
    }
    read_format(&mut prompt, &request["response_format"])?;
    Ok(prompt)
}

fn read_format(prompt: &mut Prompt, format: &Value) -> Result<(), OpenaiError> {
    match format["type"].as_str() {
        Some("json_schema") => prompt.require_schema(&format["json_schema"], "response_format")?,
        Some("json_object") => prompt.format = ResponseFormat::JsonObject,
        Some("text") | None => {}
        Some(other) => {
            let message =
                format!("Invalid value: '{other}'. Supported values are: 'json_object', 'json_schema', and 'text'.");
            return Err(OpenaiError::invalid("response_format.type", Some("invalid_value"), message));
        }
    }
    Ok(())
}

fn read_message(
    sandbox: &Sandbox,
    prompt: &mut Prompt,
    message: &Value,
    index: usize,
    notes: &mut Notes,
) -> Result<(), OpenaiError> {
    let wrong =
        |place: &str, code, text: &str| OpenaiError::invalid(&format!("messages[{index}].{place}"), Some(code), text);
    let role = message["role"].as_str().unwrap_or_default();
    if !ROLES.contains(&role) {
        let supported = "Supported values are: 'system', 'assistant', 'user', 'function', 'tool', and 'developer'.";
        return Err(wrong("role", "invalid_value", &format!("Invalid value: '{role}'. {supported}")));
    }
    let parts = match &message["content"] {
        Value::String(text) => {
            prompt.add_text(text);
            return Ok(());
        }
        Value::Array(parts) => parts,
        Value::Null if role == "assistant" => return Ok(()),
        _ => {
            return Err(wrong(
                "content",
                "invalid_type",
                "Invalid type for 'content': expected one of a string or array of objects.",
            ));
        }
    };
    for (place, part) in parts.iter().enumerate() {
        let wrong = |code, text: &str| wrong(&format!("content[{place}]"), code, text);
        match part["type"].as_str() {
            Some("text") => {
                prompt.add_text(part["text"].as_str().ok_or_else(|| wrong("invalid_type", "'text' must be a string"))?);
            }
            Some("image_url") if role == "user" => {
                let image = &part["image_url"];
                let url =
                    image["url"].as_str().ok_or_else(|| wrong("invalid_type", "'image_url.url' must be a string"))?;
                prompt.add_image(sandbox, url, image["detail"].as_str().unwrap_or("auto"), notes)?;
            }
            Some("image_url") => {
                return Err(wrong("invalid_value", "Image URLs are only allowed for messages with role 'user'."));
            }
            _ => return Err(wrong("invalid_value", "Supported values of 'type' are: 'text', 'image_url'.")),
        }
    }
    Ok(())
}

fn choice(index: u64, completion: &Completion) -> Value {
    let finish_reason = match completion.finish_reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
        FinishReason::ContentFilter => "content_filter",
    };
    json!({
        "index": index,
        "message": {"role": "assistant", "content": completion.content, "refusal": completion.refusal, "annotations": []},
        "logprobs": null,
        "finish_reason": finish_reason,
    })
}
