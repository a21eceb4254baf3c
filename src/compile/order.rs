//! In which order artifacts are compiled: after those whose bytecode they need. Spec 21 §4.

use crate::base::arena::Symbol;
use crate::base::ordered::{LookupMap, OrderedMap, OrderedSet};
use crate::base::source::Loc;
use crate::diagnostics::{Failure, Outcome, Sink};

/// An artifact and the artifacts it refers to, each with the place of the reference.
pub struct Dependencies {
    /// Its id.
    pub id: Symbol,
    /// What it needs, in the order met.
    pub needs: OrderedMap<Symbol, Loc>,
}

/// Sorts by layers: first whatever needs nothing, then whatever needs only that, and so on. Returns
/// places in `artifacts`. `text` gives the text of an id.
pub fn sort<'t>(
    artifacts: &[Dependencies],
    sink: &Sink,
    text: impl Fn(Symbol) -> &'t str,
) -> Outcome<Vec<usize>> {
    let places: LookupMap<Symbol, usize> =
        artifacts.iter().enumerate().map(|(place, artifact)| (artifact.id, place)).collect();
    let place_of = |id: &Symbol| {
        places.get(id).copied().ok_or_else(|| {
            sink.critical(format!("missing reference: {}", text(*id)), Loc::NONE);
            Failure::Reported
        })
    };
    // every artifact is met first as itself or as the need of an earlier one
    let mut nodes: OrderedSet<usize> = OrderedSet::default();
    let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); artifacts.len()];
    for (place, artifact) in artifacts.iter().enumerate() {
        nodes.insert(place);
        for id in artifact.needs.keys() {
            let need = place_of(id)?;
            nodes.insert(need);
            needed_by[need].push(place);
        }
    }
    let mut open: Vec<usize> = artifacts.iter().map(|artifact| artifact.needs.len()).collect();
    let mut order = Vec::with_capacity(artifacts.len());
    let mut ready: Vec<usize> = nodes.iter().copied().filter(|node| open[*node] == 0).collect();
    while !ready.is_empty() {
        let mut next = Vec::new();
        for node in &ready {
            for user in &needed_by[*node] {
                open[*user] -= 1;
                if open[*user] == 0 {
                    next.push(*user);
                }
            }
        }
        order.append(&mut ready);
        ready = next;
    }
    if order.len() == artifacts.len() {
        return Ok(order);
    }
    let cycle = find_cycle(&nodes, &needed_by);
    let [.., before, last] = cycle.as_slice() else {
        return Err(Failure::internal("cycle without artifacts", Loc::NONE));
    };
    let loc = artifacts[*last].needs.get(&artifacts[*before].id).copied().unwrap_or_default();
    let ids: Vec<&str> = cycle.iter().rev().map(|node| text(artifacts[*node].id)).collect();
    Err(Failure::code(format!("cyclical program reference: {}", ids.join(" -> ")), loc))
}

/// A cycle, its first node repeated at the end. Follows the first way that was not gone yet, from
/// the nodes in order.
fn find_cycle(nodes: &OrderedSet<usize>, needed_by: &[Vec<usize>]) -> Vec<usize> {
    let mut seen = vec![false; needed_by.len()];
    for start in nodes {
        // the way to the current node, with the users of each that are still to be tried
        let mut way: Vec<(usize, std::slice::Iter<'_, usize>)> = Vec::new();
        let mut node = Some(*start);
        loop {
            if let Some(current) = node.take() {
                if let Some(at) = way.iter().position(|step| step.0 == current) {
                    let mut cycle: Vec<usize> = way[at..].iter().map(|step| step.0).collect();
                    cycle.push(current);
                    return cycle;
                }
                if !seen[current] {
                    seen[current] = true;
                    way.push((current, needed_by[current].iter()));
                }
            }
            match way.last_mut() {
                None => break,
                Some((_, users)) => match users.next() {
                    Some(user) => node = Some(*user),
                    None => drop(way.pop()),
                },
            }
        }
    }
    Vec::new()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::arena::{Arena, Interner};

    /// `a:bc d:` reads: a needs b and c, d needs nothing.
    fn check(graph: &str) -> Result<String, String> {
        let arena = Arena::new();
        let names = Interner::new(&arena);
        let artifacts: Vec<Dependencies> = graph
            .split(' ')
            .map(|entry| {
                let (id, needs) = entry.split_once(':').unwrap();
                let needs = needs.chars().map(|need| (names.intern(&need.to_string()), Loc::NONE));
                Dependencies { id: names.intern(id), needs: needs.collect() }
            })
            .collect();
        match sort(&artifacts, &Sink::new(), |id| names.text(id)) {
            Ok(order) => Ok(order.iter().map(|place| names.text(artifacts[*place].id)).collect()),
            Err(Failure::Code(message, _)) => Err(message),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_is_needed_comes_first() {
        assert_eq!(check("a:c b: c:d d: e:b").as_deref(), Ok("bdeca"));
        assert_eq!(check("a: b: c:").as_deref(), Ok("abc"));
    }

    #[test]
    fn a_cycle_is_told() {
        assert_eq!(check("a:b b:a").unwrap_err(), "cyclical program reference: a -> b -> a");
        assert_eq!(check("x: a:b b:c c:a").unwrap_err().matches("->").count(), 3);
    }
}
