//! Documents that were used before: the keys a document is recognised by, and what a match means.
//!
//! A document is recognised by its number (type, issuer and number, stored under a keyed hash only)
//! and by the perceptual hash of its front. The number is the strong key: it survives any new
//! photograph. The picture finds the same photograph again, even after its text was altered. One
//! person may use one document as often as they like.

use std::fmt;

use serde::Serialize;
use serde_json::{Value, json};

use crate::check::{Hashes, Judgement};
use crate::kind::DocumentType;
use crate::policy::Policy;
use crate::reason::{Code, Reason};
use crate::records::Verification;
use crate::rules::document::evidence::Evidence;
use crate::rules::document::image::PerceptualHash;
use crate::rules::document::judge::observations;
use crate::rules::document::normalise::countries;
use crate::rules::document::normalise::numbers;
use crate::rules::document::readings::Readings;
use crate::rules::document::readings::source::Source;
use crate::rules::document::vocabulary::Readable;

/// What one document is recognised by.
#[derive(Clone, PartialEq, Eq)]
pub struct DocumentKeys {
    /// Type, issuer and number in one spelling; `None` where they could not be read. Stored under a
    /// keyed hash only.
    pub number: Option<String>,
    /// Perceptual hash of its front.
    pub picture: Option<PerceptualHash>,
}

impl fmt::Debug for DocumentKeys {
    /// Prints no number: it is personal data.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DocumentKeys").field("number", &self.number.is_some()).field("picture", &self.picture).finish()
    }
}

/// The keys of a document. `None` where a picture must be taken again: what was read on it counts
/// neither for nor against a person.
pub fn document_keys(
    evidence: &Evidence<'_>,
    judgement: &Judgement,
    policy: &Policy,
    today: jiff::civil::Date,
) -> Option<DocumentKeys> {
    let reading = evidence.front_reading?;
    if reading.readable == Readable::Unreadable || observations::asks_for_another_picture(&judgement.reasons, policy) {
        return None;
    }
    Some(DocumentKeys { number: number(&Readings::collect(evidence, today)), picture: evidence.front.perceptual_hash })
}

/// The best reading of the number, with what makes it unique.
fn number(readings: &Readings<'_>) -> Option<String> {
    let zone = readings.zone().filter(|zone| zone.holds() && !zone.repaired);
    let from_zone = zone.map(|zone| (zone.document_number.clone(), zone.issuing_state.clone()));
    let barcode = readings.barcode();
    let from_barcode = || Some((barcode?.document_number.clone()?, barcode?.issuing_country()?.to_owned()));
    let printed = || {
        let front = |source: &Source| *source == Source::Front;
        let (_, number) = readings.numbers().into_iter().find(|(source, _)| front(source))?;
        let (_, state) = readings.issuing_states().into_iter().find(|(source, _)| source.is_visual())?;
        Some((number.number, state))
    };
    let (number, state) = from_zone.or_else(from_barcode).or_else(printed)?;
    let state = countries::code(&state).map_or_else(|| state.trim().to_uppercase(), str::to_owned);
    let document_type = readings.document.document_type;
    // Each state or province has its own numbers of licences, and only the barcode tells which one
    // it is.
    let province = match (document_type, barcode) {
        (DocumentType::DrivingLicence, Some(licence)) => licence.issuer.to_string(),
        (DocumentType::DrivingLicence, None) if countries::licences_have_barcode(&state) => return None,
        _ => String::new(),
    };
    let number = numbers::look_alike(&numbers::plain(&number));
    (!number.is_empty() && !state.is_empty()).then(|| format!("{}/{state}/{province}/{number}", document_type.as_str()))
}

/// The key that matched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum MatchedBy {
    /// The number.
    Number,
    /// The perceptual hash of the front.
    Picture {
        /// Bits that differ.
        distance: u32,
    },
}

/// An earlier document check with a key of this document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PriorUse {
    /// Id of the earlier verification.
    pub verification: String,
    /// Id of its user.
    #[serde(skip)]
    pub user: String,
    /// The partner's reference for its person; may be empty.
    #[serde(skip)]
    pub reference: String,
    /// The key that matched.
    #[serde(flatten)]
    pub matched_by: MatchedBy,
}

impl PriorUse {
    /// Whether another person used the document. Two users whom the partner knows under one
    /// reference are one person; only the partner sets references.
    pub fn is_of_another_person(&self, record: &Verification) -> bool {
        let same_reference = !self.reference.is_empty() && self.reference == record.reference;
        self.verification != record.id && self.user != record.user && !same_reference
    }
}

/// What the operators' list says about a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Listing {
    /// Stolen, lost, or its picture is in circulation.
    Compromised,
    /// Not accepted by the operator.
    Blocklisted,
}

impl Listing {
    /// Parses a stored listing. An unknown word counts as the graver one, because an operator put
    /// the document on the list.
    pub fn parse(text: &str) -> Self {
        if text == "blocklisted" { Self::Blocklisted } else { Self::Compromised }
    }

    const fn code(self) -> Code {
        match self {
            Self::Compromised => Code::DocumentCompromised,
            Self::Blocklisted => Code::DocumentBlocklisted,
        }
    }
}

/// An entry of the operators' list that names this document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// Id of the list's record.
    pub record: String,
    /// What the record says.
    pub listing: Listing,
}

/// The result of the search for earlier uses and list entries, as it was at the time. It is stored
/// with the finding, so that a decision can be recomputed after the lists have changed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Duplicates {
    /// The hashes that were searched for and will be stored.
    pub hashes: Hashes,
    /// Earlier uses by other people, each verification once.
    pub others: Vec<PriorUse>,
    /// Entries of the operators' list that name the document.
    pub listed: Vec<Listed>,
    /// Whether more pictures share a band with this one than are compared: a copy may have been
    /// overlooked.
    pub overlooked: bool,
}

impl Duplicates {
    /// Adds the reasons that follow to `judgement`. A second result replaces the first.
    pub fn record_in(&self, judgement: &mut Judgement) {
        judgement.reasons.retain(|reason| {
            !matches!(
                reason.code,
                Code::DocumentCompromised | Code::DocumentBlocklisted | Code::DocumentDuplicateOtherUser
            )
        });
        for listed in &self.listed {
            let code = listed.listing.code();
            if judgement.reasons.iter().all(|reason| reason.code != code) {
                judgement.reasons.push(Reason::new(code, format!("known_documents/{} lists it", listed.record)));
            }
        }
        if let Some(first) = self.others.first() {
            let what = match first.matched_by {
                MatchedBy::Number => "the same document was",
                MatchedBy::Picture { .. } => "the same picture of a document was",
            };
            let detail = format!("{what} submitted by another person in verification {}", first.verification);
            judgement.reasons.push(Reason::new(Code::DocumentDuplicateOtherUser, detail));
        }
        if let Value::Object(extracted) = &mut judgement.extracted {
            extracted.insert("known".to_owned(), self.shown());
        }
    }

    fn shown(&self) -> Value {
        let text = |text: &str| if text.is_empty() { Value::Null } else { text.into() };
        json!({
            "number_hash": text(&self.hashes.number),
            "number_missing_because": self.hashes.number_missing_because,
            "picture_hash": text(&self.hashes.picture),
            "others": self.others,
            "listed": self.listed,
            "overlooked": self.overlooked,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::document::tests::{identity_card, licence, passport};
    use crate::sample::policy;

    fn number_of(submission: &crate::rules::document::tests::Submission) -> Option<String> {
        submission.keys(&policy()).and_then(|keys| keys.number)
    }

    #[test]
    fn a_number_has_one_spelling_from_every_source() {
        let expected = Some("passport/UTO//L898902C3".to_owned());
        assert_eq!(number_of(&passport()), expected);
        let mut misread = passport();
        misread.fields().document_number = Some("No. L8989O2C3".to_owned());
        misread.reading().mrz_lines.clear();
        assert_eq!(number_of(&misread), expected);
        assert_eq!(number_of(&identity_card()), Some("identity_card/UTO//L898902C3".to_owned()));
    }

    #[test]
    fn the_number_of_a_licence_needs_the_province_of_its_barcode() {
        let mut without = licence();
        assert_eq!(number_of(&without), Some("driving_licence/UTO/636999/L898902C3".to_owned()));
        without.back.as_mut().expect("a back").barcodes.clear();
        assert_eq!(number_of(&without), None);
    }

    #[test]
    fn a_picture_that_must_be_taken_again_has_no_keys() {
        let mut blurred = passport();
        blurred.front.reasons = vec![Reason::new(Code::DocumentBlurred, "edges are 9.0 pixels wide")];
        assert_eq!(blurred.keys(&policy()), None);
        let mut unread = passport();
        unread.front_reading = None;
        assert_eq!(unread.keys(&policy()), None);
    }

    #[test]
    fn only_another_person_makes_a_duplicate() {
        let record = Verification {
            id: "verification001".to_owned(),
            user: "user00000000001".to_owned(),
            reference: "customer-1".to_owned(),
            ..Verification::default()
        };
        let seen = |verification: &str, user: &str, reference: &str| PriorUse {
            verification: verification.to_owned(),
            user: user.to_owned(),
            reference: reference.to_owned(),
            matched_by: MatchedBy::Number,
        };
        assert!(!seen("verification001", "user00000000001", "").is_of_another_person(&record));
        assert!(!seen("verification002", "user00000000001", "").is_of_another_person(&record));
        assert!(!seen("verification002", "user00000000002", "customer-1").is_of_another_person(&record));
        assert!(seen("verification002", "user00000000002", "customer-2").is_of_another_person(&record));
        let unnamed = Verification { reference: String::new(), ..record };
        assert!(seen("verification002", "user00000000002", "").is_of_another_person(&unnamed));
    }

    #[test]
    fn a_second_search_replaces_the_first() {
        let mut judgement = Judgement { extracted: json!({}), ..Judgement::default() };
        let listed = vec![Listed { record: "knowndocument01".to_owned(), listing: Listing::Compromised }];
        Duplicates { listed, ..Duplicates::default() }.record_in(&mut judgement);
        assert_eq!(judgement.reasons[0].code, Code::DocumentCompromised);
        assert_eq!(judgement.extracted["known"]["listed"][0]["listing"], "compromised");
        Duplicates::default().record_in(&mut judgement);
        assert_eq!(judgement.reasons, []);
        assert_eq!(judgement.extracted["known"]["listed"], json!([]));
    }
}
