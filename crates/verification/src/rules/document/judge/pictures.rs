//! Flaws of the pictures that were found before a provider read them, and refusals of the model.

use crate::reason::Code;
use crate::rules::document::evidence::Evidence;
use crate::rules::document::judge::observations::{Basis, Observations};

/// Records flaws of the pictures, and pictures that the model refused to read.
pub fn observe(evidence: &Evidence<'_>, observations: &mut Observations) {
    let front = evidence.front.reasons.iter().map(|reason| (reason, Basis::FRONT, "front"));
    let back = evidence.back.iter().flat_map(|back| &back.reasons).map(|reason| (reason, Basis::BACK, "back"));
    for (reason, basis, side) in front.chain(back) {
        // What a file's metadata says stays true in a blurred picture.
        let from_metadata = matches!(reason.code, Code::DocumentDigitallyAltered | Code::DocumentScreenshotOrScan);
        let basis = if from_metadata { Basis::NONE } else { basis };
        observations.record(reason.code, basis, format!("{side}: {}", reason.detail));
    }
    let refused = |side: &str| format!("the model refused to read the {side}");
    if evidence.front_reading.is_none() {
        observations.record(Code::SystemProviderRefused, Basis::NONE, refused("front"));
    }
    if evidence.back.is_some() && evidence.back_reading.is_none() {
        observations.record(Code::SystemProviderRefused, Basis::NONE, refused("back"));
    }
}
