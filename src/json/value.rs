//! A small owned tree for what we write ourselves: specifications, source maps, answers, log lines.

use super::read::{Json, Kind};

/// A JSON value that owns its parts. Members of an object keep the order they are given in.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Value {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number by its text.
    Number(String),
    /// A string.
    String(String),
    /// The items in order.
    Array(Vec<Value>),
    /// The members in order.
    Object(Vec<(String, Value)>),
}

impl Value {
    /// An object out of names and values.
    pub fn object<K: Into<String>>(fields: impl IntoIterator<Item = (K, Value)>) -> Self {
        Value::Object(fields.into_iter().map(|(key, value)| (key.into(), value)).collect())
    }
    /// An array out of values.
    pub fn array<V: Into<Value>>(items: impl IntoIterator<Item = V>) -> Self {
        Value::Array(items.into_iter().map(Into::into).collect())
    }
    /// The member of an object with this name.
    pub fn get(&self, key: &str) -> Option<&Value> {
        match self {
            Value::Object(fields) => {
                fields.iter().find(|field| field.0 == key).map(|field| &field.1)
            }
            _ => None,
        }
    }
}

macro_rules! from_integer {
    ($($integer:ty),*) => {
        $(impl From<$integer> for Value {
            fn from(value: $integer) -> Self {
                Value::Number(value.to_string())
            }
        })*
    };
}
from_integer!(u8, u32, u64, usize, i64, i32);

impl From<&str> for Value {
    fn from(value: &str) -> Self {
        Value::String(value.to_owned())
    }
}

impl From<String> for Value {
    fn from(value: String) -> Self {
        Value::String(value)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Value::Bool(value)
    }
}

impl From<f64> for Value {
    /// Rust prints the shortest digits that read back equal; a whole number gets its `.0`.
    fn from(value: f64) -> Self {
        Value::Number(format!("{value:?}"))
    }
}

impl From<Vec<Value>> for Value {
    fn from(items: Vec<Value>) -> Self {
        Value::Array(items)
    }
}

impl<T: Into<Value>> From<Option<T>> for Value {
    fn from(value: Option<T>) -> Self {
        value.map_or(Value::Null, Into::into)
    }
}

impl From<Json<'_>> for Value {
    /// Copies a tree that was read. Recursion is bounded by the reader's depth limit.
    fn from(json: Json<'_>) -> Self {
        match json.kind {
            Kind::Null => Value::Null,
            Kind::Bool(value) => Value::Bool(value),
            Kind::Number(text) => Value::Number(text.to_owned()),
            Kind::String(text) => Value::String(text.to_owned()),
            Kind::Array(items) => Value::array(items.iter().copied()),
            Kind::Object(fields) => {
                Value::object(fields.iter().map(|(key, value)| (*key, Value::from(*value))))
            }
        }
    }
}
