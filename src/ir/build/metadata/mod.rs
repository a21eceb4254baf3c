//! Facts about a contract that travel beside its code: AWST contract in, [`ContractMetadata`] and the
//! methods to route to out. Spec 21 §16 and 60 §7; the order of the parts is the order of messages.

mod events;
mod methods;
mod state;
mod structs;
mod template_variables;
mod types;

use crate::awst::decl::Contract;
use crate::base::arena::Symbol;
use crate::diagnostics::Outcome;
use crate::metadata::ContractMetadata;

use super::BuildCtx;
use super::call_graph::CallGraph;
use super::program::entries;
use super::router::Routable;
use methods::Methods;

pub use types::key_type;

/// Collects the metadata of a contract, and its routable methods in the order of the metadata's.
pub fn collect<'s>(
    ctx: &BuildCtx<'_, 's>,
    graph: &mut CallGraph<'s>,
    contract: &'s Contract<'s>,
) -> Outcome<(ContractMetadata, Vec<Routable<'s>>)> {
    let text = |symbol: Symbol| ctx.ir.text(symbol).to_owned();
    let state = state::by_kind(ctx, contract.app_state)?;
    let (state_totals, warnings) = state::totals(contract.state_totals, &state);
    let [global_state, local_state, boxes] = state;
    warnings.into_iter().for_each(|warning| ctx.ir.sink().warning(warning, contract.loc));
    let Methods { routable, specs, types } = methods::collect(ctx, graph, contract)?;
    let state_types = contract
        .app_state
        .iter()
        .flat_map(|state| state.key_wtype.into_iter().chain([state.storage_wtype]));
    let structs = structs::mentioned(ctx.wtypes, state_types.chain(types))?;
    let entries = entries(contract, &routable);
    let template_variable_types = template_variables::types(ctx, graph, entries)?;
    let metadata = ContractMetadata {
        id: text(contract.id),
        name: text(contract.name),
        desc: contract.description.map(str::to_owned),
        global_state,
        local_state,
        boxes,
        state_totals,
        methods: specs,
        structs,
        template_variable_types,
    };
    Ok((metadata, routable))
}
