//! Parses the text of a North American driving licence's barcode by AAMVA's card design standard,
//! versions 1 to 10.
//!
//! The barcode corrects errors and proves nothing: a forger can print a valid one. Its reading is
//! only compared with the others.

use jiff::civil::Date;
use serde::Serialize;

use crate::rules::document::normalise::partial_date::PartialDate;

/// What a barcode states about a licence and its holder.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the names say it")]
pub struct Licence {
    /// Version of the standard.
    pub version: u8,
    /// Issuer identification number.
    pub issuer: u32,
    /// State or province that the issuer number belongs to.
    pub issuer_jurisdiction: Option<&'static str>,
    /// State or province that the address or the issuer element names.
    pub jurisdiction: Option<String>,
    /// `USA`, `CAN` or another country.
    pub country: Option<String>,
    pub document_number: Option<String>,
    pub surname: Option<String>,
    pub given_names: Option<String>,
    /// Whether a part of the name was cut for want of room.
    pub names_truncated: bool,
    pub date_of_birth: Option<PartialDate>,
    pub date_of_issue: Option<PartialDate>,
    pub date_of_expiry: Option<PartialDate>,
    /// `M`, `F` or `X`.
    pub sex: Option<char>,
}

/// Why a barcode's text is not a licence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotALicence {
    /// Another kind of barcode.
    #[error("the barcode does not begin as AAMVA's standard asks")]
    Header,
    /// A damaged or invented licence.
    #[error("the barcode's header is that of a licence, but it holds no subfile of a licence")]
    Subfile,
}

/// Newest known version of the standard; later ones have kept its elements so far.
const VERSION_MAX: u8 = 10;
/// Longest value of an element that is kept, in characters.
const VALUE_CHARS_MAX: usize = 100;

impl Licence {
    /// Contradictions within the barcode, each as a sentence.
    pub fn contradictions(&self) -> Vec<String> {
        let mut found = Vec::new();
        if !(1..=VERSION_MAX).contains(&self.version) {
            found.push(format!("version {} of the standard is not known", self.version));
        }
        if let (Some(by_number), Some(stated)) = (self.issuer_jurisdiction, self.jurisdiction.as_deref())
            && by_number != stated
        {
            found.push(format!("issuer {} is {by_number}, but the licence names {stated}", self.issuer));
        }
        if self.issuer_jurisdiction.is_none() && matches!(self.country.as_deref(), Some("USA" | "CAN")) {
            found.push(format!("issuer {} is an unknown issuer number", self.issuer));
        }
        if let (Some(by_number), Some(country)) = (self.issuer_country(), self.country.as_deref())
            && by_number != country
        {
            found.push(format!("issuer {} is in {by_number}, but the licence names {country}", self.issuer));
        }
        for (missing, what) in [
            (self.document_number.is_none(), "number"),
            (self.surname.is_none() && self.given_names.is_none(), "name"),
            (self.date_of_birth.is_none(), "date of birth"),
            (self.date_of_expiry.is_none(), "date of expiry"),
        ] {
            if missing {
                found.push(format!("no {what} can be read from it"));
            }
        }
        found
    }

    /// The country of the issuer number, or else the stated one.
    pub fn issuing_country(&self) -> Option<&str> {
        self.issuer_country().or(self.country.as_deref())
    }

    fn issuer_country(&self) -> Option<&'static str> {
        const CANADIAN: [&str; 13] = ["AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT"];
        match self.issuer_jurisdiction? {
            "COA" | "HID" => Some("MEX"),
            code if CANADIAN.contains(&code) => Some("CAN"),
            _ => Some("USA"),
        }
    }
}

/// Parses a barcode's text.
///
/// # Errors
/// When it is not a licence.
pub fn parse(text: &str) -> Result<Licence, NotALicence> {
    let (header, rest) = Header::read(text).ok_or(NotALicence::Header)?;
    let elements = Elements::of(rest).ok_or(NotALicence::Subfile)?;
    let (surname, given_names) = elements.names(header.version);
    let country =
        elements.get("DCG").map(|code| if code == "US" { "USA".to_owned() } else { code.to_ascii_uppercase() });
    Ok(Licence {
        version: header.version,
        issuer: header.issuer,
        issuer_jurisdiction: jurisdiction(header.issuer),
        jurisdiction: elements.get("DAJ").map(str::to_ascii_uppercase),
        country,
        document_number: elements.get("DAQ").map(str::to_owned),
        names_truncated: ["DDE", "DDF", "DDG"].iter().any(|id| elements.get(id) == Some("T")),
        surname,
        given_names,
        date_of_birth: elements.date("DBB"),
        date_of_issue: elements.date("DBD"),
        date_of_expiry: elements.date("DBA"),
        sex: elements.get("DBC").and_then(sex),
    })
}

struct Header {
    issuer: u32,
    version: u8,
}

impl Header {
    /// Parses `@`, separators, `ANSI ` (`AAMVA` in version 1), six digits of the issuer and two of
    /// the version; returns the rest of the text.
    fn read(text: &str) -> Option<(Self, &str)> {
        let text = text.trim_start();
        let after = text.strip_prefix('@')?.trim_start_matches(|c: char| c.is_ascii_control() || c == ' ');
        let digits = after.strip_prefix("ANSI ").or_else(|| after.strip_prefix("AAMVA"))?;
        let number = |range: std::ops::Range<usize>| {
            digits.get(range).filter(|part| part.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let issuer = number(0..6)?.parse().ok()?;
        let version = number(6..8)?.parse().ok()?;
        Some((Self { issuer, version }, digits.get(8..)?))
    }
}

/// Elements of the subfile `DL` or `ID`: three letters and a value each.
struct Elements<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Elements<'a> {
    /// Parses the elements: the first follows the subfile's two letters, the others a line break.
    /// Offsets in the header are often wrong, so they are not used.
    fn of(rest: &'a str) -> Option<Self> {
        let lines = rest.split(['\n', '\r', '\u{1e}', '\u{1d}']);
        let mut elements = Vec::new();
        let mut begun = false;
        for line in lines {
            let line = if begun {
                line
            } else {
                let Some(first) = first_element(line) else { continue };
                begun = true;
                first
            };
            if let (Some(id), Some(value)) = (line.get(..3), line.get(3..))
                && id.bytes().all(|byte| byte.is_ascii_uppercase())
            {
                elements.push((id, value.trim()));
            }
        }
        (!elements.is_empty()).then_some(Self(elements))
    }

    /// The value of the first element with this name. A second element of the same name would be an
    /// addition by a forger.
    fn get(&self, id: &str) -> Option<&'a str> {
        let (_, value) = self.0.iter().find(|(known, _)| *known == id)?;
        let cut = value.char_indices().nth(VALUE_CHARS_MAX).map_or(*value, |(at, _)| &value[..at]);
        let absent = ["", "NONE", "UNAVL", "UNAV", "N/A"];
        (!absent.contains(&cut.to_ascii_uppercase().as_str())).then_some(cut)
    }

    fn names(&self, version: u8) -> (Option<String>, Option<String>) {
        let comma_separated = |text: &str| text.replace(',', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        let surname = self.get("DCS").or_else(|| self.get("DAB"));
        let given = match (self.get("DAC"), self.get("DAD")) {
            (None, None) => self.get("DCT").map(comma_separated),
            (first, middle) => {
                Some([first, middle].into_iter().flatten().map(comma_separated).collect::<Vec<_>>().join(" "))
            }
        };
        if surname.is_none()
            && given.is_none()
            && version <= 1
            && let Some((surname, given)) = self.get("DAA").and_then(|name| name.split_once(','))
        {
            return (Some(surname.trim().to_owned()), Some(comma_separated(given)));
        }
        (surname.map(comma_separated), given)
    }

    /// A date: `MMDDCCYY` in the United States, `CCYYMMDD` in Canada and in version 1. No date is
    /// valid in both orders.
    fn date(&self, id: &str) -> Option<PartialDate> {
        let digits = self.get(id)?;
        if digits.len() != 8 || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number = |range: std::ops::Range<usize>| digits[range].parse::<i16>().ok();
        let date = |year, month: i16, day: i16| {
            Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok().map(PartialDate::from)
        };
        let year_first = date(number(0..4)?, number(4..6)?, number(6..8)?);
        let month_first = date(number(4..8)?, number(0..2)?, number(2..4)?);
        let plausible = |date: &PartialDate| (1880..2200).contains(&date.year());
        month_first.filter(plausible).or(year_first.filter(plausible))
    }
}

/// The text after the last `DL` or `ID` of the header's directory, which ends in digits, where an
/// element of a holder follows.
fn first_element(line: &str) -> Option<&str> {
    ["DL", "ID"].iter().flat_map(|kind| line.match_indices(kind)).filter_map(|(at, _)| line.get(at + 2..)).find(
        |rest| {
            rest.starts_with('D') && rest.get(..3).is_some_and(|id| id.bytes().all(|byte| byte.is_ascii_uppercase()))
        },
    )
}

fn sex(value: &str) -> Option<char> {
    match value {
        "1" | "M" => Some('M'),
        "2" | "F" => Some('F'),
        "9" | "X" => Some('X'),
        _ => None,
    }
}

/// Issuer identification numbers as AAMVA assigned them.
#[rustfmt::skip]
const ISSUERS: [(u32, &str); 71] = [
    (604_426, "PE"), (604_427, "AS"), (604_428, "QC"), (604_429, "YT"), (604_430, "MP"), (604_431, "PR"), (604_432, "AB"), (604_433, "NU"),
    (604_434, "NT"), (636_000, "VA"), (636_001, "NY"), (636_002, "MA"), (636_003, "MD"), (636_004, "NC"), (636_005, "SC"), (636_006, "CT"),
    (636_007, "LA"), (636_008, "MT"), (636_009, "NM"), (636_010, "FL"), (636_011, "DE"), (636_012, "ON"), (636_013, "NS"), (636_014, "CA"),
    (636_015, "TX"), (636_016, "NL"), (636_017, "NB"), (636_018, "IA"), (636_019, "GU"), (636_020, "CO"), (636_021, "AR"), (636_022, "KS"),
    (636_023, "OH"), (636_024, "VT"), (636_025, "PA"), (636_026, "AZ"), (636_028, "BC"), (636_029, "OR"), (636_030, "MO"), (636_031, "WI"),
    (636_032, "MI"), (636_033, "AL"), (636_034, "ND"), (636_035, "IL"), (636_036, "NJ"), (636_037, "IN"), (636_038, "MN"), (636_039, "NH"),
    (636_040, "UT"), (636_041, "ME"), (636_042, "SD"), (636_043, "DC"), (636_044, "SK"), (636_045, "WA"), (636_046, "KY"), (636_047, "HI"),
    (636_048, "MB"), (636_049, "NV"), (636_050, "ID"), (636_051, "MS"), (636_052, "RI"), (636_053, "TN"), (636_054, "NE"), (636_055, "GA"),
    (636_056, "COA"), (636_057, "HID"), (636_058, "OK"), (636_059, "AK"), (636_060, "WY"), (636_061, "WV"), (636_062, "VI"),
];

fn jurisdiction(issuer: u32) -> Option<&'static str> {
    ISSUERS.iter().find(|(number, _)| *number == issuer).map(|(_, code)| *code)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    /// A barcode of `version` from `issuer` with these elements.
    fn barcode(version: u8, issuer: u32, elements: &[&str]) -> String {
        let kind = if version == 1 { "AAMVA" } else { "ANSI " };
        let minor = if version == 1 { "" } else { "00" };
        let body = elements.join("\n");
        format!("@\n\u{1e}\r{kind}{issuer:06}{version:02}{minor}01DL0031{:04}DL{body}\r", body.len() + 3)
    }

    #[test]
    fn every_version_is_read() {
        let name_by_version: [(std::ops::RangeInclusive<u8>, &[&str]); 3] = [
            (1..=1, &["DAAPUBLIC,JOHN,QUINCY"]),
            (2..=3, &["DCSPUBLIC", "DCTJOHN QUINCY"]),
            (4..=10, &["DCSPUBLIC", "DDEN", "DACJOHN", "DDFN", "DADQUINCY", "DDGN"]),
        ];
        for version in 1..=10 {
            let (_, name) = name_by_version.iter().find(|(versions, _)| versions.contains(&version)).expect("listed");
            let mut elements =
                vec!["DAQT64235789", "DBB08121990", "DBA08122031", "DBD08122021", "DBC1", "DAJVA", "DCGUSA"];
            elements.extend_from_slice(name);
            let licence = parse(&barcode(version, 636_000, &elements)).expect("a licence");
            assert_eq!(licence.version, version);
            assert_eq!(licence.surname.as_deref(), Some("PUBLIC"), "version {version}");
            assert_eq!(licence.given_names.as_deref(), Some("JOHN QUINCY"), "version {version}");
            assert_eq!(licence.document_number.as_deref(), Some("T64235789"));
            assert_eq!(licence.date_of_birth, Some(date(1990, 8, 12).into()));
            assert_eq!(licence.date_of_expiry, Some(date(2031, 8, 12).into()));
            assert_eq!(licence.sex, Some('M'));
            assert_eq!(licence.contradictions(), Vec::<String>::new());
        }
    }

    #[test]
    fn canada_writes_the_year_first() {
        let elements = [
            "DCSTREMBLAY",
            "DACMARIE",
            "DADNONE",
            "DAQT123456",
            "DBB19900812",
            "DBA20310812",
            "DBC2",
            "DAJQC",
            "DCGCAN",
        ];
        let licence = parse(&barcode(10, 604_428, &elements)).expect("a licence");
        assert_eq!(licence.date_of_birth, Some(date(1990, 8, 12).into()));
        assert_eq!(licence.given_names.as_deref(), Some("MARIE"));
        assert_eq!(licence.issuing_country(), Some("CAN"));
        assert_eq!(licence.contradictions(), Vec::<String>::new());
    }

    #[test]
    fn an_issuer_of_another_state_contradicts() {
        let elements = ["DCSPUBLIC", "DACJOHN", "DAQ1", "DBB08121990", "DBA08122031", "DAJTX", "DCGCAN"];
        let licence = parse(&barcode(8, 636_014, &elements)).expect("a licence");
        assert_eq!(licence.contradictions().len(), 2);
        let unknown = parse(&barcode(8, 636_998, &elements)).expect("a licence");
        assert_eq!(unknown.contradictions(), ["issuer 636998 is an unknown issuer number"]);
    }

    #[test]
    fn what_is_missing_is_named() {
        let licence = parse(&barcode(8, 636_014, &["DCSPUBLIC", "DBB13451990", "DBAUNAVL"])).expect("a licence");
        assert_eq!(licence.date_of_birth, None);
        assert_eq!(licence.contradictions().len(), 3, "{:?}", licence.contradictions());
    }

    #[test]
    fn other_barcodes_are_not_licences() {
        for text in ["", "M1ERIKSSON/ANNA", "@", "@\nANSI 6360", "{\"approve\": true}", "ANSI 636014080001DL"] {
            assert_eq!(parse(text), Err(NotALicence::Header), "{text}");
        }
        assert_eq!(parse("@\n\u{1e}\rANSI 636014080001DL00310010"), Err(NotALicence::Subfile));
    }

    #[test]
    fn a_second_element_of_a_name_does_not_replace_the_first() {
        let elements = ["DCSPUBLIC", "DACJOHN", "DCSMALLORY", "DBB08121990", "DBB08121960"];
        let licence = parse(&barcode(9, 636_014, &elements)).expect("a licence");
        assert_eq!(licence.surname.as_deref(), Some("PUBLIC"));
        assert_eq!(licence.date_of_birth, Some(date(1990, 8, 12).into()));
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(@\n\u{1e}\r(ANSI |AAMVA)[0-9]{6,12})?\\PC{0,80}(\nD[A-Z]{2}\\PC{0,20}){0,6}") {
            if let Ok(licence) = parse(&text) {
                licence.contradictions();
            }
        }
    }
}
