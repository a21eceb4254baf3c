//! One artifact after the other from IR to bytes, dumps on the way; and what compiled artifacts can
//! tell those compiled after them.

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;

use super::dumps::Dumps;
use super::{Targets, error_count};
use crate::artifacts::write::{Outputs, join};
use crate::assemble::debug_map::DebugMap;
use crate::assemble::{self, Assembled, Purpose, TemplateConstants, assemble};
use crate::base::arena::Symbol;
use crate::base::ordered::{LookupMap, OrderedMap};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};
use crate::ir::model::{Artifact, Program, ProgramKind};
use crate::ir::optimise::{CompiledPrograms, TemplateConstant};
use crate::ir::transform::{Observer, Stage, transform};
use crate::ir::{self, Ctx};
use crate::metadata::{Metadata, StateTotals};
use crate::mir;
use crate::teal;
use crate::teal::text::{Detail, Place};

/// An artifact with its programs assembled.
pub struct Compiled {
    /// Its id.
    pub id: Symbol,
    /// What its specifications say.
    pub metadata: Metadata,
    /// Its programs, approval first.
    pub programs: Vec<CompiledProgram>,
}

/// An assembled program.
pub struct CompiledProgram {
    /// What it is run for.
    pub kind: ProgramKind,
    /// Its ops.
    pub teal: teal::model::Program,
    /// The assembly file.
    pub text: String,
    /// Where in it each op stands.
    pub places: Vec<Place>,
    /// Its bytes and their map.
    pub assembled: Assembled,
    /// The report, if the options ask for one.
    pub report: Option<String>,
}

impl CompiledProgram {
    /// What a debugger needs, at a debug level.
    pub fn debug_map(&self, debug_level: i64) -> DebugMap<'_> {
        let (text, places) = (&self.text, &self.places);
        DebugMap { debug_level, program: &self.teal, assembled: &self.assembled, text, places }
    }
}

/// Compiles artifacts in the order they are given.
pub struct Backend<'b, 's> {
    ctx: Ctx<'b, 's>,
    targets: &'b Targets,
    provider: Provider<'b, 's>,
    /// Folders of dumps with the artifact that has each.
    claimed: OrderedMap<String, Loc>,
}

impl<'b, 's> Backend<'b, 's> {
    /// A backend that has compiled nothing. `artifacts` are all there will be.
    pub fn new(ctx: Ctx<'b, 's>, targets: &'b Targets, artifacts: &[Artifact]) -> Self {
        let mut state_totals = LookupMap::new();
        for artifact in artifacts {
            if let Artifact::Contract { metadata, .. } = artifact {
                state_totals.insert(ctx.sym(&metadata.id), metadata.state_totals);
            }
        }
        let (references, cache) = (LookupMap::new(), RefCell::default());
        let provider = Provider { ctx, state_totals, references, cache };
        Self { ctx, targets, provider, claimed: OrderedMap::default() }
    }

    /// Compiles one artifact. There is none after mistakes on the way: those are reported.
    pub fn compile(
        &mut self,
        mut artifact: Artifact,
        outputs: &mut dyn Outputs,
    ) -> Outcome<Option<Compiled>> {
        let ctx = self.ctx;
        let session = ctx.session;
        session.check_stop()?;
        let (id, name) = match &artifact {
            Artifact::Contract { metadata, .. } => (&metadata.id, &metadata.name),
            Artifact::LogicSignature { metadata, .. } => (&metadata.id, &metadata.name),
        };
        let id = ctx.sym(id);
        let folder = self.claim_folder(id, name, artifact.loc(), outputs);
        let mut dumps = IrDumps { ctx, dumps: Dumps::new(outputs, folder, name) };
        let errors = error_count(session);
        for program in artifact.programs() {
            dumps.program(program, Stage::Ssa)?;
        }
        transform(&mut artifact, ctx, &self.provider, &mut dumps)?;
        if error_count(session) > errors {
            return Ok(None);
        }
        let mut dumps = dumps.dumps;
        // what the next form was made of is freed at once
        let (metadata, programs) = match artifact {
            Artifact::Contract { metadata, approval, clear, .. } => {
                (Metadata::Contract(metadata), vec![approval, clear])
            }
            Artifact::LogicSignature { metadata, program, .. } => {
                (Metadata::LogicSig(metadata), vec![program])
            }
        };
        let mut stack_code = Vec::with_capacity(programs.len());
        for program in programs {
            stack_code.push(lower_to_stack_code(ctx, &program, &mut dumps)?);
        }
        let mut assembly = Vec::with_capacity(stack_code.len());
        for program in stack_code {
            assembly.push(build_assembly(ctx, &program, &mut dumps)?);
        }
        let mut programs = Vec::with_capacity(assembly.len());
        for program in assembly {
            programs.push(finish_program(ctx, metadata.id(), program)?);
        }
        Ok(Some(Compiled { id, metadata, programs }))
    }

    /// Keeps what artifacts that refer to this one need of it.
    pub fn keep(&mut self, compiled: Compiled) {
        let programs = compiled.programs.into_iter().map(|program| (program.kind, program.teal));
        self.provider.references.insert(compiled.id, programs.collect());
    }

    /// The folder for dumps of a target, emptied. The first of several with one folder gets it.
    fn claim_folder(
        &mut self,
        id: Symbol,
        name: &str,
        loc: Loc,
        outputs: &mut dyn Outputs,
    ) -> Option<String> {
        let folder = join(self.targets.get(&id)?, &format!("{name}.ir"));
        if let Some(first) = self.claimed.get(&folder) {
            let sink = &self.ctx.session.sink;
            sink.error(format!("duplicate contract name {name}"), loc);
            sink.info(format!("contract name {name} first seen here"), *first);
            return None;
        }
        outputs.remove_folder(Path::new(&folder));
        self.claimed.insert(folder.clone(), loc);
        Some(folder)
    }
}

/// Dumps of IR, as the options ask for them.
struct IrDumps<'d, 's> {
    ctx: Ctx<'d, 's>,
    dumps: Dumps<'d>,
}

impl Observer for IrDumps<'_, '_> {
    fn program(&mut self, program: &Program, stage: Stage) -> Outcome<()> {
        let options = self.ctx.options;
        let wanted = match stage {
            Stage::Ssa | Stage::SsaArray | Stage::SsaSlot => options.output_ssa_ir,
            Stage::SsaOpt | Stage::SsaArrayOpt => options.output_optimization_ir,
            Stage::Destructured => options.output_destructured_ir,
        };
        if !wanted || !self.dumps.are_kept() {
            return Ok(());
        }
        let text = ir::text::program(self.ctx, program);
        self.dumps.write(program.kind, stage.name(), "ir", &text)
    }
    fn end_of_step(&mut self) {
        self.dumps.next_group();
    }
}

fn lower_to_stack_code(
    ctx: Ctx<'_, '_>,
    program: &Program,
    dumps: &mut Dumps<'_>,
) -> Outcome<mir::model::Program> {
    let wanted = ctx.options.output_memory_ir && dumps.are_kept();
    mir::lower(ctx, program, &mut |qualifier, stack_code| {
        if !wanted {
            return Ok(());
        }
        let text = mir::text::dump(ctx.session, stack_code)?;
        dumps.write(program.kind, qualifier, "mir", &text)
    })
}

fn build_assembly(
    ctx: Ctx<'_, '_>,
    program: &mir::model::Program,
    dumps: &mut Dumps<'_>,
) -> Outcome<teal::model::Program> {
    let (session, options) = (ctx.session, ctx.options);
    let wanted = options.output_teal_intermediates && dumps.are_kept();
    let level = options.optimization_level;
    teal::build_program(session, level, program, &mut |assembly, qualifier| {
        if !wanted {
            return Ok(());
        }
        let detail = Detail::StackManipulations;
        let text = teal::text::render(session, options.debug_level, assembly, detail)?;
        dumps.write(program.kind, qualifier, "teal", &text)
    })
}

/// Everything that is made of a program when its ops are final.
fn finish_program(
    ctx: Ctx<'_, '_>,
    id: &str,
    program: teal::model::Program,
) -> Outcome<CompiledProgram> {
    let (session, options) = (ctx.session, ctx.options);
    let level = options.debug_level;
    let (text, places) = teal::text::render_with_places(session, level, &program, Detail::Plain)?;
    let assembled = assemble(session, options, &program, Purpose::Output { id })?;
    let report = match options.output_assembly_report {
        true => Some(assemble::report::render(session, &program, &assembled)?),
        false => None,
    };
    Ok(CompiledProgram { kind: program.kind, teal: program, text, places, assembled, report })
}

/// Bytecode of a program with certain template values.
type CacheEntry = (Symbol, ProgramKind, Vec<TemplateConstant>, Rc<[u8]>);

/// What compiled artifacts tell others.
struct Provider<'b, 's> {
    ctx: Ctx<'b, 's>,
    state_totals: LookupMap<Symbol, StateTotals>,
    /// The programs of artifacts that others refer to.
    references: LookupMap<Symbol, Vec<(ProgramKind, teal::model::Program)>>,
    cache: RefCell<Vec<CacheEntry>>,
}

impl CompiledPrograms for Provider<'_, '_> {
    fn bytecode(
        &self,
        artifact: Symbol,
        kind: ProgramKind,
        template_values: &[TemplateConstant],
    ) -> Outcome<Rc<[u8]>> {
        let is_it = |entry: &&CacheEntry| {
            entry.0 == artifact && entry.1 == kind && entry.2 == template_values
        };
        if let Some(entry) = self.cache.borrow().iter().find(is_it) {
            return Ok(Rc::clone(&entry.3));
        }
        let session = self.ctx.session;
        let name = session.text(artifact);
        let Some(programs) = self.references.get(&artifact) else {
            return Err(Failure::code(format!("invalid reference: {name}"), Loc::NONE));
        };
        let Some((_, program)) = programs.iter().find(|program| program.0 == kind) else {
            return Err(Failure::internal(format!("invalid kind: {kind:?}, {name}"), Loc::NONE));
        };
        let constants: TemplateConstants = template_values
            .iter()
            .map(|constant| {
                let name = session.text(constant.name).to_owned();
                (name, (constant.value.clone(), constant.loc))
            })
            .collect();
        let purpose = Purpose::Reference(&constants);
        let assembled = assemble(session, self.ctx.options, program, purpose)?;
        let bytecode: Rc<[u8]> = assembled.bytecode.into();
        let entry = (artifact, kind, template_values.to_vec(), Rc::clone(&bytecode));
        self.cache.borrow_mut().push(entry);
        Ok(bytecode)
    }
    fn state_totals(&self, artifact: Symbol) -> Outcome<StateTotals> {
        let missing = || {
            let name = self.ctx.text(artifact);
            Failure::internal(format!("KeyError: '{name}'"), Loc::NONE)
        };
        self.state_totals.get(&artifact).copied().ok_or_else(missing)
    }
}
