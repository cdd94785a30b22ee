//! The shape of the code, checked from its own syntax: which room may import which, no circle of
//! files inside a room, a pure core, one clock, and files that can be read in one sitting.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use syn::visit::{self, Visit};
use syn::{Item, UseTree, Visibility};

/// The rooms of the sidecar, each with the rooms that it may import. Every room may import the core
/// (`verification`, `pixels`).
const ROOMS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("config", &["base"]),
    ("pocketbase", &["base"]),
    ("providers", &["base"]),
    ("checks", &["base", "pocketbase", "providers"]),
    ("controller", &["base", "checks", "pocketbase"]),
    ("http", &["base", "config", "pocketbase", "providers"]),
    ("app", &["base", "checks", "config", "controller", "http", "pocketbase", "providers"]),
];

/// Folders that hold one crate each, with the file of its root.
const CRATES: &[(&str, &str)] = &[
    ("src", "lib.rs"),
    ("src/bin/dev", "main.rs"),
    ("crates/verification/src", "lib.rs"),
    ("crates/pixels/src", "lib.rs"),
    ("crates/sandbox/src", "lib.rs"),
];

/// What the pure core must not name. That it has no runtime, no HTTP client, no randomness and no
/// logging is said by its `Cargo.toml`.
const IMPURE: &[&str] = &["std::env", "std::fs", "std::net", "std::process", "std::thread", "std::time", "::now"];

/// The one file that may read the machine's own clock: before `PocketBase` has answered once there
/// is no better one.
const CLOCK_EXCEPTION: &str = "src/http/endpoints/verify/mod.rs";

/// Most lines of a file without its tests.
const LINES_MAX: usize = 400;
/// What the documentation at the head of a longer file says.
const LONG_BECAUSE: &str = "One file because";

type Module = Vec<String>;

/// A source file of the product, without what is compiled for tests only.
struct Source {
    path: PathBuf,
    module: Module,
    /// Paths that it imports or names, as absolute module paths of its crate; relative ones are
    /// resolved.
    named: Vec<Module>,
    /// Names that it re-exports with `pub use`: the name, and where it comes from.
    re_exports: BTreeMap<String, Module>,
    /// Every path as it is written.
    written: BTreeSet<String>,
    has_async: bool,
}

/// The sources of each crate, by its folder; read once.
static SOURCES: LazyLock<BTreeMap<&str, Vec<Source>>> =
    LazyLock::new(|| CRATES.iter().map(|(folder, root)| (*folder, sources(folder, root))).collect());

fn sources(folder: &str, root: &str) -> Vec<Source> {
    let base = project().join(folder);
    let mut files = Vec::new();
    collect(&base, &mut files);
    let modules: BTreeSet<Module> = files.iter().map(|path| module_of(&base, path, root)).collect();
    let for_tests: BTreeSet<Module> =
        files.iter().flat_map(|path| test_modules(path, &module_of(&base, path, root))).collect();
    let is_test = |module: &[String]| (1..=module.len()).any(|length| for_tests.contains(&module[..length]));
    files
        .into_iter()
        .map(|path| (module_of(&base, &path, root), path))
        .filter(|(module, _)| !is_test(module))
        .map(|(module, path)| read(path, module, &modules))
        .collect()
}

fn project() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("the folder can be listed") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            // Binaries are crates of their own.
            if !path.ends_with("src/bin") {
                collect(&path, files);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("src/main.rs") {
            files.push(path);
        }
    }
    files.sort();
}

/// `http/verify/mod.rs` and `http/verify.rs` are both `["http", "verify"]`; the crate's root is the
/// empty path.
fn module_of(base: &Path, path: &Path, root: &str) -> Module {
    let relative = path.strip_prefix(base).expect("below the base");
    if relative == Path::new(root) {
        return Module::new();
    }
    let mut module: Module =
        relative.with_extension("").iter().map(|part| part.to_string_lossy().into_owned()).collect();
    if module.last().is_some_and(|last| last == "mod") {
        module.pop();
    }
    module
}

fn syntax(path: &Path) -> syn::File {
    let text = fs::read_to_string(path).expect("a source");
    syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn is_for_tests(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("cfg") && attribute.parse_args::<syn::Path>().is_ok_and(|path| path.is_ident("test"))
    })
}

/// Modules in files of their own that the file at `path` declares for tests only.
fn test_modules(path: &Path, module: &[String]) -> Vec<Module> {
    let declared = syntax(path).items.into_iter().filter_map(|item| match item {
        Item::Mod(inner) if inner.content.is_none() && is_for_tests(&inner.attrs) => Some(inner.ident.to_string()),
        _ => None,
    });
    declared.map(|name| [module, &[name]].concat()).collect()
}

fn read(path: PathBuf, module: Module, modules: &BTreeSet<Module>) -> Source {
    let file = syntax(&path);
    let mut reader = Reader {
        here: module.clone(),
        modules,
        found: Vec::new(),
        re_exports: BTreeMap::new(),
        written: BTreeSet::new(),
        has_async: false,
    };
    reader.visit_file(&file);
    let Reader { found: named, re_exports, written, has_async, .. } = reader;
    Source { path, module, named, re_exports, written, has_async }
}

/// Walks a file and collects what it names.
struct Reader<'m> {
    /// The module that the walk is in; inline modules are entered.
    here: Module,
    modules: &'m BTreeSet<Module>,
    found: Vec<Module>,
    re_exports: BTreeMap<String, Module>,
    written: BTreeSet<String>,
    has_async: bool,
}

impl Reader<'_> {
    /// `path` from the crate's root; `None` for a path that leads to another crate or begins with a
    /// local name.
    fn resolve(&self, path: &[String]) -> Option<Module> {
        let ups = path.iter().take_while(|part| *part == "super").count();
        match path.first()?.as_str() {
            "crate" => Some(path[1..].to_vec()),
            "self" => Some([&self.here, &path[1..]].concat()),
            "super" => Some([&self.here[..self.here.len().checked_sub(ups)?], &path[ups..]].concat()),
            first => {
                let child = [self.here.as_slice(), &[first.to_owned()]].concat();
                self.modules.contains(&child).then(|| [&self.here, path].concat())
            }
        }
    }

    fn name(&mut self, path: &[String]) {
        self.written.insert(path.join("::"));
        self.found.extend(self.resolve(path));
    }

    fn leaves(tree: &UseTree, before: &[String], leaves: &mut Vec<(Vec<String>, String)>) {
        let with = |name: &dyn ToString| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => Self::leaves(&path.tree, &with(&path.ident), leaves),
            UseTree::Group(group) => group.items.iter().for_each(|tree| Self::leaves(tree, before, leaves)),
            UseTree::Name(name) if name.ident == "self" => {
                leaves.push((before.to_vec(), before.last().cloned().unwrap_or_default()));
            }
            UseTree::Name(name) => leaves.push((with(&name.ident), name.ident.to_string())),
            UseTree::Rename(rename) => leaves.push((with(&rename.ident), rename.rename.to_string())),
            UseTree::Glob(_) => leaves.push((before.to_vec(), "*".to_owned())),
        }
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        let attributes: &[syn::Attribute] = match item {
            Item::Mod(item) => &item.attrs,
            Item::Fn(item) => &item.attrs,
            Item::Use(item) => &item.attrs,
            Item::Impl(item) => &item.attrs,
            Item::Const(item) => &item.attrs,
            _ => &[],
        };
        if !is_for_tests(attributes) {
            visit::visit_item(self, item);
        }
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        if item.content.is_some() {
            self.here.push(item.ident.to_string());
            visit::visit_item_mod(self, item);
            self.here.pop();
        }
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        let mut leaves = Vec::new();
        Self::leaves(&item.tree, &[], &mut leaves);
        for (path, name) in leaves {
            match self.resolve(&path) {
                // A re-export is an import of the files that use it.
                Some(target) if !matches!(item.vis, Visibility::Inherited) => {
                    self.written.insert(path.join("::"));
                    self.re_exports.insert(name, target);
                }
                _ => self.name(&path),
            }
        }
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        self.name(&path.segments.iter().map(|segment| segment.ident.to_string()).collect::<Vec<_>>());
        visit::visit_path(self, path);
    }

    /// The inside of a macro is no syntax yet: paths that begin with `crate` or `super` are found
    /// in its words.
    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        let words = call.tokens.to_string().replace(" :: ", "::");
        for word in words.split(|c: char| !c.is_alphanumeric() && c != '_' && c != ':') {
            if word.contains("::") {
                self.name(&word.split("::").map(str::to_owned).collect::<Vec<_>>());
            }
        }
        visit::visit_macro(self, call);
    }

    /// `pub(super)` says who may see an item; it imports nothing.
    fn visit_visibility(&mut self, _visibility: &'ast Visibility) {}

    fn visit_signature(&mut self, signature: &'ast syn::Signature) {
        self.has_async |= signature.asyncness.is_some();
        visit::visit_signature(self, signature);
    }
}

/// The arrows between files: who imports whom. A re-exported name leads to the file that
/// defines it. What the root file of a module takes from its own parts is no arrow: it is where
/// they are put together.
fn arrows(sources: &[Source]) -> BTreeMap<Module, BTreeSet<Module>> {
    let by_module: BTreeMap<&[String], &Source> =
        sources.iter().map(|source| (source.module.as_slice(), source)).collect();
    let file_of = |path: &[String]| {
        let mut path = path.to_vec();
        // Bounded: a name is re-exported a few times at most.
        for _ in 0..8 {
            let length = (0..=path.len()).rev().find(|length| by_module.contains_key(&path[..*length]))?;
            let re_export = path.get(length).and_then(|name| by_module[&path[..length]].re_exports.get(name));
            match re_export {
                Some(target) => path = [target.as_slice(), &path[length + 1..]].concat(),
                None => return Some(path[..length].to_vec()),
            }
        }
        None
    };
    let arrows = sources.iter().map(|source| {
        let targets =
            source.named.iter().filter_map(|path| file_of(path)).filter(|target| !target.starts_with(&source.module));
        (source.module.clone(), targets.collect())
    });
    arrows.collect()
}

/// Groups of files that import each other in a circle.
fn circles(arrows: &BTreeMap<Module, BTreeSet<Module>>) -> BTreeSet<BTreeSet<Module>> {
    let reached = |from: &Module| {
        let (mut seen, mut open) = (BTreeSet::new(), vec![from.clone()]);
        while let Some(next) = open.pop() {
            for target in arrows.get(&next).into_iter().flatten() {
                if seen.insert(target.clone()) {
                    open.push(target.clone());
                }
            }
        }
        seen
    };
    let reached: BTreeMap<&Module, BTreeSet<Module>> = arrows.keys().map(|module| (module, reached(module))).collect();
    let circle = |module: &Module| {
        let mates = reached[module].iter().filter(|other| reached.get(other).is_some_and(|back| back.contains(module)));
        mates.cloned().collect::<BTreeSet<_>>()
    };
    arrows.keys().map(circle).filter(|circle| !circle.is_empty()).collect()
}

#[test]
fn rooms_import_one_way() {
    let allowed: BTreeMap<&str, &[&str]> = ROOMS.iter().copied().collect();
    let mut wrong = Vec::new();
    for source in SOURCES["src"].iter().filter(|source| !source.module.is_empty()) {
        let room = source.module[0].as_str();
        let may = allowed.get(room).unwrap_or_else(|| panic!("{room} is no room of ROOMS: give it a place there"));
        for target in source.named.iter().chain(source.re_exports.values()).filter_map(|path| path.first()) {
            if target != room && allowed.contains_key(target.as_str()) && !may.contains(&target.as_str()) {
                wrong.push(format!("{} imports {target}", source.path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let mut found = Vec::new();
    for (folder, sources) in &*SOURCES {
        for circle in circles(&arrows(sources)) {
            let files: Vec<String> = circle.iter().map(|module| module.join("/")).collect();
            found.push(format!("{folder}: {}", files.join(" <-> ")));
        }
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn the_core_is_pure() {
    let mut wrong = Vec::new();
    for folder in ["crates/verification/src", "crates/pixels/src"] {
        for source in &SOURCES[folder] {
            let named = IMPURE.iter().filter(|impure| {
                let begins = |path: &String| path == *impure || path.starts_with(&format!("{impure}::"));
                source.written.iter().any(|path| begins(path) || (impure.starts_with(':') && path.ends_with(**impure)))
            });
            wrong.extend(named.map(|impure| format!("{} names {impure}", source.path.display())));
            if source.has_async {
                wrong.push(format!("{} has an async function", source.path.display()));
            }
        }
    }
    let manifest = fs::read_to_string(project().join("crates/verification/Cargo.toml")).expect("a manifest");
    for dependency in ["tokio", "reqwest", "hyper", "rand", "tracing", "figment"] {
        if manifest.lines().any(|line| line.split([' ', '.', '=']).next() == Some(dependency)) {
            wrong.push(format!("crates/verification/Cargo.toml depends on {dependency}"));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A sidecar whose clock is wrong by an hour must be harmless: time is `PocketBase`'s. Signatures
/// for AWS are made by the SDK, and AWS reports when they are off.
#[test]
fn no_file_reads_the_machines_own_clock() {
    let clocks = ["Timestamp::now", "SystemTime::now", "Zoned::now"];
    let reads = |source: &Source| clocks.iter().any(|clock| source.written.iter().any(|path| path.ends_with(clock)));
    let found: Vec<_> = SOURCES["src"]
        .iter()
        .filter(|source| reads(source) && !source.path.ends_with(CLOCK_EXCEPTION))
        .map(|source| &source.path)
        .collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn no_file_is_too_long_to_be_read_at_once() {
    let mut wrong = Vec::new();
    for sources in SOURCES.values() {
        for source in sources {
            let text = fs::read_to_string(&source.path).expect("a source");
            let lines = lines_without_tests(&text);
            let head: String = text.lines().take_while(|line| line.starts_with("//!")).collect();
            if lines > LINES_MAX && !head.contains(LONG_BECAUSE) {
                wrong.push(format!(
                    "{}: {lines} lines; split it, or say at its head: {LONG_BECAUSE} ...",
                    source.path.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// Lines of `text` up to the unit tests at its end.
fn lines_without_tests(text: &str) -> usize {
    text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().lines().count()
}

#[test]
fn an_import_is_found_however_it_is_written() {
    let modules: BTreeSet<Module> =
        [vec![], vec!["a".to_owned()], vec!["a".to_owned(), "b".to_owned()], vec!["c".to_owned()]].into();
    let of = |text: &str| {
        let mut reader = Reader {
            here: vec!["a".to_owned()],
            modules: &modules,
            found: Vec::new(),
            re_exports: BTreeMap::new(),
            written: BTreeSet::new(),
            has_async: false,
        };
        reader.visit_file(&syn::parse_file(text).expect("Rust"));
        reader.found.iter().map(|path| path.join("::")).collect::<Vec<_>>()
    };
    assert_eq!(of("use crate::{c::{X, Y}, a};"), ["c::X", "c::Y", "a"]);
    assert_eq!(of("fn f() -> crate::c::X { super::c::g() }"), ["c::X", "c::g"]);
    assert_eq!(of("use self::b::X; use b::Y;"), ["a::b::X", "a::b::Y"]);
    assert_eq!(of("fn f() { b::g(); println!(\"{}\", crate::c::N); }"), ["a::b::g", "c::N"]);
    assert_eq!(of("mod inner { use super::super::c::X; }"), ["c::X"]);
    assert!(of("pub(super) struct X { pub(in crate::c) y: u8 }").is_empty());
    assert!(of("use other::c::X; pub use b::X; #[cfg(test)] mod tests { use crate::c::X; }").is_empty());
}

#[test]
fn a_circle_is_found_and_a_straight_line_is_none() {
    let name = |text: &str| vec![text.to_owned()];
    let arrows = |pairs: &[(&str, &str)]| {
        let mut arrows: BTreeMap<Module, BTreeSet<Module>> = BTreeMap::new();
        for (from, to) in pairs {
            arrows.entry(name(to)).or_default();
            arrows.entry(name(from)).or_default().insert(name(to));
        }
        arrows
    };
    assert!(circles(&arrows(&[("a", "b"), ("b", "c"), ("a", "c")])).is_empty());
    assert_eq!(
        circles(&arrows(&[("a", "b"), ("b", "c"), ("c", "a"), ("d", "a")])),
        [[name("a"), name("b"), name("c")].into()].into()
    );
}
