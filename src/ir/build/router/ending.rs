//! What happens once calls are routed: the uses of the router in, [`Ending`] out.

use crate::awst::decl::Contract;
use crate::awst::expr::{Expr, ExprRef};
use crate::awst::make::Make;
use crate::awst::mentions::Mentions;
use crate::awst::stmt::Stmt;
use crate::awst::visit::{Descend, Visitor, walk_function};
use crate::awst::wtypes::WTypeId;
use crate::ir::Ctx;

/// What happens once a method was called, or none was found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// The program ends.
    Exit,
    /// The router returns to the approval program, which decides.
    Return,
}

impl Ending {
    /// The ending of a contract: its program can end unless the approval program does more with the
    /// router than to return its answer. That nothing uses the router is worth a warning.
    pub fn of(ctx: Ctx<'_, '_>, contract: &Contract<'_>) -> Self {
        let approval = contract.approval_program;
        let mut is_used = false;
        for method in contract.all_methods {
            let mut uses = Uses::default();
            walk_function(&mut uses, &method.function);
            let is_approval = || std::ptr::eq(*method, approval) || **method == *approval;
            if uses.elsewhere || uses.returned && !is_approval() {
                return Ending::Return;
            }
            is_used |= uses.returned;
        }
        if !is_used {
            let id = ctx.text(contract.id);
            let message = format!("contract {id} has routable methods but does not have a router");
            ctx.sink().warning(message, approval.function.loc);
        }
        Ending::Exit
    }
    /// What follows the call of a method.
    pub fn accept<'s>(self, make: Make<'s>) -> Stmt<'s> {
        self.end(make, true)
    }
    /// What follows where no method was found.
    pub fn reject<'s>(self, make: Make<'s>) -> Stmt<'s> {
        self.end(make, false)
    }
    fn end<'s>(self, make: Make<'s>, answer: bool) -> Stmt<'s> {
        let answer = make.bool(answer);
        match self {
            Ending::Exit => make.statement(make.intrinsic("return", &[], &[answer], WTypeId::VOID)),
            Ending::Return => make.return_value(answer),
        }
    }
}

#[derive(Default)]
struct Uses {
    elsewhere: bool,
    returned: bool,
}

impl<'a> Visitor<'a> for Uses {
    const LOOKS_FOR: Option<Mentions> = Some(Mentions::ROUTER);
    fn enter_stmt(&mut self, stmt: &'a Stmt<'a>) -> Descend {
        match stmt {
            Stmt::ReturnStatement(node) if matches!(node.value, Some(Expr::Arc4Router(_))) => {
                self.returned = true;
                Descend::Skip
            }
            _ => Descend::Into,
        }
    }
    fn enter_expr(&mut self, expr: ExprRef<'a>) -> Descend {
        self.elsewhere |= matches!(expr, Expr::Arc4Router(_));
        Descend::Into
    }
}
