//! Reading and printing are inverse to each other.

use crate::base::arena::Arena;
use crate::ir::model::ProgramKind;
use crate::ir::pool::Pool;
use crate::ir::{Ctx, text, text_read, verify};
use crate::options::CompileOptions;
use crate::session::Session;

const TEXT: &str = r#"slot_allocation(dynamic, reserved=[1, 5])
main test.Contract.main:
    block@0: // entry_L7
        let (value#0: bytes, exists#0: bool) = (box_get "k\xc3\xa9\"y")
        let slot#0: Encoded(uint64[])* = new()
        store(slot#0, 0x)
        let as_Encoded(len+uint8[])%0#0: Encoded(len+uint8[]) = value#0
        let pair#0: Encoded((len+uint8[]),uint64) = bytes_encode<((len+uint8[]),uint64)>(as_Encoded(len+uint8[])%0#0, 7u)
        (assert exists#0) // must // exist
        let t#0: bytes[8] = itxn[itxn_group_idx(0)].Logs[2u]
        ((itxn_field OnCompletion) DeleteApplication)
        goto_nth [block@1, block@2][5u] else goto block@2
    block@1: // L9
        let (b#0: biguint, c#0: bytes[4]) = decode_bytes<(biguint,bytes[4],)>(pair#0)
        switch c#0 {method "add(uint64,uint64)uint64" => block@2, MFRGG => block@2, * => block@1}
    block@2: // after_L10
        let x#1: bool = undefined
        let y#2: uint64 = φ(y#2 <- block@0, y#2 <- block@1)
        let n#0: uint64 = test.Contract.callee(115792089237316195423570985008687907853269984665640564039457584007913129639936b, TemplateVar[string](TMPL_A))
        let p#0: bytes = compiled_contract("a's", field=ApprovalProgramPages, program_page=0, TMPL_N=3u)
        goto x#1 ? block@3 : block@4
    block@3: // L11
        exit 1u
    block@4: // L12
        fail // never

subroutine test.Contract.callee(a: biguint, b: string) -> <uint64, bytes>:
    block@0: // L20
        let e#0: Encoded(uint64) = extract_value(b#0, 1, n#0)
        let n#0: uint64 = ((extract 2 0) a#0) // on error: short
        return n#0 AQE=
"#;

#[test]
fn what_is_printed_can_be_read_back() {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let pool = Pool::new(&arena);
    let options = CompileOptions::default();
    let ctx = Ctx { session: &session, pool: &pool, options: &options };
    let source = TEXT.trim_end();
    let program = text_read::program(ctx, source, ProgramKind::Approval).expect("a dump");
    assert_eq!(text::program(ctx, &program), source);
    assert_eq!(program.main.blocks[program.main.body[2]].phis.len(), 2, "both are phis");
    let undefined = verify::verify(&program.main, ctx);
    assert!(undefined.is_err(), "a phi without arguments misses its predecessors");
}

#[test]
fn a_mistake_is_told_with_its_line() {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let pool = Pool::new(&arena);
    let options = CompileOptions::default();
    let ctx = Ctx { session: &session, pool: &pool, options: &options };
    let source = "main m:\n    block@0: // L1\n        exit x#0";
    let error = text_read::program(ctx, source, ProgramKind::Approval).expect_err("no definition");
    assert_eq!(error.to_string(), "line 3: never defined: x#0");
}
