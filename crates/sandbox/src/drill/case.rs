//! One case of the drill: a document, what is declared with it, and who takes the challenge.

use jiff::civil::Date;

use crate::eyes::fields::Field;
use crate::specimen::chance::Chance;
use crate::specimen::file::Encoding;
use crate::specimen::flaw::{Flaw, FlawKind};
use crate::specimen::{ForeignText, Kind, Specimen, TextStyle};

/// How the model takes text that instructs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, clap::ValueEnum)]
pub enum Model {
    /// It reports it.
    Honest,
    /// It does as it is told and keeps quiet.
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

/// What a case is, and so how it may end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Nature {
    /// A person with their own valid document: never declined.
    Honest,
    /// Somebody who must not get through: never approved.
    Hostile,
    /// The same with text that instructs: never approved, and noticed by a model that reports it.
    Injection,
}

/// What the person says about themselves. `None`: nothing.
#[derive(Debug, Clone)]
pub struct Declared {
    /// Name, as typed.
    pub name: Option<String>,
    /// Day of birth, ISO 8601.
    pub birth: Option<String>,
    /// Number of the document, as typed.
    pub number: Option<String>,
    /// Type of document, as the facade spells it.
    pub document_type: Option<&'static str>,
    /// Issuing state.
    pub country: Option<String>,
}

/// One case.
#[derive(Debug, Clone)]
pub struct Case {
    /// `family/what/type`.
    pub name: String,
    /// Which attack, or which honest difficulty.
    pub family: &'static str,
    /// How it may end.
    pub nature: Nature,
    /// The document.
    pub specimen: Specimen,
    /// How its pictures become files.
    pub encoding: Encoding,
    /// What is declared with it.
    pub declared: Declared,
    /// Who takes the liveness challenge.
    pub challenger: String,
    /// What is handed in as the back.
    pub back: Back,
    /// Pixels across of what is handed in, where that is less than what is drawn.
    pub width: Option<u32>,
}

/// What is handed in as the back of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Back {
    /// Its back.
    Own,
    /// The front once more.
    Front,
}

/// The facade's word for a kind of document.
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

/// A quick drill hands in pictures of this width: they cost half as much, and everything printed on them can still be read.
const QUICK_WIDTH: u32 = 1150;

/// Makes cases of one seed.
pub struct Maker {
    seed: u64,
    model: Model,
    today: Date,
    quick: bool,
}

impl Maker {
    /// From a seed; each model gets people of its own.
    pub const fn new(seed: u64, model: Model, today: Date) -> Self {
        Self { seed, model, today, quick: false }
    }

    /// With each attack on one kind of document only, half of the names, and smaller pictures.
    #[must_use]
    pub const fn quick(self, quick: bool) -> Self {
        Self { quick, ..self }
    }

    /// Of the kinds that an attack can be made on, those that it is made on; the seed and the attack's place say which where it is one.
    pub fn kinds<'k>(&self, place: usize, kinds: &'k [Kind]) -> &'k [Kind] {
        let at = usize::try_from(self.seed).unwrap_or_default().wrapping_add(place) % kinds.len();
        if self.quick { &kinds[at..=at] } else { kinds }
    }

    /// Whether the case at a place belongs to the half that a quick drill takes.
    pub fn takes(&self, place: usize) -> bool {
        !self.quick || (usize::try_from(self.seed).unwrap_or_default().wrapping_add(place)).is_multiple_of(2)
    }

    /// A flawless document of somebody who tells the truth. `shape` makes of it what the case is about.
    pub fn case(
        &self,
        nature: Nature,
        family: &'static str,
        what: &str,
        kind: Kind,
        shape: impl FnOnce(&mut Case),
    ) -> Case {
        let name = format!("{family}/{what}/{}", kind_name(kind)).replace(' ', "-");
        let mut chance = Chance::of(&format!("{} {} {name}", self.seed, self.model.name()));
        let mut specimen = Specimen::new(kind, chance.next(), self.today);
        specimen.person = format!("p{:010x}", chance.next() >> 24);
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
    /// With a flaw, and the value that some take.
    pub fn flaw(&mut self, kind: FlawKind, value: Option<&str>) {
        self.specimen.flaws.push(Flaw { kind, value: value.map(str::to_owned) });
    }

    /// With another text in a field of its visual zone.
    pub fn print(&mut self, field: Field, text: &str) {
        self.specimen.printed.push((field, text.to_owned()));
    }

    /// With a text that does not belong there.
    pub fn text(&mut self, style: TextStyle, text: &str) {
        if style == TextStyle::Code {
            // Its modules are a few pixels wide as they are.
            self.width = None;
        }
        self.specimen.texts.push(ForeignText { text: text.to_owned(), style });
    }
}
