//! A partner's server in front of the facade: it repeats a request until it is answered, under the
//! same idempotency key.

use reqwest::RequestBuilder;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::person::{Acknowledged, Ledger};
use super::sandbox::Control;
use super::sidecar::API_KEY;
use super::specimen::{BIRTH, FACE, NAME, NUMBER, snapshot};
use super::{PATIENCE, record_id, wait_for};
use crate::harness::ports::Port;

/// A server with an API key.
pub struct Partner {
    /// The address of the facade, also after it crashed and came back.
    pub facade: Port,
    /// For what the person does in a browser.
    pub sandbox: Control,
    /// The writes that were acknowledged.
    pub ledger: Ledger,
}

impl Partner {
    /// Does everything that a partner does for an honest person. Returns the verification's id and
    /// its status at the end.
    pub async fn walk(&self) -> (String, String) {
        let http = reqwest::Client::new();
        let post = |path: &str| http.post(format!("http://{}/api/v1/{path}", self.facade)).header("x-api-key", API_KEY);
        let (key, reference) = (record_id(), format!("customer-{}", record_id()));
        let declared = json!({
            "name": NAME, "date_of_birth": BIRTH, "document_type": "passport", "document_number": NUMBER, "country": "UTO",
        });
        let wish = json!({ "reference": reference, "declared": declared });
        let begun = answered(|| post("verify").header("idempotency-key", &key).json(&wish)).await;
        let id = text(&begun["id"]);
        self.note("verifications", &id, &id);

        let document = answered(|| {
            let part = Part::stream(snapshot().front).file_name("front.jpg").mime_str("image/jpeg");
            let form = Form::new().text("verification_id", id.clone()).text("type", "passport").text("country", "UTO");
            post("document").multipart(form.part("front", part.expect("a media type")))
        })
        .await;
        self.note("documents", &text(&document["document_id"]), &id);

        let event = self.sandbox.device_event(&id).await;
        let mut ask = json!({ "verification_id": id, "device": { "event_id": event } });
        let session = wait_for("the challenge is open", PATIENCE, async || {
            let answer = answered(|| post("liveness").json(&ask)).await;
            if let Some(session) = answer["session_id"].as_str() {
                return Ok(session.to_owned());
            }
            ask = json!({ "verification_id": id, "liveness_session_id": answer["liveness_session_id"] });
            Err(answer.to_string())
        })
        .await;
        self.sandbox.take_challenge(&session, "pass", FACE).await;
        let finish = json!({ "verification_id": id, "session_id": session });
        answered(|| post("liveness").json(&finish)).await;

        let status = wait_for("the verification is final", PATIENCE, async || {
            let path = format!("http://{}/api/v1/status/{id}", self.facade);
            let answer = answered(|| http.get(&path).header("x-api-key", API_KEY)).await;
            if answer["final"] == true { Ok(text(&answer["status"])) } else { Err(answer.to_string()) }
        })
        .await;
        (id, status)
    }

    fn note(&self, collection: &'static str, id: &str, verification: &str) {
        self.ledger.note(Acknowledged { collection, id: id.to_owned(), verification: verification.to_owned() });
    }
}

/// Repeats a request until a 2xx answer arrives, and returns its body.
async fn answered(request: impl Fn() -> RequestBuilder) -> Value {
    wait_for("the facade answers", PATIENCE, async || {
        let answer = request().send().await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let body: Value = answer.json().await.map_err(|error| error.to_string())?;
        if status.is_success() { Ok(body) } else { Err(format!("{status} {body}")) }
    })
    .await
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned()
}
