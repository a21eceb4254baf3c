//! Every case of `tests/parity` at every level: messages, exit code and every output equal the
//! reference's. Which runs do not is checked in (`tests/parity/differing.txt`); the list only shrinks.
//! `BLESS=1` rewrites it. What differs in a run is shown by `parity.py show` on the original case.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use puya::artifacts::write::Outputs;
use puya::base::arena::Arena;
use puya::compile::{Caller, Document, Keep, Request, Task, compile};
use puya::diagnostics::Severity;
use puya::diagnostics::render::{LogFormat, Style, render};
use puya::json::{self, Json};
use sha2::Digest as _;

const LEVELS: [&str; 3] = ["0", "1", "2"];

/// Keeps what a compilation writes.
#[derive(Default)]
struct Memory {
    files: BTreeMap<PathBuf, Vec<u8>>,
    /// What becomes visible when everything is in place: `py_e02_duplicate_names` is refused when the
    /// files of its first contract wait already.
    waiting: BTreeMap<PathBuf, Vec<u8>>,
}

impl Outputs for Memory {
    fn remove_folder(&mut self, path: &Path) {
        self.files.retain(|file, _| !file.starts_with(path));
    }
    fn write_dump(&mut self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.files.insert(path.to_owned(), content.to_vec());
        Ok(())
    }
    fn make_folder(&mut self, _path: &Path) -> io::Result<()> {
        Ok(())
    }
    fn write(&mut self, path: &Path, content: &[u8]) -> io::Result<()> {
        self.waiting.insert(path.to_owned(), content.to_vec());
        Ok(())
    }
    fn finish(&mut self) -> io::Result<()> {
        self.files.append(&mut self.waiting);
        Ok(())
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity")
}

fn unpack(path: &Path) -> String {
    let mut text = String::new();
    let packed = std::fs::File::open(path).unwrap();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    text
}

/// Compares one run; the first difference, if any.
fn differs(case: Json<'_>, level: Json<'_>) -> Option<String> {
    let text = |json: Json<'_>, key: &str| json.get(key).unwrap().as_str().unwrap().to_owned();
    let (awst, sources) = (text(case, "awst"), text(case, "sources"));
    let options = text(level, "options");
    let mut outputs = Memory::default();
    let report = compile(Request {
        awst: Document::Text(&awst),
        task: Task::Compile {
            options: Document::Text(&options),
            annotations: Some(Document::Text(&sources)),
        },
        caller: Caller::CommandLine,
        cwd: "/case".to_owned(),
        outputs: &mut outputs,
        may_write: None,
        debug: false,
        keep: Keep::Nothing,
        stop: None,
    });
    let expected: u8 = level.get("exit").unwrap().as_number().unwrap().parse().unwrap();
    if report.exit_code != expected {
        return Some(format!("exit code {} instead of {expected}", report.exit_code));
    }
    let style = Style { format: LogFormat::Json, colours: false, cwd: "/case".to_owned() };
    let got: Vec<String> = report
        .reports
        .iter()
        .filter(|report| report.severity >= Severity::Info)
        .map(|report| log_line(&render(report, &style)))
        .collect();
    let wanted = level.get("log").unwrap().as_array().unwrap().iter();
    let wanted: Vec<String> = wanted.map(|line| log_line(line.as_str().unwrap())).collect();
    if got != wanted {
        let place = got.iter().zip(&wanted).position(|(got, wanted)| got != wanted);
        let place = place.unwrap_or(got.len().min(wanted.len()));
        return Some(format!("log line {}: {:?}", place + 1, got.get(place)));
    }
    let out = Path::new("/case/out");
    let mut got: BTreeMap<String, Vec<u8>> = outputs
        .files
        .into_iter()
        .map(|(path, data)| (path.strip_prefix(out).unwrap().to_str().unwrap().to_owned(), data))
        .collect();
    for (path, wanted) in level.get("files").unwrap().as_object().unwrap().iter() {
        let Some(data) = got.remove(path) else { return Some(format!("{path} is missing")) };
        if !is(&data, wanted) {
            return Some(format!("{path} differs"));
        }
    }
    got.into_keys().next().map(|path| format!("{path} is too much"))
}

/// A log line with what does not count taken out: order of members, the wording of internal errors.
fn log_line(line: &str) -> String {
    let arena = Arena::new();
    let json = json::read(line, &arena).unwrap();
    let mut members: Vec<(&str, String)> = Vec::new();
    for (key, value) in json.as_object().unwrap().iter() {
        members.push((key, format!("{:?}", plain(value))));
    }
    if json.get("level").and_then(Json::as_str) == Some("critical") {
        members.retain(|(key, _)| *key != "message");
    }
    members.sort();
    let mut text = String::new();
    for (key, value) in members {
        write!(text, "{key}={value} ").unwrap();
    }
    text
}

fn plain(json: Json<'_>) -> String {
    if let Some(text) = json.as_str() {
        return format!("{text:?}");
    }
    if let Some(members) = json.as_object() {
        let mut members: Vec<String> =
            members.iter().map(|(key, value)| format!("{key}:{}", plain(value))).collect();
        members.sort();
        return members.join(",");
    }
    json.as_number().or(json.as_bool().map(|b| b.to_string())).unwrap_or("null".to_owned())
}

fn is(data: &[u8], wanted: Json<'_>) -> bool {
    let of = |key| wanted.get(key).and_then(Json::as_str);
    if let Some(text) = of("text") {
        return data == text.as_bytes();
    }
    if let Some(text) = of("base64") {
        return data_encoding::BASE64.encode(data) == text;
    }
    data_encoding::HEXLOWER.encode(&sha2::Sha256::digest(data)) == of("sha256").unwrap()
}

/// The runs of one case that differ, each with its first difference.
fn check(path: &Path) -> Vec<String> {
    let name = path.file_name().unwrap().to_str().unwrap().strip_suffix(".json.gz").unwrap();
    let text = unpack(path);
    let arena = Arena::new();
    let case = json::read(&text, &arena).unwrap();
    LEVELS
        .iter()
        .filter_map(|level| {
            let expected = case.get("levels").unwrap().get(level).unwrap();
            differs(case, expected).map(|how| format!("{name} -O{level}: {how}"))
        })
        .collect()
}

/// Recursion is as deep as the tree, so each worker gets room.
fn check_all(cases: Vec<PathBuf>) -> Vec<String> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let next = std::sync::atomic::AtomicUsize::new(0);
    let found = std::sync::Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            let work = || {
                while let Some(case) =
                    cases.get(next.fetch_add(1, std::sync::atomic::Ordering::Relaxed))
                {
                    let differing = check(case);
                    found.lock().unwrap().extend(differing);
                }
            };
            std::thread::Builder::new().stack_size(256 << 20).spawn_scoped(scope, work).unwrap();
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort();
    found
}

#[test]
fn outputs_equal_the_reference() {
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(".json.gz"))
        .collect();
    cases.sort();
    assert!(cases.len() >= 166, "cases are missing");
    let runs = cases.len() * LEVELS.len();
    let found = check_all(cases);
    let list = folder().join("differing.txt");
    let names: String =
        found.iter().map(|run| run.split(':').next().unwrap().to_owned() + "\n").collect();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&list, &names).unwrap();
    }
    let known = std::fs::read_to_string(&list).unwrap();
    println!("{} of {runs} runs are identical", runs - found.len());
    assert!(names == known, "differing runs are not those of differing.txt:\n{}", found.join("\n"));
}
