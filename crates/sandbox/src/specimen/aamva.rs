//! The barcode of a driving licence: its text after the card design standard of AAMVA, drawn as
//! PDF417.

use rxing::common::BitMatrix;
use rxing::pdf417::PDF417Writer;
use rxing::pdf417::encoder::Dimensions;
use rxing::{BarcodeFormat, EncodeHints, Writer as _};

use super::date::PartialDate;
use super::definition::{Sex, Specimen};
use super::paint::{Painter, Rect};
use super::qr;

/// The whole text: the header and one subfile `DL`.
pub fn text(licence: &Specimen) -> String {
    let version = licence.aamva_version;
    let elements = elements(licence);
    let subfile = latin(&format!("DL{}\r", elements.join("\n")));
    // File type, issuer, version, jurisdiction version (absent in version 1), number of entries.
    let file_type = if version == 1 { "AAMVA" } else { "ANSI " };
    let jurisdiction_version = if version == 1 { "" } else { "00" };
    let head = format!("@\n\u{1e}\r{file_type}{:06}{version:02}{jurisdiction_version}01", licence.aamva_issuer);
    let offset = head.len() + "DL00000000".len();
    let length = subfile.chars().count();
    format!("{head}DL{offset:04}{length:04}{subfile}")
}

/// Transliterates to Latin-1, the only character set of the barcode.
fn latin(text: &str) -> String {
    text.chars()
        .map(|letter| {
            if u32::from(letter) < 0x100 {
                letter.to_string()
            } else {
                deunicode::deunicode_char(letter).unwrap_or("?").to_uppercase()
            }
        })
        .collect()
}

fn elements(licence: &Specimen) -> Vec<String> {
    let date = |date| format_date(date, &licence.issuer);
    let mut given = licence.given_names.split_whitespace();
    let (first, middle) = (given.next().unwrap_or("NONE"), given.collect::<Vec<_>>().join(" "));
    let sex = match licence.sex {
        Sex::Male => "1",
        Sex::Female => "2",
        Sex::Unspecified => "9",
    };
    let address = Address::of(&licence.address);
    let mut elements = vec![format!("DAQ{}", licence.number)];
    match licence.aamva_version {
        1 => elements.push(format!("DAA{},{},{}", licence.surname, first, middle)),
        2 | 3 => elements.extend([format!("DCS{}", licence.surname), format!("DCT{}", licence.given_names)]),
        _ => elements.extend([
            format!("DCS{}", licence.surname),
            "DDEN".to_owned(),
            format!("DAC{first}"),
            "DDFN".to_owned(),
            format!("DAD{}", if middle.is_empty() { "NONE" } else { &middle }),
            "DDGN".to_owned(),
        ]),
    }
    elements.extend([
        format!("DBB{}", date(licence.birth)),
        format!("DBC{sex}"),
        format!("DBD{}", date(licence.issued.into())),
        format!("DBA{}", date(licence.expires.into())),
        format!("DAG{}", address.street),
        format!("DAI{}", address.town),
        format!("DAJ{}", licence.aamva_jurisdiction),
        format!("DAK{}", address.post_code),
    ]);
    if licence.aamva_version > 1 {
        elements.extend([
            format!("DCA{}", licence.vehicle_classes.split_whitespace().next().unwrap_or("NONE")),
            "DCBNONE".to_owned(),
            "DCDNONE".to_owned(),
            "DAU170 cm".to_owned(),
            "DAYBRO".to_owned(),
            format!("DCF{}0001", licence.number),
            format!("DCG{}", licence.issuer),
        ]);
    }
    elements
}

/// A date in the issuer's order: year, month, day in Canada; month, day, year in the United States
/// and in Utopia.
fn format_date(date: PartialDate, issuer: &str) -> String {
    let (year, month, day) = date.numbers();
    if issuer == "CAN" { format!("{year:04}{month:02}{day:02}") } else { format!("{month:02}{day:02}{year:04}") }
}

/// The parts of an address that the visual zone prints as `12 AGORA STREET, ZENITH 1516`.
struct Address {
    street: String,
    town: String,
    post_code: String,
}

impl Address {
    fn of(line: &str) -> Self {
        let (street, rest) = line.rsplit_once(',').unwrap_or((line, ""));
        let (town, post_code) = rest.trim().rsplit_once(' ').unwrap_or((rest.trim(), ""));
        let padded = format!("{post_code:0<9}");
        Self { street: street.trim().to_owned(), town: town.to_owned(), post_code: padded }
    }
}

/// Draws the barcode into the rectangle, with a quiet zone around it.
pub fn draw(painter: &mut Painter, text: &str, rect: Rect) {
    let Some(matrix) = encode(text) else { return };
    painter.rounded(rect, 10.0, [242, 242, 240], 1.0);
    let inner = rect.grown(-22.0);
    let columns = matrix.getWidth();
    let rows: Vec<Vec<bool>> =
        (0..matrix.getHeight()).map(|y| (0..columns).map(|x| matrix.get(x, y)).collect()).collect();
    // Every bar is a whole number of pixels wide.
    let width = (inner.w / columns as f32).floor() * columns as f32;
    qr::grid(painter, &rows, Rect { x: (inner.x + (inner.w - width) / 2.0).round(), w: width, ..inner });
}

fn encode(text: &str) -> Option<BitMatrix> {
    let hints = EncodeHints {
        ErrorCorrection: Some("5".to_owned()),
        Margin: Some("0".to_owned()),
        Pdf417Dimensions: Some(Dimensions::new(10, 14, 10, 60)),
        ..EncodeHints::default()
    };
    PDF417Writer.encode_with_hints(text, &BarcodeFormat::PDF_417, 1, 1, &hints).ok()
}
