"""Which OpenGL renders off screen here: EGL (GPU or Mesa) or OSMesa (Mesa, in software).

Neither needs a display. The environment variable ``MUJOCO_GL`` (``egl`` or ``osmesa``) decides where
it is set; otherwise EGL is taken if it works, then OSMesa.
"""

from __future__ import annotations

import ctypes
import functools
import os
from typing import Any

from skillet_core.errors import SkilletError, UnknownNameError

PACKAGES = {"egl": "libegl1 libegl-mesa0 libgl1-mesa-dri", "osmesa": "libosmesa6"}
"""What Debian and Ubuntu call the packages of each."""
_EGL_PLATFORM_DEVICE = 0x313F
_MAX_DEVICES = 16


class RenderingUnavailableError(SkilletError):
    """There is no OpenGL that renders without a display."""


def backends() -> tuple[str, ...]:
    """Return the backends that work here, the preferred one first."""
    works = {"egl": _egl_works, "osmesa": _osmesa_works}
    return tuple(name for name, probe in works.items() if probe())


@functools.cache
def select_backend() -> str:
    """Return the backend to use.

    Raises:
        UnknownNameError: ``MUJOCO_GL`` names something that is not a backend.
        RenderingUnavailableError: there is none, or not the one that ``MUJOCO_GL`` names; the
            message names the packages to install.
    """
    wanted = os.environ.get("MUJOCO_GL", "").strip().lower()
    if wanted and wanted not in PACKAGES:
        raise UnknownNameError("MUJOCO_GL", wanted, PACKAGES)
    available = backends()
    if wanted and wanted not in available:
        msg = f"MUJOCO_GL={wanted} does not work here: sudo apt install {PACKAGES[wanted]}"
        raise RenderingUnavailableError(msg)
    if not available:
        msg = f"no OpenGL renders off screen here: sudo apt install {PACKAGES['osmesa']}"
        raise RenderingUnavailableError(msg)
    return wanted or available[0]


def create_context(width: int, height: int) -> Any:
    """Make an off-screen GL context, to be made current and freed in the thread that calls this.

    MuJoCo's own choice is fixed when it is imported; this one is made here, whatever came first.

    Args:
        width: of the largest image [pixels].
        height: likewise.

    Raises:
        RenderingUnavailableError: see `select_backend`; or the process already uses the other one.
    """
    backend = select_backend()
    # Mesa's software renderer would spread over all cores and keep a control loop from its own; in the
    # calling thread an image of 320x240 takes a tenth longer
    os.environ.setdefault("LP_NUM_THREADS", "0")
    try:
        if backend == "egl":
            from mujoco.egl import GLContext  # noqa: PLC0415 - loads libraries, so only the one in use
        else:
            from mujoco.osmesa import GLContext  # noqa: PLC0415
    except ImportError as error:
        msg = f"the OpenGL backend {backend} did not load: {error}"
        raise RenderingUnavailableError(msg) from error
    return GLContext(width, height)


def _osmesa_works() -> bool:
    return _library("libOSMesa.so.8", "libOSMesa.so.6", "libOSMesa.so") is not None


def _egl_works() -> bool:
    """Whether a display can be initialised on some EGL device, asked of the library itself."""
    egl = _library("libEGL.so.1", "libEGL.so")
    if egl is None:
        return False
    egl.eglGetProcAddress.restype = ctypes.c_void_p
    addresses = [egl.eglGetProcAddress(name) for name in (b"eglQueryDevicesEXT", b"eglGetPlatformDisplayEXT")]
    if not all(addresses):
        return False
    pointer, integer = ctypes.c_void_p, ctypes.c_int
    query = ctypes.CFUNCTYPE(ctypes.c_uint, integer, pointer, pointer)(addresses[0])
    display_of = ctypes.CFUNCTYPE(pointer, ctypes.c_uint, pointer, pointer)(addresses[1])
    devices, count = (pointer * _MAX_DEVICES)(), integer()
    if not query(_MAX_DEVICES, devices, ctypes.byref(count)):
        return False
    egl.eglInitialize.argtypes = (pointer, pointer, pointer)
    for device in devices[: count.value]:
        display = display_of(_EGL_PLATFORM_DEVICE, device, None)
        # Left as it is: a display is one for the whole process, and ending it would end others' contexts.
        if display and egl.eglInitialize(display, None, None):
            return True
    return False


def _library(*names: str) -> ctypes.CDLL | None:
    for name in names:
        try:
            return ctypes.CDLL(name)
        except OSError:
            continue
    return None
