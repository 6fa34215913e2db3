import threading

import numpy as np
import pytest

from skillet_core.robot import load_robot
from skillet_core.scene import load_task
from skillet_sim.camera_thread import CameraThread
from skillet_sim.world import World


@pytest.fixture(scope="module")
def world():
    return World(load_robot("ur5e"), load_task("blocks"))


@pytest.fixture
def start(world):
    threads = []

    def start(publish, **options):
        threads.append(CameraThread(world, (64, 48), publish, **options))
        return threads[-1]

    yield start
    for thread in threads:
        thread.close()


def wait_until_picked_up(thread):
    with thread._condition:
        assert thread._condition.wait_for(lambda: not thread._wanted, timeout=30)


def test_a_request_yields_a_frame_of_every_camera_with_the_stamp_asked_for(world, start):
    frames = []
    thread = start(frames.append)
    thread.request(12.5)
    assert thread.wait_idle(timeout=30)
    assert [frame.camera for frame in frames] == [camera.name for camera in world.robot.cameras]
    assert {frame.stamp for frame in frames} == {12.5}
    assert frames[0].color.shape == (48, 64, 3)
    assert frames[0].depth.dtype == np.uint16


def test_depth_is_left_out_when_not_asked_for(start):
    frames = []
    thread = start(frames.append, depth=False)
    thread.request(1.0)
    assert thread.wait_idle(timeout=30)
    assert all(frame.depth is None for frame in frames)


def test_a_frame_shows_the_world_as_it_was_when_asked_for_not_as_it_is_when_rendered(world, start):
    images, gate = [], threading.Event()

    def publish(frame):
        gate.wait(30)
        images.append(frame)

    world.reset(0)
    thread = start(publish)
    thread.request(1.0)
    wait_until_picked_up(thread)
    thread.request(2.0)
    world.reset(1)
    gate.set()
    assert thread.wait_idle(timeout=30)
    thread.request(3.0)
    assert thread.wait_idle(timeout=30)
    first, second, third = (frame.color for frame in images if frame.camera == "front")
    np.testing.assert_array_equal(first, second)
    assert (third != second).any()


def test_no_frame_is_lost_when_requests_come_faster_than_frames(start):
    stamps = []
    thread = start(lambda frame: stamps.append(frame.stamp))
    for stamp in range(1, 8):
        thread.request(float(stamp))
    assert thread.wait_idle(timeout=30)
    assert sorted(set(stamps)) == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]


def test_a_request_waits_while_two_frames_are_under_way(start):
    gate = threading.Event()
    thread = start(lambda _: gate.wait(30))
    thread.request(1.0)
    wait_until_picked_up(thread)
    thread.request(2.0)
    third = threading.Thread(target=thread.request, args=(3.0,))
    third.start()
    third.join(timeout=0.2)
    assert third.is_alive()
    gate.set()
    third.join(timeout=30)
    assert not third.is_alive()


def test_an_error_of_the_thread_reaches_whoever_asks_next(start):
    def publish(frame):
        raise RuntimeError("broken pipe")

    thread = start(publish)
    thread.request(1.0)
    assert thread.wait_idle(timeout=30)
    with pytest.raises(RuntimeError, match="broken pipe"):
        thread.request(2.0)
