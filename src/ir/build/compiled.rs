//! References to facts of other compiled artifacts. Spec 21 §11.

use crate::avm::fields::{MAX_PROGRAM_PAGE_VALUES, TxnField};
use crate::awst::expr::{CompiledContract, CompiledLogicSig, NamedExprs};
use crate::base::arena::Symbol;
use crate::diagnostics::Outcome;
use crate::ir::op::{Source, Value};
use crate::ir::pool::CompiledField;
use crate::ir::types::IrType;

use super::function::{Evaluated, FunctionBuilder};

impl<'s> FunctionBuilder<'_, 's> {
    /// Values of template variables by full name.
    fn visit_template_values(
        &mut self,
        prefix: Option<&str>,
        given: NamedExprs<'s>,
    ) -> Outcome<Vec<(Symbol, Value)>> {
        let prefix = prefix.unwrap_or(&self.ir().options.template_vars_prefix);
        let mut values = Vec::with_capacity(given.len());
        for (name, value) in given {
            let name = self.sym(&format!("{prefix}{name}"));
            values.push((name, self.visit_value(value)?));
        }
        Ok(values)
    }
    pub(super) fn visit_compiled_contract(&mut self, node: &'s CompiledContract<'s>) -> Evaluated {
        let variables = self.visit_template_values(node.prefix, node.template_variables)?;
        let pool = self.ir().pool;
        let reference = |ty, field, program_page| {
            let field = CompiledField::Contract { field, program_page };
            let id = pool.compiled_ref_id(ty, node.contract, field, &variables);
            Value::Compiled(id, node.loc)
        };
        let mut values = Vec::new();
        for field in [TxnField::ApprovalProgramPages, TxnField::ClearStateProgramPages] {
            for page in 0..MAX_PROGRAM_PAGE_VALUES {
                let page = u32::try_from(page).expect("programs have a few pages");
                values.push(reference(IrType::Bytes, field, Some(page)));
            }
        }
        for field in [
            TxnField::ExtraProgramPages,
            TxnField::GlobalNumUint,
            TxnField::GlobalNumByteSlice,
            TxnField::LocalNumUint,
            TxnField::LocalNumByteSlice,
        ] {
            let given = node.allocation_overrides.iter().find(|(name, _)| *name == field);
            values.push(match given {
                Some((_, value)) => self.visit_value(value)?,
                None => reference(IrType::UInt64, field, None),
            });
        }
        Ok(Some(Source::tuple(pool, values, node.loc)))
    }
    pub(super) fn visit_compiled_logicsig(&mut self, node: &'s CompiledLogicSig<'s>) -> Evaluated {
        let variables = self.visit_template_values(node.prefix, node.template_variables)?;
        let pool = self.ir().pool;
        let field = CompiledField::LogicSigAddress;
        let id = pool.compiled_ref_id(IrType::Bytes, node.logic_sig, field, &variables);
        Ok(Some(Source::tuple(pool, vec![Value::Compiled(id, node.loc)], node.loc)))
    }
}
