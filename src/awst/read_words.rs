//! The words of documents that reading looks for, keys and class names -> small numbers. Each distinct
//! word of a document and each distinct row of keys is looked up once.

use crate::json::tree::Values;
use crate::json::{Json, Members};

macro_rules! words {
    ($(#[$doc:meta])* $name:ident, $(#[$none_doc:meta])* $none:ident, $($member:ident = $text:literal,)*) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, Debug)]
        #[allow(clippy::enum_variant_names, reason = "variants are named after their words")]
        pub(super) enum $name {
            $($member,)*
            $(#[$none_doc])*
            $none,
        }

        impl $name {
            /// In the order of the texts.
            const ALL: &[(&str, $name)] = &[$(($text, $name::$member),)*];

            /// The word as documents have it.
            pub(super) fn text(self) -> &'static str {
                Self::ALL.get(self as usize).map_or("", |row| row.0)
            }
            fn of(text: &str) -> Self {
                let found = Self::ALL.binary_search_by(|row| row.0.cmp(text));
                found.map_or($name::$none, |place| Self::ALL[place].1)
            }
        }
    };
}

words! {
    /// The keys of objects.
    Key,
    /// Any other.
    Unknown,
    EvaluationId = "_id",
    Tag = "_type",
    Account = "account",
    AllocationOverrides = "allocation_overrides",
    AllowedCompletionTypes = "allowed_completion_types",
    AppState = "app_state",
    ApprovalProgram = "approval_program",
    Arc4Alias = "arc4_alias",
    Arc4MethodConfig = "arc4_method_config",
    ArgTypes = "arg_types",
    Args = "args",
    Array = "array",
    ArrayIndex = "array_index",
    ArraySize = "array_size",
    Autosalt = "autosalt",
    AvmVersion = "avm_version",
    Base = "base",
    BeginIndex = "begin_index",
    Body = "body",
    Cases = "cases",
    ClearProgram = "clear_program",
    Column = "column",
    Comment = "comment",
    CommentLines = "comment_lines",
    Condition = "condition",
    Contract = "contract",
    Create = "create",
    Cref = "cref",
    Default = "default",
    DefaultArgs = "default_args",
    DefaultCase = "default_case",
    Desc = "desc",
    Description = "description",
    Docstring = "docstring",
    Documentation = "documentation",
    ElementType = "element_type",
    ElseBranch = "else_branch",
    Encoding = "encoding",
    EndColumn = "end_column",
    EndIndex = "end_index",
    EndLine = "end_line",
    ErrorMessage = "error_message",
    ExistsAssertionMessage = "exists_assertion_message",
    Explicit = "explicit",
    Expr = "expr",
    Expressions = "expressions",
    FalseExpr = "false_expr",
    Field = "field",
    Fields = "fields",
    File = "file",
    Frozen = "frozen",
    Func = "func",
    GlobalBytes = "global_bytes",
    GlobalUints = "global_uints",
    Id = "id",
    IfBranch = "if_branch",
    Immediates = "immediates",
    Immutable = "immutable",
    Index = "index",
    Inline = "inline",
    Items = "items",
    Itxn = "itxn",
    Itxns = "itxns",
    Key = "key",
    KeyWtype = "key_wtype",
    Kind = "kind",
    Label = "label",
    Left = "left",
    Length = "length",
    Lhs = "lhs",
    Line = "line",
    LocalBytes = "local_bytes",
    LocalUints = "local_uints",
    LogError = "log_error",
    LogicSig = "logic_sig",
    LoopBody = "loop_body",
    M = "m",
    MemberName = "member_name",
    MethodResolutionOrder = "method_resolution_order",
    Methods = "methods",
    N = "n",
    Name = "name",
    Names = "names",
    Op = "op",
    OpCode = "op_code",
    Operator = "operator",
    Other = "other",
    Prefix = "prefix",
    Program = "program",
    Pure = "pure",
    Readonly = "readonly",
    ReservedScratchSpace = "reserved_scratch_space",
    ResourceEncoding = "resource_encoding",
    ResultType = "result_type",
    ReturnType = "return_type",
    Returns = "returns",
    Rhs = "rhs",
    Right = "right",
    Sequence = "sequence",
    SequenceType = "sequence_type",
    ShortName = "short_name",
    Signature = "signature",
    SizeWtype = "size_wtype",
    Source = "source",
    SourceLocation = "source_location",
    StackArgs = "stack_args",
    Start = "start",
    StartNewGroup = "start_new_group",
    StateTotals = "state_totals",
    Step = "step",
    Stop = "stop",
    StorageWtype = "storage_wtype",
    Target = "target",
    TealAlias = "teal_alias",
    TemplateVariables = "template_variables",
    TransactionType = "transaction_type",
    TrueExpr = "true_expr",
    Types = "types",
    Validate = "validate",
    ValidateEncoding = "validate_encoding",
    Value = "value",
    Values = "values",
    Wtype = "wtype",
}

words! {
    /// The classes that objects name.
    Tag,
    /// Any other.
    Unknown,
    ABICall = "ABICall",
    ARC4Array = "ARC4Array",
    ARC4Decode = "ARC4Decode",
    ARC4DynamicArray = "ARC4DynamicArray",
    ARC4Encode = "ARC4Encode",
    ARC4FromBytes = "ARC4FromBytes",
    ARC4Router = "ARC4Router",
    ARC4StaticArray = "ARC4StaticArray",
    ARC4Struct = "ARC4Struct",
    ARC4Tuple = "ARC4Tuple",
    ARC4Type = "ARC4Type",
    ARC4UFixedNxM = "ARC4UFixedNxM",
    ARC4UIntN = "ARC4UIntN",
    AddressConstant = "AddressConstant",
    AppAccountStateExpression = "AppAccountStateExpression",
    AppStateExpression = "AppStateExpression",
    ArrayConcat = "ArrayConcat",
    ArrayExtend = "ArrayExtend",
    ArrayLength = "ArrayLength",
    ArrayPop = "ArrayPop",
    ArrayReplace = "ArrayReplace",
    AssertExpression = "AssertExpression",
    AssignmentExpression = "AssignmentExpression",
    AssignmentStatement = "AssignmentStatement",
    BigUIntAugmentedAssignment = "BigUIntAugmentedAssignment",
    BigUIntBinaryOperation = "BigUIntBinaryOperation",
    BigUIntPostfixUnaryOperation = "BigUIntPostfixUnaryOperation",
    Block = "Block",
    BoolConstant = "BoolConstant",
    BooleanBinaryOperation = "BooleanBinaryOperation",
    BoxValueExpression = "BoxValueExpression",
    BytesAugmentedAssignment = "BytesAugmentedAssignment",
    BytesBinaryOperation = "BytesBinaryOperation",
    BytesComparisonExpression = "BytesComparisonExpression",
    BytesConstant = "BytesConstant",
    BytesUnaryOperation = "BytesUnaryOperation",
    BytesWType = "BytesWType",
    CheckedMaybe = "CheckedMaybe",
    CommaExpression = "CommaExpression",
    CompiledContract = "CompiledContract",
    CompiledLogicSig = "CompiledLogicSig",
    ConditionalExpression = "ConditionalExpression",
    Contract = "Contract",
    ContractMethodTarget = "ContractMethodTarget",
    ConvertArray = "ConvertArray",
    Copy = "Copy",
    CreateInnerTransaction = "CreateInnerTransaction",
    DecimalConstant = "DecimalConstant",
    Emit = "Emit",
    EmitFields = "EmitFields",
    Enumeration = "Enumeration",
    Expression = "Expression",
    ExpressionStatement = "ExpressionStatement",
    FieldExpression = "FieldExpression",
    ForInLoop = "ForInLoop",
    Goto = "Goto",
    GroupTransactionReference = "GroupTransactionReference",
    IfElse = "IfElse",
    IndexExpression = "IndexExpression",
    InnerTransactionField = "InnerTransactionField",
    InstanceMethodTarget = "InstanceMethodTarget",
    InstanceSuperMethodTarget = "InstanceSuperMethodTarget",
    IntegerConstant = "IntegerConstant",
    IntersectionSliceExpression = "IntersectionSliceExpression",
    IntrinsicCall = "IntrinsicCall",
    LogicSignature = "LogicSignature",
    LoopContinue = "LoopContinue",
    LoopExit = "LoopExit",
    MapPrefixedKeyExpression = "MapPrefixedKeyExpression",
    MethodConstant = "MethodConstant",
    NamedTupleExpression = "NamedTupleExpression",
    NewArray = "NewArray",
    NewStruct = "NewStruct",
    Not = "Not",
    NumericComparisonExpression = "NumericComparisonExpression",
    PuyaLibCall = "PuyaLibCall",
    Range = "Range",
    ReferenceArray = "ReferenceArray",
    ReinterpretCast = "ReinterpretCast",
    ReturnStatement = "ReturnStatement",
    Reversed = "Reversed",
    RootNode = "RootNode",
    SingleEvaluation = "SingleEvaluation",
    SizeOf = "SizeOf",
    SliceExpression = "SliceExpression",
    StageInnerTransactions = "StageInnerTransactions",
    StateDelete = "StateDelete",
    StateExists = "StateExists",
    StateGet = "StateGet",
    StateGetEx = "StateGetEx",
    Statement = "Statement",
    StringConstant = "StringConstant",
    SubmitInnerTransaction = "SubmitInnerTransaction",
    Subroutine = "Subroutine",
    SubroutineCallExpression = "SubroutineCallExpression",
    SubroutineID = "SubroutineID",
    Switch = "Switch",
    TemplateVar = "TemplateVar",
    TupleExpression = "TupleExpression",
    TupleItemExpression = "TupleItemExpression",
    UInt64AugmentedAssignment = "UInt64AugmentedAssignment",
    UInt64BinaryOperation = "UInt64BinaryOperation",
    UInt64PostfixUnaryOperation = "UInt64PostfixUnaryOperation",
    UInt64UnaryOperation = "UInt64UnaryOperation",
    UpdateInnerTransaction = "UpdateInnerTransaction",
    VarExpression = "VarExpression",
    VoidConstant = "VoidConstant",
    WABICallInnerTransactionFields = "WABICallInnerTransactionFields",
    WEnumeration = "WEnumeration",
    WGroupTransaction = "WGroupTransaction",
    WInnerTransaction = "WInnerTransaction",
    WInnerTransactionFields = "WInnerTransactionFields",
    WTuple = "WTuple",
    WType = "WType",
    WhileLoop = "WhileLoop",
    ARC4WTypeInstance = "_ARC4WTypeInstance",
    WTypeInstance = "_WTypeInstance",
}

/// In objects with more members they are searched for by name.
const SLOTS_MAX: usize = 255;

/// No member of an object has the key.
const ABSENT: u8 = u8::MAX;

/// A shape that was not looked up yet.
const NO_ROW: u32 = u32::MAX;

/// How many keys a row of slots is for.
const KEYS: usize = Key::ALL.len();

/// What is known of the words of one document.
#[derive(Default)]
pub(super) struct Words {
    /// By text.
    tags: Vec<Option<Tag>>,
    /// By text.
    keys: Vec<Option<Key>>,
    /// By shape, the number of its row of slots.
    rows: Vec<u32>,
    /// The place of the member with each key.
    slots: Vec<u8>,
}

impl Words {
    /// Nothing is known yet.
    pub(super) fn new(document: &Values<'_>) -> Self {
        Self {
            tags: vec![None; document.text_count()],
            keys: vec![None; document.text_count()],
            rows: vec![NO_ROW; document.shape_count()],
            slots: Vec::new(),
        }
    }
    /// The member of an object.
    #[inline]
    pub(super) fn member<'s>(&mut self, object: Members<'s>, key: Key) -> Option<Json<'s>> {
        if object.len() > SLOTS_MAX {
            return object.at(object.keys().position(|text| text == key.text())?);
        }
        let start = match self.rows[object.shape_id()] {
            NO_ROW => self.new_row(object),
            row => row as usize * KEYS,
        };
        match self.slots[start + key as usize] {
            ABSENT => None,
            slot => object.at(usize::from(slot)),
        }
    }
    #[cold]
    fn new_row(&mut self, object: Members<'_>) -> usize {
        let start = self.slots.len();
        self.slots.resize(start + KEYS, ABSENT);
        for (slot, (id, text)) in (0..).zip(object.key_ids().zip(object.keys())) {
            let key = *self.keys[id].get_or_insert_with(|| Key::of(text));
            if key != Key::Unknown {
                self.slots[start + key as usize] = slot;
            }
        }
        self.rows[object.shape_id()] = (start / KEYS) as u32;
        start
    }
    /// The class a string names.
    #[inline]
    pub(super) fn tag(&mut self, name: Json<'_>) -> Option<Tag> {
        let id = name.text_id()?;
        let known = self.tags[id];
        known.or_else(|| {
            self.tags[id] = name.as_str().map(Tag::of);
            self.tags[id]
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_found_by_their_texts() {
        assert!(Key::ALL.is_sorted_by_key(|row| row.0) && Tag::ALL.is_sorted_by_key(|row| row.0));
        assert!(Key::ALL.iter().all(|row| Key::of(row.0) == row.1 && row.1.text() == row.0));
        assert!(Tag::ALL.iter().all(|row| Tag::of(row.0) == row.1 && row.1.text() == row.0));
        assert_eq!((Key::of("x"), Tag::of("x")), (Key::Unknown, Tag::Unknown));
    }
}
