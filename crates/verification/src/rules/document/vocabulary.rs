//! The names and words of a model's answer: what the answer's schema is made of.

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

/// Properties that every answer must have; an answer without one of them is rejected.
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

/// Names of the properties in `fields`.
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

/// Defines an enumeration of `snake_case` words in which an unknown word becomes the variant that
/// claims least.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident, else $fallback:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Deserialize)]
        #[serde(from = "Value")]
        pub enum $name { $($(#[$variant_doc])* $variant,)+ }

        impl $name {
            /// Every word, as the prompt lists them for the model.
            pub const WORDS: &[&str] = &[$($word,)+];

            /// The word for this variant in the model's answer and in stored records.
            pub const fn as_str(self) -> &'static str {
                match self { $($name::$variant => $word,)+ }
            }

            /// The variant for `word`, in upper or lower case.
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
    /// The kind of document that a picture shows.
    SeenType, else Other {
        /// A passport's data page.
        Passport = "passport",
        /// An identity card.
        IdentityCard = "identity_card",
        /// A driving licence.
        DrivingLicence = "driving_licence",
        /// A visa sticker.
        Visa = "visa",
        /// Another document, or a word that the prompt does not offer.
        Other = "other",
        /// The picture shows no document.
        None = "none",
    }
}

words! {
    /// The side of a document that a picture shows.
    Side, else Unknown {
        /// The side with the portrait.
        Front = "front",
        /// The side without the portrait.
        Back = "back",
        /// The side cannot be recognised.
        Unknown = "unknown",
    }
}

words! {
    /// How well the picture could be read.
    Readable, else Unreadable {
        /// All text can be read.
        Good = "good",
        /// Some text can be read.
        Partial = "partial",
        /// No useful text can be read.
        Unreadable = "unreadable",
    }
}

words! {
    /// A kind of flaw that makes a document suspicious.
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
        /// Layout or fonts differ from the genuine document.
        Template = "template",
        /// A part of the document is covered.
        Covered = "covered",
        /// The document is damaged.
        Damaged = "damaged",
        /// Some text addresses the reader instead of identifying the holder.
        InstructionText = "instruction_text",
        /// Another flaw, or a word that the prompt does not offer.
        Other = "other",
    }
}
