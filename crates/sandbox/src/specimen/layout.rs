//! The layout of each design. The specimen maker prints by these tables, and vision reads by them.
//!
//! One file of over 300 lines because it is one table.

use crate::vocabulary::{DocumentType, Field, Side};

use super::paint::{Colour, Rect};

/// Radius of a page's corners.
pub const PAGE_RADIUS: f32 = 34.0;

/// One printed side of one kind of document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Design {
    /// Data page of a passport (TD3).
    Passport,
    /// Identity card, TD1, side with the portrait.
    CardFront,
    /// Identity card, TD1, side with the machine-readable zone.
    CardBack,
    /// Identity card in the older, larger size, TD2; it has one side only.
    LargeCard,
    /// Driving licence, side with the portrait.
    LicenceFront,
    /// Driving licence, side with the barcode.
    LicenceBack,
}

/// The place of a value, under its label.
#[derive(Debug, Clone, Copy)]
pub struct Slot {
    pub field: Field,
    pub label: &'static str,
    /// Left edge of label and value.
    pub x: f32,
    /// Baseline of the label; the value's baseline is [`Layout::drop`] below.
    pub y: f32,
    /// Widest extent of the value in pixels.
    pub width: f32,
}

/// The place of a machine-readable zone.
#[derive(Debug, Clone, Copy)]
pub struct MrzZone {
    /// The light band behind it.
    pub band: Rect,
    /// Left edge of the cell of the first character.
    pub x: f32,
    /// Baseline of the first line.
    pub y: f32,
    /// Distance between two characters in pixels.
    pub pitch: f32,
    /// Distance between two baselines.
    pub leading: f32,
    /// Pixels per em.
    pub size: f32,
}

/// The layout of one design, in pixels of its canvas.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Canvas width and height.
    pub size: (u32, u32),
    /// The document on the canvas.
    pub page: Rect,
    pub slots: &'static [Slot],
    /// Where the code of the issuing state is printed.
    pub state: Option<(f32, f32)>,
    /// Distance from the baseline of a label to that of its value.
    pub drop: f32,
    /// Pixels per em of a value.
    pub value_size: f32,
    pub portrait: Option<Rect>,
    pub mrz: Option<MrzZone>,
    /// The PDF417 barcode.
    pub barcode: Option<Rect>,
    /// The QR code that states the visual zone.
    pub data_code: Rect,
    /// The QR code that states the machine-readable zone.
    pub mrz_code: Option<Rect>,
    /// The QR code that states any other text.
    pub text_code: Rect,
    /// Free area for such a text.
    pub text_area: Rect,
    pub signature: Option<Rect>,
}

/// The colours of one design.
#[derive(Debug, Clone, Copy)]
pub struct Palette {
    /// Colour of the paper at the top.
    pub top: Colour,
    /// Colour of the paper at the bottom.
    pub bottom: Colour,
    /// First colour of the fine lines.
    pub first_ink: Colour,
    /// Second colour of the fine lines.
    pub second_ink: Colour,
    pub heading: Colour,
}

impl Design {
    pub const ALL: [Self; 6] =
        [Self::Passport, Self::CardFront, Self::CardBack, Self::LargeCard, Self::LicenceFront, Self::LicenceBack];

    /// The letter by which a QR code names the design.
    pub const fn letter(self) -> char {
        match self {
            Self::Passport => 'P',
            Self::CardFront => 'I',
            Self::CardBack => 'J',
            Self::LargeCard => 'K',
            Self::LicenceFront => 'L',
            Self::LicenceBack => 'M',
        }
    }

    /// The design that a letter names.
    pub fn of_letter(letter: char) -> Option<Self> {
        Self::ALL.into_iter().find(|design| design.letter() == letter)
    }

    /// The document type that a reader recognises.
    pub const fn document_type(self) -> DocumentType {
        match self {
            Self::Passport => DocumentType::Passport,
            Self::CardFront | Self::CardBack | Self::LargeCard => DocumentType::IdentityCard,
            Self::LicenceFront | Self::LicenceBack => DocumentType::DrivingLicence,
        }
    }

    /// The side that a reader recognises.
    pub const fn side(self) -> Side {
        match self {
            Self::Passport | Self::CardFront | Self::LargeCard | Self::LicenceFront => Side::Front,
            Self::CardBack | Self::LicenceBack => Side::Back,
        }
    }

    pub const fn layout(self) -> &'static Layout {
        match self {
            Self::Passport => &PASSPORT,
            Self::CardFront => &CARD_FRONT,
            Self::CardBack => &CARD_BACK,
            Self::LargeCard => &LARGE_CARD,
            Self::LicenceFront => &LICENCE_FRONT,
            Self::LicenceBack => &LICENCE_BACK,
        }
    }

    pub const fn palette(self) -> Palette {
        match self {
            Self::Passport => Palette {
                top: [233, 240, 246],
                bottom: [248, 238, 234],
                first_ink: [78, 142, 160],
                second_ink: [206, 124, 132],
                heading: [26, 44, 88],
            },
            Self::CardFront | Self::CardBack => Palette {
                top: [229, 242, 237],
                bottom: [248, 242, 226],
                first_ink: [72, 144, 116],
                second_ink: [204, 152, 78],
                heading: [14, 72, 58],
            },
            Self::LargeCard => Palette {
                top: [238, 234, 246],
                bottom: [240, 244, 232],
                first_ink: [124, 108, 176],
                second_ink: [128, 158, 96],
                heading: [60, 44, 108],
            },
            Self::LicenceFront | Self::LicenceBack => Palette {
                top: [250, 230, 234],
                bottom: [238, 234, 248],
                first_ink: [208, 104, 132],
                second_ink: [118, 118, 192],
                heading: [116, 24, 60],
            },
        }
    }
}

const fn slot(field: Field, label: &'static str, x: f32, y: f32, width: f32) -> Slot {
    Slot { field, label, x, y, width }
}

/// The baseline of a row of slots.
const fn row(first: f32, step: f32, number: u8) -> f32 {
    first + step * number as f32
}

const PASSPORT: Layout = Layout {
    size: (1600, 1100),
    page: Rect::new(50.0, 22.0, 1500.0, 1056.0),
    slots: &[
        slot(Field::DocumentNumber, "Passport No. / Passeport Nº", 860.0, row(186.0, 84.0, 0), 390.0),
        slot(Field::Surname, "Surname / Nom", 545.0, row(186.0, 84.0, 1), 710.0),
        slot(Field::GivenNames, "Given names / Prénoms", 545.0, row(186.0, 84.0, 2), 710.0),
        slot(Field::Nationality, "Nationality / Nationalité", 545.0, row(186.0, 84.0, 3), 180.0),
        slot(Field::Sex, "Sex / Sexe", 790.0, row(186.0, 84.0, 3), 80.0),
        slot(Field::PersonalNumber, "Personal No. / Nº personnel", 930.0, row(186.0, 84.0, 3), 325.0),
        slot(Field::DateOfBirth, "Date of birth / Date de naissance", 545.0, row(186.0, 84.0, 4), 290.0),
        slot(Field::PlaceOfBirth, "Place of birth / Lieu de naissance", 930.0, row(186.0, 84.0, 4), 325.0),
        slot(Field::DateOfIssue, "Date of issue / Date de délivrance", 545.0, row(186.0, 84.0, 5), 290.0),
        slot(Field::DateOfExpiry, "Date of expiry / Date d'expiration", 930.0, row(186.0, 84.0, 5), 325.0),
        slot(Field::Authority, "Authority / Autorité", 545.0, row(186.0, 84.0, 6), 710.0),
    ],
    state: Some((680.0, row(186.0, 84.0, 0))),
    drop: 40.0,
    value_size: 34.0,
    portrait: Some(Rect::new(86.0, 180.0, 410.0, 528.0)),
    mrz: Some(MrzZone {
        band: Rect::new(50.0, 872.0, 1500.0, 206.0),
        x: 92.0,
        y: 956.0,
        pitch: 32.2,
        leading: 78.0,
        size: 53.0,
    }),
    barcode: None,
    data_code: Rect::new(1304.0, 182.0, 206.0, 206.0),
    mrz_code: Some(Rect::new(1318.0, 448.0, 178.0, 178.0)),
    text_code: Rect::new(1312.0, 666.0, 190.0, 190.0),
    text_area: Rect::new(545.0, 768.0, 710.0, 92.0),
    signature: Some(Rect::new(86.0, 724.0, 410.0, 120.0)),
};

const LARGE_CARD: Layout = Layout {
    size: (1600, 1100),
    page: Rect::new(50.0, 22.0, 1500.0, 1056.0),
    slots: &[
        slot(Field::Surname, "Surname / Nom", 545.0, row(186.0, 92.0, 0), 710.0),
        slot(Field::GivenNames, "Given names / Prénoms", 545.0, row(186.0, 92.0, 1), 710.0),
        slot(Field::DocumentNumber, "Card No. / Carte Nº", 545.0, row(186.0, 92.0, 2), 330.0),
        slot(Field::Nationality, "Nationality / Nationalité", 930.0, row(186.0, 92.0, 2), 180.0),
        slot(Field::Sex, "Sex / Sexe", 1170.0, row(186.0, 92.0, 2), 80.0),
        slot(Field::DateOfBirth, "Date of birth / Date de naissance", 545.0, row(186.0, 92.0, 3), 290.0),
        slot(Field::PlaceOfBirth, "Place of birth / Lieu de naissance", 930.0, row(186.0, 92.0, 3), 325.0),
        slot(Field::DateOfIssue, "Date of issue / Date de délivrance", 545.0, row(186.0, 92.0, 4), 290.0),
        slot(Field::DateOfExpiry, "Date of expiry / Date d'expiration", 930.0, row(186.0, 92.0, 4), 325.0),
        slot(Field::Authority, "Authority / Autorité", 545.0, row(186.0, 92.0, 5), 710.0),
    ],
    state: None,
    drop: 42.0,
    value_size: 36.0,
    portrait: Some(Rect::new(86.0, 180.0, 410.0, 528.0)),
    mrz: Some(MrzZone {
        band: Rect::new(50.0, 864.0, 1500.0, 214.0),
        x: 116.0,
        y: 952.0,
        pitch: 38.0,
        leading: 82.0,
        size: 58.0,
    }),
    barcode: None,
    data_code: Rect::new(1304.0, 182.0, 206.0, 206.0),
    mrz_code: Some(Rect::new(1318.0, 448.0, 178.0, 178.0)),
    text_code: Rect::new(1312.0, 664.0, 186.0, 186.0),
    text_area: Rect::new(545.0, 760.0, 710.0, 92.0),
    signature: Some(Rect::new(86.0, 724.0, 410.0, 120.0)),
};

const CARD_FRONT: Layout = Layout {
    size: (1600, 1010),
    page: Rect::new(50.0, 32.0, 1500.0, 946.0),
    slots: &[
        slot(Field::Surname, "Surname / Nom", 560.0, row(210.0, 116.0, 0), 690.0),
        slot(Field::GivenNames, "Given names / Prénoms", 560.0, row(210.0, 116.0, 1), 690.0),
        slot(Field::DocumentNumber, "Card No. / Carte Nº", 560.0, row(210.0, 116.0, 2), 330.0),
        slot(Field::Nationality, "Nationality / Nationalité", 930.0, row(210.0, 116.0, 2), 180.0),
        slot(Field::Sex, "Sex / Sexe", 1170.0, row(210.0, 116.0, 2), 80.0),
        slot(Field::DateOfBirth, "Date of birth / Date de naissance", 560.0, row(210.0, 116.0, 3), 300.0),
        slot(Field::PlaceOfBirth, "Place of birth / Lieu de naissance", 930.0, row(210.0, 116.0, 3), 320.0),
        slot(Field::DateOfExpiry, "Date of expiry / Date d'expiration", 560.0, row(210.0, 116.0, 4), 300.0),
    ],
    state: Some((930.0, row(210.0, 116.0, 4))),
    drop: 48.0,
    value_size: 42.0,
    portrait: Some(Rect::new(90.0, 196.0, 420.0, 541.0)),
    mrz: None,
    barcode: None,
    data_code: Rect::new(1304.0, 206.0, 206.0, 206.0),
    mrz_code: None,
    text_code: Rect::new(1304.0, 640.0, 206.0, 206.0),
    text_area: Rect::new(560.0, 800.0, 690.0, 100.0),
    signature: Some(Rect::new(90.0, 756.0, 420.0, 130.0)),
};

const CARD_BACK: Layout = Layout {
    size: (1600, 1010),
    page: Rect::new(50.0, 32.0, 1500.0, 946.0),
    slots: &[
        slot(Field::Address, "Address / Adresse", 96.0, row(190.0, 98.0, 0), 1150.0),
        slot(Field::DateOfIssue, "Date of issue / Date de délivrance", 96.0, row(190.0, 98.0, 1), 330.0),
        slot(Field::Authority, "Authority / Autorité", 520.0, row(190.0, 98.0, 1), 726.0),
        slot(Field::PersonalNumber, "Personal No. / Nº personnel", 96.0, row(190.0, 98.0, 2), 380.0),
    ],
    state: None,
    drop: 44.0,
    value_size: 36.0,
    portrait: None,
    mrz: Some(MrzZone {
        band: Rect::new(50.0, 640.0, 1500.0, 338.0),
        x: 116.0,
        y: 738.0,
        pitch: 45.6,
        leading: 92.0,
        size: 62.0,
    }),
    barcode: None,
    data_code: Rect::new(1320.0, 92.0, 190.0, 190.0),
    mrz_code: Some(Rect::new(1320.0, 352.0, 190.0, 190.0)),
    text_code: Rect::new(1080.0, 392.0, 206.0, 206.0),
    text_area: Rect::new(96.0, 500.0, 900.0, 96.0),
    signature: None,
};

const LICENCE_FRONT: Layout = Layout {
    size: (1600, 1010),
    page: Rect::new(50.0, 32.0, 1500.0, 946.0),
    slots: &[
        slot(Field::Surname, "1.  Surname / Nom", 545.0, row(190.0, 82.0, 0), 710.0),
        slot(Field::GivenNames, "2.  Given names / Prénoms", 545.0, row(190.0, 82.0, 1), 710.0),
        slot(Field::DateOfBirth, "3.  Date of birth / Date de naissance", 545.0, row(190.0, 82.0, 2), 300.0),
        slot(Field::PlaceOfBirth, "Place of birth / Lieu", 930.0, row(190.0, 82.0, 2), 325.0),
        slot(Field::DateOfIssue, "4a.  Issued / Délivré", 545.0, row(190.0, 82.0, 3), 300.0),
        slot(Field::DateOfExpiry, "4b.  Expires / Expire", 930.0, row(190.0, 82.0, 3), 325.0),
        slot(Field::Authority, "4c.  Authority / Autorité", 545.0, row(190.0, 82.0, 4), 355.0),
        slot(Field::PersonalNumber, "4d.  Personal No. / Nº personnel", 930.0, row(190.0, 82.0, 4), 325.0),
        slot(Field::DocumentNumber, "5.  Licence No. / Permis Nº", 545.0, row(190.0, 82.0, 5), 355.0),
        slot(Field::Sex, "Sex / Sexe", 930.0, row(190.0, 82.0, 5), 80.0),
        slot(Field::Address, "8.  Address / Adresse", 545.0, row(190.0, 82.0, 6), 710.0),
        slot(Field::VehicleClasses, "9.  Classes / Catégories", 545.0, row(190.0, 82.0, 7), 710.0),
    ],
    state: None,
    drop: 40.0,
    value_size: 35.0,
    portrait: Some(Rect::new(90.0, 190.0, 410.0, 528.0)),
    mrz: None,
    barcode: None,
    data_code: Rect::new(1304.0, 190.0, 206.0, 206.0),
    mrz_code: None,
    text_code: Rect::new(1304.0, 640.0, 206.0, 206.0),
    text_area: Rect::new(545.0, 846.0, 710.0, 100.0),
    signature: Some(Rect::new(90.0, 740.0, 410.0, 130.0)),
};

const LICENCE_BACK: Layout = Layout {
    size: (1600, 1010),
    page: Rect::new(50.0, 32.0, 1500.0, 946.0),
    slots: &[
        slot(Field::DocumentNumber, "5.  Licence No. / Permis Nº", 96.0, row(190.0, 92.0, 0), 400.0),
        slot(Field::VehicleClasses, "9.  Classes / Catégories", 620.0, row(190.0, 92.0, 0), 600.0),
    ],
    state: None,
    drop: 42.0,
    value_size: 36.0,
    portrait: None,
    mrz: None,
    barcode: Some(Rect::new(96.0, 560.0, 1408.0, 372.0)),
    data_code: Rect::new(1320.0, 92.0, 190.0, 190.0),
    mrz_code: None,
    text_code: Rect::new(1304.0, 324.0, 206.0, 206.0),
    text_area: Rect::new(96.0, 440.0, 1150.0, 96.0),
    signature: None,
};
