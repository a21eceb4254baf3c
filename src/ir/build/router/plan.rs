//! Which tests lead a call to which method: what routable methods accept in, a tree of decisions out.

use crate::base::few::Few;
use crate::metadata::{CreateOption, OnCompletion};

/// What a routable method accepts.
#[derive(Clone, Copy, Debug)]
pub struct Accepted<'m> {
    /// Whether it takes calls without arguments, and not those with its signature.
    pub is_bare: bool,
    /// In the order given.
    pub actions: &'m [OnCompletion],
    pub create: CreateOption,
}

/// Something a call is or is not.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Test {
    HasArguments,
    Action(OnCompletion),
    OtherAction(OnCompletion),
    /// The action is one of those whose bits are set.
    ActionIn(u64),
    ApplicationExists,
    CreatesApplication,
}

/// A method, by its place among the routable ones, and what is asserted before it is called.
#[derive(Clone, Debug)]
pub struct Route {
    pub method: usize,
    pub asserts: Few<Test>,
}

/// One decision; a call that it leads to no method comes to the next.
#[derive(Clone, Debug)]
pub enum Step {
    Assert(Test),
    Branch(Test, Goal, Goal),
    /// Compares the first argument with the selectors of the methods.
    Selector(Vec<Route>),
    /// By the action: the place of a route for each that has one.
    Action(Vec<(OnCompletion, usize)>, Vec<Route>),
}

/// What a branch leads to.
#[derive(Clone, Debug)]
pub enum Goal {
    /// Steps, with a name.
    Steps(&'static str, Vec<Step>),
    Route(Route),
}

/// How calls are routed.
#[derive(Clone, Debug)]
pub struct Plan {
    pub steps: Vec<Step>,
    /// Bare methods that accept what another one before them does, and what that is.
    pub clashes: Vec<(usize, OnCompletion)>,
}

impl Plan {
    /// The plan for these methods.
    pub fn of(methods: &[Accepted<'_>]) -> Self {
        let (bare, with_signature): (Vec<usize>, Vec<usize>) =
            (0..methods.len()).partition(|place| methods[*place].is_bare);
        let with_arguments = by_signature(methods, with_signature);
        let mut clashes = Vec::new();
        let steps = match by_action(methods, &bare, &mut clashes) {
            None => with_arguments,
            Some(bare) => {
                let goal = Goal::Steps("abi_routing", with_arguments);
                vec![Step::Branch(Test::HasArguments, goal, bare)]
            }
        };
        Self { steps, clashes }
    }
}

/// The steps to the methods with a signature. Two or more that only take part in plain calls share
/// their tests; all others have tests of their own and come first.
fn by_signature(methods: &[Accepted<'_>], places: Vec<usize>) -> Vec<Step> {
    let is_plain = |place: &usize| methods[*place].actions == [OnCompletion::NoOp];
    let (mut plain, mut others): (Vec<usize>, Vec<usize>) = places.into_iter().partition(is_plain);
    if plain.len() == 1 {
        others.append(&mut plain);
    }
    let tested =
        others.into_iter().map(|method| Route { method, asserts: tests(&methods[method]) });
    let mut steps = selector(tested.collect());
    if !plain.is_empty() {
        let of = |create| {
            let accept = plain.iter().filter(|place| methods[**place].create == create);
            selector(accept.map(|place| Route { method: *place, asserts: Few::None }).collect())
        };
        steps.push(Step::Assert(Test::Action(OnCompletion::NoOp)));
        steps.append(&mut of(CreateOption::Allow));
        steps.push(Step::Branch(
            Test::ApplicationExists,
            Goal::Steps("call_NoOp", of(CreateOption::Disallow)),
            Goal::Steps("create_NoOp", of(CreateOption::Require)),
        ));
    }
    steps
}

fn selector(routes: Vec<Route>) -> Vec<Step> {
    if routes.is_empty() { Vec::new() } else { vec![Step::Selector(routes)] }
}

/// What leads to bare methods, if there are any: a single one tests the action itself.
fn by_action(
    methods: &[Accepted<'_>],
    places: &[usize],
    clashes: &mut Vec<(usize, OnCompletion)>,
) -> Option<Goal> {
    match *places {
        [] => return None,
        [method] => return Some(Goal::Route(Route { method, asserts: tests(&methods[method]) })),
        _ => {}
    }
    let mut chosen = [None; OnCompletion::ALL.len()];
    for (route, method) in places.iter().enumerate() {
        for action in methods[*method].actions {
            let first = *chosen[*action as usize].get_or_insert(route);
            if first != route {
                clashes.push((*method, *action));
            }
        }
    }
    let chosen = OnCompletion::ALL.into_iter().zip(chosen);
    let chosen = chosen.filter_map(|(action, route)| Some((action, route?))).collect();
    let route = |method: &usize| {
        let asserts = test_of_creation(methods[*method].create);
        Route { method: *method, asserts: asserts.map_or(Few::None, |test| Few::One([test])) }
    };
    let routes = places.iter().map(route).collect();
    Some(Goal::Steps("bare_routing", vec![Step::Action(chosen, routes)]))
}

/// What tells the calls that a method accepts from all others: the action before the creation.
fn tests(method: &Accepted<'_>) -> Few<Test> {
    match (test_of_action(method.actions), test_of_creation(method.create)) {
        (None, None) => Few::None,
        (Some(test), None) | (None, Some(test)) => Few::One([test]),
        (Some(action), Some(creation)) => Few::Two([action, creation]),
    }
}

/// A call that clears state never reaches the approval program, so it is as good as accepted.
fn test_of_action(accepted: &[OnCompletion]) -> Option<Test> {
    let is_refused =
        |action: &OnCompletion| *action != OnCompletion::ClearState && !accepted.contains(action);
    let mut refused = OnCompletion::ALL.into_iter().filter(is_refused);
    let one_refused = refused.next()?;
    Some(match (accepted, refused.next()) {
        ([action], _) => Test::Action(*action),
        (_, None) => Test::OtherAction(one_refused),
        _ => Test::ActionIn(accepted.iter().fold(0, |bits, action| bits | 1 << *action as u64)),
    })
}

fn test_of_creation(create: CreateOption) -> Option<Test> {
    match create {
        CreateOption::Allow => None,
        CreateOption::Disallow => Some(Test::ApplicationExists),
        CreateOption::Require => Some(Test::CreatesApplication),
    }
}

#[cfg(test)]
mod tests;
