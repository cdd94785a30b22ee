//! One case of the drill: a document, the declaration, and the person who takes the liveness
//! challenge.

use jiff::civil::Date;

use crate::specimen::file::Encoding;
use crate::specimen::flaw::{Flaw, FlawKind};
use crate::specimen::rng::Rng;
use crate::specimen::{ForeignText, Kind, Specimen, TextStyle};
use crate::vocabulary::Field;

/// How the model treats instructions on a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Model {
    /// It reports them.
    Honest,
    /// It follows them and does not report them.
    Obeying,
}

impl Model {
    /// Its name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Honest => "honest",
            Self::Obeying => "obeying",
        }
    }
}

/// The nature of a case, and so how it may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nature {
    /// A person with their own valid document; must not be declined.
    Honest,
    /// An attack; must not be approved.
    Hostile,
    /// An attack with instructions on the document; must not be approved, and an honest model must
    /// report the instructions.
    Injection,
}

/// What the person declares; `None` where they declare nothing.
#[derive(Debug, Clone)]
pub struct Declared {
    /// The name as typed.
    pub name: Option<String>,
    /// Date of birth, ISO 8601.
    pub birth: Option<String>,
    /// The document number as typed.
    pub number: Option<String>,
    /// The document type as the facade names it.
    pub document_type: Option<&'static str>,
    pub country: Option<String>,
}

#[derive(Debug, Clone)]
pub struct Case {
    /// `family/what/type`.
    pub name: String,
    /// The attack, or the difficulty of an honest document.
    pub family: &'static str,
    pub nature: Nature,
    pub specimen: Specimen,
    /// How the pictures are encoded as files.
    pub encoding: Encoding,
    pub declared: Declared,
    /// Slug of the person who takes the liveness challenge.
    pub challenger: String,
    pub back: Back,
    /// Width of the uploaded pictures in pixels, if they are scaled down.
    pub width: Option<u32>,
}

/// What is uploaded as the back of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back {
    /// The back of the card, if it has one.
    Own,
    /// The front again.
    Front,
}

/// The facade's name of a kind of document.
pub const fn type_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Passport => "passport",
        Kind::IdentityCard | Kind::LargeIdentityCard => "identity_card",
        Kind::DrivingLicence => "driving_licence",
    }
}

/// The name of a design in the names of cases and in tables.
pub const fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Passport => "passport",
        Kind::IdentityCard => "identity card",
        Kind::LargeIdentityCard => "large identity card",
        Kind::DrivingLicence => "driving licence",
    }
}

/// Every kind of document.
pub const KINDS: [Kind; 4] = [Kind::Passport, Kind::IdentityCard, Kind::LargeIdentityCard, Kind::DrivingLicence];

/// Width of the pictures in a quick drill: they take half the time, and everything printed on them
/// is still legible.
const QUICK_WIDTH: u32 = 1150;

/// Creates the cases of one seed.
pub struct CaseFactory {
    seed: u64,
    model: Model,
    today: Date,
    quick: bool,
}

impl CaseFactory {
    /// A factory; each model has people of its own.
    pub const fn new(seed: u64, model: Model, today: Date) -> Self {
        Self { seed, model, today, quick: false }
    }

    /// With each attack on one kind of document only, half of the names, and smaller pictures, if
    /// `quick`.
    #[must_use]
    pub const fn quick(self, quick: bool) -> Self {
        Self { quick, ..self }
    }

    /// Of the kinds that an attack is possible on, those that it runs on: all, or one by the seed
    /// and the attack's index.
    pub fn kinds<'k>(&self, place: usize, kinds: &'k [Kind]) -> &'k [Kind] {
        let at = usize::try_from(self.seed).unwrap_or_default().wrapping_add(place) % kinds.len();
        if self.quick { &kinds[at..=at] } else { kinds }
    }

    /// Whether the case at an index belongs to the half that a quick drill runs.
    pub fn takes(&self, place: usize) -> bool {
        !self.quick || (usize::try_from(self.seed).unwrap_or_default().wrapping_add(place)).is_multiple_of(2)
    }

    /// A case with a flawless document and a truthful declaration, which `shape` then changes.
    pub fn case(
        &self,
        nature: Nature,
        family: &'static str,
        what: &str,
        kind: Kind,
        shape: impl FnOnce(&mut Case),
    ) -> Case {
        let name = format!("{family}/{what}/{}", kind_name(kind)).replace(' ', "-");
        let mut rng = Rng::from_text(&format!("{} {} {name}", self.seed, self.model.name()));
        let mut specimen = Specimen::new(kind, rng.next(), self.today);
        specimen.person = format!("p{:010x}", rng.next() >> 24);
        let mut case = Case {
            name,
            family,
            nature,
            encoding: Encoding::default(),
            declared: Declared {
                name: Some("Anna Maria Eriksson".to_owned()),
                birth: Some("1990-08-12".to_owned()),
                number: Some(specimen.number.clone()),
                document_type: Some(type_name(kind)),
                country: Some(specimen.issuer.clone()),
            },
            challenger: specimen.person.clone(),
            back: Back::Own,
            width: self.quick.then_some(QUICK_WIDTH),
            specimen,
        };
        shape(&mut case);
        case
    }
}

impl Case {
    /// Adds a flaw, with the value that some flaws have.
    pub fn flaw(&mut self, kind: FlawKind, value: Option<&str>) {
        self.specimen.flaws.push(Flaw { kind, value: value.map(str::to_owned) });
    }

    /// Prints another text in a field of the visual zone.
    pub fn print(&mut self, field: Field, text: &str) {
        self.specimen.printed.push((field, text.to_owned()));
    }

    /// Adds a text that does not belong on the document.
    pub fn text(&mut self, style: TextStyle, text: &str) {
        if style == TextStyle::Code {
            // The modules of the QR code are only a few pixels wide: scaled down, it could not be
            // decoded.
            self.width = None;
        }
        self.specimen.texts.push(ForeignText { text: text.to_owned(), style });
    }
}
