//! A limit on the bytes read of a response: the SDK has none.

use aws_sdk_rekognition::config::interceptors::BeforeDeserializationInterceptorContextMut;
use aws_sdk_rekognition::config::{ConfigBag, Intercept, RuntimeComponents};
use aws_sdk_rekognition::error::BoxError;
use aws_smithy_types::body::SdkBody;
use http_body_util::Limited;

/// Most bytes of a response: twice five pictures of 200 KiB in base64, and some reserve.
const BODY_BYTES_MAX: usize = 4 * 1024 * 1024;

/// The error of a response that announces more than [`BODY_BYTES_MAX`].
#[derive(Debug, thiserror::Error)]
#[error("the response announces more bytes than any real one has")]
pub(super) struct TooLong;

/// Fails a response that grows beyond [`BODY_BYTES_MAX`] while it is read.
#[derive(Debug)]
pub(super) struct BodyLimit;

impl Intercept for BodyLimit {
    fn name(&self) -> &'static str {
        "BodyLimit"
    }

    fn modify_before_deserialization(
        &self,
        context: &mut BeforeDeserializationInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let response = context.response_mut();
        let announced = response.headers().get("content-length").and_then(|length| length.parse().ok());
        if announced.is_some_and(|length: usize| length > BODY_BYTES_MAX) {
            return Err(TooLong.into());
        }
        let body = response.take_body();
        *response.body_mut() = SdkBody::from_body_1_x(Limited::new(body, BODY_BYTES_MAX));
        Ok(())
    }
}
