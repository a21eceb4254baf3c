//! JSON-RPC 2.0: the text of a message -> requests, and answers -> text.
//!
//! A message is read once. A single request borrows from it; of a batch only the places of its
//! members are kept, so that a batch can wait its turn without a tree. Ids are echoed as they were
//! written, because a number has no one true value (`1`, `1.0` and `10e-1` are different ids).

use std::fmt;
use std::ops::Range;

use crate::base::arena::Arena;
use crate::json::read::{self, ReadError};
use crate::json::value::Value;
use crate::json::write::{Layout, write, write_string};
use crate::json::{Json, Kind};

/// How many requests one batch may hold. It bounds the answer, which can be much longer.
pub const BATCH_MAX: usize = 1_000;

/// The codes of the errors we answer with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ErrorCode {
    /// The text is not JSON.
    Parse,
    /// The JSON is not a request.
    InvalidRequest,
    /// No method has that name.
    MethodNotFound,
    /// A parameter is missing, unknown or of the wrong type.
    InvalidParams,
    /// A fault of ours.
    Internal,
    /// The daemon takes no new work.
    Stopping,
    /// Refused by policy.
    Refused,
}

impl ErrorCode {
    /// The number on the wire.
    pub fn number(self) -> i32 {
        match self {
            ErrorCode::Parse => -32700,
            ErrorCode::InvalidRequest => -32600,
            ErrorCode::MethodNotFound => -32601,
            ErrorCode::InvalidParams => -32602,
            ErrorCode::Internal => -32603,
            ErrorCode::Stopping => -32000,
            ErrorCode::Refused => -32001,
        }
    }
}

/// Why a request has no result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RpcError {
    /// The kind of error.
    pub code: ErrorCode,
    /// What is wrong, naming the member at fault.
    pub message: String,
}

impl RpcError {
    /// An error with its message.
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
    /// A parameter is missing, unknown or of the wrong type.
    pub fn params(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidParams, message)
    }
    fn request(message: impl Into<String>) -> Self {
        Self::new(ErrorCode::InvalidRequest, message)
    }
}

impl fmt::Display for RpcError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.message, self.code.number())
    }
}

impl std::error::Error for RpcError {}

/// One request or notification.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// The id as it was written; none for a notification.
    pub id: Option<&'a str>,
    /// The name of the method.
    pub method: &'a str,
    /// The parameters, where there are any.
    pub params: Option<Json<'a>>,
}

/// A member that is not a request, with the id to answer to.
#[derive(Clone, Debug)]
pub struct Invalid<'a> {
    /// The id as it was written; none where it cannot be told.
    pub id: Option<&'a str>,
    /// What is wrong.
    pub error: RpcError,
}

/// What a message turned out to be.
#[derive(Debug)]
pub enum Message<'a> {
    /// One request.
    Single(Result<Request<'a>, Invalid<'a>>),
    /// Several; the places of their texts.
    Batch(Vec<Range<usize>>),
}

/// Reads a message, or one member of a batch (which cannot be a batch again).
pub fn read_message<'a>(text: &'a str, arena: &'a Arena) -> Message<'a> {
    let (json, extents) = match read::read_with_extents(text, arena) {
        Ok(read) => read,
        Err(error) => return Message::Single(Err(Invalid { id: None, error: not_json(&error) })),
    };
    let Kind::Array(items) = json.kind() else {
        return Message::Single(read_request(text, json, &extents));
    };
    let invalid = |message: String| {
        Message::Single(Err(Invalid { id: None, error: RpcError::request(message) }))
    };
    match items.len() {
        0 => invalid("Invalid request: the batch is empty".to_owned()),
        1..=BATCH_MAX => Message::Batch(extents),
        many => invalid(format!(
            "Invalid request: the batch has {many} requests, more than {BATCH_MAX}"
        )),
    }
}

/// Reads one member of a batch.
pub fn read_member<'a>(text: &'a str, arena: &'a Arena) -> Result<Request<'a>, Invalid<'a>> {
    let (json, extents) = read::read_with_extents(text, arena)
        .map_err(|error| Invalid { id: None, error: not_json(&error) })?;
    read_request(text, json, &extents)
}

fn not_json(error: &ReadError) -> RpcError {
    RpcError::new(ErrorCode::Parse, format!("Parse error: {}", error.message))
}

fn read_request<'a>(
    text: &'a str,
    json: Json<'a>,
    extents: &[Range<usize>],
) -> Result<Request<'a>, Invalid<'a>> {
    let invalid = |id, what: &str| {
        let error = RpcError::request(format!("Invalid request: {what}"));
        Err(Invalid { id, error })
    };
    let Some(members) = json.as_object() else {
        return invalid(None, "a request is an object");
    };
    let id = match members.keys().position(|key| key == "id") {
        None => None,
        Some(place) => {
            let id = &text[extents[place].clone()];
            match members.at(place).map(Json::kind) {
                Some(Kind::String(_) | Kind::Null | Kind::Int(_)) => Some(id),
                Some(Kind::Number(_)) if id.ends_with(|end: char| end.is_ascii_digit()) => Some(id),
                _ => return invalid(None, "'id' must be a string, a number or null"),
            }
        }
    };
    match json.get("jsonrpc").map(Json::as_str) {
        Some(Some("2.0")) => {}
        Some(_) => return invalid(id, "'jsonrpc' must be \"2.0\""),
        None => return invalid(id, "'jsonrpc' is missing"),
    }
    let method = match json.get("method").map(Json::as_str) {
        Some(Some(method)) => method,
        Some(None) => return invalid(id, "'method' must be a string"),
        None => return invalid(id, "'method' is missing"),
    };
    let params = match json.get("params") {
        None => None,
        Some(params) => match params.kind() {
            Kind::Object(_) | Kind::Array(_) => Some(params),
            // not in the specification, but what several client libraries send for "none"
            Kind::Null => None,
            _ => return invalid(id, "'params' must be an object"),
        },
    };
    Ok(Request { id, method, params })
}

/// What a request is answered with: the text of its result, or an error.
pub type Answer = Result<String, RpcError>;

/// The text of an answer.
pub fn write_answer(id: Option<&str>, answer: &Answer) -> String {
    let id = id.unwrap_or("null");
    match answer {
        Ok(result) => {
            let mut out = String::with_capacity(result.len() + id.len() + 40);
            out.push_str("{\"jsonrpc\":\"2.0\",\"id\":");
            out.push_str(id);
            out.push_str(",\"result\":");
            out.push_str(result);
            out.push('}');
            out
        }
        Err(error) => {
            let mut out = format!(
                "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"error\":{{\"code\":{},\"message\":",
                error.code.number()
            );
            write_string(&mut out, &error.message);
            out.push_str("}}");
            out
        }
    }
}

/// The text of a request, as a client sends it.
pub fn write_request(id: u64, method: &str, params: Value<'_>) -> String {
    let request = Value::object([
        ("jsonrpc", Value::from("2.0")),
        ("id", Value::from(id)),
        ("method", Value::from(method)),
        ("params", params),
    ]);
    write(&request, Layout::Dense)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One line per request: what was understood, or what is answered.
    fn show(text: &str) -> String {
        let arena = Arena::new();
        match read_message(text, &arena) {
            Message::Single(one) => show_one(one),
            Message::Batch(members) => members
                .into_iter()
                .map(|place| {
                    let arena = Arena::new();
                    show_one(read_member(&text[place], &arena))
                })
                .collect::<Vec<_>>()
                .join("\n"),
        }
    }

    fn show_one(one: Result<Request<'_>, Invalid<'_>>) -> String {
        match one {
            Ok(request) => {
                let params =
                    request.params.map(|params| write(&Value::from(params), Layout::Dense));
                let params = params.as_deref().unwrap_or("-");
                format!("{} {} {params}", request.id.unwrap_or("-"), request.method)
            }
            Err(invalid) => write_answer(invalid.id, &Err(invalid.error)),
        }
    }

    #[test]
    fn ids_are_echoed_as_they_were_written() {
        for id in
            ["0", "-0", "1.0", "12345678901234567890123", "1e3", "\"\\u0041\"", "\"\"", "null"]
        {
            let text = format!(r#"{{"id": {id} ,"method":"ping","jsonrpc":"2.0"}}"#);
            assert_eq!(show(&text), format!("{id} ping -"));
        }
    }

    #[test]
    fn a_request_without_id_is_a_notification() {
        assert_eq!(
            show(r#" {"jsonrpc":"2.0","method":"stop","params":{"a":[1,{"b":"]}"}]} } "#),
            r#"- stop {"a":[1,{"b":"]}"}]}"#
        );
    }

    #[test]
    fn what_is_wrong_is_named() {
        let cases = [
            ("{\n \"id\": 1,, }", None, -32700, "line 2 column 10"),
            ("nonsense", None, -32700, "line 1 column 1"),
            ("7", None, -32600, "object"),
            ("[]", None, -32600, "empty"),
            (r#"{"jsonrpc":"2.0","id":1}"#, Some("1"), -32600, "'method' is missing"),
            (r#"{"jsonrpc":"2.0","id":1,"method":3}"#, Some("1"), -32600, "'method'"),
            (r#"{"jsonrpc":"1.0","id":"a","method":"m"}"#, Some("\"a\""), -32600, "'jsonrpc'"),
            (r#"{"id":1,"method":"m"}"#, Some("1"), -32600, "'jsonrpc' is missing"),
            (r#"{"jsonrpc":"2.0","id":{},"method":"m"}"#, None, -32600, "'id'"),
            (r#"{"jsonrpc":"2.0","id":NaN,"method":"m"}"#, None, -32600, "'id'"),
            (r#"{"jsonrpc":"2.0","id":1,"method":"m","params":3}"#, Some("1"), -32600, "'params'"),
        ];
        for (text, id, code, word) in cases {
            let answer = show(text);
            let head = format!(r#"{{"jsonrpc":"2.0","id":{}"#, id.unwrap_or("null"));
            assert!(answer.starts_with(&head), "{text}: {answer}");
            assert!(answer.contains(&format!("\"code\":{code},")), "{text}: {answer}");
            assert!(answer.contains(word), "{text}: {answer}");
        }
    }

    #[test]
    fn a_batch_keeps_the_order_and_the_faults_of_its_members() {
        let text =
            r#"[{"jsonrpc":"2.0","method":"a","id":1}, 2 ,[],{"jsonrpc":"2.0","method":"b"}]"#;
        let shown = show(text);
        let lines: Vec<&str> = shown.lines().collect();
        assert_eq!(lines[0], "1 a -");
        assert!(lines[1].contains("-32600") && lines[2].contains("-32600"));
        assert_eq!(lines[3], "- b -");
        let long = format!("[{}1]", "1,".repeat(BATCH_MAX));
        assert!(show(&long).contains("more than 1000"));
    }
}
