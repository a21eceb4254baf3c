//! Plans as text: what methods accept in, decisions out.

use std::fmt::Write;

use super::*;

/// The plan of methods given one a line: `add() NoOp,OptIn`, bare without the brackets, with `create` or
/// `any` behind the actions if it must or may create the application.
fn plan(methods: &str) -> String {
    let methods: Vec<Vec<&str>> =
        methods.trim().lines().map(|line| line.split_whitespace().collect()).collect();
    let actions = |names: &str| -> Vec<OnCompletion> {
        let action = |name| OnCompletion::ALL.into_iter().find(|all| all.avm_name() == name);
        names.split(',').map(|name| action(name).unwrap()).collect()
    };
    let actions: Vec<_> = methods.iter().map(|words| actions(words[1])).collect();
    let names: Vec<&str> = methods.iter().map(|words| words[0].trim_end_matches("()")).collect();
    let accepted = |(words, actions)| -> Accepted<'_> {
        let words: &Vec<&str> = words;
        let actions: &Vec<OnCompletion> = actions;
        let is_bare = !words[0].ends_with("()");
        let create = match words.get(2) {
            None => CreateOption::Disallow,
            Some(&"create") => CreateOption::Require,
            Some(_) => CreateOption::Allow,
        };
        Accepted { is_bare, actions, create }
    };
    let accepted: Vec<_> = methods.iter().zip(&actions).map(accepted).collect();
    let plan = Plan::of(&accepted);
    let mut text = String::new();
    write_steps(&mut text, &names, 0, &plan.steps);
    for (method, action) in plan.clashes {
        writeln!(text, "{} clashes at {}", names[method], action.avm_name()).unwrap();
    }
    text
}

fn write_steps(text: &mut String, names: &[&str], depth: usize, steps: &[Step]) {
    let pad = "  ".repeat(depth);
    let write_goal = |text: &mut String, condition: &str, goal: &Goal| match goal {
        Goal::Route(route) => writeln!(text, "{pad}{condition}: {}", show(names, route)).unwrap(),
        Goal::Steps(name, steps) => {
            writeln!(text, "{pad}{condition}: {name}").unwrap();
            write_steps(text, names, depth + 1, steps);
        }
    };
    for step in steps {
        match step {
            Step::Assert(test) => writeln!(text, "{pad}assert {}", condition(*test)).unwrap(),
            Step::Branch(test, then, otherwise) => {
                write_goal(text, &format!("if {}", condition(*test)), then);
                write_goal(text, "else", otherwise);
            }
            Step::Selector(routes) => {
                for route in routes {
                    writeln!(text, "{pad}selector {}", show(names, route)).unwrap();
                }
            }
            Step::Action(chosen, routes) => {
                for (action, route) in chosen {
                    let route = show(names, &routes[*route]);
                    writeln!(text, "{pad}action {}: {route}", action.avm_name()).unwrap();
                }
            }
        }
    }
}

fn show(names: &[&str], route: &Route) -> String {
    let asserts = route.asserts.iter().map(|test| format!(" [{}]", condition(*test)));
    format!("{}{}", names[route.method], asserts.collect::<String>())
}

fn condition(test: Test) -> String {
    match test {
        Test::HasArguments => "arguments".to_owned(),
        Test::Action(action) => action.avm_name().to_owned(),
        Test::OtherAction(action) => format!("not {}", action.avm_name()),
        Test::ActionIn(bits) => format!("one of {bits:06b}"),
        Test::ApplicationExists => "exists".to_owned(),
        Test::CreatesApplication => "creates".to_owned(),
    }
}

fn check(methods: &str, expected: &str) {
    assert_eq!(plan(methods).trim_end(), expected.trim().replace("\n    ", "\n"));
}

#[test]
fn plain_methods_share_their_tests() {
    let methods = "
        add() NoOp
        make() NoOp create
        both() NoOp any
        sub() NoOp";
    let expected = "
    assert NoOp
    selector both
    if exists: call_NoOp
      selector add
      selector sub
    else: create_NoOp
      selector make";
    check(methods, expected);
}

#[test]
fn other_methods_have_tests_of_their_own_and_come_first() {
    let methods = "
        add() NoOp
        join() NoOp,OptIn
        sub() NoOp
        change() NoOp,OptIn,CloseOut,DeleteApplication any
        new() UpdateApplication create";
    let expected = "
    selector join [one of 000011] [exists]
    selector change [not UpdateApplication]
    selector new [UpdateApplication] [creates]
    assert NoOp
    if exists: call_NoOp
      selector add
      selector sub
    else: create_NoOp";
    check(methods, expected);
}

#[test]
fn one_plain_method_is_as_the_others_and_comes_last() {
    check(
        "add() NoOp\nleave() CloseOut any",
        "selector leave [CloseOut]\nselector add [NoOp] [exists]",
    );
    check("add() NoOp any", "selector add [NoOp]");
}

#[test]
fn clearing_state_is_neither_refused_nor_left_out() {
    check("all() NoOp,OptIn,CloseOut,UpdateApplication,DeleteApplication any", "selector all");
    check("clear() ClearState any", "selector clear [ClearState]");
    check("two() NoOp,ClearState any", "selector two [one of 001001]");
    check("twice() NoOp,NoOp any", "selector twice [one of 000001]");
}

#[test]
fn a_bare_method_alone_tests_the_action() {
    check("make NoOp create", "if arguments: abi_routing\nelse: make [NoOp] [creates]");
}

#[test]
fn of_bare_methods_the_action_decides_and_the_first_one_counts() {
    let methods = "
        make NoOp create
        add() NoOp any
        close DeleteApplication,CloseOut
        again CloseOut,NoOp,OptIn any";
    let expected = "
    if arguments: abi_routing
      selector add [NoOp]
    else: bare_routing
      action NoOp: make [creates]
      action OptIn: again
      action CloseOut: close [exists]
      action DeleteApplication: close [exists]
    again clashes at CloseOut
    again clashes at NoOp";
    check(methods, expected);
}

#[test]
fn without_methods_nothing_is_decided() {
    assert_eq!(plan(""), "");
}
