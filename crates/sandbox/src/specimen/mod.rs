//! The specimen maker: documents of the fictional state of Utopia (UTO), clearly marked SPECIMEN, and people to go with them.
//!
//! A [`Specimen`] says what a document states and what is wrong with it; [`draw`] makes its sides; [`encode`] writes a file. The same
//! specimen always gives the same pixels.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    clippy::many_single_char_names,
    reason = "pixels: coordinates are small numbers, and rounding them is what drawing is"
)]

use image::RgbImage;
use jiff::ToSpan;
use jiff::civil::Date;

use crate::eyes::fields::Field;

use chance::Chance;
use date::PartialDate;
use flaw::{Flaw, FlawKind};

mod aamva;
pub mod args;
pub mod chance;
mod content;
pub mod date;
pub mod document;
pub mod file;
pub mod flaw;
mod guilloche;
pub mod layout;
pub mod mark;
pub mod paint;
pub mod person;
mod photo;
mod qr;
pub mod selfie;
pub mod text;

/// Longest name of a person: with it, the badge still is the smallest code there is.
const LONGEST_SLUG: usize = 22;

/// Kinds of document that can be made.
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

/// What a document says of its holder's sex.
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
    const fn letter(self) -> &'static str {
        match self {
            Self::Female => "F",
            Self::Male => "M",
            Self::Unspecified => "X",
        }
    }

    const fn mrz(self) -> mrz::Sex {
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
    /// In bold type that nobody overlooks
    #[default]
    Large,
    /// In type that a person hardly reads
    Tiny,
    /// In the colour of the paper, almost
    LowContrast,
    /// In a square code only
    Code,
}

/// A text that does not belong on a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ForeignText {
    /// What it says.
    pub text: String,
    /// How it is printed.
    pub style: TextStyle,
}

/// A document to be made.
#[derive(Debug, Clone)]
pub struct Specimen {
    /// What it is.
    pub kind: Kind,
    /// Primary identifier.
    pub surname: String,
    /// Secondary identifier.
    pub given_names: String,
    /// Date of birth, as far as it is known.
    pub birth: PartialDate,
    /// Sex.
    pub sex: Sex,
    /// Three-letter code.
    pub nationality: String,
    /// Town of birth.
    pub place_of_birth: String,
    /// Home: street, town, post code.
    pub address: String,
    /// Number of the document.
    pub number: String,
    /// Number of the person.
    pub personal_number: Option<String>,
    /// Three-letter code of the issuing state.
    pub issuer: String,
    /// Who issued it.
    pub authority: String,
    /// First day of validity.
    pub issued: Date,
    /// Last day of validity.
    pub expires: Date,
    /// It has no last day: fillers in the zone, and what [`Specimen::printed`] says for the date of expiry.
    pub unlimited: bool,
    /// Classes of a driving licence, divided by spaces.
    pub vehicle_classes: String,
    /// Issuer number in the barcode.
    pub aamva_issuer: u32,
    /// Version of the barcode's standard, 1 to 10.
    pub aamva_version: u8,
    /// Two-letter jurisdiction in the barcode's address.
    pub aamva_jurisdiction: String,
    /// Whose portrait it carries.
    pub person: String,
    /// What is wrong.
    pub flaws: Vec<Flaw>,
    /// What is printed on it besides.
    pub texts: Vec<ForeignText>,
    /// What its visual zone prints, letter by letter, where that is not what its machines say: another spelling, the issuer's way to
    /// write a date, a forgery.
    pub printed: Vec<(Field, String)>,
    /// What its barcode says instead of a licence's data.
    pub barcode_text: Option<String>,
    /// Seed of everything that is left to chance.
    pub seed: u64,
    /// The day from which dates that flaws ask for are counted.
    pub today: Date,
}

impl Specimen {
    /// A flawless document of Anna Maria Eriksson that is valid for six more years.
    pub fn new(kind: Kind, seed: u64, today: Date) -> Self {
        let mut chance = Chance::new(seed);
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
            number: number(&mut chance),
            personal_number: Some(number(&mut chance)),
            issuer: "UTO".to_owned(),
            authority: authority(kind).to_owned(),
            issued: expires.saturating_sub(10.years()),
            expires,
            unlimited: false,
            vehicle_classes: "A B BE".to_owned(),
            aamva_issuer: aamva::UTOPIA_ISSUER,
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

    /// With another name, and with the person of that name.
    #[must_use]
    pub fn named(mut self, name: &str) -> Self {
        (self.surname, self.given_names) = split_name(name);
        self.person = slug(&format!("{} {}", self.given_names, self.surname));
        self
    }

    /// With a flaw.
    #[cfg(test)]
    #[must_use]
    pub fn with(mut self, flaw: impl Into<Flaw>) -> Self {
        self.flaws.push(flaw.into());
        self
    }

    /// The flaw of that kind, if it has it.
    pub fn flaw(&self, kind: FlawKind) -> Option<&Flaw> {
        self.flaws.iter().find(|flaw| flaw.kind == kind)
    }

    /// It has that flaw.
    pub fn has(&self, kind: FlawKind) -> bool {
        self.flaw(kind).is_some()
    }

    /// The field that was printed over, where one was.
    fn altered_field(&self) -> Field {
        let asked = self.flaw(FlawKind::AlteredText).and_then(|flaw| flaw.value.as_deref());
        asked.and_then(Field::named).unwrap_or(Field::DateOfExpiry)
    }
}

/// The sides of a document.
#[derive(Debug, Clone)]
pub struct Drawn {
    /// The side with the portrait.
    pub front: RgbImage,
    /// The other side, where the kind has one.
    pub back: Option<RgbImage>,
}

/// Why a specimen cannot be drawn.
#[derive(Debug, thiserror::Error)]
pub enum SpecimenError {
    /// Its codes could not be read after a re-encoding.
    #[error("the texts of one code have {bytes} bytes and at most {at_most} can be read again: shorten them")]
    TooMuchText {
        /// Bytes that were to be stated.
        bytes: usize,
        /// Bytes that a code may state.
        at_most: usize,
    },
}

/// Lines of the machine-readable zone that a specimen carries.
pub fn zone(specimen: &Specimen) -> Vec<String> {
    content::of(specimen).mrz
}

/// Draws a specimen.
pub fn draw(specimen: &Specimen) -> Result<Drawn, SpecimenError> {
    let content = content::of(specimen);
    let (front, back) = match specimen.kind {
        Kind::Passport => (layout::Design::Passport, None),
        Kind::IdentityCard => (layout::Design::CardFront, Some(layout::Design::CardBack)),
        Kind::LargeIdentityCard => (layout::Design::LargeCard, None),
        Kind::DrivingLicence => (layout::Design::LicenceFront, Some(layout::Design::LicenceBack)),
    };
    let side = |design| document::draw(specimen, &content, design);
    Ok(Drawn { front: side(front)?, back: back.map(side).transpose()? })
}

/// `ERIKSSON, ANNA MARIA` or `Anna Maria Eriksson` as surname and given names; one word alone is a surname.
pub fn split_name(name: &str) -> (String, String) {
    let name = name.trim();
    let (given_names, surname) = match name.split_once(',') {
        Some((surname, given_names)) => (given_names, surname),
        None => name.rsplit_once(' ').unwrap_or(("", name)),
    };
    (surname.trim().to_uppercase(), given_names.trim().to_uppercase())
}

/// A text as small letters, digits and single hyphens, cut to what the smallest code carries.
pub fn slug(text: &str) -> String {
    let latin = deunicode::deunicode(text).to_ascii_lowercase();
    let words = latin.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut slug = words.collect::<Vec<_>>().join("-");
    slug.truncate(LONGEST_SLUG);
    slug.trim_end_matches('-').to_owned()
}

/// A document number as Utopia gives them: a letter, six digits, a letter, a digit.
fn number(chance: &mut Chance) -> String {
    let digits = chance.below(1_000_000);
    let (first, last) = (chance.pick(b"CFGHKLMNPRTVWXYZ"), chance.pick(b"CFGHKLMNPRTVWXYZ"));
    format!("{}{digits:06}{}{}", char::from(first), char::from(last), chance.below(10))
}

fn authority(kind: Kind) -> &'static str {
    match kind {
        Kind::Passport => "PASSPORT OFFICE OF UTOPIA",
        Kind::IdentityCard | Kind::LargeIdentityCard => "CIVIL REGISTRY OF ZENITH",
        Kind::DrivingLicence => "ROAD OFFICE, ZENITH",
    }
}

#[cfg(test)]
mod tests;
