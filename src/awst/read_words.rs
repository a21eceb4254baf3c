//! The words of documents that reading looks for, keys and class names -> small numbers. Each distinct
//! word of a document and each distinct row of keys is looked up once.

use crate::json::tree::Values;
use crate::json::{Json, Start, Vocabulary};

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
            const TEXTS: &[&str] = &[$($text,)*];

            /// The word as documents have it.
            pub(super) const fn text(self) -> &'static str {
                let place = self as usize;
                if place < Self::ALL.len() { Self::ALL[place].0 } else { "" }
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
    ObjectId = "_$%!#ID",
    Reference = "_$%!#REF",
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

/// The words, keys first.
const WORDS: [&str; KEYS + TAGS] = {
    let mut words = [""; KEYS + TAGS];
    let mut index = 0;
    while index < KEYS + TAGS {
        words[index] = if index < KEYS { Key::TEXTS[index] } else { Tag::TEXTS[index - KEYS] };
        index += 1;
    }
    words
};

/// What documents are likely to have.
pub static VOCABULARY: Vocabulary = {
    static TEXTS: [&str; KEYS + TAGS] = WORDS;
    static STARTS: [Start; KEYS + TAGS] = Vocabulary::starts(&WORDS);
    static PLACES: [(u32, u32); 1024] = Vocabulary::places(&WORDS);
    Vocabulary::new(&TEXTS, &STARTS, &PLACES)
};

/// In objects with more members they are searched for by name.
const SLOTS_MAX: usize = 254;

/// No member of an object has the key.
const ABSENT: u8 = u8::MAX;

/// A shape that was not looked up yet.
const NO_ROW: u32 = u32::MAX;

/// In the place of the row of a shape with too many keys for one.
const TOO_LONG: u32 = u32::MAX - 1;

/// How many keys a row of slots is for.
const KEYS: usize = Key::ALL.len();
const TAGS: usize = Tag::ALL.len();

/// What is known of the words of one document.
#[derive(Default)]
pub(super) struct Words {
    /// By text.
    tags: Vec<Option<Tag>>,
    /// By text.
    keys: Vec<Option<Key>>,
    /// By shape, where its row of slots starts.
    rows: Vec<u32>,
    /// The place of the member with each key.
    slots: Vec<u8>,
}

impl Words {
    /// Nothing is known yet.
    pub(super) fn new(document: &Values<'_>) -> Self {
        let mut tags = vec![None; document.text_count()];
        let mut keys = vec![None; document.text_count()];
        if document.vocabulary().is_some_and(|known| std::ptr::eq(known, &VOCABULARY)) {
            let first = VOCABULARY.first();
            let known_keys = Key::ALL.iter().map(|row| Some(row.1));
            keys.iter_mut().skip(first).zip(known_keys).for_each(|(key, known)| *key = known);
            let known_tags = Tag::ALL.iter().map(|row| Some(row.1));
            let first = first + KEYS;
            tags.iter_mut().skip(first).zip(known_tags).for_each(|(tag, known)| *tag = known);
        }
        Self { tags, keys, rows: vec![NO_ROW; document.shape_count()], slots: Vec::new() }
    }
    /// The member of an object; none of what is no object.
    #[inline]
    pub(super) fn member<'s>(&mut self, object: Json<'s>, key: Key) -> Option<Json<'s>> {
        match self.row(object)? {
            Some(row) => slot_of(row, key).map(|slot| object.member_at(slot)),
            None => object.get(key.text()),
        }
    }
    /// The same of several keys.
    #[inline]
    pub(super) fn members<'s, const N: usize>(
        &mut self,
        object: Json<'s>,
        keys: [Key; N],
    ) -> [Option<Json<'s>>; N] {
        let mut members = [None; N];
        let row = self.row(object).flatten();
        for (member, key) in members.iter_mut().zip(keys) {
            *member = match row {
                Some(row) => slot_of(row, key).map(|slot| object.member_at(slot)),
                None => object.get(key.text()),
            };
        }
        members
    }
    /// The slots of an object's members by their keys; no row where it has too many.
    #[inline]
    fn row(&mut self, object: Json<'_>) -> Option<Option<&[u8; KEYS]>> {
        let shape = object.shape_id()?;
        let start = match self.rows[shape] {
            NO_ROW => self.new_row(object, shape),
            start => start,
        };
        Some(self.slots.get(start as usize..).and_then(|slots| slots.first_chunk()))
    }
    #[cold]
    fn new_row(&mut self, object: Json<'_>, shape: usize) -> u32 {
        let members = object.as_object().expect("what has a shape is an object");
        let start = self.slots.len();
        let row = if members.len() > SLOTS_MAX {
            TOO_LONG
        } else {
            self.slots.resize(start + KEYS, ABSENT);
            for (slot, (id, text)) in (0..).zip(members.key_ids().zip(members.keys())) {
                let key = *self.keys[id].get_or_insert_with(|| Key::of(text));
                if key != Key::Unknown {
                    self.slots[start + key as usize] = slot;
                }
            }
            u32::try_from(start).expect("fewer shapes than that")
        };
        self.rows[shape] = row;
        row
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

/// The place of the member with a key.
#[inline]
fn slot_of(row: &[u8; KEYS], key: Key) -> Option<usize> {
    match row[key as usize] {
        ABSENT => None,
        slot => Some(usize::from(slot)),
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
