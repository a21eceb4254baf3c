//! What goes into storage can be stored, and maps have declared totals. Spec 11 §3.5.

use super::Context;
use crate::awst::decl::{AppStorageDefinition, RootNode, StateTotals};
use crate::awst::expr::{Expr, ExprRef};
use crate::awst::mentions::Mentions;
use crate::awst::visit::{Visitor, walk_root};
use crate::awst::wtypes::{ScalarType, WTypeId};
use crate::base::ordered::LookupSet;
use crate::base::source::Loc;
use crate::base::text::repr;
use crate::diagnostics::Outcome;
use crate::metadata::StorageKind;

/// Runs the check.
pub fn run<'s>(context: &Context<'_, 's>, roots: &'s [RootNode<'s>]) -> Outcome<()> {
    for root in roots {
        walk_root(&mut Storage { context, seen: LookupSet::new() }, root);
        if let RootNode::Contract(contract) = root {
            let totals = contract.state_totals.unwrap_or_default();
            for state in contract.app_state {
                check_map_total(context, state, totals, contract.loc);
            }
        }
    }
    Ok(())
}

/// The value of a constant key; bytes and texts are told apart.
#[derive(PartialEq, Eq, Hash)]
enum Key<'s> {
    Bytes(&'s [u8]),
    Text(&'s str),
}

struct Storage<'c, 'r, 's> {
    context: &'c Context<'r, 's>,
    /// Constant keys whose use was checked before.
    seen: LookupSet<(StorageKind, Key<'s>)>,
}

impl Storage<'_, '_, '_> {
    fn check(&self, wtype: WTypeId, loc: Loc) {
        if !self.context.wtypes.get(wtype).persistable {
            self.context.sink().error("type is not suitable for storage", loc);
        }
    }
}

impl<'s> Visitor<'s> for Storage<'_, '_, 's> {
    const LOOKS_FOR: Option<Mentions> = Some(Mentions::STORAGE);
    fn leave_storage_definition(&mut self, definition: &'s AppStorageDefinition<'s>) {
        self.check(definition.storage_wtype, definition.loc);
        if let Some(key_wtype) = definition.key_wtype {
            self.check(key_wtype, definition.loc);
        }
    }
    fn leave_expr(&mut self, expr: ExprRef<'s>) {
        let (kind, key) = match expr {
            Expr::AppStateExpression(e) => (StorageKind::Global, e.key),
            Expr::AppAccountStateExpression(e) => (StorageKind::Local, e.key),
            Expr::BoxValueExpression(e) => (StorageKind::Box, e.key),
            Expr::MapPrefixedKeyExpression(e) => {
                self.check(e.key.wtype(), e.key.loc());
                self.check(e.prefix.wtype(), e.prefix.loc());
                return;
            }
            _ => return,
        };
        let key = match key {
            Expr::ReinterpretCast(cast) => cast.expr,
            other => other,
        };
        let constant = match key {
            Expr::BytesConstant(constant) => Some(Key::Bytes(constant.value)),
            Expr::StringConstant(constant) => Some(Key::Text(constant.value)),
            _ => None,
        };
        let is_new = constant.is_none_or(|constant| self.seen.insert((kind, constant)));
        if is_new {
            self.check(expr.wtype(), expr.loc());
        }
    }
}

fn check_map_total(
    context: &Context<'_, '_>,
    state: &AppStorageDefinition<'_>,
    totals: StateTotals,
    loc: Loc,
) {
    if state.key_wtype.is_none() {
        return;
    }
    let (what, total) = match (state.kind, context.wtypes.get(state.storage_wtype).scalar_type) {
        (StorageKind::Local, Some(ScalarType::UInt64)) => ("local uint", totals.local_uints),
        (StorageKind::Local, Some(ScalarType::Bytes)) => ("local bytes", totals.local_bytes),
        (StorageKind::Global, Some(ScalarType::UInt64)) => ("global uint", totals.global_uints),
        (StorageKind::Global, Some(ScalarType::Bytes)) => ("global bytes", totals.global_bytes),
        (StorageKind::Box, _) | (_, None) => return,
    };
    if total.is_none() {
        let name = repr(context.session.text(state.member_name));
        let message =
            format!("no {what} state total defined for contract but {name} map is defined");
        context.sink().warning(message, loc);
    }
}
