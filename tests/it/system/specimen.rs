//! Pictures of documents, which the sandbox draws once per description.

use std::collections::HashMap;
use std::path::Path;
use std::process::Command;
use std::sync::{Mutex, OnceLock, PoisonError};

use bytes::Bytes;

/// The person of these stories. Each of these words is a canary: no log may contain one.
pub const NAME: &str = "Anna Maria Eriksson";
/// Her date of birth.
pub const BIRTH: &str = "1990-08-12";
/// Her passport number.
pub const NUMBER: &str = "L898902C7";
/// The expiry date of these passports.
pub const EXPIRY: &str = "2034-04-15";
pub const FACE: &str = "anna";

/// A drawn document.
#[derive(Clone)]
pub struct Picture {
    /// JPEG bytes.
    pub front: Bytes,
}

/// Her passport, without a flaw.
pub fn passport() -> Picture {
    flawed(&[])
}

/// The same as a small picture, which is read in half the time: for stories about something else.
pub fn snapshot() -> Picture {
    flawed(&["small=900"])
}

/// Her passport with flaws such as `expired` or `blurred`.
pub fn flawed(flaws: &[&str]) -> Picture {
    static DRAWN: Mutex<Option<HashMap<String, Picture>>> = Mutex::new(None);
    let mut drawn = DRAWN.lock().unwrap_or_else(PoisonError::into_inner);
    drawn.get_or_insert_default().entry(flaws.join(" ")).or_insert_with(|| draw(flaws)).clone()
}

/// Another person's passport with her face in it, valid until [`EXPIRY`].
pub fn anothers() -> Picture {
    static DRAWN: OnceLock<Picture> = OnceLock::new();
    DRAWN.get_or_init(|| draw_for("Rowan Quirke", "K771093N2", &[])).clone()
}

fn draw(flaws: &[&str]) -> Picture {
    draw_for(NAME, NUMBER, flaws)
}

fn draw_for(name: &str, number: &str, flaws: &[&str]) -> Picture {
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a temporary folder");
    let out = folder.path().join("front.jpg");
    let mut command = Command::new(env!("CARGO_BIN_EXE_sandbox"));
    command.args([
        "specimen",
        "--type=passport",
        "--person",
        FACE,
        "--birth",
        BIRTH,
        "--number",
        number,
        "--expiry",
        EXPIRY,
    ]);
    command.arg(format!("--name={name}")).arg("--out").arg(&out);
    command.args(flaws.iter().map(|flaw| format!("--flaw={flaw}")));
    let done = command.output().expect("the sandbox starts");
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Picture { front: read(&out) }
}

fn read(path: &Path) -> Bytes {
    std::fs::read(path).expect("a picture").into()
}
