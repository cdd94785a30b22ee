//! Dates in the forms, languages and calendars of many states.

use jiff::ToSpan;
use jiff::civil::date;
use proptest::prelude::*;

use super::*;

const TODAY: Date = date(2026, 11, 23);

fn read_as(text: &str, role: Role, state: &str) -> String {
    parse(text, role, &Habits::of(state), TODAY).map_or_else(|| "-".to_owned(), |read| read.date.to_string())
}

/// The twelfth of August 1990 and the fifth of February 1990 as states print them, with the state.
#[rustfmt::skip]
const BIRTHS: &[(&str, &str)] = &[
    // Asia with a number and a sign for the month.
    ("CHN", "12 8月/AUG 1990"), ("CHN", "1990年8月12日"), ("CHN", "1990.08.12"), ("KOR", "12 8월/AUG 1990"), ("KOR", "1990. 8. 12."), ("KOR", "1990년 8월 12일"),
    ("VNM", "12 / 08 / 1990"), ("VNM", "ngày 12 tháng 08 năm 1990"), ("VNM", "12 tháng 8 1990"),
    // The calendars of Asia.
    ("JPN", "12 AUG 1990"), ("JPN", "平成2年8月12日"), ("JPN", "H2.8.12"), ("JPN", "H 2. 8. 12"), ("JPN", "平成二年八月十二日"), ("JPN", "1990年(平成2年)8月12日"), ("JPN", "1990年08月12日"),
    ("TWN", "民國79年8月12日"), ("TWN", "中華民國 79 年 8 月 12 日"), ("TWN", "079.08.12"), ("TWN", "79/08/12"), ("TWN", "民國七十九年八月十二日"), ("TWN", "12 AUG 1990"),
    ("THA", "12 ส.ค. 2533"), ("THA", "12 สิงหาคม 2533"), ("THA", "12 ส.ค. พ.ศ. 2533"), ("THA", "12 Aug. 1990"), ("THA", "12/08/2533"), ("THA", "๑๒ ส.ค. ๒๕๓๓"), ("THA", "12 ส.ค. 2533 / 12 Aug. 1990"), ("THA", "วันที่ 12 เดือน สิงหาคม พ.ศ. 2533"),
    ("NPL", "2047-04-28"), ("NPL", "२०४७-०४-२८"), ("NPL", "२०४७ साउन २८"), ("NPL", "28 Shrawan 2047"), ("NPL", "वि.सं. २०४७/०४/२८"), ("NPL", "12 AUG 1990"), ("NPL", "2047-04-28 (1990-08-12)"), ("NPL", "2047-04-28 B.S."),
    ("IRN", "1369/05/21"), ("IRN", "۱۳۶۹/۰۵/۲۱"), ("IRN", "۲۱ مرداد ۱۳۶۹"), ("IRN", "12/08/1990"), ("IRN", "1990/08/12 ۱۳۶۹/۰۵/۲۱"), ("IRN", "12 AUG 1990"),
    ("AFG", "21 Asad 1369"), ("AFG", "۲۱ اسد ۱۳۶۹"), ("AFG", "1369/5/21 - 12 AUG 1990"),
    ("SAU", "12/08/1990 21/01/1411"), ("SAU", "21/01/1411 هـ 12/08/1990 م"), ("SAU", "١٤١١/٠١/٢١"), ("SAU", "21 محرم 1411"), ("SAU", "12 AUG 1990"), ("SAU", "1411/01/21 H"),
    ("ETH", "12 AUG 90"), ("ETH", "06 ነሐሴ 1982"), ("ETH", "12/08/1990 06/12/1982"), ("ETH", "06/12/1982 E.C."), ("ETH", "12 ኦገስት 1990"),
    ("PRK", "주체79년 8월 12일"), ("PRK", "12 AUG 1990"),
    ("KHM", "១២.០៨.១៩៩០"), ("MMR", "၁၂.၀၈.၁၉၉၀"), ("IND", "12/08/1990"), ("IND", "१२/०८/१९९०"), ("BGD", "12 Aug 1990"), ("BGD", "১২ আগস্ট ১৯৯০"), ("LAO", "໑໒ 08 1990"), ("MNG", "1990/08/12"), ("MNG", "1990 оны 08 сарын 12"),
    // Arabic script.
    ("EGY", "١٩٩٠/٠٨/١٢"), ("EGY", "١٢/٠٨/١٩٩٠"), ("EGY", "12 أغسطس 1990"), ("TUN", "12 أوت 1990"), ("DZA", "1990.08.12"), ("LBN", "12 آب 1990"), ("MAR", "12 غشت 1990"), ("SYR", "١٢ آب ١٩٩٠"),
    // Two languages.
    ("HUN", "12 AUG/AUG 90"), ("HUN", "1990. 08. 12."), ("ROU", "12 AUG/AUG 90"), ("SWE", "12 AUG/AUG 90"), ("IRL", "12 LÚN/AUG 1990"), ("ITA", "12 AGO/AUG 1990"), ("NLD", "12 AUG/AUG 1990"), ("ARG", "12 AGO/AUG 1990"),
    ("GBR", "12 AUG /AOÛ 90"), ("NGA", "12 AUG / AOU 90"), ("UKR", "12 СЕР/AUG 1990"), ("TUR", "12 AĞU/AUG 1990"), ("POL", "12 SIE/AUG 1990"), ("GRC", "12 AUG 90"), ("CAN", "12 AUG /AOÛ 90"), ("CYP", "12/08/1990"),
    ("VEN", "12 / Ago / Aug / 1990"), ("BRA", "12 AGO/AUG 1990"), ("IDN", "12-08-1990"), ("MYS", "12 OGO/AUG 1990"), ("PHL", "AUGUST 12, 1990"), ("PHL", "1990/08/12"), ("USA", "08/12/1990"), ("USA", "12 Aug 1990"), ("AZE", "12 AVQ/AUG 1990"),
    ("EST", "12.08.1990"), ("LVA", "1990. gada 12. augusts"), ("LTU", "1990 m. rugpjūčio 12 d."), ("LTU", "1990 08 12"), ("FIN", "12.8.1990"), ("MLT", "12 AWW/AUG 1990"), ("ISL", "12 ágú/AUG 1990"), ("CZE", "12. SRP. 1990"), ("HRV", "12 KOL/AUG 1990"),
    ("GEO", "12 აგვ / AUG 1990"), ("ARM", "12 օգոստոսի 1990"), ("ISR", "12/08/1990"), ("KAZ", "12 тамыз 1990"), ("SRB", "12.08.1990."), ("MEX", "12 08 1990"), ("RUS", "12.08.1990"), ("DEU", "12.08.90"), ("ZAF", "1990-08-12"),
    // Licences: the field's number before, the place of birth behind.
    ("FRA", "3. 12.08.1990 PARIS"), ("FRA", "3. 12.08.1990 PARIS (75)"), ("DEU", "3. 12.08.90 Mars"), ("GBR", "3. 12.08.1990 UNITED KINGDOM"), ("CHE", "12.08.1990 Bern BE"), ("ITA", "3. 12/08/1990 MAIO (RM)"), ("POL", "3. 12.08.1990 SIERPC"),
    ("USA", "3 08/12/1990"), ("FRA", "12 AUG 1990 SAINT-GERMAIN-EN-LAYE"),
];

#[test]
fn a_day_in_the_form_of_every_state_is_that_day() {
    let wrong: Vec<String> = BIRTHS
        .iter()
        .map(|(state, text)| (state, text, read_as(text, Role::Birth, state)))
        .filter(|(_, _, read)| read != "1990-08-12")
        .map(|(state, text, read)| format!("{state} {text}: {read}"))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), BIRTHS.len(), wrong.join("\n"));
}

/// More days as they are printed, with what they are; `-` is unreadable.
#[rustfmt::skip]
const OTHERS: &[(&str, &str, &str)] = &[
    ("JPN", "S55.3.1", "1980-03-01"), ("JPN", "R1.5.1", "2019-05-01"), ("JPN", "昭和55年3月1日", "1980-03-01"), ("JPN", "令和元年5月1日", "2019-05-01"), ("JPN", "T15.12.1", "1926-12-01"),
    // No era had such a year or had begun; two digits may be a year of an era.
    ("JPN", "S65.3.1", "-"), ("JPN", "H1.1.1", "-"), ("JPN", "T0.1.1", "-"), ("JPN", "02.08.12", "-"), ("JPN", "12.08.02", "-"), ("JPN", "X2.8.12", "-"), ("JPN", "2.8.12", "-"),
    ("HUN", "01 MÁR/MAR 12", "2012-03-01"), ("GBR", "05 FEB /FÉV 90", "1990-02-05"), ("IRL", "01 BEA/MAY 1988", "1988-05-01"), ("NLD", "26 MAA/MAR 2012", "2012-03-26"), ("ITA", "01 GEN/JAN 1988", "1988-01-01"),
    ("VEN", "05 / Feb / Feb / 2020", "2020-02-05"), ("PHL", "FEBRUARY 05, 1990", "1990-02-05"), ("TUN", "05 فيفري 1990", "1990-02-05"), ("LBN", "05 كانون الثاني 1990", "1990-01-05"), ("IRQ", "٠٥ تشرين الأول ١٩٩٠", "1990-10-05"), ("EGY", "١٩٩٠/٠٢/٠٥", "1990-02-05"),
    ("THA", "5 ก.พ. 2533", "1990-02-05"), ("THA", "5 มี.ค. 2533", "1990-03-05"), ("THA", "5 ม.ค. 2533", "1990-01-05"), ("THA", "5 ก.พ. 33", "-"), ("THA", "05/02/33", "-"), ("THA", "5 FEB 90", "1990-02-05"),
    ("UKR", "05 ЛЮТ/FEB 1990", "1990-02-05"), ("HRV", "05 LIP/JUN 1990", "1990-06-05"), ("POL", "05 LIP/JUL 1990", "1990-07-05"), ("POL", "05 LIP 1990", "1990-07-05"), ("HRV", "05 LIP 1990", "1990-06-05"), ("ATL", "05 LIP 1990", "-"),
    ("HRV", "05 SRP 1990", "1990-07-05"), ("CZE", "05 SRP 1990", "1990-08-05"), ("ATL", "05 LIP/JUL 1990", "1990-07-05"), ("ZAF", "05 JAN 1990", "1990-01-05"),
    // Unknown parts.
    ("FRA", "XX.XX.1965", "1965"), ("FRA", "XX 08 1965", "1965-08"), ("FRA", "--.--.1965", "1965"), ("FRA", "** 08 1965", "1965-08"), ("FRA", "12 -- 1965", "1965-12"), ("GBR", "XX AUG 1965", "1965-08"), ("CHN", "1965年", "1965"), ("CHN", "1965年8月", "1965-08"), ("IND", "1965", "1965"),
    // A calendar that the state does not use is no excuse.
    ("DEU", "1369/05/21", "-"), ("DEU", "21/01/1411", "-"), ("DEU", "12/08/2533", "-"), ("DEU", "2047-04-28", "2047-04-28"), ("DEU", "H2.8.12", "-"), ("DEU", "平成2年8月12日", "-"), ("IRN", "21/01/1411", "1990-08-12|1411"), ("SAU", "1369/05/21", "1950-03-10"), ("EGY", "21/01/1411", "-"),
    ("JPN", "民國79年8月12日", "-"), ("THA", "2047-04-28", "2047-04-28"), ("IND", "२०४७-०४-२८", "2047-04-28"), ("ARE", "12/08/1990 21/01/1411", "-"), ("ISR", "5750-05-10", "-"), ("ISR", "י' בשבט תש\"ן", "-"), ("TUR", "06/12/1982 E.C.", "1982-12-06"),
    // Two calendars that do not mean one day.
    ("SAU", "12/08/1990 25/01/1411", "-"), ("SAU", "12/08/1990 23/01/1411", "1990-08-12"), ("IRN", "12/08/1990 1369/05/22", "-"), ("THA", "12 ส.ค. 2533 13 Aug. 1990", "-"), ("JPN", "1990年(平成3年)8月12日", "-"),
    // Not one date.
    ("FRA", "12.08.1990 13.08.1990", "-"), ("FRA", "12.08.1990 12", "-"), ("FRA", "12 AUG 1990 SEP", "1990-08-12"), ("FRA", "31.02.1990", "-"), ("FRA", "12.08.1990 12.08.1990", "1990-08-12"), ("FRA", "3. 1990", "1990"), ("FRA", "3/1990", "1990-03"), ("FRA", "2021-2031", "-"),
    ("THA", "5 ก.พ. 2473", "1931-02-05"), ("THA", "5 เม.ย. 2473", "1930-04-05"),
];

#[test]
fn other_days_are_read_as_printed_or_not_at_all() {
    let wrong: Vec<String> = OTHERS
        .iter()
        .filter(|(_, _, expected)| !expected.contains('|'))
        .map(|(state, text, expected)| (state, text, expected, read_as(text, Role::Birth, state)))
        .filter(|(_, _, expected, read)| read != *expected)
        .map(|(state, text, expected, read)| format!("{state} {text}: {read}, not {expected}"))
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), OTHERS.len(), wrong.join("\n"));
}

#[test]
fn validity_is_read_from_fields_of_licences_and_from_ranges() {
    for (role, state, text, expected) in [
        (Role::Expiry, "FRA", "4b. 05.02.2031", "2031-02-05"),
        (Role::Expiry, "DEU", "4b 05.02.31", "2031-02-05"),
        (Role::Issue, "GBR", "4a. 05.02.2021 DVLA", "2021-02-05"),
        (Role::Expiry, "CHN", "2016.01.01-2036.01.01", "2036-01-01"),
        (Role::Issue, "CHN", "2016.01.01-2036.01.01", "2016-01-01"),
        (Role::Expiry, "CHN", "2016年1月1日至2036年1月1日", "2036-01-01"),
        (Role::Expiry, "CHN", "2016.01.01 2036.01.01", "-"),
        (Role::Expiry, "CHN", "2036.01.01-2016.01.01", "-"),
        (Role::Expiry, "MEX", "2021-2031", "2031"),
        (Role::Expiry, "MEX", "2021 - 2031", "2031"),
        (Role::Issue, "MEX", "2021-2031", "2021"),
        (Role::Expiry, "MEX", "2031", "2031"),
        (Role::Expiry, "JPN", "2029年(令和11年)8月12日まで有効", "2029-08-12"),
        (Role::Expiry, "JPN", "平成35年8月12日", "2023-08-12"),
        (Role::Expiry, "SAU", "1450/05/10", "2028-09-29"),
        (Role::Expiry, "NPL", "2084-01-15", "2027-04-28"),
        (Role::Expiry, "NPL", "12 AUG 2031", "2031-08-12"),
        (Role::Expiry, "CZE", "16.04.2059", "2059-04-16"),
        (Role::Expiry, "CZE", "16.04.59", "2059-04-16"),
        (Role::Expiry, "GBR", "15 APR 99", "1999-04-15"),
    ] {
        assert_eq!(read_as(text, role, state), expected, "{state} {text}");
    }
}

#[test]
fn a_date_of_two_possible_calendars_is_not_sure() {
    let printed = |text, role, state| parse(text, role, &Habits::of(state), TODAY).expect("a date");
    let nepalese = printed("2010-05-05", Role::Birth, "NPL");
    assert_eq!(nepalese.span(), (date(1953, 8, 21), date(2010, 5, 5)));
    assert!(!nepalese.is_sure);
    assert!(!printed("12/06/1982", Role::Birth, "ETH").is_sure);
    assert!(printed("12 JUN 1982", Role::Birth, "ETH").is_sure);
    assert!(printed("2047-04-28", Role::Birth, "NPL").is_sure, "nobody is born in 2047");
    assert!(!printed("5 ก.พ. 2473", Role::Birth, "THA").is_sure);
}

/// The states of the forms above.
const STATES: &[&str] = &[
    "CHN", "KOR", "JPN", "TWN", "THA", "NPL", "IRN", "AFG", "SAU", "ETH", "PRK", "ISR", "USA", "FRA", "DEU", "HRV",
    "POL", "EGY", "IND", "ATL",
];

/// Zeros of ASCII and of other scripts.
const ZEROS: [u32; 9] = [0x30, 0x0660, 0x06F0, 0x0966, 0x09E6, 0x0E50, 0x0ED0, 0x1040, 0x17E0];

/// Every Gregorian way to print a day.
fn spellings(day: Date) -> Vec<String> {
    const ENGLISH: [&str; 12] = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"];
    const FRENCH: [&str; 12] = ["JAN", "FÉV", "MARS", "AVR", "MAI", "JUIN", "JUIL", "AOÛ", "SEPT", "OCT", "NOV", "DÉC"];
    let (y, m, d) = (day.year(), day.month(), day.day());
    let at = usize::try_from(m - 1).expect("a month");
    let (english, french) = (ENGLISH[at], FRENCH[at]);
    vec![
        format!("{d:02} {english} {y}"),
        format!("{d:02}{english}{y}"),
        format!("{d:02} {english}/{french} {y}"),
        format!("{d:02} {french} / {english} {y}"),
        format!("{english} {d}, {y}"),
        format!("{d} {m}月/{english} {y}"),
        format!("{y}年{m}月{d}日"),
        format!("{y}년 {m}월 {d}일"),
        format!("3. {d:02} {english} {y} PARIS"),
    ]
}

proptest! {
    #[test]
    fn a_printed_day_is_read_as_that_day(days in 0..40_000_i32, state in prop::sample::select(STATES), digits in 0..9_usize) {
        let day = date(1917, 1, 1).saturating_add(days.days());
        prop_assume!(day <= TODAY);
        for text in spellings(day) {
            let local: String = text.chars().map(|c| match c.to_digit(10) {
                Some(value) => char::from_u32(ZEROS[digits] + value).expect("a digit"),
                None => c,
            }).collect();
            // Years of Devanagari digits are Bikram Sambat in Nepal, unless a Gregorian month says otherwise.
            prop_assume!(!(state == "NPL" && digits == 3));
            let read = parse(&local, Role::Birth, &Habits::of(state), TODAY);
            prop_assert_eq!(read.map(|read| read.date), Some(day.into()), "{} {}", state, local);
        }
    }

    #[test]
    fn digits_are_read_as_one_of_the_days_that_they_can_mean(days in 0..40_000_i32, state in prop::sample::select(STATES)) {
        let day = date(1917, 1, 1).saturating_add(days.days());
        prop_assume!(day <= TODAY);
        let (y, m, d) = (day.year(), day.month(), day.day());
        for text in [format!("{d:02}.{m:02}.{y}"), format!("{m:02}/{d:02}/{y}"), format!("{y}-{m:02}-{d:02}"), format!("{y}{m:02}{d:02}"), format!("{d:02}{m:02}{y}")] {
            let read = parse(&text, Role::Birth, &Habits::of(state), TODAY).expect("a date");
            let of_state = matches!(state, "NPL" | "ETH");
            prop_assert!(of_state || read.date == day.into() || read.other == Some(day.into()), "{} {}: {:?}", state, text, read);
            // An issuer whose habit is known has one reading.
            if !of_state && read.other.is_some() && !matches!(state, "USA" | "FRA" | "HRV") {
                prop_assert!(!read.is_sure);
            }
        }
    }

    #[test]
    fn days_of_other_calendars_are_read_in_their_states_only(days in 0..30_000_i32) {
        let day = date(1944, 4, 14).saturating_add(days.days());
        prop_assume!(day <= TODAY);
        let (y, m, d) = (day.year(), day.month(), day.day());
        for (state, text) in [
            ("THA", format!("{d}/{m}/{}", y + 543)),
            ("TWN", format!("民國{}年{m}月{d}日", y - 1911)),
            ("TWN", format!("{:03}.{m:02}.{d:02}", y - 1911)),
            ("PRK", format!("주체{}년 {m}월 {d}일", y - 1911)),
        ] {
            let read = parse(&text, Role::Birth, &Habits::of(state), TODAY).expect("a date");
            prop_assert!(read.date == day.into() || read.other == Some(day.into()), "{} {}: {:?}", state, text, read);
            for other in ["DEU", "USA", "IRN", "ATL"] {
                prop_assert_eq!(parse(&text, Role::Birth, &Habits::of(other), TODAY), None, "{} {}", other, text);
            }
        }
    }

    #[test]
    fn no_text_makes_it_panic_or_invents_a_day(text in "\\PC{0,40}", state in prop::sample::select(STATES)) {
        for role in [Role::Birth, Role::Issue, Role::Expiry] {
            if let Some(read) = parse(&text, role, &Habits::of(state), TODAY) {
                prop_assert!(text.chars().any(char::is_numeric), "{}", text);
                let _ = read.span();
            }
        }
        let _ = parse_expiry(&text, &Habits::of(state), TODAY);
    }

    #[test]
    fn no_date_like_text_makes_it_panic(text in "([0-9]{1,4}|[HSRTM]|AUG|八月|年|月|日|[./ -]|平成|民國|ก.พ.|محرم|साउन|-|\\*\\*|XX|هـ|3\\.|4b){0,9}", state in prop::sample::select(STATES)) {
        for role in [Role::Birth, Role::Issue, Role::Expiry] {
            let _ = parse(&text, role, &Habits::of(state), TODAY);
        }
        let _ = parse_expiry(&text, &Habits::of(state), TODAY);
    }
}
