use super::*;
use crate::ir::model::ProgramKind;
use crate::json::write::{Layout, write};
use crate::metadata::LogicSigMetadata;

#[test]
fn everything_that_would_be_written_is_there() {
    let metadata = LogicSigMetadata { id: "a.sig".to_owned(), name: "sig".to_owned(), desc: None };
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
