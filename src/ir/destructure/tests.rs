//! SSA text in, text without phis out.

use crate::base::arena::Arena;
use crate::ir::model::ProgramKind;
use crate::ir::pool::Pool;
use crate::ir::{Ctx, text, text_read};
use crate::options::{CompileOptions, LocalsCoalescing};
use crate::session::Session;

fn check(options: &CompileOptions, before: &str, after: &str) {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let pool = Pool::new(&arena);
    let ctx = Ctx { session: &session, pool: &pool, options };
    let mut program =
        text_read::program(ctx, before.trim(), ProgramKind::Approval).expect("a dump");
    super::run(&mut program, ctx).expect("valid IR");
    assert_eq!(text::program(ctx, &program), after.trim());
}

/// Two variables swap in a loop; a third block joins the loop by a critical edge.
const SWAP: &str = "
main swap:
    block@0: // L1
        let a#0: uint64 = (txn Fee)
        let b#0: uint64 = (txn Amount)
        goto a#0 ? block@1 : block@2
    block@1: // L2
        let a#1: uint64 = φ(a#0 <- block@0, b#1 <- block@1)
        let b#1: uint64 = φ(b#0 <- block@0, a#1 <- block@1)
        goto a#1 ? block@1 : block@2
    block@2: // L3
        let r#0: uint64 = φ(a#0 <- block@0, b#1 <- block@1)
        exit r#0";

#[test]
fn a_swap_needs_a_temporary() {
    check(
        &CompileOptions::default(),
        SWAP,
        "
main swap:
    block@0: // L1
        let a#0: uint64 = (txn Fee)
        let b#0: uint64 = (txn Amount)
        goto a#0 ? block@1 : block@3
    block@3: // L1
        let r#0: uint64 = a#0
        goto block@2
    block@1: // L2
        let parcopy%0#0: uint64 = b#0
        let b#0: uint64 = a#0
        let a#0: uint64 = parcopy%0#0
        goto a#0 ? block@1 : block@5
    block@5: // L2
        let r#0: uint64 = b#0
        goto block@2
    block@2: // L3
        exit r#0",
    );
}

#[test]
fn aggressive_merging_crosses_variables() {
    let options = CompileOptions {
        locals_coalescing_strategy: LocalsCoalescing::Aggressive,
        ..CompileOptions::default()
    };
    check(
        &options,
        SWAP,
        "
main swap:
    block@0: // L1
        let %0#0: uint64 = (txn Fee)
        let %1#0: uint64 = (txn Amount)
        goto %0#0 ? block@1 : block@2
    block@1: // L2
        let parcopy%0#0: uint64 = %1#0
        let %1#0: uint64 = %0#0
        let %0#0: uint64 = parcopy%0#0
        goto %0#0 ? block@1 : block@5
    block@5: // L2
        let %0#0: uint64 = %1#0
        goto block@2
    block@2: // L3
        exit %0#0",
    );
}

#[test]
fn level_two_merges_equal_blocks() {
    let options = CompileOptions { optimization_level: 2, ..CompileOptions::default() };
    let before = "
main twins:
    block@0: // L1
        let a#0: uint64 = (txn Fee)
        goto a#0 ? block@1 : block@2
    block@1: // L2
        (log 0x01)
        goto block@3
    block@2: // L3
        (log 0x01)
        goto block@3
    block@3: // L4
        exit 1u";
    let after = "
main twins:
    block@0: // L1
        let a#0: uint64 = (txn Fee)
        goto block@1
    block@1: // L2
        (log 0x01)
        goto block@3
    block@3: // L4
        exit 1u";
    check(&options, before, after);
}
