"""Renders in a thread of its own, beside the physics, and never loses a frame."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

import mujoco
import numpy as np
import numpy.typing as npt

from skillet_sim.cameras import CameraRenderer
from skillet_sim.world import World


@dataclass(frozen=True)
class Frame:
    """One camera's images at one time.

    Attributes:
        camera: its name.
        stamp: clock time of the state that it shows [s].
        color: shape (h, w, 3), rgb8.
        depth: shape (h, w) [mm], 0 for no reading; None when not asked for.
    """

    camera: str
    stamp: float
    color: npt.NDArray[np.uint8]
    depth: npt.NDArray[np.uint16] | None


class CameraThread:
    """Takes a snapshot of the world when asked, and hands its frames to a callback.

    While one frame is rendered the next may be asked for; asking for a third waits until the first is
    done. So where rendering is too slow, simulation time slows down, and the data keeps its rate.
    """

    def __init__(
        self,
        world: World,
        size: tuple[int, int],
        publish: Callable[[Frame], None],
        *,
        depth: bool = True,
    ) -> None:
        """Start the thread.

        Args:
            world: the simulated world.
            size: width and height of the images [pixels].
            publish: called from the thread with each frame.
            depth: render depth too.
        """
        self._world, self._size, self._publish, self._depth = world, size, publish, depth
        self._snapshot = mujoco.MjData(world.model)
        self._stamp = 0.0
        self._wanted = self._busy = self._closing = False
        self._condition = threading.Condition()
        self.error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="cameras", daemon=True)
        self._thread.start()

    def request(self, stamp: float) -> None:
        """Ask for frames of the world as it is now. Call with the world at rest between steps.

        Raises:
            BaseException: what ended the thread.
        """
        with self._condition:
            self._condition.wait_for(lambda: not self._wanted or self._closing or self.error is not None)
            if self.error is not None:
                raise self.error
            self._world.copy_state_into(self._snapshot)
            self._stamp, self._wanted = stamp, True
            self._condition.notify_all()

    def wait_idle(self, timeout: float) -> bool:
        """Wait until everything asked for was published; False when it took longer than ``timeout`` [s]."""
        with self._condition:
            return self._condition.wait_for(
                lambda: self.error is not None or not (self._wanted or self._busy), timeout
            )

    def close(self) -> None:
        """End the thread and free its GL context."""
        with self._condition:
            self._closing = True
            self._condition.notify_all()
        self._thread.join(timeout=5.0)

    def _run(self) -> None:
        try:
            with CameraRenderer(self._world.model, *self._size) as renderer:
                self._render_until_closed(renderer)
        except BaseException as error:  # noqa: BLE001  (kept for the node's thread, which raises it)
            with self._condition:
                self.error = error
                self._condition.notify_all()

    def _render_until_closed(self, renderer: CameraRenderer) -> None:
        data = mujoco.MjData(self._world.model)
        while True:
            with self._condition:
                self._busy = False
                self._condition.notify_all()
                self._condition.wait_for(lambda: self._wanted or self._closing)
                if self._closing:
                    return
                # swap, so that the next request does not write into what is being rendered
                self._snapshot, data = data, self._snapshot
                stamp, self._wanted, self._busy = self._stamp, False, True
            for camera in self._world.robot.cameras:
                color, depth = (
                    renderer.render(data, camera.name)
                    if self._depth
                    else (renderer.color(data, camera.name), None)
                )
                self._publish(Frame(camera.name, stamp, color, depth))
