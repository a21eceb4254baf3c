//! Syntax trees with one thing wrong in each, made from the cases of `tests/parity`: whatever stands
//! in them, a compilation ends with outputs or with messages; it does not panic, hang or leave half
//! of its files behind.
//!
//! The sample is the same every time. `MUTANTS=20000` makes it larger, `MUTANTS_SEED=7` another,
//! `MUTANTS_CASE=py_1` takes the cases whose name contains the text, and `MUTANTS_KEEP=FOLDER` writes
//! what fails there.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io::{self, Read as _};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use puya::artifacts::write::Outputs;
use puya::base::arena::Arena;
use puya::base::heap::Heap;
use puya::compile::{Caller, Document, Keep, Request, Task, compile};
use puya::json;

#[global_allocator]
static ALLOCATOR: Heap = Heap;

const COUNT: usize = 300;
/// A build that is not optimised, and in which skipped passes are run to see that they change nothing,
/// takes several times as long.
const PATIENCE: Duration = Duration::from_secs(if cfg!(debug_assertions) { 30 } else { 5 });

/// Members that hold a type.
const TYPES: &[&str] = &[
    "wtype",
    "return_type",
    "element_type",
    "storage_wtype",
    "key_wtype",
    "size_wtype",
    "result_type",
    "sequence_type",
    "types",
    "arg_types",
];
/// Numbers that only say where something stands.
const PLACES: &[&str] =
    &["line", "end_line", "column", "end_column", "comment_lines", ID, REF, "_id"];
/// Texts that only tell somebody something.
const PROSE: &[&str] =
    &["file", "comment", "description", "docstring", "documentation", "explicit"];
const EXPRESSION_MEMBERS: &[&str] = &[
    "expr",
    "value",
    "left",
    "right",
    "lhs",
    "rhs",
    "base",
    "index",
    "condition",
    "stack_args",
    "items",
    "key",
    "account",
    "target",
    "values",
    "sequence",
    "field",
    "default",
    "source",
    "array",
    "other",
    "itxn",
    "itxns",
    "true_expr",
    "false_expr",
    "begin_index",
    "end_index",
    "start",
    "stop",
    "step",
];
const ID: &str = "_$%!#ID";
const REF: &str = "_$%!#REF";
const INTEGERS: &[&str] = &[
    "0",
    "1",
    "2",
    "3",
    "4",
    "5",
    "6",
    "7",
    "8",
    "9",
    "16",
    "32",
    "33",
    "64",
    "255",
    "256",
    "512",
    "513",
    "4096",
    "4097",
    "65535",
    "65536",
    "4294967296",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "-1",
    "-2",
    "-9223372036854775809",
    "1e3",
    "null",
    "true",
    "\"a\"",
    "13407807929942597099574024998205846127479365820592393377723561443721764030073546976801874298166903427690031858186486050853753882811946569946433649006084096",
];

/// What can be changed in a document: where the values of interest stand in its text.
#[derive(Default)]
struct Spots {
    types: Vec<Range<usize>>,
    integers: Vec<Range<usize>>,
    /// By the member they stand in, so that a swap puts something plausible there.
    texts: BTreeMap<String, Vec<Range<usize>>>,
    expressions: Vec<Range<usize>>,
    others: Vec<Range<usize>>,
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    spots: Spots,
    /// How many objects that others refer to were passed.
    definitions: usize,
}

impl Scanner<'_> {
    fn byte(&self) -> u8 {
        self.text.as_bytes()[self.at]
    }

    fn space(&mut self) {
        while self.byte().is_ascii_whitespace() || matches!(self.byte(), b',' | b':') {
            self.at += 1;
        }
    }

    fn string(&mut self) -> Range<usize> {
        let start = self.at;
        self.at += 1;
        while self.byte() != b'"' {
            self.at += if self.byte() == b'\\' { 2 } else { 1 };
        }
        self.at += 1;
        start..self.at
    }

    fn value(&mut self, member: &str) {
        let (start, definitions) = (self.at, self.definitions);
        let list = match self.byte() {
            b'{' => {
                self.at += 1;
                let mut is_expression = EXPRESSION_MEMBERS.contains(&member);
                loop {
                    self.space();
                    if self.byte() == b'}' {
                        break;
                    }
                    let key = self.string();
                    let key = self.text[key.start + 1..key.end - 1].to_owned();
                    self.space();
                    self.definitions += usize::from(key == ID);
                    is_expression &= key != "args" && key != "cref";
                    self.value(&key);
                }
                self.at += 1;
                if TYPES.contains(&member) {
                    &mut self.spots.types
                } else if is_expression {
                    &mut self.spots.expressions
                } else {
                    return;
                }
            }
            b'[' => {
                self.at += 1;
                loop {
                    self.space();
                    if self.byte() == b']' {
                        break;
                    }
                    self.value(member);
                }
                self.at += 1;
                return;
            }
            b'"' => {
                self.string();
                if PROSE.contains(&member) {
                    return;
                }
                self.spots.texts.entry(member.to_owned()).or_default()
            }
            _ => {
                while !matches!(self.byte(), b',' | b']' | b'}' | b' ' | b'\n') {
                    self.at += 1;
                }
                if PLACES.contains(&member) || PROSE.contains(&member) {
                    return;
                } else if self.text.as_bytes()[start].is_ascii_digit() {
                    &mut self.spots.integers
                } else {
                    &mut self.spots.others
                }
            }
        };
        // what others refer to has to stay
        if definitions == self.definitions {
            list.push(start..self.at);
        }
    }
}

fn scan(text: &str) -> Spots {
    let mut scanner = Scanner { text, at: 0, spots: Spots::default(), definitions: 0 };
    scanner.value("");
    scanner.spots
}

/// The document with one of its values replaced by another, if it has any.
fn mutant(text: &str, spots: &Spots, random: &mut fastrand::Rng) -> String {
    let any = |list: &[Range<usize>], random: &mut fastrand::Rng| -> Option<Range<usize>> {
        (!list.is_empty()).then(|| list[random.usize(..list.len())].clone())
    };
    let other =
        |list: &[Range<usize>], random: &mut fastrand::Rng| -> Option<(Range<usize>, String)> {
            let place = any(list, random)?;
            (0..8)
                .filter_map(|_| any(list, random))
                .find(|by| text[by.clone()] != text[place.clone()])
                .map(|by| (place, text[by].to_owned()))
        };
    for _ in 0..100 {
        let change = match random.u8(..20) {
            0..11 => other(&spots.types, random),
            11..14 => any(&spots.integers, random)
                .map(|place| (place, INTEGERS[random.usize(..INTEGERS.len())].to_owned())),
            14..17 => spots.texts.values().nth(random.usize(..spots.texts.len().max(1))).and_then(
                |list| match random.u8(..4) {
                    0 => any(list, random).map(|place| (place, "\"\"".to_owned())),
                    _ => other(list, random),
                },
            ),
            17..19 => other(&spots.expressions, random),
            _ => any(&spots.others, random).map(|place| {
                let by = ["null", "true", "false", "0", "1", "[]", "{}"];
                (place, by[random.usize(..by.len())].to_owned())
            }),
        };
        if let Some((place, by)) = change {
            let mut mutant = text.to_owned();
            mutant.replace_range(place, &by);
            return mutant;
        }
    }
    text.to_owned()
}

/// Counts the files of a compilation; dumps apart, which are written on the way.
#[derive(Default)]
struct Written {
    taken: usize,
    /// Those that everybody sees: none before the end, and none if that never comes.
    in_place: usize,
}

impl Outputs for Written {
    fn remove_folder(&mut self, _path: &Path) {}
    fn write_dump(&mut self, _path: &Path, _content: &[u8]) -> io::Result<()> {
        Ok(())
    }
    fn make_folder(&mut self, _path: &Path) -> io::Result<()> {
        Ok(())
    }
    fn write(&mut self, _path: &Path, _content: &[u8]) -> io::Result<()> {
        self.taken += 1;
        Ok(())
    }
    fn finish(&mut self) -> io::Result<()> {
        self.in_place = self.taken;
        Ok(())
    }
}

thread_local! {
    static PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Compiles a document; what is wrong with how that ended, or the exit code.
fn run(awst: &str, options: &str, sources: &str) -> Result<u8, String> {
    let start = Instant::now();
    let mut outputs = Written::default();
    let stop = || start.elapsed() > PATIENCE;
    let report = compile(Request {
        awst: Document::Text(awst),
        task: Task::Compile {
            options: Document::Text(options),
            annotations: Some(Document::Text(sources)),
        },
        caller: Caller::CommandLine,
        cwd: "/case".to_owned(),
        outputs: &mut outputs,
        may_write: None,
        debug: false,
        keep: Keep::Specifications,
        stop: Some(&stop),
    });
    if report.panicked {
        return Err(PANIC.take());
    }
    if report.stopped || start.elapsed() > PATIENCE {
        return Err(format!("no end within {PATIENCE:?}"));
    }
    if report.exit_code == 0 && outputs.in_place == 0 {
        return Err("neither outputs nor errors".to_owned());
    }
    if report.exit_code != 0 && outputs.in_place != 0 {
        return Err("errors, and some of the outputs".to_owned());
    }
    Ok(report.exit_code)
}

struct Case {
    name: String,
    awst: String,
    sources: String,
    options: [String; 2],
}

fn read_case(path: &Path) -> Case {
    let mut text = String::new();
    let packed = std::fs::File::open(path).unwrap();
    flate2::read::GzDecoder::new(packed).read_to_string(&mut text).unwrap();
    let arena = Arena::new();
    let case = json::read(&text, &arena).unwrap();
    let member = |key| case.get(key).unwrap().as_str().unwrap().to_owned();
    let options = |level| {
        let level = case.get("levels").unwrap().get(level).unwrap();
        level.get("options").unwrap().as_str().unwrap().to_owned()
    };
    Case {
        name: path.file_name().unwrap().to_str().unwrap().replace(".json.gz", ""),
        awst: member("awst"),
        sources: member("sources"),
        options: [options("0"), options("1")],
    }
}

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

/// Ends the process when a compilation does not even ask whether to stop.
fn watch(started: &[Mutex<Option<(Instant, String)>>], is_done: &AtomicUsize) {
    while is_done.load(Ordering::Relaxed) < started.len() {
        std::thread::sleep(Duration::from_millis(200));
        for worker in started {
            if let Some((since, name)) = &*worker.lock().unwrap()
                && since.elapsed() > 12 * PATIENCE
            {
                eprintln!("hangs: {name}");
                std::process::abort();
            }
        }
    }
}

#[test]
fn every_mutant_ends_in_outputs_or_messages() {
    let count = setting("MUTANTS").unwrap_or(COUNT);
    let seed: u64 = setting("MUTANTS_SEED").unwrap_or(1);
    let only: String = setting("MUTANTS_CASE").unwrap_or_default();
    let keep: Option<PathBuf> = setting("MUTANTS_KEEP");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/parity");
    let mut paths: Vec<PathBuf> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.to_str().unwrap().ends_with(".json.gz"))
        .filter(|path| path.file_name().unwrap().to_str().unwrap().contains(&only))
        .collect();
    paths.sort();
    std::panic::set_hook(Box::new(|info| {
        let place = info.location().map(ToString::to_string).unwrap_or_default();
        let text = info.payload_as_str().unwrap_or_default();
        PANIC.set(format!("panic at {place}\n{text}"));
    }));
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let (next, is_done) = (AtomicUsize::new(0), AtomicUsize::new(0));
    let found: Mutex<BTreeMap<String, (usize, String)>> = Mutex::default();
    let exits: Mutex<BTreeMap<u8, usize>> = Mutex::default();
    let started: Vec<Mutex<Option<(Instant, String)>>> =
        (0..workers).map(|_| Mutex::default()).collect();
    std::thread::scope(|scope| {
        for started in &started {
            let work = || {
                while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let case = read_case(path);
                    let spots = scan(&case.awst);
                    let mut random = fastrand::Rng::with_seed(seed);
                    // the first cases take what is left over
                    let place = paths.iter().position(|other| other == path).unwrap();
                    let share = count / paths.len() + usize::from(place < count % paths.len());
                    for number in 0..share {
                        let mutant = mutant(&case.awst, &spots, &mut random);
                        let level = (number + place) % 2;
                        let name = format!("{} {number} -O{level}", case.name);
                        *started.lock().unwrap() = Some((Instant::now(), name.clone()));
                        match run(&mutant, &case.options[level], &case.sources) {
                            Ok(exit) => *exits.lock().unwrap().entry(exit).or_default() += 1,
                            Err(how) => {
                                if let Some(keep) = &keep {
                                    let file = keep.join(name.replace(' ', "_") + ".json");
                                    std::fs::write(file, &mutant).unwrap();
                                }
                                // one entry for each place that panics
                                let (how, text) = how.split_once('\n').unwrap_or((&how, ""));
                                let mut found = found.lock().unwrap();
                                let entry = found.entry(how.to_owned());
                                entry.or_insert_with(|| (0, format!("{name}: {text}"))).0 += 1;
                            }
                        }
                    }
                }
                *started.lock().unwrap() = None;
                is_done.fetch_add(1, Ordering::Relaxed);
            };
            std::thread::Builder::new().stack_size(1 << 30).spawn_scoped(scope, work).unwrap();
        }
        watch(&started, &is_done);
    });
    let _ = std::panic::take_hook();
    let found = found.into_inner().unwrap();
    println!("{count} mutants ended with exit codes {:?}", exits.into_inner().unwrap());
    let list: Vec<String> = found
        .iter()
        .map(|(how, (times, first))| format!("{times} x {how} (first: {first})"))
        .collect();
    assert!(list.is_empty(), "{} ways to fail:\n{}", list.len(), list.join("\n"));
}
