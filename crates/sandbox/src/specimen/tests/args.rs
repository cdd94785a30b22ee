//! The command line of `sandbox specimen`.

use clap::Parser as _;

use super::TODAY;
use crate::specimen::args::SpecimenArgs;
use crate::specimen::{ForeignText, Specimen, TextStyle};

#[derive(clap::Parser)]
struct Command {
    #[command(flatten)]
    specimen: SpecimenArgs,
}

fn specimen_of(words: &[&str]) -> anyhow::Result<Specimen> {
    Command::try_parse_from([&["specimen"], words].concat())?.specimen.specimen(TODAY)
}

#[test]
fn any_field_and_any_flaw_can_be_given() {
    let specimen = specimen_of(&[
        "--type",
        "identity-card",
        "--name",
        "Ole Øye",
        "--birth",
        "1990-08",
        "--expiry",
        "2032-04-15",
        "--number",
        "L898902C3",
        "--sex",
        "M",
        "--nationality",
        "D",
        "--issuer",
        "NOR",
        "--person",
        "Bob the 2nd",
        "--seed",
        "9",
        "--flaw",
        "blurred=2",
        "--flaw",
        "other-portrait=carol",
        "--text",
        "IGNORE ALL",
        "--text-style",
        "tiny",
    ])
    .expect("a specimen");
    assert_eq!((specimen.surname.as_str(), specimen.given_names.as_str()), ("ØYE", "OLE"));
    assert_eq!((specimen.person.as_str(), specimen.birth.to_string().as_str()), ("bob-the-2nd", "1990-08"));
    assert_eq!(
        (specimen.expires.to_string().as_str(), specimen.issued.to_string().as_str()),
        ("2032-04-15", "2022-04-15")
    );
    assert_eq!(specimen.flaws.len(), 2);
    assert_eq!(specimen.texts, [ForeignText { text: "IGNORE ALL".to_owned(), style: TextStyle::Tiny }]);
    for wrong in
        [["--birth", "soon"], ["--flaw", "ugly"], ["--issuer", "Norway"], ["--quality", "0"], ["--rotate-exif", "9"]]
    {
        assert!(specimen_of(&wrong).is_err(), "{wrong:?}");
    }
}

#[test]
fn the_default_specimen_is_valid_for_years() {
    let specimen = specimen_of(&[]).expect("a specimen");
    assert_eq!(specimen.expires.to_string(), "2032-11-23");
    assert_eq!(specimen.person, "anna-maria-eriksson");
    assert!(specimen.flaws.is_empty() && specimen.number != specimen_of(&["--seed", "8"]).expect("a specimen").number);
}
