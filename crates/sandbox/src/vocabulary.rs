//! The words that the specimen maker, vision and the simulated model share: fields, document types,
//! sides, suspicions.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

/// Kinds of document, as a reader distinguishes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum DocumentType {
    /// The data page of a passport.
    Passport,
    IdentityCard,
    DrivingLicence,
}

/// Side of a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Side {
    /// The side with the portrait.
    Front,
    Back,
}

/// What a suspicion suggests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum SuspicionKind {
    /// A photograph of a display.
    Screen,
    /// A photograph of a print-out.
    PrintedCopy,
    /// A field was printed over.
    AlteredText,
    /// The portrait was exchanged.
    AlteredPortrait,
    /// The layout is not that of a genuine document.
    Template,
}

/// One field of a visual zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// Primary identifier.
    Surname,
    /// Secondary identifier.
    GivenNames,
    /// ISO 8601: `1990-08-12`, or `1990-08` or `1990` where the document prints no more.
    DateOfBirth,
    /// ISO 8601.
    DateOfIssue,
    /// ISO 8601.
    DateOfExpiry,
    DocumentNumber,
    /// Three-letter code.
    Nationality,
    /// `M`, `F` or `X`.
    Sex,
    PlaceOfBirth,
    /// The holder's number in the state's register, where the state prints one.
    PersonalNumber,
    /// The holder's home, on one line.
    Address,
    /// The issuing authority.
    Authority,
    /// Classes of a driving licence.
    VehicleClasses,
}

impl Field {
    pub const ALL: [Self; 13] = [
        Self::Surname,
        Self::GivenNames,
        Self::DateOfBirth,
        Self::DateOfIssue,
        Self::DateOfExpiry,
        Self::DocumentNumber,
        Self::Nationality,
        Self::Sex,
        Self::PlaceOfBirth,
        Self::PersonalNumber,
        Self::Address,
        Self::Authority,
        Self::VehicleClasses,
    ];

    /// Its name in JSON and on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Surname => "surname",
            Self::GivenNames => "given_names",
            Self::DateOfBirth => "date_of_birth",
            Self::DateOfIssue => "date_of_issue",
            Self::DateOfExpiry => "date_of_expiry",
            Self::DocumentNumber => "document_number",
            Self::Nationality => "nationality",
            Self::Sex => "sex",
            Self::PlaceOfBirth => "place_of_birth",
            Self::PersonalNumber => "personal_number",
            Self::Address => "address",
            Self::Authority => "authority",
            Self::VehicleClasses => "vehicle_classes",
        }
    }

    /// The field with that name; hyphens count as underscores.
    pub fn named(name: &str) -> Option<Self> {
        let name = name.replace('-', "_");
        Self::ALL.into_iter().find(|field| field.name() == name)
    }

    pub const fn is_date(self) -> bool {
        matches!(self, Self::DateOfBirth | Self::DateOfIssue | Self::DateOfExpiry)
    }
}

/// The values of a visual zone as printed, except that dates are ISO 8601.
///
/// `None` means not printed on this side, or not readable in this picture.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct VisualFields([Option<String>; Field::ALL.len()]);

impl VisualFields {
    pub fn get(&self, field: Field) -> Option<&str> {
        self.0[field as usize].as_deref()
    }

    /// Sets or clears a field; an empty text clears it.
    pub fn set(&mut self, field: Field, value: Option<&str>) {
        self.0[field as usize] = value.filter(|value| !value.is_empty()).map(str::to_owned);
    }

    #[cfg(test)]
    #[must_use]
    pub fn with(mut self, field: Field, value: &str) -> Self {
        self.set(field, Some(value));
        self
    }
}

impl Serialize for VisualFields {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(Field::ALL.len()))?;
        for field in Field::ALL {
            map.serialize_entry(field.name(), &self.get(field))?;
        }
        map.end()
    }
}
