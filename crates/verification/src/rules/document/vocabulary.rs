//! The names and words of a model's answer: what the answer's schema is made of.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// The names every answer must carry; one without them does not answer the question.
pub const PROPERTIES: [&str; 9] = [
    "document_type",
    "issuing_state",
    "side",
    "fields",
    "mrz_lines",
    "readable",
    "suspicions",
    "visible_text",
    "instructions_seen",
];

/// The names inside `fields`.
pub const FIELDS: [&str; 12] = [
    "surname",
    "given_names",
    "document_number",
    "date_of_birth",
    "date_of_expiry",
    "date_of_issue",
    "nationality",
    "sex",
    "place_of_birth",
    "personal_number",
    "address",
    "issuing_authority",
];

/// Enumerations spelled in `snake_case`, where an unknown word falls back to the variant that claims least.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, else $fallback:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(from = "Value")]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every spelling, as the model is told.
            pub const WORDS: &[&str] = &[$($word,)+];

            /// The spelling.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }

            /// The variant spelled `word`, whatever its case.
            pub fn read(word: &str) -> Self {
                match word.trim().to_ascii_lowercase().as_str() { $($word => $name::$variant,)+ _ => $name::$fallback }
            }
        }

        impl From<Value> for $name {
            fn from(value: Value) -> Self {
                Self::read(value.as_str().unwrap_or_default())
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

words! {
    /// What the picture looks like.
    SeenType, else Other {
        /// A passport's data page.
        Passport = "passport",
        /// An identity card.
        IdentityCard = "identity_card",
        /// A driving licence.
        DrivingLicence = "driving_licence",
        /// A visa sticker.
        Visa = "visa",
        /// Another document, or a word that was not offered.
        Other = "other",
        /// No document at all.
        None = "none",
    }
}

words! {
    /// Which side is shown.
    Side, else Unknown {
        /// The side with the portrait.
        Front = "front",
        /// The other one.
        Back = "back",
        /// Cannot be told.
        Unknown = "unknown",
    }
}

words! {
    /// How well the picture could be read.
    Readable, else Unreadable {
        /// All of it.
        Good = "good",
        /// Some of it.
        Partial = "partial",
        /// Nothing useful.
        Unreadable = "unreadable",
    }
}

words! {
    /// What looks wrong.
    SuspicionKind, else Other {
        /// A photo of a screen.
        Screen = "screen",
        /// A photo of a print or photocopy.
        PrintedCopy = "printed_copy",
        /// A screenshot or a scan file.
        Screenshot = "screenshot",
        /// Text was changed.
        AlteredText = "altered_text",
        /// The portrait was changed.
        AlteredPortrait = "altered_portrait",
        /// Layout or fonts are not those of the genuine document.
        Template = "template",
        /// A part is covered.
        Covered = "covered",
        /// The document is damaged.
        Damaged = "damaged",
        /// Text that addresses the reader.
        InstructionText = "instruction_text",
        /// Something else.
        Other = "other",
    }
}
