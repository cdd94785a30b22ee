//! A temporary folder that is removed when its guard is dropped.

use std::path::{Path, PathBuf};

use rand::distr::{Alphanumeric, SampleString as _};

/// The guard of the folder.
pub struct TempFolder(PathBuf);

impl TempFolder {
    /// Creates a folder with an unpredictable name.
    pub fn create() -> std::io::Result<Self> {
        let name = format!("identivia-dev-{}", Alphanumeric.sample_string(&mut rand::rng(), 16));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }

    /// The path of the folder.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // Ignore errors: at worst a specimen stays in the system's temporary folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
