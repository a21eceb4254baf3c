//! Golden tests: programs of `tests/golden/teal` are optimised and assembled; bytes, statistics, report and
//! events must equal `tests/golden/assemble/NAME.txt`. `BLESS=1` rewrites them.

use std::fmt::Write;
use std::path::Path;

use num_bigint::BigInt;

use super::debug_map::{DebugMap, Event, Trace};
use super::names::NameList;
use super::*;
use crate::base::arena::Arena;
use crate::base::source::SourceLocation;
use crate::base::source_text::SourceTexts;
use crate::diagnostics::Severity;
use crate::teal::text::{Detail, render_with_places};
use crate::teal::{optimise_program, text_read};

fn read(session: &Session, name: &str) -> Program {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(format!("tests/golden/teal/{name}.lowered.teal"));
    let text = std::fs::read_to_string(path).expect("readable");
    let level = name.rsplit_once(".O").expect("NAME.O1").1.parse().expect("a number");
    let mut program = text_read::read(session, &text).expect("readable TEAL");
    optimise_program(session, level, &mut program, &mut |_, _| Ok(())).expect("optimises");
    program
}

fn assemble_all(session: &Session, program: &Program) -> String {
    let options = CompileOptions::default();
    let assembled = assemble(session, &options, program, Purpose::Output { id: "" })
        .expect("every op can be encoded");
    let mut out = String::new();
    writeln!(
        out,
        "==== report\n{}",
        report::render(session, program, &assembled).expect("renders")
    )
    .expect("a string takes every text");
    writeln!(out, "==== stats\n{}", assembled.stats.render()).expect("a string takes every text");
    let offset = assembled.op_pc_offset;
    writeln!(out, "==== events\noffset {offset}").expect("a string takes every text");
    let names = |list: Option<NameList<'_>>| {
        list.map_or("-".to_owned(), |list| {
            list.names.iter().map(|id| session.text(*id)).collect::<Vec<_>>().join(",")
        })
    };
    let level = options.debug_level;
    let (text, places) =
        render_with_places(session, level, program, Detail::Plain).expect("renders");
    let (text, places) = (text.as_str(), places.as_slice());
    let map = DebugMap { debug_level: level, program, assembled: &assembled, text, places };
    let visit = &mut |pc: u32, event: &Event<'_>| {
        let text = |id: Option<Symbol>| id.map_or("-", |id| session.text(id));
        writeln!(
            out,
            "{pc}: block {} in [{}] op {:?} defined [{}] out [{}] error {}",
            text(event.block),
            names(event.stack_in),
            event.op.unwrap_or_default(),
            names(event.defined_out),
            names(event.stack_out),
            text(event.error),
        )
        .expect("a string takes every text");
    };
    map.for_each_event(session, &mut Trace::default(), visit)
        .expect("the stack is as the ops expect it");
    out
}

#[test]
fn programs_assemble_to_the_golden_files() {
    let bless = std::env::var_os("BLESS").is_some();
    for name in ["logic_signature.O2", "subroutines.O2", "templates.O2", "version_13.O1"] {
        let arena = Arena::new();
        let session = Session::new(&arena, None);
        let program = read(&session, name);
        let actual = assemble_all(&session, &program);
        let golden =
            Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/golden/assemble/{name}.txt"));
        if bless {
            std::fs::write(&golden, &actual).expect("writable");
        }
        let expected = std::fs::read_to_string(&golden).expect("readable");
        assert!(actual == expected, "{name} differs:\n{actual}");
    }
}

fn small(session: &Session, version: i64, ops: &[&str]) -> Program {
    let mut text = format!("#pragma version {version}\n\n// f() -> void:\n");
    for op in ops {
        let indent = if op.ends_with(':') { "" } else { "    " };
        text.push_str(&format!("{indent}{op}\n"));
    }
    text_read::read(session, &text).expect("readable TEAL")
}

fn bytes_of(version: i64, ops: &[&str]) -> Outcome<String> {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let program = small(&session, version, ops);
    let options = CompileOptions::default();
    let assembled = assemble(&session, &options, &program, Purpose::Output { id: "" })?;
    Ok(crate::base::encode::hex(&assembled.bytecode))
}

#[test]
fn distances_count_from_the_end_or_are_varints() {
    let ops = ["f:", "b g", "g:", "bz f", "switch f g", "match", "callsub f"];
    assert_eq!(
        bytes_of(11, &ops).expect("assembles"),
        "0b\
         420000\
         41fffa\
         8d02fff4fff7\
         8e00\
         88ffef"
    );
    // backward from the start of the branch, forward from its end
    assert_eq!(
        bytes_of(13, &ops).expect("assembles"),
        "0d\
         4200\
         4103\
         8d02fff6fff8\
         8e00\
         8817"
    );
    let message = "jump 'b' to start of same instruction cannot be encoded";
    let itself = ["f:", "b f"];
    assert_eq!(
        bytes_of(13, &itself),
        Err(crate::diagnostics::Failure::internal(message, Loc::NONE))
    );
    assert_eq!(bytes_of(11, &itself).expect("assembles"), "0b42fffd");
}

#[test]
fn immediates_are_checked() {
    assert_eq!(bytes_of(11, &["f:", "txna Accounts 3", "pushint 300"]).unwrap(), "0b361c0381ac02");
    let message = "error: 'B' format requires 0 <= number <= 255";
    let result = bytes_of(11, &["f:", "load 256"]);
    assert_eq!(result, Err(crate::diagnostics::Failure::internal(message, Loc::NONE)));
}

#[test]
fn template_values_are_looked_up_and_checked() {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let ops = ["f:", "intcblock 1 TMPL_A", "bytecblock TMPL_B TMPL_C", "intc_0", "return"];
    let program = small(&session, 11, &ops);
    let mut options = CompileOptions::default();
    let given = &mut options.cli_template_definitions;
    given.insert("A".to_owned(), TemplateValue::Int(BigInt::from(300)));
    given.insert("B".to_owned(), TemplateValue::Int(BigInt::from(1)));
    let bytes = |options: &CompileOptions, purpose| {
        let assembled = assemble(&session, options, &program, purpose).expect("assembles");
        (crate::base::encode::hex(&assembled.bytecode), assembled.op_pc_offset)
    };
    let output = Purpose::Output { id: "C" };
    assert_eq!(bytes(&options, output), ("0b200201ac02260200002243".to_owned(), 2));

    let mut constants = TemplateConstants::default();
    let value = |bytes: &[u8]| (TemplateValue::Bytes(bytes.to_vec()), Loc::NONE);
    constants.insert("TMPL_B".to_owned(), value(b"b"));
    constants.insert("TMPL_C".to_owned(), value(b""));
    let reference = Purpose::Reference(&constants);
    assert_eq!(bytes(&options, reference), ("0b200201ac0226020162002243".to_owned(), 0));
    options.output_bytecode = true;
    options.compilation_set.insert("C".to_owned(), "out".into());
    bytes(&options, output);
    let messages = session.sink.since(0).into_iter().map(|item| (item.severity, item.message));
    let wrong = "invalid template value type for 'TMPL_B', expected bytes".to_owned();
    let missing = "template variable not defined: TMPL_C".to_owned();
    let expected = [wrong.clone(), wrong, missing].map(|message| (Severity::Error, message));
    assert_eq!(messages.collect::<Vec<_>>(), expected);
}

#[test]
fn positions_map_to_lines_and_marks_to_columns() {
    let arena = Arena::new();
    let mut session = Session::new(&arena, None);
    let file = session.sym("/a/src/é.py");
    let mut sources = SourceTexts::default();
    sources.cwd = "/a".to_owned();
    sources.insert(file, Some(&["first", "  é = f(1)"]));
    session.sources = sources;
    let mut program = small(&session, 11, &["f:", "pushint 1", "itob", "log"]);
    let at = |line, columns: Option<(u32, u32)>| {
        session.locs.intern(SourceLocation {
            file: Some(file),
            line,
            end_line: 2,
            comment_lines: 0,
            column: columns.map(|c| c.0),
            end_column: columns.map(|c| c.1),
        })
    };
    let ops = &mut program.subroutines[0].blocks[0].ops;
    ops[0].loc = at(2, Some((7, 11)));
    ops[2].loc = at(1, None);
    let options = CompileOptions::default();
    let assembled =
        assemble(&session, &options, &program, Purpose::Output { id: "" }).expect("assembles");
    let (level, text, places) = (options.debug_level, "", [].as_slice());
    let map =
        DebugMap { debug_level: level, program: &program, assembled: &assembled, text, places };
    assert_eq!(map.mappings(&session, &map.sources(&session)), ";AACO;;;AADP");
    let report = report::render(&session, &program, &assembled).expect("renders");
    let rows = report.lines().skip(3).map(|row| row.rsplit_once('|').expect("a row").0);
    let shown = rows.map(|row| row.splitn(4, '|').nth(3).expect("five columns").to_owned());
    assert_eq!(
        shown.collect::<Vec<_>>(),
        [
            " f:                 |          | f() -> void:    ",
            "                    | é = f(1) | src/é.py:2      ",
            "     pushint 1      |     ---- | src/é.py:2:7-11 ",
            "     itob           |          |                 ",
            "     log            |          | src/é.py:1-2    ",
        ]
    );
}
