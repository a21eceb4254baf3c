//! From the document to artifacts: what is compiled, the subroutines of each target, its programs, and
//! what these refer to. Spec 21 §1 to §6.

mod compilation_set;
mod contract;
mod logic_signature;
mod references;

use crate::awst::decl::RootNode;
use crate::awst::wtypes::WTypes;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::Ctx;
use crate::ir::model::{Artifact, Program, ProgramKind, SlotStrategy};

use super::{BuildCtx, FunctionRef, Root, build_body, build_missing_bodies, make_main};

pub(super) use contract::entries;
pub use references::{main_references, references};

/// Builds the IR of every artifact of the compilation set, references included, in compilation-set
/// order. An artifact with a mistake is reported and left out.
pub fn build<'s>(
    ctx: Ctx<'_, 's>,
    wtypes: &WTypes<'s>,
    document: &[RootNode<'s>],
) -> Outcome<Vec<Artifact>> {
    let roots = compilation_set::find(ctx, document);
    let shared = BuildCtx::new(ctx, wtypes, document)?;
    build_missing_bodies(&shared)?;
    let mut artifacts = Vec::with_capacity(roots.len());
    // The last root owns what it shares with none any more, so that it need not copy it.
    let contexts = std::iter::repeat_n(shared, roots.len());
    for (root, shared) in roots.into_iter().zip(contexts) {
        ctx.session.check_stop()?;
        let of_root = shared.into_root(root);
        let built = match root {
            Root::Contract(contract) => contract::build(of_root, contract),
            Root::LogicSignature(signature) => logic_signature::build(of_root, signature),
        };
        match built {
            Ok(artifact) => artifacts.push(artifact),
            Err(Failure::Internal(message, loc)) => {
                return Err(Failure::Internal(message, loc.or(root.loc())));
            }
            Err(Failure::Stopped) => return Err(Failure::Stopped),
            Err(failure) => ctx.sink().failure(&failure, root.loc()),
        }
    }
    Ok(artifacts)
}

/// What a program is made from.
struct Plan<'s> {
    kind: ProgramKind,
    main: FunctionRef<'s>,
    avm_version: Option<i64>,
    autosalt: Option<bool>,
    reserved_slots: &'s [i64],
}

/// Builds a program up to the subroutines it uses, which it gets later. Spec 21 §5, step 7.
fn build_program<'s>(ctx: &BuildCtx<'_, 's>, plan: Plan<'s>) -> Outcome<Program> {
    let declaration = make_main(ctx, plan.main)?;
    // A body with a mistake stays empty: it is reported, and nothing is compiled.
    let main = build_body(ctx, plan.main, declaration.clone())?.unwrap_or(declaration);
    let reserved = plan.reserved_slots.iter().filter_map(|slot| u32::try_from(*slot).ok());
    Ok(Program {
        kind: plan.kind,
        main,
        subroutines: Vec::new(),
        avm_version: plan.avm_version.unwrap_or(ctx.ir.options.target_avm_version),
        reserved_slots: reserved.collect(),
        slot_strategy: SlotStrategy::None,
        autosalt: plan.autosalt,
        loc: ctx.root.map_or(Loc::NONE, Root::loc),
    })
}
