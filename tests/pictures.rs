//! How the quality thresholds treat specimens: flawless ones raise nothing at the sizes and
//! qualities that phones send; flawed ones raise the code that tells the person what to improve.

use std::io::Cursor;
use std::path::{Path, PathBuf};
use std::process::Command;

use identivia::verification::Code;
use identivia::verification::rules::document::image::{Limits, PerceptualHash, Prepared, prepare};
use identivia::verification::rules::document::readings::aamva;
use identivia::verification::rules::document::vocabulary::Side;
use image::codecs::jpeg::JpegEncoder;
use image::imageops::FilterType;

/// Draws a specimen and returns the pictures of its sides.
fn specimen(folder: &Path, document_type: &str, more: &[&str]) -> (Vec<u8>, Option<Vec<u8>>) {
    let front = folder.join("specimen.jpg");
    let back = folder.join("specimen-back.jpg");
    let old = [&front, &back].into_iter().filter(|file| file.exists());
    old.for_each(|file| std::fs::remove_file(file).expect("a file of ours"));
    let drawn = Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .args(["specimen", "--type", document_type, "--quality", "80", "--out"])
        .arg(&front)
        .args(more)
        .output()
        .expect("the sandbox runs");
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
    let read = |path: PathBuf| std::fs::read(path).ok();
    (read(front).expect("a front"), read(back))
}

/// Scales the picture to what a phone would send.
fn scaled(picture: &[u8], longest: u32) -> Vec<u8> {
    let picture = image::load_from_memory(picture).expect("a picture").resize(longest, longest, FilterType::Lanczos3);
    let mut jpeg = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut jpeg, 80).encode_image(&picture.into_rgb8()).expect("a picture");
    jpeg.into_inner()
}

fn prepare_side(picture: &[u8], side: Side) -> Prepared {
    prepare(picture, side, &Limits::default()).expect("a picture that can be opened")
}

fn codes(picture: &[u8], side: Side) -> Vec<Code> {
    prepare_side(picture, side).reasons.iter().map(|reason| reason.code).collect()
}

#[test]
fn flawless_specimens_raise_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    for document_type in ["passport", "identity-card", "identity-card-td2", "driving-licence"] {
        let (front, back) = specimen(folder.path(), document_type, &[]);
        for longest in [1600, 1024] {
            assert_eq!(codes(&scaled(&front, longest), Side::Front), [], "{document_type} at {longest}");
            if let Some(back) = &back {
                assert_eq!(codes(&scaled(back, longest), Side::Back), [], "back of {document_type} at {longest}");
            }
        }
    }
}

#[test]
fn flaws_of_the_picture_are_named() {
    let folder = tempfile::tempdir().expect("a folder");
    for (flaw, code) in [
        ("blurred", Code::DocumentBlurred),
        ("dark", Code::DocumentTooDark),
        ("glare", Code::DocumentGlare),
        ("small", Code::DocumentImageTooSmall),
        ("black-and-white", Code::DocumentBlackAndWhite),
        ("cut-off", Code::DocumentCutOff),
        ("cut-off=left", Code::DocumentCutOff),
        ("no-portrait", Code::DocumentPortraitMissing),
        ("two-faces", Code::DocumentMultipleDocuments),
        ("not-a-document", Code::DocumentNotADocument),
    ] {
        for document_type in ["passport", "driving-licence"] {
            let (front, _) = specimen(folder.path(), document_type, &["--flaw", flaw]);
            assert_eq!(codes(&front, Side::Front), [code], "{flaw} {document_type}");
        }
    }
}

#[test]
fn a_sideways_picture_is_turned_until_the_portrait_is_upright() {
    let folder = tempfile::tempdir().expect("a folder");
    let (front, _) = specimen(folder.path(), "passport", &[]);
    let picture = image::load_from_memory(&front).expect("a picture");
    for (turned, quarters_back) in [(picture.rotate90(), 3), (picture.rotate270(), 1)] {
        let mut png = Cursor::new(Vec::new());
        turned.write_to(&mut png, image::ImageFormat::Png).expect("a picture");
        let prepared = prepare_side(&png.into_inner(), Side::Front);
        assert_eq!(prepared.original.turned, quarters_back);
        assert!(prepared.width > prepared.height);
        assert_eq!(prepared.reasons, []);
    }
}

#[test]
fn the_barcode_of_a_licence_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    for version in ["1", "4", "10"] {
        let (_, back) = specimen(folder.path(), "driving-licence", &["--aamva-version", version]);
        let back = back.expect("a licence has a back");
        for longest in [1600, 1024] {
            let prepared = prepare_side(&scaled(&back, longest), Side::Back);
            let licence = aamva::parse(&prepared.barcodes[0]).expect("a licence");
            assert_eq!(licence.surname.as_deref(), Some("ERIKSSON"), "version {version} at {longest}");
            assert_eq!(licence.contradictions(), Vec::<String>::new());
        }
    }
}

const KINDS: [&str; 4] = ["passport", "identity-card", "identity-card-td2", "driving-licence"];
const PEOPLE: [&str; 4] = ["ERIKSSON, ANNA MARIA", "BORG, BOB", "LI, MEI", "NILAVADHANANANDA, CHAYAPA"];

/// The documents of all people, of one kind.
fn documents_of_all_people(folder: &Path, kind: &str) -> Vec<Vec<u8>> {
    let drawn = PEOPLE.iter().enumerate().map(|(number, name)| {
        let (seed, birth) = (number.to_string(), format!("19{}-08-12", 60 + 3 * number));
        specimen(folder, kind, &["--name", name, "--seed", &seed, "--birth", &birth]).0
    });
    drawn.collect()
}

fn open(picture: &[u8]) -> image::RgbImage {
    image::load_from_memory(picture).expect("a picture").into_rgb8()
}

#[test]
fn no_document_is_taken_for_another_persons_of_the_same_kind() {
    let kinds = std::thread::scope(|scope| {
        let drawing = KINDS.map(|kind| {
            scope.spawn(move || {
                let folder = tempfile::tempdir().expect("a folder");
                documents_of_all_people(folder.path(), kind)
                    .iter()
                    .map(|picture| PerceptualHash::of(&open(picture)))
                    .collect::<Vec<_>>()
            })
        });
        drawing.map(|drawing| drawing.join().expect("drawn"))
    });
    for (kind, hashes) in KINDS.iter().zip(&kinds) {
        let mut nearest = u32::MAX;
        for (number, hash) in hashes.iter().enumerate() {
            for other in &hashes[..number] {
                nearest = nearest.min(hash.distance(*other));
                assert!(!hash.is_copy_of(*other), "{kind}: {} bits", hash.distance(*other));
            }
        }
        println!("{kind}: the two most alike of {} differ in {nearest} of 1024 bits", hashes.len());
    }
}

#[test]
fn a_copy_of_a_picture_is_found_by_one_of_its_bands() {
    let folder = tempfile::tempdir().expect("a folder");
    for kind in KINDS {
        let picture = open(&specimen(folder.path(), kind, &[]).0);
        let hash = PerceptualHash::of(&picture);
        let picture = image::DynamicImage::ImageRgb8(picture);
        for (longest, quality, brighter) in [(1600, 30, 0), (1440, 80, 12), (640, 60, -12)] {
            let copy = picture.resize(longest, longest, FilterType::CatmullRom).brighten(brighter);
            let mut jpeg = Cursor::new(Vec::new());
            JpegEncoder::new_with_quality(&mut jpeg, quality).encode_image(&copy.into_rgb8()).expect("a picture");
            let copy = PerceptualHash::of(&open(&jpeg.into_inner()));
            let what =
                format!("{kind} at {longest} pixels, quality {quality}, {brighter:+}: {} bits", hash.distance(copy));
            assert!(hash.is_copy_of(copy), "{what}");
            assert!(hash.bands().iter().zip(copy.bands()).any(|(a, b)| *a == b), "{what}");
        }
    }
}
