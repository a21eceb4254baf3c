//! Replaces operations of a finished body by longer sequences: the [`Emitter`] of the passes that do
//! so. Spec 20 §13 and §15.

use crate::base::arena::Symbol;
use crate::base::entity::EntityId;
use crate::base::ordered::LookupMap;
use crate::base::source::Loc;
use crate::base::text::with_decimal;
use crate::diagnostics::{Failure, Outcome};

use super::Ctx;
use super::factory::{Emitter, LibraryRoutine};
use super::model::{BlockId, Program, Subroutine};
use super::op::{Op, OpKind, Register, RegisterId, Source};
use super::pool::SubId;
use super::targets::Targets;
use super::types::IrType;

/// The library routines that are part of a program.
pub type Library = LookupMap<LibraryRoutine, SubId>;

/// Collects the library routines that are part of a program.
pub fn library_of(program: &Program, ctx: Ctx<'_, '_>) -> Library {
    let mut library = Library::new();
    for sub in &program.subroutines {
        if let Some(routine) = LibraryRoutine::from_id(ctx.text(sub.header(ctx.pool).id)) {
            library.insert(routine, sub.id);
        }
    }
    library
}

/// First version not in use of the variables in a body that may be temporaries with this prefix.
fn unused_versions(
    sub: &Subroutine,
    ctx: Ctx<'_, '_>,
    prefix: &'static str,
) -> LookupMap<Symbol, u32> {
    let mut versions: LookupMap<Symbol, u32> = LookupMap::new();
    // all that is read is defined
    sub.visit_definitions(&mut |register| {
        if ctx.text(register.name).starts_with(prefix) {
            let version = versions.get_or_insert_with(register.name, || 0);
            *version = (*version).max(register.version + 1);
        }
    });
    versions
}

/// Names temporaries `{prefix}%{description}%{n}` and collects operations to stand before the one
/// that is being rewritten.
pub struct Rewriter<'a, 's> {
    ctx: Ctx<'a, 's>,
    prefix: &'static str,
    library: &'a Library,
    /// First version not in use of temporaries that were there before. No two new ones have one name.
    versions: LookupMap<Symbol, u32>,
    counters: LookupMap<Symbol, u32>,
    inserted: Vec<Op>,
    /// How many registers the subroutine has.
    registers: u32,
}

impl<'a, 's> Rewriter<'a, 's> {
    /// A rewriter for one run of a pass over one subroutine.
    pub fn new(
        sub: &Subroutine,
        ctx: Ctx<'a, 's>,
        prefix: &'static str,
        library: &'a Library,
    ) -> Self {
        Rewriter {
            ctx,
            prefix,
            library,
            versions: unused_versions(sub, ctx, prefix),
            counters: LookupMap::new(),
            inserted: Vec::new(),
            registers: sub.registers,
        }
    }
    /// Lets `rewrite` change each operation of a block in turn; what it emits stands before that
    /// operation. Phis and terminator stay.
    pub fn rewrite_block(
        &mut self,
        sub: &mut Subroutine,
        block: BlockId,
        mut rewrite: impl FnMut(&mut Self, &mut Op) -> Outcome<()>,
    ) -> Outcome<()> {
        let mut inserted_any = false;
        let mut ops = Vec::new();
        for index in 0..sub.blocks[block].ops.len() {
            let id = sub.blocks[block].ops[index];
            rewrite(self, &mut sub.ops[id])?;
            if !self.inserted.is_empty() {
                if !inserted_any {
                    inserted_any = true;
                    ops.extend_from_slice(&sub.blocks[block].ops[..index]);
                }
                ops.extend(self.inserted.drain(..).map(|op| sub.ops.push(op)));
            }
            if inserted_any {
                ops.push(id);
            }
        }
        if inserted_any {
            sub.touch();
            sub.registers = self.registers;
            sub.blocks[block].ops = ops;
        }
        Ok(())
    }
}

impl<'a, 's> Emitter<'a, 's> for Rewriter<'a, 's> {
    fn ctx(&self) -> Ctx<'a, 's> {
        self.ctx
    }
    fn emit(&mut self, kind: OpKind, loc: Loc) {
        self.inserted.push(Op { kind, loc });
    }
    fn assign(&mut self, targets: Targets, source: Source, loc: Loc) {
        self.emit(OpKind::Assign { targets, source }, loc);
    }
    fn new_temp(&mut self, description: &str, ty: IrType, loc: Loc) -> Register {
        let counter = self.counters.get_or_insert_with(self.ctx.sym(description), || 0);
        let (prefix, symbols) = (self.prefix, &self.ctx.session.symbols);
        let join = |digits: &str| symbols.intern_joined(&[prefix, "%", description, "%", digits]);
        let name = with_decimal(u64::from(*counter), join);
        *counter += 1;
        let version = self.versions.get(&name).copied().unwrap_or(0);
        let id = RegisterId::new(self.registers as usize);
        self.registers += 1;
        Register::local(id, name, version, ty, loc)
    }
    fn library(&mut self, routine: LibraryRoutine) -> Outcome<SubId> {
        self.library.get(&routine).copied().ok_or_else(|| {
            let message = format!("the program lacks the library routine {}", routine.id());
            Failure::internal(message, Loc::NONE)
        })
    }
}
