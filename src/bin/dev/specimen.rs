//! Specimens: pictures of documents that the sandbox's specimen maker draws for the demo and for the page.

use std::path::Path;
use std::process::Stdio;

use bytes::Bytes;
use tokio::process::Command;

use crate::tempfolder::TempFolder;

/// What may be chosen; each goes to the specimen maker under the same name.
const CHOICES: [&str; 6] = ["type", "name", "birth", "number", "person", "flaw"];
/// Longest value of a choice.
const VALUE_MAX_BYTES: usize = 200;

/// A document to draw.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Specimen {
    arguments: Vec<String>,
    has_back: bool,
}

/// Its pictures, as JPEG.
#[derive(Debug, Clone)]
pub struct Pictures {
    /// The side with the portrait.
    pub front: Bytes,
    /// The other side of a card.
    pub back: Option<Bytes>,
}

/// Why there is no picture.
#[derive(Debug, thiserror::Error)]
pub enum SpecimenError {
    /// The description makes no sense.
    #[error("no such specimen: {0}")]
    Refused(String),
    /// The specimen maker or the disk failed.
    #[error("cannot draw a specimen")]
    Failed(#[from] std::io::Error),
}

impl Specimen {
    /// Adds a choice; an empty value means the specimen maker's own.
    pub fn choose(&mut self, name: &str, value: &str) -> Result<(), SpecimenError> {
        if !CHOICES.contains(&name) || value.len() > VALUE_MAX_BYTES {
            return Err(SpecimenError::Refused(format!("`{name}` is not among {}", CHOICES.join(", "))));
        }
        if value.is_empty() {
            return Ok(());
        }
        // One argument, so that no value is taken for an option.
        if name == "type" {
            self.has_back = value != "passport";
            // The stored spelling has underscores, the specimen maker's hyphens.
            self.arguments.push(format!("--type={}", value.replace('_', "-")));
        } else {
            self.arguments.push(format!("--{name}={value}"));
        }
        Ok(())
    }

    /// Draws it with the sandbox program.
    pub async fn draw(&self, sandbox: &Path) -> Result<Pictures, SpecimenError> {
        let folder = TempFolder::make()?;
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

/// What can be wrong with a specimen.
#[derive(Debug, PartialEq, Eq, serde::Serialize)]
pub struct Flaw {
    /// As on the command line.
    pub name: String,
    /// One line.
    pub about: String,
}

/// Asks the sandbox program which flaws there are.
pub async fn flaws(sandbox: &Path) -> Result<Vec<Flaw>, SpecimenError> {
    let mut command = Command::new(sandbox);
    let output = command.args(["specimen", "--list-flaws"]).stdin(Stdio::null()).kill_on_drop(true).output().await?;
    if !output.status.success() {
        return Err(SpecimenError::Refused(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(listed(&String::from_utf8_lossy(&output.stdout)))
}

/// A line each: the name, spaces, what it does.
fn listed(text: &str) -> Vec<Flaw> {
    let lines = text.lines().filter_map(|line| line.split_once(' '));
    lines.map(|(name, about)| Flaw { name: name.to_owned(), about: about.trim().to_owned() }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_never_becomes_an_option() {
        let mut specimen = Specimen::default();
        specimen.choose("name", "--out=/etc/x").expect("a name may be odd");
        specimen.choose("flaw", "").expect("an empty choice is none");
        specimen.choose("type", "identity_card").expect("a stored type");
        assert_eq!(specimen.arguments, ["--name=--out=/etc/x", "--type=identity-card"]);
        assert!(specimen.has_back);
    }

    #[test]
    fn flaws_are_listed_by_name() {
        let expired = Flaw { name: "expired".into(), about: "The document expired last year.".into() };
        assert_eq!(listed("expired            The document expired last year.\n\n"), [expired]);
    }

    #[test]
    fn other_options_of_the_specimen_maker_are_out_of_reach() {
        assert!(matches!(Specimen::default().choose("out", "/etc/x"), Err(SpecimenError::Refused(_))));
    }
}
