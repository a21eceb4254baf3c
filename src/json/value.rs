//! A small tree for what we write ourselves: specifications, answers, log lines.

use std::borrow::Cow;

use super::tree::{Json, Kind};

/// A JSON value. Members of an object keep the order they are given in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value<'v> {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number by its text.
    Number(Cow<'v, str>),
    /// A string.
    String(Cow<'v, str>),
    /// The string that is the base64 form of these bytes.
    Base64(Cow<'v, [u8]>),
    /// The items in order.
    Array(Vec<Value<'v>>),
    /// The members in order.
    Object(Vec<(Cow<'v, str>, Value<'v>)>),
}

impl<'v> Value<'v> {
    /// An object out of names and values.
    pub fn object<K: Into<Cow<'v, str>>>(fields: impl IntoIterator<Item = (K, Self)>) -> Self {
        Value::Object(fields.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }
    /// An array out of values.
    pub fn array<V: Into<Self>>(items: impl IntoIterator<Item = V>) -> Self {
        Value::Array(items.into_iter().map(Into::into).collect())
    }
    /// A string that holds bytes in base64.
    pub fn base64(bytes: impl Into<Cow<'v, [u8]>>) -> Self {
        Value::Base64(bytes.into())
    }
    /// The member of an object with this name.
    pub fn get(&self, key: &str) -> Option<&Self> {
        match self {
            Value::Object(fields) => {
                fields.iter().find(|field| field.0 == key).map(|field| &field.1)
            }
            _ => None,
        }
    }
    /// The same value without anything borrowed.
    pub fn into_owned(self) -> Value<'static> {
        let owned = |text: Cow<'v, str>| Cow::Owned(text.into_owned());
        match self {
            Value::Null => Value::Null,
            Value::Bool(value) => Value::Bool(value),
            Value::Number(text) => Value::Number(owned(text)),
            Value::String(text) => Value::String(owned(text)),
            Value::Base64(bytes) => Value::Base64(Cow::Owned(bytes.into_owned())),
            Value::Array(items) => Value::array(items.into_iter().map(Value::into_owned)),
            Value::Object(fields) => {
                let fields = fields.into_iter();
                Value::object(fields.map(|(key, value)| (owned(key), value.into_owned())))
            }
        }
    }
}

macro_rules! from_integer {
    ($($integer:ty),*) => {
        $(impl From<$integer> for Value<'_> {
            fn from(value: $integer) -> Self {
                Value::Number(Cow::Owned(value.to_string()))
            }
        })*
    };
}
from_integer!(u8, u32, u64, usize, i64);

impl<'v> From<&'v str> for Value<'v> {
    fn from(value: &'v str) -> Self {
        Value::String(Cow::Borrowed(value))
    }
}

impl From<String> for Value<'_> {
    fn from(value: String) -> Self {
        Value::String(Cow::Owned(value))
    }
}

impl From<bool> for Value<'_> {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<f64> for Value<'_> {
    /// Rust prints the shortest digits that read back equal; a whole number gets its `.0`.
    fn from(value: f64) -> Self {
        Value::Number(Cow::Owned(format!("{value:?}")))
    }
}

impl<'v> From<Vec<Value<'v>>> for Value<'v> {
    fn from(items: Vec<Value<'v>>) -> Self {
        Value::Array(items)
    }
}

impl<'v, T: Into<Value<'v>>> From<Option<T>> for Value<'v> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl<'v> From<Json<'v>> for Value<'v> {
    /// Takes over a tree that was read. Recursion is bounded by the reader's depth limit.
    fn from(json: Json<'v>) -> Self {
        match json.kind() {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(value),
            Kind::Int(value) => Value::from(value),
            Kind::Number(text) => Value::Number(Cow::Borrowed(text)),
            Kind::String(text) => Value::from(text),
            Kind::Array(items) => Value::array(items.iter()),
            Kind::Object(members) => {
                Value::object(members.iter().map(|(key, value)| (key, Value::from(value))))
            }
        }
    }
}
