//! Compiled artifacts -> what `return_artifacts` adds to a result.

use crate::base::arena::Arena;
use crate::compile::{CompiledArtifact, CompiledProgram};
use crate::json::read::read;
use crate::json::value::Value;
use crate::metadata::Metadata;
use crate::options::TemplateValue;

/// One artifact with its programs and specifications.
pub(super) fn artifact_value(artifact: &CompiledArtifact) -> Value<'_> {
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
        let name = program.kind.file_part().unwrap_or("program");
        fields.push((name, program_value(program)));
    }
    fields.push(("arc56", document(artifact.arc56.as_deref())));
    fields.push(("arc32", document(artifact.arc32.as_deref())));
    Value::object(fields)
}

fn program_value(program: &CompiledProgram) -> Value<'_> {
    let variables = program.template_variables.iter().map(|(name, value)| {
        let value = match value {
            None => Value::Null,
            Some(TemplateValue::Int(number)) => Value::Number(number.to_string().into()),
            Some(TemplateValue::Bytes(bytes)) => Value::base64(bytes),
        };
        (name.as_str(), value)
    });
    let stats = program.stats.iter().map(|(name, count)| (name.as_str(), Value::from(*count)));
    Value::object([
        ("teal", Value::from(program.teal.as_str())),
        ("bytecode", Value::base64(&program.bytecode)),
        ("source_map", document(Some(&program.source_map))),
        ("template_variables", Value::object(variables)),
        ("stats", Value::object(stats)),
    ])
}

/// A JSON document as a value of its own, so that clients need not parse twice.
fn document(text: Option<&str>) -> Value<'static> {
    let arena = Arena::new();
    let json = text.and_then(|text| read(text, &arena).ok());
    json.map_or(Value::Null, |json| Value::from(json).into_owned())
}

#[cfg(test)]
mod tests;
