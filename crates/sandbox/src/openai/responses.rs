//! `POST /v1/responses`: the same prompts in the newer format.

use serde_json::{Value, json};

use super::errors::OpenaiError;
use super::prompt::{Completion, FinishReason, Prompt, ResponseFormat, check_dialect};
use crate::faults::{Fault, FaultKind};
use crate::request_log::Notes;
use crate::state::Sandbox;

/// Answers the request with one message.
pub fn respond(
    sandbox: &Sandbox,
    request: &Value,
    fault: Option<&Fault>,
    notes: &mut Notes,
) -> Result<Value, OpenaiError> {
    let prompt = read(sandbox, request, notes)?;
    let completion = prompt.complete(sandbox, fault);
    let number = sandbox.next_request();
    let id = |kind: &str| format!("{kind}_{}", hex::encode(&sandbox.seed.bytes(kind, &[&number.to_be_bytes()])[..24]));
    let incomplete = match completion.finish_reason {
        FinishReason::Stop => Value::Null,
        FinishReason::Length => json!({"reason": "max_output_tokens"}),
        FinishReason::ContentFilter => json!({"reason": "content_filter"}),
    };
    let status = if incomplete.is_null() { "completed" } else { "incomplete" };
    let empty = fault.is_some_and(|fault| fault.kind == FaultKind::EmptyChoices);
    let message = json!({"id": id("msg"), "type": "message", "role": "assistant", "status": status, "content": [content(&completion)]});
    let output = if empty { json!([]) } else { json!([{"id": id("rs"), "type": "reasoning", "summary": []}, message]) };
    notes.usage = Some(completion.usage.of_response());
    Ok(json!({
        "id": id("resp"),
        "object": "response",
        "created_at": sandbox.now().as_second(),
        "status": status,
        "error": null,
        "incomplete_details": incomplete,
        "instructions": request["instructions"],
        "max_output_tokens": request["max_output_tokens"],
        "metadata": {},
        "model": prompt.model,
        "output": output,
        "parallel_tool_calls": true,
        "store": request["store"].as_bool().unwrap_or(true),
        "temperature": 1.0,
        "top_p": 1.0,
        "text": request["text"],
        "tool_choice": "auto",
        "tools": [],
        "usage": completion.usage.of_response(),
    }))
}

fn content(completion: &Completion) -> Value {
    match &completion.refusal {
        Some(refusal) => json!({"type": "refusal", "refusal": refusal}),
        None => json!({"type": "output_text", "text": completion.content, "annotations": [], "logprobs": []}),
    }
}

fn read(sandbox: &Sandbox, request: &Value, notes: &mut Notes) -> Result<Prompt, OpenaiError> {
    let others = ["max_tokens", "max_completion_tokens", "response_format", "messages"];
    if let Some(name) = others.into_iter().find(|name| request.get(*name).is_some()) {
        return Err(OpenaiError::invalid(name, Some("unknown_parameter"), format!("Unknown parameter: '{name}'.")));
    }
    let mut prompt = Prompt::for_model(sandbox, request, notes)?;
    check_dialect(request, &prompt.model)?;
    request["reasoning"]["effort"].as_str().unwrap_or_default().clone_into(&mut prompt.effort);
    prompt.tokens_max = request["max_output_tokens"].as_u64();
    prompt.add_text(request["instructions"].as_str().unwrap_or_default());
    match &request["input"] {
        Value::String(text) => prompt.add_text(text),
        Value::Array(items) => {
            for part in items.iter().flat_map(parts_of) {
                read_part(sandbox, &mut prompt, part, notes)?;
            }
        }
        _ => {
            let message = "Missing required parameter: 'input'.";
            return Err(OpenaiError::invalid("input", Some("missing_required_parameter"), message));
        }
    }
    match request["text"]["format"]["type"].as_str() {
        Some("json_schema") => prompt.require_schema(&request["text"]["format"], "text.format")?,
        Some("json_object") => prompt.format = ResponseFormat::JsonObject,
        _ => {}
    }
    Ok(prompt)
}

/// The parts of an input item; a plain string is one part.
fn parts_of(item: &Value) -> Vec<&Value> {
    match &item["content"] {
        Value::Array(parts) => parts.iter().collect(),
        content => vec![content],
    }
}

fn read_part(sandbox: &Sandbox, prompt: &mut Prompt, part: &Value, notes: &mut Notes) -> Result<(), OpenaiError> {
    if let Some(text) = part.as_str() {
        prompt.add_text(text);
        return Ok(());
    }
    match part["type"].as_str() {
        Some("input_text" | "output_text") => prompt.add_text(part["text"].as_str().unwrap_or_default()),
        Some("input_image") => {
            let url = part["image_url"].as_str().unwrap_or_default();
            prompt.add_image(sandbox, url, part["detail"].as_str().unwrap_or("auto"), notes)?;
        }
        _ => {
            let message = "Supported values of 'type' are: 'input_text', 'input_image'.";
            return Err(OpenaiError::invalid("input", Some("invalid_value"), message));
        }
    }
    Ok(())
}
