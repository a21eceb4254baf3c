use super::validate;
use crate::awst::read::read;
use crate::awst::read::tests::document;
use crate::awst::wtypes::WTypes;
use crate::base::arena::Arena;
use crate::session::Session;

/// Messages of all checks of a subroutine with these statements, as `line level: text`.
fn messages(statements: &str) -> Vec<String> {
    let arena = Arena::new();
    let session = Session::new(&arena, None);
    let wtypes = WTypes::new(&arena);
    let text = document(&statements.replace("ITXN", FIELDS_TYPE));
    let json = crate::json::read(arena.str(&text), &arena).unwrap();
    let roots = read(&session, &wtypes, json).unwrap();
    let outcome = validate(&session, &wtypes, roots);
    let mut out: Vec<String> = session
        .sink
        .since(0)
        .into_iter()
        .map(|item| {
            format!("{} {}: {}", session.locs.line(item.loc), item.severity.name(), item.message)
        })
        .collect();
    if let Err(failure) = outcome {
        out.push(format!("{failure:?}"));
    }
    out
}

const FIELDS_TYPE: &str = r#"{"_type": "WInnerTransactionFields", "transaction_type": 1}"#;

#[test]
fn labels_are_unique_and_found() {
    let block = |line: u32| {
        format!(
            r#"{{"_type": "Block", "source_location": {{"file": null, "line": {line}}}, "body": [],
            "label": "here"}}"#
        )
    };
    let goto = r#"{"_type": "Goto", "source_location": LOC, "target": "there"}"#;
    assert_eq!(
        messages(&format!("{goto}, {}, {}", block(2), block(3))),
        [
            "3 error: block has duplicate label here",
            "2 info: label first seen here",
            "1 error: label target there does not exist"
        ]
    );
}

#[test]
fn fields_of_inner_transactions_are_copied_and_not_changed_after_submission() {
    let variable = |name: &str| {
        format!(
            r#"{{"_type": "VarExpression", "source_location": LOC, "wtype": ITXN, "name": "{name}"}}"#
        )
    };
    let assign = |value: String| {
        format!(
            r#"{{"_type": "AssignmentStatement", "source_location": LOC, "target": {},
            "value": {value}}}"#,
            variable("a")
        )
    };
    assert_eq!(
        messages(&assign(variable("b"))),
        ["1 error: inner transaction fields must be copied using .copy() when assigning to a new \
             local"]
    );
    let create = r#"{"_type": "CreateInnerTransaction", "source_location": LOC, "wtype": ITXN, "fields": {}}"#;
    let submit = format!(
        r#"{{"_type": "ExpressionStatement", "expr": {{"_type": "SubmitInnerTransaction",
        "source_location": LOC, "itxns": [{}]}}}}"#,
        variable("a")
    );
    let loop_of = |body: String| {
        format!(
            r#"{{"_type": "WhileLoop", "source_location": LOC, "condition": {{"_type":
            "BoolConstant", "source_location": LOC, "value": true}}, "loop_body":
            {{"source_location": LOC, "body": [{body}]}}}}"#
        )
    };
    let create = assign(create.to_owned());
    assert!(messages(&loop_of(format!("{create}, {submit}"))).is_empty());
    assert_eq!(
        messages(&loop_of(format!("{submit}, {create}"))),
        ["1 error: inner transaction fields cannot be modified after submission while in a loop"]
    );
}

#[test]
fn a_logged_error_needs_a_code() {
    let assertion = |message: &str| {
        format!(
            r#"{{"_type": "ExpressionStatement", "expr": {{"_type": "AssertExpression",
            "source_location": LOC, "condition": null, "log_error": true,
            "error_message": "{message}"}}}}"#
        )
    };
    assert_eq!(
        messages(&assertion("AER:Bad:x")),
        [
            "1 warning: error code should be in camelCase",
            "1 warning: AER prefixed error messages are reserved for specific ARC errors"
        ]
    );
    let failure = messages(&assertion("alone")).join("");
    assert!(failure.contains("a prefix only error message is invalid"), "{failure}");
}
