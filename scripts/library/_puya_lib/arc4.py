from algopy import Bytes, UInt64, subroutine, urange
from algopy.op import (
    btoi,
    bzero,
    extract,
    extract_uint16,
    getbit,
    itob,
    replace,
    select_uint64,
    setbit_bytes,
    substring,
)

UINT16_SIZE = 2
UINT64_SIZE = 8
UINT16_OFFSET = UINT64_SIZE - UINT16_SIZE
HEADER_BIT_SIZE = UINT16_SIZE * 8


#@ 26
@subroutine(inline=True)
# pure
def _itob16(i: UInt64) -> Bytes:
    return extract(itob(i), UINT16_OFFSET, 0)


#@ 32
@subroutine
# pure
def dynamic_array_pop_bit(array: Bytes) -> Bytes:
    """An array of packed bools without its last."""
#@ 42
    array_length = extract_uint16(array, 0)
    new_length = array_length - 1
    result = _itob16(new_length)
    data = extract(array, UINT16_SIZE, 0)
    data = setbit_bytes(data, new_length, False)
    trimmed_size = (new_length + 7) // 8
    result += extract(data, 0, trimmed_size)
    return result


#@ 52
@subroutine(inline=True)
# pure
def r_trim(b: Bytes, n: UInt64) -> Bytes:
    """`b` without its last `n` bytes."""
    return substring(b, 0, b.length - n)


#@ 59
@subroutine
# pure
def dynamic_array_pop_fixed_size(array: Bytes, fixed_byte_size: UInt64) -> Bytes:
    """An array of fixed-size elements without its last."""
#@ 69
    result = r_trim(array, fixed_byte_size)
    array_length = extract_uint16(result, 0)
    length_minus_1 = array_length - 1
    return replace(result, 0, _itob16(length_minus_1))


#@ 75
@subroutine
# pure
def dynamic_array_pop_byte_length_head(array: Bytes) -> Bytes:
    """An array of elements that start with their length in bytes, without its last."""
#@ 86
    array_length = extract_uint16(array, 0)
    length_minus_1 = array_length - 1
    updated = _itob16(length_minus_1)
    head_and_tail = extract(array, UINT16_SIZE, 0)
    popped_header_offset = length_minus_1 * UINT16_SIZE
#@ 92
    popped_offset = extract_uint16(head_and_tail, popped_header_offset)
    new_head_and_tail = substring(head_and_tail, 0, popped_header_offset)
    new_head_and_tail += substring(head_and_tail, popped_header_offset + 2, popped_offset)
#@ 96
    updated += _recalculate_head_for_elements_with_byte_length_head(
        array_head_and_tail=new_head_and_tail, length=length_minus_1, start_at_index=UInt64(0)
    )
    return updated


#@ 102
@subroutine
# pure
def dynamic_array_pop_dynamic_element(array: Bytes) -> Bytes:
    """An array of elements of any size without its last."""
#@ 112
    array_length = extract_uint16(array, 0)
    length_minus_1 = array_length - 1
#@ 115
    updated = _itob16(length_minus_1)
    popped_header_offset = length_minus_1 * UINT16_SIZE
    head_offset = UInt64(UINT16_SIZE)
    while head_offset <= popped_header_offset:
        item_offset = extract_uint16(array, head_offset)
        item_offset -= UINT16_SIZE
        updated += _itob16(item_offset)
        head_offset += UINT16_SIZE
#@ 124
    head_and_tail = extract(array, UINT16_SIZE, 0)
    updated += substring(
        head_and_tail,
        head_offset,
        extract_uint16(head_and_tail, popped_header_offset),
    )
#@ 131
    return updated


#@ 134
@subroutine
# pure
def dynamic_array_read_dynamic_element(*, array: Bytes, index: UInt64) -> Bytes:
    return static_array_read_dynamic_element(
        array_head_and_tail=extract(array, UINT16_SIZE, 0),
        index=index,
        array_length=extract_uint16(array, 0),
    )


#@ 144
@subroutine
# pure
def static_array_read_dynamic_element(
    *, array_head_and_tail: Bytes, index: UInt64, array_length: UInt64
) -> Bytes:
#@ 149
    item_start_offset = extract_uint16(array_head_and_tail, index * 2)
    end_of_tail = array_head_and_tail.length
    next_index = index + 1
    next_item_offset = extract_uint16(array_head_and_tail, next_index * 2)
    is_before_end = array_length - next_index
    item_end_offset = select_uint64(end_of_tail, next_item_offset, is_before_end)
    return substring(array_head_and_tail, item_start_offset, item_end_offset)


#@ 158
@subroutine
# pure
def dynamic_array_read_byte_length_element(*, array: Bytes, index: UInt64) -> Bytes:
    array_head_and_tail = extract(array, UINT16_SIZE, 0)
    item_start_offset = extract_uint16(array_head_and_tail, index * 2)
    item_length = extract_uint16(array_head_and_tail, item_start_offset)
    return extract(array_head_and_tail, item_start_offset, item_length + 2)


#@ 167
@subroutine
# pure
def static_array_read_byte_length_element(*, array: Bytes, index: UInt64) -> Bytes:
    item_start_offset = extract_uint16(array, index * 2)
    item_length = extract_uint16(array, item_start_offset)
    return extract(array, item_start_offset, item_length + 2)


#@ 175
@subroutine(inline=True)
# pure
def dynamic_array_concat_fixed(
    *,
    array: Bytes,
    new_items_bytes: Bytes,
    new_items_count: UInt64,
) -> Bytes:
    """An array of fixed-size elements with others appended."""
#@ 191
    array_length = extract_uint16(array, 0)
    new_array_length = array_length + new_items_count
    new_len_u16 = _itob16(new_array_length)
    result = replace(array, 0, new_len_u16)
    return result + new_items_bytes


#@ 198
@subroutine
# pure
def dynamic_array_concat_bits(
    *, array: Bytes, new_items_bytes: Bytes, new_items_count: UInt64, read_step: UInt64
) -> Bytes:
    """An array of packed bools with others appended, which are `read_step` bits apart."""
#@ 216
    array_length = extract_uint16(array, 0)
    new_array_length = array_length + new_items_count
    new_array_length_b = _itob16(new_array_length)
    result = replace(array, 0, new_array_length_b)
    current_bytes = (array_length + 7) // 8
    required_bytes = (new_array_length + 7) // 8
    if current_bytes < required_bytes:
        result += bzero(required_bytes - current_bytes)
#@ 225
    read_offset = UInt64(0)
    write_offset = array_length + HEADER_BIT_SIZE
    write_end = write_offset + new_items_count
    while write_offset < write_end:
        result = setbit_bytes(result, write_offset, getbit(new_items_bytes, read_offset))
        write_offset += 1
        read_offset += read_step
#@ 233
    return result


#@ 236
@subroutine
# pure
def dynamic_array_concat_byte_length_head(
    array: Bytes, new_items_bytes: Bytes, new_items_count: UInt64
) -> Bytes:
    """An array of elements that start with their length in bytes, with others appended."""
#@ 251
    array_length = extract_uint16(array, 0)
#@ 253
    header_end = array_length * UINT16_SIZE + 2
    array_head = substring(array, 2, header_end) + bzero(new_items_count * UINT16_SIZE)
    array_tail = substring(array, header_end, array.length) + new_items_bytes
    array_head_and_tail = array_head + array_tail
    new_length = array_length + new_items_count
    result = _itob16(new_length) + _recalculate_head_for_elements_with_byte_length_head(
        array_head_and_tail=array_head_and_tail,
        length=new_length,
        start_at_index=UInt64(0),
    )
    return result


#@ 266
@subroutine
# pure
def dynamic_array_concat_dynamic_element(
    *,
    array: Bytes,
    new_head_and_tail: Bytes,
    new_items_count: UInt64,
) -> Bytes:
#@ 274
    array_items_count = extract_uint16(array, 0)
    result = _itob16(array_items_count + new_items_count)
    array_head_and_tail = extract(array, UINT16_SIZE, 0)
    array_head_size = array_items_count * UINT16_SIZE
    new_head_size = new_items_count * UINT16_SIZE
    for head_offset in urange(0, array_head_size, UINT16_SIZE):
        item_offset = extract_uint16(array_head_and_tail, head_offset)
        result += _itob16(new_head_size + item_offset)
#@ 283
    head_and_tail_length = array_head_and_tail.length
    for head_offset in urange(0, new_head_size, UINT16_SIZE):
        item_offset = extract_uint16(new_head_and_tail, head_offset)
        result += _itob16(head_and_tail_length + item_offset)
    return (
        result
        + substring(array_head_and_tail, array_head_size, head_and_tail_length)
        + substring(new_head_and_tail, new_head_size, new_head_and_tail.length)
    )


#@ 294
@subroutine
# pure
def dynamic_array_replace_byte_length_head(array: Bytes, new_item: Bytes, index: UInt64) -> Bytes:
    """An array of elements that start with their length in bytes, one of them replaced."""
#@ 308
    size_b = substring(array, 0, UINT16_SIZE)
    array_length = btoi(size_b)
    return size_b + static_array_replace_byte_length_head(
        array_head_and_tail=extract(array, UINT16_SIZE, 0),
        new_item=new_item,
        index=index,
        array_length=array_length,
    )


#@ 318
@subroutine
# pure
def dynamic_array_replace_dynamic_element(source: Bytes, new_item: Bytes, index: UInt64) -> Bytes:
    size_b = substring(source, 0, UINT16_SIZE)
    array_length = btoi(size_b)
    return size_b + static_array_replace_dynamic_element(
        array_head_and_tail=extract(source, UINT16_SIZE, 0),
        new_item=new_item,
        index=index,
        array_length=array_length,
    )


#@ 331
@subroutine
# pure
def static_array_replace_dynamic_element(
    *, array_head_and_tail: Bytes, new_item: Bytes, index: UInt64, array_length: UInt64
) -> Bytes:
    new_item_length = new_item.length
#@ 338
    end_of_tail = array_head_and_tail.length
    next_item_offset = extract_uint16(array_head_and_tail, (index + 1) * UINT16_SIZE)
    is_before_end = array_length - index - 1
    end_offset = select_uint64(end_of_tail, next_item_offset, is_before_end)
    original_offset = extract_uint16(array_head_and_tail, index * UINT16_SIZE)
    original_item_length = end_offset - original_offset
#@ 345
    new_head_and_tail = (
        substring(array_head_and_tail, 0, original_offset)
        + new_item
        + substring(array_head_and_tail, end_offset, end_of_tail)
    )
    for head_offset in urange((index + 1) * UINT16_SIZE, array_length * UINT16_SIZE, UINT16_SIZE):
        tail_offset = extract_uint16(new_head_and_tail, head_offset)
        tail_offset += new_item_length
        tail_offset -= original_item_length
        tail_offset_bytes = _itob16(tail_offset)
        new_head_and_tail = replace(new_head_and_tail, head_offset, tail_offset_bytes)
    return new_head_and_tail


#@ 359
@subroutine
# pure
def static_array_replace_byte_length_head(
    array_head_and_tail: Bytes, new_item: Bytes, index: UInt64, array_length: UInt64
) -> Bytes:
    """A headless array of elements that start with their length in bytes, one of them replaced."""
#@ 375
    offset_for_index = extract_uint16(array_head_and_tail, index * UINT16_SIZE)
    old_item_length = extract_uint16(array_head_and_tail, offset_for_index)
    old_item_end = offset_for_index + old_item_length + UINT16_SIZE
    new_head_and_tail = (
        substring(array_head_and_tail, 0, offset_for_index)
        + new_item
        + substring(array_head_and_tail, old_item_end, array_head_and_tail.length)
    )
    return _recalculate_head_for_elements_with_byte_length_head(
        array_head_and_tail=new_head_and_tail,
        length=array_length,
        start_at_index=index,
    )


#@ 390
@subroutine
# pure
def _recalculate_head_for_elements_with_byte_length_head(
    array_head_and_tail: Bytes, length: UInt64, start_at_index: UInt64
) -> Bytes:
    """Writes the offsets of all elements from `start_at_index` on, whose own offset is right unless it is 0."""
#@ 406
    tail_offset = select_uint64(
        length * UINT16_SIZE,
        extract_uint16(array_head_and_tail, start_at_index * UINT16_SIZE),
        start_at_index,
    )
#@ 412
    for head_offset in urange(start_at_index * UINT16_SIZE, length * UINT16_SIZE, UINT16_SIZE):
        tail_offset_bytes = _itob16(tail_offset)
        array_head_and_tail = replace(array_head_and_tail, head_offset, tail_offset_bytes)
        tail_offset += extract_uint16(array_head_and_tail, tail_offset) + UINT16_SIZE
    return array_head_and_tail


#@ 419
@subroutine
# pure
def dynamic_assert_index(array: Bytes, index: UInt64) -> None:
    length = extract_uint16(array, 0)
    assert index < length, "index out of bounds"
