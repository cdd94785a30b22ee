//! Takes the face detector's model out of the `rustface` crate, which ships it as a file that no
//! code of it embeds, so that the binary needs no file at run time.
//!
//! Cargo is asked where the crate's sources lie, which works for a registry, a mirror and a
//! vendored directory alike. `IDENTIVIA_FACE_MODEL` names the file instead where Cargo cannot be
//! asked.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

const MODEL: &str = "model/seeta_fd_frontal_v1.0.bin";

fn main() {
    println!("cargo::rerun-if-changed=../../Cargo.lock");
    println!("cargo::rerun-if-env-changed=IDENTIVIA_FACE_MODEL");
    let model = env::var_os("IDENTIVIA_FACE_MODEL").map_or_else(shipped_model, PathBuf::from);
    let out =
        PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets OUT_DIR for build scripts")).join("face_model.bin");
    if let Err(error) = std::fs::copy(&model, &out) {
        panic!(
            "the face model {} cannot be copied to {}: {error}; set IDENTIVIA_FACE_MODEL to a copy of rustface's {MODEL}",
            model.display(),
            out.display()
        );
    }
}

/// The model inside the sources of `rustface`. Without a network first: only a first build has to
/// fetch anything.
fn shipped_model() -> PathBuf {
    match rustface_sources("--offline").or_else(|_| rustface_sources("--locked")) {
        Ok(sources) => sources.join(MODEL),
        Err(problem) => panic!("{problem}; set IDENTIVIA_FACE_MODEL to a copy of rustface's {MODEL}"),
    }
}

fn rustface_sources(mode: &str) -> Result<PathBuf, String> {
    let target = env::var_os("TARGET").expect("cargo sets TARGET for build scripts");
    let cargo = env::var_os("CARGO").expect("cargo sets CARGO for build scripts");
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", mode, "--filter-platform"])
        .arg(target)
        .output()
        .map_err(|error| format!("cargo metadata cannot be started: {error}"))?;
    if !output.status.success() {
        return Err(format!("cargo metadata failed: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    manifest_folder(&String::from_utf8_lossy(&output.stdout), "rustface")
        .ok_or_else(|| "cargo metadata names no package rustface".to_owned())
}

/// The folder of the manifest of `package`: registries call it `name-version`, a vendored tree
/// `name`.
fn manifest_folder(metadata: &str, package: &str) -> Option<PathBuf> {
    metadata
        .split("\"manifest_path\":\"")
        .skip(1)
        .filter_map(|rest| Path::new(rest.split('"').next()?).parent())
        .find(|folder| {
            let name = folder.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            name == package || name.strip_prefix(package).is_some_and(|rest| rest.starts_with('-'))
        })
        .map(Path::to_path_buf)
}
