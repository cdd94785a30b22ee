//! How fast this process may call each provider.

use super::parsers::{number, wrong};
use super::reader::Reader;
use super::setting::{Parsed, Setting, optional};

pub const AWS_CALLS_PER_SECOND: Setting<f64> = optional(
    "AWS_CALLS_PER_SECOND",
    "50",
    "Rekognition calls started per second: the account's quota divided by the number of sidecars",
    per_second,
);
pub const AWS_CALLS_AT_ONCE: Setting<u32> =
    optional("AWS_CALLS_AT_ONCE", "32", "Rekognition calls at the same time", number::<1, AT_ONCE_MAX>);
pub const OPENAI_CALLS_PER_SECOND: Setting<f64> =
    optional("OPENAI_CALLS_PER_SECOND", "10", "Model calls started per second", per_second);
pub const OPENAI_CALLS_AT_ONCE: Setting<u32> =
    optional("OPENAI_CALLS_AT_ONCE", "16", "Model calls at the same time", number::<1, AT_ONCE_MAX>);
pub const FINGERPRINT_CALLS_PER_SECOND: Setting<f64> =
    optional("FINGERPRINT_CALLS_PER_SECOND", "20", "Fingerprint calls started per second", per_second);
pub const FINGERPRINT_CALLS_AT_ONCE: Setting<u32> =
    optional("FINGERPRINT_CALLS_AT_ONCE", "16", "Fingerprint calls at the same time", number::<1, AT_ONCE_MAX>);

const AT_ONCE_MAX: u32 = 1024;
const PER_SECOND_MIN: f64 = 0.01;
const PER_SECOND_MAX: f64 = 10_000.0;

/// How fast this process may call each provider.
#[derive(Debug, Clone, Copy)]
pub struct Rates {
    /// AWS Rekognition.
    pub aws: Rate,
    /// The model provider.
    pub openai: Rate,
    /// Fingerprint's Server API.
    pub fingerprint: Rate,
}

/// How fast this process may call one provider.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Calls started per second, in the long run.
    pub per_second: f64,
    /// Calls at the same time.
    pub at_once: usize,
}

impl Rates {
    pub(super) fn read(reader: &mut Reader) -> Option<Self> {
        let aws = Rate::read(reader, &AWS_CALLS_PER_SECOND, &AWS_CALLS_AT_ONCE);
        let openai = Rate::read(reader, &OPENAI_CALLS_PER_SECOND, &OPENAI_CALLS_AT_ONCE);
        let fingerprint = Rate::read(reader, &FINGERPRINT_CALLS_PER_SECOND, &FINGERPRINT_CALLS_AT_ONCE);
        Some(Self { aws: aws?, openai: openai?, fingerprint: fingerprint? })
    }
}

impl Rate {
    fn read(reader: &mut Reader, per_second: &Setting<f64>, at_once: &Setting<u32>) -> Option<Self> {
        let (per_second, at_once) = (reader.get(per_second), reader.get(at_once));
        Some(Self { per_second: per_second?, at_once: at_once? as usize })
    }
}

fn per_second(text: &str) -> Parsed<f64> {
    match text.parse() {
        Ok(rate) if (PER_SECOND_MIN..=PER_SECOND_MAX).contains(&rate) => Ok(rate),
        _ => wrong(format!("is not a number from {PER_SECOND_MIN} to {PER_SECOND_MAX}")),
    }
}
