//! The API description as one HTML page, without scripts and without content from other servers.

use std::fmt::Write;

use base64::Engine;
use bytes::Bytes;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::http::api::problem;
use crate::http::api::responses::KNOWN_VALUES;

const STYLE: &str = include_str!("page.css");

/// The page and its content security policy.
#[derive(Debug, Clone)]
pub struct Docs {
    /// The page as HTML.
    pub page: Bytes,
    /// `Content-Security-Policy` that allows only the page's own style.
    pub policy: String,
}

impl Docs {
    /// Renders `description`, an `OpenAPI` document as JSON.
    pub fn new(description: &Value) -> Self {
        let style = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(STYLE));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{style}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        );
        Self { page: Bytes::from(page(description)), policy }
    }
}

fn page(description: &Value) -> String {
    let mut html = String::with_capacity(64 * 1024);
    html.push_str("<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">");
    html.push_str(
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><title>Identivia API</title>",
    );
    html.push_str("<style>");
    html.push_str(STYLE);
    html.push_str("</style></head><body>");
    put(&mut html, &["<h1>Identivia API <code>", &escaped(&description["info"]["version"]), "</code></h1>"]);
    put(&mut html, &["<p>", &prose(&description["info"]["description"]), "</p>"]);
    html.push_str(
        "<p>For programs: <a href=\"/openapi.json\">openapi.json</a>.</p><h2 id=\"credentials\">Credentials</h2>",
    );
    for (_, scheme) in members(&description["components"]["securitySchemes"]) {
        let how = match scheme["name"].as_str() {
            Some(header) => format!("<code>{}</code>", escape(header)),
            None => "<code>Authorization: Bearer</code>".to_owned(),
        };
        put(&mut html, &["<p>", &how, " ", &prose(&scheme["description"]), "</p>"]);
    }
    html.push_str("<h2 id=\"operations\">Operations</h2>");
    for (path, operations) in members(&description["paths"]) {
        for (method, operation) in members(operations) {
            write_operation(&mut html, path, method, operation);
        }
    }
    write_types(&mut html, description);
    write_problems(&mut html);
    html.push_str("</body></html>");
    html
}

fn write_operation(html: &mut String, path: &str, method: &str, operation: &Value) {
    let id = escaped(&operation["operationId"]);
    let method = method.to_uppercase();
    put(
        html,
        &["<h3 id=\"", &id, "\"><code><span class=\"method\">", &method, "</span> ", &escape(path), "</code></h3>"],
    );
    put(html, &["<p>", &prose(&operation["summary"]), "</p>"]);
    if let Some(more) = operation["description"].as_str() {
        put(html, &["<p>", &prose(&Value::from(more)), "</p>"]);
    }
    let parameters = operation["parameters"].as_array().map(Vec::as_slice).unwrap_or_default();
    if !parameters.is_empty() {
        html.push_str("<div class=\"scroll\"><table><tr><th>Parameter</th><th>In</th><th>Meaning</th></tr>");
        for parameter in parameters {
            let (name, place) = (escaped(&parameter["name"]), escaped(&parameter["in"]));
            let meaning = prose(&parameter["description"]);
            put(html, &["<tr><td><code>", &name, "</code></td><td>", &place, "</td><td>", &meaning, "</td></tr>"]);
        }
        html.push_str("</table></div>");
    }
    for (content_type, content) in members(&operation["requestBody"]["content"]) {
        put(html, &["<p>Body: <code>", &escape(content_type), "</code>, ", &kind(&content["schema"]), "</p>"]);
    }
    html.push_str("<div class=\"scroll\"><table><tr><th>Answer</th><th>Meaning</th><th>Body</th></tr>");
    for (status, response) in members(&operation["responses"]) {
        let body = members(&response["content"]).next().map(|(_, content)| kind(&content["schema"]));
        let (body, meaning) = (body.unwrap_or_default(), prose(&response["description"]));
        put(html, &["<tr><td><code>", &escape(status), "</code></td><td>", &meaning, "</td><td>", &body, "</td></tr>"]);
    }
    html.push_str("</table></div>");
}

fn write_types(html: &mut String, description: &Value) {
    html.push_str("<h2 id=\"types\">Types</h2>");
    for (name, schema) in members(&description["components"]["schemas"]) {
        let name = escape(name);
        put(
            html,
            &["<h3 id=\"type-", &name, "\"><code>", &name, "</code></h3><p>", &prose(&schema["description"]), "</p>"],
        );
        let parts = schema["allOf"].as_array().map_or_else(|| std::slice::from_ref(schema), Vec::as_slice);
        for part in parts.iter().filter(|part| part.get("$ref").is_some()) {
            put(html, &["<p>Everything of ", &kind(part), ", and:</p>"]);
        }
        html.push_str("<div class=\"scroll\"><table>");
        for (field, shape) in parts.iter().flat_map(|part| members(&part["properties"])) {
            let meaning = format!("{}{}", prose(&shape["description"]), known_values(shape));
            let shape = kind(shape);
            put(
                html,
                &["<tr><td><code>", &escape(field), "</code></td><td>", &shape, "</td><td>", &meaning, "</td></tr>"],
            );
        }
        for value in schema["enum"].as_array().into_iter().flatten() {
            put(html, &["<tr><td><code>", &escaped(value), "</code></td></tr>"]);
        }
        html.push_str("</table></div>");
    }
}

/// Known values of a text, folded because there can be many.
fn known_values(schema: &Value) -> String {
    let Some(values) = schema[KNOWN_VALUES].as_array() else { return String::new() };
    let list = values.iter().map(|value| format!("<code>{}</code>", escaped(value))).collect::<Vec<_>>().join(" ");
    format!("<details><summary>Known values</summary>{list}</details>")
}

fn write_problems(html: &mut String) {
    html.push_str("<h2 id=\"problems\">Problems</h2><div class=\"scroll\"><table><tr><th>code</th><th>Status</th><th>What to do</th></tr>");
    for problem in problem::Kind::ALL {
        let (code, status) = (problem.code(), problem.status().as_u16());
        // Writing to a string cannot fail.
        let _ = write!(html, "<tr id=\"{code}\"><td><code>{code}</code></td><td>{status}</td>");
        put(html, &["<td><b>", problem.title(), ".</b> ", &prose(&Value::from(problem.help())), "</td></tr>"]);
    }
    html.push_str("</table></div>");
}

/// Describes a schema in a few words, with a link if it has a name.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
        return format!("<a href=\"#type-{0}\">{0}</a>", escape(name));
    }
    for choice in ["oneOf", "anyOf", "allOf"] {
        if let Some(parts) = schema[choice].as_array() {
            let named = parts.iter().filter(|part| part["type"] != "null");
            return named.map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    if schema["type"] == "array" {
        return format!("list of {}", kind(&schema["items"]));
    }
    let word = match &schema["type"] {
        Value::Array(types) => types.iter().find(|word| *word != "null").map(escaped).unwrap_or_default(),
        word => escaped(word),
    };
    let limit =
        |name: &str, words: &str| schema[name].as_u64().map(|limit| format!(", {words} {limit}")).unwrap_or_default();
    let pattern = schema["pattern"].as_str().map(|p| format!(", <code>{}</code>", escape(p))).unwrap_or_default();
    let format = schema["format"].as_str().map(|f| format!(" ({})", escape(f))).unwrap_or_default();
    format!("{word}{format}{}{}{pattern}", limit("minLength", "at least"), limit("maxLength", "at most"))
}

fn members(object: &Value) -> impl Iterator<Item = (&String, &Value)> {
    object.as_object().into_iter().flatten()
}

fn put(html: &mut String, parts: &[&str]) {
    for part in parts {
        html.push_str(part);
    }
}

fn escaped(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

/// Converts text to HTML, with code for what stands between back-quotes.
fn prose(value: &Value) -> String {
    let text = escaped(value);
    let parts = text.split('`').enumerate();
    parts.map(|(i, part)| if i % 2 == 1 { format!("<code>{part}</code>") } else { part.to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verification::Code;

    #[test]
    fn the_page_lists_every_route_problem_and_code_and_loads_nothing() {
        let page = page(&crate::http::openapi::document("1.2.3"));
        for route in crate::http::routes::ROUTES {
            assert!(page.contains(&escape(route.pattern)), "{}", route.pattern);
        }
        for problem in problem::Kind::ALL {
            assert!(page.contains(&format!("id=\"{}\"", problem.code())), "{}", problem.code());
        }
        for code in Code::public() {
            assert!(page.contains(&format!("<code>{code}</code>")), "{code}");
        }
        for foreign in ["<script", "http://", "https://", "src=", "@import", "url("] {
            assert!(!page.contains(foreign), "{foreign}");
        }
    }

    #[test]
    fn text_is_escaped() {
        assert_eq!(prose(&Value::from("a `b<c>` & \"d\"")), "a <code>b&lt;c&gt;</code> &amp; &quot;d&quot;");
    }
}
