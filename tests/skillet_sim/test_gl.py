"""Off-screen rendering is found, or missed with the package to install."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from skillet_core.errors import UnknownNameError
from skillet_sim import gl


@pytest.fixture(autouse=True)
def forget() -> Iterator[None]:
    gl.select_backend.cache_clear()
    yield
    gl.select_backend.cache_clear()


def test_a_backend_that_is_asked_for_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    working = gl.backends()
    assert working, "these tests need an off-screen OpenGL"
    monkeypatch.setenv("MUJOCO_GL", working[-1].upper())
    assert gl.select_backend() == working[-1]


def test_the_first_that_works_is_taken_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(gl, "_egl_works", lambda: False)
    monkeypatch.setattr(gl, "_osmesa_works", lambda: True)
    assert gl.select_backend() == "osmesa"


def test_an_unknown_backend_lists_the_known_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "vulkan")
    with pytest.raises(UnknownNameError, match="egl, osmesa"):
        gl.select_backend()


def test_without_any_backend_the_package_to_install_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MUJOCO_GL", raising=False)
    monkeypatch.setattr(gl, "_library", lambda *_: None)
    with pytest.raises(gl.RenderingUnavailableError, match="apt install libosmesa6"):
        gl.select_backend()


def test_a_backend_that_is_asked_for_is_not_replaced_by_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "egl")
    monkeypatch.setattr(gl, "_egl_works", lambda: False)
    monkeypatch.setattr(gl, "_osmesa_works", lambda: True)
    with pytest.raises(gl.RenderingUnavailableError, match="apt install libegl1"):
        gl.select_backend()
