//! Pictures are read in every orientation and format.

use image::DynamicImage;

use super::TODAY;
use super::reread::analysis_of;
use crate::specimen::file::{Encoding, Format, encode};
use crate::specimen::{Kind, Specimen, draw, photo};
use crate::vision::{VisionError, analyse};
use crate::vocabulary::{DocumentType, Field};

#[test]
fn files_of_every_orientation_and_format_are_read_upright() {
    let drawn = draw(&Specimen::new(Kind::IdentityCard, 5, TODAY)).expect("drawn");
    let small = photo::scaled(&drawn.front, 1200);
    for orientation in 1..=8 {
        for format in [Format::Jpeg, Format::Png] {
            let encoding = Encoding {
                format,
                orientation,
                software: Some("Adobe Photoshop 27".to_owned()),
                ..Encoding::default()
            };
            let analysis = analyse(&encode(&small, &encoding).expect("a file")).expect("a picture");
            assert_eq!((analysis.width, analysis.height), (1200, 757), "{format:?} {orientation}");
            let document = analysis.document.expect("a document");
            assert_eq!(document.fields.get(Field::Surname), Some("ERIKSSON"), "{format:?} {orientation}");
        }
    }
    assert!(matches!(analyse(b"GIF89a"), Err(VisionError::UnknownFormat | VisionError::Undecodable(_))));
}

#[test]
fn a_rotated_document_is_read_too() {
    let drawn = draw(&Specimen::new(Kind::Passport, 5, TODAY)).expect("drawn");
    let rotated = DynamicImage::ImageRgb8(drawn.front).rotate90().to_rgb8();
    let analysis = analysis_of(rotated, 800);
    let document = analysis.document.expect("a document");
    assert_eq!(document.document_type, DocumentType::Passport);
    assert_eq!(document.fields.get(Field::GivenNames), Some("ANNA MARIA"));
    assert_eq!(document.mrz_lines.len(), 2);
    assert_eq!(analysis.faces[0].person, "anna-maria-eriksson");
    assert!(
        analysis.faces[0].bounds.left > 0.5,
        "the portrait's top points to the right: {:?}",
        analysis.faces[0].bounds
    );
}
