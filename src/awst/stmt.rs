//! Statement nodes. Spec 10 §11.

use super::expr::ExprRef;
use super::operators::{BigUIntBinaryOperator, BytesBinaryOperator, UInt64BinaryOperator};
use crate::base::arena::Symbol;
use crate::base::source::Loc;

/// A group of statements; opens no scope.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Block<'a> {
    /// Where the source wrote it.
    pub loc: Loc,
    /// The statements.
    pub body: &'a [Stmt<'a>],
    /// The name gotos use, unique in the subroutine.
    pub label: Option<Symbol>,
    /// What it is, for dumps only.
    pub comment: Option<&'a str>,
}

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident $(<$lt:lifetime>)? = $class:literal { $($field:ident: $type:ty,)* })*) => {
        $(
            $(#[$doc])*
            #[derive(Clone, Copy, PartialEq, Debug)]
            #[allow(missing_docs, reason = "field names are those of the AWST document, spec 10 §11")]
            pub struct $name $(<$lt>)? {
                pub loc: Loc,
                $(pub $field: $type,)*
            }

            impl<'a> From<$name $(<$lt>)?> for Stmt<'a> {
                fn from(node: $name $(<$lt>)?) -> Self {
                    Stmt::$name(node)
                }
            }
        )*

        /// A statement; one variant per node class.
        #[derive(Clone, Copy, PartialEq, Debug)]
        #[allow(missing_docs, reason = "variants are named after their node classes")]
        pub enum Stmt<'a> {
            Block(&'a Block<'a>),
            $($name($name $(<$lt>)?),)*
        }

        impl Stmt<'_> {
            /// Where the source wrote it.
            pub fn loc(&self) -> Loc {
                match self {
                    Stmt::Block(node) => node.loc,
                    $(Stmt::$name(node) => node.loc,)*
                }
            }
            /// The node's class, as documents tag it.
            pub fn class_name(&self) -> &'static str {
                match self {
                    Stmt::Block(_) => "Block",
                    $(Stmt::$name(_) => $class,)*
                }
            }
        }
    };
}

statements! {
    /// Evaluates an expression; the location is the expression's.
    ExpressionStatement<'a> = "ExpressionStatement" { expr: ExprRef<'a>, }
    /// Goes to a labelled block.
    Goto = "Goto" { target: Symbol, }
    /// Executes one of two blocks.
    IfElse<'a> = "IfElse" {
        condition: ExprRef<'a>,
        if_branch: &'a Block<'a>,
        else_branch: Option<&'a Block<'a>>,
    }
    /// Executes the block of the first key equal to the value; keys are distinct.
    Switch<'a> = "Switch" {
        value: ExprRef<'a>,
        cases: &'a [(ExprRef<'a>, &'a Block<'a>)],
        default_case: Option<&'a Block<'a>>,
    }
    /// Repeats a block while a condition holds.
    WhileLoop<'a> = "WhileLoop" { condition: ExprRef<'a>, loop_body: &'a Block<'a>, }
    /// Leaves the innermost loop.
    LoopExit = "LoopExit" {}
    /// Goes to the next round of the innermost loop.
    LoopContinue = "LoopContinue" {}
    /// Returns from the subroutine.
    ReturnStatement<'a> = "ReturnStatement" { value: Option<ExprRef<'a>>, }
    /// Assigns a value; the value is evaluated before the target.
    AssignmentStatement<'a> = "AssignmentStatement" { target: ExprRef<'a>, value: ExprRef<'a>, }
    /// Applies an operator to a uint64 target.
    UInt64AugmentedAssignment<'a> = "UInt64AugmentedAssignment" {
        target: ExprRef<'a>,
        op: UInt64BinaryOperator,
        value: ExprRef<'a>,
    }
    /// Applies an operator to a biguint target.
    BigUIntAugmentedAssignment<'a> = "BigUIntAugmentedAssignment" {
        target: ExprRef<'a>,
        op: BigUIntBinaryOperator,
        value: ExprRef<'a>,
    }
    /// Applies an operator to a bytes or string target.
    BytesAugmentedAssignment<'a> = "BytesAugmentedAssignment" {
        target: ExprRef<'a>,
        op: BytesBinaryOperator,
        value: ExprRef<'a>,
    }
    /// Repeats a block for each item of a sequence.
    ForInLoop<'a> = "ForInLoop" {
        sequence: ExprRef<'a>,
        items: ExprRef<'a>,
        loop_body: &'a Block<'a>,
    }
}
