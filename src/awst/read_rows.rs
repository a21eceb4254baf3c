//! The rows of keys that the objects of documents have, as puyapy (without ids of objects) and puya-ts
//! (with them) write them, common ones before others. In front of the semicolon stand the classes that
//! objects with the row are likely to name.

use super::read_words::{Key, Tag};
use crate::json::Row;

macro_rules! rows {
    ($([$($key:ident)*] $($tag:ident)*;)*) => {
        /// The keys by their places among the words.
        pub(super) const ROWS: &[Row] = &[$(Row {
            keys: &[$(Key::$key.word()),*],
            names: &[$(Tag::$tag.word()),*],
        },)*];
    };
}

rows! {
    [File Line EndLine CommentLines Column EndColumn];
    [Name Immutable Tag] WType;
    [File Line EndLine Column EndColumn];
    [Reference];
    [Name Wtype Description];
    [SourceLocation Wtype Name Tag] VarExpression TemplateVar;
    [Length Tag] BytesWType;
    [SourceLocation Wtype OpCode Immediates StackArgs Tag] IntrinsicCall;
    [SourceLocation Wtype Value TealAlias Tag] IntegerConstant;
    [SourceLocation Body Label Comment Tag] Block;
    [ObjectId Tag SourceLocation Wtype Name] VarExpression TemplateVar;
    [SourceLocation Value Wtype Encoding Tag] BytesConstant;
    [Arc4Alias N SourceLocation Tag] ARC4UIntN;
    [Types SourceLocation Name Names Desc Tag] WTuple;
    [SourceLocation Left Op Right Tag] UInt64BinaryOperation BooleanBinaryOperation;
    [SourceLocation Target Value Tag] AssignmentStatement AssignmentExpression;
    [Expr Tag] ExpressionStatement;
    [Description Args Returns];
    [SourceLocation Args ReturnType Body Documentation Inline Pure Cref MemberName
        Arc4MethodConfig];
    [SourceLocation Value Tag] ReturnStatement Emit;
    [Arc4Alias SourceLocation Immutable ElementType Tag] ARC4DynamicArray;
    [SourceLocation Value Wtype Tag] BoolConstant Copy;
    [Name Fields Frozen SourceLocation Desc Tag] ARC4Struct;
    [Name SourceLocation Wtype];
    [SourceLocation Wtype Key ExistsAssertionMessage Tag] AppStateExpression BoxValueExpression;
    [SourceLocation Lhs Operator Rhs Tag] NumericComparisonExpression BytesComparisonExpression;
    [ObjectId Tag SourceLocation Body Label Comment] Block;
    [Name Value];
    [Arc4Alias SourceLocation Immutable ElementType ArraySize Tag] ARC4StaticArray;
    [SourceLocation Target Op Value Tag] UInt64AugmentedAssignment BytesAugmentedAssignment;
    [ObjectId Tag Name Arc4Alias Fields SourceLocation Frozen Desc] ARC4Struct;
    [SourceLocation Base Name Tag] FieldExpression;
    [ObjectId Tag SourceLocation Wtype Value TealAlias] IntegerConstant;
    [SourceLocation Wtype Target Args Tag] SubroutineCallExpression;
    [ObjectId Tag SourceLocation Wtype OpCode Immediates StackArgs] IntrinsicCall;
    [SourceLocation Condition IfBranch ElseBranch Tag] IfElse;
    [ObjectId Tag SourceLocation Base Name] FieldExpression;
    [ObjectId Tag SourceLocation Target Value] AssignmentStatement;
    [Immutable TransactionType Name Tag] WGroupTransaction WInnerTransaction;
    [ObjectId Tag SourceLocation Expr] ExpressionStatement Not;
    [SourceLocation AllowedCompletionTypes Create Name ResourceEncoding Readonly DefaultArgs
        ValidateEncoding];
    [SourceLocation Items Wtype Tag] TupleExpression;
    [Tag Name SourceLocation Wtype];
    [SourceLocation Wtype Expr Tag] ReinterpretCast;
    [Tag Description Args Returns];
    [ObjectId Tag SourceLocation Wtype Key ExistsAssertionMessage] AppStateExpression
        BoxValueExpression;
    [ObjectId Tag SourceLocation Lhs Operator Rhs] NumericComparisonExpression
        BytesComparisonExpression;
    [ObjectId Tag SourceLocation Left Op Right] UInt64BinaryOperation BooleanBinaryOperation;
    [Name Immutable Arc4Alias Tag] ARC4Type;
    [ObjectId Tag SourceLocation Value] ReturnStatement Emit;
    [ObjectId Tag SourceLocation Args ReturnType Body Documentation Inline Pure Cref MemberName
        Arc4MethodConfig];
    [ObjectId Tag Name Types] WTuple;
    [MemberName Tag] InstanceMethodTarget InstanceSuperMethodTarget;
    [Source EvaluationId SourceLocation Tag] SingleEvaluation;
    [Target Tag] SubroutineID;
    [ObjectId Tag SourceLocation Wtype Value Encoding] BytesConstant;
    [SourceLocation Condition ErrorMessage Explicit LogError Desc Tag] AssertExpression;
    [SourceLocation Base Index Wtype Tag] IndexExpression;
    [ObjectId Tag SourceLocation Wtype Items] TupleExpression;
    [ObjectId Tag Immutable Arc4Alias ElementType SourceLocation] ARC4DynamicArray;
    [SourceLocation Tag] ARC4Router LoopExit;
    [Tag Name Value];
    [SourceLocation Expr Tag] Not Reversed;
    [Tag SourceLocation AllowedCompletionTypes Create Name ResourceEncoding Readonly DefaultArgs
        ValidateEncoding];
    [ObjectId Tag SourceLocation Wtype Value] Copy BoolConstant;
    [ObjectId Tag SourceLocation Wtype Target Args] SubroutineCallExpression;
    [SourceLocation MemberName Kind StorageWtype KeyWtype Key Description];
    [ObjectId Tag SourceLocation Base Index] TupleItemExpression;
    [ObjectId Tag SourceLocation Wtype Expr] ReinterpretCast ConvertArray;
    [ObjectId Tag SourceLocation Condition ErrorMessage Explicit LogError Desc] AssertExpression;
    [SourceLocation Wtype Values Tag] NewArray NewStruct;
    [ObjectId Tag Name Types Names] WTuple;
    [ObjectId Tag SourceLocation Condition IfBranch ElseBranch] IfElse;
    [SourceLocation Sequence Items LoopBody Tag] ForInLoop;
    [SourceLocation Base Index Tag] TupleItemExpression;
    [SourceLocation Prefix Key Wtype Tag] MapPrefixedKeyExpression;
    [ObjectId Tag Length] BytesWType;
    [ObjectId Tag Name Immutable] WType;
    [SourceLocation Args ReturnType Body Documentation Inline Pure Id Name Tag] Subroutine;
    [SourceLocation Id Name Description MethodResolutionOrder ApprovalProgram ClearProgram Methods
        AppState StateTotals ReservedScratchSpace AvmVersion Autosalt Tag] Contract;
    [SourceLocation Itxns Tag] SubmitInnerTransaction;
    [ObjectId Tag SourceLocation Source EvaluationId] SingleEvaluation;
    [ElementType SourceLocation Tag] ReferenceArray;
    [SourceLocation Value Wtype ErrorMessage Tag] ARC4Encode;
    [SourceLocation Wtype Itxn Field ArrayIndex Tag] InnerTransactionField;
    [SourceLocation AllowedCompletionTypes Create];
    [SourceLocation Left Op Right Wtype Tag] BytesBinaryOperation;
    [SourceLocation Wtype Value ErrorMessage Tag] ARC4Decode;
    [SourceLocation Types Tag] ARC4Tuple;
    [ObjectId Tag SourceLocation Wtype Base Index] IndexExpression;
    [SourceLocation Start Stop Step Tag] Range;
    [ObjectId Tag SourceLocation MemberName Kind StorageWtype KeyWtype Key Description];
    [SourceLocation Wtype Contract AllocationOverrides Prefix TemplateVariables Tag]
        CompiledContract;
    [Immutable ResultType Tag] WABICallInnerTransactionFields;
    [Tag Target] SubroutineID;
    [SourceLocation Target Args Fields Wtype Tag] ABICall;
    [SourceLocation Base Other Wtype Tag] ArrayExtend;
    [SourceLocation Wtype Fields Tag] CreateInnerTransaction;
    [ObjectId Tag SourceLocation Wtype Values] NewStruct NewArray;
    [SourceLocation Array Tag] ArrayLength;
    [SourceLocation Name ArgTypes ReturnType ResourceEncoding];
    [Expr Comment Tag] CheckedMaybe;
    [SourceLocation Condition TrueExpr FalseExpr Wtype Tag] ConditionalExpression;
    [ObjectId Tag SourceLocation Args ReturnType Body Documentation Inline Pure Id Name] Subroutine;
    [ObjectId Tag SourceLocation Wtype Value ErrorMessage] ARC4Encode ARC4Decode;
    [SourceLocation Value Wtype Validate Tag] ARC4FromBytes;
    [SourceLocation Wtype Key ExistsAssertionMessage Account Tag] AppAccountStateExpression;
    [SourceLocation SizeWtype Tag] SizeOf;
    [ObjectId Tag SourceLocation Wtype Condition TrueExpr FalseExpr] ConditionalExpression;
    [ObjectId Tag SourceLocation Expr Comment] CheckedMaybe;
    [SourceLocation Field Tag] StateExists StateGetEx;
    [Tag MemberName] InstanceMethodTarget InstanceSuperMethodTarget;
    [SourceLocation Condition LoopBody Tag] WhileLoop;
    [ObjectId Tag SourceLocation Id Name Description MethodResolutionOrder ApprovalProgram
        ClearProgram Methods AppState StateTotals ReservedScratchSpace AvmVersion Autosalt]
        Contract;
    [Tag GlobalUints LocalUints GlobalBytes LocalBytes];
    [SourceLocation Value Cases DefaultCase Tag] Switch;
    [SourceLocation Base BeginIndex EndIndex Wtype Tag] IntersectionSliceExpression SliceExpression;
    [SourceLocation Field Wtype Tag] StateDelete;
    [ObjectId Tag SourceLocation] ARC4Router VoidConstant;
    [SourceLocation Left Right Tag] ArrayConcat;
    [SourceLocation Expressions Tag] CommaExpression;
    [SourceLocation Base Tag] ArrayPop;
    [Tag SourceLocation AllowedCompletionTypes Create];
    [SourceLocation Field Default Tag] StateGet;
    [SourceLocation Id ShortName Program Docstring ReservedScratchSpace AvmVersion Autosalt
        ValidateEncoding Tag] LogicSignature;
    [SourceLocation Func Args Tag] PuyaLibCall;
    [SourceLocation Value];
    [SourceLocation Wtype Value Tag] AddressConstant DecimalConstant;
    [SourceLocation Signature Values Tag] EmitFields;
    [SourceLocation Op Expr Tag] UInt64UnaryOperation BytesUnaryOperation;
    [SourceLocation Expr Wtype Tag] ConvertArray;
    [GlobalUints LocalUints GlobalBytes LocalBytes];
    [SourceLocation Wtype LogicSig Prefix TemplateVariables Tag] CompiledLogicSig;
}
