//! Specimens: pictures of documents that the sandbox draws for the demo and the page.

use std::path::Path;
use std::process::Stdio;

use bytes::Bytes;
use tokio::process::Command;

use crate::tempfolder::TempFolder;

/// Options that may be chosen; `sandbox specimen` has them under the same names.
const CHOICES: [&str; 6] = ["type", "name", "birth", "number", "person", "flaw"];
/// Longest value of a choice.
const VALUE_MAX_BYTES: usize = 200;

/// A document to draw.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Specimen {
    arguments: Vec<String>,
    has_back: bool,
}

/// JPEG pictures of a specimen.
#[derive(Debug, Clone)]
pub struct Pictures {
    /// The side with the portrait.
    pub front: Bytes,
    /// The back of a card; a passport has none.
    pub back: Option<Bytes>,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum SpecimenError {
    /// An option does not exist, or has a value that the sandbox refuses.
    #[error("no such specimen: {0}")]
    Refused(String),
    /// The sandbox could not be run, or its files could not be read.
    #[error("cannot draw a specimen")]
    Failed(#[from] std::io::Error),
}

impl Specimen {
    /// Sets an option; an empty value means the sandbox's default.
    pub fn choose(&mut self, name: &str, value: &str) -> Result<(), SpecimenError> {
        if !CHOICES.contains(&name) || value.len() > VALUE_MAX_BYTES {
            return Err(SpecimenError::Refused(format!("`{name}` is not among {}", CHOICES.join(", "))));
        }
        if value.is_empty() {
            return Ok(());
        }
        // Name and value in one argument: a value must not be taken for an option.
        if name == "type" {
            self.has_back = value != "passport";
            // Stored types have underscores, `sandbox specimen` has hyphens.
            self.arguments.push(format!("--type={}", value.replace('_', "-")));
        } else {
            self.arguments.push(format!("--{name}={value}"));
        }
        Ok(())
    }

    /// Draws it with the program `sandbox`.
    pub async fn draw(&self, sandbox: &Path) -> Result<Pictures, SpecimenError> {
        let folder = TempFolder::create()?;
        let (front, back) = (folder.path().join("front.jpg"), folder.path().join("back.jpg"));
        let mut command = Command::new(sandbox);
        command.arg("specimen").args(&self.arguments).arg("--out").arg(&front);
        if self.has_back {
            command.arg("--back").arg(&back);
        }
        let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await?;
        if !output.status.success() {
            return Err(SpecimenError::Refused(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
        }
        let back = if self.has_back { Some(tokio::fs::read(back).await?.into()) } else { None };
        Ok(Pictures { front: tokio::fs::read(front).await?.into(), back })
    }
}

/// A flaw that a specimen can have.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub struct Flaw {
    /// Its name on the command line.
    pub name: String,
    /// One sentence about it.
    pub about: String,
}

/// The flaws that the program `sandbox` knows.
pub async fn flaws(sandbox: &Path) -> Result<Vec<Flaw>, SpecimenError> {
    let mut command = Command::new(sandbox);
    let output = command.args(["specimen", "--list-flaws"]).stdin(Stdio::null()).kill_on_drop(true).output().await?;
    if !output.status.success() {
        return Err(SpecimenError::Refused(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(parse_flaws(&String::from_utf8_lossy(&output.stdout)))
}

/// Parses one flaw per line: the name, spaces, what it does.
fn parse_flaws(text: &str) -> Vec<Flaw> {
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.map(|(name, about)| Flaw { name: name.to_owned(), about: about.trim().to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_never_becomes_an_option() {
        let mut specimen = Specimen::default();
        specimen.choose("name", "--out=/etc/x").expect("any name");
        specimen.choose("flaw", "").expect("an empty value");
        specimen.choose("type", "identity_card").expect("a stored type");
        assert_eq!(specimen.arguments, ["--name=--out=/etc/x", "--type=identity-card"]);
        assert!(specimen.has_back);
    }

    #[test]
    fn flaws_are_parsed_from_the_list() {
        let expired = Flaw { name: "expired".into(), about: "The document expired last year.".into() };
        assert_eq!(parse_flaws("expired            The document expired last year.\n\n"), [expired]);
    }

    #[test]
    fn other_options_of_the_sandbox_cannot_be_set() {
        assert!(matches!(Specimen::default().choose("out", "/etc/x"), Err(SpecimenError::Refused(_))));
    }
}
