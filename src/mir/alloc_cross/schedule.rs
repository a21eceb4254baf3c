//! Chooses the variables of every X-stack and their order. Spec 30 §10.3 to §10.6.
//!
//! A variable that does not fit one edge set is kept off the X-stack of the whole subroutine.

use std::cmp::Ordering;

use crate::base::entity::{EntitySet, SecondaryMap};
use crate::session::Session;

use super::super::lifetimes::VarSet;
use super::super::model::{Block, BlockId, Locals, Subroutine, VarId};
use super::edges::EdgeSet;
use super::{Record, Records, both, minus};

/// From this many blocks with a strict order of their own on, a variable that only passes through
/// costs more shuffling than it saves.
const TRANSIT_BLOCKS_MAX: usize = 2;

/// Sets `x_stack_in` and `x_stack_out` of every block. Answers the X-stack of every edge set.
pub fn run(
    session: &Session<'_>,
    sub: &mut Subroutine,
    records: &Records<'_>,
    sets: &[EdgeSet],
    groups: &[Vec<usize>],
) -> Vec<Vec<VarId>> {
    let mut excluded = VarSet::new();
    for record in records.values().filter(|record| record.set_in.or(record.set_out).is_some()) {
        exclude_misfits(record, sets, &mut excluded);
    }
    let stable: Vec<VarSet> = sets.iter().map(|set| stable(sub, records, set)).collect();
    for group in groups {
        excluded.union_with(&expensive_transits(records, sets, &stable, group));
    }
    let mut scheduled = VarSet::new();
    let mut x_stacks = vec![Vec::new(); sets.len()];
    for group in groups {
        let ranked = ranked(sub, sets, group);
        for &index in group {
            let set = &sets[index];
            let chosen = ranked
                .iter()
                .filter(|var| set.candidates.contains(**var) && !excluded.contains(**var));
            x_stacks[index].extend(chosen);
            for var in &x_stacks[index] {
                scheduled.insert(*var);
            }
            let names = x_stacks[index].iter().map(|var| sub.variables[*var].name);
            let x_stack: Locals = names.collect();
            for block in &set.out_blocks {
                sub.body[*block].x_stack_out = x_stack.clone();
            }
            for block in &set.in_blocks {
                sub.body[*block].x_stack_in = x_stack.clone();
            }
        }
    }
    if !scheduled.is_empty() {
        session.sink.debug_with(|| {
            let names: Vec<&str> =
                scheduled.iter().map(|var| session.text(sub.variables[var].name)).collect();
            format!("Allocated to x-stack: {}", names.join(", "))
        });
    }
    x_stacks
}

/// Variables that a block stores or loads but cannot hand over, or whose place would differ between
/// the two ends of the block.
fn exclude_misfits(record: &Record<'_>, sets: &[EdgeSet], excluded: &mut VarSet) {
    let none = VarSet::new();
    let x_in = record.set_in.map_or(&none, |set| &sets[set].candidates);
    let x_out = record.set_out.map_or(&none, |set| &sets[set].candidates);
    if x_in.is_empty() && x_out.is_empty() {
        excluded.union_with(&record.stores);
        excluded.union_with(&record.loads);
        return;
    }
    excluded.union_with(&minus(&record.stores, x_out));
    excluded.union_with(&minus(&record.loads, x_in));

    // known before and needed behind; the block may read these but keeps them
    let transit = minus(&both(x_in, x_out), &record.stores);
    let taken = minus(&record.loads, &transit);
    let dropped = minus(&minus(x_in, x_out), record.live_in);
    let left = minus(&minus(x_in, &taken), &dropped);
    let expected = minus(x_out, &record.stores);
    excluded.union_with(&minus(&left, &expected));
    excluded.union_with(&minus(&expected, &left));
}

/// Candidates that all blocks of the set handle in one and the same order.
fn stable(sub: &Subroutine, records: &Records<'_>, set: &EdgeSet) -> VarSet {
    if set.candidates.is_empty() {
        return VarSet::new();
    }
    let mut beyond = VarSet::new();
    set.out_blocks.iter().for_each(|block| {
        beyond.union_with(records[*block].live_in);
    });
    set.in_blocks.iter().for_each(|block| {
        beyond.union_with(records[*block].live_out);
    });
    let eligible = both(&set.candidates, &beyond);
    if eligible.is_empty() {
        return eligible;
    }
    let kept = |vars: &mut dyn Iterator<Item = VarId>| -> Vec<VarId> {
        vars.filter(|var| eligible.contains(*var)).collect()
    };
    let mut orders: Vec<Vec<VarId>> = Vec::new();
    for block in &set.out_blocks {
        orders.push(kept(&mut stores(&sub.body[*block]).rev()));
    }
    for block in &set.in_blocks {
        orders.push(kept(&mut loads(&sub.body[*block])));
    }
    common_order(orders).into_iter().collect()
}

/// Variables stored by a block, each once. Ids order as names do, so comparing sequences of ids
/// compares sequences of names.
fn stores(block: &Block) -> impl DoubleEndedIterator<Item = VarId> + '_ {
    block.ops.iter().filter_map(|op| op.abstract_store()).map(|local| local.var)
}

/// Variables loaded by a block, each once.
fn loads(block: &Block) -> impl DoubleEndedIterator<Item = VarId> + '_ {
    block.ops.iter().filter_map(|op| op.abstract_load()).map(|local| local.var)
}

/// A common subsequence of all orders: folded pair by pair, from the shortest on.
fn common_order(mut orders: Vec<Vec<VarId>>) -> Vec<VarId> {
    orders.sort_by(|a, b| by_length_and_value(a, b));
    orders.dedup();
    let mut orders = orders.into_iter();
    let first = orders.next().unwrap_or_default();
    orders.fold(first, |shared, order| longest_common_subsequence(&shared, &order))
}

fn by_length_and_value(a: &[VarId], b: &[VarId]) -> Ordering {
    a.len().cmp(&b.len()).then_with(|| a.cmp(b))
}

/// The textbook algorithm, from the front; of two equally long results the one that is larger as a
/// sequence of names wins at every step.
fn longest_common_subsequence(left: &[VarId], right: &[VarId]) -> Vec<VarId> {
    if left.is_empty() || right.is_empty() {
        return Vec::new();
    }
    let mut above: Vec<Vec<VarId>> = vec![Vec::new(); right.len() + 1];
    for item in left {
        let mut row: Vec<Vec<VarId>> = Vec::with_capacity(right.len() + 1);
        row.push(Vec::new());
        for (index, other) in right.iter().enumerate() {
            let next = if item == other {
                let mut longer = above[index].clone();
                longer.push(*item);
                longer
            } else if by_length_and_value(&above[index + 1], &row[index]) == Ordering::Less {
                row[index].clone()
            } else {
                above[index + 1].clone()
            };
            row.push(next);
        }
        above = row;
    }
    above.pop().unwrap_or_default()
}

/// Candidates without a common order that a group uses in few places but carries through many blocks
/// which have an order of their own.
fn expensive_transits(
    records: &Records<'_>,
    sets: &[EdgeSet],
    stable: &[VarSet],
    group: &[usize],
) -> VarSet {
    let mut unstable = VarSet::new();
    for &index in group {
        unstable.union_with(&minus(&sets[index].candidates, &stable[index]));
    }
    if unstable.is_empty() {
        return unstable;
    }
    let mut seen = EntitySet::new();
    let (mut stored, mut loaded) = (VarSet::new(), VarSet::new());
    let mut multi_use = VarSet::new();
    let mut penalty: EntitySet<BlockId> = EntitySet::new();
    for &index in group {
        for block in sets[index].blocks() {
            let record = &records[block];
            if stable[index].intersects(&record.stores) {
                penalty.insert(block);
            }
            if seen.insert(block) {
                multi_use.union_with(&both(&stored, &record.stores));
                multi_use.union_with(&both(&loaded, &record.loads));
                stored.union_with(&record.stores);
                loaded.union_with(&record.loads);
            }
        }
    }
    unstable.difference_with(&multi_use);
    let is_expensive = |var: &VarId| {
        let mut passed: EntitySet<BlockId> = EntitySet::new();
        let carrying = group.iter().filter(|index| sets[**index].candidates.contains(*var));
        for block in carrying.flat_map(|index| sets[*index].blocks()) {
            let record = &records[block];
            let is_used = record.stores.contains(*var) || record.loads.contains(*var);
            if penalty.contains(block) && !is_used {
                passed.insert(block);
            }
        }
        passed.len() >= TRANSIT_BLOCKS_MAX
    };
    unstable.iter().filter(is_expensive).collect()
}

/// What the blocks of a group say about one variable.
#[derive(Clone, Default)]
struct Evidence {
    /// Sum of its places, counted from the top, among what blocks store last and load first.
    places: u64,
    /// How many places were counted.
    count: u32,
    /// The last store of it: number of the block and place of the operation, both plus one.
    last_store: (u32, usize),
    /// In how many edge sets it is a candidate.
    sets: u32,
    /// Whether every block that stores it does so last, in the last set seen.
    is_last: bool,
}

/// All candidates of a group from the bottom of the X-stack to its top: what is stored late and
/// loaded early lies high.
fn ranked(sub: &Subroutine, sets: &[EdgeSet], group: &[usize]) -> Vec<VarId> {
    let mut evidence: SecondaryMap<VarId, Evidence> = SecondaryMap::new();
    let mut candidates = VarSet::new();
    for set in group.iter().map(|index| &sets[*index]) {
        let mut stored = VarSet::new();
        let mut stored_not_last = VarSet::new();
        for block in &set.out_blocks {
            let block = &sub.body[*block];
            for (place, var) in stores(block).rev().enumerate() {
                stored.insert(var);
                if place > 0 {
                    stored_not_last.insert(var);
                }
                evidence[var].places += place as u64;
                evidence[var].count += 1;
            }
            for (index, op) in block.ops.iter().enumerate() {
                if let Some(local) = op.abstract_store() {
                    let last = &mut evidence[local.var].last_store;
                    *last = (*last).max((block.number + 1, index + 1));
                }
            }
        }
        for block in &set.in_blocks {
            for (place, var) in loads(&sub.body[*block]).enumerate() {
                evidence[var].places += place as u64;
                evidence[var].count += 1;
            }
        }
        for var in set.candidates.iter() {
            evidence[var].sets += 1;
            evidence[var].is_last = stored.contains(var) && !stored_not_last.contains(var);
            candidates.insert(var);
        }
    }
    let key = |var: &VarId| {
        let evidence = &evidence[*var];
        let height = match evidence.count {
            0 => f64::NEG_INFINITY,
            count => -(evidence.places as f64 / f64::from(count)),
        };
        (evidence.sets == 1 && evidence.is_last, height, evidence.last_store)
    };
    // ids come in order of the names, which breaks ties
    let mut ranked: Vec<VarId> = candidates.iter().collect();
    ranked.sort_by(|a, b| key(a).partial_cmp(&key(b)).expect("a mean of numbers is a number"));
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::entity::EntityId;

    fn order(text: &str) -> Vec<VarId> {
        text.bytes().map(|byte| VarId::new(usize::from(byte))).collect()
    }

    /// The definition, taken from the ends of both sequences.
    fn defined(left: &[VarId], right: &[VarId]) -> Vec<VarId> {
        let (Some((a, shorter_left)), Some((b, shorter_right))) =
            (left.split_last(), right.split_last())
        else {
            return Vec::new();
        };
        if a == b {
            let mut common = defined(shorter_left, shorter_right);
            common.push(*a);
            return common;
        }
        let (one, two) = (defined(shorter_left, right), defined(left, shorter_right));
        if by_length_and_value(&one, &two) == Ordering::Less { two } else { one }
    }

    #[test]
    fn of_equally_long_orders_the_larger_one_wins() {
        assert_eq!(longest_common_subsequence(&order("ab"), &order("ba")), order("b"));
        assert_eq!(common_order(vec![order("abc"), order("acb"), order("acb")]), order("ac"));
        assert_eq!(common_order(vec![order("abc"), order("")]), order(""));
    }

    #[test]
    fn the_table_agrees_with_the_definition() {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..300 {
            let mut letters: Vec<u8> = (b'a'..b'h').collect();
            let mut draw = || {
                random.shuffle(&mut letters);
                let count = random.usize(..letters.len());
                let text = String::from_utf8(letters[..count].to_vec()).expect("letters");
                order(&text)
            };
            let (left, right) = (draw(), draw());
            assert_eq!(longest_common_subsequence(&left, &right), defined(&left, &right));
        }
    }
}
