//! Template variables of a program -> their values, or dummies where there are none.

use num_bigint::{BigInt, Sign};

use super::Purpose;
use crate::base::arena::Symbol;
use crate::base::ordered::OrderedMap;
use crate::base::source::Loc;
use crate::base::text::repr;
use crate::options::{CompileOptions, TemplateValue};
use crate::session::Session;
use crate::teal::model::{BlockConstant, OpKind, Program};

/// The template variables a program names.
pub(super) struct Templates<'t, 's> {
    session: &'t Session<'s>,
    /// In order of first use, with the value and where it was given.
    values: OrderedMap<Symbol, Option<(TemplateValue, Loc)>>,
    /// A missing value is a mistake.
    all_needed: bool,
}

impl<'t, 's> Templates<'t, 's> {
    /// Looks up the values that are given for the program's variables.
    pub(super) fn new(
        session: &'t Session<'s>,
        options: &CompileOptions,
        program: &Program,
        purpose: Purpose,
    ) -> Self {
        let (all_needed, constants) = match purpose {
            Purpose::Output { id } => {
                (options.output_bytecode && options.compilation_set.contains_key(id), None)
            }
            Purpose::Reference(constants) => (true, Some(constants)),
        };
        let given = |name: &str| {
            if let Some(given) = constants.and_then(|constants| constants.get(name)) {
                return Some(given.clone());
            }
            let short = name.strip_prefix(options.template_vars_prefix.as_str())?;
            Some((options.cli_template_definitions.get(short)?.clone(), Loc::NONE))
        };
        let mut values = OrderedMap::default();
        let mut note = |name: Symbol| {
            values.entry(name).or_insert_with(|| given(session.text(name)));
        };
        for op in program.blocks().flat_map(|block| &block.ops) {
            match &op.kind {
                OpKind::IntBlock(constants) => {
                    constants.iter().filter_map(template_name).for_each(&mut note);
                }
                OpKind::BytesBlock(constants) => {
                    constants.iter().filter_map(template_name).for_each(&mut note);
                }
                _ => {}
            }
        }
        Self { session, values, all_needed }
    }

    /// Whether some variable has no value; then positions count from behind the constant blocks.
    pub(super) fn is_any_missing(&self) -> bool {
        self.values.values().any(Option::is_none)
    }

    /// The value of a number. Mistakes are told at its first use.
    pub(super) fn int(&self, name: Symbol, first_use: Loc) -> BigInt {
        match self.value(name, first_use) {
            Some((TemplateValue::Int(value), _)) => value.clone(),
            Some((TemplateValue::Bytes(_), given)) => {
                self.wrong_type(name, "int", given.or(first_use));
                BigInt::default()
            }
            None => BigInt::default(),
        }
    }

    /// The value of a byte string. Mistakes are told at its first use.
    pub(super) fn bytes(&self, name: Symbol, first_use: Loc) -> Vec<u8> {
        match self.value(name, first_use) {
            Some((TemplateValue::Bytes(value), _)) => value.clone(),
            Some((TemplateValue::Int(_), given)) => {
                self.wrong_type(name, "bytes", given.or(first_use));
                Vec::new()
            }
            None => Vec::new(),
        }
    }

    fn value(&self, name: Symbol, first_use: Loc) -> Option<&(TemplateValue, Loc)> {
        let value = self.values.get(&name).and_then(Option::as_ref);
        if value.is_none() && self.all_needed {
            let name = self.session.text(name);
            self.session.sink.error(format!("template variable not defined: {name}"), first_use);
        }
        value
    }

    fn wrong_type(&self, name: Symbol, expected: &str, loc: Loc) {
        let name = repr(self.session.text(name));
        let message = format!("invalid template value type for {name}, expected {expected}");
        self.session.sink.error(message, loc);
    }

    /// Every variable with its value.
    pub(super) fn into_values(self) -> OrderedMap<Symbol, Option<TemplateValue>> {
        let values = self.values.into_iter();
        values.map(|(name, value)| (name, value.map(|(value, _)| value))).collect()
    }
}

fn template_name<T>(constant: &BlockConstant<T>) -> Option<Symbol> {
    match constant {
        BlockConstant::Template(name, _) => Some(*name),
        BlockConstant::Value(_) => None,
    }
}

/// Appends a number of any size in groups of seven bits, lowest first; none for one below zero.
pub(super) fn push_big_varuint(out: &mut Vec<u8>, value: &BigInt) -> Option<()> {
    let (sign, digits) = value.to_radix_le(128);
    let (last, rest) = digits.split_last().expect("zero has a digit");
    out.extend(rest.iter().map(|digit| digit | 0x80));
    out.push(*last);
    (sign != Sign::Minus).then_some(())
}
