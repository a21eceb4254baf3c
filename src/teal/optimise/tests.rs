//! Tests of single passes: ops in, ops out, separated by `; `. A block starts on a stack of four.

use super::*;
use crate::base::arena::Arena;
use crate::teal::model::{Op, StackManipulation};
use crate::teal::{text, text_read};

/// Reads a program whose one subroutine has the given blocks: `label: op; op`.
fn read(session: &Session, blocks: &[&str]) -> Program {
    let mut source = "#pragma version 11\n\n// f() -> void:\n".to_owned();
    for block in blocks {
        let (label, ops) = block.split_once(": ").expect("label: ops");
        source.push_str(&format!("{label}:\n// stack 4, 4:\n"));
        for op in ops.split("; ").filter(|op| !op.is_empty()) {
            source.push_str(&format!("    {op}\n"));
        }
    }
    text_read::read(session, &source).expect("readable TEAL")
}

fn show(session: &Session, ops: &[Op]) -> String {
    let texts = ops.iter().map(|op| text::op_with_comment(session, &op.kind));
    texts.collect::<Vec<_>>().join("; ")
}

fn blocks(session: &Session, program: &Program) -> Vec<String> {
    let texts = program
        .blocks()
        .map(|block| format!("{}: {}", session.text(block.label), show(session, &block.ops)));
    texts.collect()
}

/// Runs a block pass until it changes nothing.
fn check_block(level: i64, run: fn(&Ctx, &mut Block) -> Outcome<bool>, before: &str, after: &str) {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let mut program = read(&session, &[&format!("f: {before}")]);
    let ctx = Ctx::new(&session, level, &mut program);
    let block = &mut program.subroutines[0].blocks[0];
    while run(&ctx, block).expect("runs") {}
    assert_eq!(show(&session, &block.ops), after, "from {before}");
}

fn check_program(run: fn(&Ctx, &mut Program) -> Outcome<()>, before: &[&str], after: &[&str]) {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let mut program = read(&session, before);
    run(&Ctx::new(&session, 1, &mut program), &mut program).expect("runs");
    assert_eq!(blocks(&session, &program), after);
}

#[test]
fn peephole_windows() {
    let check = |before, after| check_block(1, peephole::run, before, after);
    // four ops
    check("swap; int 1; cover 1; uncover 2; itob", "int 1; cover 2; itob");
    check("swap; dig 2; swap; uncover 2; itob", "dig 2; cover 2; itob");
    // three ops
    check("cover 3; cover 3; swap; itob", "uncover 2; uncover 3; itob");
    check("swap; frame_dig -1; uncover 2; itob", "frame_dig -1; swap; itob");
    check("dig 1; int 2; swap; itob", "int 2; dig 2; itob");
    check("int 2; dig 1; swap; itob", "dup; int 2; itob");
    check("swap; store 1; pop; itob", "pop; store 1; itob");
    check("swap; itxn_field Note; itxn_field Note", "swap; itxn_field Note; itxn_field Note");
    check("swap; frame_bury 2; pop; itob", "swap; frame_bury 2; pop; itob");
    check("uncover 2; swap; uncover 2; itob", "swap; itob");
    check("dup; cover 2; swap; itob", "dup; uncover 2; itob");
    check("assert; int 1; return", "return");
    check("assert // why; int 1; return", "assert // why; int 1; return");
    check("uncover 3; dup; cover 4; itob", "dig 3; itob");
    // a frame_dig that reads what the window moves
    check("swap; frame_dig 2; uncover 2; itob", "swap; frame_dig 2; uncover 2; itob");
    // pairs
    check("itob; cover 3; uncover 3", "itob");
    check("swap; pop", "bury 1");
    check("swap; mulw", "mulw");
    check("swap; b<=", "b>=");
    check("itob; frame_dig 1; frame_bury 1", "itob");
    check("frame_bury 1; frame_dig 1", "dup; frame_bury 1");
    check("dup; swap; itob", "dup; itob");
    check("itob; dup; pop", "itob");
    check("dup; dupn 2", "dupn 3");
    check("pop; pop; popn 2", "popn 4");
    check("dig 1; dig 1; itob", "dup2; itob");
    check("int 0; return", "err");
    check("dup; return", "return");
    // single ops
    check("arg 3; arg 4", "arg_3; arg 4");
    check("itob; cover 0", "itob");
    check("dig 0; popn 1; itob", "itob");
}

#[test]
fn peephole_looks_at_pairs_only_at_level_0() {
    let check = |before, after| check_block(0, peephole::run, before, after);
    check("assert; int 1; return", "assert; int 1; return");
    check("swap; pop", "bury 1");
}

#[test]
fn loads_are_put_in_the_order_they_are_needed() {
    let check = |before, after| check_block(1, stack_shuffles::run, before, after);
    check("int 1; int 2; cover 1; dup; itob", "int 2; int 1; int 1; itob");
    check("int 1; int 2; uncover 1", "int 2; int 1");
    check("int 1; uncover 1; itob", "int 1; uncover 1; itob");
    check("txn Sender; dupn 2; itob", "txn Sender; txn Sender; txn Sender; itob");
}

#[test]
fn repeated_loads_become_duplicates() {
    let check = |before, after| check_block(1, dup_collapse::run, before, after);
    check("int 7; int 7; int 7", "int 7; dupn 2");
    check("int 7; int 7; itob", "int 7; dup; itob");
    check("int 1; int 2; int 1; int 2; int 1", "int 1; int 2; dup2; int 1");
}

#[test]
fn rotations_are_shortened() {
    let check = |before, after| check_block(2, repeated_rotations::run, before, after);
    check("cover 2; cover 2; itob", "uncover 2; itob");
    check("itob; uncover 1; uncover 1", "itob");
    check("cover 3; cover 3", "cover 3; cover 3");
    let check = |before, after| check_block(2, rotation_search::run, before, after);
    check("cover 1; uncover 2; cover 1; itob", "cover 2; itob");
    check("cover 2; uncover 1; uncover 2; itob", "cover 1; cover 2; itob");
}

#[test]
fn a_run_of_rotations_without_effect_is_refused() {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let mut program = read(&session, &["f: itob; cover 2; uncover 2; itob"]);
    let ctx = Ctx::new(&session, 2, &mut program);
    let result = rotation_search::run(&ctx, &mut program.subroutines[0].blocks[0]);
    let message = "could not preserve stack manipulations due to entire block deletion";
    assert_eq!(
        result,
        Err(crate::diagnostics::Failure::internal(message, crate::base::source::Loc::NONE))
    );
}

#[test]
fn control_flow_goes_the_direct_way() {
    // a chain, a single op, a block with one reference, and what nothing reaches
    check_program(
        optimise_control_flow,
        &["f: bz a; b c", "a: b b", "b: itob; b d", "c: err", "d: len; return"],
        &["f: bz b; err", "b: itob; len; return"],
    );
    // a jump to the next block
    check_program(
        optimise_control_flow,
        &["f: itob; b a", "a: len; dup; bnz a; b b", "b: int 1; return"],
        &["f: itob", "a: len; dup; bnz a; int 1; return"],
    );
}

#[test]
fn a_call_that_never_returns_is_a_jump() {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let mut program = text_read::read(
        &session,
        "// f() -> void:\nf:\n// stack 0, 0:\n    callsub g\n    int 1\n    return\n\
         // g() -> void:\ng:\n// stack 0, 0:\n    callsub f\n    err\n",
    )
    .expect("readable TEAL");
    optimise_control_flow(&Ctx::new(&session, 1, &mut program), &mut program).expect("runs");
    assert_eq!(blocks(&session, &program), ["f: b g", "g: b f"]);
}

#[test]
fn constants_used_often_enough_go_to_a_block() {
    check_program(
        constant_blocks::run,
        &["f: int 300; byte 0x00; int 1; byte TMPL_A; int 2", "g: int 300; byte \"a\"; int 300"],
        &[
            "f: intcblock 300; bytecblock TMPL_A; intc_0 // 300; pushbytes 0x00; pushint 1; \
             bytec_0 // TMPL_A; pushint 2",
            "g: intc_0 // 300; pushbytes \"a\"; intc_0 // 300",
        ],
    );
    // spelled differently: the block has it in hexadecimal, a load as it was written
    check_program(
        constant_blocks::run,
        &["f: byte \"abc\"; byte 0x616263; byte \"abc\""],
        &["f: bytecblock 0x616263; bytec_0 // \"abc\"; bytec_0 // 0x616263; bytec_0 // \"abc\""],
    );
}

#[test]
fn neighbouring_pushes_are_joined() {
    check_program(
        combine_pushes::run,
        &["f: pushint 1 // NoOp; pushint 2; pushbytes 0x00; pushint 3"],
        &["f: pushints 1 2 // NoOp, 2; pushbytes 0x00; pushint 3"],
    );
}

#[test]
fn manipulations_of_replaced_ops_are_kept() {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let mut program = read(&session, &["f: itob; cover 2; uncover 2"]);
    let block = &mut program.subroutines[0].blocks[0];
    for (op, depth) in block.ops.iter_mut().zip(0..) {
        op.stack = program.manipulations.add(&[&[StackManipulation::Pop(depth)]]);
    }
    let ctx = Ctx::new(&session, 1, &mut program);
    let block = &mut program.subroutines[0].blocks[0];
    peephole::run(&ctx, block).expect("runs");
    let kept = [0, 1, 2].map(StackManipulation::Pop);
    assert_eq!(block.ops.len(), 1);
    assert_eq!(ctx.manipulations.borrow().of(block.ops[0].stack), kept);
}
