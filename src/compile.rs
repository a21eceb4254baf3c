//! The driver: documents in, files and messages out. The only file that names every stage.
//!
//! Each stage reports what it finds; between stages the driver stops when something was an error
//! (spec 60 §1). Nothing global is touched, so a compilation that fails, stops or even panics leaves
//! the process as it was.

mod backend;
mod dumps;
mod files;
mod order;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use crate::artifacts::arc56;
use crate::artifacts::source_map::Maps;
use crate::artifacts::write::Outputs;
use crate::awst;
use crate::awst::decl::RootNode;
use crate::awst::wtypes::WTypes;
use crate::base::arena::{Arena, Symbol};
use crate::base::encode::base64;
use crate::base::heap;
use crate::base::ordered::{LookupMap, LookupSet, OrderedMap};
use crate::base::source::Loc;
use crate::base::text::{normalise_path, repr};
use crate::diagnostics::render::Report;
use crate::diagnostics::{Failure, Outcome, Severity};
use crate::ir::model::{Artifact, ProgramKind};
use crate::ir::pool::Pool;
use crate::ir::{self, Ctx};
use crate::json::coerce::{class_name, to_text};
use crate::json::read::{Input, read_from};
use crate::json::write::Layout;
use crate::json::{Json, Kind, ReadError};
use crate::metadata::Metadata;
use crate::options::read::Problem;
use crate::options::{self, CompileOptions, TemplateValue};
use crate::session::{Excerpts, Session, StopCheck};

use backend::{Backend, Compiled};
use files::{Files, Texts, io_failure};
use order::Dependencies;

/// A document, as text or already read.
#[derive(Clone, Copy)]
pub enum Document<'r> {
    /// Its text.
    Text(&'r str),
    /// Its tree.
    Tree(Json<'r>),
}

impl<'r> Document<'r> {
    /// The tree of syntax trees whose text comes piece by piece.
    ///
    /// # Errors
    /// When the text is not JSON, as the input tells it.
    pub fn read_awst(input: impl Input, arena: &'r Arena) -> Result<Json<'r>, ReadError> {
        read_from(Some(&awst::VOCABULARY), input, arena)
    }
}

/// Who asks; decides how mistakes in the documents are told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Caller {
    /// Somebody at the command line: all mistakes in the options, errors with their source.
    CommandLine,
    /// An editor or a front end over stdin: one mistake, no source.
    Service,
    /// A client of the daemon: as the command line, without source, but with the place in the document.
    Daemon,
}

/// What to do with the document.
#[derive(Clone, Copy)]
pub enum Task<'r> {
    /// Compile what the options name.
    Compile {
        /// The options.
        options: Document<'r>,
        /// The lines of source files.
        annotations: Option<Document<'r>>,
    },
    /// Compile every contract and logic signature as fast as possible, for the messages only.
    Analyse,
}

/// Everything one compilation is told.
pub struct Request<'r> {
    /// The syntax trees.
    pub awst: Document<'r>,
    /// What to do with them.
    pub task: Task<'r>,
    /// Who asks.
    pub caller: Caller,
    /// Absolute path of the folder that shown paths are relative to.
    pub cwd: String,
    /// Where dumps and files go; paths are as the options have them.
    pub outputs: &'r mut dyn Outputs,
    /// Whether a folder may be written to. It is asked before anything is written.
    pub may_write: Option<&'r dyn Fn(&Path) -> bool>,
    /// Whether messages at debug level are wanted.
    pub debug: bool,
    /// What the report holds besides messages.
    pub keep: Keep,
    /// Asked from time to time whether to give up.
    pub stop: Option<StopCheck<'r>>,
}

/// What a report holds besides messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// Nothing.
    Nothing,
    /// What would be written, of each target.
    Artifacts,
    /// The full ARC-56 specification of every contract, referenced ones included.
    Specifications,
}

/// What came of it.
#[derive(Debug, Default)]
pub struct CompileReport {
    /// All messages in order.
    pub reports: Vec<Report>,
    /// 0 for success, 1 for mistakes in the input, 2 for failures of the compiler or its front end.
    pub exit_code: u8,
    /// With [`Keep::Artifacts`]: the targets in the order they were compiled. Empty after errors.
    pub artifacts: Vec<CompiledArtifact>,
    /// With [`Keep::Specifications`]: ARC-56 by contract id, as JSON on one line, in the same order.
    /// Empty after errors.
    pub specifications: Vec<(String, String)>,
    /// A folder that `may_write` refused; nothing was written.
    pub refused: Option<PathBuf>,
    /// The compilation was asked to end.
    pub stopped: bool,
    /// The compiler failed by panicking; the message is among the reports, too.
    pub panicked: bool,
}

/// A contract or logic signature with its programs.
#[derive(Debug)]
pub struct CompiledArtifact {
    /// What its specifications say.
    pub metadata: Metadata,
    /// Its programs, approval first.
    pub programs: Vec<CompiledProgram>,
    /// Its ARC-32 file, if the options ask for one.
    pub arc32: Option<String>,
    /// Its ARC-56 file, if the options ask for one.
    pub arc56: Option<String>,
}

/// What files hold of a program.
#[derive(Debug)]
pub struct CompiledProgram {
    /// What it is run for.
    pub kind: ProgramKind,
    /// The assembly file.
    pub teal: String,
    /// The bytecode.
    pub bytecode: Vec<u8>,
    /// The source map file.
    pub source_map: String,
    /// Values of its template variables by name.
    pub template_variables: Vec<(String, Option<TemplateValue>)>,
    /// Numbers of ops and bytes by name.
    pub stats: Vec<(String, usize)>,
}

/// Compiles. Never panics; see [`CompileReport::panicked`].
pub fn compile(request: Request<'_>) -> CompileReport {
    let _held = heap::enter();
    let arena = Arena::new();
    let mut session = Session::new(&arena, request.stop);
    session.sources.cwd = normalise_path(&request.cwd);
    if !request.debug {
        session.sink.ignore_debug();
    }
    let excerpts = match request.caller {
        Caller::CommandLine => Excerpts::Show,
        Caller::Service | Caller::Daemon => Excerpts::Omit,
    };
    let mut report = CompileReport::default();
    let run = AssertUnwindSafe(|| Driver { request, report: &mut report }.run(&mut session));
    match catch_unwind(run) {
        Ok(Ok(())) => {}
        Ok(Err(failure)) => {
            report.stopped = failure == Failure::Stopped;
            session.sink.failure(&failure, Loc::NONE);
        }
        Err(panic) => {
            report.panicked = true;
            session.sink.critical(format!("internal error: {}", panic_text(&*panic)), Loc::NONE);
        }
    }
    report.exit_code = session.sink.exit_code().max(u8::from(report.stopped));
    if report.exit_code != 0 {
        report.artifacts.clear();
        report.specifications.clear();
    }
    report.reports = session.reports(excerpts);
    report
}

/// The message of a caught panic.
fn panic_text(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panic without a message".to_owned())
}

/// Stops the compilation when something reported so far was an error.
fn gate(session: &Session<'_>) -> Outcome<()> {
    if session.sink.exit_code() == 0 { Ok(()) } else { Err(Failure::Reported) }
}

/// Reads a document that may be a tree already.
fn tree<'a>(document: Document<'a>, arena: &'a Arena) -> Outcome<Json<'a>> {
    match document {
        Document::Tree(json) => Ok(json),
        Document::Text(text) => crate::json::read(text, arena).map_err(unreadable),
    }
}

/// The failure of a text that is no document.
fn unreadable(error: ReadError) -> Failure {
    Failure::internal(error.to_string(), Loc::NONE)
}

/// What is to be compiled, with the folders outputs go to, in the order of the options.
type Targets = OrderedMap<Symbol, String>;

struct Driver<'d, 'r> {
    request: Request<'r>,
    report: &'d mut CompileReport,
}

impl<'r> Driver<'_, 'r> {
    fn run<'s>(&mut self, session: &mut Session<'s>) -> Outcome<()>
    where
        'r: 's,
    {
        let arena = session.arena;
        match self.request.task {
            // an empty text is taken for no annotations, as in the reference
            Task::Compile { annotations: None | Some(Document::Text("")), .. } | Task::Analyse => {}
            Task::Compile { annotations: Some(document), .. } => {
                tree(document, arena)
                    .and_then(|json| read_annotations(session, json))
                    .map_err(|failure| self.about("source_annotations", failure))?;
            }
        }
        let session: &Session<'s> = session;
        let wtypes = WTypes::new(arena);
        let roots = self.read_awst(session, &wtypes)?;
        let (options, targets) = match self.request.task {
            Task::Compile { options, .. } => {
                let options =
                    tree(options, arena).map_err(|failure| self.about("options", failure))?;
                let options = self.read_options(options)?;
                if options.treat_warnings_as_errors {
                    session.sink.promote_warnings();
                }
                let targets = match_targets(session, &options, roots);
                (options, targets)
            }
            Task::Analyse => (analysis_options(), every_target(roots, &self.request.cwd)),
        };
        if !self.may_write(&targets) {
            return Err(Failure::Reported);
        }
        awst::validate::validate(session, &wtypes, roots)?;
        gate(session)?;

        let options = within_targets(session, options, &targets);
        let pool = Pool::new(arena);
        let ctx = Ctx { session, pool: &pool, options: &options };
        let artifacts = ir::build::program::build(ctx, &wtypes, roots)?;
        gate(session)?;

        let (order, referenced) = compilation_order(ctx, &artifacts)?;
        let mut backend = Backend::new(ctx, &targets, &artifacts);
        let mut files = Files::new(session, &options, &targets, self.request.keep);
        let mut kept = Ok(());
        let mut artifacts: Vec<Option<Artifact>> = artifacts.into_iter().map(Some).collect();
        for place in &order {
            let artifact = artifacts[*place].take().expect("each place comes once");
            let Some(compiled) = backend.compile(artifact, self.request.outputs)? else { continue };
            let texts = files.make(&compiled, self.request.outputs);
            kept = kept
                .and_then(|()| self.keep_results(session, &options, &targets, &compiled, texts));
            if referenced.contains(&compiled.id) {
                backend.keep(compiled);
            }
        }
        gate(session)?;

        if order.is_empty() {
            let message = "No contracts or logic signatures discovered in any source files";
            session.sink.warning(message, Loc::NONE);
        }
        let told = files.tell();
        // after a failure, what was made before it stays, as in the reference
        let finished = self.request.outputs.finish();
        told?;
        finished.map_err(|error| io_failure(&error, "output"))?;
        kept
    }

    /// Fills the report with what the request asks to keep of an artifact.
    fn keep_results(
        &mut self,
        session: &Session<'_>,
        options: &CompileOptions,
        targets: &Targets,
        artifact: &Compiled,
        texts: Texts,
    ) -> Outcome<()> {
        match self.request.keep {
            Keep::Nothing => {}
            Keep::Artifacts => {
                if let Some(folder) = targets.get(&artifact.id) {
                    let level = options.debug_level;
                    let kept = kept_artifact(session, level, artifact, texts, folder)?;
                    self.report.artifacts.push(kept);
                }
            }
            Keep::Specifications => {
                if let (Metadata::Contract(contract), [approval, clear]) =
                    (&artifact.metadata, artifact.programs.as_slice())
                {
                    let sources = [approval, clear].map(|program| base64(program.text.as_bytes()));
                    let [source, clear_source] = &sources;
                    let programs = [
                        arc56::ProgramOutput { source, assembled: &approval.assembled },
                        arc56::ProgramOutput { source: clear_source, assembled: &clear.assembled },
                    ];
                    let prefix = &options.template_vars_prefix;
                    let (form, layout) = (arc56::Form::Full, Layout::Line);
                    let text = arc56::render(session, contract, programs, prefix, form, layout)?;
                    self.report.specifications.push((contract.id.clone(), text));
                }
            }
        }
        Ok(())
    }

    fn read_awst<'s>(
        &self,
        session: &Session<'s>,
        wtypes: &WTypes<'s>,
    ) -> Outcome<&'s [RootNode<'s>]>
    where
        'r: 's,
    {
        let document = match self.request.awst {
            Document::Tree(json) => Ok(json),
            Document::Text(text) => {
                crate::json::read_knowing(&awst::VOCABULARY, text, session.arena)
                    .map_err(unreadable)
            }
        };
        let document = document.map_err(|failure| self.about("awst", failure))?;
        awst::read::read(session, wtypes, document).map_err(|error| {
            let place = error.place().to_owned();
            let explanation = error.explanation().map(str::to_owned);
            match Failure::from(error) {
                Failure::Internal(message, loc) => {
                    Failure::Internal(self.with_place(message, &place, explanation), loc)
                }
                failure => failure,
            }
        })
    }

    /// A message about a place in the document. Editors get the reference's words; the command line
    /// gets the place behind them, as they may be looked for in its output; a client of the daemon
    /// gets the place first.
    fn with_place(&self, message: String, place: &str, explanation: Option<String>) -> String {
        match (self.request.caller, explanation) {
            (Caller::Service, _) => message,
            (Caller::CommandLine, None) => format!("{message} (at {place})"),
            (Caller::CommandLine, Some(explanation)) => {
                format!("{message} ({place}: {explanation})")
            }
            (Caller::Daemon, explanation) => format!("{place}: {}", explanation.unwrap_or(message)),
        }
    }

    /// A failure to read one of the documents. A client of the daemon is told which one.
    fn about(&self, document: &str, failure: Failure) -> Failure {
        match (self.request.caller, failure) {
            (Caller::Daemon, Failure::Internal(message, loc)) => {
                Failure::Internal(format!("{document}: {message}"), loc)
            }
            (_, failure) => failure,
        }
    }

    fn read_options(&self, json: Json<'_>) -> Outcome<CompileOptions> {
        options::read::read(json).map_err(|problems| match self.request.caller {
            Caller::Service => {
                let first = problems.first().expect("options are refused for a reason");
                let raised = first.inner.first().map_or(&first.raised, |(_, raised)| raised);
                Failure::internal(wrapped(raised.class, &raised.message), Loc::NONE)
            }
            Caller::CommandLine => {
                let texts = problems.iter().map(|problem| problem.raised.to_string());
                Failure::Group(texts.map(|text| Failure::internal(text, Loc::NONE)).collect())
            }
            Caller::Daemon => {
                let texts = problems.iter().map(describe_problem);
                Failure::Group(texts.map(|text| Failure::internal(text, Loc::NONE)).collect())
            }
        })
    }

    /// Whether every folder may be written to; the first that may not is remembered.
    fn may_write(&mut self, targets: &Targets) -> bool {
        let Some(may_write) = self.request.may_write else { return true };
        let refused = targets.values().map(Path::new).find(|folder| !may_write(folder));
        self.report.refused = refused.map(Path::to_owned);
        refused.is_none()
    }
}

/// A mistake in the options with its place in the document.
fn describe_problem(problem: &Problem) -> String {
    let Problem { field, raised, inner } = problem;
    match inner.first() {
        Some((key, raised)) => format!("options.{field}[{}]: {raised}", repr(key)),
        None if raised.class == "KeyError" => format!("options: no member \"{field}\""),
        None if field.is_empty() => format!("options: {raised}"),
        None => format!("options.{field}: {raised}"),
    }
}

/// An exception as the reference's reader of syntax trees passes it on.
fn wrapped(class: &str, message: &str) -> String {
    match class {
        "ValueError" | "TypeError" => {
            format!("invalid value encountered during deserialization: {message}")
        }
        _ => format!("deserialization failed: {message}"),
    }
}

/// Gives the session the lines of the source files.
fn read_annotations<'s>(session: &mut Session<'s>, json: Json<'s>) -> Outcome<()> {
    let arena = session.arena;
    let line = |json: Json<'s>| json.as_str().unwrap_or_else(|| arena.str(&to_text(json)));
    let wrong = |class, message: String| Failure::internal(wrapped(class, &message), Loc::NONE);
    let Kind::Object(files) = json.kind() else {
        let message = format!("'{}' object has no attribute 'items'", class_name(json));
        return Err(wrong("AttributeError", message));
    };
    for (path, lines) in files.iter() {
        let file = session.sym(&normalise_path(path));
        let lines = match lines.kind() {
            Kind::Null => None,
            Kind::Array(lines) => Some(lines.iter().map(line).collect()),
            // Python iterates the characters of a string and the keys of an object
            Kind::String(text) => Some(text.split_inclusive(|_| true).collect()),
            Kind::Object(members) => Some(members.keys().collect()),
            Kind::Bool(_) | Kind::Int(_) | Kind::Number(_) => {
                let message = format!("'{}' object is not iterable", class_name(lines));
                return Err(wrong("TypeError", message));
            }
        };
        session.sources.insert(file, lines.map(|lines: Vec<&str>| arena.slice(&lines)));
    }
    Ok(())
}

/// Finds the targets among the root nodes. One that is missing or no target is reported.
fn match_targets(
    session: &Session<'_>,
    options: &CompileOptions,
    roots: &[RootNode<'_>],
) -> Targets {
    let by_id: LookupMap<Symbol, &RootNode<'_>> =
        roots.iter().map(|root| (root.id(), root)).collect();
    let mut targets = Targets::default();
    for (id, folder) in &options.compilation_set {
        let symbol = session.sym(id);
        match by_id.get(&symbol) {
            Some(RootNode::Contract(_) | RootNode::LogicSignature(_)) => {
                targets.insert(symbol, folder.to_string_lossy().into_owned());
            }
            Some(RootNode::Subroutine(_)) => {
                session.sink.error("unexpected compilation target type: Subroutine", Loc::NONE);
            }
            None => {
                let message = format!("compilation target {} not found in AWST", repr(id));
                session.sink.error(message, Loc::NONE);
            }
        }
    }
    targets
}

/// Every contract and logic signature, as targets in one folder.
fn every_target(roots: &[RootNode<'_>], folder: &str) -> Targets {
    let targets = roots.iter().filter(|root| !matches!(root, RootNode::Subroutine(_)));
    targets.map(|root| (root.id(), normalise_path(folder))).collect()
}

/// The options with the targets that were found as compilation set.
fn within_targets(
    session: &Session<'_>,
    options: CompileOptions,
    targets: &Targets,
) -> CompileOptions {
    let set = targets.iter().map(|(id, folder)| (session.text(*id).to_owned(), folder.into()));
    CompileOptions { compilation_set: set.collect(), ..options }
}

/// Places of the artifacts in the order to compile them, and the artifacts that others refer to.
fn compilation_order(
    ctx: Ctx<'_, '_>,
    artifacts: &[Artifact],
) -> Outcome<(Vec<usize>, LookupSet<Symbol>)> {
    let id_of = |artifact: &Artifact| match artifact {
        Artifact::Contract { metadata, .. } => ctx.sym(&metadata.id),
        Artifact::LogicSignature { metadata, .. } => ctx.sym(&metadata.id),
    };
    let dependencies: Vec<Dependencies> = artifacts
        .iter()
        .map(|artifact| Dependencies {
            id: id_of(artifact),
            needs: ir::build::program::references(ctx, artifact),
        })
        .collect();
    let order = order::sort(&dependencies, &ctx.session.sink, |id| ctx.text(id))?;
    let mut referenced: LookupSet<Symbol> =
        dependencies.iter().flat_map(|artifact| artifact.needs.keys().copied()).collect();
    for artifact in artifacts {
        for id in ir::build::program::main_references(ctx, artifact).keys() {
            referenced.insert(*id);
        }
    }
    Ok((order, referenced))
}

/// An artifact as it leaves the session.
fn kept_artifact(
    session: &Session<'_>,
    debug_level: i64,
    artifact: &Compiled,
    texts: Texts,
    folder: &str,
) -> Outcome<CompiledArtifact> {
    // without files of them, source maps are made here
    let mut maps = Maps::new(session);
    let mut source_maps = texts.source_maps.into_iter();
    let programs = artifact.programs.iter().map(|program| {
        Ok(CompiledProgram {
            kind: program.kind,
            source_map: match source_maps.next() {
                Some(text) => text,
                None => maps.render(&program.debug_map(debug_level), folder)?,
            },
            template_variables: program
                .assembled
                .template_variables
                .iter()
                .map(|(name, value)| (session.text(*name).to_owned(), value.clone()))
                .collect(),
            stats: program
                .assembled
                .stats
                .entries()
                .map(|(name, number)| (name.to_owned(), number))
                .collect(),
            teal: program.text.clone(),
            bytecode: program.assembled.bytecode.clone(),
        })
    });
    Ok(CompiledArtifact {
        programs: programs.collect::<Outcome<_>>()?,
        metadata: artifact.metadata.clone(),
        arc32: texts.arc32,
        arc56: texts.arc56,
    })
}

/// How many messages so far are errors or worse.
fn error_count(session: &Session<'_>) -> usize {
    session.sink.count(Severity::Error) + session.sink.count(Severity::Critical)
}

/// Options that make analysis fast.
fn analysis_options() -> CompileOptions {
    let overrides = [
        ("perform_subroutine_inlining", false),
        ("merge_chained_aggregate_reads", true),
        ("replace_aggregate_box_ops", true),
    ];
    CompileOptions {
        optimization_level: 0,
        debug_level: 0,
        optimizations_override: overrides
            .into_iter()
            .map(|(name, on)| (name.to_owned(), on))
            .collect(),
        ..CompileOptions::default()
    }
}
