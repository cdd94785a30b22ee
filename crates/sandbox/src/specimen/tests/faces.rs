//! A real face detector finds the drawn faces, and vision reads whose they are.

use std::collections::HashSet;

use image::RgbImage;
use rustface::ImageData;

use super::TODAY;
use super::reread::{Reread, analysis_of};
use crate::specimen::file::{Encoding, encode};
use crate::specimen::flaw::{Flaw, FlawKind};
use crate::specimen::{Kind, Specimen, draw, person, photo, selfie};
use crate::vision::analyse;

#[test]
fn a_real_detector_finds_the_portrait_and_nothing_else() {
    for (number, kind) in
        [Kind::Passport, Kind::IdentityCard, Kind::LargeIdentityCard, Kind::DrivingLicence].into_iter().enumerate()
    {
        let named = Specimen::new(kind, 5, TODAY).named(&format!("TESTER, NUMBER {number}"));
        let count =
            |specimen: &Specimen, width| faces(&photo::scaled(&draw(specimen).expect("drawn").front, width)).len();
        assert_eq!(count(&named, 640), 1, "{kind:?}");
        assert_eq!(count(&named, 800), 1, "{kind:?}");
        assert_eq!(count(&named.clone().with(FlawKind::TwoFaces), 800), 2, "{kind:?}");
        assert_eq!(count(&named.clone().with(FlawKind::NoPortrait), 800), 0, "{kind:?}");
    }
}

#[test]
fn a_real_detector_finds_one_face_in_any_person() {
    for number in 0..20 {
        let picture = selfie::draw(&format!("person-{number}"), selfie::SelfieOptions::default()).picture;
        assert_eq!(faces(&photo::scaled(&picture, 200)).len(), 1, "person-{number}");
    }
}

#[test]
fn a_portrait_cropped_around_the_face_is_still_identified() {
    let specimen = Specimen::new(Kind::Passport, 5, TODAY);
    let drawn = draw(&specimen).expect("drawn");
    let (width, height) = (drawn.front.width() as f32, drawn.front.height() as f32);
    let own = analysis_of(drawn.front.clone(), 1600).faces[0].bounds;
    let detected = faces(&photo::scaled(&drawn.front, 800))[0];
    for (left, top, across, down) in [(own.left, own.top, own.width, own.height), detected] {
        let margin = 0.45;
        let from = (((left - across * margin) * width) as u32, ((top - down * margin) * height) as u32);
        let extent = ((across * (1.0 + 2.0 * margin) * width) as u32, (down * (1.0 + 2.0 * margin) * height) as u32);
        let cut = image::imageops::crop_imm(&drawn.front, from.0, from.1, extent.0, extent.1).to_image();
        let people: Vec<_> = analysis_of(cut, 1600).faces.into_iter().map(|face| face.person).collect();
        assert_eq!(people, ["anna-maria-eriksson"]);
    }
}

#[test]
fn selfies_show_their_person_in_a_small_file() {
    let mut files = HashSet::new();
    for (person, pose) in [
        ("anna", person::Pose::default()),
        // A face with dark skin and dark hair counts as sharp, too.
        ("esasss-ensser-ln-ylqvx", person::Pose::default()),
        ("bob", person::Pose { sunglasses: true, ..person::Pose::default() }),
        ("anna-lookalike", person::Pose { eyes_closed: true, ..person::Pose::default() }),
    ] {
        let drawn =
            selfie::draw(person, selfie::SelfieOptions { pose, sideways: 0.03, ..selfie::SelfieOptions::default() });
        let bytes = encode(&drawn.picture, &Encoding::default()).expect("a JPEG");
        assert!(bytes.len() <= 200 << 10, "{}", bytes.len());
        let analysis = analyse(&bytes).expect("a picture");
        assert!(analysis.document.is_none());
        let [face] = analysis.faces.as_slice() else { panic!("{:?}", analysis.faces) };
        assert_eq!(
            (face.person.as_str(), face.sunglasses, face.eyes_open),
            (person, pose.sunglasses, !pose.eyes_closed)
        );
        assert!(face.sharpness > 80.0, "{person}: {}", face.sharpness);
        assert!(
            (face.bounds.left * 480.0 - drawn.face.x).abs() < 4.0
                && (face.bounds.top * 640.0 - drawn.face.y).abs() < 4.0
        );
        files.insert(bytes);
    }
    assert_eq!(files.len(), 4);
}

#[test]
fn blur_reduces_sharpness_before_the_face_is_lost() {
    let sharpness = |flaw: &str| {
        let specimen = Specimen::new(Kind::IdentityCard, 5, TODAY).with(flaw.parse::<Flaw>().expect("a flaw"));
        Reread::from_small_jpegs(&specimen).front.faces.first().map(|face| face.sharpness)
    };
    let (slight, clear) = (sharpness("blurred=2"), sharpness("expired"));
    assert!(slight.is_none_or(|slight| Some(slight) < clear.map(|clear| clear - 25.0)), "{slight:?} {clear:?}");
    assert_eq!(sharpness("blurred=4"), None);
}

/// The faces that the sidecar's local face detector finds, as ratios.
fn faces(picture: &RgbImage) -> Vec<(f32, f32, f32, f32)> {
    let model: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/face_model.bin"));
    let mut detector = rustface::create_detector_with_model(rustface::read_model(model).expect("the model"));
    detector.set_score_thresh(4.0);
    let light = image::DynamicImage::ImageRgb8(picture.clone()).to_luma8();
    let (width, height) = light.dimensions();
    let found = detector.detect(&ImageData::new(&light, width, height));
    found
        .iter()
        .map(|face| {
            let place = face.bbox();
            let (across, down) = (width as f32, height as f32);
            (
                place.x() as f32 / across,
                place.y() as f32 / down,
                place.width() as f32 / across,
                place.height() as f32 / down,
            )
        })
        .collect()
}
