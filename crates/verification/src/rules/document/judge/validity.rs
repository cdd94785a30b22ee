//! Dates that must lie before or after today, and states whose documents are accepted.

use jiff::ToSpan;
use jiff::civil::Date;

use crate::policy::Policy;
use crate::reason::Code;
use crate::rules::document::judge::observations::{Basis, Observations};
use crate::rules::document::normalise::countries;
use crate::rules::document::normalise::partial_date::PartialDate;
use crate::rules::document::readings::source::Source;
use crate::rules::document::readings::{DateReading, Readings};

/// Longest validity in years; a later date of expiry is misread or invented.
const VALIDITY_YEARS_MAX: i16 = 35;
/// Greatest age of a living person in years.
const AGE_YEARS_MAX: i16 = 125;
/// Days by which a date of issue may lie ahead: time zones.
const TIME_ZONE_DAYS: i32 = 1;

/// Checks validity, age, and whether the dates can be those of one document.
pub fn dates(readings: &Readings<'_>, policy: &Policy, observations: &mut Observations) {
    let (births, issues, expiries) =
        (of_document(readings.births()), of_document(readings.issues()), of_document(readings.expiries()));
    expiry(&expiries, readings.today, policy, observations);
    issue(&issues, readings.today, observations);
    age(&births, readings.today, policy, observations);
    order(&births, &issues, &expiries, readings.today, observations);
}

type Dated = (Source, PartialDate);

fn of_document(readings: Vec<(Source, DateReading)>) -> Vec<Dated> {
    readings
        .into_iter()
        .filter(|(source, _)| *source != Source::Declared)
        .filter_map(|(source, reading)| Some((source, reading.date()?)))
        .collect()
}

fn basis(dates: &[Dated], observations: &Observations) -> Basis {
    observations.basis_of(dates.iter().map(|(source, _)| *source))
}

/// Records an expired document: every reading says so. A difference between readings is recorded
/// elsewhere, and that is enough to stop.
fn expiry(expiries: &[Dated], today: Date, policy: &Policy, observations: &mut Observations) {
    let Some(first) = expiries.iter().map(|(_, date)| date.earliest()).min() else { return };
    let basis = basis(expiries, observations);
    if expiries.iter().all(|(_, date)| date.latest() < today) {
        observations.record(Code::DocumentExpired, basis, format!("expired on {}", expiries[0].1));
    } else if first < today {
        observations.record(
            Code::DocumentDataInconsistent,
            basis,
            "one reading of the date of expiry lies in the past",
        );
    } else if first <= today.saturating_add(i64::from(policy.expires_soon_days).days()) {
        observations.record(Code::DocumentExpiresSoon, basis, format!("expires on {first}"));
    }
    if expiries.iter().any(|(_, date)| date.year() > today.year() + VALIDITY_YEARS_MAX) {
        observations.record(
            Code::DocumentDataInconsistent,
            basis,
            "the date of expiry lies further away than any document is valid",
        );
    }
}

fn issue(issues: &[Dated], today: Date, observations: &mut Observations) {
    let tomorrow = today.saturating_add(TIME_ZONE_DAYS.days());
    if issues.iter().any(|(_, date)| date.earliest() > tomorrow) {
        observations.record(
            Code::DocumentNotYetValid,
            basis(issues, observations),
            "the date of issue lies in the future",
        );
    }
}

/// Records a person under age: every reading says so. A birth without a day may leave it open.
fn age(births: &[Dated], today: Date, policy: &Policy, observations: &mut Observations) {
    if births.is_empty() || policy.minimum_age == 0 {
        return;
    }
    let of_age_on = |birth: Date| birth.saturating_add(i32::from(policy.minimum_age).years());
    let basis = basis(births, observations);
    if births.iter().all(|(_, date)| of_age_on(date.earliest()) > today) {
        observations.record(Code::PolicyUnderAge, basis, format!("younger than {} years", policy.minimum_age));
    } else if births.iter().any(|(_, date)| of_age_on(date.latest()) > today) {
        let detail =
            format!("not every reading shows that the holder is {} years old", policy.minimum_age);
        observations.record(Code::DocumentDataInconsistent, basis, detail);
    }
}

fn order(births: &[Dated], issues: &[Dated], expiries: &[Dated], today: Date, observations: &mut Observations) {
    let mut impossible = Vec::new();
    let before = |a: &[Dated], b: &[Dated]| a.iter().all(|(_, x)| b.iter().all(|(_, y)| x.earliest() <= y.latest()));
    if !before(births, issues) {
        impossible.push("issued before the holder was born");
    }
    if !before(issues, expiries) {
        impossible.push("issued after it expires");
    }
    if births.iter().any(|(_, date)| date.earliest() > today) {
        impossible.push("the holder is not born yet");
    }
    if births.iter().any(|(_, date)| date.year() < today.year() - AGE_YEARS_MAX) {
        impossible.push("the holder would be older than any living person");
    }
    let basis = basis(births, observations).and(basis(issues, observations)).and(basis(expiries, observations));
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
            observations.record(
                Code::DocumentExtractionDisagreement,
                basis,
                "the issuing state is not a known state",
            );
        } else if refused {
            observations.record(Code::DocumentCountryNotAllowed, basis, format!("{state} is not accepted"));
        }
    }
}
