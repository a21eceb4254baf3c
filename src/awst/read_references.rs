//! References between objects of a document: ids -> the objects that have them.

use super::read::{J, Outcome, fails};
use super::read_scalar::{hashable, lookup_key, number_of, repr_of};
use super::read_words::{Key, Words};
use crate::base::arena::Arena;
use crate::base::ordered::LookupMap;

/// The objects of a document that others refer to.
#[derive(Default)]
pub(super) struct Definitions<'s> {
    count: usize,
    /// By small numbers, as front ends have them.
    by_number: Vec<Option<J<'s>>>,
    /// By other ids.
    by_key: LookupMap<String, J<'s>>,
    /// The ids that objects refer to, in order, without what is inside of objects that refer themselves.
    references: Vec<J<'s>>,
    /// All objects that refer, and the ids they refer to.
    referring: Vec<(usize, J<'s>)>,
    /// Whether an object has neither ids nor references in it, by object.
    is_plain: Vec<bool>,
    /// By object, one more than the place of what it stands for; 0 where it stands for itself.
    places: Vec<u32>,
    targets: Vec<J<'s>>,
}

impl<'s> Definitions<'s> {
    /// What the objects of a document define and stand for.
    pub(super) fn gather(
        document: J<'s>,
        words: &mut Words<'s>,
        arena: &'s Arena,
    ) -> Outcome<Self> {
        let mut all = Self::default();
        if words.may_be_marked(document.values()) {
            let objects = document.values().object_count();
            all.by_number = vec![None; objects];
            all.is_plain = vec![false; objects];
            all.places = vec![0; objects];
            // close to every second object refers to another where objects are written once
            all.references.reserve(objects / 2);
            all.referring.reserve(objects / 2);
            all.define(document, words, arena)?;
            all.check()?;
            all.resolve_all();
        }
        Ok(all)
    }
    /// True where no object has an id.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }
    /// The object a reference stands for; any other value itself.
    #[inline]
    pub(super) fn resolve(&self, json: J<'s>) -> J<'s> {
        if self.is_empty() {
            return json;
        }
        let Some(object) = json.object_id() else { return json };
        match self.places[object] {
            0 => json,
            place => self.targets[place as usize - 1],
        }
    }

    /// Defines what is in an array or object that is not known to be plain; true where there is nothing with
    /// an id or a reference.
    fn define(&mut self, json: J<'s>, words: &mut Words<'s>, arena: &'s Arena) -> Outcome<bool> {
        let (Some(place), Some(members)) = (json.object_id(), json.as_object()) else {
            let mut is_plain = true;
            for item in json.as_array().into_iter().flat_map(|items| items.iter()) {
                is_plain &= self.is_known_plain(item) || self.define(item, words, arena)?;
            }
            return Ok(is_plain);
        };
        let object = words.object(json, arena);
        let id_at = |key| object.member(key).filter(|id| !id.is_null());
        let (id, reference) = if object.is_marked() {
            (id_at(Key::ObjectId), id_at(Key::Reference))
        } else {
            (None, None)
        };
        if let Some(id) = id {
            hashable(id)?;
            if !self.insert(id, json) {
                return Err(fails(format!("{} was defined multiple times", named_by(id))));
            }
        }
        if let Some(id) = reference {
            self.references.push(id);
            self.referring.push((place, id));
        }
        let seen = self.references.len();
        let mut is_plain = id.is_none() && reference.is_none();
        for value in members.values() {
            if !self.is_known_plain(value) && !self.define(value, words, arena)? {
                is_plain = false;
            }
        }
        if reference.is_some() {
            // what a reference has inside of it is not looked at where it stands
            self.references.truncate(seen);
        }
        self.is_plain[place] = is_plain;
        Ok(is_plain)
    }
    /// Whether a value is known to have no ids and references in it.
    #[inline]
    fn is_known_plain(&self, json: J<'s>) -> bool {
        json.is_scalar() || json.object_id().is_some_and(|place| self.is_plain[place])
    }
    /// The place of what an id defines, if it has one by number.
    fn place(&self, id: J<'s>) -> Option<usize> {
        let number = id.as_u32().map(u64::from).or_else(|| number_of(id))?;
        let place = usize::try_from(number).ok()?;
        (place < self.by_number.len()).then_some(place)
    }
    /// Defines an object; false where the id was defined before.
    fn insert(&mut self, id: J<'s>, object: J<'s>) -> bool {
        self.count += 1;
        match self.place(id) {
            Some(place) => self.by_number[place].replace(object).is_none(),
            None => self.by_key.insert(lookup_key(id), object).is_none(),
        }
    }
    fn get(&self, id: J<'s>) -> Option<J<'s>> {
        match self.place(id) {
            Some(place) => self.by_number[place],
            None => self.by_key.get(&lookup_key(id)).copied(),
        }
    }
    fn check(&self) -> Outcome<()> {
        for id in &self.references {
            if self.get(*id).is_none() {
                hashable(*id)?;
                return Err(fails(format!("{} was not defined", named_by(*id))));
            }
        }
        Ok(())
    }
    fn resolve_all(&mut self) {
        self.targets.reserve(self.referring.len());
        for (object, id) in std::mem::take(&mut self.referring) {
            if let Some(target) = self.get(id) {
                self.targets.push(target);
                let place = u32::try_from(self.targets.len()).expect("fewer than 2^32 values");
                self.places[object] = place;
            }
        }
    }
}

/// An id as messages have it.
fn named_by(id: J<'_>) -> String {
    id.as_str().map_or_else(|| repr_of(id), str::to_owned)
}
