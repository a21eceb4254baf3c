//! Golden tests: `tests/golden/teal/NAME.O1.lowered.teal` goes through the optimiser at level 1, and the
//! dumps on the way and the text at the end must equal `NAME.O1.teal`. `BLESS=1` rewrites them.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use super::model::Program;
use super::text::{Detail, render};
use super::{optimise_program, text_read};
use crate::base::arena::Arena;
use crate::base::source::{Loc, SourceLocation};
use crate::diagnostics::Failure;
use crate::session::Session;

fn stages(lowered: &str, level: i64) -> String {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let mut program = text_read::read(&session, lowered).expect("readable TEAL");
    let mut out = String::new();
    let mut push = |name: &str, text: String| {
        writeln!(out, "==== {name}\n{}", text.trim_end()).expect("a string takes every text");
    };
    optimise_program(&session, level, &mut program, &mut |program, name| {
        push(name, render(&session, 0, program, Detail::StackManipulations)?);
        Ok(())
    })
    .expect("optimises");
    push("final", render(&session, 0, &program, Detail::Plain).expect("renders"));
    out
}

fn golden_files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/teal");
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    files.retain(|file| file.to_string_lossy().ends_with(".lowered.teal"));
    files.sort();
    files
}

#[test]
fn dumps_equal_the_golden_files() {
    let bless = std::env::var_os("BLESS").is_some();
    for file in golden_files() {
        let path = file.to_str().expect("UTF-8 names").to_owned();
        let name = path.strip_suffix(".lowered.teal").expect("as selected");
        let level = name.rsplit_once(".O").expect("NAME.O1").1.parse().expect("a number");
        let actual = stages(&std::fs::read_to_string(&file).expect("readable"), level);
        let golden = format!("{name}.teal");
        if bless {
            std::fs::write(&golden, &actual).expect("writable");
        }
        let expected = std::fs::read_to_string(&golden).expect("readable");
        assert!(actual == expected, "{golden} differs:\n{actual}");
    }
}

#[test]
fn what_is_read_is_rendered_again() {
    for file in golden_files() {
        let text = std::fs::read_to_string(&file).expect("readable");
        let arena = Arena::new();
        let session = Session::new(&arena, None);
        let program = text_read::read(&session, &text).expect("readable TEAL");
        let heights = |line: &&str| !line.starts_with("// stack");
        let without_heights = text.lines().filter(heights).collect::<Vec<_>>().join("\n");
        let again = render(&session, 0, &program, Detail::StackManipulations);
        let again = again.expect("renders");
        assert_eq!(again.trim_end(), without_heights);
    }
}

#[test]
fn source_comments_are_dedented_and_do_not_end_with_an_empty_line() {
    // a character outside of ASCII needs a closer look, which has to find the same
    for word in ["why", "wh\u{ff}"] {
        let arena = Arena::new();
        let mut session = Session::new(&arena, None);
        let file = session.sym("/x.py");
        let first = format!("    # {word}");
        let lines = [&first, "", "\t", "      y  ", " \t", "return"];
        session.sources.insert(file, Some(&lines));
        let text = "#pragma version 11\n\n// f() -> void:\nf:\n    return\n";
        let mut program = text_read::read(&session, text).expect("readable TEAL");
        let mut shown = |line, end_line| {
            program.subroutines[0].blocks[0].ops[0].loc = session.locs.intern(SourceLocation {
                file: Some(file),
                line,
                end_line,
                comment_lines: 0,
                column: None,
                end_column: None,
            });
            let text = render(&session, 1, &program, Detail::Plain).expect("renders");
            let (_, shown) = text.split_once("f:\n").expect("the subroutine has a label");
            shown.to_owned()
        };
        assert_eq!(
            shown(1, 5),
            format!(
                "    // /x.py:1-5\n    // # {word}\n    // \n    // \n    //   y\n    return\n"
            )
        );
        assert_eq!(shown(2, 3), "    // /x.py:2-3\n    // \n    return\n");
        assert_eq!(shown(3, 3), "    // /x.py:3\n    return\n");
    }
}

#[test]
fn source_comments_start_with_the_comment_above_a_statement() {
    let arena = Arena::new();
    let mut session = Session::new(&arena, None);
    let file = session.sym("/a/x.py");
    session.sources.cwd = "/a".to_owned();
    let lines = ["def f():", "    # why", "\ty = (", "    1)  ", "return y"];
    session.sources.insert(file, Some(&lines));
    let text = "#pragma version 11\n\n// f() -> void:\nf:\n    int 1\n    itob\n    return\n";
    let mut program = text_read::read(&session, text).expect("readable TEAL");
    let at = |line, end_line, comment_lines, column| {
        let end_column = None;
        let file = Some(file);
        SourceLocation { file, line, end_line, comment_lines, column, end_column }
    };
    let locations = [at(3, 4, 1, Some(2)), at(3, 4, 1, None), at(5, 5, 0, None)];
    let ops = &mut program.subroutines[0].blocks[0].ops;
    for (op, location) in ops.iter_mut().zip(locations) {
        op.loc = session.locs.intern(location);
    }
    let shown = |level, program: &Program| render(&session, level, program, Detail::Plain);
    assert_eq!(
        shown(1, &program).expect("renders"),
        "#pragma version 11\n#pragma typetrack false\n\n// f() -> void:\nf:\n\
         \x20   // x.py:2-4\n    //     # why\n    // \ty = (\n    //     1)\n    int 1\n    itob\n\
         \x20   // x.py:5\n    // return y\n    return\n"
    );
    assert!(!shown(0, &program).expect("renders").contains("x.py"));
    program.subroutines[0].blocks[0].ops[0].loc = session.locs.intern(at(2, 2, 2, None));
    let message = "ValueError: 'line' must be >= 1: 0";
    assert_eq!(shown(1, &program), Err(Failure::internal(message, Loc::NONE)));
}
