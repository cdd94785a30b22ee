//! Observations about a document, and the picture that each rests on.

use crate::kind::Kind;
use crate::policy::Policy;
use crate::reason::{Category, Code, Disposition, Reason};

use crate::rules::document::readings::source::Source;

/// The pictures that an observation was read from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Basis {
    front: bool,
    back: bool,
}

impl Basis {
    /// No picture: records, a file's metadata, a text that was legible anyway.
    pub const NONE: Basis = Basis { front: false, back: false };
    pub const FRONT: Basis = Basis { front: true, back: false };
    pub const BACK: Basis = Basis { front: false, back: true };

    /// The union of two bases.
    pub const fn and(self, other: Basis) -> Basis {
        Basis { front: self.front || other.front, back: self.back || other.back }
    }

    const fn touches(self, other: Basis) -> bool {
        (self.front && other.front) || (self.back && other.back)
    }
}

/// The observations so far.
#[derive(Debug, Default)]
pub struct Observations {
    said: Vec<(Reason, Basis)>,
    zone: Basis,
    ocr: Basis,
}

impl Observations {
    /// No observations yet, of a document whose machine-readable zone was read on the side `zone`,
    /// and by the OCR model on the side `ocr`.
    pub fn new(zone: Source, ocr: Source) -> Self {
        let basis = |side| if side == Source::Back { Basis::BACK } else { Basis::FRONT };
        Self { said: Vec::new(), zone: basis(zone), ocr: basis(ocr) }
    }

    /// Records `code`, seen on the pictures of `basis`.
    pub fn record(&mut self, code: Code, basis: Basis, detail: impl Into<String>) {
        self.said.push((Reason::new(code, detail), basis));
    }

    /// The picture that a source was read from.
    pub fn basis(&self, source: Source) -> Basis {
        match source {
            Source::Front => Basis::FRONT,
            Source::Back | Source::Barcode => Basis::BACK,
            Source::Mrz => self.zone,
            Source::Ocr => self.ocr,
            Source::Declared => Basis::NONE,
        }
    }

    /// The pictures that several sources were read from.
    pub fn basis_of(&self, sources: impl IntoIterator<Item = Source>) -> Basis {
        sources.into_iter().fold(Basis::NONE, |basis, source| basis.and(self.basis(source)))
    }

    /// The reasons that remain, each code once. What was read from a picture that must be taken
    /// again says nothing about the person.
    pub fn into_reasons(self, policy: &Policy) -> Vec<Reason> {
        let failed = self
            .said
            .iter()
            .filter(|(reason, _)| is_quality(reason.code) && asks_again(policy, reason.code))
            .fold(Basis::NONE, |failed, (_, basis)| failed.and(*basis));
        let mut reasons: Vec<Reason> = Vec::new();
        for (reason, basis) in self.said {
            if basis.touches(failed) && !is_quality(reason.code) {
                continue;
            }
            match reasons.iter_mut().find(|known| known.code == reason.code) {
                Some(known) if known.detail.contains(&reason.detail) => {}
                Some(known) => known.detail = format!("{}; {}", known.detail, reason.detail),
                None => reasons.push(reason),
            }
        }
        reasons
    }
}

/// Whether one of `reasons` asks for another picture.
pub fn asks_for_another_picture(reasons: &[Reason], policy: &Policy) -> bool {
    reasons.iter().any(|reason| is_quality(reason.code) && asks_again(policy, reason.code))
}

/// Whether a code says that the picture is not good enough.
fn is_quality(code: Code) -> bool {
    code.entry().category == Category::UserAction || matches!(code, Code::DocumentPortraitMissing)
}

fn asks_again(policy: &Policy, code: Code) -> bool {
    policy.disposition(code, Kind::Document) == Disposition::Resubmit
}
