//! Whether the document shows everything it must: its sides, its kind, its zones, its fields.

use crate::kind::DocumentType;
use crate::policy::Policy;
use crate::reason::{Code, Reason};
use crate::rules::document::agreement::matrix::{Field, Row};
use crate::rules::document::evidence::Evidence;
use crate::rules::document::judge::observations::{Basis, Observations};
use crate::rules::document::normalise::comparison::Agreement;
use crate::rules::document::normalise::countries;
use crate::rules::document::normalise::dates::Expiry;
use crate::rules::document::readings::Readings;
use crate::rules::document::readings::mrz::{Reading, Zone};
use crate::rules::document::readings::source::Source;
use crate::rules::document::readings::transcription::Transcription;
use crate::rules::document::vocabulary::{Readable, SeenType, Side};

/// The picture of the front, without which no check is possible.
///
/// # Errors
/// The reason for a missing front.
pub fn front<T>(picture: Option<T>) -> Result<T, Reason> {
    picture.ok_or_else(|| Reason::new(Code::DocumentMissingFront, "the front picture is not there"))
}

/// Checks that both sides are there, not exchanged, and legible.
pub fn sides(evidence: &Evidence<'_>, readings: &Readings<'_>, observations: &mut Observations) {
    let all_on_front = readings.zone.0 == Source::Front && readings.zone().is_some_and(|zone| zone.format == "td2");
    if evidence.back.is_none() && readings.document.document_type.has_back() && !all_on_front {
        observations.record(Code::DocumentMissingBack, Basis::NONE, "the back was not uploaded");
    }
    for (reading, basis, name, wrong) in
        [(readings.front, Basis::FRONT, "front", Side::Back), (readings.back, Basis::BACK, "back", Side::Front)]
    {
        let Some(reading) = reading else { continue };
        if reading.document_type == SeenType::None {
            observations.record(
                Code::DocumentNotADocument,
                basis,
                format!("the picture of the {name} shows no document"),
            );
        } else if reading.readable == Readable::Unreadable {
            observations.record(Code::DocumentUnreadable, basis, format!("nothing can be read on the {name}"));
        } else if basis == Basis::FRONT && is_another_page(readings) {
            observations.record(
                Code::DocumentPageMissing,
                basis,
                "a page of a passport without anything about its holder",
            );
        } else if reading.side == wrong && readings.document.document_type.has_back() {
            observations.record(
                Code::DocumentWrongSide,
                basis,
                format!("the picture of the {name} shows the other side"),
            );
        }
    }
}

/// Whether a passport's page is another one than the data page: legible, and without any field of
/// its holder.
fn is_another_page(readings: &Readings<'_>) -> bool {
    let Some(front) = readings.front else { return false };
    let fields = &front.fields;
    let stated = [&fields.surname, &fields.given_names, &fields.document_number, &fields.date_of_birth];
    front.document_type == SeenType::Passport
        && front.readable == Readable::Good
        && stated.into_iter().all(Option::is_none)
        && matches!(readings.zone.1, Reading::Absent)
}

/// Checks that the kind of document is accepted, and the same as declared, uploaded and seen.
pub fn kind(readings: &Readings<'_>, policy: &Policy, observations: &mut Observations) {
    let uploaded = readings.document.document_type;
    if !policy.allowed_document_types.is_empty() && !policy.allowed_document_types.contains(&uploaded) {
        observations.record(
            Code::DocumentTypeUnsupported,
            Basis::NONE,
            format!("{} is not accepted", uploaded.as_str()),
        );
    }
    let mut mismatch = |basis: Basis, detail: String| observations.record(Code::DocumentTypeMismatch, basis, detail);
    if let Some(declared) = readings.record.declared_document_type
        && declared != uploaded
    {
        mismatch(Basis::NONE, format!("declared as {}, uploaded as {}", declared.as_str(), uploaded.as_str()));
    }
    if let Some(reading) = readings.front
        && reading.document_type != SeenType::None
        && seen(reading) != Some(uploaded)
    {
        mismatch(
            Basis::FRONT,
            format!("uploaded as {}, looks like {}", uploaded.as_str(), reading.document_type.as_str()),
        );
    }
    let Some(zone) = readings.zone() else { return };
    let basis = observations.basis(Source::Mrz);
    if zone.is_visa() {
        observations.record(Code::DocumentTypeUnsupported, basis, "the machine-readable zone is that of a visa");
    } else if !fits(zone, uploaded) {
        observations.record(
            Code::DocumentTypeMismatch,
            basis,
            format!("uploaded as {}, but the machine-readable zone begins with {}", uploaded.as_str(), zone.code),
        );
    }
}

fn seen(reading: &Transcription) -> Option<DocumentType> {
    match reading.document_type {
        SeenType::Passport => Some(DocumentType::Passport),
        SeenType::IdentityCard => Some(DocumentType::IdentityCard),
        SeenType::DrivingLicence => Some(DocumentType::DrivingLicence),
        SeenType::Visa | SeenType::Other | SeenType::None => None,
    }
}

fn fits(zone: &Zone, uploaded: DocumentType) -> bool {
    match uploaded {
        DocumentType::Passport => zone.code.starts_with('P') && zone.format == "td3",
        DocumentType::IdentityCard => {
            zone.code.starts_with(['I', 'A', 'C', 'P']) && matches!(zone.format, "td1" | "td2")
        }
        DocumentType::DrivingLicence => zone.format == "td1",
    }
}

/// Checks the machine-readable zone, and that there is one where there must be.
pub fn zone(readings: &Readings<'_>, observations: &mut Observations) {
    let basis = observations.basis(Source::Mrz);
    match &readings.zone.1 {
        Reading::Zone(zone) if zone.repaired => observations.record(
            Code::DocumentMrzCheckDigitFailed,
            basis,
            "the lines fit no format; a repaired reading would, which is no evidence",
        ),
        Reading::Zone(zone) => {
            let failed: Vec<&str> = zone.failed().collect();
            if !zone.holds() {
                observations.record(
                    Code::DocumentMrzCheckDigitFailed,
                    basis,
                    format!("check digits do not agree: {}", failed.join(", ")),
                );
            }
        }
        Reading::Unusable(why) => observations.record(Code::DocumentMrzNotDetected, basis, *why),
        Reading::Absent if must_have_zone(readings) => {
            let (side, basis) = zone_side(readings);
            missing(side, basis, Code::DocumentMrzNotDetected, "no machine-readable zone was read", observations);
        }
        Reading::Absent => {}
    }
    if readings.second_zone {
        let both = Basis::FRONT.and(Basis::BACK);
        observations.record(Code::DocumentSidesMismatch, both, "the two sides carry different machine-readable zones");
    }
}

fn must_have_zone(readings: &Readings<'_>) -> bool {
    let states = readings.issuing_states();
    let mut codes = states.iter().filter_map(|(_, state)| countries::code(state));
    match readings.document.document_type {
        DocumentType::Passport => true,
        DocumentType::IdentityCard => codes.any(countries::identity_cards_have_zone),
        DocumentType::DrivingLicence => false,
    }
}

/// The side on which a missing zone would be.
fn zone_side<'a>(readings: &Readings<'a>) -> (Option<&'a Transcription>, Basis) {
    if readings.back.is_some() && readings.document.document_type != DocumentType::Passport {
        (readings.back, Basis::BACK)
    } else {
        (readings.front, Basis::FRONT)
    }
}

/// Records a missing part. On a side that was not wholly legible it may be under a thumb, and the
/// person can show it; otherwise it is not there.
fn missing(side: Option<&Transcription>, basis: Basis, code: Code, detail: &str, observations: &mut Observations) {
    if side.is_some_and(|reading| reading.readable != Readable::Good) {
        observations.record(Code::DocumentUnreadable, basis, format!("{detail}, and not all of that side is legible"));
    } else {
        observations.record(code, basis, detail);
    }
}

/// Checks the barcode, and that there is one where there must be.
pub fn barcode(readings: &Readings<'_>, observations: &mut Observations) {
    match &readings.licence {
        Some(Ok(licence)) => {
            for contradiction in licence.contradictions() {
                observations.record(Code::DocumentBarcodeInvalid, Basis::BACK, contradiction);
            }
        }
        Some(Err(error)) if is_licence(readings) => {
            observations.record(Code::DocumentBarcodeInvalid, Basis::BACK, error.to_string());
        }
        Some(Err(_)) => {}
        None => {
            let states = readings.issuing_states();
            let expected =
                states.iter().filter_map(|(_, state)| countries::code(state)).any(countries::licences_have_barcode);
            if is_licence(readings) && expected && readings.back.is_some() {
                observations.record(
                    Code::DocumentBarcodeNotDetected,
                    Basis::BACK,
                    "no PDF417 barcode could be read on the back",
                );
            }
        }
    }
}

fn is_licence(readings: &Readings<'_>) -> bool {
    readings.document.document_type == DocumentType::DrivingLicence
}

/// Checks the fields without which a person is not identified: printed for people, and confirmed
/// where a machine can also read them.
pub fn fields(readings: &Readings<'_>, rows: &[Row], observations: &mut Observations) {
    // Fields of another page are not illegible.
    if is_another_page(readings) {
        return;
    }
    let unexpiring = readings.expiries().iter().any(|(_, reading)| reading.read == Some(Expiry::Never));
    if unexpiring {
        observations.record(Code::DocumentDataInconsistent, Basis::FRONT, "the document says that it never expires");
    }
    for field in [Field::Name, Field::DateOfBirth, Field::DocumentNumber, Field::DateOfExpiry, Field::IssuingState] {
        let row = rows.iter().find(|row| row.field == field);
        let printed = row.is_some_and(|row| {
            row.readings.iter().any(|shown| shown.source.is_visual() && legible(field, shown.read_as.as_deref()))
        });
        let by_machine = row.is_some_and(|row| {
            row.readings.iter().any(|shown| shown.source.is_machine() && legible(field, shown.read_as.as_deref()))
        });
        let words = field.words();
        match (printed, by_machine) {
            (true, true) => {
                let unconfirmed = row.is_some_and(|row| {
                    let mut pairs = row.between(Source::is_visual, Source::is_machine).peekable();
                    pairs.peek().is_some() && pairs.all(|pair| pair.agreement == Agreement::NotComparable)
                });
                if unconfirmed && !(field == Field::DateOfExpiry && unexpiring) {
                    observations.record(
                        Code::DocumentExtractionDisagreement,
                        Basis::FRONT,
                        format!("the printed {words} cannot be compared with what machines read"),
                    );
                }
            }
            (true, false) if row.is_some_and(|row| row.has(Source::is_machine)) => observations.record(
                Code::DocumentExtractionDisagreement,
                Basis::FRONT,
                format!("the {words} is printed, but machines read it as unknown"),
            ),
            (true, false) => {}
            (false, true) if field == Field::IssuingState => {}
            (false, true) => observations.record(
                Code::DocumentExtractionDisagreement,
                Basis::FRONT,
                format!("the {words} was read by machine only, not where it is printed"),
            ),
            (false, false) if field == Field::DateOfExpiry && may_lack_expiry(readings) => observations.record(
                Code::DocumentDataInconsistent,
                Basis::FRONT,
                "no date of expiry was read; some documents of this type carry none",
            ),
            (false, false) => {
                observations.record(Code::DocumentUnreadable, Basis::FRONT, format!("the {words} could not be read"));
            }
        }
    }
}

fn legible(field: Field, read_as: Option<&str>) -> bool {
    match field {
        Field::DateOfBirth | Field::DateOfExpiry | Field::DateOfIssue => read_as != Some("unreadable"),
        Field::Name
        | Field::DocumentNumber
        | Field::IssuingState
        | Field::Nationality
        | Field::Sex
        | Field::PersonalNumber => true,
    }
}

/// Whether the document may have no date of expiry. Every passport has one.
fn may_lack_expiry(readings: &Readings<'_>) -> bool {
    readings.document.document_type != DocumentType::Passport
        && readings.front.is_some_and(|reading| reading.readable == Readable::Good)
}
