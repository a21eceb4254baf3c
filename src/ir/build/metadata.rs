//! Facts about a contract that travel beside its code: AWST contract in, [`ContractMetadata`] and the
//! routable methods out. Spec 21 §16 and 60 §7; the order of the steps is the order of messages.

use crate::awst::arc4::{self, Role};
use crate::awst::decl::{
    AppStorageDefinition, Arc4AbiMethodConfig, Arc4MethodConfig, Contract, ContractMethod,
};
use crate::awst::expr::{Expr, ExprRef, TemplateVar};
use crate::awst::mentions::Mentions;
use crate::awst::operators::BytesEncoding;
use crate::awst::visit::{Descend, Entered, Visitor, walk_function};
use crate::awst::wtypes::{ScalarType, WTypeField, WTypeId, WTypeKind, WTypes};
use crate::base::arena::Symbol;
use crate::base::ordered::{LookupMap, OrderedMap, OrderedSet};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome, Sink};
use crate::metadata::{
    AbiMethod, BareMethod, ContractMetadata, ContractState, Method, MethodArg, MethodReturn,
    StateTotals, StorageKind, StorageType, Struct, StructField,
};

use super::default_args;
use super::{BuildCtx, FunctionRef};

/// Keys of global state an application may have.
const GLOBAL_KEYS_MAX: u64 = 64;
/// Keys of local state an application may have.
const LOCAL_KEYS_MAX: u64 = 16;

/// A routable method and what its specification says.
pub type Routable<'s> = (&'s ContractMethod<'s>, Method);

/// Collects the metadata of a contract, and its routable methods in metadata order.
pub fn collect<'s>(
    ctx: &BuildCtx<'_, 's>,
    contract: &'s Contract<'s>,
) -> Outcome<(ContractMetadata, Vec<Routable<'s>>)> {
    let text = |symbol: Symbol| ctx.ir.text(symbol).to_owned();
    let mut metadata = ContractMetadata {
        id: text(contract.id),
        name: text(contract.name),
        desc: contract.description.map(str::to_owned),
        global_state: OrderedMap::default(),
        local_state: OrderedMap::default(),
        boxes: OrderedMap::default(),
        state_totals: StateTotals::default(),
        methods: Vec::new(),
        structs: OrderedMap::default(),
        template_variable_types: OrderedMap::default(),
    };
    for definition in contract.app_state {
        let entries = match definition.kind {
            StorageKind::Global => &mut metadata.global_state,
            StorageKind::Local => &mut metadata.local_state,
            StorageKind::Box => &mut metadata.boxes,
        };
        entries.insert(text(definition.member_name), state(ctx, definition)?);
    }
    metadata.state_totals = state_totals(ctx.ir.sink(), contract, &metadata);
    let (methods, type_refs) = methods(ctx, contract)?;
    metadata.structs = structs(ctx.wtypes, type_refs)?;
    metadata.template_variable_types = template_variable_types(ctx, contract, &methods)?;
    metadata.methods = methods.iter().map(|(_, method)| method.clone()).collect();
    Ok((metadata, methods))
}

/// Whether the AVM stores an integer as such, or the storage only takes bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Integers {
    Native,
    Encoded,
}

/// Spec 60 §7, step 1.
fn state(ctx: &BuildCtx<'_, '_>, definition: &AppStorageDefinition<'_>) -> Outcome<ContractState> {
    let wtypes = ctx.wtypes;
    let key = definition.key_constant();
    let integers = match definition.kind {
        StorageKind::Global | StorageKind::Local => Integers::Native,
        StorageKind::Box => Integers::Encoded,
    };
    let is_integer = wtypes.get(definition.storage_wtype).scalar_type == Some(ScalarType::UInt64);
    let storage_type = if is_integer && integers == Integers::Native {
        StorageType::Uint64
    } else {
        StorageType::Bytes
    };
    let key_type = match definition.key_wtype {
        Some(wtype) => arc56_type(wtypes, wtype, definition.loc, Integers::Encoded)?,
        None => key_type(key.encoding).to_owned(),
    };
    Ok(ContractState {
        name: ctx.ir.text(definition.member_name).to_owned(),
        loc: definition.loc,
        key_or_prefix: key.value.to_vec(),
        arc56_key_type: key_type,
        arc56_value_type: arc56_type(wtypes, definition.storage_wtype, definition.loc, integers)?,
        storage_type,
        desc: definition.description.map(str::to_owned),
        is_map: definition.key_wtype.is_some(),
    })
}

/// The ARC-56 type of a key that the source wrote this way.
pub(super) fn key_type(encoding: BytesEncoding) -> &'static str {
    if encoding == BytesEncoding::Utf8 { "AVMString" } else { "AVMBytes" }
}

fn arc56_type(
    wtypes: &WTypes<'_>,
    wtype: WTypeId,
    loc: Loc,
    integers: Integers,
) -> Outcome<String> {
    let wtype = match wtypes.kind(wtype) {
        WTypeKind::Tuple { .. } => arc4::arc4_equivalent_or_fail(wtypes, wtype, loc)?,
        _ if wtype == WTypeId::ACCOUNT => WTypeId::ARC4_ADDRESS,
        _ => wtype,
    };
    let facts = wtypes.get(wtype);
    Ok(match facts.kind {
        WTypeKind::Arc4Struct { .. } => facts.name.to_owned(),
        kind if kind.is_arc4() => arc4::arc4_name(wtypes, wtype)?,
        _ if wtype == WTypeId::STRING => "AVMString".to_owned(),
        _ => match (facts.scalar_type, integers) {
            (Some(ScalarType::UInt64), Integers::Native) => "AVMUint64".to_owned(),
            (Some(ScalarType::UInt64), Integers::Encoded) => "uint64".to_owned(),
            (Some(ScalarType::Bytes) | None, _) => "AVMBytes".to_owned(),
        },
    })
}

/// Spec 60 §7, step 2.
fn state_totals(sink: &Sink, contract: &Contract<'_>, metadata: &ContractMetadata) -> StateTotals {
    let count = |entries: &OrderedMap<String, ContractState>, storage_type| {
        let counts = |entry: &&ContractState| !entry.is_map && entry.storage_type == storage_type;
        entries.values().filter(counts).count() as u64
    };
    let mut totals = StateTotals {
        global_uints: count(&metadata.global_state, StorageType::Uint64),
        local_uints: count(&metadata.local_state, StorageType::Uint64),
        global_bytes: count(&metadata.global_state, StorageType::Bytes),
        local_bytes: count(&metadata.local_state, StorageType::Bytes),
    };
    if let Some(declared) = contract.state_totals {
        let mut insufficient = Vec::new();
        let mut override_by = |name: &str, total: &mut u64, declared: Option<i64>| {
            let Some(declared) = declared else { return };
            if declared < i64::try_from(*total).unwrap_or(i64::MAX) {
                insufficient.push(format!("{name}: declared={declared}, calculated={total}"));
            }
            *total = u64::try_from(declared).unwrap_or(0);
        };
        override_by("global_uints", &mut totals.global_uints, declared.global_uints);
        override_by("local_uints", &mut totals.local_uints, declared.local_uints);
        override_by("global_bytes", &mut totals.global_bytes, declared.global_bytes);
        override_by("local_bytes", &mut totals.local_bytes, declared.local_bytes);
        if !insufficient.is_empty() {
            insufficient.sort();
            let message = format!(
                "State totals declared on the class are less than totals calculated from \
                 explicitly declared properties: {}.",
                insufficient.join(", ")
            );
            sink.warning(message, contract.loc);
        }
    }
    let warn = |which: &str, total: u64, most: u64| {
        if total > most {
            let message = format!(
                "Total {which} state key count of {total} exceeds consensus parameter value {most}"
            );
            sink.warning(message, contract.loc);
        }
    };
    warn("global", totals.global_uints.saturating_add(totals.global_bytes), GLOBAL_KEYS_MAX);
    warn("local", totals.local_uints.saturating_add(totals.local_bytes), LOCAL_KEYS_MAX);
    totals
}

/// Spec 60 §7, step 3: the routable methods, and the types whose structs a specification mentions.
fn methods<'s>(
    ctx: &BuildCtx<'_, 's>,
    contract: &'s Contract<'s>,
) -> Outcome<(Vec<Routable<'s>>, Vec<WTypeId>)> {
    let mut type_refs: Vec<WTypeId> = contract
        .app_state
        .iter()
        .flat_map(|state| state.key_wtype.into_iter().chain([state.storage_wtype]))
        .collect();
    let mut events = Events {
        ctx,
        found: FunctionFacts::new(),
        entered: Entered::default(),
        stack: Vec::new(),
        failure: None,
    };
    let names: OrderedSet<Symbol> =
        contract.methods.iter().map(|method| method.function.short_name).collect();
    let mut routable = Vec::new();
    // Types that no signature can have are reported together, so that one run shows them all.
    let mut unmappable = Vec::new();
    for name in names {
        // a front end may list methods of a contract that is not in the hierarchy
        let Some(method) = contract.resolve_method(name) else {
            return Err(Failure::internal("AssertionError: ", Loc::NONE));
        };
        match method.arc4_method_config {
            None => {}
            Some(Arc4MethodConfig::Bare(config)) => {
                let facts = BareMethod {
                    id: ctx.ir.text(method.function.full_name).to_owned(),
                    desc: method.function.documentation.description.map(str::to_owned),
                    allowed_completion_types: config.allowed_completion_types.to_vec(),
                    create: config.create,
                    config_loc: config.loc,
                };
                routable.push((method, Method::Bare(facts)));
            }
            Some(Arc4MethodConfig::Abi(config)) => {
                let step = events.of(method).and_then(|structs| {
                    let facts =
                        abi_method(ctx, contract, method, config, &structs, &mut unmappable)?;
                    Ok((structs, facts))
                });
                let (structs, facts) = match step {
                    Ok(step) => step,
                    Err(failure) if unmappable.is_empty() => return Err(failure),
                    Err(failure) => {
                        unmappable.push(failure);
                        return Err(Failure::Group(unmappable));
                    }
                };
                routable.push((method, Method::Abi(facts)));
                type_refs.push(method.function.return_type);
                type_refs.extend(method.function.args.iter().map(|arg| arg.wtype));
                for event in structs {
                    type_refs.extend(ctx.wtypes.item_types(event).unwrap_or_default());
                }
            }
        }
    }
    if unmappable.is_empty() { Ok((routable, type_refs)) } else { Err(Failure::Group(unmappable)) }
}

fn abi_method<'s>(
    ctx: &BuildCtx<'_, 's>,
    contract: &'s Contract<'s>,
    method: &'s ContractMethod<'s>,
    config: &'s Arc4AbiMethodConfig<'s>,
    events: &[WTypeId],
    unmappable: &mut Vec<Failure>,
) -> Outcome<AbiMethod> {
    let wtypes = ctx.wtypes;
    let function = &method.function;
    let events: Vec<Struct> =
        events.iter().map(|event| describe_struct(wtypes, *event)).collect::<Outcome<_>>()?;
    let defaults = default_args::convert(ctx, contract, method, config)?;
    let mut type_name = |wtype, role, loc| match arc4::method_type_name(wtypes, wtype, role, loc) {
        Err(failure @ Failure::Code(..)) => {
            unmappable.push(failure);
            Ok(String::new())
        }
        other => other,
    };
    let mut args = Vec::new();
    for (arg, default) in function.args.iter().zip(defaults) {
        let name = ctx.ir.text(arg.name);
        let documentation = function.documentation.args.iter().find(|(of, _)| *of == name);
        args.push(MethodArg {
            name: name.to_owned(),
            arc4_type: type_name(arg.wtype, Role::Argument(config.resource_encoding), arg.loc)?,
            struct_name: struct_name(wtypes, arg.wtype),
            desc: documentation.map(|(_, desc)| (*desc).to_owned()),
            default,
        });
    }
    let returns = MethodReturn {
        arc4_type: type_name(function.return_type, Role::Return, function.loc)?,
        struct_name: struct_name(wtypes, function.return_type),
        desc: function.documentation.returns.map(str::to_owned),
    };
    Ok(AbiMethod {
        id: ctx.ir.text(function.full_name).to_owned(),
        desc: function.documentation.description.map(str::to_owned),
        name: config.name.to_owned(),
        args,
        returns,
        events,
        allowed_completion_types: config.allowed_completion_types.to_vec(),
        create: config.create,
        readonly: config.readonly,
        resource_encoding: config.resource_encoding,
        validate_encoding: config.validate_encoding,
        config_loc: config.loc,
    })
}

/// The fields of a struct or named tuple; none for every other type.
fn fields<'s>(wtypes: &WTypes<'s>, wtype: WTypeId) -> Option<Vec<WTypeField<'s>>> {
    let fields = match wtypes.kind(wtype) {
        WTypeKind::Arc4Struct { fields, .. } => fields.to_vec(),
        WTypeKind::Tuple { types, names: Some(names), .. } => names
            .iter()
            .zip(types)
            .map(|(name, wtype)| WTypeField { name, wtype: *wtype, description: None })
            .collect(),
        _ => return None,
    };
    (!fields.is_empty()).then_some(fields)
}

fn struct_name(wtypes: &WTypes<'_>, wtype: WTypeId) -> Option<String> {
    fields(wtypes, wtype).map(|_| wtypes.name(wtype).to_owned())
}

fn describe_struct(wtypes: &WTypes<'_>, wtype: WTypeId) -> Outcome<Struct> {
    let desc = match wtypes.kind(wtype) {
        WTypeKind::Arc4Struct { desc, .. } | WTypeKind::Tuple { desc, .. } => desc,
        _ => None,
    };
    let mut described = Vec::new();
    let Some(fields) = fields(wtypes, wtype) else {
        // PARITY: the reference asserts that there are fields, pinned by py_e35_empty_event.
        return Err(Failure::internal("AssertionError: ", Loc::NONE));
    };
    for field in fields {
        let arc4 = if wtypes.kind(field.wtype).is_arc4() {
            field.wtype
        } else {
            arc4::arc4_equivalent_or_fail(wtypes, field.wtype, Loc::NONE)?
        };
        described.push(StructField {
            name: field.name.to_owned(),
            arc4_type: arc4::arc4_name(wtypes, arc4)?,
            struct_name: struct_name(wtypes, arc4),
            desc: field.description.map(str::to_owned),
        });
    }
    let full_name = wtypes.name(wtype).to_owned();
    Ok(Struct { full_name, desc: desc.map(str::to_owned), fields: described })
}

/// Spec 60 §7, step 4: last mentioned first, the first definition of a name wins, sorted by name.
fn structs(wtypes: &WTypes<'_>, type_refs: Vec<WTypeId>) -> Outcome<OrderedMap<String, Struct>> {
    let is_struct = |wtype: &WTypeId| fields(wtypes, *wtype).is_some();
    let mut pending: Vec<WTypeId> = type_refs.into_iter().filter(is_struct).collect();
    let mut found: OrderedMap<String, Struct> = OrderedMap::default();
    while let Some(wtype) = pending.pop() {
        let name = wtypes.name(wtype);
        if found.contains_key(name) {
            continue;
        }
        let members = fields(wtypes, wtype).unwrap_or_default().into_iter();
        let nested = members.map(|field| field.wtype).filter(is_struct);
        pending.extend(nested.filter(|wtype| !found.contains_key(wtypes.name(*wtype))));
        found.insert(name.to_owned(), describe_struct(wtypes, wtype)?);
    }
    found.sort_keys();
    Ok(found)
}

/// Facts by function; functions are equal when their nodes are.
struct FunctionFacts<'s, T> {
    by_name: LookupMap<Symbol, Vec<(FunctionRef<'s>, T)>>,
}

impl<'s, T> FunctionFacts<'s, T> {
    fn new() -> Self {
        Self { by_name: LookupMap::new() }
    }
    fn get_mut(&mut self, function: FunctionRef<'s>) -> Option<&mut T> {
        let entries = self.by_name.get_mut(&function.function().full_name)?;
        let same = |entry: &&mut (FunctionRef<'s>, T)| {
            std::ptr::eq(entry.0.function(), function.function()) || entry.0 == function
        };
        entries.iter_mut().find(same).map(|(_, fact)| fact)
    }
    fn insert(&mut self, function: FunctionRef<'s>, fact: T) {
        let name = function.function().full_name;
        self.by_name.get_or_insert_with(name, Vec::new).push((function, fact));
    }
}

/// Collects the events a function may emit, its callees' included. The events of a callee are taken as
/// they are known at the call, which for recursion means only in part.
struct Events<'b, 'a, 's> {
    ctx: &'b BuildCtx<'a, 's>,
    found: FunctionFacts<'s, OrderedSet<WTypeId>>,
    /// The events of a callee are the same at each call in one function.
    entered: Entered<'s>,
    stack: Vec<FunctionRef<'s>>,
    failure: Option<Failure>,
}

impl<'s> Events<'_, '_, 's> {
    fn of(&mut self, method: &'s ContractMethod<'s>) -> Outcome<Vec<WTypeId>> {
        let events = self.process(FunctionRef::Method(method));
        match self.failure.take() {
            Some(failure) => Err(failure),
            None => Ok(events),
        }
    }
    fn process(&mut self, function: FunctionRef<'s>) -> Vec<WTypeId> {
        if self.found.get_mut(function).is_none() {
            self.found.insert(function, OrderedSet::default());
            self.stack.push(function);
            let entered = std::mem::take(&mut self.entered);
            walk_function(self, function.function());
            self.entered = entered;
            self.stack.pop();
        }
        let events = self.found.get_mut(function);
        events.map(|events| events.iter().copied().collect()).unwrap_or_default()
    }
    fn emit(&mut self, event: Outcome<Vec<WTypeId>>) {
        match event {
            Ok(events) => {
                let current = *self.stack.last().expect("a function is being walked");
                if let Some(found) = self.found.get_mut(current) {
                    found.extend(events);
                }
            }
            Err(failure) => {
                self.failure.get_or_insert(failure);
            }
        }
    }
}

/// The struct an event given by signature and values is described by.
fn event_of_signature(
    ctx: &BuildCtx<'_, '_>,
    signature: &str,
    values: &[ExprRef<'_>],
    loc: Loc,
) -> Outcome<WTypeId> {
    let wtypes = ctx.wtypes;
    let parts = arc4::split_signature(ctx.ir.sink(), signature, loc)?;
    let types: Vec<WTypeId> = match parts.args {
        Some(args) => arc4::split_tuple_types(args)
            .into_iter()
            .map(|name| arc4::wtype_of_abi_name(wtypes, name, Loc::NONE))
            .collect::<Outcome<_>>()?,
        None => values
            .iter()
            .map(|value| arc4::arc4_equivalent_or_fail(wtypes, value.wtype(), value.loc()))
            .collect::<Outcome<_>>()?,
    };
    let names: Vec<String> = (1..=types.len()).map(|number| format!("field{number}")).collect();
    let fields: Vec<WTypeField<'_>> = names
        .iter()
        .zip(types)
        .map(|(name, wtype)| WTypeField { name, wtype, description: None })
        .collect();
    wtypes.arc4_struct(parts.name, &fields, true, None, loc)
}

impl<'s> Visitor<'s> for Events<'_, '_, 's> {
    const LOOKS_FOR: Option<Mentions> = Some(Mentions::EVENTS.or(Mentions::CALLS));
    fn enter_expr(&mut self, expr: ExprRef<'s>) -> Descend {
        if self.failure.is_some() {
            return Descend::Skip;
        }
        match expr {
            Expr::Emit(emit) => self.emit(Ok(vec![emit.value.wtype()])),
            Expr::EmitFields(emit) => {
                let event = event_of_signature(self.ctx, emit.signature, emit.values, emit.loc);
                self.emit(event.map(|event| vec![event]));
            }
            Expr::SubroutineCallExpression(call) => {
                let caller = *self.stack.last().expect("a function is being walked");
                match self.ctx.resolve_target(call.target, call.loc, caller) {
                    Ok(callee) => {
                        let events = self.process(callee);
                        self.emit(Ok(events));
                    }
                    Err(failure) => self.emit(Err(failure)),
                }
            }
            _ if self.entered.again(expr, Mentions::EVENTS) => {}
            _ => return Descend::Into,
        }
        // Neither event values nor call arguments are searched.
        Descend::Skip
    }
}

/// Spec 60 §7, step 5.
fn template_variable_types<'s>(
    ctx: &BuildCtx<'_, 's>,
    contract: &'s Contract<'s>,
    methods: &[Routable<'s>],
) -> Outcome<OrderedMap<String, String>> {
    let mut search = TemplateVariables {
        ctx,
        found: OrderedMap::default(),
        seen: FunctionFacts::new(),
        entered: Entered::default(),
        stack: Vec::new(),
        failure: None,
    };
    let routable = methods.iter().map(|(method, _)| *method);
    for method in [contract.approval_program, contract.clear_program].into_iter().chain(routable) {
        search.process(FunctionRef::Method(method));
    }
    if let Some(failure) = search.failure {
        return Err(failure);
    }
    let name_and_type = |(name, variable): (Symbol, &TemplateVar)| {
        let ty = arc56_type(ctx.wtypes, variable.wtype, variable.loc, Integers::Native)?;
        Ok((ctx.ir.text(name).to_owned(), ty))
    };
    search.found.into_iter().map(name_and_type).collect()
}

struct TemplateVariables<'b, 'a, 's> {
    ctx: &'b BuildCtx<'a, 's>,
    found: OrderedMap<Symbol, &'s TemplateVar>,
    seen: FunctionFacts<'s, ()>,
    entered: Entered<'s>,
    stack: Vec<FunctionRef<'s>>,
    failure: Option<Failure>,
}

impl<'s> TemplateVariables<'_, '_, 's> {
    fn process(&mut self, function: FunctionRef<'s>) {
        if self.seen.get_mut(function).is_none() {
            self.seen.insert(function, ());
            self.stack.push(function);
            let entered = std::mem::take(&mut self.entered);
            walk_function(self, function.function());
            self.entered = entered;
            self.stack.pop();
        }
    }
}

impl<'s> Visitor<'s> for TemplateVariables<'_, '_, 's> {
    const LOOKS_FOR: Option<Mentions> = Some(Mentions::TEMPLATE_VARIABLES.or(Mentions::CALLS));
    fn enter_expr(&mut self, expr: ExprRef<'s>) -> Descend {
        // A variable of another type is reported wherever it stands.
        match self.entered.again(expr, Mentions::TEMPLATE_VARIABLES) {
            true => Descend::Skip,
            false => Descend::Into,
        }
    }
    fn leave_expr(&mut self, expr: ExprRef<'s>) {
        match expr {
            _ if self.failure.is_some() => {}
            Expr::TemplateVar(variable) => {
                let first = *self.found.entry(variable.name).or_insert(variable);
                if !self.ctx.wtypes.equal(first.wtype, variable.wtype) {
                    let sink = self.ctx.ir.sink();
                    let message = "inconsistent types specified for template var";
                    sink.error(message, variable.loc);
                    sink.info("other template var", first.loc);
                }
            }
            Expr::SubroutineCallExpression(call) => {
                let caller = *self.stack.last().expect("a function is being walked");
                match self.ctx.resolve_target(call.target, call.loc, caller) {
                    Ok(callee) => self.process(callee),
                    Err(failure) => self.failure = Some(failure),
                }
            }
            _ => {}
        }
    }
}
