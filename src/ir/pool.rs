//! Interned data that IR refers to by id: encodings, tuple types, byte strings, references to compiled
//! programs, headers of subroutines. Everything lives as long as the compilation.

use std::cell::RefCell;

use crate::avm::fields::TxnField;
use crate::base::arena::{Arena, Symbol};
use crate::base::entity::EntityId;
use crate::base::ordered::LookupMap;
use crate::define_id;

use super::op::Value;
use super::types::{Encoding, EncodingFacts, EncodingId, IrType, Shape, TupleType, TupleTypeId};

define_id!(
    /// An interned byte string.
    pub struct BytesId, "bytes"
);
/// A reference to something of another compiled artifact; see [`CompiledRef`]. Equality is that of
/// values, which leaves locations out; each occurrence still finds its own.
#[derive(Clone, Copy, Debug)]
pub struct CompiledRefId {
    class: u32,
    occurrence: u32,
}

impl PartialEq for CompiledRefId {
    fn eq(&self, other: &Self) -> bool {
        self.class == other.class
    }
}
impl Eq for CompiledRefId {}
impl std::hash::Hash for CompiledRefId {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.class.hash(state);
    }
}

define_id!(
    /// A subroutine as its callers see it; see [`Header`]. Ids order by creation.
    pub struct SubId, "sub"
);

/// Which fact of a compiled artifact a [`CompiledRef`] stands for.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum CompiledField {
    /// A transaction field of a contract's create call, with the page number where it is a program.
    Contract {
        /// `ApprovalProgramPages`, `GlobalNumUint`, ….
        field: TxnField,
        /// Which 4096-byte page of the program.
        program_page: Option<u32>,
    },
    /// The address of a logic signature.
    LogicSigAddress,
}

/// A reference to a fact of another artifact, known once that artifact is compiled.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CompiledRef<'s> {
    /// Type of the value.
    pub ty: IrType,
    /// Id of the artifact.
    pub artifact: Symbol,
    /// Which fact.
    pub field: CompiledField,
    /// Values of the artifact's template variables (full names), in source order.
    pub template_variables: &'s [(Symbol, Value)],
}

/// What a call needs to know of its target. Immutable once made, so a call names its target by
/// [`SubId`] and survives copies of the body.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Header<'s> {
    /// Full name, as it stands in dumps. Not unique: the main subroutine of a program has the name of
    /// the method it was built from.
    pub id: Symbol,
    /// Short name, for labels.
    pub short_name: Symbol,
    /// All results, implicit ones included.
    pub returns: &'s [IrType],
    /// Whether a call whose results are unused may be removed.
    pub pure: bool,
}

/// Interned data of one compilation. Grows behind a shared reference; ids stay valid.
pub struct Pool<'s> {
    arena: &'s Arena,
    encodings: RefCell<Vec<EncodingFacts<'s>>>,
    encoding_ids: RefCell<LookupMap<Encoding<'s>, EncodingId>>,
    tuples: RefCell<Vec<TupleType<'s>>>,
    tuple_ids: RefCell<LookupMap<TupleType<'s>, TupleTypeId>>,
    bytes: RefCell<Vec<&'s [u8]>>,
    bytes_ids: RefCell<LookupMap<&'s [u8], BytesId>>,
    compiled: RefCell<Vec<CompiledRef<'s>>>,
    compiled_ids: RefCell<LookupMap<CompiledRef<'s>, u32>>,
    headers: RefCell<Vec<Header<'s>>>,
    /// Elements of [`Encoding::Bool8`] seen as a tuple.
    pub bool8_elements: &'s [EncodingId],
}

impl<'s> Pool<'s> {
    /// An empty pool that keeps its data in `arena`.
    pub fn new(arena: &'s Arena) -> Self {
        let mut pool = Self {
            arena,
            encodings: RefCell::default(),
            encoding_ids: RefCell::default(),
            tuples: RefCell::default(),
            tuple_ids: RefCell::default(),
            bytes: RefCell::default(),
            bytes_ids: RefCell::default(),
            compiled: RefCell::default(),
            compiled_ids: RefCell::default(),
            headers: RefCell::default(),
            bool8_elements: &[],
        };
        pool.bool8_elements = arena.slice(&[pool.intern_encoding(Encoding::Bool)]);
        pool
    }

    /// The id of an encoding whose slices already live in the arena.
    fn intern_encoding(&self, encoding: Encoding<'s>) -> EncodingId {
        if let Some(id) = self.encoding_ids.borrow().get(&encoding) {
            return *id;
        }
        let facts = EncodingFacts {
            encoding,
            num_bits: self.num_bits(encoding),
            name: self.arena.str(&self.encoding_name(encoding)),
        };
        let mut encodings = self.encodings.borrow_mut();
        let id = EncodingId::new(encodings.len());
        encodings.push(facts);
        self.encoding_ids.borrow_mut().insert(encoding, id);
        id
    }
    fn num_bits(&self, encoding: Encoding<'s>) -> Option<u64> {
        match encoding {
            Encoding::Bool => Some(1),
            Encoding::UInt(bits) => Some(u64::from(bits)),
            Encoding::Utf8 | Encoding::Bool8 => Some(8),
            Encoding::Tuple(elements) => {
                let mut total = 0u64;
                for element in elements {
                    let element = self.encoding(*element);
                    if matches!(element.encoding, Encoding::Bool) {
                        total = total.saturating_add(1);
                    } else {
                        let bytes = element.num_bytes()?;
                        total = total.div_ceil(8).saturating_add(bytes).saturating_mul(8);
                    }
                }
                Some(total.div_ceil(8).saturating_mul(8))
            }
            Encoding::Array { element, size, .. } => {
                let bits = self.encoding(element).num_bits?.saturating_mul(size?);
                Some(bits.div_ceil(8).saturating_mul(8))
            }
        }
    }
    fn encoding_name(&self, encoding: Encoding<'s>) -> String {
        match encoding {
            Encoding::Bool => "bool1".to_owned(),
            Encoding::UInt(bits) => format!("uint{bits}"),
            Encoding::Utf8 => "utf8".to_owned(),
            Encoding::Bool8 => "bool8".to_owned(),
            Encoding::Tuple(elements) => {
                let names: Vec<&str> = elements.iter().map(|e| self.encoding(*e).name).collect();
                format!("({})", names.join(","))
            }
            Encoding::Array { element, size, length_header } => {
                let element = self.encoding(element).name;
                match (size, length_header) {
                    (Some(size), _) => format!("{element}[{size}]"),
                    (None, false) => format!("{element}[]"),
                    (None, true) => format!("(len+{element}[])"),
                }
            }
        }
    }
    /// One bit.
    pub fn bool_encoding(&self) -> EncodingId {
        self.intern_encoding(Encoding::Bool)
    }
    /// A bool in a byte of its own.
    pub fn bool8_encoding(&self) -> EncodingId {
        self.intern_encoding(Encoding::Bool8)
    }
    /// A byte of UTF-8 text.
    pub fn utf8_encoding(&self) -> EncodingId {
        self.intern_encoding(Encoding::Utf8)
    }
    /// A big-endian unsigned integer.
    pub fn uint_encoding(&self, bits: u32) -> EncodingId {
        self.intern_encoding(Encoding::UInt(bits))
    }
    /// A tuple of these elements.
    pub fn tuple_encoding(&self, elements: &[EncodingId]) -> EncodingId {
        if let Some(id) = self.encoding_ids.borrow().get(&Encoding::Tuple(elements)) {
            return *id;
        }
        self.intern_encoding(Encoding::Tuple(self.arena.slice(elements)))
    }
    /// An array whose size depends on the value, with or without a length header.
    pub fn dynamic_array_encoding(&self, element: EncodingId, length_header: bool) -> EncodingId {
        self.intern_encoding(Encoding::Array { element, size: None, length_header })
    }
    /// An array of a fixed number of elements.
    pub fn fixed_array_encoding(&self, element: EncodingId, size: u64) -> EncodingId {
        self.intern_encoding(Encoding::Array { element, size: Some(size), length_header: false })
    }
    /// An encoding and what follows from it.
    pub fn encoding(&self, id: EncodingId) -> EncodingFacts<'s> {
        self.encodings.borrow()[id.index()]
    }

    /// The id of a tuple type.
    pub fn tuple_type(&self, elements: &[Shape], fields: Option<&[Symbol]>) -> TupleTypeId {
        if let Some(id) = self.tuple_ids.borrow().get(&TupleType { elements, fields }) {
            return *id;
        }
        let kept = TupleType {
            elements: self.arena.slice(elements),
            fields: fields.map(|fields| self.arena.slice(fields)),
        };
        let mut tuples = self.tuples.borrow_mut();
        let id = TupleTypeId::new(tuples.len());
        tuples.push(kept);
        self.tuple_ids.borrow_mut().insert(kept, id);
        id
    }
    /// A tuple type.
    pub fn tuple(&self, id: TupleTypeId) -> TupleType<'s> {
        self.tuples.borrow()[id.index()]
    }
    /// An unnamed tuple type of single values.
    pub fn tuple_of(&self, types: impl IntoIterator<Item = IrType>) -> TupleTypeId {
        let elements: Vec<Shape> = types.into_iter().map(Shape::One).collect();
        self.tuple_type(&elements, None)
    }

    /// The id of a byte string.
    pub fn bytes_id(&self, data: &[u8]) -> BytesId {
        if let Some(id) = self.bytes_ids.borrow().get(data) {
            return *id;
        }
        let kept = self.arena.slice(data);
        let mut bytes = self.bytes.borrow_mut();
        let id = BytesId::new(bytes.len());
        bytes.push(kept);
        self.bytes_ids.borrow_mut().insert(kept, id);
        id
    }
    /// A byte string.
    pub fn bytes(&self, id: BytesId) -> &'s [u8] {
        self.bytes.borrow()[id.index()]
    }

    /// The id of a reference to a compiled artifact.
    pub fn compiled_ref_id(
        &self,
        ty: IrType,
        artifact: Symbol,
        field: CompiledField,
        template_variables: &[(Symbol, Value)],
    ) -> CompiledRefId {
        let seen = CompiledRef { ty, artifact, field, template_variables };
        let mut compiled = self.compiled.borrow_mut();
        let class = self.compiled_ids.borrow().get(&seen).copied();
        if let Some(class) = class {
            let known = compiled[class as usize].template_variables;
            if known.iter().zip(template_variables).all(|(a, b)| a.1.loc() == b.1.loc()) {
                return CompiledRefId { class, occurrence: class };
            }
        }
        let kept = CompiledRef { template_variables: self.arena.slice(template_variables), ..seen };
        let occurrence = u32::try_from(compiled.len()).expect("fewer than 2^32 references");
        compiled.push(kept);
        let class = class.unwrap_or_else(|| {
            self.compiled_ids.borrow_mut().insert(kept, occurrence);
            occurrence
        });
        CompiledRefId { class, occurrence }
    }
    /// Whether there is any reference to a compiled artifact.
    pub fn has_compiled_refs(&self) -> bool {
        !self.compiled.borrow().is_empty()
    }
    /// A reference to a compiled artifact.
    pub fn compiled_ref(&self, id: CompiledRefId) -> CompiledRef<'s> {
        self.compiled.borrow()[id.occurrence as usize]
    }

    /// Makes a new subroutine known to its callers; never the same id twice.
    pub fn new_sub(&self, id: Symbol, short_name: Symbol, returns: &[IrType], pure: bool) -> SubId {
        let mut headers = self.headers.borrow_mut();
        let sub = SubId::new(headers.len());
        headers.push(Header { id, short_name, returns: self.arena.slice(returns), pure });
        sub
    }
    /// How many subroutines are known.
    pub fn sub_count(&self) -> usize {
        self.headers.borrow().len()
    }
    /// What callers know of a subroutine.
    pub fn header(&self, sub: SubId) -> Header<'s> {
        self.headers.borrow()[sub.index()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn encodings_are_interned_with_their_size_and_name() {
        let arena = Arena::new();
        let pool = Pool::new(&arena);
        let byte = pool.uint_encoding(8);
        let text = pool.dynamic_array_encoding(byte, true);
        let bit = pool.bool_encoding();
        let tuple = pool.tuple_encoding(&[bit, bit, byte, text]);
        assert_eq!(pool.encoding(tuple).name, "(bool1,bool1,uint8,(len+uint8[]))");
        assert_eq!(pool.encoding(tuple).num_bits, None);
        let fixed = pool.tuple_encoding(&[bit, byte, bit]);
        assert_eq!(pool.encoding(fixed).num_bytes(), Some(3));
        assert_eq!(pool.tuple_encoding(&[bit, byte, bit]), fixed);
        assert_ne!(pool.tuple_encoding(&[bit]), pool.bool8_encoding());
        assert_eq!(IrType::Encoded(tuple).name(&pool), "Encoded(bool1,bool1,uint8,(len+uint8[]))");
        assert_eq!(IrType::Slot(text).name(&pool), "Encoded(len+uint8[])*");
    }
}
