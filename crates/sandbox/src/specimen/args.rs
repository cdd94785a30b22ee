//! `sandbox specimen` on the command line.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum as _};
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::date::PartialDate;
use super::file::{Encoding, Format, encode};
use super::flaw::{Flaw, FlawKind};
use super::selfie::SelfieOptions;
use super::{ForeignText, Kind, Sex, Specimen, TextStyle, draw, selfie, slug};
use crate::eyes::fields::Field;

/// Draw a document of Utopia, or a selfie of a person, as a JPEG or PNG file.
#[derive(Debug, Args)]
pub struct SpecimenArgs {
    /// What to draw
    #[arg(long = "type", value_enum, default_value = "passport")]
    kind: Kind,
    /// Holder: `SURNAME, GIVEN NAMES` or `Given Names Surname`
    #[arg(long, default_value = "ERIKSSON, ANNA MARIA")]
    name: String,
    /// Date of birth: 1990-08-12, or 1990-08 or 1990 where the rest is unknown
    #[arg(long, default_value = "1990-08-12")]
    birth: PartialDate,
    /// Last day of validity [default: in six years]
    #[arg(long)]
    expiry: Option<Date>,
    /// First day of validity [default: ten years before the last]
    #[arg(long)]
    issue: Option<Date>,
    /// Number of the document [default: by the seed]
    #[arg(long)]
    number: Option<String>,
    /// Number of the person [default: by the seed]; empty for none
    #[arg(long)]
    personal_number: Option<String>,
    /// Sex
    #[arg(long, value_enum, default_value = "F")]
    sex: Sex,
    /// Nationality, three letters
    #[arg(long, default_value = "UTO")]
    nationality: String,
    /// Issuing state, three letters
    #[arg(long, default_value = "UTO")]
    issuer: String,
    /// Place of birth
    #[arg(long, default_value = "ZENITH")]
    place_of_birth: String,
    /// Home: street, town, post code
    #[arg(long, default_value = "12 AGORA STREET, ZENITH 1516")]
    address: String,
    /// Issuing authority [default: by the type]
    #[arg(long)]
    authority: Option<String>,
    /// Classes of a driving licence
    #[arg(long, default_value = "A B BE")]
    classes: String,
    /// Issuer number in a driving licence's barcode
    #[arg(long, default_value_t = super::aamva::UTOPIA_ISSUER)]
    aamva_issuer: u32,
    /// Version of a driving licence's barcode
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=10))]
    aamva_version: u8,
    /// Jurisdiction in a driving licence's barcode
    #[arg(long, default_value = "UP")]
    aamva_jurisdiction: String,
    /// Whose face: a slug such as `anna` [default: the name]
    #[arg(long)]
    person: Option<String>,
    /// Something that is wrong; may be repeated
    #[arg(long = "flaw", value_name = "FLAW[=VALUE]")]
    flaws: Vec<Flaw>,
    /// A text that does not belong there; may be repeated
    #[arg(long = "text")]
    texts: Vec<String>,
    /// What the visual zone prints in a field instead of what the machines say; may be repeated
    #[arg(long = "print", value_name = "FIELD=TEXT", value_parser = printed)]
    printed: Vec<(Field, String)>,
    /// What the barcode says instead of a licence's data
    #[arg(long)]
    barcode_text: Option<String>,
    /// How such texts are printed
    #[arg(long, value_enum, default_value = "large")]
    text_style: TextStyle,
    /// Seed of everything that is left to chance
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// The day from which default dates are counted [default: today]
    #[arg(long)]
    today: Option<Date>,
    /// File format [default: by the name of the file]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Quality of a JPEG
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,
    /// Store the pixels turned, with this EXIF orientation
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=8))]
    rotate_exif: u8,
    /// Program that the file's metadata names
    #[arg(long)]
    software: Option<String>,
    /// Description in the file's metadata
    #[arg(long)]
    description: Option<String>,
    /// Draw a selfie of the person instead of a document
    #[arg(long)]
    selfie: bool,
    /// File for the front
    #[arg(long, default_value = "front.jpg")]
    out: PathBuf,
    /// File for the back [default: `-back` is added to the front's name]
    #[arg(long)]
    back: Option<PathBuf>,
    /// List the flaws and stop
    #[arg(long)]
    list_flaws: bool,
}

impl SpecimenArgs {
    /// Does what was asked; `today` is used unless another day was given.
    pub fn run(&self, today: Date) -> anyhow::Result<()> {
        let mut said = std::io::stdout().lock();
        if self.list_flaws {
            for kind in FlawKind::value_variants() {
                writeln!(said, "{:<18} {}", kind.name(), kind.about())?;
            }
            return Ok(());
        }
        let specimen = self.specimen(today)?;
        if self.selfie {
            let options = SelfieOptions { room: self.seed, ..SelfieOptions::default() };
            return self.save(&mut said, &selfie::draw(&specimen.person, options).picture, &self.out);
        }
        let drawn = draw(&specimen)?;
        self.save(&mut said, &drawn.front, &self.out)?;
        match (&drawn.back, &self.back) {
            (Some(picture), Some(path)) => self.save(&mut said, picture, path),
            (Some(picture), None) => self.save(&mut said, picture, &beside(&self.out)),
            (None, Some(_)) => bail!("--back was given, but this type has one side only"),
            (None, None) => Ok(()),
        }
    }

    /// The specimen that was asked for.
    pub fn specimen(&self, today: Date) -> anyhow::Result<Specimen> {
        let today = self.today.unwrap_or(today);
        let standard = Specimen::new(self.kind, self.seed, today).named(&self.name);
        let expires = self.expiry.unwrap_or(standard.expires);
        let texts = self.texts.iter().map(|text| ForeignText { text: text.clone(), style: self.text_style });
        for code in [&self.nationality, &self.issuer] {
            if code.is_empty() || code.len() > 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
                bail!("`{code}` is no code of a state: write up to three capital letters, such as UTO");
            }
        }
        Ok(Specimen {
            birth: self.birth,
            sex: self.sex,
            nationality: self.nationality.clone(),
            place_of_birth: self.place_of_birth.to_uppercase(),
            address: self.address.to_uppercase(),
            number: self.number.clone().unwrap_or(standard.number.clone()),
            personal_number: match &self.personal_number {
                Some(number) => Some(number.clone()).filter(|number| !number.is_empty()),
                None => standard.personal_number.clone(),
            },
            issuer: self.issuer.clone(),
            authority: self.authority.clone().unwrap_or(standard.authority.clone()),
            issued: self.issue.unwrap_or_else(|| expires.saturating_sub(10.years())),
            expires,
            vehicle_classes: self.classes.clone(),
            aamva_issuer: self.aamva_issuer,
            aamva_version: self.aamva_version,
            aamva_jurisdiction: self.aamva_jurisdiction.clone(),
            person: self.person.as_deref().map_or(standard.person.clone(), slug),
            flaws: self.flaws.clone(),
            texts: texts.collect(),
            printed: self.printed.clone(),
            barcode_text: self.barcode_text.clone(),
            ..standard
        })
    }

    fn save(&self, said: &mut impl std::io::Write, picture: &image::RgbImage, path: &Path) -> anyhow::Result<()> {
        let png = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("png"));
        let format = self.format.unwrap_or(if png { Format::Png } else { Format::Jpeg });
        let encoding = Encoding {
            format,
            quality: self.quality,
            orientation: self.rotate_exif,
            software: self.software.clone(),
            description: self.description.clone(),
            comment: None,
        };
        let bytes = encode(picture, &encoding).with_context(|| format!("encoding {}", path.display()))?;
        fs::write(path, &bytes).with_context(|| format!("writing {}", path.display()))?;
        writeln!(said, "{} {}x{} {} bytes", path.display(), picture.width(), picture.height(), bytes.len())?;
        Ok(())
    }
}

fn printed(argument: &str) -> Result<(Field, String), String> {
    let (name, text) = argument.split_once('=').ok_or("write the name of a field, `=` and a text")?;
    let field = Field::named(name).ok_or_else(|| format!("there is no field `{name}`"))?;
    Ok((field, text.to_owned()))
}

/// `front.jpg` becomes `front-back.jpg`.
fn beside(front: &Path) -> PathBuf {
    let stem = front.file_stem().unwrap_or_default().to_string_lossy();
    let extension = front.extension().map_or(String::new(), |extension| format!(".{}", extension.to_string_lossy()));
    front.with_file_name(format!("{stem}-back{extension}"))
}
