//! A temporary folder that goes when its guard does.

use std::path::{Path, PathBuf};

use rand::distr::{Alphanumeric, SampleString as _};

/// The folder's guard.
pub struct TempFolder(PathBuf);

impl TempFolder {
    /// Makes one with a name that nobody can foresee.
    pub fn make() -> std::io::Result<Self> {
        let name = format!("identivia-dev-{}", Alphanumeric.sample_string(&mut rand::rng(), 16));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path)?;
        Ok(Self(path))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempFolder {
    fn drop(&mut self) {
        // What stays is a specimen in the system's temporary folder.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
