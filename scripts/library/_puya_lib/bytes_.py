from algopy import Bytes, UInt64, op, subroutine


#@ 5
@subroutine
# pure
def is_substring(item: Bytes, sequence: Bytes) -> bool:
    """Whether `item` occurs in `sequence`."""
#@ 12
    start = UInt64(0)
    while start + item.length <= sequence.length:
        if item == op.substring(sequence, start, start + item.length):
            return True
        start += 1
    return False
