//! On-the-fly SSA construction while blocks are being built: writes and reads of variables in, registers
//! and phis out. Spec 21 §8, after Braun et al., "Simple and Efficient Construction of Static Single
//! Assignment Form".
//!
//! Invariant: `sub.body` lists the activated blocks in order, and every operation, terminator and phi in
//! them was announced through [`Ssa::note_op`] or [`Ssa::note_terminator`], so that the users of a
//! phi that turns out to be trivial are known without a search.

use crate::base::arena::Symbol;
use crate::base::entity::{EntityId, EntitySet, SecondaryMap};
use crate::base::ordered::LookupMap;
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome};

use super::Ctx;
use super::model::{BlockId, Node, OpId, Phi, PhiArg, PhiId, Subroutine};
use super::op::{OpKind, Register, RegisterId, Source, SourceKind, Value};
use super::types::IrType;

/// State of the construction for one subroutine.
#[derive(Default)]
pub struct Ssa {
    sealed: EntitySet<BlockId>,
    variables: Vec<Variable>,
    /// Places of variables in that list plus one; 0 for none.
    places: SecondaryMap<Symbol, u32>,
    /// The values of variables at the ends of blocks other than the one written last.
    elsewhere: LookupMap<BlockEnd, Register>,
    /// Phis of blocks whose predecessors are not all known yet.
    incomplete: LookupMap<BlockId, Vec<PhiId>>,
    /// The phis that define registers.
    phi_of: SecondaryMap<RegisterId, Option<PhiId>>,
    phis: SecondaryMap<PhiId, PhiState>,
    /// Whether a phi was removed.
    removed_phis: bool,
}

/// A variable at the end of a block, as one number.
type BlockEnd = u64;

fn end_of(block: BlockId, variable: Symbol) -> BlockEnd {
    (variable.index() as u64) << 32 | block.index() as u64
}

/// What is known of a phi.
#[derive(Clone, Default)]
struct PhiState {
    block: Option<BlockId>,
    /// Who reads its register, until it is removed; may name a reader twice.
    readers: Option<Vec<Node>>,
    /// What stands in the place of its register once it is removed.
    replacement: Option<Register>,
}

/// What is known of a variable.
struct Variable {
    name: Symbol,
    next_version: u32,
    /// The block it was written in last, and its value at the end of it: most variables are written
    /// once and read nearby.
    last: Option<(BlockId, Register)>,
}

/// A phi that was removed, the register it defined and what stands in its place.
struct Removed {
    phi: PhiId,
    register: Register,
    replacement: Register,
}

impl Ssa {
    /// Starts anew, in the memory of the subroutine before, with the parameters as values of the entry
    /// block.
    pub fn start(&mut self, parameters: &[Register], entry: BlockId) {
        let Self { sealed, variables, places, elsewhere, incomplete, phi_of, phis, removed_phis } =
            self;
        sealed.clear();
        variables.drain(..).for_each(|variable| places[variable.name] = 0);
        elsewhere.clear();
        incomplete.clear();
        phi_of.clear();
        phis.clear();
        *removed_phis = false;
        for parameter in parameters {
            self.write(entry, *parameter);
            self.variable(parameter.name).next_version = 1;
        }
    }
    fn variable(&mut self, name: Symbol) -> &mut Variable {
        let place = &mut self.places[name];
        if *place == 0 {
            self.variables.push(Variable { name, next_version: 0, last: None });
            *place = u32::try_from(self.variables.len()).expect("fewer than 2^32 variables");
        }
        &mut self.variables[*place as usize - 1]
    }
    fn find(&self, name: Symbol) -> Option<&Variable> {
        Some(&self.variables[(self.places[name] as usize).checked_sub(1)?])
    }
    /// Whether the variable was ever mentioned.
    pub fn has_version(&self, variable: Symbol) -> bool {
        self.find(variable).is_some_and(|variable| variable.next_version > 0)
    }
    /// Makes a register the value of its variable from here to the end of the block.
    pub fn write(&mut self, block: BlockId, register: Register) {
        let last = self.variable(register.name).last.replace((block, register));
        if let Some((other, value)) = last
            && other != block
        {
            self.elsewhere.insert(end_of(other, register.name), value);
        }
    }
    /// The value of a variable at the end of a block, if it is known.
    fn known(&self, block: BlockId, variable: Symbol) -> Option<Register> {
        let mut value = match self.find(variable)?.last {
            Some((last, value)) if last == block => value,
            _ => *self.elsewhere.get(&end_of(block, variable))?,
        };
        while let Some(phi) = self.phi_of[value.id]
            && let Some(replacement) = self.phis[phi].replacement
        {
            value = replacement;
        }
        Some(value)
    }
    /// A new version of a variable.
    pub fn new_register(
        &mut self,
        sub: &mut Subroutine,
        name: Symbol,
        ty: IrType,
        loc: Loc,
    ) -> Register {
        let variable = self.variable(name);
        let register = Register::local(sub.new_register_id(), name, variable.next_version, ty, loc);
        variable.next_version += 1;
        register
    }
    /// Whether all predecessors of a block are known.
    pub fn is_sealed(&self, block: BlockId) -> bool {
        self.sealed.contains(block)
    }
    /// The value of a variable at the end of a block. `ty` is used only where a phi is needed.
    pub fn read(
        &mut self,
        ctx: Ctx<'_, '_>,
        sub: &mut Subroutine,
        block: BlockId,
        variable: Symbol,
        ty: IrType,
    ) -> Outcome<Register> {
        if let Some(register) = self.known(block, variable) {
            return Ok(register);
        }
        let value = if !self.is_sealed(block) {
            let phi = self.new_phi(sub, block, variable, ty);
            self.incomplete.get_or_insert_with(block, Vec::new).push(phi);
            sub.phis[phi].register
        } else if let [predecessor] = sub.blocks[block].predecessors[..] {
            self.read(ctx, sub, predecessor, variable, ty)?
        } else {
            // Written before its operands are read, so that a cycle ends here.
            let phi = self.new_phi(sub, block, variable, ty);
            self.write(block, sub.phis[phi].register);
            self.add_operands(ctx, sub, phi, block)?
        };
        self.write(block, value);
        Ok(value)
    }
    /// All predecessors of a block are known from now on: completes its phis.
    pub fn seal(&mut self, ctx: Ctx<'_, '_>, sub: &mut Subroutine, block: BlockId) -> Outcome<()> {
        if self.is_sealed(block) {
            return Err(Failure::internal("a block cannot be sealed twice", Loc::NONE));
        }
        let unterminated = |predecessor: &BlockId| sub.blocks[*predecessor].terminator.is_none();
        if sub.blocks[block].predecessors.iter().any(unterminated) {
            let message = "All predecessors must be terminated before sealing";
            return Err(Failure::internal(message, Loc::NONE));
        }
        for phi in self.incomplete.remove(&block).unwrap_or_default() {
            self.add_operands(ctx, sub, phi, block)?;
        }
        self.sealed.insert(block);
        Ok(())
    }
    /// Fails unless every block of the body is sealed.
    pub fn verify_complete(&self, sub: &Subroutine) -> Outcome<()> {
        let unsealed = sub.body.iter().filter(|block| !self.is_sealed(**block)).count();
        if unsealed > 0 {
            return Err(Failure::internal(
                format!("{unsealed} block/s were not sealed"),
                Loc::NONE,
            ));
        }
        if !self.incomplete.is_empty() {
            return Err(Failure::internal("phi node/s are incomplete", Loc::NONE));
        }
        Ok(())
    }
    /// Whether a phi was removed, so that somebody may still know its register.
    pub fn removed_phis(&self) -> bool {
        self.removed_phis
    }
    /// Records what an operation reads.
    pub fn note_op(&mut self, ctx: Ctx<'_, '_>, sub: &Subroutine, op: OpId) {
        sub.ops[op].visit_registers_read(ctx.pool, &mut |register| {
            self.note_read(register, Node::Op(op));
        });
    }
    /// Records what the terminator of a block reads.
    pub fn note_terminator(&mut self, ctx: Ctx<'_, '_>, sub: &Subroutine, block: BlockId) {
        sub.blocks[block].terminator().visit_registers_read(ctx.pool, &mut |register| {
            self.note_read(register, Node::Terminator(block));
        });
    }

    fn note_read(&mut self, register: Register, node: Node) {
        if let Some(readers) = self.readers(register) {
            readers.push(node);
        }
    }
    /// The readers of a register that a phi defines.
    fn readers(&mut self, register: Register) -> Option<&mut Vec<Node>> {
        let phi = self.phi_of[register.id]?;
        self.phis[phi].readers.as_mut()
    }
    fn new_phi(
        &mut self,
        sub: &mut Subroutine,
        block: BlockId,
        variable: Symbol,
        ty: IrType,
    ) -> PhiId {
        let register = self.new_register(sub, variable, ty, Loc::NONE);
        let phi = sub.phis.push(Phi { register, args: Vec::new() });
        sub.blocks[block].phis.push(phi);
        self.phi_of[register.id] = Some(phi);
        self.phis[phi] =
            PhiState { block: Some(block), readers: Some(Vec::new()), replacement: None };
        phi
    }
    fn add_operands(
        &mut self,
        ctx: Ctx<'_, '_>,
        sub: &mut Subroutine,
        phi: PhiId,
        block: BlockId,
    ) -> Outcome<Register> {
        let Register { name: variable, ty, .. } = sub.phis[phi].register;
        for index in 0..sub.blocks[block].predecessors.len() {
            let through = sub.blocks[block].predecessors[index];
            let value = self.read(ctx, sub, through, variable, ty)?;
            if value.ty.maybe_avm_type(ctx.pool) != ty.maybe_avm_type(ctx.pool) {
                let message = format!(
                    "Phi node of {} received arguments with unexpected type(s): {}",
                    ctx.text(variable),
                    value.ty.name(ctx.pool)
                );
                return Err(Failure::internal(message, Loc::NONE));
            }
            sub.phis[phi].args.push(PhiArg { value, through });
            self.note_read(value, Node::Phi(phi));
        }
        let mut removals = Vec::new();
        self.try_remove(ctx, sub, phi, &mut removals);
        let Some(first) = removals.first() else { return Ok(sub.phis[phi].register) };
        let mut result = first.replacement;
        for removed in &removals {
            let owner = self.block_of(removed.phi);
            if self.incomplete.get(&owner).is_some_and(|phis| phis.contains(&removed.phi)) {
                return Err(Failure::internal("removed an incomplete phi", Loc::NONE));
            }
            if removed.replacement.name != variable {
                let message = "Tangled phi web created during SSA construction";
                return Err(Failure::internal(message, removed.replacement.loc));
            }
            if removed.register == result {
                result = removed.replacement;
            }
            self.phis[removed.phi].replacement = Some(removed.replacement);
            self.removed_phis = true;
        }
        Ok(result)
    }
    /// Removes a phi that merges one value only, then the phis that became such by it, depth first.
    fn try_remove(
        &mut self,
        ctx: Ctx<'_, '_>,
        sub: &mut Subroutine,
        phi: PhiId,
        removals: &mut Vec<Removed>,
    ) {
        let register = sub.phis[phi].register;
        let mut others =
            sub.phis[phi].args.iter().map(|arg| arg.value).filter(|value| *value != register);
        let Some(replacement) = others.next() else {
            let name = ctx.text(register.name);
            let message = format!("Variable {name} potentially used before assignment");
            ctx.sink().warning(message, Loc::NONE);
            return;
        };
        if others.any(|other| other != replacement) {
            return;
        }
        removals.push(Removed { phi, register, replacement });
        for user in self.replace_phi(ctx, sub, phi, replacement) {
            self.try_remove(ctx, sub, user, removals);
        }
    }
    /// Puts `replacement` wherever the register of a phi is read and removes the phi. Returns the
    /// other phis that read it, in the order of blocks and of phis in them.
    fn replace_phi(
        &mut self,
        ctx: Ctx<'_, '_>,
        sub: &mut Subroutine,
        phi: PhiId,
        replacement: Register,
    ) -> Vec<PhiId> {
        let register = sub.phis[phi].register;
        let mut users = Vec::new();
        let mut moved = Vec::new();
        let mut swap = |value: Value| match value {
            Value::Register(found) if found == register => Value::Register(replacement),
            other => other,
        };
        for reader in self.phis[phi].readers.take().unwrap_or_default() {
            match reader {
                Node::Phi(user) if user == phi => continue,
                Node::Phi(user) => {
                    if users.contains(&user) || self.place(sub, user).is_none() {
                        continue;
                    }
                    for arg in &mut sub.phis[user].args {
                        if arg.value == register {
                            arg.value = replacement;
                        }
                    }
                    users.push(user);
                }
                Node::Op(op) => {
                    let op = &mut sub.ops[op];
                    op.map_reads(ctx.pool, &mut swap);
                    // A copied value has no location besides its own.
                    if let OpKind::Assign {
                        source: Source { kind: SourceKind::Value(value), loc },
                        ..
                    } = &mut op.kind
                    {
                        *loc = value.loc();
                    }
                }
                Node::Terminator(block) => sub.map_terminator_reads(ctx, block, &mut swap),
            }
            moved.push(reader);
        }
        if let Some(readers) = self.readers(replacement) {
            readers.extend(moved);
        }
        let owner = self.block_of(phi);
        sub.blocks[owner].phis.retain(|other| *other != phi);
        users.sort_by_key(|user| self.place(sub, *user));
        users
    }
    fn block_of(&self, phi: PhiId) -> BlockId {
        self.phis[phi].block.expect("every phi has a block")
    }
    /// Block number and position of a phi; none once it is removed.
    fn place(&self, sub: &Subroutine, phi: PhiId) -> Option<(Option<u32>, usize)> {
        let block = &sub.blocks[self.block_of(phi)];
        let position = block.phis.iter().position(|other| *other == phi)?;
        Some((block.number, position))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::arena::Arena;
    use crate::base::few::Few;
    use crate::ir::model::BasicBlock;
    use crate::ir::op::{Terminator, TerminatorKind};
    use crate::ir::pool::Pool;
    use crate::options::CompileOptions;
    use crate::session::Session;

    fn goto(sub: &mut Subroutine, from: BlockId, targets: &[BlockId]) {
        for target in targets {
            sub.blocks[*target].add_predecessor(from);
        }
        let kind = match *targets {
            [target] => TerminatorKind::Goto(target),
            [non_zero, zero] => {
                TerminatorKind::Branch { condition: Value::bool(true, Loc::NONE), non_zero, zero }
            }
            _ => TerminatorKind::Return(Vec::new()),
        };
        sub.blocks[from].terminator = Some(Terminator { kind, loc: Loc::NONE });
    }

    #[test]
    fn a_loop_that_changes_nothing_needs_no_phi_and_one_that_does_keeps_it() {
        let arena = Arena::new();
        let session = Session::new(&arena, None);
        let pool = Pool::new(&arena);
        let options = CompileOptions::default();
        let ctx = Ctx { session: &session, pool: &pool, options: &options };
        let name = ctx.sym("f");
        let id = pool.new_sub(name, name, &[], false);
        let mut sub = Subroutine::new(id, Loc::NONE, Vec::new(), Few::None);
        let blocks: Vec<BlockId> = (0..4u32)
            .map(|number| {
                let mut block = BasicBlock::new(Loc::NONE, None, None);
                block.number = Some(number);
                let block = sub.blocks.push(block);
                sub.body.push(block);
                block
            })
            .collect();
        let [entry, header, body, exit] = blocks[..] else { unreachable!("four blocks") };
        let (x, y) = (ctx.sym("x"), ctx.sym("y"));
        let mut ssa = Ssa::default();
        ssa.start(&[], entry);
        ssa.seal(ctx, &mut sub, entry).unwrap();
        for variable in [x, y] {
            let register = ssa.new_register(&mut sub, variable, IrType::UInt64, Loc::NONE);
            ssa.write(entry, register);
        }
        goto(&mut sub, entry, &[header]);
        goto(&mut sub, header, &[body, exit]);
        ssa.seal(ctx, &mut sub, body).unwrap();
        let read = ssa.read(ctx, &mut sub, body, y, IrType::UInt64).unwrap();
        assert_eq!(read.version, 1, "a phi until the loop is closed");
        ssa.read(ctx, &mut sub, body, x, IrType::UInt64).unwrap();
        let changed = ssa.new_register(&mut sub, x, IrType::UInt64, Loc::NONE);
        ssa.write(body, changed);
        goto(&mut sub, body, &[header]);
        ssa.seal(ctx, &mut sub, header).unwrap();
        ssa.seal(ctx, &mut sub, exit).unwrap();
        goto(&mut sub, exit, &[]);
        ssa.verify_complete(&sub).unwrap();
        assert_eq!(ssa.read(ctx, &mut sub, exit, y, IrType::UInt64).unwrap().version, 0);
        let merged = ssa.read(ctx, &mut sub, exit, x, IrType::UInt64).unwrap();
        let [phi] = sub.blocks[header].phis[..] else { panic!("one phi is left") };
        assert_eq!(sub.phis[phi].register, merged);
        let through: Vec<BlockId> = sub.phis[phi].args.iter().map(|arg| arg.through).collect();
        assert_eq!(through, [entry, body]);
    }
}
