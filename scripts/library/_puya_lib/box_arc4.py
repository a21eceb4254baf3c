from algopy import Bytes, UInt64, op, subroutine


#@ 4
@subroutine
def box_dynamic_array_pop_fixed_size(
    box_key: Bytes, array_offset: UInt64, fixed_byte_size: UInt64
) -> None:
    """Shortens an array of fixed-size elements inside a box by its last element."""
#@ 16
    # one element less in the length header
    arr_len = _box_extract_u16(box_key, array_offset)
    new_arr_len = arr_len - 1
    index = new_arr_len
    new_arr_len_u16 = _as_uint16(new_arr_len)
    op.Box.replace(box_key, array_offset, new_arr_len_u16)
#@ 23
    # move what follows the element over it
    popped_item_offset = array_offset + 2 + index * fixed_byte_size
    op.Box.splice(box_key, popped_item_offset, fixed_byte_size, b"")
#@ 27
    # give back the room at the end
    box_size, _exists = op.Box.length(box_key)
    new_size = box_size - fixed_byte_size
    op.Box.resize(box_key, new_size)


#@ 33
@subroutine
def box_dynamic_array_concat_fixed(
    box_key: Bytes,
    array_offset: UInt64,
    new_items_bytes: Bytes,
    new_items_count: UInt64,
    fixed_element_size: UInt64,
) -> None:
    """Appends fixed-size elements to an array inside a box."""
#@ 49
    # make room at the end
    arr_len = _box_extract_u16(box_key, array_offset)
    box_size, _exists = op.Box.length(box_key)
    new_box_size = box_size + new_items_count * fixed_element_size
    op.Box.resize(box_key, new_box_size)
#@ 55
    # count the new elements
    new_arr_len = _as_uint16(arr_len + new_items_count)
    op.Box.replace(box_key, array_offset, new_arr_len)
#@ 59
    # insert them behind the last
    end_of_array_offset = array_offset + 2 + arr_len * fixed_element_size
    op.Box.splice(box_key, end_of_array_offset, 0, new_items_bytes)


#@ 64
@subroutine
def box_update_offset_dec(box_key: Bytes, offset: UInt64, value: UInt64) -> None:
    """Lowers a 16-bit head pointer inside a box."""
#@ 74
    offset_value = _box_extract_u16(box_key, offset)
    new_offset_value = offset_value - value
    new_offset_value_u16 = _as_uint16(new_offset_value)
    op.Box.replace(box_key, offset, new_offset_value_u16)


#@ 80
@subroutine
def box_update_offset_inc(box_key: Bytes, offset: UInt64, value: UInt64) -> None:
    """Raises a 16-bit head pointer inside a box."""
#@ 90
    offset_value = _box_extract_u16(box_key, offset)
    new_offset_value = offset_value + value
    new_offset_value_u16 = _as_uint16(new_offset_value)
    op.Box.replace(box_key, offset, new_offset_value_u16)


#@ 96
@subroutine(inline=True)
def _box_extract_u16(box_key: Bytes, offset: UInt64) -> UInt64:
    arr_len_bytes = op.Box.extract(box_key, offset, 2)
    return op.btoi(arr_len_bytes)


#@ 102
@subroutine(inline=True)
def _as_uint16(value: UInt64) -> Bytes:
    value_bytes = op.itob(value)
    return op.extract(value_bytes, 6, 2)
