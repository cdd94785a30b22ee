//! Imports point one way. The house's floors, and a test that nobody builds a staircase between two rooms of one floor.

use std::collections::{BTreeMap, BTreeSet};
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
    "std::process",
    "std::thread",
    "SystemTime",
    "Instant::now",
    "tokio::",
    "reqwest",
    "rand::",
    "tracing::",
    "Timestamp::now",
    "Zoned::now",
    "async fn",
];

/// A source file of the library.
struct Source {
    /// Its place in the tree, `["http", "verify", "request"]`.
    module: Vec<String>,
    path: PathBuf,
    /// What is compiled into the product: without unit tests, which may use whatever proves their point, and without comments.
    code: String,
}

/// All of them but those that are compiled for tests only.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut texts: Vec<(Vec<String>, PathBuf, String)> = Vec::new();
    for (room, folder) in
        [(None, "src"), (Some("verification"), "crates/verification/src"), (Some("pixels"), "crates/pixels/src")]
    {
        let folder = root.join(folder);
        let mut found = Vec::new();
        collect(&folder, &mut found);
        texts.extend(found.into_iter().map(|path| {
            let mut module = module_of(path.strip_prefix(&folder).expect("below it"));
            module.splice(0..0, room.map(str::to_owned));
            let text = fs::read_to_string(&path).expect("a source");
            (module, path, text)
        }));
    }
    let for_tests: Vec<Vec<String>> = texts
        .iter()
        .flat_map(|(module, _, text)| {
            let inner = modules_for_tests(text).into_iter();
            inner.map(move |name| module.iter().cloned().chain([name]).collect::<Vec<_>>())
        })
        .collect();
    let is_test = |module: &[String]| for_tests.iter().any(|test| module.starts_with(test));
    texts
        .into_iter()
        .filter(|(module, ..)| !is_test(module))
        .map(|(module, path, text)| Source { module, path, code: production(&text) })
        .collect()
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("src can be listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() && !path.ends_with("bin") {
            collect(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") && !path.ends_with("lib.rs") {
            found.push(path);
        }
    }
}

/// `http/verify/mod.rs` and `http/verify.rs` are both `["http", "verify"]`.
fn module_of(relative: &Path) -> Vec<String> {
    let mut module: Vec<String> =
        relative.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

/// Modules in files of their own that `text` declares for tests only.
fn modules_for_tests(text: &str) -> Vec<String> {
    let declared = text.split("#[cfg(test)]").skip(1).filter_map(|after| {
        let declaration = after.trim_start().split([';', '{']).next()?;
        let (_, name) = declaration.rsplit_once("mod ")?;
        let own_file = after.trim_start()[declaration.len()..].starts_with(';');
        own_file.then(|| name.trim().to_owned())
    });
    declared.collect()
}

/// `text` without the unit tests at its end and without comments.
fn production(text: &str) -> String {
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or(text);
    text.lines()
        .map(|line| if line.trim_start().starts_with("//") { "" } else { line })
        .fold(String::with_capacity(text.len()), |code, line| code + line + "\n")
}

/// What `code` in `module` names of the modules at the top: by `crate::`, alone or in braces, or by as many `super::` as lead
/// there. With the line.
fn imports(module: &[String], code: &str) -> Vec<(usize, String)> {
    let mut found = Vec::new();
    let line_of = |at: usize| code[..at].matches('\n').count() + 1;
    for (at, _) in code.match_indices("crate::") {
        if !code[..at].ends_with(is_of_a_name) {
            found.extend(named(&code[at + "crate::".len()..]).into_iter().map(|name| (line_of(at), name)));
        }
    }
    let mut after = 0;
    while let Some(at) = code[after..].find("super::").map(|at| after + at) {
        let ups = code[at..].split("super::").take_while(|between| between.is_empty()).count();
        // The first part of a split at its own beginning is empty, too.
        let (ups, rest) = (ups.max(1), at + ups.max(1) * "super::".len());
        if !code[..at].ends_with(is_of_a_name) {
            // Of one that does not reach the top only a path that climbs on within braces matters.
            let names = named(&code[rest..]).into_iter().filter(|name| ups >= module.len() || name == "super");
            found.extend(names.map(|name| (line_of(at), name)));
        }
        after = rest;
    }
    found
}

fn is_of_a_name(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The first names of the paths that `text` begins with: one, or those in braces.
fn named(text: &str) -> Vec<String> {
    let name = |text: &str| text.trim_start().chars().take_while(|c| is_of_a_name(*c)).collect::<String>();
    let Some(group) = text.strip_prefix('{') else { return vec![name(text)] };
    let (mut names, mut depth, mut begin) = (Vec::new(), 0, 0);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            ',' | '}' if depth == 0 => {
                names.push(name(&group[begin..at]));
                begin = at + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

#[test]
fn imports_point_one_way_and_the_core_is_pure() {
    let floors: BTreeMap<&str, usize> =
        FLOORS.iter().enumerate().flat_map(|(floor, modules)| modules.iter().map(move |m| (*m, floor))).collect();
    let mut wrong = Vec::new();
    for source in sources() {
        let module = source.module[0].as_str();
        let floor = *floors.get(module).unwrap_or_else(|| panic!("{module} has no floor; give it one"));
        for (line, target) in imports(&source.module, &source.code) {
            if target == "super" {
                wrong.push(format!("{}:{line} climbs within braces; write the path out", source.path.display()));
            }
            if target != module && floors.get(target.as_str()).is_some_and(|other| *other >= floor) {
                wrong.push(format!("{}:{line} imports {target}", source.path.display()));
            }
        }
        if FLOORS[..2].concat().contains(&module) {
            let found = impurities(&source.code);
            wrong.extend(found.iter().map(|(line, what)| format!("{}:{line} uses {what}", source.path.display())));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What `code` uses of [`IMPURE`], also by an import in braces. With the line.
fn impurities(code: &str) -> Vec<(usize, &'static str)> {
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        found.extend(IMPURE.iter().filter(|impure| line.contains(**impure)).map(|impure| (number + 1, *impure)));
    }
    for (at, _) in code.match_indices("std::{") {
        let line = code[..at].matches('\n').count() + 1;
        let names: Vec<String> = named(&code[at + "std::".len()..]).iter().map(|name| format!("std::{name}")).collect();
        found.extend(
            IMPURE.iter().filter(|impure| names.iter().any(|name| name == **impure)).map(|impure| (line, *impure)),
        );
    }
    found
}

#[test]
fn what_is_impure_is_found_however_it_is_written() {
    let of = |code: &str| impurities(code).into_iter().map(|(_, what)| what).collect::<Vec<_>>();
    assert_eq!(of("use std::thread;"), ["std::thread"]);
    assert_eq!(of("use std::{\n    collections::BTreeMap,\n    fs::{File, read},\n};"), ["std::fs"]);
    assert_eq!(of("let began = Instant::now();"), ["Instant::now"]);
    assert!(of("use std::{collections::BTreeMap, fmt};").is_empty());
}

#[test]
fn an_import_is_found_however_it_is_written() {
    let module = ["http".to_owned(), "verify".to_owned()];
    let of = |code: &str| imports(&module, code).into_iter().map(|(_, name)| name).collect::<Vec<_>>();
    assert_eq!(of("use crate::run;"), ["run"]);
    assert_eq!(of("fn f() -> crate::run::Report {}"), ["run"]);
    assert_eq!(of("use crate::{\n    run::{A, B},\n    worker,\n};"), ["run", "worker"]);
    assert_eq!(of("use super::super::run;"), ["run"]);
    assert_eq!(of("use super::super::{run, worker::Pool};"), ["run", "worker"]);
    assert_eq!(of("use super::super::{super::run};"), ["super"]);
    assert_eq!(of("use super::{reply, super::run};"), ["super"]);
    assert!(of("use super::reply::Reply; use other_crate::run;").is_empty());
    assert_eq!(imports(&module, "\n\nuse crate::run;")[0].0, 3);
}

#[test]
fn only_what_is_compiled_for_tests_alone_is_let_off() {
    assert_eq!(production("a\n// b\n#[cfg(test)]\nmod tests {\n    c\n}\n"), "a\n\n");
    assert!(production("#[cfg(test)]\nmod tests;\nuse crate::run;").contains("crate::run"));
    assert_eq!(
        modules_for_tests("#[cfg(test)]\npub(crate) mod sample;\nmod tests;\n#[cfg(test)]\nmod inner {}"),
        ["sample"]
    );
    assert_eq!(module_of(Path::new("http/verify/mod.rs")), module_of(Path::new("http/verify.rs")));
}

/// A sidecar whose clock is wrong by an hour must be harmless: time is `PocketBase`'s. The one exception has a better clock once there
/// was an answer; signatures for AWS are made by the SDK, and AWS says so when they are off.
#[test]
fn nobody_reads_the_machines_own_clock() {
    const EXCEPTION: &str = "src/http/verify/mod.rs";
    let reads = |source: &Source| {
        ["Timestamp::now", "SystemTime::now", "Zoned::now"].iter().any(|clock| source.code.contains(clock))
    };
    let found: Vec<_> = sources()
        .into_iter()
        .filter(|source| reads(source) && !source.path.ends_with(EXCEPTION))
        .map(|s| s.path)
        .collect();
    assert!(found.is_empty(), "{found:?}");
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

/// The first column of the table that follows `heading` in `text`, with what its backticks hold.
fn first_column<'t>(text: &'t str, heading: &str) -> Vec<&'t str> {
    let table = text.split_once(heading).unwrap_or_else(|| panic!("no heading {heading}")).1;
    let rows = table.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|')).skip(2);
    rows.filter_map(|row| row.split('|').nth(1).map(str::trim)).collect()
}

#[test]
fn the_readme_justifies_each_dependency_and_no_other() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = fs::read_to_string(folder.join("README.md")).expect("README.md");
    let manifest = |path: &str| fs::read_to_string(folder.join(path)).expect("a manifest");
    let manifest: String = ["", "crates/pixels/", "crates/sandbox/", "crates/verification/"]
        .iter()
        .map(|folder| manifest(&format!("{folder}Cargo.toml")))
        .collect();
    let listed: BTreeSet<String> = first_column(&readme, "### Dependencies").into_iter().flat_map(crates).collect();
    let mut inside = false;
    let used: BTreeSet<String> = manifest
        .lines()
        .filter(|line| {
            if line.starts_with('[') {
                inside = ["[dependencies]", "[dev-dependencies]"].contains(line);
            }
            inside && !line.starts_with(['#', '[', ' ']) && line.contains('=') && !line.starts_with("identivia-")
        })
        // `reqwest012` is reqwest under another name.
        .map(|line| line.split('=').next().unwrap_or_default().trim().replace("reqwest012", "reqwest"))
        .collect();
    assert_eq!(listed, used, "README.md's table against Cargo.toml");
}

/// The crates in a cell: `tokio, reqwest (0.13), http-body(-util) with reqwest 0.12`.
fn crates(cell: &str) -> Vec<String> {
    let mut crates = Vec::new();
    for part in cell.split(", ").flat_map(|part| part.split(" with ")) {
        let name = part.split([' ', '(']).next().unwrap_or_default();
        crates.push(name.to_owned());
        if let Some((_, more)) = part.split_once("(-") {
            crates.push(format!("{name}-{}", more.trim_end_matches(')')));
        }
    }
    crates
}

#[test]
fn the_cells_of_the_table_of_dependencies_are_read() {
    assert_eq!(
        crates("reqwest (0.13), a-b with reqwest 0.12, http-body(-util), c"),
        ["reqwest", "a-b", "reqwest", "http-body", "http-body-util", "c"]
    );
}

/// Each kind of event, as `docs/records.md` has it and as the code stores it, with the names of what it carries.
#[test]
fn the_description_of_the_journal_is_the_codes() {
    let text =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/records.md")).expect("docs/records.md");
    let mut described: BTreeMap<String, String> = BTreeMap::new();
    let table = text.split_once("| `event` | `data` |").expect("a table of events").1;
    for row in table.lines().skip(2).take_while(|line| line.starts_with('|')) {
        let cells: Vec<&str> = row.split('|').collect();
        for name in cells[1].split('`').skip(1).step_by(2) {
            described.insert(name.to_owned(), cells[2].to_owned());
        }
    }
    let stored = every_event();
    let names: BTreeSet<&String> = stored.keys().collect();
    assert_eq!(described.keys().collect::<BTreeSet<_>>(), names);
    for (event, fields) in &stored {
        for field in fields {
            let told = described[event].split(|c: char| !is_of_a_name(c)).any(|word| word == field);
            assert!(told, "docs/records.md does not say that {event} carries {field}");
        }
    }
}

/// The name of every event that this version writes, and its fields.
fn every_event() -> BTreeMap<String, Vec<String>> {
    let source = include_str!("../crates/verification/src/journal.rs");
    let body = source.split_once("pub enum Event {").expect("the events").1.split_once("\n}\n").expect("their end").0;
    let mut events: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut current = None;
    for line in body.lines() {
        let (depth, word) = (line.len() - line.trim_start().len(), line.trim());
        if depth == 4 && word.starts_with(char::is_uppercase) && !word.starts_with("Other") {
            let name = word.split([' ', '{']).next().unwrap_or_default();
            events.entry(snake(name)).or_default();
            current = Some(snake(name));
        } else if depth == 4 && word.starts_with("Other") {
            current = None;
        } else if depth == 8 && word.ends_with(',') && !word.starts_with(['#', '/']) {
            let field = word.split(':').next().unwrap_or_default().to_owned();
            if let Some(fields) = current.as_ref().and_then(|event| events.get_mut(event)) {
                fields.push(field);
            }
        }
    }
    events
}

fn snake(name: &str) -> String {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(c.to_lowercase());
    }
    snake
}
