//! IR text in, messages out.

use crate::base::arena::Arena;
use crate::ir::model::ProgramKind;
use crate::ir::pool::Pool;
use crate::ir::{Ctx, text_read};
use crate::options::CompileOptions;
use crate::session::Session;

/// Messages about a program with these operations, with their level.
fn messages(kind: ProgramKind, ops: &str) -> Vec<String> {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let pool = Pool::new(&arena);
    let options = CompileOptions::default();
    let ctx = Ctx { session: &session, pool: &pool, options: &options };
    let lines: String =
        ops.trim().lines().map(|line| format!("        {}\n", line.trim())).collect();
    let text = format!("main m:\n    block@0: // L1\n{lines}        exit 1u");
    let program = text_read::program(ctx, &text, kind).expect("a dump");
    super::check_programs(&[&program], ctx).expect("nothing stops it");
    let reported = session.sink.since(0);
    reported.iter().map(|item| format!("{}: {}", item.severity.name(), item.message)).collect()
}

#[test]
fn instructions_must_exist_where_they_stand() {
    assert_eq!(
        messages(ProgramKind::LogicSignature, "(app_global_del \"k\")\n(arg 1)"),
        ["error: The operation (app_global_del \"k\") is only allowed in smart contracts"]
    );
    assert_eq!(
        messages(ProgramKind::Approval, "let a#0: bytes = (arg 1)\n(log a#0)"),
        ["error: The operation (arg 1) is only allowed in logic signatures"]
    );
    assert_eq!(
        messages(
            ProgramKind::Approval,
            "let a#0: uint64 = (txn RejectVersion)\nlet b#0: bool = (falcon_verify 0x01 0x02 0x03)"
        ),
        [
            "error: Opcode 'txn RejectVersion' requires a min AVM version of 12 but the target AVM \
             version is 11",
            "error: Opcode 'falcon_verify' requires a min AVM version of 12 but the target AVM \
             version is 11",
        ]
    );
}

#[test]
fn scratch_slots_must_be_reserved() {
    assert_eq!(
        messages(ProgramKind::Approval, "((store 3) 1u)\n(stores 300u 1u)"),
        [
            "critical: unreserved constant slot",
            "error: dynamic slot usage detected, but no slots reserved on class, please reserve \
             slots or use constant values for slots",
            "warning: scratch slot id constant exceeds 255; will fail at runtime if reached",
        ]
    );
}

#[test]
fn constant_operands_that_always_fail_are_told() {
    let cases = [
        ("(+ 18446744073709551615u 1u)", "uint64 constant overflow"),
        ("(- 1u 2u)", "uint64 constant underflow"),
        ("(exp 2u 64u)", "uint64 constant overflow"),
        ("(exp 0u 0u)", "uint64 exp result is undefined"),
        ("(/ 1u 0u)", "uint64 division by constant zero"),
        ("(b- 1b 2b)", "biguint constant underflow"),
        ("(btoi 0x010203040506070809)", "btoi of constant bytes exceeds 8 bytes"),
        ("((extract 1 2) 0x0102)", "end index for extract is out of bounds"),
        ("(substring3 0x0102 2u 1u)", "substring3 has end preceding start"),
        ("(getbit 5u 64u)", "bit index of uint64 is out of bounds"),
        ("(getbit 0x05 8u)", "bit index of bytes is out of bounds"),
        ("(extract_uint16 0x0102 1u)", "extract_uint16 buffer over-read"),
        ("(box_extract \"k\" 32768u 1u)", "box_extract end exceeds maximum box size"),
        ("(box_create \"k\" 32769u)", "box_create length exceeds maximum box size (32768)"),
        (
            "((gtxnas 16 ApplicationArgs) 0u)",
            "txn group index immediate exceeds maximum group size",
        ),
    ];
    for (op, message) in cases {
        let expected = format!("warning: {message}; will fail at runtime if reached");
        assert_eq!(messages(ProgramKind::Approval, op), [expected], "{op}");
    }
    let fine = "(+ 1u 2u)\n(exp 1u 18446744073709551615u)\n((extract 2 0) 0x0102)\n(shl 1u 63u)";
    assert_eq!(messages(ProgramKind::Approval, fine), [""; 0]);
    assert_eq!(
        messages(ProgramKind::Approval, "(box_del 0x)"),
        [
            "error: box key constant has invalid length (must be 1-64 bytes); will fail at runtime if \
          reached"
        ]
    );
}
