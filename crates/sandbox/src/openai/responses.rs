//! `POST /v1/responses`: the same questions in the newer shape.

use serde_json::{Value, json};

use super::errors::OpenaiError;
use super::question::{Answer, Ending, Format, Question, check_dialect};
use crate::faults::{Fault, FaultKind};
use crate::journal::Notes;
use crate::state::Sandbox;

/// Answers the request.
pub fn respond(
    sandbox: &Sandbox,
    request: &Value,
    fault: Option<&Fault>,
    notes: &mut Notes,
) -> Result<Value, OpenaiError> {
    let question = read(sandbox, request, notes)?;
    let answer = question.answer(sandbox, fault);
    let number = sandbox.next_request();
    let id = |kind: &str| format!("{kind}_{}", hex::encode(&sandbox.seed.bytes(kind, &[&number.to_be_bytes()])[..24]));
    let incomplete = match answer.ending {
        Ending::Stop => Value::Null,
        Ending::Length => json!({"reason": "max_output_tokens"}),
        Ending::ContentFilter => json!({"reason": "content_filter"}),
    };
    let status = if incomplete.is_null() { "completed" } else { "incomplete" };
    let empty = fault.is_some_and(|fault| fault.kind == FaultKind::EmptyChoices);
    let message = json!({"id": id("msg"), "type": "message", "role": "assistant", "status": status, "content": [content(&answer)]});
    let output = if empty { json!([]) } else { json!([{"id": id("rs"), "type": "reasoning", "summary": []}, message]) };
    notes.usage = Some(answer.usage.of_response());
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
        "model": question.model,
        "output": output,
        "parallel_tool_calls": true,
        "store": request["store"].as_bool().unwrap_or(true),
        "temperature": 1.0,
        "top_p": 1.0,
        "text": request["text"],
        "tool_choice": "auto",
        "tools": [],
        "usage": answer.usage.of_response(),
    }))
}

fn content(answer: &Answer) -> Value {
    match &answer.refusal {
        Some(refusal) => json!({"type": "refusal", "refusal": refusal}),
        None => json!({"type": "output_text", "text": answer.content, "annotations": [], "logprobs": []}),
    }
}

fn read(sandbox: &Sandbox, request: &Value, notes: &mut Notes) -> Result<Question, OpenaiError> {
    let others = ["max_tokens", "max_completion_tokens", "response_format", "messages"];
    if let Some(name) = others.into_iter().find(|name| request.get(*name).is_some()) {
        return Err(OpenaiError::invalid(name, Some("unknown_parameter"), format!("Unknown parameter: '{name}'.")));
    }
    let mut question = Question::to(sandbox, request, notes)?;
    check_dialect(request, &question.model)?;
    request["reasoning"]["effort"].as_str().unwrap_or_default().clone_into(&mut question.effort);
    question.most_tokens = request["max_output_tokens"].as_u64();
    question.say(request["instructions"].as_str().unwrap_or_default());
    match &request["input"] {
        Value::String(text) => question.say(text),
        Value::Array(items) => {
            for part in items.iter().flat_map(parts_of) {
                read_part(sandbox, &mut question, part, notes)?;
            }
        }
        _ => {
            let message = "Missing required parameter: 'input'.";
            return Err(OpenaiError::invalid("input", Some("missing_required_parameter"), message));
        }
    }
    match request["text"]["format"]["type"].as_str() {
        Some("json_schema") => question.ask_for_schema(&request["text"]["format"], "text.format")?,
        Some("json_object") => question.format = Format::JsonObject,
        _ => {}
    }
    Ok(question)
}

/// The parts of an input item; a plain string is one part.
fn parts_of(item: &Value) -> Vec<&Value> {
    match &item["content"] {
        Value::Array(parts) => parts.iter().collect(),
        content => vec![content],
    }
}

fn read_part(sandbox: &Sandbox, question: &mut Question, part: &Value, notes: &mut Notes) -> Result<(), OpenaiError> {
    if let Some(text) = part.as_str() {
        question.say(text);
        return Ok(());
    }
    match part["type"].as_str() {
        Some("input_text" | "output_text") => question.say(part["text"].as_str().unwrap_or_default()),
        Some("input_image") => {
            let url = part["image_url"].as_str().unwrap_or_default();
            question.show(sandbox, url, part["detail"].as_str().unwrap_or("auto"), notes)?;
        }
        _ => {
            let message = "Supported values of 'type' are: 'input_text', 'input_image'.";
            return Err(OpenaiError::invalid("input", Some("invalid_value"), message));
        }
    }
    Ok(())
}
