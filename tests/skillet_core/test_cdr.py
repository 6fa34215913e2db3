import struct

import pytest

from skillet_core.cdr import header_stamp


@pytest.mark.parametrize(("order", "flag"), [("<", 1), (">", 0)])
def test_the_stamp_is_read_in_the_byte_order_that_the_message_names(order, flag):
    message = bytes([0, flag, 0, 0]) + struct.pack(f"{order}iI", 7, 250_000_000) + b"frame and the rest"
    assert header_stamp(message) == 7_250_000_000


def test_a_message_too_short_for_a_stamp_is_refused():
    with pytest.raises(struct.error):
        header_stamp(bytes([0, 1, 0, 0, 5]))
