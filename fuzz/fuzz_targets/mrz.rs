//! Fuzzes transcribed lines of a machine-readable zone: a repaired zone never holds, and parsing is
//! repeatable.
#![no_main]

use identivia_fuzz::TODAY;
use identivia_verification::rules::document::readings::mrz::{Reading, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let lines: Vec<String> = text.lines().take(6).map(str::to_owned).collect();
    let reading = read(&lines, TODAY);
    assert_eq!(reading, read(&lines, TODAY));
    if let Reading::Zone(zone) = reading {
        assert!(!(zone.repaired && zone.holds()));
        assert_eq!(zone.holds(), !zone.repaired && !zone.check_digits.is_empty() && zone.failed().count() == 0);
        assert!(zone.document_number.len() <= 22 && zone.surname.len() + zone.given_names.len() <= 44);
    }
});
