//! Imports point one way. The house's floors, and a test that nobody builds a staircase between two rooms of one floor.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module may import only from lower floors, and from itself.
const FLOORS: &[&[&str]] = &[
    // Pure: no I/O, no clock, no waiting.
    &["pixels"],
    &["verification", "backoff"],
    &["config", "keyed", "sabotage"],
    &["telemetry"],
    &["pocketbase", "providers", "recognition"],
    &["queue", "gate", "answers", "faces", "crowd", "holdings"],
    &["examine"],
    &["watcher", "reconcile", "http", "webhooks"],
    &["worker"],
    &["run"],
    &["main"],
];

/// What the pure core must not touch.
const IMPURE: &[&str] = &[
    "std::env",
    "std::fs",
    "std::net",
    "std::time::SystemTime",
    "std::time::Instant",
    "tokio::",
    "reqwest",
    "rand::",
    "tracing::",
    "Timestamp::now",
    "async fn",
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src can be listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("bin") {
            sources(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

fn module_of(path: &Path, root: &Path) -> String {
    let relative = path.strip_prefix(root).expect("below src");
    let first = relative.components().next().expect("a name").as_os_str().to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The source without its unit tests: those may use whatever proves their point.
fn production(text: &str) -> &str {
    text.split("#[cfg(test)]\nmod tests").next().unwrap_or(text)
}

#[test]
fn imports_point_one_way_and_the_core_is_pure() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let floors: BTreeMap<&str, usize> =
        FLOORS.iter().enumerate().flat_map(|(floor, modules)| modules.iter().map(move |m| (*m, floor))).collect();
    let mut files = Vec::new();
    sources(&root, &mut files);
    let mut wrong = Vec::new();
    for path in &files {
        let module = module_of(path, &root);
        if module == "lib" {
            continue;
        }
        let floor = *floors.get(module.as_str()).unwrap_or_else(|| panic!("{module} has no floor; give it one"));
        let text = fs::read_to_string(path).expect("a source can be read");
        let code = production(&text);
        for (number, line) in code.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//")) {
            for target in line.split("crate::").skip(1) {
                let target: String = target.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if target != module && floors.get(target.as_str()).is_some_and(|other| *other >= floor) {
                    wrong.push(format!("{}:{} imports {target}", path.display(), number + 1));
                }
            }
            let test_file = path.ends_with("verification/tests.rs");
            if ["verification", "pixels"].contains(&module.as_str()) && !test_file {
                for impure in IMPURE.iter().filter(|impure| line.contains(**impure)) {
                    wrong.push(format!("{}:{} uses {impure}", path.display(), number + 1));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A sidecar whose clock is wrong by an hour must be harmless: time is `PocketBase`'s. The one exception has a better clock once there
/// was an answer; signatures for AWS are made by the SDK, and AWS says so when they are off.
#[test]
fn nobody_reads_the_machines_own_clock() {
    const EXCEPTION: &str = "src/http/verify/mod.rs";
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&root, &mut files);
    let reads = |path: &PathBuf| {
        let text = fs::read_to_string(path).expect("a source can be read");
        let mut code = production(&text).lines().filter(|line| !line.trim_start().starts_with("//"));
        code.any(|line| ["Timestamp::now", "SystemTime::now", "Zoned::now"].iter().any(|clock| line.contains(clock)))
    };
    let found: Vec<_> = files.iter().filter(|path| !path.ends_with(EXCEPTION) && reads(path)).collect();
    assert!(found.iter().all(|path| path.components().any(|part| part.as_os_str() == "tests")), "{found:?}");
}

#[test]
fn the_readme_lists_every_variable_as_the_program_knows_it() {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).expect("README.md");
    for variable in identivia::config::VARIABLES {
        let default = match variable.default {
            None => "required".to_owned(),
            Some("") => String::new(),
            Some(default) => format!("`{default}`"),
        };
        let row = format!("| `{}` | {default} | {} |", variable.name, variable.help).replace("|  |", "|  |");
        assert!(readme.contains(&row), "README.md lacks this row:\n{row}");
    }
}
