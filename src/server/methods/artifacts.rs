//! Compiled artifacts -> what `return_artifacts` adds to a result.

use crate::base::arena::Arena;
use crate::base::encode::base64;
use crate::compile::{CompiledArtifact, CompiledProgram};
use crate::ir::model::ProgramKind;
use crate::json::read::read;
use crate::json::value::Value;
use crate::metadata::Metadata;
use crate::options::TemplateValue;

/// One artifact with its programs and specifications.
pub(super) fn artifact_value(artifact: &CompiledArtifact) -> Value {
    let kind = match artifact.metadata {
        Metadata::Contract(_) => "contract",
        Metadata::LogicSig(_) => "logic_signature",
    };
    let mut fields = vec![
        ("id", Value::from(artifact.metadata.id())),
        ("name", Value::from(artifact.metadata.name())),
        ("kind", Value::from(kind)),
    ];
    for program in &artifact.programs {
        let name = match program.kind {
            ProgramKind::Approval => "approval",
            ProgramKind::Clear => "clear",
            ProgramKind::LogicSignature => "program",
        };
        fields.push((name, program_value(program)));
    }
    fields.push(("arc56", document(artifact.arc56.as_deref())));
    fields.push(("arc32", document(artifact.arc32.as_deref())));
    Value::object(fields)
}

fn program_value(program: &CompiledProgram) -> Value {
    let variables = program.template_variables.iter().map(|(name, value)| {
        let value = match value {
            None => Value::Null,
            Some(TemplateValue::Int(number)) => Value::Number(number.to_string()),
            Some(TemplateValue::Bytes(bytes)) => Value::from(base64(bytes)),
        };
        (name.as_str(), value)
    });
    let stats = program.stats.iter().map(|(name, count)| (name.as_str(), Value::from(*count)));
    Value::object([
        ("teal", Value::from(program.teal.as_str())),
        ("bytecode", Value::from(base64(&program.bytecode))),
        ("source_map", document(Some(&program.source_map))),
        ("template_variables", Value::object(variables)),
        ("stats", Value::object(stats)),
    ])
}

/// A JSON document as a value of its own, so that clients need not parse twice.
fn document(text: Option<&str>) -> Value {
    let arena = Arena::new();
    text.and_then(|text| read(text, &arena).ok()).map_or(Value::Null, Value::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::write::{Layout, write};
    use crate::metadata::LogicSigMetadata;

    #[test]
    fn everything_that_would_be_written_is_there() {
        let metadata =
            LogicSigMetadata { id: "a.sig".to_owned(), name: "sig".to_owned(), desc: None };
        let artifact = CompiledArtifact {
            metadata: Metadata::LogicSig(metadata),
            programs: vec![CompiledProgram {
                kind: ProgramKind::LogicSignature,
                teal: "int 1\n".to_owned(),
                bytecode: vec![11, 129, 1],
                source_map: "{\n \"version\": 3\n}".to_owned(),
                template_variables: vec![
                    ("A".to_owned(), Some(TemplateValue::Int(5.into()))),
                    ("B".to_owned(), Some(TemplateValue::Bytes(vec![0]))),
                    ("C".to_owned(), None),
                ],
                stats: vec![("total_ops".to_owned(), 1)],
            }],
            arc32: None,
            arc56: None,
        };
        assert_eq!(
            write(&artifact_value(&artifact), Layout::Dense),
            "{\"id\":\"a.sig\",\"name\":\"sig\",\"kind\":\"logic_signature\",\"program\":{\
             \"teal\":\"int 1\\n\",\"bytecode\":\"C4EB\",\"source_map\":{\"version\":3},\
             \"template_variables\":{\"A\":5,\"B\":\"AA==\",\"C\":null},\
             \"stats\":{\"total_ops\":1}},\"arc56\":null,\"arc32\":null}"
        );
    }
}
