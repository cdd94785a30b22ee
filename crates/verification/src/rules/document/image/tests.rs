//! Generated pictures, hostile and plain. `tests/pictures.rs` tests the thresholds on specimens.

use std::io::Cursor;

use ::image::codecs::jpeg::JpegEncoder;
use ::image::{DynamicImage, GenericImageView, ImageFormat, Rgb, RgbImage, Rgba, RgbaImage};
use exif::experimental::Writer;
use exif::{Field, In, Tag, Value};
use proptest::prelude::*;

use super::*;
use crate::sample::policy;

/// A page of print on tinted paper: bars of letter size, in colour, sharp.
fn page(width: u32, height: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| {
        let margin = x < width / 12 || y < height / 12 || x > width - width / 12 || y > height - height / 12;
        let ink = (x / 7 + y / 31) % 3 == 0 && y % 24 < 14;
        match (margin, ink) {
            (true, _) => Rgb([96, 84, 70]),
            (false, true) => Rgb([24, 26, 48]),
            (false, false) => Rgb([214, 226, 206]),
        }
    })
}

fn jpeg(picture: &RgbImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, 85).encode_image(picture).expect("a picture");
    bytes
}

fn png(picture: &DynamicImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, ImageFormat::Png).expect("a picture");
    bytes.into_inner()
}

/// A JPEG with these EXIF fields.
fn with_exif(picture: &RgbImage, fields: &[Field]) -> Vec<u8> {
    let mut writer = Writer::new();
    for field in fields {
        writer.push_field(field);
    }
    let mut tiff = Cursor::new(Vec::new());
    writer.write(&mut tiff, false).expect("EXIF fields");
    let body = [b"Exif\0\0".as_slice(), &tiff.into_inner()].concat();
    let length = u16::try_from(body.len() + 2).expect("a short segment");
    let plain = jpeg(picture);
    [&plain[..2], &[0xFF, 0xE1], &length.to_be_bytes(), &body, &plain[2..]].concat()
}

fn text_field(tag: Tag, text: &str) -> Field {
    Field { tag, ifd_num: In::PRIMARY, value: Value::Ascii(vec![text.as_bytes().to_vec()]) }
}

/// A PNG chunk with a checksum that holds.
fn chunk(kind: [u8; 4], body: &[u8]) -> Vec<u8> {
    let crc = kind.iter().chain(body).fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| (crc >> 1) ^ (0xEDB8_8320 & (crc & 1).wrapping_neg()))
    });
    let length = u32::try_from(body.len()).expect("a short chunk");
    [&length.to_be_bytes(), kind.as_slice(), body, &(!crc).to_be_bytes()].concat()
}

/// A PNG with a chunk inserted after its header.
fn png_with(picture: &DynamicImage, extra: &[u8]) -> Vec<u8> {
    const HEADER_END: usize = 8 + 12 + 13;
    let plain = png(picture);
    [&plain[..HEADER_END], extra, &plain[HEADER_END..]].concat()
}

fn back(bytes: &[u8]) -> Result<Prepared, Vec<Reason>> {
    prepare(bytes, Side::Back, &Limits::default())
}

fn codes(reasons: &[Reason]) -> Vec<Code> {
    reasons.iter().map(|reason| reason.code).collect()
}

#[test]
fn a_plain_picture_is_re_encoded_no_larger_than_useful() {
    let prepared = back(&jpeg(&page(2400, 1500))).expect("a picture");
    assert_eq!((prepared.width, prepared.height), (1600, 1000));
    assert_eq!(codes(&prepared.reasons), []);
    let sent = ::image::load_from_memory(&prepared.jpeg).expect("a JPEG");
    assert_eq!(sent.dimensions(), (1600, 1000));
    assert_eq!((prepared.original.width, prepared.original.height, prepared.original.turned), (2400, 1500, 0));
    assert!(!prepared.stops(&policy()));
}

#[test]
fn a_front_without_a_face_needs_no_provider() {
    let prepared = prepare(&jpeg(&page(1600, 1000)), Side::Front, &Limits::default()).expect("a picture");
    assert_eq!(codes(&prepared.reasons), [Code::DocumentPortraitMissing]);
    assert!(prepared.stops(&policy()));
}

#[test]
fn metadata_is_read_and_not_sent_on() {
    let fields =
        [text_field(Tag::Software, "Adobe Photoshop 27.1 (Macintosh)"), text_field(Tag::Make, "Utopia Optics")];
    let prepared = back(&with_exif(&page(1600, 1000), &fields)).expect("a picture");
    assert_eq!(codes(&prepared.reasons), [Code::DocumentDigitallyAltered]);
    assert_eq!(prepared.metadata.camera.as_deref(), Some("Utopia Optics"));
    assert_eq!(prepared.metadata.software, ["Adobe Photoshop 27.1 (Macintosh)"]);
    assert!(!prepared.stops(&policy()), "a suspicion is for a reviewer, not for another try");
    let sent = prepared.jpeg.windows(9).any(|window| window == b"Photoshop" || window.starts_with(b"Exif"));
    assert!(!sent);
}

#[test]
fn programs_of_phones_and_photographers_are_not_evidence() {
    for software in [
        "iOS 19.1",
        "Adobe Photoshop Lightroom Classic 15.0",
        "Google",
        "Picasa",
        "HDR+ 1.0.7",
        "Windows Photo Editor 10",
    ] {
        let prepared = back(&with_exif(&page(1600, 1000), &[text_field(Tag::Software, software)])).expect("a picture");
        assert_eq!(codes(&prepared.reasons), [], "{software}");
    }
}

#[test]
fn a_file_that_calls_itself_a_screenshot_is_one() {
    let comment = Field {
        tag: Tag::UserComment,
        ifd_num: In::PRIMARY,
        value: Value::Undefined(b"ASCII\0\0\0Screenshot".to_vec(), 0),
    };
    let prepared = back(&with_exif(&page(1600, 1000), &[comment])).expect("a picture");
    assert_eq!(codes(&prepared.reasons), [Code::DocumentScreenshotOrScan]);
    let scan = png_with(&page(1600, 1000).into(), &chunk(*b"tEXt", b"Software\0CamScanner for iOS"));
    assert_eq!(codes(&back(&scan).expect("a picture").reasons), [Code::DocumentScreenshotOrScan]);
}

#[test]
fn the_prompt_of_an_image_generator_is_noticed() {
    let made = png_with(&page(1600, 1000).into(), &chunk(*b"tEXt", b"parameters\0a passport of Utopia, Steps: 30"));
    assert_eq!(codes(&back(&made).expect("a picture").reasons), [Code::DocumentDigitallyAltered]);
}

#[test]
fn the_orientation_of_the_file_is_applied() {
    let turned = Field { tag: Tag::Orientation, ifd_num: In::PRIMARY, value: Value::Short(vec![6]) };
    let prepared = back(&with_exif(&page(1600, 1000), &[turned])).expect("a picture");
    assert_eq!((prepared.width, prepared.height), (1000, 1600));
}

#[test]
fn what_is_hidden_under_transparency_stays_hidden() {
    let mut sheet: RgbaImage = DynamicImage::ImageRgb8(page(1600, 1000)).into_rgba8();
    for y in 500..600 {
        for x in 500..1100 {
            sheet.put_pixel(x, y, Rgba([0, 0, 0, 0]));
        }
    }
    let prepared = back(&png(&sheet.into())).expect("a picture");
    let sent = ::image::load_from_memory(&prepared.jpeg).expect("a JPEG").to_rgb8();
    assert!(sent.get_pixel(800, 550).0.iter().all(|channel| *channel > 250), "white, as a viewer shows it");
}

#[test]
fn decompression_bombs_are_refused_by_their_header() {
    let announce = |width: u32, height: u32| {
        let header = [&width.to_be_bytes(), &height.to_be_bytes(), [8, 2, 0, 0].as_slice(), &[0]].concat();
        [
            b"\x89PNG\r\n\x1a\n".as_slice(),
            &chunk(*b"IHDR", &header),
            &chunk(*b"IDAT", &[0x78, 0x9c]),
            &chunk(*b"IEND", &[]),
        ]
        .concat()
    };
    for (width, height) in [(60_000, 60_000), (10_001, 10), (5001, 5000), (u32::MAX, 1), (0, 10)] {
        let reasons = back(&announce(width, height)).expect_err("refused");
        assert_eq!(codes(&reasons), [Code::DocumentUnreadable], "{width} x {height}");
    }
    let mut huge = jpeg(&page(64, 64));
    let frame = huge.windows(2).position(|marker| marker == [0xFF, 0xC0]).expect("a frame header");
    huge[frame + 5..frame + 9].copy_from_slice(&[0xFF, 0xDC, 0xFF, 0xDC]);
    assert!(back(&huge).expect_err("refused")[0].detail.contains("65500 x 65500"));
    let many = vec![0xFF; Limits::default().bytes + 1];
    assert_eq!(codes(&back(&many).expect_err("refused")), [Code::DocumentUnreadable]);
}

#[test]
fn only_one_still_picture_of_a_known_type_is_opened() {
    let control = [2_u32.to_be_bytes(), 0_u32.to_be_bytes()].concat();
    let moving = png_with(&page(900, 600).into(), &chunk(*b"acTL", &control));
    assert!(back(&moving).expect_err("refused")[0].detail.contains("animation"));
    for (bytes, word) in [
        (b"GIF89a...".as_slice(), "GIF"),
        (b"RIFF\0\0\0\0WEBPVP8 ", "WebP"),
        (b"\0\0\0\x18ftypheic", "HEIF"),
        (b"%PDF-1.7", "PDF"),
        (b"<svg xmlns=", "unknown type"),
        (b"", "unknown type"),
    ] {
        let reasons = back(bytes).expect_err("refused");
        assert_eq!(codes(&reasons), [Code::DocumentUnreadable]);
        assert!(reasons[0].detail.contains(word), "{word}: {}", reasons[0].detail);
    }
    let cut = &jpeg(&page(900, 600))[..200];
    assert_eq!(codes(&back(cut).expect_err("refused")), [Code::DocumentUnreadable]);
}

/// Pictures with one flaw each, and its code.
pub fn flawed() -> Vec<(Vec<u8>, Code)> {
    let plain = RgbImage::from_pixel(1000, 640, Rgb([180, 180, 180]));
    let mut dark = page(1000, 640);
    dark.pixels_mut().for_each(|pixel| pixel.0 = pixel.0.map(|channel| channel / 5));
    let mut lit = page(1000, 640);
    for (x, y, pixel) in lit.enumerate_pixels_mut() {
        let (across, down) = (i64::from(x) - 500, i64::from(y) - 320);
        if across * across + 2 * down * down < 140 * 140 {
            *pixel = Rgb([255, 255, 255]);
        }
    }
    let blurred = DynamicImage::ImageRgb8(page(1000, 640)).blur(8.0).to_rgb8();
    let grey = DynamicImage::ImageRgb8(page(1000, 640)).grayscale().to_rgb8();
    let cut = DynamicImage::ImageRgb8(page(1000, 640)).crop_imm(0, 0, 1000, 490).to_rgb8();
    [
        (plain, Code::DocumentNotADocument),
        (dark, Code::DocumentTooDark),
        (lit, Code::DocumentGlare),
        (blurred, Code::DocumentBlurred),
        (grey, Code::DocumentBlackAndWhite),
        (page(640, 400), Code::DocumentImageTooSmall),
        (cut, Code::DocumentCutOff),
    ]
    .map(|(picture, code)| (jpeg(&picture), code))
    .into()
}

#[test]
fn each_flaw_of_a_picture_has_its_code() {
    for (picture, code) in flawed() {
        assert_eq!(codes(&back(&picture).expect("a picture").reasons), [code]);
    }
}

#[test]
fn a_portrait_is_cut_out_with_a_margin_and_never_beyond_the_picture() {
    let prepared = back(&jpeg(&page(1600, 1000))).expect("a picture");
    let size =
        |face| prepared.portrait(face).map(|jpeg| ::image::load_from_memory(&jpeg).expect("a JPEG").dimensions());
    let face = BoundingBox { left: 0.2, top: 0.3, width: 0.1, height: 0.2 };
    assert_eq!(size(face), Some((304, 511)));
    assert_eq!(size(BoundingBox { left: -0.02, ..face }), Some((199, 511)));
    assert_eq!(size(BoundingBox { left: 2.0, ..face }), None);
    assert_eq!(size(BoundingBox { width: f64::NAN, ..face }), None);
    assert_eq!(size(BoundingBox { height: 0.0, ..face }), None);
}

#[test]
fn a_prepared_picture_prints_no_pixels_and_no_barcode() {
    let mut prepared = back(&jpeg(&page(900, 600))).expect("a picture");
    prepared.barcodes = vec!["@ANSI SECRET".to_owned()];
    let printed = format!("{prepared:?}");
    assert!(!printed.contains("SECRET") && printed.len() < 2000, "{printed}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn no_bytes_make_it_panic(at in 0..2000_usize, byte: u8, cut in 0..4000_usize) {
        let mut bytes = with_exif(&page(120, 90), &[text_field(Tag::Software, "GIMP 3.0")]);
        let at = at % bytes.len();
        bytes[at] = byte;
        bytes.truncate(bytes.len() - cut % 64);
        let _ = back(&bytes);
        let mut bytes = png_with(&page(40, 30).into(), &chunk(*b"tEXt", b"Software\0GIMP"));
        let at = at % bytes.len();
        bytes[at] = byte;
        let _ = back(&bytes);
    }
}
