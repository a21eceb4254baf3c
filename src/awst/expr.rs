//! Expression nodes: a read-only tree in the arena, one variant of [`Expr`] per node class. Spec 10 §12.
//!
//! Every node carries its location and type. `==` is the reference's structural equality (locations
//! included); identity is that of the reference (`std::ptr::eq`), which the builder's memo needs.

use num_bigint::BigInt;

use super::mentions::Mentions;
use super::operators::{
    BigUIntBinaryOperator, BigUIntPostfixUnaryOperator, BinaryBooleanOperator, BytesBinaryOperator,
    BytesEncoding, BytesUnaryOperator, EqualityComparison, NumericComparison, PuyaLibFunction,
    UInt64BinaryOperator, UInt64PostfixUnaryOperator, UInt64UnaryOperator,
};
use super::wtypes::WTypeId;
use crate::avm::fields::TxnField;
use crate::base::arena::{Arena, Symbol};
use crate::base::source::Loc;
use crate::metadata::{ResourceEncoding, StorageKind};

/// An expression of the tree.
pub type ExprRef<'a> = &'a Expr<'a>;
/// Several expressions.
pub type Exprs<'a> = &'a [ExprRef<'a>];
/// Values by transaction field, in the order of the document.
pub type TxnFields<'a> = &'a [(TxnField, ExprRef<'a>)];
/// Values by name, in the order of the document.
pub type NamedExprs<'a> = &'a [(&'a str, ExprRef<'a>)];

/// An integer of any size: decimal digits, with a minus sign where negative.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Int<'a> {
    text: &'a str,
}

impl<'a> Int<'a> {
    /// An integer from its canonical text: no leading zeros, no `-0`.
    pub(super) fn canonical(text: &'a str) -> Self {
        Self { text }
    }
    /// An integer kept in the arena.
    pub fn new(arena: &'a Arena, value: &BigInt) -> Self {
        Self { text: arena.str(&value.to_string()) }
    }
    /// Its decimal digits.
    pub fn text(self) -> &'a str {
        self.text
    }
    /// Its value.
    pub fn value(self) -> BigInt {
        self.text.parse().expect("the text of an integer is canonical")
    }
    /// Its value, where it is one of the AVM's integers.
    pub fn to_u64(self) -> Option<u64> {
        self.text.parse().ok()
    }
    /// Whether it is below zero.
    pub fn is_negative(self) -> bool {
        self.text.starts_with('-')
    }
}

/// A decimal number as the reference keeps it: sign, digits and exponent, or a special value.
#[derive(Clone, Copy, Debug)]
pub struct Decimal<'a> {
    /// Whether it has a minus sign.
    pub negative: bool,
    /// The digits without leading zeros; `0` alone for zero.
    pub digits: &'a str,
    /// The power of ten the digits are multiplied with.
    pub exponent: i64,
    /// `NaN`, `sNaN` or `Infinity` where it is no number.
    pub special: Option<&'a str>,
}

impl Decimal<'_> {
    fn reduced(&self) -> (bool, &str, i64) {
        let digits = self.digits.trim_end_matches('0');
        if digits.is_empty() {
            return (false, "", 0);
        }
        let dropped = i64::try_from(self.digits.len() - digits.len()).unwrap_or(i64::MAX);
        (self.negative, digits, self.exponent.saturating_add(dropped))
    }
}

impl PartialEq for Decimal<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (self.special, other.special) {
            (None, None) => self.reduced() == other.reduced(),
            (Some("Infinity"), Some("Infinity")) => self.negative == other.negative,
            _ => false,
        }
    }
}

/// The bound of an intersecting slice.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum SliceBound<'a> {
    /// A value known from the source; may be negative.
    Int(Int<'a>),
    /// Any expression.
    Expr(ExprRef<'a>),
}

/// An immediate argument of an op.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Immediate<'a> {
    /// A number.
    Int(Int<'a>),
    /// A field name or other word.
    Text(&'a str),
}

/// An ABI method, by its parts.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MethodSignature<'a> {
    /// Where it is mentioned.
    pub loc: Loc,
    /// The method's name.
    pub name: &'a str,
    /// Types of its parameters.
    pub arg_types: &'a [WTypeId],
    /// Type of its result.
    pub return_type: WTypeId,
    /// How it receives accounts, assets and applications.
    pub resource_encoding: ResourceEncoding,
}

/// An ABI method, by its signature's text.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MethodSignatureString<'a> {
    /// Where it is mentioned.
    pub loc: Loc,
    /// The signature, e.g. `add(uint64,uint64)uint64`.
    pub value: &'a str,
}

/// Either way to name an ABI method.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum MethodRef<'a> {
    /// By its parts.
    Signature(&'a MethodSignature<'a>),
    /// By its text.
    Text(MethodSignatureString<'a>),
}

/// What a call calls.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum SubroutineTarget {
    /// `SubroutineID`: a free subroutine.
    SubroutineId {
        /// The subroutine's id.
        target: Symbol,
    },
    /// `InstanceMethodTarget`: a method of the contract being compiled.
    InstanceMethod {
        /// The method's name.
        member_name: Symbol,
    },
    /// `InstanceSuperMethodTarget`: a method of any base of the class that calls.
    InstanceSuperMethod {
        /// The method's name.
        member_name: Symbol,
    },
    /// `ContractMethodTarget`: a method of a given class of the hierarchy.
    ContractMethod {
        /// The class.
        cref: Symbol,
        /// The method's name.
        member_name: Symbol,
    },
}

/// An argument of a call.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct CallArg<'a> {
    /// The parameter's name, where given by name.
    pub name: Option<Symbol>,
    /// The value passed.
    pub value: ExprRef<'a>,
}

macro_rules! expressions {
    ($(
        $(#[$doc:meta])*
        $name:ident $(<$lt:lifetime>)? = $class:literal { $($field:ident: $type:ty,)* }
    )*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Debug)]
            #[allow(missing_docs, reason = "field names are those of the AWST document, spec 10 §12")]
            pub struct $name $(<$lt>)? {
                pub loc: Loc,
                pub wtype: WTypeId,
                $(pub $field: $type,)*
            }

            impl<'a> From<$name $(<$lt>)?> for Expr<'a> {
                fn from(node: $name $(<$lt>)?) -> Self {
                    Expr::$name(node)
                }
            }
        )*

        /// An expression; one variant per node class.
        #[derive(Clone, Copy, PartialEq, Debug)]
        #[allow(missing_docs, reason = "variants are named after their node classes")]
        pub enum Expr<'a> {
            $($name($name $(<$lt>)?),)*
            SingleEvaluation(SingleEvaluation<'a>),
        }

        impl Expr<'_> {
            /// Where the source wrote it.
            pub fn loc(&self) -> Loc {
                match self {
                    $(Expr::$name(node) => node.loc,)*
                    Expr::SingleEvaluation(node) => node.loc,
                }
            }
            /// The type of its value.
            pub fn wtype(&self) -> WTypeId {
                match self {
                    $(Expr::$name(node) => node.wtype,)*
                    Expr::SingleEvaluation(node) => node.wtype,
                }
            }
            /// The node's class, as documents tag it.
            pub fn class_name(&self) -> &'static str {
                match self {
                    $(Expr::$name(_) => $class,)*
                    Expr::SingleEvaluation(_) => "SingleEvaluation",
                }
            }
        }
    };
}

expressions! {
    /// Fails unless the condition holds; always fails without one.
    AssertExpression<'a> = "AssertExpression" {
        condition: Option<ExprRef<'a>>,
        error_message: Option<&'a str>,
        explicit: bool,
        log_error: bool,
        desc: Option<&'a str>,
    }
    /// An integer known at compile time.
    IntegerConstant<'a> = "IntegerConstant" { value: Int<'a>, teal_alias: Option<&'a str>, }
    /// A fixed point number known at compile time.
    DecimalConstant<'a> = "DecimalConstant" { value: Decimal<'a>, }
    /// A truth value known at compile time.
    BoolConstant = "BoolConstant" { value: bool, }
    /// Bytes known at compile time.
    BytesConstant<'a> = "BytesConstant" { value: &'a [u8], encoding: BytesEncoding, }
    /// A text known at compile time.
    StringConstant<'a> = "StringConstant" { value: &'a str, }
    /// No value.
    VoidConstant = "VoidConstant" {}
    /// A value filled in before deployment; the name includes the prefix.
    TemplateVar = "TemplateVar" { name: Symbol, }
    /// The selector of an ABI method.
    MethodConstant<'a> = "MethodConstant" { value: MethodRef<'a>, }
    /// An account known by its address text.
    AddressConstant<'a> = "AddressConstant" { value: &'a str, }
    /// Native value to ARC-4 value.
    Arc4Encode<'a> = "ARC4Encode" { value: ExprRef<'a>, error_message: Option<&'a str>, }
    /// ARC-4 value to native value.
    Arc4Decode<'a> = "ARC4Decode" { value: ExprRef<'a>, error_message: Option<&'a str>, }
    /// Bytes taken for an ARC-4 value, checked on demand.
    Arc4FromBytes<'a> = "ARC4FromBytes" { value: ExprRef<'a>, validate: bool, }
    /// One kind of array to another.
    ConvertArray<'a> = "ConvertArray" { expr: ExprRef<'a>, }
    /// A copy that changes independently.
    Copy<'a> = "Copy" { value: ExprRef<'a>, }
    /// A new array of both operands' items.
    ArrayConcat<'a> = "ArrayConcat" { left: ExprRef<'a>, right: ExprRef<'a>, }
    /// Appends the items of `other` in place.
    ArrayExtend<'a> = "ArrayExtend" { base: ExprRef<'a>, other: ExprRef<'a>, }
    /// Removes the last item and returns it.
    ArrayPop<'a> = "ArrayPop" { base: ExprRef<'a>, }
    /// The array with one item replaced.
    ArrayReplace<'a> = "ArrayReplace" { base: ExprRef<'a>, index: ExprRef<'a>, value: ExprRef<'a>, }
    /// The number of bytes a value of a type takes in storage.
    SizeOf = "SizeOf" { size_wtype: WTypeId, }
    /// An AVM op.
    IntrinsicCall<'a> = "IntrinsicCall" {
        op_code: &'a str,
        immediates: &'a [Immediate<'a>],
        stack_args: Exprs<'a>,
    }
    /// The fields of an inner transaction.
    CreateInnerTransaction<'a> = "CreateInnerTransaction" { fields: TxnFields<'a>, }
    /// Changes fields of an inner transaction not yet submitted.
    UpdateInnerTransaction<'a> = "UpdateInnerTransaction" {
        itxn: ExprRef<'a>,
        fields: TxnFields<'a>,
    }
    /// Begins or continues a group with the given transactions, without submitting.
    StageInnerTransactions<'a> = "StageInnerTransactions" {
        itxns: Exprs<'a>,
        start_new_group: ExprRef<'a>,
    }
    /// Another transaction of the group, by index.
    GroupTransactionReference<'a> = "GroupTransactionReference" { index: ExprRef<'a>, }
    /// The value of a (value, bool) pair, asserting the bool.
    CheckedMaybe<'a> = "CheckedMaybe" { expr: ExprRef<'a>, comment: &'a str, }
    /// A new tuple.
    TupleExpression<'a> = "TupleExpression" { items: Exprs<'a>, }
    /// An item of a tuple, by constant index that may count from the end.
    TupleItemExpression<'a> = "TupleItemExpression" { base: ExprRef<'a>, index: i64, }
    /// A new named tuple; items are evaluated in mapping order.
    NamedTupleExpression<'a> = "NamedTupleExpression" { values: NamedExprs<'a>, }
    /// A local variable.
    VarExpression = "VarExpression" { name: Symbol, }
    /// A field of a submitted inner transaction.
    InnerTransactionField<'a> = "InnerTransactionField" {
        itxn: ExprRef<'a>,
        field: TxnField,
        array_index: Option<ExprRef<'a>>,
    }
    /// Submits a group of inner transactions.
    SubmitInnerTransaction<'a> = "SubmitInnerTransaction" { itxns: Exprs<'a>, }
    /// A field of a struct or named tuple.
    FieldExpression<'a> = "FieldExpression" { base: ExprRef<'a>, name: &'a str, }
    /// An item of bytes or of an array.
    IndexExpression<'a> = "IndexExpression" { base: ExprRef<'a>, index: ExprRef<'a>, }
    /// Part of bytes or of a tuple; fails when out of bounds.
    SliceExpression<'a> = "SliceExpression" {
        base: ExprRef<'a>,
        begin_index: Option<ExprRef<'a>>,
        end_index: Option<ExprRef<'a>>,
    }
    /// Part of bytes, a tuple or an array, clipped to its bounds.
    IntersectionSliceExpression<'a> = "IntersectionSliceExpression" {
        base: ExprRef<'a>,
        begin_index: Option<SliceBound<'a>>,
        end_index: Option<SliceBound<'a>>,
    }
    /// A value of global state.
    AppStateExpression<'a> = "AppStateExpression" {
        key: ExprRef<'a>,
        exists_assertion_message: Option<&'a str>,
    }
    /// A value of an account's local state.
    AppAccountStateExpression<'a> = "AppAccountStateExpression" {
        key: ExprRef<'a>,
        exists_assertion_message: Option<&'a str>,
        account: ExprRef<'a>,
    }
    /// The value of a box.
    BoxValueExpression<'a> = "BoxValueExpression" {
        key: ExprRef<'a>,
        exists_assertion_message: Option<&'a str>,
    }
    /// The key of a map's entry.
    MapPrefixedKeyExpression<'a> = "MapPrefixedKeyExpression" {
        prefix: ExprRef<'a>,
        key: ExprRef<'a>,
    }
    /// The same stack value under another type.
    ReinterpretCast<'a> = "ReinterpretCast" { expr: ExprRef<'a>, }
    /// A new array.
    NewArray<'a> = "NewArray" { values: Exprs<'a>, }
    /// The number of items of an array.
    ArrayLength<'a> = "ArrayLength" { array: ExprRef<'a>, }
    /// One of two values; only that one is evaluated.
    ConditionalExpression<'a> = "ConditionalExpression" {
        condition: ExprRef<'a>,
        true_expr: ExprRef<'a>,
        false_expr: ExprRef<'a>,
    }
    /// Assigns and returns the value.
    AssignmentExpression<'a> = "AssignmentExpression" { target: ExprRef<'a>, value: ExprRef<'a>, }
    /// Evaluates in order; the last value is the result. Never empty.
    CommaExpression<'a> = "CommaExpression" { expressions: Exprs<'a>, }
    /// Compares numbers.
    NumericComparisonExpression<'a> = "NumericComparisonExpression" {
        lhs: ExprRef<'a>,
        operator: NumericComparison,
        rhs: ExprRef<'a>,
    }
    /// Compares byte strings.
    BytesComparisonExpression<'a> = "BytesComparisonExpression" {
        lhs: ExprRef<'a>,
        operator: EqualityComparison,
        rhs: ExprRef<'a>,
    }
    /// Calls a subroutine or method.
    SubroutineCallExpression<'a> = "SubroutineCallExpression" {
        target: SubroutineTarget,
        args: &'a [CallArg<'a>],
    }
    /// The fields of an inner transaction that calls an ABI method.
    AbiCall<'a> = "ABICall" {
        target: Option<MethodRef<'a>>,
        args: Exprs<'a>,
        fields: TxnFields<'a>,
    }
    /// Calls a routine of the embedded library.
    PuyaLibCall<'a> = "PuyaLibCall" { func: PuyaLibFunction, args: &'a [CallArg<'a>], }
    /// Prefix operator on uint64.
    UInt64UnaryOperation<'a> = "UInt64UnaryOperation" {
        op: UInt64UnaryOperator,
        expr: ExprRef<'a>,
    }
    /// Changes the target by one; the value is the one before.
    UInt64PostfixUnaryOperation<'a> = "UInt64PostfixUnaryOperation" {
        op: UInt64PostfixUnaryOperator,
        target: ExprRef<'a>,
    }
    /// Changes the target by one; the value is the one before.
    BigUIntPostfixUnaryOperation<'a> = "BigUIntPostfixUnaryOperation" {
        op: BigUIntPostfixUnaryOperator,
        target: ExprRef<'a>,
    }
    /// Prefix operator on bytes.
    BytesUnaryOperation<'a> = "BytesUnaryOperation" { op: BytesUnaryOperator, expr: ExprRef<'a>, }
    /// Binary operator on uint64.
    UInt64BinaryOperation<'a> = "UInt64BinaryOperation" {
        left: ExprRef<'a>,
        op: UInt64BinaryOperator,
        right: ExprRef<'a>,
    }
    /// Binary operator on biguint.
    BigUIntBinaryOperation<'a> = "BigUIntBinaryOperation" {
        left: ExprRef<'a>,
        op: BigUIntBinaryOperator,
        right: ExprRef<'a>,
    }
    /// Binary operator on bytes or strings.
    BytesBinaryOperation<'a> = "BytesBinaryOperation" {
        left: ExprRef<'a>,
        op: BytesBinaryOperator,
        right: ExprRef<'a>,
    }
    /// Short-circuiting `and`, `or`.
    BooleanBinaryOperation<'a> = "BooleanBinaryOperation" {
        left: ExprRef<'a>,
        op: BinaryBooleanOperator,
        right: ExprRef<'a>,
    }
    /// Negates a truth value.
    Not<'a> = "Not" { expr: ExprRef<'a>, }
    /// Logs an ARC-28 event given by signature and values.
    EmitFields<'a> = "EmitFields" { signature: &'a str, values: Exprs<'a>, }
    /// Logs an ARC-28 event given by a struct.
    Emit<'a> = "Emit" { value: ExprRef<'a>, }
    /// The numbers from `start` below `stop`.
    Range<'a> = "Range" { start: ExprRef<'a>, stop: ExprRef<'a>, step: ExprRef<'a>, }
    /// Pairs of index and item.
    Enumeration<'a> = "Enumeration" { expr: ExprRef<'a>, }
    /// The items from last to first.
    Reversed<'a> = "Reversed" { expr: ExprRef<'a>, }
    /// A stored value, or a default where unset.
    StateGet<'a> = "StateGet" { field: ExprRef<'a>, default: ExprRef<'a>, }
    /// A stored value, and whether it is set.
    StateGetEx<'a> = "StateGetEx" { field: ExprRef<'a>, }
    /// Whether a stored value is set.
    StateExists<'a> = "StateExists" { field: ExprRef<'a>, }
    /// Unsets a stored value.
    StateDelete<'a> = "StateDelete" { field: ExprRef<'a>, }
    /// A new struct; fields are evaluated in mapping order.
    NewStruct<'a> = "NewStruct" { values: NamedExprs<'a>, }
    /// Facts about another contract of this compilation.
    CompiledContract<'a> = "CompiledContract" {
        contract: Symbol,
        allocation_overrides: TxnFields<'a>,
        prefix: Option<&'a str>,
        template_variables: NamedExprs<'a>,
    }
    /// Facts about a logic signature of this compilation.
    CompiledLogicSig<'a> = "CompiledLogicSig" {
        logic_sig: Symbol,
        prefix: Option<&'a str>,
        template_variables: NamedExprs<'a>,
    }
    /// The dispatch to the contract's ARC-4 methods.
    Arc4Router = "ARC4Router" {}
}

/// An expression that is evaluated once, however often it occurs. Equal when source and id are.
#[derive(Clone, Copy, Debug)]
#[expect(missing_docs, reason = "field names are those of the AWST document, spec 10 §12")]
pub struct SingleEvaluation<'a> {
    pub loc: Loc,
    pub wtype: WTypeId,
    pub source: ExprRef<'a>,
    pub id: Int<'a>,
    /// What the source mentions: it may stand in many places, where searches pass over it.
    pub mentions: Mentions,
}

impl PartialEq for SingleEvaluation<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id && self.source == other.source
    }
}

impl<'a> From<SingleEvaluation<'a>> for Expr<'a> {
    fn from(node: SingleEvaluation<'a>) -> Self {
        Expr::SingleEvaluation(node)
    }
}

impl Expr<'_> {
    /// Whether the node is of a class that documents may assign to.
    pub fn is_lvalue(&self) -> bool {
        matches!(
            self,
            Expr::VarExpression(_)
                | Expr::FieldExpression(_)
                | Expr::IndexExpression(_)
                | Expr::TupleExpression(_)
                | Expr::AppStateExpression(_)
                | Expr::AppAccountStateExpression(_)
                | Expr::BoxValueExpression(_)
        )
    }
    /// The storage kind of a state or box expression.
    pub fn storage_kind(&self) -> Option<StorageKind> {
        match self {
            Expr::AppStateExpression(_) => Some(StorageKind::Global),
            Expr::AppAccountStateExpression(_) => Some(StorageKind::Local),
            Expr::BoxValueExpression(_) => Some(StorageKind::Box),
            _ => None,
        }
    }
}

const _: () = assert!(size_of::<Expr<'static>>() <= 96);
