//! The operators and other closed sets of words of an AWST document. Each knows its JSON spelling and
//! the class name the reference uses in messages. Spec 10 §14.

/// A closed set of JSON values.
pub trait Choice: Copy + Sized + 'static {
    /// The set's name in messages.
    const CLASS: &'static str;
    /// Every member with its JSON spelling, in declaration order.
    const MEMBERS: &'static [(Self, &'static str)];
    /// The member with this JSON spelling.
    fn of(text: &str) -> Option<Self> {
        Self::MEMBERS.iter().find(|(_, spelling)| *spelling == text).map(|(member, _)| *member)
    }
}

macro_rules! choices {
    ($($(#[$doc:meta])* $name:ident, $class:literal {
        $($(#[$member_doc:meta])* $member:ident = $text:literal,)*
    })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
        #[allow(missing_docs, reason = "members are named after what they stand for")]
        pub enum $name { $($(#[$member_doc])* $member,)* }

        impl Choice for $name {
            const CLASS: &'static str = $class;
            const MEMBERS: &'static [(Self, &'static str)] = &[$((Self::$member, $text),)*];
        }

        impl $name {
            /// The JSON spelling, which is also how messages and dumps show it.
            pub fn text(self) -> &'static str {
                match self { $(Self::$member => $text,)* }
            }
        }
    )*};
}

choices! {
    /// How the source wrote a bytes constant; only influences how it is shown.
    BytesEncoding, "BytesEncoding" {
        Unknown = "unknown",
        Base16 = "base16",
        Base32 = "base32",
        Base64 = "base64",
        Utf8 = "utf8",
    }
    /// Comparisons of values without an order.
    EqualityComparison, "EqualityComparison" {
        Eq = "==",
        Ne = "!=",
    }
    /// Comparisons of numbers.
    NumericComparison, "NumericComparison" {
        Eq = "==",
        Ne = "!=",
        Lt = "<",
        Lte = "<=",
        Gt = ">",
        Gte = ">=",
    }
    /// Binary operators on uint64.
    UInt64BinaryOperator, "UInt64BinaryOperator" {
        Add = "+",
        Sub = "-",
        Mult = "*",
        FloorDiv = "//",
        Mod = "%",
        Pow = "**",
        Lshift = "<<",
        Rshift = ">>",
        BitOr = "|",
        BitXor = "^",
        BitAnd = "&",
    }
    /// Binary operators on biguint.
    BigUIntBinaryOperator, "BigUIntBinaryOperator" {
        Add = "+",
        Sub = "-",
        Mult = "*",
        FloorDiv = "//",
        Mod = "%",
        BitOr = "|",
        BitXor = "^",
        BitAnd = "&",
    }
    /// Binary operators on bytes and strings.
    BytesBinaryOperator, "BytesBinaryOperator" {
        Add = "+",
        BitOr = "|",
        BitXor = "^",
        BitAnd = "&",
    }
    /// Prefix operators on bytes.
    BytesUnaryOperator, "BytesUnaryOperator" {
        BitInvert = "~",
    }
    /// Prefix operators on uint64.
    UInt64UnaryOperator, "UInt64UnaryOperator" {
        BitInvert = "~",
    }
    /// Postfix operators on uint64.
    UInt64PostfixUnaryOperator, "UInt64PostfixUnaryOperator" {
        Increment = "++",
        Decrement = "--",
    }
    /// Postfix operators on biguint.
    BigUIntPostfixUnaryOperator, "BigUIntPostfixUnaryOperator" {
        Increment = "++",
        Decrement = "--",
    }
    /// Short-circuiting operators.
    BinaryBooleanOperator, "BinaryBooleanOperator" {
        And = "and",
        Or = "or",
    }
    /// Routines of the embedded library that a document may name, by member name.
    PuyaLibFunction, "PuyaLibFunction" {
        EnsureBudget = "ensure_budget",
        IsSubstring = "is_substring",
    }
}

impl PuyaLibFunction {
    /// The id of the library subroutine.
    pub fn id(self) -> &'static str {
        match self {
            PuyaLibFunction::EnsureBudget => "_puya_lib.util.ensure_budget",
            PuyaLibFunction::IsSubstring => "_puya_lib.bytes_.is_substring",
        }
    }
    /// Names of the parameters.
    pub fn params(self) -> [&'static str; 2] {
        match self {
            PuyaLibFunction::EnsureBudget => ["required_budget", "fee_source"],
            PuyaLibFunction::IsSubstring => ["item", "sequence"],
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_found_by_their_spelling() {
        assert_eq!(UInt64BinaryOperator::of("**"), Some(UInt64BinaryOperator::Pow));
        assert_eq!(BigUIntBinaryOperator::of("**"), None);
    }
}
