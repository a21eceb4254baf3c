//! Golden tests: `tests/golden/mir/NAME.O1.ir` (out of SSA) goes through the whole stage at level 1,
//! and the dumps it makes on the way must equal `NAME.O1.mir`. `BLESS=1` rewrites them.

mod semantics;

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::*;
use crate::base::arena::Arena;
use crate::ir::pool::Pool;
use crate::ir::text_read;
use crate::options::CompileOptions;

/// The dumps worth a look; those between only show the peephole sweep.
const STAGES: [&str; 5] = ["build", "lstack", "xstack", "fstack", ""];

fn dumps(ir: &str, level: i64) -> String {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let pool = Pool::new(&arena);
    let options = CompileOptions { optimization_level: level, ..CompileOptions::default() };
    let ctx = Ctx { session: &session, pool: &pool, options: &options };
    let program = text_read::program(ctx, ir, model::ProgramKind::Approval).expect("readable IR");
    let mut out = String::new();
    let mut observer = |name: &'static str, program: &Program| {
        if STAGES.contains(&name) {
            let dump = text::dump(&session, program)?;
            let name = if name.is_empty() { "final" } else { name };
            writeln!(out, "==== {name}\n{}", dump.trim_end()).expect("a string takes every text");
        }
        Ok(())
    };
    lower(ctx, &program, &mut observer).expect("lowers");
    out
}

fn golden_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/mir");
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.retain(|file| file.extension().is_some_and(|extension| extension == "ir"));
    files.sort();
    files
}

#[test]
fn dumps_equal_the_golden_files() {
    let bless = std::env::var_os("BLESS").is_some();
    for file in golden_files() {
        let stem = file.file_stem().and_then(|stem| stem.to_str()).expect("UTF-8 names");
        let level = stem.rsplit_once(".O").expect("NAME.O1.ir").1.parse().expect("a number");
        let ir = std::fs::read_to_string(&file).expect("readable");
        let actual = dumps(ir.trim_end_matches('\n'), level);
        let golden = file.with_extension("mir");
        if bless {
            std::fs::write(&golden, &actual).expect("writable");
        }
        let expected = std::fs::read_to_string(&golden).expect("readable");
        assert!(actual == expected, "{stem} differs:\n{actual}");
    }
}

#[test]
fn the_same_program_gives_the_same_dumps_twice() {
    for file in golden_files() {
        let ir = std::fs::read_to_string(&file).expect("readable");
        let ir = ir.trim_end_matches('\n');
        for level in 0..=2 {
            assert_eq!(dumps(ir, level), dumps(ir, level));
        }
    }
}
