//! Golden tests: `tests/golden/ir/NAME.O1.STEP.before.ir` goes through one step at level 1 and must
//! come out as `NAME.O1.STEP.after.ir`. `BLESS=1` rewrites the latter.

use std::path::{Path, PathBuf};

use super::model::ProgramKind;
use super::pool::Pool;
use super::{Ctx, destructure, lower, text, text_read};
use crate::base::arena::Arena;
use crate::options::CompileOptions;
use crate::session::Session;

fn run(before: &str, level: i64, step: &str) -> String {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let pool = Pool::new(&arena);
    let options = CompileOptions { optimization_level: level, ..CompileOptions::default() };
    let ctx = Ctx { session: &session, pool: &pool, options: &options };
    let mut program = text_read::program(ctx, before, ProgramKind::Approval).expect("a dump");
    match step {
        "lower" => lower::run(&mut program, ctx),
        "destructure" => destructure::run(&mut program, ctx),
        other => panic!("no step is called {other}"),
    }
    .expect("valid IR");
    assert_eq!(session.sink.len(), 0, "nothing is reported");
    text::program(ctx, &program)
}

#[test]
fn each_step_makes_of_its_golden_input_the_golden_output() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/ir");
    let mut files: Vec<PathBuf> = std::fs::read_dir(folder)
        .expect("a folder")
        .map(|file| file.expect("a file").path())
        .collect();
    files.sort();
    files.retain(|file| file.to_string_lossy().ends_with(".before.ir"));
    assert!(files.len() > 5, "there are golden files");
    for before in files {
        let name = before.file_name().expect("a name").to_string_lossy().into_owned();
        let parts: Vec<&str> = name.split('.').collect();
        let level = parts[1].trim_start_matches('O').parse().expect("a level");
        let actual = run(&std::fs::read_to_string(&before).expect("readable"), level, parts[2]);
        let golden = before.with_file_name(name.replace(".before.", ".after."));
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&golden, &actual).expect("writable");
        }
        let expected = std::fs::read_to_string(&golden).expect("readable");
        for (line, (actual, expected)) in actual.lines().zip(expected.lines()).enumerate() {
            assert_eq!(actual, expected, "{name}, line {}", line + 1);
        }
        assert_eq!(actual, expected, "{name}");
    }
}
