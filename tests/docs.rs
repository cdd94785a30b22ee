//! What the documents say of the code, held against the code.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn text(path: &str) -> String {
    fs::read_to_string(project().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn the_table_of_variables_is_the_programs() {
    let documented = text("docs/configuration.md");
    for variable in identivia::config::VARIABLES {
        let default = match variable.default {
            None => "required".to_owned(),
            Some("") => String::new(),
            Some(default) => format!("`{default}`"),
        };
        let row = format!("| `{}` | {default} | {} |", variable.name, variable.help).replace("|  |", "|  |");
        assert!(documented.contains(&row), "docs/configuration.md lacks this row:\n{row}");
    }
}

/// The first column of the table that follows `heading` in `text`.
fn first_column<'t>(text: &'t str, heading: &str) -> Vec<&'t str> {
    let table = text.split_once(heading).unwrap_or_else(|| panic!("no heading {heading}")).1;
    let rows = table.lines().skip_while(|line| !line.starts_with('|')).take_while(|line| line.starts_with('|')).skip(2);
    rows.filter_map(|row| row.split('|').nth(1).map(str::trim)).collect()
}

#[test]
fn each_direct_dependency_is_justified_and_no_other() {
    let listed: BTreeSet<String> =
        first_column(&text("docs/ARCHITECTURE.md"), "## Dependencies").into_iter().flat_map(crates).collect();
    let mut used = BTreeSet::new();
    for folder in ["", "crates/pixels/", "crates/sandbox/", "crates/verification/"] {
        let mut inside = false;
        for line in text(&format!("{folder}Cargo.toml")).lines() {
            if line.starts_with('[') {
                inside = ["[dependencies]", "[dev-dependencies]"].contains(&line);
            } else if inside && line.starts_with(char::is_alphabetic) && !line.starts_with("identivia-") {
                // `reqwest012` is reqwest under another name.
                used.insert(line.split([' ', '=', '.']).next().unwrap_or_default().replace("reqwest012", "reqwest"));
            }
        }
    }
    assert_eq!(listed, used, "the table of docs/ARCHITECTURE.md against the manifests");
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

/// Each kind of event, as `docs/records.md` has it and as the code stores it, with the names of
/// what it carries.
#[test]
fn the_description_of_the_journal_is_the_codes() {
    let text = text("docs/records.md");
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
            let mentioned =
                described[event].split(|c: char| !c.is_alphanumeric() && c != '_').any(|word| word == field);
            assert!(mentioned, "docs/records.md does not say that {event} carries {field}");
        }
    }
}

/// The name of every event that this version writes, and its fields.
fn every_event() -> BTreeMap<String, Vec<String>> {
    let file = syn::parse_file(&text("crates/verification/src/journal.rs")).expect("Rust");
    let events = file.items.into_iter().find_map(|item| match item {
        syn::Item::Enum(item) if item.ident == "Event" => Some(item.variants),
        _ => None,
    });
    let variants = events.expect("the events").into_iter().filter(|variant| variant.ident != "Other");
    let fields = |fields: syn::Fields| fields.into_iter().filter_map(|field| field.ident.map(|name| name.to_string()));
    variants.map(|variant| (snake(&variant.ident.to_string()), fields(variant.fields).collect())).collect()
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

/// The Markdown files of the project, relative to it.
fn documents() -> Vec<String> {
    let mut documents = Vec::new();
    for folder in ["", "docs/", "docs/adr/", "fuzz/"] {
        for entry in fs::read_dir(project().join(folder)).expect("a folder") {
            let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
            if Path::new(&name).extension().is_some_and(|extension| extension == "md") {
                documents.push(format!("{folder}{name}"));
            }
        }
    }
    documents
}

#[test]
fn every_relative_link_leads_to_a_file() {
    let mut broken = Vec::new();
    for document in documents() {
        let folder = project().join(&document).parent().expect("a folder").to_owned();
        for target in text(&document).split("](").skip(1).filter_map(|rest| rest.split([')', ' ', '#']).next()) {
            if !target.is_empty() && !target.contains("://") && !folder.join(target).exists() {
                broken.push(format!("{document}: {target}"));
            }
        }
    }
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn every_path_that_a_document_names_exists() {
    const FOLDERS: &[&str] =
        &["src/", "crates/", "tests/", "docs/", "scripts/", "benches/", "pb_migrations/", "examples/", "docker/"];
    let mut missing = Vec::new();
    for document in documents() {
        let text = text(&document);
        for named in
            text.split('`').skip(1).step_by(2).filter(|named| FOLDERS.iter().any(|root| named.starts_with(root)))
        {
            let path = named.split([' ', ':', '<', '{', '*']).next().unwrap_or_default();
            if !project().join(path).exists() {
                missing.push(format!("{document}: {named}"));
            }
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}

/// `RELIABILITY.md` names the test of each promise as `module::test`, from the root of `tests/it`.
#[test]
fn every_test_that_the_promises_name_exists() {
    let mut missing = Vec::new();
    for named in text("RELIABILITY.md").split('`').skip(1).step_by(2) {
        let (module, test) = match named.rsplit_once("::") {
            Some((module, test)) if named.chars().all(|c| c.is_alphanumeric() || "_:".contains(c)) => (module, test),
            _ => continue,
        };
        let path = module.replace("::", "/");
        let files = ["", "system/"].map(|room| format!("tests/it/{room}{path}"));
        let files = files.iter().flat_map(|file| [format!("{file}.rs"), format!("{file}/mod.rs")]);
        let sources = files.filter_map(|file| fs::read_to_string(project().join(file)).ok());
        if !sources.into_iter().any(|source| source.contains(&format!("fn {test}("))) {
            missing.push(named.to_owned());
        }
    }
    assert!(missing.is_empty(), "\n{}", missing.join("\n"));
}
