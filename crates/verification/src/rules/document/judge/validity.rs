//! Dates that must lie before or after today, and states whose documents are accepted.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::kind::DocumentType;
use crate::policy::Policy;
use crate::reason::Code;
use crate::rules::document::judge::observations::{Basis, Observations};
use crate::rules::document::normalise::countries;
use crate::rules::document::normalise::partial_date::PartialDate;
use crate::rules::document::readings::source::Source;
use crate::rules::document::readings::{DateReading, Readings};

/// Longest validity of a passport in years; a later date of expiry is misread or invented.
const PASSPORT_YEARS_MAX: i16 = 35;
/// The same of a card: some states print a date fifty years ahead for people over 65 or 70.
const CARD_YEARS_MAX: i16 = 51;
/// Greatest age of a living person in years.
const AGE_YEARS_MAX: i16 = 125;
/// Days by which a date of issue may lie ahead: time zones.
const TIME_ZONE_DAYS: i32 = 1;

/// Checks validity, age, and whether the dates can be those of one document.
///
/// A person is declined when every reading says so. A reading that cannot be read or compared says
/// nothing: it never declines, and beside one that does it needs a person.
pub fn dates(readings: &Readings<'_>, policy: &Policy, observations: &mut Observations) {
    let births = Dates::of_document(readings.births());
    let issues = Dates::of_document(readings.issues());
    let expiries = Dates::of_document(readings.expiries());
    let years_max = match readings.document.document_type {
        DocumentType::Passport => PASSPORT_YEARS_MAX,
        DocumentType::IdentityCard | DocumentType::DrivingLicence => CARD_YEARS_MAX,
    };
    expiry(&expiries, readings.today, years_max, policy, observations);
    issue(&issues, readings.today, observations);
    age(&births, readings.today, policy, observations);
    order(&births, &issues, &expiries, readings.today, observations);
}

/// The readings of one date of the document.
struct Dates {
    sources: Vec<Source>,
    legible: Vec<Dated>,
    /// Whether another reading is there that is no date: it says "never", or it cannot be read.
    others: bool,
}

/// A date, and the first and last day that it can mean.
struct Dated {
    date: PartialDate,
    earliest: Date,
    latest: Date,
}

impl Dates {
    fn of_document(readings: Vec<(Source, DateReading)>) -> Self {
        let of_document: Vec<_> = readings.into_iter().filter(|(source, _)| *source != Source::Declared).collect();
        let legible: Vec<Dated> = of_document
            .iter()
            .filter_map(|(_, reading)| {
                let (earliest, latest) = reading.span()?;
                Some(Dated { date: reading.date()?, earliest, latest })
            })
            .collect();
        let others = legible.len() < of_document.len();
        Self { sources: of_document.into_iter().map(|(source, _)| source).collect(), legible, others }
    }

    /// Whether every reading says so, whatever day it means.
    fn all(&self, says: impl Fn(&Dated) -> bool) -> bool {
        !self.others && !self.legible.is_empty() && self.legible.iter().all(says)
    }

    fn any(&self, says: impl Fn(&Dated) -> bool) -> bool {
        self.legible.iter().any(says)
    }

    fn basis(&self, observations: &Observations) -> Basis {
        observations.basis_of(self.sources.iter().copied())
    }
}

/// Records an expired document: every reading says so. A difference between readings is recorded
/// elsewhere, and that is enough to stop.
fn expiry(expiries: &Dates, today: Date, years_max: i16, policy: &Policy, observations: &mut Observations) {
    let Some(first) = expiries.legible.iter().map(|date| date.earliest).min() else { return };
    let basis = expiries.basis(observations);
    if expiries.all(|date| date.latest < today) {
        let detail = format!("expired on {}", expiries.legible[0].date);
        observations.record(Code::DocumentExpired, basis, detail);
    } else if first < today {
        observations.record(
            Code::DocumentDataInconsistent,
            basis,
            "one reading of the date of expiry lies in the past",
        );
    } else if first <= today.saturating_add(i64::from(policy.expires_soon_days).days()) {
        observations.record(Code::DocumentExpiresSoon, basis, format!("expires on {first}"));
    }
    if expiries.any(|date| date.date.year() > today.year() + years_max) {
        observations.record(
            Code::DocumentDataInconsistent,
            basis,
            "the date of expiry lies further away than any document is valid",
        );
    }
}

/// Records a document from the future: every reading says so.
fn issue(issues: &Dates, today: Date, observations: &mut Observations) {
    let tomorrow = today.saturating_add(TIME_ZONE_DAYS.days());
    let basis = issues.basis(observations);
    if issues.all(|date| date.earliest > tomorrow) {
        observations.record(Code::DocumentNotYetValid, basis, "the date of issue lies in the future");
    } else if issues.any(|date| date.earliest > tomorrow) {
        observations.record(
            Code::DocumentDataInconsistent,
            basis,
            "one reading of the date of issue lies in the future",
        );
    }
}

/// Records a person under age: every reading says so. A birth without a day may leave it open.
fn age(births: &Dates, today: Date, policy: &Policy, observations: &mut Observations) {
    if policy.minimum_age == 0 {
        return;
    }
    let of_age_on = |birth: Date| birth.saturating_add(i32::from(policy.minimum_age).years());
    let basis = births.basis(observations);
    if births.all(|birth| of_age_on(birth.earliest) > today) {
        observations.record(Code::PolicyUnderAge, basis, format!("younger than {} years", policy.minimum_age));
    } else if births.any(|birth| of_age_on(birth.latest) > today) {
        let detail = format!("not every reading shows that the holder is {} years old", policy.minimum_age);
        observations.record(Code::DocumentDataInconsistent, basis, detail);
    }
}

fn order(births: &Dates, issues: &Dates, expiries: &Dates, today: Date, observations: &mut Observations) {
    let mut impossible = Vec::new();
    let before = |a: &Dates, b: &Dates| a.legible.iter().all(|x| b.legible.iter().all(|y| x.earliest <= y.latest));
    if !before(births, issues) {
        impossible.push("issued before the holder was born");
    }
    if !before(issues, expiries) {
        impossible.push("issued after it expires");
    }
    if births.any(|birth| birth.earliest > today) {
        impossible.push("the holder is not born yet");
    }
    if births.any(|birth| birth.latest.year() < today.year() - AGE_YEARS_MAX) {
        impossible.push("the holder would be older than any living person");
    }
    let basis = births.basis(observations).and(issues.basis(observations)).and(expiries.basis(observations));
    for detail in impossible {
        observations.record(Code::DocumentDataInconsistent, basis, detail);
    }
}

/// Checks the issuing state against the operator's lists. Every reading must be acceptable; an
/// unknown state is not.
pub fn issuer(readings: &Readings<'_>, policy: &Policy, observations: &mut Observations) {
    if policy.allowed_countries.is_empty() && policy.denied_countries.is_empty() {
        return;
    }
    let listed = |list: &[String], state: &str| list.iter().any(|entry| countries::same(entry, state));
    for (source, state) in readings.issuing_states().into_iter().filter(|(source, _)| *source != Source::Declared) {
        let basis = observations.basis(source);
        let refused = listed(&policy.denied_countries, &state)
            || (!policy.allowed_countries.is_empty() && !listed(&policy.allowed_countries, &state));
        if countries::code(&state).is_none() {
            observations.record(Code::DocumentExtractionDisagreement, basis, "the issuing state is not a known state");
        } else if refused {
            observations.record(Code::DocumentCountryNotAllowed, basis, format!("{state} is not accepted"));
        }
    }
}
