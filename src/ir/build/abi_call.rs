//! Calls of ABI methods by inner transaction: signature and arguments in, transaction fields out. Spec
//! 21 §17.5.

use crate::avm::fields::{TransactionType, TxnField};
use crate::awst::arc4;
use crate::awst::expr::{
    AbiCall, Arc4Encode, Expr, ExprRef, MethodConstant, MethodRef, MethodSignature,
    MethodSignatureString, TupleExpression, VarExpression,
};
use crate::awst::operators::BytesEncoding;
use crate::awst::wtypes::{WTypeId, WTypeKind};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::metadata::ResourceEncoding;

use super::constant::method_signature_text;
use super::function::FunctionBuilder;
use super::itxn::FieldValues;

/// Arguments that an application call takes; the last one holds all that do not fit.
const APPLICATION_ARGS_MAX: usize = 16;

/// The array fields of a call as far as they are known.
#[derive(Default)]
struct ArrayFields<'s> {
    application_args: Vec<ExprRef<'s>>,
    accounts: Vec<ExprRef<'s>>,
    applications: Vec<ExprRef<'s>>,
    assets: Vec<ExprRef<'s>>,
}

impl<'s> FunctionBuilder<'_, 's> {
    /// The fields of the call's transaction, and the transactions that precede it in its group.
    pub(super) fn abi_call_fields(
        &mut self,
        call: &'s AbiCall<'s>,
    ) -> Outcome<(FieldValues<'s>, Vec<ExprRef<'s>>)> {
        let make = self.build.make(call.loc);
        let appl = TransactionType::Appl;
        let mut fields = FieldValues::default();
        fields.insert(TxnField::Fee, make.uint64(0));
        fields.insert(TxnField::TypeEnum, make.named_uint64(appl.value(), appl.name()));

        let signature = self.abi_signature(call)?;
        let mut arrays = ArrayFields::default();
        let mut group = Vec::new();
        if let Some(signature) = signature {
            let args = self.abi_args(&signature, call.args)?;
            self.spread_args(&signature, &args, &mut arrays, &mut group)?;
        }
        if arrays.application_args.len() > APPLICATION_ARGS_MAX {
            let rest = arrays.application_args.split_off(APPLICATION_ARGS_MAX - 1);
            arrays.application_args.push(self.packed(&rest)?);
        }
        for (field, values) in [
            (TxnField::ApplicationArgs, arrays.application_args),
            (TxnField::Accounts, arrays.accounts),
            (TxnField::Applications, arrays.applications),
            (TxnField::Assets, arrays.assets),
        ] {
            if !values.is_empty() {
                fields.insert(field, self.tuple_of(&values)?.0);
            }
        }
        for (field, value) in call.fields {
            fields.insert(*field, value);
        }
        Ok((fields, group))
    }
    fn keep(&self, node: impl Into<Expr<'s>>) -> ExprRef<'s> {
        self.ir().session.arena.alloc(node.into())
    }
    /// A tuple of expressions, and its location.
    fn tuple_of(&self, items: &[ExprRef<'s>]) -> Outcome<(ExprRef<'s>, Loc)> {
        let loc = self.ir().session.locs.sequential_merge(items.iter().map(|item| item.loc()));
        let types: Vec<WTypeId> = items.iter().map(|item| item.wtype()).collect();
        let wtype = self.build.wtypes.tuple(&types, loc)?;
        let items = self.ir().session.arena.slice(items);
        Ok((self.keep(TupleExpression { loc, wtype, items }), loc))
    }
    /// Encoded arguments as one encoded tuple.
    fn packed(&self, items: &[ExprRef<'s>]) -> Outcome<ExprRef<'s>> {
        let (value, loc) = self.tuple_of(items)?;
        let types: Vec<WTypeId> = items.iter().map(|item| item.wtype()).collect();
        let wtype = self.build.wtypes.arc4_tuple(&types, loc)?;
        Ok(self.keep(Arc4Encode { loc, wtype, value, error_message: None }))
    }
    fn abi_signature(&self, call: &'s AbiCall<'s>) -> Outcome<Option<MethodSignature<'s>>> {
        let text = match call.target {
            None => return Ok(None),
            Some(MethodRef::Signature(signature)) => return Ok(Some(*signature)),
            Some(MethodRef::Text(text)) => text,
        };
        let wtypes = self.build.wtypes;
        let parts = arc4::split_signature(self.ir().sink(), text.value, text.loc)?;
        let arg_types: Vec<WTypeId> = match parts.args {
            None => call
                .args
                .iter()
                .map(|arg| match self.kind(arg.wtype()) {
                    WTypeKind::InnerTransactionFields { transaction_type } => {
                        wtypes.group_transaction(transaction_type, None)
                    }
                    WTypeKind::AbiCallInnerTransactionFields { .. } => {
                        wtypes.group_transaction(Some(TransactionType::Appl), None)
                    }
                    _ => arg.wtype(),
                })
                .collect(),
            Some("") => Vec::new(),
            Some(args) => arc4::split_tuple_types(args)
                .into_iter()
                .map(|arg| arc4::wtype_of_abi_name(wtypes, arg, Loc::NONE))
                .collect::<Outcome<_>>()?,
        };
        let return_type = match self.kind(call.wtype) {
            WTypeKind::AbiCallInnerTransactionFields { result_type } => result_type,
            _ => WTypeId::VOID,
        };
        let signature = MethodSignature {
            loc: call.loc,
            name: parts.name,
            arg_types: self.ir().session.arena.slice(&arg_types),
            return_type,
            resource_encoding: ResourceEncoding::Index,
        };
        let from_args = method_signature_text(self.build.types(), &signature)?;
        if !from_args.starts_with(text.value) {
            let given = text.value;
            self.error(
                format!(
                    "method selector from args '{from_args}' does not match provided method \
                     selector: '{given}'"
                ),
                text.loc,
            );
        }
        Ok(Some(signature))
    }
    /// The arguments as the method takes them: encoded, or resources and transactions as they are.
    fn abi_args(
        &self,
        signature: &MethodSignature<'s>,
        args: &[ExprRef<'s>],
    ) -> Outcome<Vec<ExprRef<'s>>> {
        let expected = signature.arg_types.len();
        if args.len() != expected {
            let plural = if expected == 1 { "" } else { "s" };
            let got = args.len();
            return Err(Failure::code(
                format!("expected {expected} ABI argument{plural}, got {got}"),
                signature.loc,
            ));
        }
        args.iter()
            .zip(signature.arg_types)
            .map(|(arg, target)| match self.kind(*target) {
                _ if is_indexed(signature, *target) => Ok(*arg),
                WTypeKind::GroupTransaction { transaction_type } => {
                    Ok(self.transaction_arg(arg, *target, transaction_type))
                }
                _ => self.encoded_arg(arg, *target, signature.loc),
            })
            .collect()
    }
    fn encoded_arg(&self, arg: ExprRef<'s>, target: WTypeId, loc: Loc) -> Outcome<ExprRef<'s>> {
        let wtypes = self.build.wtypes;
        let wtype = arc4::arc4_equivalent_or_fail(wtypes, target, loc)?;
        if wtypes.equal(arg.wtype(), wtype) {
            return Ok(arg);
        }
        let (from, to) = (wtypes.name(arg.wtype()), wtypes.name(wtype));
        let message = if self.kind(arg.wtype()).is_arc4() {
            format!("expected type {to}, got type {from}")
        } else {
            format!("cannot encode {from} to {to}")
        };
        let error_message = Some(self.ir().session.arena.str(&message));
        Ok(self.keep(Arc4Encode { loc: arg.loc(), wtype, value: arg, error_message }))
    }
    fn transaction_arg(
        &self,
        arg: ExprRef<'s>,
        target: WTypeId,
        expected: Option<TransactionType>,
    ) -> ExprRef<'s> {
        let wtypes = self.build.wtypes;
        let fits = match self.kind(arg.wtype()) {
            WTypeKind::InnerTransactionFields { transaction_type } => {
                expected.is_none() || transaction_type == expected
            }
            WTypeKind::AbiCallInnerTransactionFields { .. } => {
                expected.is_none() || expected == Some(TransactionType::Appl)
            }
            _ => false,
        };
        if fits {
            return arg;
        }
        let expected = wtypes.name(wtypes.inner_transaction_fields(expected, None));
        let got = wtypes.name(arg.wtype());
        let reference = match arg {
            Expr::GroupTransactionReference(_) => "reference to ",
            _ => "",
        };
        self.error(format!("expected {expected}, got {reference}{got}"), arg.loc());
        self.keep(VarExpression { loc: arg.loc(), wtype: target, name: self.sym("") })
    }
    /// Distributes arguments to the array fields they are passed in.
    fn spread_args(
        &self,
        signature: &MethodSignature<'s>,
        args: &[ExprRef<'s>],
        arrays: &mut ArrayFields<'s>,
        group: &mut Vec<ExprRef<'s>>,
    ) -> Outcome<()> {
        let loc = signature.loc;
        let text = method_signature_text(self.build.types(), signature)?;
        let value = self.ir().session.arena.str(&text);
        let value = MethodRef::Text(MethodSignatureString { loc, value });
        let selector = self.keep(MethodConstant { loc, wtype: WTypeId::BYTES, value });
        arrays.application_args.push(selector);
        for (arg, target) in args.iter().zip(signature.arg_types) {
            let is_transaction = matches!(self.kind(*target), WTypeKind::GroupTransaction { .. });
            if is_transaction && self.kind(arg.wtype()).is_inner_transaction_fields() {
                group.push(arg);
                continue;
            }
            if !is_indexed(signature, *target) {
                arrays.application_args.push(arg);
                continue;
            }
            // The sender and the called application come first in their arrays by themselves.
            let (list, implicit) = match *target {
                wtype if wtype == WTypeId::ASSET => (&mut arrays.assets, 0),
                wtype if wtype == WTypeId::ACCOUNT => (&mut arrays.accounts, 1),
                _ => (&mut arrays.applications, 1),
            };
            let index = list.len() + implicit;
            list.push(arg);
            let Ok(index) = u8::try_from(index) else {
                let message = "OverflowError: int too big to convert";
                return Err(Failure::internal(message, arg.loc()));
            };
            let make = self.build.make(arg.loc());
            let index = make.bytes(make.arena.slice(&[index]), BytesEncoding::Base16);
            arrays.application_args.push(index);
        }
        Ok(())
    }
}

/// Whether an argument is passed as an index into one of the transaction's arrays.
fn is_indexed(signature: &MethodSignature<'_>, target: WTypeId) -> bool {
    signature.resource_encoding == ResourceEncoding::Index
        && [WTypeId::ASSET, WTypeId::ACCOUNT, WTypeId::APPLICATION].contains(&target)
}
