//! Events that a function may emit, its callees' included, as the structs that describe them. Spec 60
//! §7, step 3.

use crate::awst::arc4;
use crate::awst::expr::EmitFields;
use crate::awst::mentions::Mentions;
use crate::awst::wtypes::{WTypeField, WTypeId};
use crate::base::entity::{EntitySet, SecondaryMap};
use crate::base::ordered::OrderedSet;
use crate::base::source::Loc;
use crate::diagnostics::Outcome;

use super::super::call_graph::{CallGraph, Entered, Item, Items, NodeId};
use super::super::{BuildCtx, FunctionRef};

/// The events of functions that were asked for, and of those these call.
#[derive(Default)]
pub struct Events {
    found: SecondaryMap<NodeId, OrderedSet<WTypeId>>,
    entered: EntitySet<NodeId>,
}

impl Events {
    /// The events of a function, in the order in which they are come across.
    pub fn of<'s>(
        &mut self,
        ctx: &BuildCtx<'_, 's>,
        graph: &mut CallGraph<'s>,
        function: FunctionRef<'s>,
    ) -> Outcome<Vec<WTypeId>> {
        let id = graph.node(ctx.ir.session.arena, function);
        Search { ctx, graph, events: self }.function(id)?;
        Ok(self.found[id].iter().copied().collect())
    }
}

struct Search<'e, 'a, 's> {
    ctx: &'e BuildCtx<'a, 's>,
    graph: &'e mut CallGraph<'s>,
    events: &'e mut Events,
}

impl<'s> Search<'_, '_, 's> {
    fn function(&mut self, id: NodeId) -> Outcome<()> {
        if !self.events.entered.insert(id) {
            return Ok(());
        }
        self.items(id, self.graph.items(id), &mut Entered::default())
    }
    /// Adds the events of items to those of a function. Neither the arguments of a call nor the values
    /// of an event are searched.
    fn items(&mut self, of: NodeId, items: Items<'s>, entered: &mut Entered<'s>) -> Outcome<()> {
        for item in items {
            match item {
                Item::Emit(event, _) => {
                    self.events.found[of].insert(event.value.wtype());
                }
                Item::EmitFields(event, _) => {
                    let event = described_by_signature(self.ctx, event)?;
                    self.events.found[of].insert(event);
                }
                Item::Call(call, _) => {
                    let callee = self.graph.callee(self.ctx, of, call)?;
                    self.function(callee)?;
                    // of a function that calls itself those that are known so far
                    let known: Vec<WTypeId> = self.events.found[callee].iter().copied().collect();
                    self.events.found[of].extend(known);
                }
                // What is wrong with an event is reported wherever it stands; callees have the same
                // events each time.
                Item::Once(node, items) => {
                    if !entered.again(node, Mentions::EVENTS) {
                        self.items(of, items, entered)?;
                    }
                }
                Item::TemplateVar(_) => {}
            }
        }
        Ok(())
    }
}

/// The struct for an event given by signature and values.
fn described_by_signature(ctx: &BuildCtx<'_, '_>, event: &EmitFields<'_>) -> Outcome<WTypeId> {
    let wtypes = ctx.wtypes;
    let parts = arc4::split_signature(ctx.ir.sink(), event.signature, event.loc)?;
    let types: Vec<WTypeId> = match parts.args {
        Some(args) => arc4::split_tuple_types(args)
            .into_iter()
            .map(|name| arc4::wtype_of_abi_name(wtypes, name, Loc::NONE))
            .collect::<Outcome<_>>()?,
        None => event
            .values
            .iter()
            .map(|value| arc4::arc4_equivalent_or_fail(wtypes, value.wtype(), value.loc()))
            .collect::<Outcome<_>>()?,
    };
    let names: Vec<String> = (1..=types.len()).map(|number| format!("field{number}")).collect();
    let fields: Vec<WTypeField<'_>> = names
        .iter()
        .zip(types)
        .map(|(name, wtype)| WTypeField { name, wtype, description: None })
        .collect();
    wtypes.arc4_struct(parts.name, &fields, true, None, event.loc)
}
