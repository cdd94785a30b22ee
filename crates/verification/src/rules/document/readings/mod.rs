//! What each source says about a document, in one shape.

pub mod aamva;
mod dates;
pub mod mrz;
pub mod ocr;
pub mod source;
pub mod transcription;

use jiff::civil::Date;

use crate::records::{Document, Verification};
use crate::rules::document::evidence::Evidence;
use crate::rules::document::normalise::calendars::Habits;
use crate::rules::document::normalise::countries;
use crate::rules::document::normalise::dates::{Expiry, Role, parse, parse_expiry};
use crate::rules::document::normalise::names::Name;
use crate::rules::document::readings::aamva::{Licence, NotALicence};
use crate::rules::document::readings::dates::{settle, settle_never};
use crate::rules::document::readings::mrz::Zone;
use crate::rules::document::readings::ocr::OcrReading;
use crate::rules::document::readings::source::Source;
use crate::rules::document::readings::transcription::{Fields, Transcription};

pub use crate::rules::document::readings::dates::DateReading;

/// All readings of one document.
pub struct Readings<'a> {
    /// The front's visual zone.
    pub front: Option<&'a Transcription>,
    /// The back's visual zone.
    pub back: Option<&'a Transcription>,
    /// The machine-readable zone that counts, and the side it was read on.
    pub zone: (Source, mrz::Reading),
    /// Whether the other side carries a second zone that says something else.
    pub second_zone: bool,
    /// The OCR model's reading of a zone, and the side it was read on.
    pub ocr: (Source, Option<&'a OcrReading>),
    /// The barcode, parsed as that of a licence.
    pub licence: Option<Result<Licence, NotALicence>>,
    /// What the person declared.
    pub record: &'a Verification,
    /// The uploaded document's record.
    pub document: &'a Document,
    /// The day of the check.
    pub today: Date,
    habits: Habits,
}

impl<'a> Readings<'a> {
    /// Parses what was read; `today` decides centuries.
    pub fn collect(evidence: &Evidence<'a>, today: Date) -> Self {
        let (front, back) = (evidence.front_reading, evidence.back_reading);
        let zone_of = |reading: Option<&Transcription>| {
            reading.map_or(mrz::Reading::Absent, |reading| mrz::read(&reading.mrz_lines, today))
        };
        let (zone, second_zone) = choose((Source::Front, zone_of(front)), (Source::Back, zone_of(back)));
        let barcodes = evidence.back.map(|back| back.barcodes.as_slice()).unwrap_or_default();
        let mut readings = Self {
            front,
            back,
            zone,
            second_zone,
            ocr: ocr::reading::better_side(evidence.front_ocr, evidence.back_ocr),
            licence: best_licence(barcodes),
            record: evidence.record,
            document: evidence.document,
            today,
            habits: Habits::UNKNOWN,
        };
        readings.habits = readings.printed_by().map_or(Habits::UNKNOWN, Habits::of);
        readings
    }

    /// The zone, if one was parsed.
    pub fn zone(&self) -> Option<&Zone> {
        match &self.zone.1 {
            mrz::Reading::Zone(zone) => Some(zone),
            mrz::Reading::Absent | mrz::Reading::Unusable(_) => None,
        }
    }

    /// The barcode, if it is that of a licence.
    pub fn barcode(&self) -> Option<&Licence> {
        self.licence.as_ref().and_then(|licence| licence.as_ref().ok())
    }

    /// The zone that the model reports for one side.
    pub fn zone_on(&self, side: Source) -> Option<Box<Zone>> {
        let reading = if side == Source::Back { self.back } else { self.front };
        match mrz::read(&reading?.mrz_lines, self.today) {
            mrz::Reading::Zone(zone) => Some(zone),
            mrz::Reading::Absent | mrz::Reading::Unusable(_) => None,
        }
    }

    /// The zone as the OCR model read it, where it holds. It is used in the matrix only: findings
    /// follow from what was read by the usual way.
    pub fn ocr_zone(&self) -> Option<&'a Zone> {
        self.ocr.1.and_then(OcrReading::holds)
    }

    /// The visual zones that were read, by side.
    pub fn visual(&self) -> impl Iterator<Item = (Source, &'a Transcription)> {
        let front = self.front.map(|reading| (Source::Front, reading));
        let back = self.back.map(|reading| (Source::Back, reading));
        front.into_iter().chain(back)
    }

    fn visual_text(&self, of: impl Fn(&'a Fields) -> Option<&'a String>) -> Vec<(Source, &'a str)> {
        self.visual().filter_map(|(source, reading)| of(&reading.fields).map(|text| (source, text.as_str()))).collect()
    }

    /// The holder's name by each source.
    pub fn names(&self) -> Vec<(Source, Name<'_>)> {
        let mut names: Vec<(Source, Name<'_>)> = self
            .visual()
            .map(|(source, reading)| {
                let fields = &reading.fields;
                (source, Name::divided(fields.surname.as_deref(), fields.given_names.as_deref()))
            })
            .collect();
        if let Some(zone) = self.zone() {
            let name = Name::divided(Some(&zone.surname), Some(&zone.given_names));
            names.push((Source::Mrz, Name { truncated: zone.names_truncated, ..name }));
        }
        if let Some(licence) = self.barcode() {
            let name = Name::divided(licence.surname.as_deref(), licence.given_names.as_deref());
            names.push((Source::Barcode, Name { truncated: licence.names_truncated, ..name }));
        }
        names.push((Source::Declared, Name::whole(&self.record.declared_name)));
        names.retain(|(_, name)| !name.is_empty());
        names
    }

    /// The state by whose habits dates are read: the one that machines read, or else the printed
    /// one.
    fn printed_by(&self) -> Option<&'static str> {
        let states = self.issuing_states();
        let of = |kind: fn(Source) -> bool| {
            states.iter().filter(|(source, _)| kind(*source)).find_map(|(_, state)| countries::code(state))
        };
        of(Source::is_machine).or_else(|| of(Source::is_visual))
    }

    /// The date of birth by each source.
    pub fn births(&self) -> Vec<(Source, DateReading)> {
        self.dates(Role::Birth, None)
    }

    /// The date of issue by each source.
    pub fn issues(&self) -> Vec<(Source, DateReading)> {
        self.dates(Role::Issue, None)
    }

    /// The date of expiry by each source.
    pub fn expiries(&self) -> Vec<(Source, DateReading)> {
        self.dates(Role::Expiry, None)
    }

    /// A date by each source and, where it is given, by the zone that the OCR model read.
    pub fn dates(&self, role: Role, ocr: Option<&Zone>) -> Vec<(Source, DateReading)> {
        let printed = self.visual_text(|fields| match role {
            Role::Birth => fields.date_of_birth.as_ref(),
            Role::Issue => fields.date_of_issue.as_ref(),
            Role::Expiry => fields.date_of_expiry.as_ref(),
        });
        let read = |text: &str| match role {
            Role::Expiry => parse_expiry(text, &self.habits, self.today),
            Role::Birth | Role::Issue => parse(text, role, &self.habits, self.today).map(Expiry::On),
        };
        let mut dates: Vec<(Source, DateReading)> = printed
            .into_iter()
            .map(|(source, text)| (source, DateReading { shown: text.to_owned(), read: read(text) }))
            .collect();
        // Whether a zone has such a date, and whether it is legible.
        let in_zone = |zone: &Zone| {
            let date = match role {
                Role::Birth => zone.date_of_birth,
                Role::Expiry => zone.date_of_expiry,
                Role::Issue => return None,
            };
            Some(date.map_or_else(DateReading::unreadable, DateReading::of_zone))
        };
        let in_barcode = |licence: &Licence| match role {
            Role::Birth => licence.date_of_birth,
            Role::Issue => licence.date_of_issue,
            Role::Expiry => licence.date_of_expiry,
        };
        dates.extend(self.zone().and_then(in_zone).map(|date| (Source::Mrz, date)));
        dates.extend(self.barcode().map(|licence| {
            let date = in_barcode(licence).map_or_else(DateReading::unreadable, DateReading::known);
            (Source::Barcode, date)
        }));
        if role == Role::Birth {
            let declared = self.record.declared_date_of_birth;
            dates.extend(declared.map(|date| (Source::Declared, DateReading::known(date.into()))));
        }
        dates.extend(ocr.and_then(in_zone).map(|date| (Source::Ocr, date)));
        settle(&mut dates);
        if role == Role::Expiry {
            settle_never(&mut dates, &self.issues());
        }
        dates
    }

    /// Document numbers, each with the other numbers that its source prints.
    pub fn numbers(&self) -> Vec<(Source, NumberReading)> {
        let mut numbers: Vec<(Source, NumberReading)> = self
            .visual()
            .filter_map(|(source, reading)| {
                let number = reading.fields.document_number.clone()?;
                let others = reading.fields.personal_number.iter().cloned().collect();
                Some((source, NumberReading { number, others }))
            })
            .collect();
        if let Some(zone) = self.zone() {
            let number = zone.document_number.clone();
            numbers.push((Source::Mrz, NumberReading { number, others: zone.optional.clone() }));
        }
        if let Some(number) = self.barcode().and_then(|licence| licence.document_number.clone()) {
            numbers.push((Source::Barcode, NumberReading { number, others: Vec::new() }));
        }
        if !self.record.declared_document_number.trim().is_empty() {
            let number = self.record.declared_document_number.clone();
            numbers.push((Source::Declared, NumberReading { number, others: Vec::new() }));
        }
        numbers
    }

    /// The issuing state by each source.
    pub fn issuing_states(&self) -> Vec<(Source, String)> {
        let visual = self.visual().filter_map(|(source, reading)| {
            let printed = reading.issuing_state.clone()?;
            Some((source, self.country_of_province(&printed).unwrap_or(printed)))
        });
        let zone = self.zone().map(|zone| (Source::Mrz, zone.issuing_state.clone()));
        let barcode = self.barcode().and_then(|licence| Some((Source::Barcode, licence.issuing_country()?.to_owned())));
        let declared = [&self.document.country, &self.record.declared_country]
            .into_iter()
            .find(|country| !country.trim().is_empty())
            .map(|country| (Source::Declared, country.clone()));
        visual.chain(zone).chain(barcode).chain(declared).filter(|(_, state)| !state.trim().is_empty()).collect()
    }

    /// The country of a licence that names its state or province: `CA` is California next to a
    /// barcode of California, and Georgia may be a state of the USA.
    fn country_of_province(&self, printed: &str) -> Option<String> {
        let licence = self.barcode()?;
        let province = licence.issuer_jurisdiction?;
        let named = printed.trim().eq_ignore_ascii_case(province)
            || (province == "GA" && printed.trim().eq_ignore_ascii_case("georgia"));
        if named { licence.issuing_country().map(str::to_owned) } else { None }
    }

    /// The nationality by each source.
    pub fn nationalities(&self) -> Vec<(Source, String)> {
        let visual = self.visual_text(|fields| fields.nationality.as_ref());
        let zone = self.zone().map(|zone| (Source::Mrz, zone.nationality.clone()));
        visual
            .into_iter()
            .map(|(source, text)| (source, text.to_owned()))
            .chain(zone)
            .filter(|(_, text)| !text.is_empty())
            .collect()
    }

    /// The sex by each source.
    pub fn sexes(&self) -> Vec<(Source, String)> {
        let visual =
            self.visual_text(|fields| fields.sex.as_ref()).into_iter().map(|(source, text)| (source, text.to_owned()));
        let zone = self.zone().map(|zone| (Source::Mrz, zone.sex.to_string()));
        let barcode = self.barcode().and_then(|licence| Some((Source::Barcode, licence.sex?.to_string())));
        visual.chain(zone).chain(barcode).collect()
    }

    /// The personal number by each source.
    pub fn personal_numbers(&self) -> Vec<(Source, NumberReading)> {
        let visual = self
            .visual_text(|fields| fields.personal_number.as_ref())
            .into_iter()
            .map(|(source, text)| (source, NumberReading { number: text.to_owned(), others: Vec::new() }));
        let zone = self.zone().into_iter().flat_map(|zone| {
            zone.optional.iter().map(|text| (Source::Mrz, NumberReading { number: text.clone(), others: Vec::new() }))
        });
        visual.chain(zone).collect()
    }
}

/// A number, with other numbers that the same source prints.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NumberReading {
    /// The number as read.
    pub number: String,
    /// Other numbers of the same source.
    pub others: Vec<String>,
}

/// Chooses the zone that counts: one that holds before one that does not, then the front's before
/// the back's. The flag says whether both sides carry zones that differ.
fn choose(front: (Source, mrz::Reading), back: (Source, mrz::Reading)) -> ((Source, mrz::Reading), bool) {
    let rank = |reading: &mrz::Reading| match reading {
        mrz::Reading::Zone(zone) if zone.holds() => 3,
        mrz::Reading::Zone(_) => 2,
        mrz::Reading::Unusable(_) => 1,
        mrz::Reading::Absent => 0,
    };
    let second = match (&front.1, &back.1) {
        (mrz::Reading::Zone(a), mrz::Reading::Zone(b)) => {
            a.document_number != b.document_number || a.date_of_birth != b.date_of_birth || a.surname != b.surname
        }
        _ => false,
    };
    if rank(&back.1) > rank(&front.1) { (back, second) } else { (front, second) }
}

/// The first barcode that is a licence, or the error of the first barcode.
fn best_licence(barcodes: &[String]) -> Option<Result<Licence, NotALicence>> {
    let mut read = barcodes.iter().map(|text| aamva::parse(text));
    let first = read.next()?;
    if first.is_ok() { Some(first) } else { Some(read.find(Result::is_ok).unwrap_or(first)) }
}
