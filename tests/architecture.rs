//! Rules of the source's layout that a compiler does not check: which part may use which, containers
//! whose order would leak into outputs, passes that stand in no table.

use std::fs;
use std::path::{Path, PathBuf};

/// Every part of the crate and the parts it may use besides itself, lowest first. A stage sees the
/// model of the stage before it and what lies below all stages; only `compile` sees every stage.
const PARTS: &[(&str, &[&str])] = &[
    ("base", &[]),
    ("json", &["base"]),
    ("avm", &["base"]),
    ("metadata", &["base"]),
    ("diagnostics", &["base", "json"]),
    ("options", &["base", "json"]),
    ("session", &["base", "diagnostics", "options"]),
    ("awst", &["base", "json", "avm", "diagnostics", "options", "metadata", "session"]),
    ("ir", &["base", "avm", "diagnostics", "options", "metadata", "session", "awst"]),
    ("mir", &["base", "avm", "diagnostics", "options", "metadata", "session", "ir"]),
    ("teal", &["base", "avm", "diagnostics", "options", "metadata", "session", "mir"]),
    ("assemble", &["base", "avm", "diagnostics", "options", "metadata", "session", "teal"]),
    (
        "artifacts",
        &["base", "json", "avm", "diagnostics", "options", "metadata", "session", "assemble"],
    ),
    (
        "compile",
        &[
            "base",
            "json",
            "diagnostics",
            "options",
            "metadata",
            "session",
            "awst",
            "ir",
            "mir",
            "teal",
            "assemble",
            "artifacts",
        ],
    ),
    ("rpc", &["base", "json", "diagnostics"]),
    (
        "server",
        &["base", "json", "diagnostics", "options", "metadata", "artifacts", "compile", "rpc"],
    ),
    ("client", &["base", "json", "diagnostics", "artifacts", "compile", "rpc"]),
    ("cli", &["base", "json", "diagnostics", "artifacts", "compile", "rpc", "server", "client"]),
    ("main", &["base", "cli"]),
    ("lib", &[]),
];

/// Files that may use a hash container: they make the ones everybody else uses, which cannot be
/// iterated in hash order.
const HASH_CONTAINER_HOMES: &[&str] = &["base/ordered.rs"];

/// Folders whose `mod.rs` has a table with a row for every file that has a `run`.
const PASS_FOLDERS: &[&str] = &["awst/validate", "ir/optimise", "ir/validate", "teal/optimise"];

struct Source {
    /// Path below `src`.
    path: String,
    text: String,
}

impl Source {
    /// The part of the crate it belongs to.
    fn part(&self) -> &str {
        let first = self.path.split('/').next().unwrap();
        first.strip_suffix(".rs").unwrap_or(first)
    }
    fn is_test(&self) -> bool {
        self.path.ends_with("/tests.rs") || self.path.contains("/tests/")
    }
    /// The lines before the tests, without comments, with their numbers.
    fn code(&self) -> impl Iterator<Item = (usize, &str)> {
        let tests = self.text.find("#[cfg(test)]\nmod tests {").unwrap_or(self.text.len());
        let end = if self.is_test() { 0 } else { tests };
        let lines = self.text[..end].lines().enumerate();
        lines.map(|(index, line)| (index + 1, line.split("//").next().unwrap()))
    }
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut folders = vec![root.clone()];
    let mut files: Vec<PathBuf> = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|suffix| suffix == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    let read = |path: &PathBuf| Source {
        path: path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned(),
        text: fs::read_to_string(path).unwrap(),
    };
    files.iter().map(read).collect()
}

fn assert_none(problems: Vec<String>) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

/// The names that follow each `marker` in a line.
fn names_after<'t>(line: &'t str, marker: &str) -> Vec<&'t str> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    let rests = line.match_indices(marker).map(|(at, _)| &line[at + marker.len()..]);
    rests.map(|rest| rest.split(|c| !is_name(c)).next().unwrap()).collect()
}

#[test]
fn parts_use_only_what_lies_below_them() {
    let mut problems = Vec::new();
    for source in sources() {
        let part = source.part();
        let Some((_, allowed)) = PARTS.iter().find(|row| row.0 == part) else {
            problems.push(format!("{}: part '{part}' is not in the list", source.path));
            continue;
        };
        for (number, line) in source.code() {
            for used in names_after(line, "crate::") {
                let is_part = PARTS.iter().any(|row| row.0 == used);
                if is_part && used != part && !allowed.contains(&used) {
                    problems.push(format!("{}:{number}: {part} uses {used}", source.path));
                }
            }
        }
    }
    assert_none(problems);
}

#[test]
fn hash_containers_stay_in_their_homes() {
    let banned = ["HashMap", "HashSet", "RandomState"];
    let mut problems = Vec::new();
    for source in sources() {
        if HASH_CONTAINER_HOMES.contains(&source.path.as_str()) {
            continue;
        }
        for (number, line) in source.code() {
            if let Some(name) = banned.iter().find(|name| line.contains(**name)) {
                problems.push(format!("{}:{number}: {name}", source.path));
            }
        }
    }
    assert_none(problems);
}

#[test]
fn every_pass_stands_in_its_table() {
    let sources = sources();
    let mut problems = Vec::new();
    for folder in PASS_FOLDERS {
        let table_path = format!("{folder}/mod.rs");
        let Some(table) = sources.iter().find(|source| source.path == table_path) else { continue };
        for source in &sources {
            let Some(file) = source.path.strip_prefix(&format!("{folder}/")) else { continue };
            // a pass of several files is a folder; only its `mod.rs` is the pass
            let name = file.strip_suffix("/mod.rs").or(file.strip_suffix(".rs")).unwrap();
            if name == "mod" || name.contains('/') {
                continue;
            }
            let is_pass = source.code().any(|(_, line)| line.contains("fn run("));
            let row = format!("{name}::run");
            if is_pass && !table.code().any(|(_, line)| line.contains(&row)) {
                problems.push(format!("{}: has no row in {table_path}", source.path));
            }
        }
    }
    assert_none(problems);
}

#[test]
fn every_file_says_what_it_is_and_nothing_is_left_to_do() {
    let banned = ["todo!(", "unimplemented!(", "dbg!(", ".unwrap()"];
    let mut problems = Vec::new();
    for source in sources() {
        if !source.is_test() && !source.text.starts_with("//! ") {
            problems.push(format!("{}: does not start with what it is", source.path));
        }
        for (number, line) in source.code() {
            if let Some(what) = banned.iter().find(|what| line.contains(**what)) {
                problems.push(format!("{}:{number}: {what}", source.path));
            }
        }
    }
    assert_none(problems);
}
