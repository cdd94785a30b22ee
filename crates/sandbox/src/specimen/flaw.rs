//! The flaws that a specimen or its picture can have.

use clap::ValueEnum;
use std::str::FromStr;

use crate::vocabulary::Field;

use super::date::PartialDate;

/// A flaw, with the value that some kinds have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flaw {
    pub kind: FlawKind,
    /// The text after `=` on the command line.
    pub value: Option<String>,
}

/// Kinds of flaw. The first paragraph of each is printed by
/// `sandbox specimen --list-flaws`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum FlawKind {
    /// The document expired last year.
    Expired,
    /// The document becomes valid only next year.
    NotYetValid,
    /// A check digit of the machine-readable zone is wrong
    /// [=number|birth|expiry|personal|composite].
    WrongCheckDigit,
    /// The visual zone prints another name than the machine-readable zone or the barcode [=SURNAME,
    /// GIVEN NAMES].
    OtherName,
    /// The visual zone prints another date of birth [=1985-02-03].
    OtherBirth,
    /// The visual zone prints another document number [=X1234567].
    OtherNumber,
    /// The back belongs to another document.
    OtherBack,
    /// The machine-readable zone is missing.
    NoMrz,
    /// The barcode is missing.
    NoBarcode,
    /// A part of the barcode is torn off.
    BrokenBarcode,
    /// The barcode states another name, date of birth and number than the visual zone.
    OtherBarcode,
    /// The portrait is missing.
    NoPortrait,
    /// Two faces in the portrait [=PERSON].
    TwoFaces,
    /// Another person's portrait, without visible traces [=PERSON].
    OtherPortrait,
    /// Another person's portrait, visibly pasted over the first one [=PERSON].
    AlteredPortrait,
    /// The person in the portrait wears sunglasses.
    Sunglasses,
    /// The person in the portrait has closed eyes.
    EyesClosed,
    /// The person in the portrait wears a mask.
    Masked,
    /// One field was visibly printed over with other type [=the name of a field].
    AlteredText,
    /// The design differs from the genuine one: other type, no security printing.
    Template,
    /// Out of focus [=radius in pixels at full size].
    Blurred,
    /// Far too little light [=share of the light that remains].
    Dark,
    /// A lamp is reflected in the document [=portrait|fields|mrz].
    Glare,
    /// A part of the document is outside the picture [=bottom|top|left|right].
    CutOff,
    /// A hand covers a part of the document.
    Covered,
    /// Too few pixels to be read [=width].
    Small,
    /// A copy in black and white.
    BlackAndWhite,
    /// Photographed from a display.
    Screen,
    /// A photographed print-out.
    PrintedCopy,
    /// The picture shows a desk and no document.
    NotADocument,
}

impl FlawKind {
    /// Its name on the command line.
    pub fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// Its description, in one line.
    pub fn about(self) -> String {
        self.to_possible_value().and_then(|value| value.get_help().map(ToString::to_string)).unwrap_or_default()
    }

    /// What the flaw accepts instead of this value; `None` if the value is valid.
    fn expected_instead(self, value: &str) -> Option<String> {
        let one_of = |choices: &[&str]| (!choices.contains(&value)).then(|| format!("one of {}", choices.join(", ")));
        let number = |low: f32, high: f32| {
            let fits = value.parse().is_ok_and(|number: f32| (low..=high).contains(&number));
            (!fits).then(|| format!("a number from {low} to {high}"))
        };
        match self {
            Self::WrongCheckDigit => one_of(&["number", "birth", "expiry", "personal", "composite"]),
            Self::OtherBirth => PartialDate::from_str(value).err(),
            Self::AlteredText => {
                Field::named(value).is_none().then(|| "the name of a field, such as date_of_birth".into())
            }
            Self::Blurred => number(0.5, 40.0),
            Self::Dark => number(0.02, 1.0),
            Self::Small => number(64.0, 1600.0),
            Self::Glare => one_of(&["portrait", "fields", "mrz"]),
            Self::CutOff => one_of(&["bottom", "top", "left", "right"]),
            Self::OtherName | Self::OtherNumber | Self::OtherPortrait | Self::AlteredPortrait | Self::TwoFaces => None,
            Self::Expired
            | Self::NotYetValid
            | Self::OtherBack
            | Self::NoMrz
            | Self::NoBarcode
            | Self::BrokenBarcode
            | Self::OtherBarcode
            | Self::NoPortrait
            | Self::Sunglasses
            | Self::EyesClosed
            | Self::Masked
            | Self::Template
            | Self::Covered
            | Self::BlackAndWhite
            | Self::Screen
            | Self::PrintedCopy
            | Self::NotADocument => Some("no value".to_owned()),
        }
    }
}

impl From<FlawKind> for Flaw {
    fn from(kind: FlawKind) -> Self {
        Self { kind, value: None }
    }
}

impl FromStr for Flaw {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, value) = text.split_once('=').map_or((text, None), |(name, value)| (name, Some(value)));
        let kind = FlawKind::from_str(name, false)
            .map_err(|_| format!("there is no flaw `{name}`: --list-flaws prints all flaws"))?;
        if let Some(expected) = value.and_then(|value| kind.expected_instead(value)) {
            return Err(format!("`{}` accepts {expected}", kind.name()));
        }
        Ok(Self { kind, value: value.map(str::to_owned) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flaws_are_parsed_by_name_and_value() {
        assert_eq!("expired".parse(), Ok(Flaw::from(FlawKind::Expired)));
        let bob = Flaw { kind: FlawKind::OtherPortrait, value: Some("bob".to_owned()) };
        assert_eq!("other-portrait=bob".parse(), Ok(bob));
        for wrong in ["nonsense", "expired=now", "blurred=much", "cut-off=middle", "other-birth=yesterday"] {
            assert!(wrong.parse::<Flaw>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_flaw_has_a_description() {
        for kind in FlawKind::value_variants() {
            assert!(kind.about().len() > 12, "{}", kind.name());
        }
    }
}
