//! Removes blocks that do nothing but go on to another block: whoever went there goes to the target at
//! once. Blocks whose target has phis stay. Destructuring does the same once phis are gone.

use crate::diagnostics::Outcome;
use crate::ir::cfg;
use crate::ir::model::Subroutine;

use super::PassCtx;

/// See the module.
pub(super) fn run(sub: &mut Subroutine, _ctx: &PassCtx<'_, '_>) -> Outcome<bool> {
    cfg::remove_linear_jumps(sub)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{check, check_rounds};

    #[test]
    fn jumps_are_skipped_unless_a_phi_needs_them() {
        check(
            "remove_linear_jumps",
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = (txn Fee)
                    let b#0: uint64 = (txn Amount)
                    goto a#0 ? block@1 : block@3
                block@1: // L2
                    goto block@2
                block@2: // L3
                    goto block@3
                block@3: // L4
                    goto a#0 ? block@4 : block@5
                block@4: // L5
                    goto block@6
                block@5: // L6
                    goto block@6
                block@6: // L7
                    let c#0: uint64 = φ(a#0 <- block@4, b#0 <- block@5)
                    exit c#0
            "#,
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = (txn Fee)
                    let b#0: uint64 = (txn Amount)
                    goto block@3
                block@3: // L4
                    goto a#0 ? block@4 : block@5
                block@4: // L5
                    goto block@6
                block@5: // L6
                    goto block@6
                block@6: // L7
                    let c#0: uint64 = φ(a#0 <- block@4, b#0 <- block@5)
                    exit c#0
            "#,
        );
    }
    #[test]
    fn a_condition_that_no_longer_decides_is_removed_in_the_next_round() {
        check_rounds(
            1,
            r#"
            main m:
                block@0: // L1
                    let a#0: uint64 = (txn Fee)
                    goto a#0 ? block@1 : block@2
                block@1: // L2
                    goto block@2
                block@2: // L3
                    (log 0x01)
                    exit 1u
            "#,
            r#"
            main m:
                block@0: // L1
                    (log 0x01)
                    exit 1u
            "#,
            2,
            &[],
        );
    }
}
