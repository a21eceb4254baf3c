# `#@ N` lines are directives of scripts/build-library: what follows stands at line N of the compiled module.
from algopy import Bytes, OnCompleteAction, OpUpFeeSource, TransactionType, UInt64, op, subroutine
#@ 12
@subroutine
def ensure_budget(required_budget: UInt64, fee_source: OpUpFeeSource) -> None:
    # 0x068101 is the shortest program that approves.
    # The calls of this loop cost budget themselves, and their exact number is not
    # known before they were made: aim a little higher than asked.
    # A call adds 700 and takes about 20.
    # Each one deletes the application it creates, so nothing stays behind.
#@ 19
    required_budget_with_buffer = required_budget + 10
    while required_budget_with_buffer > op.Global.opcode_budget():
        op.ITxnCreate.begin()
        op.ITxnCreate.set_type_enum(TransactionType.ApplicationCall)
        op.ITxnCreate.set_on_completion(OnCompleteAction.DeleteApplication)
        op.ITxnCreate.set_approval_program(Bytes.from_hex("068101"))
        op.ITxnCreate.set_clear_state_program(Bytes.from_hex("068101"))
        match fee_source:
            case OpUpFeeSource.GroupCredit:
                op.ITxnCreate.set_fee(0)
            case OpUpFeeSource.AppAccount:
                op.ITxnCreate.set_fee(op.Global.min_txn_fee)
        # any other source leaves the
        # fee to the AVM
        op.ITxnCreate.submit()
