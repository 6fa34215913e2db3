"""RGB-D images of the simulated cameras, as a RealSense gives them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

import mujoco
import numpy as np
import numpy.typing as npt

from skillet_core.errors import UnknownNameError
from skillet_core.evaluation import ROBOT_PREFIX
from skillet_core.geometry import Array
from skillet_core.robot import CameraDescription
from skillet_sim import gl

Color = npt.NDArray[np.uint8]
Depth = npt.NDArray[np.uint16]

MIN_DEPTH, MAX_DEPTH = 0.1, 10.0
"""Depth beyond this range is no reading [m]."""
_MAX_GEOMS = 2000


def intrinsics(camera: CameraDescription, width: int, height: int) -> Array:
    """Return the camera matrix, shape (3, 3) [pixels]: square pixels, the axis in the image's middle.

    Pixel (u, v) has its centre at (u, v), so a point (x, y, z) in the optical frame is seen at
    ``(fx x / z + cx, fy y / z + cy)``.

    Args:
        camera: whose vertical field of view to use.
        width: of the image [pixels].
        height: likewise.
    """
    focal = height / 2 / np.tan(camera.vertical_fov / 2)
    return np.array([[focal, 0.0, (width - 1) / 2], [0.0, focal, (height - 1) / 2], [0.0, 0.0, 1.0]])


@dataclass(frozen=True, eq=False)
class Rod:
    """A rod to draw into a picture: ends in the world frame, shape (3,) [m], and radius [m]."""

    start: Array
    end: Array
    radius: float
    rgba: tuple[float, float, float, float]


class CameraRenderer:
    """Renders a model's cameras at one size.

    It owns a GL context, which belongs to the thread that makes the renderer: make it, use it and
    close it there.
    """

    def __init__(self, model: mujoco.MjModel, width: int, height: int) -> None:
        """Make the GL context.

        Args:
            model: of a robot in a scene, see `skillet_sim.scene_model.build_model`.
            width: of the images [pixels].
            height: likewise.

        Raises:
            RenderingUnavailableError: there is no OpenGL; the message names what to install.
        """
        self._model, self.width, self.height = model, width, height
        self._cameras = {
            model.camera(index).name.removeprefix(ROBOT_PREFIX): index for index in range(model.ncam)
        }
        self._context = gl.create_context(width, height)
        self._context.make_current()
        model.vis.global_.offwidth, model.vis.global_.offheight = width, height
        self._scene = mujoco.MjvScene(model, maxgeom=_MAX_GEOMS)
        self._options, self._view = mujoco.MjvOption(), mujoco.MjvCamera()
        self._options.geomgroup[:] = (1, 1, 1, 0, 0, 0)
        self._options.sitegroup[:] = 0
        self._scene.flags[mujoco.mjtRndFlag.mjRND_SHADOW] = model.vis.quality.shadowsize > 0
        self._renderer = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._renderer)
        # far is zero: floating point then keeps its precision where a hyperbola loses it
        self._renderer.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR
        self._rectangle = mujoco.MjrRect(0, 0, width, height)
        self._color = np.zeros((height, width, 3), dtype=np.uint8)
        self._depth = np.zeros((height, width), dtype=np.float32)

    def __enter__(self) -> Self:
        """Return itself; leaving the block closes it."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Free the GL context."""
        self.close()

    def close(self) -> None:
        """Free the GL context. Closing twice does nothing."""
        if self._context is not None:
            self._context.make_current()
            self._renderer.free()
            self._context.free()
            self._context = None

    def color(self, data: mujoco.MjData, camera: str | mujoco.MjvCamera, rods: Iterable[Rod] = ()) -> Color:
        """Return an image, shape (height, width, 3), RGB, with rods drawn into it. See `render`."""
        self._draw(data, camera, rods)
        mujoco.mjr_readPixels(self._color, None, self._rectangle, self._renderer)
        return np.flipud(self._color).copy()

    def depth(self, data: mujoco.MjData, camera: str | mujoco.MjvCamera) -> Depth:
        """Return distances along the optical axis, shape (height, width) [mm]. See `render`."""
        self._draw(data, camera)
        mujoco.mjr_readPixels(None, self._depth, self._rectangle, self._renderer)
        return self._millimetres()

    def render(self, data: mujoco.MjData, camera: str | mujoco.MjvCamera) -> tuple[Color, Depth]:
        """Return colour and depth from one drawing, which is twice as fast as one after the other.

        Args:
            data: the state to show; its kinematics are brought up to date.
            camera: name as in the robot's description; or a free camera, for pictures.

        Returns:
            RGB, shape (height, width, 3), and distance along the optical axis, shape
            (height, width) [mm]: 0 where it is not between `MIN_DEPTH` and `MAX_DEPTH`.

        Raises:
            UnknownNameError: there is no such camera.
        """
        self._draw(data, camera)
        mujoco.mjr_readPixels(self._color, self._depth, self._rectangle, self._renderer)
        return np.flipud(self._color).copy(), self._millimetres()

    def _draw(self, data: mujoco.MjData, camera: str | mujoco.MjvCamera, rods: Iterable[Rod] = ()) -> None:
        view = self._fixed_view(camera) if isinstance(camera, str) else camera
        mujoco.mj_kinematics(self._model, data)
        mujoco.mj_comPos(self._model, data)
        mujoco.mj_camlight(self._model, data)
        everything = mujoco.mjtCatBit.mjCAT_ALL
        mujoco.mjv_updateScene(self._model, data, self._options, None, view, everything, self._scene)
        for rod in rods:
            self._add(rod)
        mujoco.mjr_render(self._rectangle, self._scene, self._renderer)

    def _add(self, rod: Rod) -> None:
        geom, shape = self._scene.geoms[self._scene.ngeom], mujoco.mjtGeom.mjGEOM_CAPSULE
        nowhere = np.zeros(3), np.zeros(3), np.eye(3).ravel()
        mujoco.mjv_initGeom(geom, shape, *nowhere, np.array(rod.rgba, dtype=np.float32))
        mujoco.mjv_connector(geom, shape, rod.radius, rod.start, rod.end)
        self._scene.ngeom += 1

    def _fixed_view(self, camera: str) -> mujoco.MjvCamera:
        if camera not in self._cameras:
            raise UnknownNameError("camera", camera, self._cameras)
        self._view.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._view.fixedcamid = self._cameras[camera]
        return self._view

    def _millimetres(self) -> Depth:
        """Undo the perspective division: with far at zero, depth d is near / (d + near/far (1 - d))."""
        extent, planes = self._model.stat.extent, self._model.vis.map
        near, far = planes.znear * extent, planes.zfar * extent
        buffer = np.flipud(self._depth)
        metres = near / (buffer * (1.0 - near / far) + near / far)
        in_range = (metres >= MIN_DEPTH) & (metres <= MAX_DEPTH)
        return np.where(in_range, np.rint(1e3 * metres), 0.0).astype(np.uint16)
