//! What the local OCR reads on specimens: the printed zone through the real model, on pictures
//! spoilt as phones spoil them.

#![expect(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "pixels: coordinates are small numbers"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use identivia::checks::ocr_model::OcrModel;
use identivia::verification::rules::document::judge::ocr_crosscheck::{Verdict, compare};
use identivia::verification::rules::document::readings::mrz as zone;
use identivia::verification::rules::document::readings::ocr;
use identivia::verification::rules::document::readings::ocr::OcrReading;
use image::imageops::{self, FilterType};
use image::{GrayImage, Luma};
use jiff::civil::{Date, date};

const TODAY: Date = date(2026, 11, 25);

/// The model that `scripts/models` installs.
static MODEL: LazyLock<OcrModel> = LazyLock::new(|| {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/models");
    let output = Command::new(script).output().expect("scripts/models runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let path = PathBuf::from(String::from_utf8(output.stdout).expect("a path").trim());
    OcrModel::load(&path, 2).expect("a model that can be loaded")
});

/// The side of a specimen that carries the zone, or its front where no side does.
fn specimen(document_type: &str, more: &[&str]) -> GrayImage {
    let folder = tempfile::tempdir().expect("a folder");
    let (front, back) = (folder.path().join("side.png"), folder.path().join("side-back.png"));
    let drawn = Command::new(env!("CARGO_BIN_EXE_sandbox"))
        .args(["specimen", "--type", document_type, "--today", "2026-11-25", "--out"])
        .arg(&front)
        .args(more)
        .output()
        .expect("the sandbox runs");
    assert!(drawn.status.success(), "{}", String::from_utf8_lossy(&drawn.stderr));
    let side = if back.exists() { back } else { front };
    image::open(side).expect("a picture").into_luma8()
}

fn read_zone(picture: &GrayImage) -> (OcrReading, usize) {
    let mut strips = 0;
    let reading = ocr::read(picture, TODAY, |strip| {
        strips += 1;
        MODEL.recognise(strip)
    });
    (reading, strips)
}

fn turned(picture: &GrayImage, degrees: f32) -> GrayImage {
    const TABLE: Luma<u8> = Luma([96]);
    let (sin, cos) = degrees.to_radians().sin_cos();
    let (width, height) = (picture.width() as f32, picture.height() as f32);
    GrayImage::from_fn(picture.width(), picture.height(), |x, y| {
        let (right, down) = (x as f32 - width / 2.0, y as f32 - height / 2.0);
        let at = (right * cos + down * sin + width / 2.0, down * cos - right * sin + height / 2.0);
        imageops::interpolate_bilinear(picture, at.0, at.1).unwrap_or(TABLE)
    })
}

fn noisy(picture: &GrayImage, by: i32) -> GrayImage {
    let mut seed = 1_u32;
    let mut spoilt = picture.clone();
    for pixel in spoilt.pixels_mut() {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let noise = (seed >> 16) as i32 % (2 * by + 1) - by;
        pixel.0[0] = (i32::from(pixel.0[0]) + noise).clamp(0, 255) as u8;
    }
    spoilt
}

/// How a picture is spoilt between the table and the upload.
type Spoil = fn(&GrayImage) -> GrayImage;

fn scaled(picture: &GrayImage, share: f32) -> GrayImage {
    let side = |side: u32| (side as f32 * share) as u32;
    imageops::resize(picture, side(picture.width()), side(picture.height()), FilterType::Triangle)
}

/// Compressed as a JPEG of this quality and decoded again.
fn compressed(picture: &GrayImage, quality: u8) -> GrayImage {
    let mut bytes = Vec::new();
    image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(picture).expect("a JPEG");
    image::load_from_memory(&bytes).expect("a picture").into_luma8()
}

/// The lines that the sandbox prints on a document of this type: those of its person, valid from
/// 2022 to 2032.
fn zone_of(document_type: &str, name: &str, number: &str) -> Vec<String> {
    let (surname, given_names) = name.split_once(", ").expect("a name in two parts");
    let (surname, given_names) = (surname.replace('\'', ""), given_names.to_owned());
    let birth = mrz::MrzDate::Calendar(mrz::Date::new(1990, 8, 12));
    let expiry = mrz::MrzDate::Calendar(mrz::Date::new(2032, 11, 25));
    let personal = Some("F723674M2".to_owned());
    let text = match document_type {
        "passport" => mrz::format_td3(&mrz::Td3Fields {
            document_code: "P".into(),
            issuing_country: "UTO".into(),
            document_number: number.into(),
            surname,
            given_names,
            nationality: "UTO".into(),
            date_of_birth: birth,
            sex: mrz::Sex::Female,
            date_of_expiry: expiry,
            personal_number: personal,
        }),
        "identity-card" => mrz::format_td1(&mrz::Td1Fields {
            document_code: "I".into(),
            issuing_country: "UTO".into(),
            document_number: number.into(),
            optional_data_1: personal,
            surname,
            given_names,
            nationality: "UTO".into(),
            date_of_birth: birth,
            sex: mrz::Sex::Female,
            date_of_expiry: expiry,
            ..Default::default()
        }),
        _ => mrz::format_td2(&mrz::Td2Fields {
            document_code: "I".into(),
            issuing_country: "UTO".into(),
            document_number: number.into(),
            surname,
            given_names,
            nationality: "UTO".into(),
            date_of_birth: birth,
            sex: mrz::Sex::Female,
            date_of_expiry: expiry,
            ..Default::default()
        }),
    };
    text.lines().map(str::to_owned).collect()
}

/// The verdict on a model that reports these lines.
fn verdict(reading: &OcrReading, reported: &[String]) -> Verdict {
    let reported_reading = zone::read(reported, TODAY);
    let reported_zone = match &reported_reading {
        zone::Reading::Zone(zone) => Some(&**zone),
        _ => None,
    };
    compare(reading, reported, reported_zone).verdict
}

/// Ways to spoil a picture.
const SPOILT: [(&str, Spoil); 9] = [
    ("as drawn", GrayImage::clone),
    ("turned by -6 degrees", |picture| turned(picture, -6.0)),
    ("turned by 9 degrees", |picture| turned(picture, 9.0)),
    ("far out of focus", |picture| imageops::blur(picture, 2.5)),
    ("with noise", |picture| noisy(picture, 25)),
    ("at a third", |picture| scaled(picture, 0.34)),
    ("at half size with noise", |picture| noisy(&scaled(picture, 0.5), 20)),
    ("compressed hard", |picture| compressed(&scaled(picture, 0.6), 25)),
    ("upside down", |picture| imageops::rotate180(picture)),
];

/// Documents: the specimen maker's type, the name, the number.
const PEOPLE: [(&str, &str, &str); 6] = [
    ("passport", "QUIRKE, ROWAN", "K771093N2"),
    ("passport", "O'CONNOR-SMITH, ZOE IVY", "C104582X7"),
    ("identity-card", "VON DER BERG, MAX JOSEF", "K771093N2"),
    ("identity-card", "LI, BO", "M55010273"),
    ("identity-card-td2", "ERIKSSON, ANNA MARIA", "P580631L4"),
    ("identity-card-td2", "WOJCIECHOWSKA-PRZYBYLSKA, IDA", "QW0K157B8"),
];

/// Percentage of lies about the number that must be caught: check digits prove how well it was
/// read.
const CAUGHT_MIN: usize = 95;
/// Percentage of lies about a name alone that must be caught. A name has no check digit, so only
/// letters with high scores count.
const CAUGHT_NAMES_MIN: usize = 70;
/// Percentage of pictures whose zone must be read whole.
const HELD_MIN: usize = 70;

/// Results of all pictures of one document.
#[derive(Default)]
struct Tally {
    table: String,
    doubted: Vec<String>,
    pictures: usize,
    held: usize,
    identities: usize,
    numbers: usize,
    names: usize,
    letters: usize,
}

impl Tally {
    fn of(document_type: &str, name: &str, number: &str) -> Self {
        let drawn = specimen(document_type, &["--name", name, "--number", number]);
        let mut tally = Self::default();
        for (how, spoil) in &SPOILT {
            tally.add(
                &format!("{document_type} {name} {how}"),
                read_zone(&spoil(&drawn)),
                (document_type, name, number),
            );
        }
        tally
    }

    fn add(
        &mut self,
        picture: &str,
        (reading, strips): (OcrReading, usize),
        (document_type, name, number): (&str, &str, &str),
    ) {
        for zone in reading.holds().into_iter().chain(reading.data.as_deref()) {
            assert_eq!(zone.document_number, number, "{picture}");
        }
        let reports = |name: &str, number: &str| verdict(&reading, &zone_of(document_type, name, number));
        let honest = reports(name, number);
        let identity = reports("MALLORY, EVIL", "X123456Y7");
        let other_number = reports(name, "X123456Y7");
        let other_name = reports("MALLORY, EVIL", number);
        let letter = reports(&name.replacen(['E', 'A', 'I'], "U", 1), number);
        writeln!(
            self.table,
            "{picture}: {honest:?}; a lie about everything {identity:?}, the number {other_number:?}, the name {other_name:?}, \
             a letter {letter:?}; {strips} strips"
        )
        .expect("a string grows");
        for line in &reading.lines {
            writeln!(self.table, "    {} {:.2}", line.text, line.mean_of_letters()).expect("a string grows");
        }
        if honest == Verdict::Differs {
            self.doubted.push(picture.to_owned());
        }
        let differs = |verdict| usize::from(verdict == Verdict::Differs);
        self.pictures += 1;
        self.held += usize::from(reading.holds().is_some());
        self.identities += differs(identity);
        self.numbers += differs(other_number);
        self.names += differs(other_name);
        self.letters += differs(letter);
    }

    fn join(mut self, other: Self) -> Self {
        self.table.push_str(&other.table);
        self.doubted.extend(other.doubted);
        self.pictures += other.pictures;
        self.held += other.held;
        self.identities += other.identities;
        self.numbers += other.numbers;
        self.names += other.names;
        self.letters += other.letters;
        self
    }
}

#[test]
fn zones_are_read_from_pixels_so_that_lies_are_caught_and_honest_people_are_not_doubted() {
    let all = std::thread::scope(|scope| {
        let people = PEOPLE.map(|(kind, name, number)| scope.spawn(move || Tally::of(kind, name, number)));
        people.into_iter().fold(Tally::default(), |all, one| all.join(one.join().expect("all pictures were read")))
    });
    let Tally { table, doubted, pictures, held, identities, numbers, names, letters } = all;
    let summary = format!(
        "of {pictures}: {held} read whole; lies caught: about everything {identities}, the number {numbers}, the name {names}, \
         one letter {letters}"
    );
    println!("{table}{summary}");
    assert!(doubted.is_empty(), "honest people are doubted: {doubted:?}\n{table}");
    assert!(held * 100 >= pictures * HELD_MIN, "{summary}");
    assert!(identities * 100 >= pictures * CAUGHT_MIN && numbers * 100 >= pictures * CAUGHT_MIN, "{summary}");
    assert!(names * 100 >= pictures * CAUGHT_NAMES_MIN, "{summary}");
}

#[test]
fn no_zone_is_read_where_there_is_none() {
    for (document_type, more) in
        [("driving-licence", &[][..]), ("passport", &["--flaw", "no-mrz"]), ("passport", &["--flaw", "not-a-document"])]
    {
        let (reading, strips) = read_zone(&specimen(document_type, more));
        assert!(reading.holds().is_none(), "{document_type} {more:?}");
        assert!(reading.lines.len() < 2, "{document_type} {more:?}: {strips} strips, {:?}", reading.lines);
    }
}
