//! Fuzzes the parser of a licence's barcode: no text makes it panic, and what it returns is
//! bounded.
#![no_main]

use identivia_verification::rules::document::readings::aamva::parse;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(licence) = parse(text) {
        licence.contradictions();
        licence.issuing_country();
        let bounded = |value: &Option<String>| value.as_ref().is_none_or(|value| value.chars().count() <= 200);
        assert!(bounded(&licence.document_number) && bounded(&licence.jurisdiction));
    }
});
