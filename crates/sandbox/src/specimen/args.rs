//! `sandbox specimen` on the command line.

use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum as _};
use jiff::ToSpan as _;
use jiff::civil::Date;

use super::date::PartialDate;
use super::definition::{ForeignText, Kind, Sex, Specimen, TextStyle, UTOPIA_ISSUER, slug};
use super::file::{Encoding, Format, encode};
use super::flaw::{Flaw, FlawKind};
use super::render::draw;
use super::selfie::{self, SelfieOptions};
use crate::vocabulary::Field;

/// Draw a document of Utopia, or a selfie of a person, as a JPEG or PNG file.
#[derive(Debug, Args)]
pub struct SpecimenArgs {
    /// What to draw
    #[arg(long = "type", value_enum, default_value = "passport")]
    kind: Kind,
    /// Holder: `SURNAME, GIVEN NAMES` or `Given Names Surname`
    #[arg(long, default_value = "ERIKSSON, ANNA MARIA")]
    name: String,
    /// Date of birth: 1990-08-12, or 1990-08 or 1990 if the rest is unknown
    #[arg(long, default_value = "1990-08-12")]
    birth: PartialDate,
    /// Last day of validity [default: in six years]
    #[arg(long)]
    expiry: Option<Date>,
    /// First day of validity [default: ten years before the last]
    #[arg(long)]
    issue: Option<Date>,
    /// Document number [default: follows from the seed]
    #[arg(long)]
    number: Option<String>,
    /// Personal number [default: follows from the seed]; empty for none
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
    /// Address: street, town, post code
    #[arg(long, default_value = "12 AGORA STREET, ZENITH 1516")]
    address: String,
    /// Issuing authority [default: follows from the type]
    #[arg(long)]
    authority: Option<String>,
    /// Classes of a driving licence
    #[arg(long, default_value = "A B BE")]
    classes: String,
    /// Issuer number in a driving licence's barcode
    #[arg(long, default_value_t = UTOPIA_ISSUER)]
    aamva_issuer: u32,
    /// Version of a driving licence's barcode
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u8).range(1..=10))]
    aamva_version: u8,
    /// Jurisdiction in a driving licence's barcode
    #[arg(long, default_value = "UP")]
    aamva_jurisdiction: String,
    /// Person in the portrait, a slug such as `anna` [default: follows from the name]
    #[arg(long)]
    person: Option<String>,
    /// Flaw of the document or of its picture; may be repeated
    #[arg(long = "flaw", value_name = "FLAW[=VALUE]")]
    flaws: Vec<Flaw>,
    /// Text that does not belong on the document; may be repeated
    #[arg(long = "text")]
    texts: Vec<String>,
    /// Text of a field in the visual zone, instead of what the machine-readable data say; may be
    /// repeated
    #[arg(long = "print", value_name = "FIELD=TEXT", value_parser = printed)]
    printed: Vec<(Field, String)>,
    /// Text of the barcode, instead of a licence's data
    #[arg(long)]
    barcode_text: Option<String>,
    /// How the texts of --text are printed
    #[arg(long, value_enum, default_value = "large")]
    text_style: TextStyle,
    /// Seed of the random parts
    #[arg(long, default_value_t = 7)]
    seed: u64,
    /// Day to which default dates are relative [default: today]
    #[arg(long)]
    today: Option<Date>,
    /// File format [default: follows from the name of the file]
    #[arg(long, value_enum)]
    format: Option<Format>,
    /// Quality of a JPEG
    #[arg(long, default_value_t = 90, value_parser = clap::value_parser!(u8).range(1..=100))]
    quality: u8,
    /// Store the pixels rotated, with this EXIF orientation
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
    /// Runs the command; `today` is used unless another day was given.
    pub fn run(&self, today: Date) -> anyhow::Result<()> {
        let mut stdout = std::io::stdout().lock();
        if self.list_flaws {
            for kind in FlawKind::value_variants() {
                writeln!(stdout, "{:<18} {}", kind.name(), kind.about())?;
            }
            return Ok(());
        }
        let specimen = self.specimen(today)?;
        if self.selfie {
            let options = SelfieOptions { room: self.seed, ..SelfieOptions::default() };
            return self.save(&mut stdout, &selfie::draw(&specimen.person, options).picture, &self.out);
        }
        let drawn = draw(&specimen)?;
        self.save(&mut stdout, &drawn.front, &self.out)?;
        match (&drawn.back, &self.back) {
            (Some(picture), Some(path)) => self.save(&mut stdout, picture, path),
            (Some(picture), None) => self.save(&mut stdout, picture, &back_path(&self.out)),
            (None, Some(_)) => bail!("--back was given, but this type has one side only"),
            (None, None) => Ok(()),
        }
    }

    /// The specimen that the arguments describe.
    pub fn specimen(&self, today: Date) -> anyhow::Result<Specimen> {
        let today = self.today.unwrap_or(today);
        let standard = Specimen::new(self.kind, self.seed, today).named(&self.name);
        let expires = self.expiry.unwrap_or(standard.expires);
        let texts = self.texts.iter().map(|text| ForeignText { text: text.clone(), style: self.text_style });
        for code in [&self.nationality, &self.issuer] {
            if code.is_empty() || code.len() > 3 || !code.bytes().all(|byte| byte.is_ascii_uppercase()) {
                bail!("`{code}` is not the code of a state: write up to three capital letters, such as UTO");
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

    fn save(&self, stdout: &mut impl std::io::Write, picture: &image::RgbImage, path: &Path) -> anyhow::Result<()> {
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
        writeln!(stdout, "{} {}x{} {} bytes", path.display(), picture.width(), picture.height(), bytes.len())?;
        Ok(())
    }
}

fn printed(argument: &str) -> Result<(Field, String), String> {
    let (name, text) = argument.split_once('=').ok_or("write the name of a field, `=` and a text")?;
    let field = Field::named(name).ok_or_else(|| format!("there is no field `{name}`"))?;
    Ok((field, text.to_owned()))
}

/// The default path of the back: `front.jpg` becomes `front-back.jpg`.
fn back_path(front: &Path) -> PathBuf {
    let stem = front.file_stem().unwrap_or_default().to_string_lossy();
    let extension = front.extension().map_or(String::new(), |extension| format!(".{}", extension.to_string_lossy()));
    front.with_file_name(format!("{stem}-back{extension}"))
}
