"""What can be read of a serialised message without decoding it."""

from __future__ import annotations

import struct


def header_stamp(message: bytes) -> int:
    """Return the stamp [ns] of a CDR message that begins with a ``std_msgs/Header``.

    Four bytes of encapsulation come first, the second of which tells the byte order; then the stamp's
    seconds and nanoseconds.
    """
    order = "<" if message[1] & 1 else ">"
    seconds, nanoseconds = struct.unpack_from(f"{order}iI", message, 4)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)
