"""Just enough of protocol buffers' wire format to read a checked expression.

Source: protobuf.dev, "Encoding".
"""

import struct
from typing import Any, TypeAlias

Fields: TypeAlias = dict[int, list[Any]]
"""Field numbers to what was said for each, in order: ints, or bytes of what has a length."""


def fields(data: bytes) -> Fields:
    """Return the fields of one message."""
    found: Fields = {}
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        value: Any
        match key & 7:
            case 0:
                value, at = varint(data, at)
            case 1:
                (value,), at = struct.unpack_from("<d", data, at), at + 8
            case 2:
                length, at = varint(data, at)
                value, at = data[at : at + length], at + length
            case other:
                raise ValueError(f"wire type {other} at {at}")
        found.setdefault(key >> 3, []).append(value)
    return found


def varint(data: bytes, at: int) -> tuple[int, int]:
    """Return an unsigned number and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7


def signed(value: int) -> int:
    """Return the int64 that a varint stands for."""
    return value - (1 << 64) if value >= 1 << 63 else value
