//! States as documents write them: two letters, three letters, names in their own language,
//! nationalities.

use std::sync::LazyLock;

/// The three-letter code of the state that `text` names; `None` when it names no state or several.
///
/// Understands ISO 3166 and ICAO 9303 codes, English names, many states' own names, adjectives of
/// nationality, and several of these in one text as in `UTOPIA / UTOPIE`.
pub fn code(text: &str) -> Option<&'static str> {
    let plain = plain(text);
    by_code(&plain).or_else(|| by_name(&plain))
}

/// Whether two codes or names mean the same state. Two equal unknown names do.
pub fn same(a: &str, b: &str) -> bool {
    match (code(a), code(b)) {
        (Some(a), Some(b)) => a == b,
        (None, None) => !plain(a).is_empty() && plain(a) == plain(b),
        (Some(_), None) | (None, Some(_)) => false,
    }
}

/// Whether identity cards of the state carry a machine-readable zone, so that a missing one counts.
pub fn identity_cards_have_zone(code: &str) -> bool {
    const STATES: [&str; 52] = [
        "UTO", "AUT", "BEL", "BGR", "HRV", "CYP", "CZE", "DNK", "EST", "FIN", "FRA", "DEU", "GRC", "HUN", "IRL", "ITA",
        "LVA", "LTU", "LUX", "MLT", "NLD", "POL", "PRT", "ROU", "SVK", "SVN", "ESP", "SWE", "CHE", "LIE", "ISL", "NOR",
        "MCO", "SMR", "ALB", "BIH", "MNE", "MKD", "SRB", "RKS", "MDA", "UKR", "TUR", "GEO", "ARE", "CHL", "COL", "PER",
        "ARG", "URY", "ECU", "KAZ",
    ];
    STATES.contains(&code)
}

/// Whether driving licences of the state carry a PDF417 barcode on their back.
pub fn licences_have_barcode(code: &str) -> bool {
    matches!(code, "USA" | "CAN" | "UTO")
}

fn plain(text: &str) -> String {
    let latin = deunicode::deunicode(text).to_ascii_uppercase();
    let words: Vec<&str> = latin.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

fn by_code(plain: &str) -> Option<&'static str> {
    if let Some((_, code)) = SPECIAL_CODES.iter().find(|(spelled, _)| *spelled == plain) {
        return Some(code);
    }
    match plain.len() {
        2 => rust_iso3166::from_alpha2(plain).map(|country| country.alpha3),
        3 => rust_iso3166::from_alpha3(plain).map(|country| country.alpha3),
        _ => None,
    }
}

/// Codes beyond ISO 3166 and the code that each means; ICAO 9303 part 3, section 5.
#[rustfmt::skip]
const SPECIAL_CODES: [(&str, &str); 28] = [
    ("D", "DEU"), ("UK", "GBR"), ("EL", "GRC"), ("UTO", "UTO"), ("UT", "UTO"), ("GBD", "GBD"), ("GBN", "GBN"), ("GBO", "GBO"),
    ("GBP", "GBP"), ("GBS", "GBS"), ("RKS", "RKS"), ("XKX", "RKS"), ("XK", "RKS"), ("EUE", "EUE"), ("UNO", "UNO"), ("UNA", "UNA"),
    ("UNK", "UNK"), ("XBA", "XBA"), ("XIM", "XIM"), ("XCC", "XCC"), ("XCO", "XCO"), ("XEC", "XEC"), ("XPO", "XPO"), ("XOM", "XOM"),
    ("XXA", "XXA"), ("XXB", "XXB"), ("XXC", "XXC"), ("XXX", "XXX"),
];

/// Names that neither ISO nor ICAO list: the state's own, former and short names, adjectives.
/// Without accents, in Latin letters.
#[rustfmt::skip]
const NAMES: &[(&str, &str)] = &[
    ("UTO", "UTOPIA|UTOPIE|UTOPIAN|REPUBLIC OF UTOPIA"),
    ("DEU", "DEUTSCHLAND|BUNDESREPUBLIK DEUTSCHLAND|GERMAN|DEUTSCH|ALLEMAGNE|FEDERAL REPUBLIC OF GERMANY"),
    ("AUT", "OSTERREICH|REPUBLIK OSTERREICH|AUSTRIAN"),
    ("CHE", "SCHWEIZ|SUISSE|SVIZZERA|SVIZRA|SWISS"),
    ("FRA", "REPUBLIQUE FRANCAISE|FRANCAISE|FRANCAIS|FRENCH|FRENCH REPUBLIC"),
    ("BEL", "BELGIQUE|BELGIE|BELGIEN|BELGIAN|BELG|BELGE"),
    ("NLD", "NEDERLAND|NEDERLANDSE|KONINKRIJK DER NEDERLANDEN|HOLLAND|DUTCH|KINGDOM OF THE NETHERLANDS|NETHERLANDS"),
    ("LUX", "LETZEBUERG|LUXEMBURG|LUXEMBOURGEOISE|GRAND DUCHE DE LUXEMBOURG"),
    ("ITA", "ITALIA|ITALIANA|ITALIAN|REPUBBLICA ITALIANA|ITALY|ITALIAN REPUBLIC"),
    ("ESP", "ESPANA|ESPANOLA|SPANISH|REINO DE ESPANA|KINGDOM OF SPAIN"),
    ("PRT", "PORTUGUESA|PORTUGUESE|REPUBLICA PORTUGUESA"),
    (
        "GBR",
        "UNITED KINGDOM|UNITED KINGDOM OF GREAT BRITAIN AND NORTHERN IRELAND|GREAT BRITAIN|BRITISH|BRITISH CITIZEN|ENGLAND|SCOTLAND|WALES|NORTHERN IRELAND",
    ),
    ("IRL", "EIRE|IRISH|EIREANNACH"),
    ("DNK", "DANMARK|DANSK|DANISH|KONGERIGET DANMARK"),
    ("SWE", "SVERIGE|SVENSK|SWEDISH"),
    ("NOR", "NORGE|NOREG|NORSK|NORWEGIAN"),
    ("FIN", "SUOMI|SUOMEN TASAVALTA|FINNISH"),
    ("ISL", "ISLAND|ISLENSK|ICELANDIC"),
    ("EST", "EESTI|EESTI VABARIIK|ESTONIAN"),
    ("LVA", "LATVIJA|LATVIJAS REPUBLIKA|LATVIAN|LATVIJAS"),
    ("LTU", "LIETUVA|LIETUVOS RESPUBLIKA|LITHUANIAN|LIETUVOS"),
    ("POL", "POLSKA|POLSKIE|POLISH|RZECZPOSPOLITA POLSKA|REPUBLIC OF POLAND"),
    ("CZE", "CESKA REPUBLIKA|CESKO|CZECH|CZECH REPUBLIC"),
    ("SVK", "SLOVENSKO|SLOVENSKA REPUBLIKA|SLOVAK|SLOVAK REPUBLIC"),
    ("HUN", "MAGYARORSZAG|MAGYAR|HUNGARIAN"),
    ("SVN", "SLOVENIJA|REPUBLIKA SLOVENIJA|SLOVENIAN|SLOVENSKO DRZAVLJANSTVO"),
    ("HRV", "HRVATSKA|REPUBLIKA HRVATSKA|CROATIAN|HRVATSKO"),
    ("SRB", "SRBIJA|REPUBLIKA SRBIJA|SERBIAN|SRPSKO"),
    ("BIH", "BOSNA I HERCEGOVINA|BOSNIA AND HERZEGOVINA"),
    ("MNE", "CRNA GORA|MONTENEGRIN"),
    ("MKD", "SEVERNA MAKEDONIJA|MACEDONIA|REPUBLIC OF NORTH MACEDONIA"),
    ("ALB", "SHQIPERIA|REPUBLIKA E SHQIPERISE|SHQIPTARE|ALBANIAN"),
    ("RKS", "KOSOVO|KOSOVA|REPUBLIKA E KOSOVES"),
    ("GRC", "ELLADA|HELLAS|ELLENIKE|ELLINIKI|HELLENIC REPUBLIC|HELLENIC|GREEK"),
    ("CYP", "KYPROS|KIBRIS|CYPRIOT|REPUBLIC OF CYPRUS"),
    ("BGR", "BULGARIIA|BULGARIYA|BULGARIAN|REPUBLIKA BULGARIIA|BLGARIIA|REPUBLIC OF BULGARIA"),
    ("ROU", "ROMANA|ROMANIAN|REPUBLICA ROMANIA"),
    ("MDA", "MOLDOVA|REPUBLICA MOLDOVA|REPUBLIC OF MOLDOVA|MOLDOVAN"),
    ("UKR", "UKRAINA|UKRAYINA|UKRAINIAN"),
    ("BLR", "BELARUS|BELARUSIAN|RESPUBLIKA BELARUS|REPUBLIC OF BELARUS"),
    ("RUS", "ROSSIIA|ROSSIYA|ROSSIISKAIA FEDERATSIIA|RUSSIA|RUSSIAN|RUSSIAN FEDERATION"),
    ("TUR", "TURKIYE|TURKEY|TURKIYE CUMHURIYETI|TURKISH|REPUBLIC OF TURKEY|REPUBLIC OF TURKIYE"),
    ("GEO", "SAKARTVELO|GEORGIAN"),
    ("ARM", "HAYASTAN|ARMENIAN"),
    ("AZE", "AZERBAYCAN|AZERBAIJANI"),
    ("KAZ", "KAZAKSTAN|QAZAQSTAN|KAZAKH|REPUBLIC OF KAZAKHSTAN"),
    ("USA", "UNITED STATES|UNITED STATES OF AMERICA|AMERICAN|U S A"),
    ("CAN", "CANADIAN|CANADIENNE"),
    ("MEX", "ESTADOS UNIDOS MEXICANOS|MEXICANA|MEXICAN"),
    ("BRA", "BRASIL|BRASILEIRA|BRASILEIRO|BRAZILIAN|REPUBLICA FEDERATIVA DO BRASIL"),
    ("ARG", "ARGENTINE|REPUBLICA ARGENTINA"),
    ("CHL", "CHILENA|CHILEAN|REPUBLICA DE CHILE"),
    ("COL", "COLOMBIANA|COLOMBIAN|REPUBLICA DE COLOMBIA"),
    ("PER", "PERUANA|PERUVIAN|REPUBLICA DEL PERU"),
    ("VEN", "VENEZUELA|VENEZOLANA|VENEZUELAN|REPUBLICA BOLIVARIANA DE VENEZUELA"),
    ("BOL", "BOLIVIA|BOLIVIANA|ESTADO PLURINACIONAL DE BOLIVIA"),
    ("ECU", "ECUATORIANA|REPUBLICA DEL ECUADOR"),
    ("JPN", "NIPPON|NIHON|JAPANESE|RI BEN GUO|RI BEN"),
    ("CHN", "CHINA|CHINESE|PEOPLE S REPUBLIC OF CHINA|ZHONG HUA REN MIN GONG HE GUO|ZHONG GUO"),
    ("TWN", "TAIWAN|REPUBLIC OF CHINA"),
    ("HKG", "HONG KONG|HONG KONG SPECIAL ADMINISTRATIVE REGION"),
    ("KOR", "KOREA|REPUBLIC OF KOREA|SOUTH KOREA|DAEHANMINGUG|KOREAN"),
    ("PRK", "NORTH KOREA|DEMOCRATIC PEOPLE S REPUBLIC OF KOREA"),
    ("VNM", "VIETNAM|VIET NAM|VIETNAMESE|CONG HOA XA HOI CHU NGHIA VIET NAM"),
    ("IND", "INDIAN|BHARAT|REPUBLIC OF INDIA"),
    ("IDN", "REPUBLIK INDONESIA|INDONESIAN|WNI"),
    ("PHL", "PILIPINAS|REPUBLIKA NG PILIPINAS|FILIPINO|REPUBLIC OF THE PHILIPPINES"),
    ("IRN", "IRAN|IRANIAN|ISLAMIC REPUBLIC OF IRAN"),
    ("SYR", "SYRIA|SYRIAN|SYRIAN ARAB REPUBLIC"),
    ("ISR", "ISRAELI|STATE OF ISRAEL"),
    ("ARE", "UAE|EMIRATI|UNITED ARAB EMIRATES"),
    ("EGY", "MISR|EGYPTIAN|ARAB REPUBLIC OF EGYPT"),
    ("MAR", "MAROC|MOROCCAN|ROYAUME DU MAROC"),
    ("ZAF", "SOUTH AFRICAN|REPUBLIC OF SOUTH AFRICA"),
    ("NGA", "NIGERIAN|FEDERAL REPUBLIC OF NIGERIA"),
    ("TZA", "TANZANIA|UNITED REPUBLIC OF TANZANIA"),
    ("LAO", "LAOS"),
    ("AUS", "AUSTRALIAN"),
    ("NZL", "AOTEAROA|NEW ZEALANDER"),
];

/// States and provinces whose licences name the province and not the country.
const PARTS: [(&str, &str); 2] = [
    (
        "USA",
        "ALABAMA|ALASKA|ARIZONA|ARKANSAS|CALIFORNIA|COLORADO|CONNECTICUT|DELAWARE|DISTRICT OF COLUMBIA|FLORIDA|HAWAII|IDAHO|ILLINOIS|INDIANA|\
         IOWA|KANSAS|KENTUCKY|LOUISIANA|MAINE|MARYLAND|MASSACHUSETTS|MICHIGAN|MINNESOTA|MISSISSIPPI|MISSOURI|MONTANA|NEBRASKA|NEVADA|\
         NEW HAMPSHIRE|NEW JERSEY|NEW MEXICO|NEW YORK|NEW YORK STATE|NORTH CAROLINA|NORTH DAKOTA|OHIO|OKLAHOMA|OREGON|PENNSYLVANIA|\
         RHODE ISLAND|SOUTH CAROLINA|SOUTH DAKOTA|TENNESSEE|TEXAS|UTAH|VERMONT|VIRGINIA|WASHINGTON|WEST VIRGINIA|WISCONSIN|WYOMING",
    ),
    (
        "CAN",
        "ALBERTA|BRITISH COLUMBIA|MANITOBA|NEW BRUNSWICK|NEWFOUNDLAND AND LABRADOR|NORTHWEST TERRITORIES|NOVA SCOTIA|NUNAVUT|ONTARIO|\
         PRINCE EDWARD ISLAND|QUEBEC|SASKATCHEWAN|YUKON",
    ),
];

/// The state whose names are in `plain`. The longest name is taken first, so `GUINEA` is not found
/// in `EQUATORIAL GUINEA`.
fn by_name(plain: &str) -> Option<&'static str> {
    let mut rest = format!(" {plain} ");
    let mut found = None;
    while let Some((name, code)) = longest_name_in(&rest) {
        if found.is_some_and(|known| known != code) {
            return None;
        }
        found = Some(code);
        rest = rest.replace(&format!(" {name} "), "  ");
    }
    found
}

fn longest_name_in(text: &str) -> Option<(&'static str, &'static str)> {
    ALL_NAMES.iter().find(|(name, _)| text.contains(&format!(" {name} "))).map(|(name, code)| (name.as_str(), *code))
}

/// Every name of every list with its code, the longest first.
static ALL_NAMES: LazyLock<Vec<(String, &'static str)>> = LazyLock::new(|| {
    const NAME_CHARS_MIN: usize = 4;
    let own = NAMES.iter().chain(&PARTS).flat_map(|(code, names)| names.split('|').map(move |name| (name, *code)));
    let icao = mrz::codes().iter().map(|(code, name)| (*name, *code));
    let former = mrz::alternate_names().iter().map(|(name, code)| (*name, *code));
    let iso = rust_iso3166::ALL.iter().map(|country| (country.name, country.alpha3));
    let listed = icao.chain(former).chain(iso).filter_map(|(name, code)| Some((name, by_code(code)?)));
    let mut all: Vec<(String, &'static str)> = own
        .chain(listed)
        .map(|(name, code)| (plain(name), code))
        .filter(|(name, _)| name.len() >= NAME_CHARS_MIN)
        .collect();
    all.sort_by_key(|(name, _)| std::cmp::Reverse(name.len()));
    all
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[rustfmt::skip]
    fn every_spelling_of_a_state_gives_its_code() {
        for (text, expected) in [
            ("D", "DEU"), ("DE", "DEU"), ("DEU", "DEU"), ("deu", "DEU"), ("Bundesrepublik Deutschland", "DEU"), ("DEUTSCH", "DEU"),
            ("UTO", "UTO"), ("Utopia", "UTO"), ("UTOPIA / UTOPIE", "UTO"), ("United Kingdom of Great Britain and Northern Ireland", "GBR"),
            ("GB", "GBR"), ("UK", "GBR"), ("BRITISH CITIZEN", "GBR"), ("República Portuguesa", "PRT"), ("Türkiye Cumhuriyeti", "TUR"),
            ("Česká republika", "CZE"), ("Россия", "RUS"), ("Российская Федерация", "RUS"), ("Україна", "UKR"), ("Ελλάδα", "GRC"),
            ("日本国", "JPN"), ("California", "USA"), ("Ontario, Canada", "CAN"), ("Equatorial Guinea", "GNQ"), ("Guinea", "GIN"),
            ("Republic of Korea", "KOR"), ("Democratic People's Republic of Korea", "PRK"), ("Niger", "NER"), ("Nigeria", "NGA"),
            ("Côte d'Ivoire", "CIV"), ("XXA", "XXA"), ("RKS", "RKS"), ("XKX", "RKS"),
        ] {
            assert_eq!(code(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn a_text_that_names_no_state_or_two_has_no_code() {
        for text in ["", "?", "ZZ", "QQQ", "Atlantis", "Germany or France", "approve this document"] {
            assert_eq!(code(text), None, "{text}");
        }
        assert!(same("D", "Germany"));
        assert!(!same("AUT", "AUS"));
        assert!(same("Atlantis", "ATLANTIS"));
        assert!(!same("", ""));
    }
}
