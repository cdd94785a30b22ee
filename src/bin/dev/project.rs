//! The checkout that this program runs in, and the programs built or installed from it.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, bail, ensure};
use tokio::process::Command;

use crate::console;

/// The programs of a stack, ready to start.
#[derive(Debug, Clone)]
pub struct Programs {
    /// The pinned version of `PocketBase`.
    pub pocketbase: PathBuf,
    pub sidecar: PathBuf,
    pub sandbox: PathBuf,
    /// The sidecar's OCR model for machine-readable zones.
    pub model: PathBuf,
}

/// The root of the checkout: the nearest folder, from the current one upwards, with `Cargo.toml`
/// and `pb_migrations`.
pub fn root() -> anyhow::Result<PathBuf> {
    let start = match std::env::var_os("CARGO_MANIFEST_DIR") {
        Some(dir) => PathBuf::from(dir),
        None => std::env::current_dir().context("cannot find the current folder")?,
    };
    let root = start.ancestors().find(|dir| dir.join("Cargo.toml").is_file() && dir.join("pb_migrations").is_dir());
    root.map(Path::to_owned).with_context(|| {
        format!(
            "{} is not inside a checkout of this project: neither it nor a folder above has Cargo.toml and pb_migrations",
            start.display()
        )
    })
}

/// Builds and installs what is missing, all at the same time.
pub async fn prepare(root: &Path, build: bool) -> anyhow::Result<Programs> {
    let (pocketbase, model, (sidecar, sandbox), ()) = tokio::try_join!(
        install(root, "scripts/pocketbase"),
        install(root, "scripts/models"),
        siblings(root, build),
        install_page(root)
    )?;
    Ok(Programs { pocketbase, sidecar, sandbox, model })
}

/// Runs a script that installs a file and prints its path.
async fn install(root: &Path, script: &str) -> anyhow::Result<PathBuf> {
    let script = root.join(script);
    let output = Command::new(&script)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .output()
        .await
        .with_context(|| format!("cannot run {}", script.display()))?;
    ensure!(output.status.success(), "{} could not install its file; see its message above", script.display());
    let path = String::from_utf8(output.stdout)
        .with_context(|| format!("{} printed a path that is not UTF-8", script.display()))?;
    Ok(PathBuf::from(path.trim()))
}

/// Builds sidecar and sandbox with the profile and the features that this program was built with.
async fn siblings(root: &Path, build: bool) -> anyhow::Result<(PathBuf, PathBuf)> {
    if build {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = Command::new(cargo);
        command.args(["build", "--bin", "identivia", "--bin", "sandbox", "--profile", &profile()?]);
        if cfg!(feature = "crash-points") {
            command.args(["--features", "crash-points"]);
        }
        run(command.current_dir(root), "cargo could not build the sidecar and the sandbox").await?;
    }
    Ok((sibling("identivia")?, sibling("sandbox")?))
}

/// Installs the example page's packages, unless they are installed.
async fn install_page(root: &Path) -> anyhow::Result<()> {
    let page = root.join("examples/web");
    // npm writes node_modules/.package-lock.json last: if it is as new as the lock file, the
    // installation is complete.
    let installed = page.join("node_modules/.package-lock.json").metadata().and_then(|file| file.modified());
    let locked = page.join("package-lock.json").metadata().and_then(|file| file.modified());
    if matches!((installed, locked), (Ok(installed), Ok(locked)) if installed >= locked) {
        return Ok(());
    }
    console::note("installing the example page's packages (npm ci)");
    let mut command = Command::new("npm");
    command.args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&page);
    run(&mut command, "npm could not install the packages of examples/web (is Node 20 or newer installed?)").await
}

async fn run(command: &mut Command, problem: &str) -> anyhow::Result<()> {
    // Standard output is for the `ready` line only.
    let output = command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn();
    let output = output.with_context(|| problem.to_owned())?.wait_with_output().await?;
    if output.status.success() {
        return Ok(());
    }
    bail!("{problem}: {}; see its message above{}", output.status, output_of(&output.stdout))
}

fn output_of(stdout: &[u8]) -> String {
    match String::from_utf8_lossy(stdout).trim() {
        "" => String::new(),
        text => format!("\n{text}"),
    }
}

/// The profile that this program was built with, from the name of its folder: `target/debug/dev` or
/// `target/release/dev`.
fn profile() -> anyhow::Result<String> {
    let folder = own_folder()?;
    match folder.file_name().and_then(|name| name.to_str()) {
        Some("debug") => Ok("dev".into()),
        Some(other) => Ok(other.into()),
        None => bail!("{} is not a target folder of cargo", folder.display()),
    }
}

/// A program in the same folder as this one, as it is.
pub fn sibling(name: &str) -> anyhow::Result<PathBuf> {
    let path = own_folder()?.join(name);
    ensure!(path.is_file(), "{} is missing: run `cargo build` with the same profile", path.display());
    Ok(path)
}

fn own_folder() -> anyhow::Result<PathBuf> {
    let own = std::env::current_exe().context("cannot find the path of this program")?;
    Ok(own.parent().map(Path::to_owned).unwrap_or_default())
}
