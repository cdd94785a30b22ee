//! What a document states and what is wrong with it, before anything is drawn.

use jiff::ToSpan;
use jiff::civil::Date;

use super::date::PartialDate;
use super::flaw::{Flaw, FlawKind};
use super::rng::Rng;
use crate::vocabulary::Field;

/// Issuer number of Utopia in a driving licence's barcode; AAMVA has assigned it to no issuer.
pub const UTOPIA_ISSUER: u32 = 636_999;
/// Longest slug of a person; with a longer one the badge would need a larger QR code.
const SLUG_MAX: usize = 22;

/// Kinds of document that can be drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Kind {
    /// A passport with a TD3 zone.
    Passport,
    /// An identity card with a TD1 zone on its back.
    IdentityCard,
    /// An identity card of the larger size with a TD2 zone on its only side.
    #[value(name = "identity-card-td2")]
    LargeIdentityCard,
    /// A driving licence with a PDF417 barcode on its back.
    #[value(alias = "driving-license")]
    DrivingLicence,
}

/// The holder's sex as a document states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Sex {
    /// F
    #[value(name = "F", alias = "f")]
    Female,
    /// M
    #[value(name = "M", alias = "m")]
    Male,
    /// X in the visual zone, a filler in the machine-readable one
    #[value(name = "X", alias = "x")]
    Unspecified,
}

impl Sex {
    pub const fn letter(self) -> &'static str {
        match self {
            Self::Female => "F",
            Self::Male => "M",
            Self::Unspecified => "X",
        }
    }

    pub const fn mrz(self) -> mrz::Sex {
        match self {
            Self::Female => mrz::Sex::Female,
            Self::Male => mrz::Sex::Male,
            Self::Unspecified => mrz::Sex::Unspecified,
        }
    }
}

/// How a text that does not belong on a document is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, clap::ValueEnum)]
pub enum TextStyle {
    /// In large bold type
    #[default]
    Large,
    /// In type that is almost too small to read
    Tiny,
    /// Almost in the colour of the paper
    LowContrast,
    /// Only in a QR code
    Code,
}

/// A text that does not belong on a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignText {
    pub text: String,
    pub style: TextStyle,
}

/// A document to be drawn.
#[derive(Debug, Clone)]
pub struct Specimen {
    pub kind: Kind,
    /// Primary identifier.
    pub surname: String,
    /// Secondary identifier.
    pub given_names: String,
    /// Date of birth, as far as it is known.
    pub birth: PartialDate,
    pub sex: Sex,
    /// Three-letter code of a state.
    pub nationality: String,
    pub place_of_birth: String,
    /// Street, town and post code of the holder's home.
    pub address: String,
    pub number: String,
    /// The holder's number in the state's register.
    pub personal_number: Option<String>,
    /// Three-letter code of the issuing state.
    pub issuer: String,
    /// The issuing authority.
    pub authority: String,
    /// First day of validity.
    pub issued: Date,
    /// Last day of validity.
    pub expires: Date,
    /// The document has no last day: fillers in the zone, and the text of [`Specimen::printed`] as
    /// the date of expiry.
    pub unlimited: bool,
    /// Classes of a driving licence, divided by spaces.
    pub vehicle_classes: String,
    /// Issuer number in the barcode of a driving licence.
    pub aamva_issuer: u32,
    /// Version of the AAMVA standard in the barcode, 1 to 10.
    pub aamva_version: u8,
    /// Two-letter jurisdiction in the barcode's address.
    pub aamva_jurisdiction: String,
    /// Slug of the person in the portrait.
    pub person: String,
    pub flaws: Vec<Flaw>,
    /// Texts that do not belong on the document.
    pub texts: Vec<ForeignText>,
    /// Exact texts of the visual zone where they differ from the machine-readable data: another
    /// spelling, the issuer's date format, a forgery.
    pub printed: Vec<(Field, String)>,
    /// Text of the barcode instead of a licence's data.
    pub barcode_text: Option<String>,
    /// Seed of the random parts: numbers and noise.
    pub seed: u64,
    /// The day to which the dates of flaws are relative.
    pub today: Date,
}

impl Specimen {
    /// A document of Anna Maria Eriksson without flaws, valid for six more years.
    pub fn new(kind: Kind, seed: u64, today: Date) -> Self {
        let mut rng = Rng::new(seed);
        let expires = today.saturating_add(6.years());
        Self {
            kind,
            surname: "ERIKSSON".to_owned(),
            given_names: "ANNA MARIA".to_owned(),
            birth: PartialDate::from(jiff::civil::date(1990, 8, 12)),
            sex: Sex::Female,
            nationality: "UTO".to_owned(),
            place_of_birth: "ZENITH".to_owned(),
            address: "12 AGORA STREET, ZENITH 1516".to_owned(),
            number: document_number(&mut rng),
            personal_number: Some(document_number(&mut rng)),
            issuer: "UTO".to_owned(),
            authority: authority(kind).to_owned(),
            issued: expires.saturating_sub(10.years()),
            expires,
            unlimited: false,
            vehicle_classes: "A B BE".to_owned(),
            aamva_issuer: UTOPIA_ISSUER,
            aamva_version: 10,
            aamva_jurisdiction: "UP".to_owned(),
            person: slug("ANNA MARIA ERIKSSON"),
            flaws: Vec::new(),
            texts: Vec::new(),
            printed: Vec::new(),
            barcode_text: None,
            seed,
            today,
        }
    }

    /// With another name and the portrait of the person of that name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        (self.surname, self.given_names) = split_name(name);
        self.person = slug(&format!("{} {}", self.given_names, self.surname));
        self
    }

    #[cfg(test)]
    #[must_use]
    pub fn with(mut self, flaw: impl Into<Flaw>) -> Self {
        self.flaws.push(flaw.into());
        self
    }

    /// The flaw of that kind, if the specimen has it.
    pub fn flaw(&self, kind: FlawKind) -> Option<&Flaw> {
        self.flaws.iter().find(|flaw| flaw.kind == kind)
    }

    pub fn has(&self, kind: FlawKind) -> bool {
        self.flaw(kind).is_some()
    }

    /// The field that [`FlawKind::AlteredText`] prints over.
    pub fn altered_field(&self) -> Field {
        let value = self.flaw(FlawKind::AlteredText).and_then(|flaw| flaw.value.as_deref());
        value.and_then(Field::named).unwrap_or(Field::DateOfExpiry)
    }
}

/// Splits `ERIKSSON, ANNA MARIA` or `Anna Maria Eriksson` into surname and given names; a single
/// word is a surname.
pub fn split_name(name: &str) -> (String, String) {
    let name = name.trim();
    let (given_names, surname) = match name.split_once(',') {
        Some((surname, given_names)) => (given_names, surname),
        None => name.rsplit_once(' ').unwrap_or(("", name)),
    };
    (surname.trim().to_uppercase(), given_names.trim().to_uppercase())
}

/// A text as lower-case letters, digits and single hyphens, cut to what the smallest QR code
/// carries.
pub fn slug(text: &str) -> String {
    let latin = deunicode::deunicode(text).to_ascii_lowercase();
    let words = latin.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut slug = words.collect::<Vec<_>>().join("-");
    slug.truncate(SLUG_MAX);
    slug.trim_end_matches('-').to_owned()
}

/// A document number of Utopia: a letter, six digits, a letter, a digit.
pub fn document_number(rng: &mut Rng) -> String {
    let digits = rng.below(1_000_000);
    let (first, last) = (rng.pick(b"CFGHKLMNPRTVWXYZ"), rng.pick(b"CFGHKLMNPRTVWXYZ"));
    format!("{}{digits:06}{}{}", char::from(first), char::from(last), rng.below(10))
}

fn authority(kind: Kind) -> &'static str {
    match kind {
        Kind::Passport => "PASSPORT OFFICE OF UTOPIA",
        Kind::IdentityCard | Kind::LargeIdentityCard => "CIVIL REGISTRY OF ZENITH",
        Kind::DrivingLicence => "ROAD OFFICE, ZENITH",
    }
}
