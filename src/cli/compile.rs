//! `puya --awst …`: compiles once in this process. Files in, files and log lines out.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use super::args::CompileArgs;
use crate::artifacts::write::Disk;
use crate::compile::{Caller, Document, Keep, Request, Task, compile};
use crate::diagnostics::Severity;
use crate::diagnostics::render::{Style, render};

/// The inputs could not be read.
const EXIT_UNREADABLE: u8 = 1;

/// The documents of a compilation, as texts.
pub struct Inputs {
    /// The syntax trees.
    pub awst: String,
    /// The options.
    pub options: String,
    /// The lines of source files.
    pub annotations: Option<String>,
}

/// Reads the documents that the arguments name; the error is one line.
pub fn read_inputs(args: &CompileArgs) -> Result<Inputs, String> {
    let named = |path: &Path, read: fn(&Path) -> io::Result<String>| {
        read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))
    };
    Ok(Inputs {
        awst: named(&args.awst, read_maybe_compressed)?,
        options: named(&args.options, read_text)?,
        annotations: args
            .source_annotations
            .as_deref()
            .map(|path| named(path, read_text))
            .transpose()?,
    })
}

/// Compiles and returns the exit code.
pub fn run(args: &CompileArgs) -> u8 {
    let inputs = match read_inputs(args) {
        Ok(inputs) => inputs,
        Err(message) => {
            eprintln!("puya: {message}");
            return EXIT_UNREADABLE;
        }
    };
    let cwd = match std::env::current_dir() {
        Ok(path) => path.to_string_lossy().into_owned(),
        Err(error) => {
            eprintln!("puya: there is no working folder: {error}");
            return EXIT_UNREADABLE;
        }
    };
    let mut disk = Disk::new("");
    let report = compile(Request {
        awst: Document::Text(&inputs.awst),
        task: Task::Compile {
            options: Document::Text(&inputs.options),
            annotations: inputs.annotations.as_deref().map(Document::Text),
        },
        caller: Caller::CommandLine,
        cwd: cwd.clone(),
        outputs: &mut disk,
        may_write: None,
        debug: args.log.level.is_none_or(|level| level <= Severity::Debug),
        keep: Keep::Nothing,
        stop: None,
    });
    let style =
        Style { format: args.log.format, colours: std::env::var_os("NO_COLOR").is_none(), cwd };
    let mut out = io::BufWriter::new(io::stdout().lock());
    for message in &report.reports {
        if args.log.level.is_none_or(|level| message.severity >= level) {
            // nobody reads on: there is nobody left to tell
            let _ = writeln!(out, "{}", render(message, &style));
        }
    }
    let _ = out.flush();
    report.exit_code
}

/// The text of a file; what its suffix says is compressed is unpacked.
fn read_maybe_compressed(path: &Path) -> io::Result<String> {
    if !path.extension().is_some_and(|suffix| suffix == "gz" || suffix == "gzip") {
        return read_text(path);
    }
    let mut bytes = Vec::new();
    flate2::read::MultiGzDecoder::new(File::open(path)?).read_to_end(&mut bytes)?;
    text_of(bytes)
}

fn read_text(path: &Path) -> io::Result<String> {
    text_of(std::fs::read(path)?)
}

/// UTF-8 with every kind of line end read as `\n`.
fn text_of(bytes: Vec<u8>) -> io::Result<String> {
    let text = String::from_utf8(bytes)
        .map_err(|error| io::Error::new(io::ErrorKind::InvalidData, error.utf8_error()))?;
    if !text.contains('\r') {
        return Ok(text);
    }
    Ok(text.replace("\r\n", "\n").replace('\r', "\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_ends_are_unified_and_bad_bytes_refused() {
        assert_eq!(text_of(b"a\r\nb\rc\n".to_vec()).unwrap(), "a\nb\nc\n");
        let error = text_of(b"ab\xff".to_vec()).unwrap_err().to_string();
        assert_eq!(error, "invalid utf-8 sequence of 1 bytes from index 2");
    }
}
