//! Messages for the person, one for each message key of [`crate::verification::reason`], in
//! English, Spanish, French and German.

use std::collections::HashMap;
use std::sync::LazyLock;

use serde::Deserialize;

/// A language with messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// English, also for every locale without messages.
    English,
    /// Spanish.
    Spanish,
    /// French.
    French,
    /// German.
    German,
}

impl Language {
    const ALL: [Self; 4] = [Self::English, Self::Spanish, Self::French, Self::German];

    /// Returns the language of a locale such as `es` or `de-AT`.
    pub fn of(locale: &str) -> Self {
        match locale.get(..2).unwrap_or_default().to_ascii_lowercase().as_str() {
            "es" => Self::Spanish,
            "fr" => Self::French,
            "de" => Self::German,
            _ => Self::English,
        }
    }

    const fn source(self) -> &'static str {
        match self {
            Self::English => include_str!("en.toml"),
            Self::Spanish => include_str!("es.toml"),
            Self::French => include_str!("fr.toml"),
            Self::German => include_str!("de.toml"),
        }
    }
}

/// Messages of one language.
#[derive(Default, Deserialize)]
struct Catalogue {
    /// Message for a key that has none: a reviewer will check the verification.
    fallback: String,
    /// Messages by the two parts of their keys, such as `document` and `blurred`.
    #[serde(flatten)]
    messages: HashMap<String, HashMap<String, String>>,
}

// The files are part of the program, and a test parses each of them, so the default is never used.
static CATALOGUES: LazyLock<[Catalogue; 4]> =
    LazyLock::new(|| Language::ALL.map(|language| toml::from_str(language.source()).unwrap_or_default()));

/// Returns the message for `key`. A key without a message, from a later version, gets the fallback.
pub fn text(key: &str, language: Language) -> &'static str {
    let catalogue = &CATALOGUES[language as usize];
    let message = key.split_once('.').and_then(|(group, name)| catalogue.messages.get(group)?.get(name));
    message.unwrap_or(&catalogue.fallback)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::verification::Code;
    use crate::verification::reason::Category;

    #[test]
    fn every_key_of_the_catalogue_has_a_message_in_each_language_and_no_message_is_unused() {
        let wanted: BTreeSet<String> = Code::ALL.iter().map(|code| code.entry().message_key.to_owned()).collect();
        for language in Language::ALL {
            // A key that is listed twice is an error of the parser.
            let catalogue: Catalogue = toml::from_str(language.source()).expect("a catalogue");
            let keys = catalogue
                .messages
                .iter()
                .flat_map(|(group, names)| names.keys().map(move |name| format!("{group}.{name}")));
            assert_eq!(keys.collect::<BTreeSet<_>>(), wanted, "{language:?}");
        }
        for key in wanted.iter().map(String::as_str).chain([""]) {
            let texts = BTreeSet::from(Language::ALL.map(|language| text(key, language)));
            assert_eq!(texts.len(), 4, "{key}: two languages share a message");
            for text in texts {
                assert!(text.len() > 20 && text.ends_with('.') && !text.contains("  "), "{key}: {text}");
            }
        }
    }

    /// In each language, a message about a picture asks for something: it contains a verb that says
    /// what to do.
    #[test]
    fn every_message_about_a_picture_says_what_to_do() {
        const ASKS: [(Language, &[&str]); 4] = [
            (Language::English, &["please", "hold", "tilt", "find", "keep", "come", "take"]),
            (
                Language::Spanish,
                &[
                    "fotografíe",
                    "mantenga",
                    "incl",
                    "busque",
                    "muestre",
                    "retire",
                    "tome",
                    "utilice",
                    "acérquese",
                    "compruebe",
                ],
            ),
            (
                Language::French,
                &[
                    "photographiez",
                    "tenez",
                    "inclinez",
                    "trouvez",
                    "montrez",
                    "écartez",
                    "prenez",
                    "utilisez",
                    "rapprochez",
                    "vérifiez",
                ],
            ),
            (Language::German, &["bitte", "halten", "kippen", "suchen", "gehen", "machen"]),
        ];
        let of_pictures = Code::ALL
            .iter()
            .filter(|code| code.as_str().starts_with("document.") && code.entry().category == Category::UserAction);
        for code in of_pictures {
            for (language, words) in ASKS {
                let message = text(code.entry().message_key, language).to_lowercase();
                assert!(words.iter().any(|word| message.contains(word)), "{code}: {message}");
            }
        }
    }

    /// It is shown with every outcome that the other findings lead to, also when declined: so it
    /// promises nothing and asks for nothing.
    #[test]
    fn a_technical_failure_asks_nothing_and_promises_nothing() {
        const NOTHING: [(Language, &str, &[&str]); 4] = [
            (Language::English, "do not need to do anything", &["keep trying", "will", "please", "still"]),
            (Language::Spanish, "no tiene que hacer nada", &["seguimos", "inténtelo", "vamos a"]),
            (Language::French, "rien à faire", &["continuons", "réessayez", "veuillez", "allons"]),
            (Language::German, "nichts tun", &["weiter", "noch", "werden", "bitte"]),
        ];
        for code in [Code::SystemProviderUnavailable, Code::SystemInternalError] {
            for (language, nothing, promises) in NOTHING {
                let message = text(code.entry().message_key, language).to_lowercase();
                assert!(
                    message.contains(nothing) && !promises.iter().any(|word| message.contains(word)),
                    "{code}: {message}"
                );
            }
        }
    }

    #[test]
    fn a_locale_selects_its_language_and_the_default_is_english() {
        for (locale, language) in [
            ("es", Language::Spanish),
            ("fr-CA", Language::French),
            ("de-AT", Language::German),
            ("en-GB", Language::English),
            ("pt", Language::English),
            ("", Language::English),
            ("é", Language::English),
        ] {
            assert_eq!(Language::of(locale), language, "{locale:?}");
        }
        assert!(text("document.blurred", Language::German).contains("unscharf"));
        assert_eq!(
            text("from.the_future", Language::English),
            "A reviewer will look at your verification. You do not need to do anything."
        );
    }
}
