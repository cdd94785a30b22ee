//! Images as Rekognition accepts them: base64 in JSON, PNG or JPEG, at most 5 MiB.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use super::errors::AwsError;
use crate::request_log::{ImageNote, Notes};
use crate::seed::sha256_hex;
use crate::state::Sandbox;
use crate::vision::Analysis;

const IMAGE_BYTES_MAX: usize = 5_242_880;

/// An image and what is in it.
#[derive(Debug)]
pub struct Picture {
    /// Hash of the bytes; the picture's noise follows from it.
    pub hash: String,
    pub analysis: Arc<Analysis>,
}

/// Reads the member `name` of a request.
pub fn read(sandbox: &Sandbox, request: &Value, name: &str, notes: &mut Notes) -> Result<Picture, AwsError> {
    let field = format!("{}{}", name[..1].to_ascii_lowercase(), &name[1..]);
    let image = match &request[name] {
        Value::Null => return Err(AwsError::validation("null", &field, "Member must not be null")),
        image => image,
    };
    let bytes = match (&image["Bytes"], &image["S3Object"]) {
        (Value::String(text), Value::Null) => STANDARD.decode(text).map_err(|_| {
            AwsError::client("SerializationException", "Start of structure or map found where not expected.")
        })?,
        (Value::Null, Value::Object(_)) => {
            let message = "Unable to get object metadata from S3. Check object key, region and/or access permissions.";
            return Err(AwsError::client("InvalidS3ObjectException", message));
        }
        _ => return Err(AwsError::invalid_parameter()),
    };
    notes.images.push(ImageNote::of(&bytes));
    if bytes.is_empty() {
        return Err(AwsError::validation(
            "java.nio.HeapByteBuffer[pos=0 lim=0 cap=0]",
            &format!("{field}.bytes"),
            "Member must have length greater than or equal to 1",
        ));
    }
    if bytes.len() > IMAGE_BYTES_MAX {
        let shown = format!("java.nio.HeapByteBuffer[pos=0 lim={0} cap={0}]", bytes.len());
        return Err(AwsError::validation(
            &shown,
            &format!("{field}.bytes"),
            "Member must have length less than or equal to 5242880",
        ));
    }
    let analysis = sandbox
        .analyse(&bytes)
        .map_err(|_| AwsError::client("InvalidImageFormatException", "Request has invalid image format"))?;
    Ok(Picture { hash: sha256_hex(&bytes), analysis })
}
