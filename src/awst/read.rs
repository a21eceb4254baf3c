//! AWST JSON -> root nodes: the entry point and the walk through the document. What references stand for
//! is found in `read_references.rs`, what is known of equal objects is kept in `read_memory.rs`. Declarations
//! are read in `read_decl.rs`, statements in `read_stmt.rs`, expressions in `read_expr.rs` and `read_data.rs`,
//! types in `read_wtype.rs`, scalars in `read_scalar.rs`.
//!
//! Fields are read in the reference's order, because it decides which mistake is reported first: of one
//! object first the fields with defaults that are present, then the required ones, each group in
//! declaration order; then the checks of the object itself. Reading stops at the first failure;
//! checks that only report go on. Spec 10 §5 to §13.

use super::decl::RootNode;
use super::mentions::Mentions;
use super::read_memory::{Known, Memo, Memory};
use super::read_references::Definitions;
use super::read_scalar::{class_of, hashable, repr_of};
use super::read_words::{Key, Object, Tag};
use super::wtypes::{WTypeId, WTypes};
use crate::base::source::Loc;
use crate::base::text::repr;
use crate::diagnostics::{self, Failure};
use crate::json::tree::Values;
use crate::json::{DEPTH_MAX, Json, Kind};
use crate::session::Session;

pub(super) const ID_KEY: &str = Key::ObjectId.text();

/// After how many nodes the stop check is asked.
const NODES_PER_STOP_CHECK: u32 = 4096;

/// How much of the way to a mistake is told.
const PLACE_STEPS_MAX: usize = 200;

/// Why a document could not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ReadFailure {
    /// What the reference says.
    pub failure: Failure,
    place: String,
    explanation: Option<String>,
}

impl ReadFailure {
    /// Where in the document reading stopped: `awst[3].body.body[0].value.wtype`.
    pub fn place(&self) -> &str {
        &self.place
    }
    /// What is wrong there in words of the document, where the reference's message is no more than a
    /// name: `unknown type "Foo"`.
    pub fn explanation(&self) -> Option<&str> {
        self.explanation.as_deref()
    }
}

impl From<ReadFailure> for Failure {
    fn from(read_failure: ReadFailure) -> Self {
        read_failure.failure
    }
}

/// Reads the root nodes of a document.
pub fn read<'s>(
    session: &Session<'s>,
    wtypes: &WTypes<'s>,
    document: Json<'s>,
) -> Result<&'s [RootNode<'s>], ReadFailure> {
    let memory = Memory::new(document.values());
    let mut reader = Reader::new(session, wtypes, document.values(), memory);
    reader.adds_locs = session.locs.is_empty();
    // close to every second object is the location of the others
    session.locs.expect(document.values().object_count() / 2);
    let roots = Definitions::gather(document, &mut reader.memory.words, session.arena);
    let roots = roots.and_then(|definitions| {
        reader.definitions = definitions;
        reader.roots(document)
    });
    roots.map_err(|failure| {
        let explanation = reader.explain(document, &failure);
        ReadFailure { failure: *failure, place: reader.place(), explanation }
    })
}

/// Reads the root nodes of a value among others of one document, which has no references. What equal
/// objects were read as is remembered from value to value.
pub(super) fn read_part<'s>(
    session: &Session<'s>,
    wtypes: &WTypes<'s>,
    part: Json<'s>,
    memory: &mut Memory<'s>,
) -> diagnostics::Outcome<&'s [RootNode<'s>]> {
    let mut reader = Reader::new(session, wtypes, part.values(), std::mem::take(memory));
    let roots = reader.roots(part);
    *memory = reader.memory;
    roots.map_err(|failure| *failure)
}

/// A value of the document.
pub(super) type J<'s> = Json<'s>;

/// The result of reading something. Most of what is read fits in a register, so failures are elsewhere.
pub(super) type Outcome<T> = Result<T, Box<Failure>>;

/// The failure of a mistake in the program.
#[cold]
pub(super) fn mistake(message: impl Into<String>, loc: Loc) -> Box<Failure> {
    Box::new(Failure::code(message, loc))
}

/// The failure of a node that no front end should write.
#[cold]
pub(super) fn broken(message: impl Into<String>, loc: Loc) -> Box<Failure> {
    Box::new(Failure::internal(message, loc))
}

/// The failure of a value that its Python class refuses (`ValueError`, `TypeError`).
pub(super) fn refuses(message: impl std::fmt::Display) -> Box<Failure> {
    broken(format!("invalid value encountered during deserialization: {message}"), Loc::NONE)
}

/// The failure of everything else (missing keys, assertions).
pub(super) fn fails(message: impl std::fmt::Display) -> Box<Failure> {
    broken(format!("deserialization failed: {message}"), Loc::NONE)
}

/// A step from the root of the document to the value being read.
#[derive(Clone, Copy)]
pub(super) enum Step<'s> {
    Key(&'s str),
    Index(usize),
}

/// The failure of objects that are nested too deeply, or in themselves.
fn too_deep() -> Box<Failure> {
    fails("maximum recursion depth exceeded")
}

/// The state of reading one document.
pub(super) struct Reader<'r, 's> {
    pub(super) session: &'r Session<'s>,
    pub(super) wtypes: &'r WTypes<'s>,
    document: &'s Values<'s>,
    definitions: Definitions<'s>,
    /// The way to the value that could not be read, from its end to the root.
    path: Vec<Step<'s>>,
    depth: usize,
    /// The greatest depth since the innermost object that will be remembered began.
    deepest: usize,
    nodes: u32,
    /// What was read of the innermost body or single evaluation mentions so far.
    pub(super) mentions: Mentions,
    /// Whether all locations so far are from this document.
    pub(super) adds_locs: bool,
    /// How many single evaluations came without an id.
    pub(super) nameless_evaluations: u64,
    pub(super) memory: Memory<'s>,
}

impl<'r, 's> Reader<'r, 's> {
    fn new(
        session: &'r Session<'s>,
        wtypes: &'r WTypes<'s>,
        document: &'s Values<'s>,
        memory: Memory<'s>,
    ) -> Self {
        Self {
            session,
            wtypes,
            document,
            definitions: Definitions::default(),
            path: Vec::new(),
            depth: 0,
            deepest: 0,
            nodes: 0,
            mentions: Mentions::default(),
            adds_locs: false,
            nameless_evaluations: 0,
            memory,
        }
    }
}

impl<'s> Reader<'_, 's> {
    fn place(&self) -> String {
        let mut place = "awst".to_owned();
        for (index, step) in self.path.iter().rev().enumerate() {
            if index == PLACE_STEPS_MAX {
                place.push_str("...");
                break;
            }
            match step {
                Step::Key(key) => {
                    place.push('.');
                    place.push_str(key);
                }
                Step::Index(index) => place.push_str(&format!("[{index}]")),
            }
        }
        place
    }

    /// A failed look-up names what was looked up: the tag of the object being read, or a member that
    /// it does not have.
    fn explain(&self, document: J<'s>, failure: &Failure) -> Option<String> {
        let Failure::Internal(message, _) = failure else { return None };
        let name = message.strip_prefix("deserialization failed: '")?.strip_suffix('\'')?;
        let value = self.path.iter().rev().try_fold(document, |json, step| match step {
            Step::Key(key) => json.get(key),
            Step::Index(index) => json.as_array()?.get(*index),
        })?;
        let tag = value.get("_type").and_then(Json::as_str);
        value.as_object()?;
        if tag == Some(name) {
            Some(format!("unknown type \"{name}\""))
        } else {
            value.get(name).is_none().then(|| format!("no member \"{name}\""))
        }
    }

    // ---- what is known ----

    /// What stands for a string of the document among all that are equal to it.
    #[inline]
    pub(super) fn text_id(&self, json: J<'s>) -> Option<usize> {
        json.text_id().filter(|_| std::ptr::eq(json.values(), self.document))
    }
    /// What `read` makes of an object, or made of an equal one without a message.
    #[inline]
    pub(super) fn remembered<T: Copy>(
        &mut self,
        memo: for<'m> fn(&'m mut Memory<'s>) -> &'m mut Memo<T>,
        json: J<'s>,
        read: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Outcome<T> {
        let Some(object) = json.object_id() else { return read(self) };
        let Some(known) = memo(&mut self.memory).get(object) else {
            return self.newly_remembered(memo, object, read);
        };
        self.again(known)
    }
    /// What is known, in another place.
    #[inline]
    fn again<T>(&mut self, known: Known<T>) -> Outcome<T> {
        // references may hang an object below others at any depth
        let deepest = self.depth + known.height as usize;
        if deepest > DEPTH_MAX {
            return Err(too_deep());
        }
        self.deepest = self.deepest.max(deepest);
        Ok(known.made)
    }
    fn newly_remembered<T: Copy>(
        &mut self,
        memo: for<'m> fn(&'m mut Memory<'s>) -> &'m mut Memo<T>,
        object: usize,
        read: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Outcome<T> {
        let effects = (self.session.sink.len(), self.nameless_evaluations);
        let deepest_elsewhere = std::mem::replace(&mut self.deepest, self.depth);
        let made = read(self)?;
        if (self.session.sink.len(), self.nameless_evaluations) == effects {
            let height =
                u32::try_from(self.deepest - self.depth).expect("no deeper than the limit");
            let objects = self.document.object_count();
            memo(&mut self.memory).insert(object, objects, Known { made, height });
        }
        self.deepest = self.deepest.max(deepest_elsewhere);
        Ok(made)
    }
    /// The type that `read` makes of an object, or made of one that is equal but for its id.
    #[inline]
    pub(super) fn remembered_type(
        &mut self,
        json: J<'s>,
        read: impl FnOnce(&mut Self) -> Outcome<WTypeId>,
    ) -> Outcome<WTypeId> {
        self.remembered(
            |memory| &mut memory.wtypes,
            json,
            |reader| {
                let Some(id_slot) = reader.object(json).slot(Key::ObjectId) else {
                    return read(reader);
                };
                let Memory { wtypes, type_twins, .. } = &mut reader.memory;
                let twin = type_twins.find_or_insert(json, id_slot);
                match twin.and_then(|twin| wtypes.get(twin)) {
                    Some(known) => reader.again(known),
                    None => read(reader),
                }
            },
        )
    }
    /// Whether objects may stand in several places of the document by reference.
    pub(super) fn has_references(&self) -> bool {
        !self.definitions.is_empty()
    }

    // ---- walking the document ----

    /// Reads something below the current value, unless it is nested too deeply to be finite.
    pub(super) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Outcome<T>) -> Outcome<T> {
        if self.depth >= DEPTH_MAX {
            return Err(too_deep());
        }
        self.nodes += 1;
        if self.nodes.is_multiple_of(NODES_PER_STOP_CHECK) {
            self.session.check_stop()?;
        }
        self.depth += 1;
        self.deepest = self.deepest.max(self.depth);
        let out = read(self)?;
        self.depth -= 1;
        Ok(out)
    }
    /// Reads something, and tells what it mentions.
    pub(super) fn gathering<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Outcome<T>,
    ) -> Outcome<(T, Mentions)> {
        let outside = std::mem::take(&mut self.mentions);
        let out = read(self)?;
        Ok((out, std::mem::replace(&mut self.mentions, outside)))
    }
    #[inline]
    pub(super) fn at<T>(
        &mut self,
        step: Step<'s>,
        json: J<'s>,
        read: impl FnOnce(&mut Self, J<'s>) -> Outcome<T>,
    ) -> Outcome<T> {
        let json = self.definitions.resolve(json);
        read(self, json).map_err(|failure| self.failed_below(step, failure))
    }
    #[cold]
    fn failed_below(&mut self, step: Step<'s>, failure: Box<Failure>) -> Box<Failure> {
        self.path.push(step);
        failure
    }
    #[inline(always)]
    fn in_field<T>(
        &mut self,
        key: Key,
        json: J<'s>,
        read: impl FnOnce(&mut Self, J<'s>) -> Outcome<T>,
    ) -> Outcome<T> {
        let json = self.definitions.resolve(json);
        read(self, json).map_err(|failure| self.failed_below(Step::Key(key.text()), failure))
    }
    /// An object with the places of its members.
    #[inline]
    pub(super) fn object(&mut self, json: J<'s>) -> Object<'s> {
        self.memory.words.object(json, self.session.arena)
    }
    /// Reads a field that must be present.
    #[inline]
    pub(super) fn field<T>(
        &mut self,
        object: Object<'s>,
        key: Key,
        read: impl FnOnce(&mut Self, J<'s>) -> Outcome<T>,
    ) -> Outcome<T> {
        match object.member(key) {
            Some(value) => self.in_field(key, value, read),
            None => Err(no_field(object.json(), key)),
        }
    }
    /// Reads a field that may be absent.
    #[inline]
    pub(super) fn optional_field<T>(
        &mut self,
        object: Object<'s>,
        key: Key,
        read: impl FnOnce(&mut Self, J<'s>) -> Outcome<T>,
    ) -> Outcome<Option<T>> {
        if let Some(value) = object.member(key) {
            return self.in_field(key, value, read).map(Some);
        }
        if object.json().is_object() { Ok(None) } else { no_optional_field(object.json()) }
    }
    /// Reads a value that may be null.
    #[inline]
    pub(super) fn nullable<T>(
        &mut self,
        json: J<'s>,
        read: impl FnOnce(&mut Self, J<'s>) -> Outcome<T>,
    ) -> Outcome<Option<T>> {
        if json.is_null() { Ok(None) } else { read(self, json).map(Some) }
    }
    /// The items of a list. Like Python, takes the characters of a string and the keys of an object
    /// for items.
    fn items(&self, json: J<'s>) -> Outcome<Vec<J<'s>>> {
        let arena = self.session.arena;
        let text = |text| Json::string(text, arena);
        Ok(match json.kind() {
            Kind::Array(items) => items.iter().collect(),
            Kind::Object(members) => members.keys().map(text).collect(),
            Kind::String(characters) => {
                let each = characters.char_indices();
                each.map(|(at, c)| text(&characters[at..at + c.len_utf8()])).collect()
            }
            Kind::Null | Kind::Bool(_) | Kind::Int(_) | Kind::Number(_) => {
                return Err(refuses(format!("'{}' object is not iterable", class_of(json))));
            }
        })
    }
    /// Reads each item of a list into the arena.
    pub(super) fn slice<T>(
        &mut self,
        json: J<'s>,
        mut read: impl FnMut(&mut Self, J<'s>) -> Outcome<T>,
    ) -> Outcome<&'s [T]> {
        if let Some(items) = json.as_array() {
            return self.slice_of(items.len(), |index| items.get(index), &mut read);
        }
        let items = self.items(json)?;
        self.slice_of(items.len(), |index| items.get(index).copied(), &mut read)
    }
    #[inline]
    fn slice_of<T>(
        &mut self,
        len: usize,
        item: impl Fn(usize) -> Option<J<'s>>,
        mut read: impl FnMut(&mut Self, J<'s>) -> Outcome<T>,
    ) -> Outcome<&'s [T]> {
        if len == 0 {
            return Ok(&[]);
        }
        self.session.arena.try_slice(len, |index| {
            let item = item(index).expect("there are so many");
            self.at(Step::Index(index), item, &mut read)
        })
    }
    /// Reads each member of a map into the arena.
    pub(super) fn map<K, V>(
        &mut self,
        json: J<'s>,
        mut read_key: impl FnMut(&mut Self, &'s str) -> Outcome<K>,
        mut read: impl FnMut(&mut Self, J<'s>) -> Outcome<V>,
    ) -> Outcome<&'s [(K, V)]> {
        let Kind::Object(members) = json.kind() else {
            return Err(fails(format!("'{}' object has no attribute 'items'", class_of(json))));
        };
        let mut out = self.session.arena.list(members.len());
        for (key, value) in members.iter() {
            if key == ID_KEY && !self.definitions.is_empty() {
                continue;
            }
            out.push(self.at(Step::Key(key), value, |reader, value| {
                Ok((read_key(reader, key)?, read(reader, value)?))
            })?);
        }
        Ok(out.into_bump_slice())
    }
    /// The class a tagged object names.
    #[inline]
    pub(super) fn tag(&mut self, object: Object<'s>) -> Outcome<Tag> {
        match self.memory.words.known_tag(object) {
            Some(tag) => Ok(tag),
            None => self.other_tag(object),
        }
    }
    #[inline(never)]
    fn other_tag(&mut self, object: Object<'s>) -> Outcome<Tag> {
        self.field(object, Key::Tag, |reader, name| {
            if let Some(tag) = reader.memory.words.tag(name) {
                return Ok(tag);
            }
            hashable(name)?;
            Err(fails(repr_of(name)))
        })
    }
    /// The failure of an object tagged with a class that has no place here.
    #[cold]
    pub(super) fn unknown_tag(&mut self, object: Object<'s>) -> Box<Failure> {
        let name = object.member(Key::Tag).and_then(Json::as_str);
        fails(repr(name.unwrap_or_default()))
    }
    /// A text or null.
    pub(super) fn nullable_text(&mut self, json: J<'s>) -> Outcome<Option<&'s str>> {
        self.nullable(json, Self::text)
    }
    /// The location every node has.
    #[inline]
    pub(super) fn loc_field(&mut self, object: Object<'s>) -> Outcome<Loc> {
        self.field(object, Key::SourceLocation, Self::loc)
    }
    /// Whether an untagged object has the key that tells its class.
    pub(super) fn has_key(&self, object: Object<'s>, key: Key) -> Outcome<bool> {
        if object.json().is_object() {
            Ok(object.member(key).is_some())
        } else {
            Err(refuses("Only input mappings are supported"))
        }
    }
    /// The failure of an object tagged with a class that has no objects.
    pub(super) fn abstract_node(&mut self, tag: Tag, object: Object<'s>) -> Box<Failure> {
        let mut fields = self.loc_field(object).map(drop);
        if tag == Tag::Expression {
            fields = fields.and_then(|()| self.field(object, Key::Wtype, Self::wtype).map(drop));
        }
        let methods =
            if tag == Tag::RootNode { "methods 'accept', 'id'" } else { "method 'accept'" };
        let class = tag.text();
        fields.err().unwrap_or_else(|| {
            refuses(format!(
                "Can't instantiate abstract class {class} without an implementation for abstract \
                 {methods}"
            ))
        })
    }
}

#[cold]
fn no_optional_field<T>(json: J<'_>) -> Outcome<Option<T>> {
    match json.kind() {
        Kind::Object(_) | Kind::String(_) | Kind::Array(_) => Ok(None),
        _ => Err(refuses(format!("argument of type '{}' is not iterable", class_of(json)))),
    }
}

#[cold]
fn no_field(json: J<'_>, key: Key) -> Box<Failure> {
    match json.kind() {
        Kind::Object(_) => fails(repr(key.text())),
        Kind::String(_) => refuses("string indices must be integers, not 'str'"),
        Kind::Array(_) => refuses("list indices must be integers or slices, not str"),
        _ => refuses(format!("'{}' object is not subscriptable", class_of(json))),
    }
}

#[cfg(test)]
pub(super) mod tests;
#[cfg(test)]
mod write_back;
