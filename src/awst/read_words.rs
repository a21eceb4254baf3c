//! The words of documents that reading looks for, keys and class names -> small numbers. Each distinct
//! word of a document and each distinct row of keys is looked up once.

use super::read_rows::ROWS;
use crate::base::arena::Arena;
use crate::json::tree::{Shape, Values};
use crate::json::{Json, Member, Start, Vocabulary};

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
            const ALL: &[$name] = &[$($name::$member,)*];
            const TEXTS: &[&str] = &[$($text,)*];

            /// The word as documents have it.
            pub(super) const fn text(self) -> &'static str {
                let place = self as usize;
                if place < Self::TEXTS.len() { Self::TEXTS[place] } else { "" }
            }
            /// The word with a text.
            fn of(text: &str) -> Self {
                let found = Self::TEXTS.binary_search(&text);
                found.map_or($name::$none, Self::at)
            }
            /// The word at a place in the order of the texts.
            #[inline]
            fn at(place: usize) -> Self {
                Self::ALL.get(place).copied().unwrap_or($name::$none)
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

impl Key {
    /// Its place among the words.
    pub(super) const fn word(self) -> u16 {
        self as u16
    }
}

impl Tag {
    /// Its place among the words.
    pub(super) const fn word(self) -> u16 {
        KEYS as u16 + self as u16
    }
}

/// What documents are likely to have.
pub static VOCABULARY: Vocabulary = {
    static TEXTS: [&str; KEYS + TAGS] = WORDS;
    static STARTS: [Start; KEYS + TAGS] = Vocabulary::starts(&WORDS);
    static PLACES: [(u32, u32); 512] = Vocabulary::places(&WORDS);
    static MEMBERS: [Member; Vocabulary::member_count(ROWS)] =
        Vocabulary::members(ROWS, Key::Tag.word());
    static CHOICES: [u16; 1024] = Vocabulary::choices(&WORDS, &MEMBERS);
    static ROW_KEYS: [u32; Vocabulary::key_count(ROWS)] = Vocabulary::keys(ROWS);
    static SHAPES: [Shape<'static>; ROWS.len() + 1] = Vocabulary::shapes(ROWS, &ROW_KEYS);
    Vocabulary::new(&TEXTS, &STARTS, &PLACES, &MEMBERS, &CHOICES, &SHAPES)
};

/// How many keys and classes there are.
const KEYS: usize = Key::ALL.len();
const TAGS: usize = Tag::ALL.len();

/// Members from here on are searched for by name.
const SLOTS_MAX: usize = 254;

/// No member before [`SLOTS_MAX`] has the key.
const ABSENT: u8 = u8::MAX;

/// Where objects of one shape have their members.
pub(super) struct Slots {
    /// The place of the member with each key; none has an unknown one.
    by_key: [u8; KEYS + 1],
    /// Whether there are no members behind these.
    has_all: bool,
    /// Whether there are only the members of a location.
    is_location: bool,
    /// Whether there may be an id or a reference.
    is_marked: bool,
}

impl Slots {
    const NONE: Slots =
        Slots { by_key: [ABSENT; KEYS + 1], has_all: true, is_location: false, is_marked: false };

    /// The places of the members of objects with a row of keys, by their places among the words.
    const fn of(keys: &[u16]) -> Self {
        let mut slots = Self::NONE;
        let mut slot = 0;
        while slot < keys.len() {
            slots.by_key[keys[slot] as usize] = slot as u8;
            slot += 1;
        }
        slots.with_kinds(keys.len())
    }
    /// The same, with what is known of so many members by their keys.
    const fn with_kinds(mut self, members: usize) -> Self {
        let (mut of_location, mut index) = (0, 0);
        while index < LOCATION_KEYS.len() {
            of_location += self.has(LOCATION_KEYS[index]) as usize;
            index += 1;
        }
        self.is_location = of_location == members;
        self.is_marked = !self.has_all || self.has(Key::ObjectId) || self.has(Key::Reference);
        self
    }
    const fn has(&self, key: Key) -> bool {
        self.by_key[key as usize] != ABSENT
    }
}

/// Of the shapes that documents are likely to have, in their order: that of no keys, and the rows.
static KNOWN_SLOTS: [Slots; ROWS.len() + 1] = {
    let mut slots = [const { Slots::NONE }; ROWS.len() + 1];
    let mut row = 0;
    while row < ROWS.len() {
        slots[row + 1] = Slots::of(ROWS[row].keys);
        row += 1;
    }
    slots
};

/// The keys of a location.
const LOCATION_KEYS: [Key; 6] =
    [Key::File, Key::Line, Key::EndLine, Key::CommentLines, Key::Column, Key::EndColumn];

/// An object whose members are found by key, or a value in the place of one, without members.
#[derive(Clone, Copy)]
pub(super) struct Object<'s> {
    json: Json<'s>,
    slots: &'s Slots,
}

impl<'s> Object<'s> {
    /// The value in the document.
    #[inline]
    pub(super) fn json(self) -> Json<'s> {
        self.json
    }
    /// The member with a key.
    #[inline]
    pub(super) fn member(self, key: Key) -> Option<Json<'s>> {
        match self.slots.by_key[key as usize] {
            ABSENT if self.slots.has_all => None,
            ABSENT => self.json.get(key.text()),
            slot => Some(self.json.member_at(usize::from(slot))),
        }
    }
    /// The place of the member with a key, among the first ones.
    #[inline]
    pub(super) fn slot(self, key: Key) -> Option<usize> {
        match self.slots.by_key[key as usize] {
            ABSENT => None,
            slot => Some(usize::from(slot)),
        }
    }
    /// Whether it may have an id or refer to one.
    #[inline]
    pub(super) fn is_marked(self) -> bool {
        self.slots.is_marked
    }
    /// The members of a location by their keys. None where it has others.
    #[inline]
    pub(super) fn location(self) -> Option<impl Fn(Key) -> Option<Json<'s>>> {
        let members = self.json.as_object().filter(|_| self.slots.is_location)?;
        // a place that is absent is behind all members
        Some(move |key| members.at(usize::from(self.slots.by_key[key as usize])))
    }
    /// Whether another object has members with the same keys in the same order.
    #[inline]
    pub(super) fn has_shape_of(self, other: Object<'s>) -> bool {
        std::ptr::eq(self.slots, other.slots)
    }
}

/// What is known of the words of one document.
#[derive(Default)]
pub(super) struct Words<'s> {
    /// The number of the first key among the texts, where all known words are among them.
    first: Option<usize>,
    /// In other documents the classes that texts name, by text, as far as somebody asked.
    tags: Vec<Option<Tag>>,
    /// By shape, as far as somebody asked.
    slots: Vec<Option<&'s Slots>>,
}

impl<'s> Words<'s> {
    /// Nothing is known yet but what the document was read with.
    pub(super) fn new(document: &Values<'_>) -> Self {
        let known = document.vocabulary().filter(|known| std::ptr::eq(*known, &VOCABULARY));
        let mut slots = Vec::with_capacity(document.shape_count());
        if known.is_some() {
            slots.extend(KNOWN_SLOTS.iter().map(Some));
        }
        slots.resize(document.shape_count(), None);
        Self { first: known.map(Vocabulary::first), tags: Vec::new(), slots }
    }
    /// Whether objects of a document may have ids or refer to some.
    pub(super) fn may_be_marked(&self, document: &Values<'_>) -> bool {
        let marks = [Key::ObjectId, Key::Reference].map(Key::text);
        if self.first.is_none() {
            return document.has_one_of(0, marks);
        }
        let mut known = KNOWN_SLOTS.iter().enumerate();
        known.any(|(shape, slots)| slots.is_marked && document.is_used(shape))
            || document.has_one_of(KNOWN_SLOTS.len(), marks)
    }
    /// An object with the places of its members, which are kept in `arena`.
    #[inline]
    pub(super) fn object(&mut self, json: Json<'s>, arena: &'s Arena) -> Object<'s> {
        let slots = match json.shape_id() {
            None => &Slots::NONE,
            Some(shape) => match self.slots[shape] {
                Some(slots) => slots,
                None => self.new_slots(json, shape, arena),
            },
        };
        Object { json, slots }
    }
    #[cold]
    fn new_slots(&mut self, json: Json<'s>, shape: usize, arena: &'s Arena) -> &'s Slots {
        let members = json.as_object().expect("what has a shape is an object");
        let mut slots = Slots { has_all: members.len() <= SLOTS_MAX, ..Slots::NONE };
        let by_key = &mut slots.by_key[..KEYS];
        match self.first {
            Some(first) => {
                for (slot, id) in (0..).zip(members.key_ids()).take(SLOTS_MAX) {
                    if let Some(place) = by_key.get_mut(id.wrapping_sub(first)) {
                        *place = slot;
                    }
                }
            }
            None => {
                for (slot, text) in (0..).zip(members.keys()).take(SLOTS_MAX) {
                    if let Some(place) = by_key.get_mut(Key::of(text) as usize) {
                        *place = slot;
                    }
                }
            }
        }
        let slots: &'s Slots = arena.alloc(slots.with_kinds(members.len()));
        self.slots[shape] = Some(slots);
        slots
    }
    /// The class that an object names by itself, if its name was among the known words or was looked up
    /// before.
    #[inline]
    pub(super) fn known_tag(&self, object: Object<'s>) -> Option<Tag> {
        let id = object.member(Key::Tag)?.text_id()?;
        match self.first {
            Some(first) => Tag::ALL.get(id.wrapping_sub(first + KEYS)).copied(),
            None => *self.tags.get(id)?,
        }
    }
    /// The class a string names.
    pub(super) fn tag(&mut self, name: Json<'s>) -> Option<Tag> {
        let id = name.text_id()?;
        if let Some(first) = self.first {
            return Some(Tag::at(id.wrapping_sub(first + KEYS)));
        }
        if self.tags.len() <= id {
            self.tags.resize(name.values().text_count().max(id + 1), None);
        }
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
        assert!(Key::TEXTS.is_sorted() && Tag::TEXTS.is_sorted());
        assert!(Key::ALL.iter().all(|key| Key::of(key.text()) == *key));
        assert!(Tag::ALL.iter().all(|tag| Tag::of(tag.text()) == *tag));
        assert_eq!((Key::of("x"), Tag::of("x")), (Key::Unknown, Tag::Unknown));
    }

    #[test]
    fn members_of_known_rows_are_found_as_those_of_others() {
        let arena = Arena::new();
        for row in ROWS {
            let keys = row.keys.iter().map(|key| format!("{:?}: 1", WORDS[usize::from(*key)]));
            let text = format!("{{{}}}", keys.collect::<Vec<_>>().join(", "));
            let known = crate::json::read_knowing(&VOCABULARY, &text, &arena).unwrap();
            let other = crate::json::read(&text, &arena).unwrap();
            let [mut in_known, mut in_other] = [known, other].map(|json| Words::new(json.values()));
            let slots = in_known.object(known, &arena).slots;
            let others = in_other.object(other, &arena).slots;
            assert!(KNOWN_SLOTS.iter().any(|known| std::ptr::eq(known, slots)), "{text}");
            assert_eq!(slots.by_key, others.by_key, "{text}");
            assert_eq!(slots.is_location, others.is_location, "{text}");
            assert_eq!(slots.is_marked, others.is_marked, "{text}");
            assert_eq!(in_known.may_be_marked(known.values()), slots.is_marked, "{text}");
            assert_eq!(in_other.may_be_marked(other.values()), slots.is_marked, "{text}");
        }
    }
}
