//! Document evidence: bytes and readings in, findings out.
//!
//! [`image::prepare`] checks a picture before a provider is paid for it. The providers then say
//! which faces they detect and what they read, and [`judge`] compares: a model's reading with the
//! machine-readable zone, the barcode and the declaration. A model's suspicions can only lower the
//! outcome. What is absent, unknown or illegible never passes.
//!
//! Each module uses only those above it in this list:
//! - [`vocabulary`]: the names and words of a model's answer
//! - [`instruction_text`]: phrases that address the reader of a document instead of its holder
//! - [`image`]: bytes of an upload to a [`image::Prepared`] picture
//! - `normalise`: names, dates, numbers and states in a form that can be compared
//! - [`readings`]: what each source says: a model, the zone, the barcode, the OCR model, the person
//! - `agreement`: the matrix of every field, every reading of it, and whether they agree
//! - [`judge`](mod@judge): observations and the reasons that follow, one question per file

pub mod image;
pub mod instruction_text;
pub mod judge;
pub mod readings;
pub mod vocabulary;

pub(crate) mod agreement;
mod evidence;
mod extracted;
pub(crate) mod normalise;

#[cfg(test)]
mod coverage;
#[cfg(test)]
mod tests;

pub use self::evidence::Evidence;
pub use self::judge::portrait::portrait;
pub use self::judge::presence::front;

use jiff::civil::Date;

use self::agreement::matrix;
use self::extracted::{extracted, scores};
use self::judge::observations::Observations;
use self::judge::{integrity, number_format, ocr_crosscheck, pictures, portrait, presence, prompt_injection, validity};
use self::readings::Readings;
use crate::check::Judgement;
use crate::policy::Policy;

/// Judges a document on the day `today`.
pub fn judge(evidence: &Evidence<'_>, policy: &Policy, today: Date) -> Judgement {
    let readings = Readings::collect(evidence, today);
    let rows = matrix::build(&readings);
    let mut observations = Observations::new(readings.zone.0, readings.ocr.0);
    pictures::observe(evidence, &mut observations);
    presence::sides(evidence, &readings, &mut observations);
    presence::kind(&readings, policy, &mut observations);
    portrait::observe(evidence, &mut observations);
    integrity::suspicions(&readings, &mut observations);
    prompt_injection::observe(evidence, &readings, &mut observations);
    if evidence.front_reading.is_some() {
        presence::zone(&readings, &mut observations);
        presence::barcode(&readings, &mut observations);
        presence::fields(&readings, &rows, &mut observations);
        integrity::agreement(&readings, &rows, &mut observations);
        ocr_crosscheck::observe(&readings, &mut observations);
        validity::dates(&readings, policy, &mut observations);
        validity::issuer(&readings, policy, &mut observations);
        number_format::format(&readings, &mut observations);
    }
    Judgement {
        reasons: observations.into_reasons(policy),
        scores: scores(evidence, &readings),
        extracted: extracted(evidence, &readings, &rows),
    }
}
