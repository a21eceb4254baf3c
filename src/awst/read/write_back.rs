//! Nodes -> AWST JSON, for the tests of the reader only.

use std::borrow::Cow;

use crate::avm::fields::{TransactionType, TxnField};
use crate::awst::decl::{
    AbiMethodArgDefault, Arc4MethodConfig, Contract, ContractMethod, Function, RootNode, Subroutine,
};
use crate::awst::expr::{
    CallArg, Decimal, Expr, ExprRef, Immediate, Int, MethodRef, SliceBound, SubroutineTarget,
};
use crate::awst::stmt::{Block, Stmt};
use crate::awst::wtypes::{WTypeId, WTypeKind, WTypes};
use crate::base::arena::Symbol;
use crate::base::encode::base85_encode;
use crate::base::source::Loc;
use crate::metadata::{CreateOption, OnCompletion, ResourceEncoding, StorageKind};
use crate::session::Session;

/// What is written owns everything.
type Value = crate::json::Value<'static>;

/// Renders with the names of one session.
pub struct Writer<'r, 's> {
    pub session: &'r Session<'s>,
    pub wtypes: &'r WTypes<'s>,
}

/// Anything that becomes JSON.
pub trait Write {
    fn json(&self, w: &Writer<'_, '_>) -> Value;
}

impl<T: Write + ?Sized> Write for &T {
    fn json(&self, w: &Writer<'_, '_>) -> Value {
        (**self).json(w)
    }
}
impl<T: Write> Write for Option<T> {
    fn json(&self, w: &Writer<'_, '_>) -> Value {
        self.as_ref().map_or(Value::Null, |value| value.json(w))
    }
}
impl<T: Write> Write for [T] {
    fn json(&self, w: &Writer<'_, '_>) -> Value {
        Value::Array(self.iter().map(|item| item.json(w)).collect())
    }
}

macro_rules! written_as {
    ($($type:ty: $value:ident, $w:ident => $json:expr;)*) => {$(
        impl Write for $type {
            fn json(&self, $w: &Writer<'_, '_>) -> Value {
                let $value = self;
                $json
            }
        }
    )*};
}

written_as! {
    bool: v, _w => Value::Bool(*v);
    str: v, _w => Value::from(v.to_owned());
    i64: v, _w => Value::from(*v);
    Int<'_>: v, _w => Value::Number(v.text().to_owned().into());
    Symbol: v, w => Value::from(w.session.text(*v).to_owned());
    TxnField: v, _w => Value::from(v.name());
    TransactionType: v, _w => Value::from(v.value());
    OnCompletion: v, _w => Value::from(*v as u64);
    CreateOption: v, _w => Value::from(match v {
        CreateOption::Allow => 1u64, CreateOption::Require => 2, CreateOption::Disallow => 3,
    });
    StorageKind: v, _w => Value::from(match v {
        StorageKind::Global => 1u64, StorageKind::Local => 2, StorageKind::Box => 3,
    });
    ResourceEncoding: v, _w => Value::from(match v {
        ResourceEncoding::Index => "index", ResourceEncoding::Value => "value",
    });
    Decimal<'_>: v, _w => {
        let sign = if v.negative { "-" } else { "" };
        let places = usize::try_from(-v.exponent).expect("tests use no exponents");
        let digits = format!("{:0>width$}", v.digits, width = places + 1);
        let (whole, fraction) = digits.split_at(digits.len() - places);
        let point = if places == 0 { "" } else { "." };
        Value::from(format!("{sign}{whole}{point}{fraction}"))
    };
    Immediate<'_>: v, w => match v { Immediate::Int(v) => v.json(w), Immediate::Text(v) => v.json(w) };
    SliceBound<'_>: v, w => match v { SliceBound::Int(v) => v.json(w), SliceBound::Expr(v) => v.json(w) };
}

fn object(fields: Vec<(&'static str, Value)>) -> Value {
    Value::object(fields)
}

macro_rules! fields {
    ($w:ident, $node:expr, $($key:ident),* ; $($name:literal : $value:expr),* $(,)?) => {
        object(vec![
            $((stringify!($key), $node.$key.json($w)),)*
            $(($name, $value.json($w)),)*
        ])
    };
}

/// A map with words for keys.
struct Map<'a, K, V>(&'a [(K, V)]);

impl<K: Write, V: Write> Write for Map<'_, K, V> {
    fn json(&self, w: &Writer<'_, '_>) -> Value {
        Value::object(self.0.iter().map(|(key, value)| match key.json(w) {
            Value::String(key) => (key, value.json(w)),
            other => panic!("{other:?} is no key"),
        }))
    }
}

struct Bytes<'a>(&'a [u8]);

impl Write for Bytes<'_> {
    fn json(&self, _w: &Writer<'_, '_>) -> Value {
        Value::from(base85_encode(self.0))
    }
}

impl Write for Loc {
    fn json(&self, w: &Writer<'_, '_>) -> Value {
        let Some(l) = w.session.locs.get(*self) else { return Value::Null };
        let number = |value: Option<u32>| value.map_or(Value::Null, Value::from);
        object(vec![
            ("file", l.file.json(w)),
            ("line", Value::from(l.line)),
            ("end_line", Value::from(l.end_line)),
            ("comment_lines", Value::from(l.comment_lines)),
            ("column", number(l.column)),
            ("end_column", number(l.end_column)),
        ])
    }
}

impl Write for WTypeId {
    fn json(&self, w: &Writer<'_, '_>) -> Value {
        let facts = w.wtypes.get(*self);
        let mut out = vec![
            ("_type", Value::from(facts.kind.class_name())),
            ("name", facts.name.json(w)),
            ("immutable", facts.immutable.json(w)),
            ("source_location", facts.loc.json(w)),
        ];
        if facts.kind.is_arc4() {
            out.push(("arc4_alias", facts.arc4_alias.json(w)));
        }
        match facts.kind {
            WTypeKind::Basic(_) | WTypeKind::Arc4Basic => {}
            WTypeKind::Bytes { length } => {
                out.push(("length", length.map_or(Value::Null, Value::from)));
            }
            WTypeKind::Enumeration { sequence_type } => {
                out.push(("sequence_type", sequence_type.json(w)));
            }
            WTypeKind::GroupTransaction { transaction_type }
            | WTypeKind::InnerTransactionFields { transaction_type }
            | WTypeKind::InnerTransaction { transaction_type } => {
                out.push(("transaction_type", transaction_type.json(w)));
            }
            WTypeKind::AbiCallInnerTransactionFields { result_type } => {
                out.push(("result_type", result_type.json(w)));
            }
            WTypeKind::ReferenceArray { element_type }
            | WTypeKind::Arc4DynamicArray { element_type } => {
                out.push(("element_type", element_type.json(w)));
            }
            WTypeKind::Tuple { types, names, desc } => {
                out.push(("types", types.json(w)));
                out.push(("names", names.json(w)));
                out.push(("desc", desc.json(w)));
            }
            WTypeKind::Arc4UIntN { n } => out.push(("n", Value::from(n))),
            WTypeKind::Arc4UFixedNxM { n, m } => {
                out.push(("n", Value::from(n)));
                out.push(("m", Value::from(m)));
            }
            WTypeKind::Arc4Tuple { types } => out.push(("types", types.json(w))),
            WTypeKind::Arc4StaticArray { element_type, array_size } => {
                out.push(("element_type", element_type.json(w)));
                out.push(("array_size", Value::from(array_size)));
            }
            WTypeKind::Arc4Struct { fields, frozen, desc } => {
                let field = |field: &crate::awst::wtypes::WTypeField<'_>| fields!(w, field, name, wtype, description;);
                out.push(("fields", Value::Array(fields.iter().map(field).collect())));
                out.push(("frozen", frozen.json(w)));
                out.push(("desc", desc.json(w)));
            }
        }
        object(out)
    }
}

impl Write for RootNode<'_> {
    fn json(&self, w: &Writer<'_, '_>) -> Value {
        match self {
            RootNode::Subroutine(node) => tagged("Subroutine", node.json(w)),
            RootNode::Contract(node) => tagged("Contract", node.json(w)),
            RootNode::LogicSignature(node) => fields!(
                w, node, id, short_name, program, docstring, reserved_scratch_space, avm_version,
                autosalt, validate_encoding;
                "source_location": node.loc, "_type": "LogicSignature",
            ),
        }
    }
}

fn tagged(tag: &'static str, value: Value) -> Value {
    let Value::Object(mut fields) = value else { panic!("only objects have tags") };
    fields.push(("_type".into(), Value::from(tag)));
    Value::Object(fields)
}

impl Write for Subroutine<'_> {
    fn json(&self, w: &Writer<'_, '_>) -> Value {
        let mut out = function(&self.function, w);
        out.push(("id".into(), self.function.full_name.json(w)));
        out.push(("name".into(), self.function.short_name.json(w)));
        Value::Object(out)
    }
}

fn function(node: &Function<'_>, w: &Writer<'_, '_>) -> Vec<(Cow<'static, str>, Value)> {
    let argument = |argument: &crate::awst::decl::SubroutineArgument| fields!(w, argument, name, wtype; "source_location": argument.loc);
    let docs = &node.documentation;
    let documentation = fields!(w, docs, description, returns; "args": Map(docs.args));
    let written = fields!(
        w, node, return_type, body, inline, pure; "source_location": node.loc,
    );
    let Value::Object(mut out) = written else { unreachable!("fields make an object") };
    out.push(("args".into(), Value::Array(node.args.iter().map(argument).collect())));
    out.push(("documentation".into(), documentation));
    out
}

impl Write for ContractMethod<'_> {
    fn json(&self, w: &Writer<'_, '_>) -> Value {
        let mut out = function(&self.function, w);
        out.push(("cref".into(), self.cref.json(w)));
        out.push(("member_name".into(), self.function.short_name.json(w)));
        let config = self.arc4_method_config.map(|config| match config {
            Arc4MethodConfig::Bare(config) => fields!(
                w, config, allowed_completion_types, create; "source_location": config.loc,
            ),
            Arc4MethodConfig::Abi(config) => fields!(
                w, config, allowed_completion_types, create, name, resource_encoding, readonly,
                validate_encoding;
                "source_location": config.loc, "default_args": Map(config.default_args),
            ),
        });
        out.push(("arc4_method_config".into(), config.unwrap_or(Value::Null)));
        Value::Object(out)
    }
}

impl Write for AbiMethodArgDefault<'_> {
    fn json(&self, w: &Writer<'_, '_>) -> Value {
        match self {
            AbiMethodArgDefault::Member { name } => object(vec![("name", name.json(w))]),
            AbiMethodArgDefault::Constant { value } => object(vec![("value", value.json(w))]),
        }
    }
}

impl Write for Contract<'_> {
    fn json(&self, w: &Writer<'_, '_>) -> Value {
        let state = |state: &crate::awst::decl::AppStorageDefinition<'_>| {
            fields!(
                w, state, member_name, kind, storage_wtype, key_wtype, key, description;
                "source_location": state.loc,
            )
        };
        let totals = self.state_totals.map(
            |totals| fields!(w, totals, global_uints, local_uints, global_bytes, local_bytes;),
        );
        let written = fields!(
            w, self, id, name, description, method_resolution_order, approval_program,
            clear_program, methods, reserved_scratch_space, avm_version, autosalt;
            "source_location": self.loc,
        );
        let Value::Object(mut out) = written else { unreachable!("fields make an object") };
        out.push(("app_state".into(), Value::Array(self.app_state.iter().map(state).collect())));
        out.push(("state_totals".into(), totals.unwrap_or(Value::Null)));
        Value::Object(out)
    }
}

impl Write for Block<'_> {
    fn json(&self, w: &Writer<'_, '_>) -> Value {
        fields!(w, self, body, label, comment; "source_location": self.loc, "_type": "Block")
    }
}

impl Write for Stmt<'_> {
    fn json(&self, w: &Writer<'_, '_>) -> Value {
        let written = match self {
            Stmt::Block(block) => return block.json(w),
            Stmt::ExpressionStatement(s) => fields!(w, s, expr;),
            Stmt::Goto(s) => fields!(w, s, target;),
            Stmt::IfElse(s) => fields!(w, s, condition, if_branch, else_branch;),
            Stmt::Switch(s) => {
                let cases = s.cases.iter();
                let cases = cases.map(|(k, b)| Value::Array(vec![k.json(w), b.json(w)])).collect();
                object(vec![
                    ("value", s.value.json(w)),
                    ("cases", Value::Array(cases)),
                    ("default_case", s.default_case.json(w)),
                ])
            }
            Stmt::WhileLoop(s) => fields!(w, s, condition, loop_body;),
            Stmt::LoopExit(_) | Stmt::LoopContinue(_) => object(vec![]),
            Stmt::ReturnStatement(s) => fields!(w, s, value;),
            Stmt::AssignmentStatement(s) => fields!(w, s, target, value;),
            Stmt::UInt64AugmentedAssignment(s) => fields!(w, s, target, value; "op": s.op.text()),
            Stmt::BigUIntAugmentedAssignment(s) => fields!(w, s, target, value; "op": s.op.text()),
            Stmt::BytesAugmentedAssignment(s) => fields!(w, s, target, value; "op": s.op.text()),
            Stmt::ForInLoop(s) => fields!(w, s, sequence, items, loop_body;),
        };
        let Value::Object(mut fields) = tagged(self.class_name(), written) else {
            unreachable!("a tagged value is an object")
        };
        if !matches!(self, Stmt::ExpressionStatement(_)) {
            fields.push(("source_location".into(), self.loc().json(w)));
        }
        Value::Object(fields)
    }
}

impl Write for MethodRef<'_> {
    fn json(&self, w: &Writer<'_, '_>) -> Value {
        match self {
            MethodRef::Signature(s) => fields!(
                w, s, name, arg_types, return_type, resource_encoding; "source_location": s.loc,
            ),
            MethodRef::Text(s) => fields!(w, s, value; "source_location": s.loc),
        }
    }
}

impl Write for SubroutineTarget {
    fn json(&self, w: &Writer<'_, '_>) -> Value {
        let (tag, fields) = match self {
            SubroutineTarget::SubroutineId { target } => {
                ("SubroutineID", vec![("target", target.json(w))])
            }
            SubroutineTarget::InstanceMethod { member_name } => {
                ("InstanceMethodTarget", vec![("member_name", member_name.json(w))])
            }
            SubroutineTarget::InstanceSuperMethod { member_name } => {
                ("InstanceSuperMethodTarget", vec![("member_name", member_name.json(w))])
            }
            SubroutineTarget::ContractMethod { cref, member_name } => (
                "ContractMethodTarget",
                vec![("cref", cref.json(w)), ("member_name", member_name.json(w))],
            ),
        };
        tagged(tag, object(fields))
    }
}

impl Write for CallArg<'_> {
    fn json(&self, w: &Writer<'_, '_>) -> Value {
        fields!(w, self, name, value;)
    }
}

impl Write for Expr<'_> {
    fn json(&self, w: &Writer<'_, '_>) -> Value {
        let Value::Object(mut fields) = expr_fields(self, w) else {
            unreachable!("expressions are objects")
        };
        fields.push(("_type".into(), Value::from(self.class_name())));
        fields.push(("wtype".into(), self.wtype().json(w)));
        if !matches!(self, Expr::CheckedMaybe(_)) {
            fields.push(("source_location".into(), self.loc().json(w)));
        }
        Value::Object(fields)
    }
}

fn expr_fields(expr: ExprRef<'_>, w: &Writer<'_, '_>) -> Value {
    match expr {
        Expr::AssertExpression(e) => {
            fields!(w, e, condition, error_message, explicit, log_error, desc;)
        }
        Expr::IntegerConstant(e) => fields!(w, e, value, teal_alias;),
        Expr::DecimalConstant(e) => fields!(w, e, value;),
        Expr::BoolConstant(e) => fields!(w, e, value;),
        Expr::BytesConstant(e) => {
            fields!(w, e, ; "value": Bytes(e.value), "encoding": e.encoding.text())
        }
        Expr::StringConstant(e) => fields!(w, e, value;),
        Expr::VoidConstant(_) | Expr::Arc4Router(_) => object(vec![]),
        Expr::TemplateVar(e) => fields!(w, e, name;),
        Expr::MethodConstant(e) => fields!(w, e, value;),
        Expr::AddressConstant(e) => fields!(w, e, value;),
        Expr::Arc4Encode(e) => fields!(w, e, value, error_message;),
        Expr::Arc4Decode(e) => fields!(w, e, value, error_message;),
        Expr::Arc4FromBytes(e) => fields!(w, e, value, validate;),
        Expr::ConvertArray(e) => fields!(w, e, expr;),
        Expr::Copy(e) => fields!(w, e, value;),
        Expr::ArrayConcat(e) => fields!(w, e, left, right;),
        Expr::ArrayExtend(e) => fields!(w, e, base, other;),
        Expr::ArrayPop(e) => fields!(w, e, base;),
        Expr::ArrayReplace(e) => fields!(w, e, base, index, value;),
        Expr::SizeOf(e) => fields!(w, e, size_wtype;),
        Expr::IntrinsicCall(e) => fields!(w, e, op_code, immediates, stack_args;),
        Expr::CreateInnerTransaction(e) => fields!(w, e, ; "fields": Map(e.fields)),
        Expr::UpdateInnerTransaction(e) => fields!(w, e, itxn; "fields": Map(e.fields)),
        Expr::StageInnerTransactions(e) => fields!(w, e, itxns, start_new_group;),
        Expr::GroupTransactionReference(e) => fields!(w, e, index;),
        Expr::CheckedMaybe(e) => fields!(w, e, expr, comment;),
        Expr::TupleExpression(e) => fields!(w, e, items;),
        Expr::TupleItemExpression(e) => fields!(w, e, base, index;),
        Expr::NamedTupleExpression(e) => fields!(w, e, ; "values": Map(e.values)),
        Expr::VarExpression(e) => fields!(w, e, name;),
        Expr::InnerTransactionField(e) => fields!(w, e, itxn, field, array_index;),
        Expr::SubmitInnerTransaction(e) => fields!(w, e, itxns;),
        Expr::FieldExpression(e) => fields!(w, e, base, name;),
        Expr::IndexExpression(e) => fields!(w, e, base, index;),
        Expr::SliceExpression(e) => fields!(w, e, base, begin_index, end_index;),
        Expr::IntersectionSliceExpression(e) => fields!(w, e, base, begin_index, end_index;),
        Expr::AppStateExpression(e) => fields!(w, e, key, exists_assertion_message;),
        Expr::AppAccountStateExpression(e) => {
            fields!(w, e, key, exists_assertion_message, account;)
        }
        Expr::BoxValueExpression(e) => fields!(w, e, key, exists_assertion_message;),
        Expr::MapPrefixedKeyExpression(e) => fields!(w, e, prefix, key;),
        Expr::SingleEvaluation(e) => fields!(w, e, source; "_id": e.id),
        Expr::ReinterpretCast(e) => fields!(w, e, expr;),
        Expr::NewArray(e) => fields!(w, e, values;),
        Expr::ArrayLength(e) => fields!(w, e, array;),
        Expr::ConditionalExpression(e) => fields!(w, e, condition, true_expr, false_expr;),
        Expr::AssignmentExpression(e) => fields!(w, e, target, value;),
        Expr::CommaExpression(e) => fields!(w, e, expressions;),
        Expr::NumericComparisonExpression(e) => {
            fields!(w, e, lhs, rhs; "operator": e.operator.text())
        }
        Expr::BytesComparisonExpression(e) => {
            fields!(w, e, lhs, rhs; "operator": e.operator.text())
        }
        Expr::SubroutineCallExpression(e) => fields!(w, e, target, args;),
        Expr::AbiCall(e) => fields!(w, e, target, args; "fields": Map(e.fields)),
        Expr::PuyaLibCall(e) => fields!(w, e, args; "func": e.func.text()),
        Expr::UInt64UnaryOperation(e) => fields!(w, e, expr; "op": e.op.text()),
        Expr::UInt64PostfixUnaryOperation(e) => fields!(w, e, target; "op": e.op.text()),
        Expr::BigUIntPostfixUnaryOperation(e) => fields!(w, e, target; "op": e.op.text()),
        Expr::BytesUnaryOperation(e) => fields!(w, e, expr; "op": e.op.text()),
        Expr::UInt64BinaryOperation(e) => fields!(w, e, left, right; "op": e.op.text()),
        Expr::BigUIntBinaryOperation(e) => fields!(w, e, left, right; "op": e.op.text()),
        Expr::BytesBinaryOperation(e) => fields!(w, e, left, right; "op": e.op.text()),
        Expr::BooleanBinaryOperation(e) => fields!(w, e, left, right; "op": e.op.text()),
        Expr::Not(e) => fields!(w, e, expr;),
        Expr::EmitFields(e) => fields!(w, e, signature, values;),
        Expr::Emit(e) => fields!(w, e, value;),
        Expr::Range(e) => fields!(w, e, start, stop, step;),
        Expr::Enumeration(e) => fields!(w, e, expr;),
        Expr::Reversed(e) => fields!(w, e, expr;),
        Expr::StateGet(e) => fields!(w, e, field, default;),
        Expr::StateGetEx(e) => fields!(w, e, field;),
        Expr::StateExists(e) => fields!(w, e, field;),
        Expr::StateDelete(e) => fields!(w, e, field;),
        Expr::NewStruct(e) => fields!(w, e, ; "values": Map(e.values)),
        Expr::CompiledContract(e) => fields!(
            w, e, contract, prefix;
            "allocation_overrides": Map(e.allocation_overrides),
            "template_variables": Map(e.template_variables),
        ),
        Expr::CompiledLogicSig(e) => {
            fields!(w, e, logic_sig, prefix; "template_variables": Map(e.template_variables))
        }
    }
}
