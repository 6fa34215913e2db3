import pytest

pytest.importorskip("skillet_ros")

from skillet_core.errors import StaleStateError
from skillet_ros.liveness import Liveness


class HandClock:
    def __init__(self) -> None:
        self.now = 10.0

    def __call__(self) -> float:
        return self.now


def test_a_source_never_heard_is_not_alive_and_the_error_asks_for_its_publisher():
    liveness = Liveness("joint_states", 0.5, HandClock())
    assert not liveness.alive
    with pytest.raises(StaleStateError, match=r"'joint_states' yet"):
        liveness.check()


def test_a_source_is_alive_until_its_maximum_age_and_not_after():
    clock = HandClock()
    liveness = Liveness("joint_states", 0.5, clock)
    liveness.heard()
    clock.now += 0.5
    liveness.check()
    clock.now += 0.01
    with pytest.raises(StaleStateError, match=r"for 0\.51 s"):
        liveness.check()
    liveness.heard()
    assert liveness.alive
